//! Hosts that go down at once. A host counts once, however many checks it has: so a single host can neither make a wave
//! nor hide one.

use std::collections::{BTreeMap, HashMap, HashSet};

use pulse_echo_core::answer::Cause;
use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Record, State, Told};

use super::many::TOGETHER;

/// How many hosts that go down at once count as many.
const MANY: usize = 5;

/// Why a check is down: its state and, if it is `failing`, its cause.
pub type Why = (State, Option<Cause>);

/// The hosts that are down and went down within a quarter of an hour, if they are many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    /// How many hosts.
    pub hosts: usize,
    /// Of how many hosts in all.
    pub of_hosts: usize,
    /// How many checks of these hosts are down.
    pub checks: usize,
    /// Of how many checks in all.
    pub of: usize,
    /// Why most of these hosts are down.
    pub why: Why,
    /// How many of these hosts are down for that.
    pub alike_hosts: usize,
    /// How many of their checks are down for that.
    pub alike: usize,
}

/// How many hosts are down and went down within a quarter of an hour, and the wave if they are many. With each check
/// comes whether it is muted: a host whose checks are all muted does not count.
pub fn wave<'a>(
    checks: &(impl Iterator<Item = (&'a CheckId, &'a Record, bool)> + Clone),
    now: Time,
) -> (usize, Option<Wave>) {
    let audible = || checks.clone().filter(|(_, record, is_muted)| !is_muted && record.state != State::Gone);
    let told = |record: &'a Record| record.outage.as_ref()?.told.as_ref();
    let recent =
        audible().filter(|(_, record, _)| told(record).is_some_and(|told| went_down(told).age(now) <= TOGETHER));
    let mut down: HashMap<&str, BTreeMap<Why, usize>> = recent.map(|(id, ..)| (id.host(), BTreeMap::new())).collect();
    let hosts = down.len();
    if hosts < MANY {
        return (hosts, None);
    }
    let (mut all, mut of) = (HashSet::new(), 0);
    for (id, record, _) in audible() {
        of += 1;
        all.insert(id.host());
        if told(record).is_some()
            && let Some(reasons) = down.get_mut(id.host())
        {
            *reasons.entry((record.state, record.cause())).or_default() += 1;
        }
    }
    let of_hosts = all.len();
    if hosts * 4 < of_hosts {
        return (hosts, None);
    }
    // Each host once, with the cause of most of its checks; then the cause of most hosts.
    let mut leading: BTreeMap<Why, (usize, usize)> = BTreeMap::new();
    for reasons in down.values() {
        let (why, checks) = most(reasons.iter().map(|(why, checks)| (*why, *checks)));
        let (alike_hosts, alike) = leading.entry(why).or_default();
        (*alike_hosts, *alike) = (*alike_hosts + 1, *alike + checks);
    }
    let (why, alike_hosts) = most(leading.iter().map(|(why, (hosts, _))| (*why, *hosts)));
    let checks = down.values().flat_map(BTreeMap::values).sum();
    (hosts, Some(Wave { hosts, of_hosts, checks, of, why, alike_hosts, alike: leading[&why].1 }))
}

/// When a check last went down for people: at the beginning of its outage, or when a new cause was told.
fn went_down(told: &Told) -> Time {
    told.changed.unwrap_or(told.at)
}

/// The commonest; of several, `silent`, and then the first by name.
fn most(all: impl Iterator<Item = (Why, usize)>) -> (Why, usize) {
    let first = all.min_by_key(|&(why, count)| (usize::MAX - count, why.0 != State::Silent, label(why)));
    first.expect("a host that is down has a check that is down")
}

/// The name of a cause, as an outage is told with it.
pub fn label((state, cause): Why) -> String {
    cause.map_or_else(|| state.to_string(), |cause| cause.to_string())
}

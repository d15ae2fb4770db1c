//! What only all checks together show.

use std::collections::HashMap;
use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Gap, Limits, Record, State};

use super::{Observation, is_spared};
use crate::rules::Rules;

/// Changes within this time count as one event.
pub(super) const TOGETHER: Duration = Duration::from_secs(15 * 60);

/// How many hosts that vanish count as many.
const VANISHED: usize = 3;

/// A check, its record, and what the sweep sees of it.
pub type Seen<'a> = (&'a CheckId, Option<&'a Record>, &'a Observation);

/// Whether the hosts whose pulses are missing again vanish together: then somebody has emptied the store rather than
/// retired a host. `checks` are all of them; a check that a note of `retire` explains counts on neither side.
pub fn vanish_with_many<'a>(checks: impl Iterator<Item = Seen<'a>> + Clone, now: Time) -> bool {
    let vanishes = |(_, record, observation): &Seen| {
        // What a cut list may hide is not missing.
        let is_missing = observation.pulse.is_none() && !observation.is_hidden;
        is_missing && record.is_some_and(|record| vanishes(record, observation, now))
    };
    // So it is in nearly all sweeps.
    if !checks.clone().any(|seen| vanishes(&seen)) {
        return false;
    }
    let mut hosts: HashMap<&str, bool> = HashMap::new();
    for seen in checks {
        let (id, record, observation) = seen;
        let is_left = record.is_some_and(|record| {
            observation.pulse.is_none() && (record.state == State::Gone || observation.is_retired(record))
        });
        if vanishes(&seen) || !is_left {
            *hosts.entry(id.host()).or_default() |= vanishes(&seen);
        }
    }
    let (some, all) = (hosts.values().filter(|&&is_away| is_away).count(), hosts.len());
    (some >= VANISHED && some * 4 >= all) || (some == all && all >= 2)
}

/// Whether a check without a pulse has vanished: for the second time in a row, or just before.
fn vanishes(record: &Record, observation: &Observation, now: Time) -> bool {
    match record.state {
        State::Gone => !record.retired && record.since.age(now) <= TOGETHER,
        _ => record.missing.is_some() && !observation.is_retired(record),
    }
}

/// The time without pulses and without a completed sweep, if it is so long that the store was away, or that its clock
/// was set forward. Pulses that came soon after the last sweep, before the next was due, came before that. `pulses` are
/// the times of all pulses.
pub fn gap(swept: Option<Time>, pulses: impl Iterator<Item = Time>, now: Time, rules: &Rules) -> Option<Gap> {
    let swept = swept?;
    let mut later: Vec<_> = pulses.filter(|&pulse| pulse > swept).chain([now]).collect();
    later.sort_unstable();
    let soon = 2 * Duration::from_secs(rules.tick_s.into());
    let from = later.iter().copied().rfind(|time| swept.age(*time) <= soon).unwrap_or(swept);
    let until = later.into_iter().find(|time| *time > from)?;
    (from.age(until) > rules.away_after()).then_some(Gap { from, until })
}

/// Whether a check missed a pulse through this gap, by the clock, and has more time for the next one.
pub fn missed_through(gap: &Gap, record: &Record, now: Time) -> bool {
    let is_due = |limits: &Limits| record.pulse + limits.every() <= gap.until;
    spares(gap, record, now) && record.limits.as_ref().is_some_and(is_due)
}

/// Whether a check gets more time because of this gap.
pub fn spares(gap: &Gap, record: &Record, now: Time) -> bool {
    !matches!(record.state, State::Silent | State::Gone) && is_spared(record, std::slice::from_ref(gap), now)
}

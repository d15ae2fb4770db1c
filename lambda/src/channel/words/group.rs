//! What stands in one line: the entries of one kind about one host, or one entry about many or about us.

use std::collections::{BTreeMap, HashMap, HashSet};

use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::Fact;

use super::{check, kind};
use crate::outbox::entry::{Entry, What};

/// The entries of one line.
pub(super) struct Group<'a> {
    /// What they are, such as `DOWN`.
    pub(super) kind: &'static str,
    /// The host that they are about; `None` if they are about many or about us.
    pub(super) host: Option<&'a str>,
    /// At least one.
    pub(super) entries: Vec<&'a Entry>,
}

impl Group<'_> {
    /// Whether it says that many hosts went down.
    pub(super) fn is_wave(&self) -> bool {
        matches!(self.entries[0].what, What::Fact(Fact::ManyDown { .. }))
    }
}

/// Groups the entries by line, in the order of the message: a wave, what else concerns many or us, then what is worst;
/// of that, the hosts that changed least come first, so that a host with many changes hides no other.
pub(super) fn groups(entries: &[Entry]) -> Vec<Group<'_>> {
    let down: HashSet<_> = entries
        .iter()
        .filter_map(|entry| if let What::Fact(Fact::Down(down)) = &entry.what { Some(&down.check) } else { None })
        .collect();
    // Of a check that is down again, the end of the outage before is no news for people.
    let is_past = |entry: &&Entry| {
        matches!(&entry.what, What::Fact(Fact::Up { .. })) && check(entry).is_some_and(|check| down.contains(check))
    };
    let mut changes: HashMap<&str, usize> = HashMap::new();
    let mut places: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for entry in entries.iter().filter(|entry| !is_past(entry)) {
        let (kind, host) = (kind(entry), check(entry).map(CheckId::host));
        let Some(host) = host else {
            groups.push(Group { kind, host, entries: vec![entry] });
            continue;
        };
        *changes.entry(host).or_default() += 1;
        if let Some(&place) = places.get(&(rank(kind), host)) {
            groups[place].entries.push(entry);
        } else {
            places.insert((rank(kind), host), groups.len());
            groups.push(Group { kind, host: Some(host), entries: vec![entry] });
        }
    }
    // The order within is that of the entries: of a sweep, the store's key order.
    groups.sort_by_key(|group| match group.host {
        None => (usize::from(!group.is_wave()), 0),
        Some(host) => (rank(group.kind), changes[host]),
    });
    groups
}

/// How bad it is: the worst first. What concerns many or us comes before.
fn rank(kind: &str) -> usize {
    let kinds = ["DOWN", "STILL DOWN", "WAS DOWN", "UP", "GONE"];
    2 + kinds.iter().position(|known| *known == kind).unwrap_or(kinds.len())
}

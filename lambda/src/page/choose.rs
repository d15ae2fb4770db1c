//! What of a status is shown.

use std::collections::BTreeMap;

use pulse_echo_core::clock::Time;
use pulse_echo_core::status::{State, Status};
use pulse_echo_core::view::{Row, counts, worst_first};

use super::{CHECKS, CHECKS_OF_HOST, Count, HostCounts, Listed, Page, REST, Rest};

impl Page {
    /// What is shown of a status at `as_of`, the last sweep. `stopped` is since when the loop is stopped; `tick_s` is
    /// how often it means to sweep.
    pub fn of(status: &Status, as_of: Time, stopped: Option<Time>, tick_s: u32) -> Self {
        let rows = worst_first(status, as_of);
        let (mut chosen, mut rest) = (Vec::new(), Vec::new());
        let mut of_host: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &rows {
            let host = row.id.host();
            if chosen.len() < CHECKS && of_host.get(host).is_none_or(|count| *count < CHECKS_OF_HOST) {
                *of_host.entry(host).or_default() += 1;
                chosen.push(listed(row));
            } else {
                rest.push(row);
            }
        }
        Self {
            as_of,
            tick_s,
            stopped,
            counts: counts(&rows),
            hosts: HostCounts::of(&rows),
            listed: chosen,
            rest: Rest::of(rest, |host| of_host.contains_key(host)),
            unfiled: status.unfiled.clone(),
        }
    }
}

impl Rest {
    /// Counts these checks by host. Of the hosts it keeps those that the page needs: in a large fleet, all names take
    /// as much memory as all else here.
    fn of(mut rows: Vec<&Row>, is_listed: impl Fn(&str) -> bool) -> Self {
        let mut rest = Self::default();
        let mut bytes = 0;
        for rows in by_host(&mut rows) {
            let host = rows[0].id.host();
            let mut count = Count::default();
            for row in rows {
                count.add(row);
            }
            if bytes < REST || is_listed(host) {
                bytes += host.len();
                rest.hosts.insert(host.into(), count);
            } else {
                rest.others += 1;
                rest.of_others += count;
            }
        }
        rest
    }
}

/// The checks of each host, in order. A map of the hosts would take far more memory.
fn by_host<'s, 'a, 'r>(rows: &'s mut [&'a Row<'r>]) -> impl Iterator<Item = &'s [&'a Row<'r>]> {
    // Most come in the order of their keys, which a stable sort makes use of.
    rows.sort_by_key(|row| row.id.host());
    rows.chunk_by(|one, other| one.id.host() == other.id.host())
}

fn listed(row: &Row) -> Listed {
    let (mute, ack) = (row.mute.cloned(), row.ack.cloned());
    Listed { id: row.id.clone(), record: row.record.clone(), is_late: row.is_late, mute, ack }
}

impl HostCounts {
    fn of(rows: &[Row]) -> Self {
        /// Of a host: whether a check is down, whether one is down and muted, whether all are up.
        type Seen = (bool, bool, bool);
        let seen = |rows: &[&Row]| {
            let down = rows.iter().any(|row| row.is_told_down());
            let muted = rows.iter().any(|row| row.record.state.is_down() && row.mute.is_some());
            (down, muted, rows.iter().all(|row| row.record.state == State::Up))
        };
        let mut rows: Vec<_> = rows.iter().filter(|row| row.record.state != State::Gone).collect();
        let hosts: Vec<Seen> = by_host(&mut rows).map(seen).collect();
        let count = |fits: fn(&Seen) -> bool| hosts.iter().filter(|seen| fits(seen)).count();
        Self {
            all: hosts.len(),
            down: count(|(down, ..)| *down),
            muted: count(|(down, muted, _)| *muted && !down),
            up: count(|(.., up)| *up),
        }
    }
}

//! What of a status is shown.

use std::collections::BTreeMap;

use pulse_echo_core::clock::Time;
use pulse_echo_core::status::{State, Status};
use pulse_echo_core::view::{Row, counts, worst_first};

use super::{CHECKS, CHECKS_OF_HOST, HostCounts, Listed, Page, Rest};

impl Page {
    /// What is shown of a status at `as_of`, the last sweep. `stopped` is since when the loop is stopped; `tick_s` is
    /// how often it means to sweep.
    pub fn of(status: &Status, as_of: Time, stopped: Option<Time>, tick_s: u32) -> Self {
        let rows = worst_first(status, as_of);
        let (mut chosen, mut rest) = (Vec::new(), Rest::default());
        let mut of_host: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &rows {
            let count = of_host.entry(row.id.host()).or_default();
            if chosen.len() < CHECKS && *count < CHECKS_OF_HOST {
                *count += 1;
                chosen.push(listed(row));
            } else {
                rest.add(row);
            }
        }
        Self {
            as_of,
            tick_s,
            stopped,
            counts: counts(&rows),
            hosts: HostCounts::of(&rows),
            listed: chosen,
            rest,
            unfiled: status.unfiled.clone(),
        }
    }
}

fn listed(row: &Row) -> Listed {
    let (mute, ack) = (row.mute.cloned(), row.ack.cloned());
    Listed { id: row.id.clone(), record: row.record.clone(), is_late: row.is_late, mute, ack }
}

impl HostCounts {
    fn of(rows: &[Row]) -> Self {
        /// Of a host: whether a check is down, whether one is down and muted, whether all are up.
        type Seen = (bool, bool, bool);
        let mut hosts: BTreeMap<&str, Seen> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.record.state != State::Gone) {
            let (down, muted, up) = hosts.entry(row.id.host()).or_insert((false, false, true));
            *down |= row.is_told_down();
            *muted |= row.record.state.is_down() && row.mute.is_some();
            *up &= row.record.state == State::Up;
        }
        let count = |fits: fn(&Seen) -> bool| hosts.values().filter(|seen| fits(seen)).count();
        Self {
            all: hosts.len(),
            down: count(|(down, ..)| *down),
            muted: count(|(down, muted, _)| *muted && !down),
            up: count(|(.., up)| *up),
        }
    }
}

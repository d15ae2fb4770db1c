//! What only all checks together tell.

use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::status::{Gap, Record, State};

use super::is_spared;
use crate::rules::Rules;

/// Changes within this time count as one event.
const TOGETHER: Duration = Duration::from_secs(15 * 60);

/// Whether `some` of `all` counts as many.
fn are_many(some: usize, all: usize) -> bool {
    some >= 10 && some * 4 >= all
}

/// Whether the checks that are to be gone in this sweep vanish together with many others: then somebody has emptied the
/// store, rather than retired its hosts. `checks` are all records with whether there is a pulse now.
pub fn vanish_with_many<'a>(checks: impl Iterator<Item = (Option<&'a Record>, bool)>, now: Time) -> bool {
    let (mut vanished, mut all) = (0, 0);
    for (record, has_pulse) in checks {
        let is_gone = record.is_some_and(|record| record.state == State::Gone) && !has_pulse;
        let just_gone = is_gone && record.is_some_and(|record| record.since.age(now) <= TOGETHER);
        let again_missing = !has_pulse && record.is_some_and(|record| record.missing.is_some());
        vanished += usize::from(just_gone || again_missing);
        all += usize::from(just_gone || !is_gone);
    }
    are_many(vanished, all) || (vanished == all && all >= 2)
}

/// The checks that went down within a quarter of an hour and were told, if they are many: they, and the number of all
/// checks.
pub fn many_down<'a>(records: impl Iterator<Item = &'a Record>, now: Time) -> Option<(Vec<&'a Record>, usize)> {
    let (mut down, mut all) = (Vec::new(), 0);
    for record in records.filter(|record| record.state != State::Gone) {
        all += 1;
        let told = record.outage.as_ref().filter(|outage| outage.told.is_some());
        if told.is_some_and(|outage| outage.noticed.age(now) <= TOGETHER) {
            down.push(record);
        }
    }
    are_many(down.len(), all).then_some((down, all))
}

/// The time after the last completed sweep in which no pulse came, if that is so long that the store was away. `pulses`
/// are the times of all pulses.
pub fn gap(swept: Option<Time>, pulses: impl Iterator<Item = Time>, now: Time, rules: &Rules) -> Option<Gap> {
    let from = swept?;
    let until = pulses.filter(|&pulse| pulse > from).min().unwrap_or(now);
    (from.age(until) > rules.away_after()).then_some(Gap { from, until })
}

/// Whether a check is given more time since the store was away when its pulse was due.
pub fn spares(gap: &Gap, record: &Record, now: Time) -> bool {
    !matches!(record.state, State::Silent | State::Gone) && is_spared(record, std::slice::from_ref(gap), now)
}

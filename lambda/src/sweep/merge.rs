//! The walk over the lists and the records, all in key order, side by side.

mod bound;

use std::collections::BTreeMap;
use std::iter::Peekable;

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::Record;

use super::lists::{Cut, Folder, Found, Lists};
use crate::round::Case;
use crate::verdict::{Listed, Observation};
use pulse_echo_core::text::line;

/// How much of a key a line of the log shows, in bytes.
const ROOM: usize = 200;

/// All that there is to judge.
pub(super) struct Merged {
    /// Who has a pulse, or a record, in key order.
    pub(super) cases: Vec<Case>,
    /// How many keys in `pulse/` are nobody's pulse.
    pub(super) skipped: usize,
    /// The hosts with more names than are read or recorded, and how many of their pulses were seen.
    pub(super) crowded: BTreeMap<String, usize>,
}

/// Brings all checks together. Answers that belong to none are passed by. A host has at most `most` records.
pub(super) fn merge(lists: Lists, records: BTreeMap<CheckId, Record>, most: usize) -> Merged {
    let Lists { retired: Folder { found: notes, cut: cut_notes }, pulses, echoes, faults, .. } = lists;
    let (Folder { found: pulses, cut: cut_pulses }, notes) = (pulses, Notes(notes));
    let (Folder { found: echoes, cut: cut_echoes }, Folder { found: faults, cut: cut_faults }) = (echoes, faults);
    let mut skipped = 0;
    let checked = |found: Found| match CheckId::from_pulse_key(&format!("pulse/{}", found.rest)) {
        Ok(id) => Some((id, found.listed)),
        Err(why) => {
            // The first of them: a thousand lines would say no more.
            if skipped == 0 {
                log::warn!(
                    "skipped the key pulse/{}, and all others that are no better: {why}",
                    line(&found.rest, ROOM)
                );
            }
            skipped += 1;
            None
        }
    };
    let mut cases = Vec::with_capacity(pulses.len().max(records.len()));
    let mut pulses = pulses.into_iter().filter_map(checked).peekable();
    let mut records = records.into_iter().peekable();
    let (mut echoes, mut faults) = (echoes.into_iter().peekable(), faults.into_iter().peekable());
    while let Some(id) = first(pulses.peek(), records.peek()) {
        let pulse = pulses.next_if(|(of, _)| *of == id).map(|(_, seen)| seen);
        let record = records.next_if(|(of, _)| *of == id).map(|(_, record)| record);
        let echo = at(&mut echoes, &id).map(|seen| seen.at);
        let fault = at(&mut faults, &id);
        let retired = notes.of_check(&id);
        // A note tells why a pulse is missing, and nothing else.
        let is_hidden = [&cut_pulses, &cut_echoes, &cut_faults].iter().any(|cut| cut.may_hide(&id))
            || (pulse.is_none() && cut_notes.may_hide(&id));
        let observation = Observation { pulse, echo, fault, retired, is_hidden, ..Observation::default() };
        cases.push(Case { id, record, observation });
    }
    drop(pulses);
    let cut = [&cut_pulses, &cut_echoes, &cut_faults, &cut_notes].into_iter().flat_map(Cut::hosts);
    let crowded = bound::bound(&mut cases, cut, most);
    Merged { cases, skipped, crowded }
}

/// The notes of `retire`, in key order.
struct Notes(Vec<Found>);

impl Notes {
    /// The newest note that speaks for a check: its own, or its host's.
    fn of_check(&self, id: &CheckId) -> Option<Time> {
        // Most fleets have no note, and this is asked of each check.
        if self.0.is_empty() {
            return None;
        }
        let at = |id: &str| {
            let place = self.0.binary_search_by(|found| found.rest.as_str().cmp(id)).ok()?;
            Some(self.0[place].listed.at)
        };
        at(id.as_str()).max(at(id.default_of_host().as_str()))
    }
}

/// The first of two checks.
fn first<A, B>(a: Option<&(CheckId, A)>, b: Option<&(CheckId, B)>) -> Option<CheckId> {
    match (a, b) {
        (Some((a, _)), Some((b, _))) => Some(a.min(b).clone()),
        (Some((id, _)), None) | (None, Some((id, _))) => Some(id.clone()),
        (None, None) => None,
    }
}

/// The check's own object in a list, whose objects before it are passed by.
fn at(list: &mut Peekable<impl Iterator<Item = Found>>, id: &CheckId) -> Option<Listed> {
    while list.next_if(|found| found.rest.as_str() < id.as_str()).is_some() {}
    list.next_if(|found| found.rest == id.as_str()).map(|found| found.listed)
}

#[cfg(test)]
mod tests;

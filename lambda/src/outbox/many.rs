//! Messages about many checks at once, and about our own parts.

use std::collections::BTreeMap;

use pulse_echo_core::answer::Cause;
use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Fact, Message, Record, State, Status, Unanswered};

use super::Teller;
use super::entry::ENTRIES;

/// How many checks are named if there are too many.
const MOST_NAMED: usize = 10;

impl Teller<'_> {
    /// Tells once that the loop has been stopped since `stopped`, or that it runs again.
    pub fn tell_stopped(&mut self, known: &mut Option<Time>, stopped: Option<Time>) {
        match (*known, stopped) {
            (None, Some(at)) => self.tell(Fact::Stopped { at }),
            (Some(stopped), None) => self.tell(Fact::Started { stopped }),
            // Stopped again, or still.
            _ => {}
        }
        *known = stopped;
    }

    /// Tells of checks without answers as one outage: our probe's. `checks` are the checks that are `unanswered` now,
    /// and whether each is muted.
    pub fn tell_unanswered(&mut self, known: &mut Option<Unanswered>, checks: &[(&CheckId, &Record, bool)]) {
        let Some(since) = checks.iter().map(|(_, record, _)| record.since).min() else {
            if let Some(Unanswered { since, checks, hosts, told: Some(_), .. }) = known.take() {
                self.tell(Fact::Answered { since, until: self.now, checks, hosts });
            }
            return;
        };
        let outage =
            known.get_or_insert(Unanswered { since, checks: 0, hosts: 0, told_hosts: 0, none_since: None, told: None });
        outage.checks = outage.checks.max(checks.len());
        let audible: Vec<_> = checks.iter().filter(|(_, _, is_muted)| !is_muted).map(|(id, _, _)| *id).collect();
        if audible.is_empty() {
            return;
        }
        let first = outage.told.as_ref().map(|told| told.at);
        let is_due = match &mut outage.told {
            Some(told) => self.is_due(told),
            None => true,
        };
        if is_due {
            let some = first_ten(audible.iter().copied());
            self.tell(Fact::Unanswered { since: outage.since, checks: audible.len(), hosts: 0, some, told: first });
            outage.told.get_or_insert(self.first_told(None));
        }
    }
}

/// The fact that these checks went down together, with what most of them have in common.
pub fn fact_of(down: &[&Record], of: usize) -> Fact {
    let mut alike: BTreeMap<(State, Option<Cause>), usize> = BTreeMap::new();
    for record in down {
        *alike.entry((record.state, record.cause())).or_default() += 1;
    }
    let commonest = alike.into_iter().max_by_key(|&(_, checks)| checks);
    let ((state, cause), alike) = commonest.expect("many are not none");
    Fact::ManyDown { down: down.len(), of, hosts: 0, of_hosts: 0, state, cause, alike, alike_hosts: 0 }
}

/// The first ten of these checks, for a fact about many.
pub fn first_ten<'a>(checks: impl Iterator<Item = &'a CheckId>) -> Vec<CheckId> {
    checks.take(MOST_NAMED).cloned().collect()
}

/// Shortens a sweep's messages if they are too many to be sent one by one. They are then sent as a summary that counts.
/// So nobody waits for the last words of thousands, and `status.json` does not hold their reasons twice.
pub fn shorten(messages: &mut [Message]) {
    if messages.len() <= ENTRIES {
        return;
    }
    for message in messages {
        message.waits = false;
        match &mut message.fact {
            Fact::Down(down) | Fact::StillDown { down, .. } => down.reason = None,
            Fact::Up { reason, .. } => *reason = None,
            _ => {}
        }
    }
}

/// Strikes off what channels owe that no longer exist. Returns whether they owed anything.
pub fn forget_channels(status: &mut Status, is_there: impl Fn(&str) -> bool) -> bool {
    let owing = status.outbox.iter().flat_map(|message| &message.owed).chain(status.channels.keys());
    if owing.into_iter().all(|channel| is_there(channel)) {
        return false;
    }
    for message in &mut status.outbox {
        message.owed.retain(|channel| is_there(channel));
    }
    status.outbox.retain(|message| !message.owed.is_empty());
    status.channels.retain(|channel, _| is_there(channel));
    true
}

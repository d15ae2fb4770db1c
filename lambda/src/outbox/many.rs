//! Messages about many checks at once, and about our own parts.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Fact, ManyTold, Message, Record, Status, Unanswered, Vanished};

use super::entry::{ENTRIES, MOST_NAMED};
use super::{Course, Teller};
use crate::verdict::wave::{Wave, label};

/// For so long no check must have been `unanswered` until that is over.
const CALM: Duration = Duration::from_secs(15 * 60);

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
    /// and whether each is muted. It is told again when the number of hosts has doubled, and it is over when no check
    /// was `unanswered` for a while.
    pub fn tell_unanswered(&mut self, known: &mut Option<Unanswered>, checks: &[(&CheckId, &Record, bool)]) {
        let Some(since) = checks.iter().map(|(_, record, _)| record.since).min() else {
            self.tell_answered(known);
            return;
        };
        let new = Unanswered { since, checks: 0, hosts: 0, told_hosts: 0, none_since: None, told: None };
        let outage = known.get_or_insert(new);
        outage.none_since = None;
        outage.checks = outage.checks.max(checks.len());
        outage.hosts = outage.hosts.max(hosts(checks.iter().map(|(id, ..)| *id)));
        let audible: Vec<_> = checks.iter().filter(|(_, _, is_muted)| !is_muted).map(|(id, _, _)| *id).collect();
        if audible.is_empty() {
            return;
        }
        let hosts = hosts(audible.iter().copied());
        let first = outage.told.as_ref().map(|told| told.at);
        let has_doubled = outage.told_hosts > 0 && hosts >= 2 * outage.told_hosts;
        let is_due = match &mut outage.told {
            Some(told) => self.is_due(told) || has_doubled,
            None => true,
        };
        if is_due || outage.told_hosts == 0 {
            outage.told_hosts = hosts;
        }
        if is_due {
            let (since, some) = (outage.since, first_ten(audible.iter().copied()));
            self.tell(Fact::Unanswered { since, checks: audible.len(), hosts, some, told: first });
            outage.told.get_or_insert(self.first_told(None));
        }
    }

    fn tell_answered(&mut self, known: &mut Option<Unanswered>) {
        let now = self.now;
        let Some(outage) = known else { return };
        if outage.none_since.get_or_insert(now).age(now) < CALM {
            return;
        }
        if let Some(Unanswered { since, checks, hosts, none_since, told: Some(_), .. }) = known.take() {
            self.tell(Fact::Answered { since, until: none_since.unwrap_or(now), checks, hosts });
        }
    }

    /// Tells of hosts whose pulses vanished together: once, again when their number has doubled, and when none is
    /// missing any more. `missing` are their checks, and whether each is muted; `of` are all checks.
    pub fn tell_vanished(
        &mut self,
        known: &mut Option<Vanished>,
        missing: &[(&CheckId, bool)],
        of: impl Fn() -> (usize, usize),
    ) {
        let now = self.now;
        if missing.is_empty() {
            if let Some(Vanished { since, checks, hosts, .. }) = known.take() {
                self.tell(Fact::Found { since, until: now, checks, hosts });
            }
            return;
        }
        let audible = || missing.iter().filter(|(_, is_muted)| !is_muted).map(|(id, _)| *id);
        let (checks, hosts) = (audible().count(), hosts(audible()));
        let is_due = match known {
            None => hosts > 0,
            Some(known) => hosts >= 2 * known.told_hosts,
        };
        if is_due {
            let (of, of_hosts) = of();
            self.tell(Fact::Vanished { checks, of, hosts, of_hosts, some: first_ten(audible()) });
            known.get_or_insert(Vanished { since: now, checks, hosts, told_hosts: hosts }).told_hosts = hosts;
        }
        if let Some(known) = known {
            (known.checks, known.hosts) = (known.checks.max(checks), known.hosts.max(hosts));
        }
    }

    /// Tells that many hosts went down at once, to the channels of `tells_down`, which are told a host down: again when
    /// they are twice as many, or a cause leads that was not told yet. It is forgotten when half of them, or fewer, are
    /// `left`: fewer than are many may be left of it, so that one host that comes and goes does not make the wave again
    /// and again.
    pub fn tell_many_down(
        &mut self,
        status: &mut Status,
        (left, wave): (usize, Option<&Wave>),
        tells_down: BTreeSet<String>,
    ) {
        if status.many_told.as_ref().map_or(left == 0, |told| left * 2 <= told.hosts) {
            status.many_told = None;
            status.many_down = None;
        }
        let Some(wave) = wave else { return };
        let (hosts, cause) = (wave.hosts, label(wave.why));
        if status.many_down.is_some() && status.many_told.is_none() {
            // A loop that knew no hosts has told it.
            status.many_told = Some(ManyTold { hosts, causes: vec![cause] });
            return;
        }
        let told = status.many_told.get_or_insert_default();
        let is_news = hosts >= 2 * told.hosts || !told.causes.contains(&cause);
        if !tells_down.is_empty() && is_news {
            told.hosts = hosts;
            if !told.causes.contains(&cause) {
                told.causes.push(cause);
            }
            status.many_down = Some(self.now);
            self.tell_to(tells_down, fact_of(wave), Course::default());
        } else if status.many_down.is_none() {
            status.many_told = None;
        }
    }
}

/// The fact that these hosts went down together.
fn fact_of(wave: &Wave) -> Fact {
    let Wave { hosts, of_hosts, checks, of, why: (state, cause), alike_hosts, alike } = *wave;
    Fact::ManyDown { down: checks, of, hosts, of_hosts, state, cause, alike, alike_hosts }
}

/// How many hosts these checks belong to.
pub fn hosts<'a>(checks: impl Iterator<Item = &'a CheckId>) -> usize {
    checks.map(CheckId::host).collect::<HashSet<_>>().len()
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
            Fact::Up { reason, still, ack, .. } => (*reason, *still, *ack) = (None, None, None),
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

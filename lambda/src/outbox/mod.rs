//! The outbox: the messages that are owed, as pure functions of what changed.
//!
//! - here: what is told of one check; `flaps`: a check that is not steady; [`noise`]: a host that is told of too often;
//! - [`many`]: what is told of many, and of us; `set_back`: of the store's clock;
//! - [`attempt`]: what a channel is sent of it; [`settle`]: what is struck off after; [`owed`]: how long it has waited;
//! - [`growth`]: what becomes of it where there is too much; `trouble`: channels that take nothing;
//! - [`entry`]: how both are put to a channel.

pub mod attempt;
mod crowded;
pub mod entry;
mod flaps;
pub mod growth;
pub mod many;
pub mod noise;
pub mod owed;
mod set_back;
pub mod settle;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::BTreeSet;
use std::time::Duration;

use pulse_echo_core::answer::Cause;
use pulse_echo_core::clock::Time;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Acked, Down, Ended, Fact, Message, Outage, Record, State, Telling, Told};

use crate::rules::Rules;

/// The cause with which a silence is told.
const SILENT: &str = "silent";

/// The longest time between two reminders.
const DAY_S: u64 = 24 * 3600;

/// Makes new messages. All messages of a sweep have its time, and the same channels owe them.
pub struct Teller<'a> {
    /// The sweep's time.
    pub now: Time,
    /// The operator's rules.
    pub rules: &'a Rules,
    /// The names of all channels. Without channels nothing is owed, and so nothing is kept.
    pub channels: &'a BTreeSet<String>,
    /// A new random id at each call.
    pub new_id: &'a mut dyn FnMut() -> String,
    /// The messages so far, in order.
    pub messages: Vec<Message>,
}

/// A check before and after a sweep.
pub struct Change<'a> {
    /// The check.
    pub id: &'a CheckId,
    /// Its record before; `None` if it is new.
    pub before: Option<&'a Record>,
    /// Whether it is muted now.
    pub is_muted: bool,
    /// Whether its host is noisy and must wait until it is told of again.
    pub is_held: bool,
    /// The acknowledgement of the outage that lasted before.
    pub ack: Option<&'a Acked>,
}

impl Teller<'_> {
    /// Adds a message with this fact to what is owed.
    pub fn tell(&mut self, fact: Fact) {
        if !self.channels.is_empty() {
            let (id, owed) = ((self.new_id)(), self.channels.clone());
            let waits = wants_words(&fact);
            self.messages.push(Message { waits, ..Message::new(id, self.now, owed, fact) });
        }
    }

    /// Counts the messages by host, if they are too many.
    pub fn keep_few(&mut self) {
        growth::count_all(&mut self.messages, self.new_id);
    }

    /// Takes the messages out.
    pub fn take_messages(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.messages)
    }

    /// Tells the news about a check whose record is now `after`, and notes in it what was told and what is held back.
    pub fn tell_check(&mut self, change: &Change, after: &mut Record) {
        let before = change.before.and_then(|record| record.outage.as_deref());
        let mut outage = after.outage.take();
        let mut telling = after.telling.take().map(|telling| *telling).unwrap_or_default();
        let steady = flaps::note_change(&mut telling, before.is_some(), outage.is_some(), after, self.now);
        let lasts = outage.as_deref();
        let is_held = change.is_held || flaps::holds(&telling, lasts.or(before), after, self.now);
        let ended = if lasts.is_none() { ended(change, before, after) } else { None };
        if is_held {
            telling.held = held(telling.held.take(), ended).map(Box::new);
        } else {
            for ended in telling.held.take().map(|held| *held).into_iter().chain(ended) {
                self.tell_end(change, ended, steady, after);
            }
            if let Some(outage) = outage.as_deref_mut().filter(|_| !change.is_muted) {
                self.tell_outage(change, after, outage, &mut telling);
            }
            self.tell_new(change, after);
        }
        after.outage = outage;
        after.telling = Some(Box::new(telling)).filter(|telling| **telling != Telling::default());
    }

    /// Tells a new check, if that is asked for.
    fn tell_new(&mut self, change: &Change, after: &Record) {
        let was_there = change.before.is_some_and(|record| record.state != State::Gone);
        if self.rules.tell_new && !was_there && after.state != State::Gone && !change.is_muted {
            self.tell(Fact::New { check: change.id.clone() });
        }
    }

    /// Tells an outage that lasts: first when it is not muted, again when a reminder is due or the cause is new. Of an
    /// outage that is acknowledged there are no reminders, but a new cause is news.
    fn tell_outage(&mut self, change: &Change, record: &Record, outage: &mut Outage, telling: &mut Telling) {
        let cause = cause(record);
        let flapped = telling.flaps.is_some();
        let Some(told) = &mut outage.told else {
            let flaps = flaps::note_down(telling, outage, record, self.now);
            self.tell(Fact::Down(Down { flaps, ..down(change, record, outage.since) }));
            outage.told = Some(Told { anyway: flapped, ..self.first_told(cause) });
            return;
        };
        let is_new = cause.filter(|cause| !told.causes.contains(cause));
        let changed = is_new.is_some() && !told.causes.is_empty();
        // A check that was told silent and fails again sends again, which is news, once.
        let back =
            record.state == State::Failing && !told.back && told.causes.last().is_some_and(|last| last == SILENT);
        if back {
            told.back = true;
            told.causes.retain(|cause| cause != SILENT);
        }
        told.causes.extend(is_new);
        if told.causes.is_empty() && back {
            told.causes.push(Cause::Other.to_string());
        }
        if changed {
            told.changed = Some(self.now);
        }
        if let Some(flaps) = &mut telling.flaps {
            flaps.silence |= changed && record.state == State::Silent;
        }
        if changed || back || (change.ack.is_none() && self.is_due(told)) {
            let first = told.at;
            let down = down(change, record, outage.since);
            self.tell(Fact::StillDown { down, told: first, changed: changed || back, back });
        }
    }

    /// Tells the end of an outage that was told, or of a check. This is told even if the check is muted (the message is
    /// then held).
    fn tell_end(&mut self, change: &Change, ended: Ended, steady: Option<Time>, after: &Record) {
        let (check, Ended { since, until, was, cause, reason, ack }) = (change.id.clone(), ended);
        match (was, since) {
            (State::Gone, None) if after.state != State::Gone => {}
            (State::Gone, _) => self.tell(Fact::Gone { check, pulse: after.pulse, since, retired: after.retired }),
            (_, since) => {
                let since = since.unwrap_or(until);
                self.tell(Fact::Up { check, since, until, was, cause, reason, steady, still: None, ack });
            }
        }
    }

    /// The note of something that is told for the first time.
    fn first_told(&self, cause: Option<String>) -> Told {
        let step_s = u64::from(self.rules.remind_s);
        Told {
            at: self.now,
            next: self.now + Duration::from_secs(step_s),
            step_s,
            causes: cause.into_iter().collect(),
            changed: None,
            back: false,
            anyway: false,
        }
    }

    /// Whether a reminder is due. If it is, the next one is scheduled.
    fn is_due(&self, told: &mut Told) -> bool {
        let is_due = self.now >= told.next;
        if is_due {
            told.step_s = (told.step_s * 2).min(DAY_S).max(told.step_s);
            told.next = self.now + Duration::from_secs(told.step_s);
        }
        is_due
    }
}

/// What has ended in this sweep and is to be told: an outage that was told, or a check. A check that is retired while
/// it is muted is told only if that ends an outage that was told.
fn ended(change: &Change, outage: Option<&Outage>, after: &Record) -> Option<Ended> {
    let told = outage.filter(|outage| outage.told.is_some());
    let was_gone = change.before.is_some_and(|record| record.state == State::Gone);
    if after.state == State::Gone {
        let is_told = !was_gone && (told.is_some() || !change.is_muted);
        let since = told.map(|outage| outage.since);
        let ended = Ended { since, until: after.since, was: State::Gone, cause: None, reason: None, ack: None };
        return is_told.then_some(ended);
    }
    let (told, last) = told.zip(change.before)?;
    let (since, was, cause) = (Some(told.since), last.state, last.cause());
    let ack = change.ack.map(|ack| ack.word.clone());
    Some(Ended { since, until: after.since, was, cause, reason: last.reason().map(String::from), ack })
}

/// What is held back: the newest end. A check that goes closes the outage whose end was held before.
fn held(before: Option<Box<Ended>>, ended: Option<Ended>) -> Option<Ended> {
    match (before.map(|before| *before), ended) {
        (Some(before), Some(ended)) => Some(Ended { since: ended.since.or(before.since), ..ended }),
        (before, ended) => ended.or(before),
    }
}

/// The facts about a check that is down, without the last words of its host.
fn down(change: &Change, record: &Record, since: Time) -> Down {
    Down {
        check: change.id.clone(),
        since,
        state: record.state,
        pulse: record.pulse,
        limit_s: record.limits.as_ref().map(|limits| limits.limit_s),
        cause: record.cause(),
        reason: record.reason().map(String::from),
        echo: record.echo,
        words: Metadata::new(),
        // Known when all are judged.
        others: 0,
        other_hosts: 0,
        state_since: Some(record.since).filter(|&at| at != since),
        began: began(record, since).filter(|&began| began != record.state),
        flaps: false,
    }
}

/// The state in which the outage of this time began, as far as it is remembered.
fn began(record: &Record, since: Time) -> Option<State> {
    record.history.iter().rev().find(|change| change.at == since && change.state.is_down()).map(|change| change.state)
}

/// The cause that an outage is told with; `None` if it is unknown, or our own trouble.
fn cause(record: &Record) -> Option<String> {
    match record.state {
        State::Failing => record.cause().map(|cause| cause.to_string()),
        State::Silent => Some(SILENT.into()),
        State::New | State::Up | State::Unanswered | State::Gone => None,
    }
}

/// Whether a message should wait for the last words of a host.
fn wants_words(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Down(down) | Fact::StillDown { down, changed: true, .. } if down.state == State::Silent
    )
}

/// The checks with messages that wait for last words.
pub fn words_wanted(outbox: &[Message]) -> BTreeSet<CheckId> {
    outbox.iter().filter(|message| message.waits).filter_map(|message| message.fact.check().cloned()).collect()
}

/// Among last words: the host under whose name the same machine sends now. No metadata of a pulse is kept by this name.
pub const NOW_AS: &str = "now-as";

/// Adds this check's last words to the messages that wait for them.
pub fn give_words(outbox: &mut [Message], id: &CheckId, words: &Metadata) {
    for message in outbox.iter_mut().filter(|message| message.waits && message.fact.check() == Some(id)) {
        if let Fact::Down(down) | Fact::StillDown { down, .. } = &mut message.fact {
            down.words.clone_from(words);
            message.waits = false;
        }
    }
}

//! The outbox: the messages that are owed, as pure functions of what changed.
//!
//! - here: what is told of one check; [`many`]: what is told of many, and of us;
//! - [`attempt`]: what a channel is sent of it, and what is struck off after; [`owed`]: how long it has waited;
//! - [`entry`]: how both are put to a channel.

pub mod attempt;
mod crowded;
pub mod entry;
pub mod many;
pub mod owed;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Down, Fact, Message, Outage, Record, State, Told};

use crate::rules::Rules;

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
    /// How many other checks are down now.
    pub others: usize,
}

impl Teller<'_> {
    /// Adds a message with this fact to what is owed.
    pub fn tell(&mut self, fact: Fact) {
        if !self.channels.is_empty() {
            let (id, owed) = ((self.new_id)(), self.channels.clone());
            self.messages.push(Message { id, at: self.now, owed, waits: wants_words(&fact), fact });
        }
    }

    /// Takes the messages out.
    pub fn take_messages(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.messages)
    }

    /// Tells the news about a check whose record is now `after`, and notes in it what was told.
    pub fn tell_check(&mut self, change: &Change, after: &mut Record) {
        let outage_before = change.before.and_then(|record| record.outage.as_ref());
        match (outage_before, &mut after.outage) {
            (_, Some(outage)) if !change.is_muted => {
                let mut outage = outage.clone();
                self.tell_outage(change, after, &mut outage);
                after.outage = Some(outage);
            }
            (Some(ended), None) if after.state != State::Gone => self.tell_end(change, ended, after),
            _ => {}
        }
        let was_gone = change.before.is_some_and(|record| record.state == State::Gone);
        if after.state == State::Gone && !was_gone {
            let since = outage_before.filter(|outage| outage.told.is_some()).map(|outage| outage.since);
            // A check that is retired while it is muted is told only if that ends an outage that was told.
            if since.is_some() || !change.is_muted {
                self.tell(Fact::Gone { check: change.id.clone(), pulse: after.pulse, since });
            }
        }
    }

    /// Tells an outage that lasts: first when it is not muted, again when a reminder is due or the cause is new.
    fn tell_outage(&mut self, change: &Change, record: &Record, outage: &mut Outage) {
        let cause = cause(record);
        let Some(told) = &mut outage.told else {
            self.tell(Fact::Down(down(change, record, outage.since)));
            outage.told = Some(self.first_told(cause));
            return;
        };
        let is_new = cause.filter(|cause| !told.causes.contains(cause));
        let changed = is_new.is_some() && !told.causes.is_empty();
        told.causes.extend(is_new);
        if changed || self.is_due(told) {
            let first = told.at;
            let down = down(change, record, outage.since);
            self.tell(Fact::StillDown { down, told: first, changed });
        }
    }

    /// Tells that an echo has ended an outage. This is told even if the check is muted (the message is then held),
    /// unless the outage itself was never told.
    fn tell_end(&mut self, change: &Change, ended: &Outage, after: &Record) {
        if ended.told.is_none() {
            return;
        }
        let last = change.before.expect("its outage was in its record");
        self.tell(Fact::Up {
            check: change.id.clone(),
            since: ended.since,
            until: after.since,
            was: last.state,
            cause: last.cause(),
            reason: reason(last),
        });
    }

    /// The note of something that is told for the first time.
    fn first_told(&self, cause: Option<String>) -> Told {
        let step_s = u64::from(self.rules.remind_s);
        Told { at: self.now, next: self.now + Duration::from_secs(step_s), step_s, causes: cause.into_iter().collect() }
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

/// The facts about a check that is down, without the last words of its host.
fn down(change: &Change, record: &Record, since: Time) -> Down {
    Down {
        check: change.id.clone(),
        since,
        state: record.state,
        pulse: record.pulse,
        limit_s: record.limits.as_ref().map(|limits| limits.limit_s),
        cause: record.cause(),
        reason: reason(record),
        echo: record.echo,
        words: Metadata::new(),
        others: change.others,
    }
}

/// The cause that an outage is told with; `None` if it is unknown, or our own trouble.
fn cause(record: &Record) -> Option<String> {
    match record.state {
        State::Failing => record.cause().map(|cause| cause.to_string()),
        State::Silent => Some(State::Silent.to_string()),
        State::New | State::Up | State::Unanswered | State::Gone => None,
    }
}

fn reason(record: &Record) -> Option<String> {
    record.fault.as_ref().filter(|_| record.state == State::Failing)?.reason.clone()
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

/// Adds this check's last words to the messages that wait for them.
pub fn give_words(outbox: &mut [Message], id: &CheckId, words: &Metadata) {
    for message in outbox.iter_mut().filter(|message| message.waits && message.fact.check() == Some(id)) {
        if let Fact::Down(down) | Fact::StillDown { down, .. } = &mut message.fact {
            down.words.clone_from(words);
            message.waits = false;
        }
    }
}

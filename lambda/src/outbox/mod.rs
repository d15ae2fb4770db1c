//! The outbox: the messages that are owed, as pure functions of what changed.
//!
//! - [`audience`]: who is told of what;
//! - here: what is told of one check; `flaps`: a check that is not steady; [`noise`]: a host that is told of too often;
//! - [`many`]: what is told of many, and of us; `set_back`: of the store's clock;
//! - [`attempt`]: what a channel is sent of it; [`settle`]: what is struck off after; [`owed`]: how long it has waited;
//! - [`growth`]: what becomes of it where there is too much; `trouble`: channels that take nothing;
//! - [`entry`]: how both are put to a channel.

pub mod attempt;
pub mod audience;
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
use audience::{Audiences, Kind};

/// The cause with which a silence is told.
const SILENT: &str = "silent";

/// The longest time between two reminders.
const DAY_S: u64 = 24 * 3600;

/// Makes new messages. All messages of a sweep have its time.
pub struct Teller<'a> {
    /// The sweep's time.
    pub now: Time,
    /// The operator's rules.
    pub rules: &'a Rules,
    /// All channels, and what each takes. What no channel takes is not kept.
    pub channels: &'a Audiences,
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
    /// When the outage of its host began, if another of its checks was told down and still is.
    pub host_since: Option<Time>,
}

/// What a message has beside its fact, for receivers that keep an outage as one thing.
#[derive(Default)]
struct Course {
    host_since: Option<Time>,
    causes: Vec<String>,
}

impl Teller<'_> {
    /// Adds a message with this fact, which is of no single check, to what all channels owe.
    pub fn tell(&mut self, fact: Fact) {
        self.tell_to(self.channels.all(), fact, Course::default());
    }

    /// Adds a message with this fact to what these channels owe.
    fn tell_to(&mut self, owed: BTreeSet<String>, fact: Fact, course: Course) {
        if !owed.is_empty() {
            let (waits, Course { host_since, causes }) = (wants_words(&fact), course);
            let message = Message::new((self.new_id)(), self.now, owed, fact);
            self.messages.push(Message { waits, host_since, causes, ..message });
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
            let owed = self.channels.of(Kind::Gone, change.id);
            self.tell_to(owed, Fact::New { check: change.id.clone() }, Course::default());
        }
    }

    /// Tells an outage that lasts: first when it is not muted, again when a reminder is due or the cause is new. Of an
    /// outage that is acknowledged people get no reminders, but a new cause is news.
    fn tell_outage(&mut self, change: &Change, record: &Record, outage: &mut Outage, telling: &mut Telling) {
        let cause = cause(record);
        let flapped = telling.flaps.is_some();
        let Some(told) = &mut outage.told else {
            let flaps = flaps::note_down(telling, outage, record, self.now);
            let owed = self.channels.of(Kind::Down, change.id);
            let to = self.channels.noted(owed.clone());
            let host_since = change.host_since.filter(|since| *since != outage.since);
            let fact = Fact::Down(Down { flaps, ..down(change, record, outage.since) });
            self.tell_to(owed, fact, Course { host_since, causes: Vec::new() });
            outage.told = Some(Told { anyway: flapped, to, host_since, ..self.first_told(cause) });
            return;
        };
        let is_new = cause.clone().filter(|cause| !told.causes.contains(cause));
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
        let is_news = changed || back;
        let owed = if is_news || change.ack.is_none() {
            self.channels.of(Kind::Reminder, change.id)
        } else {
            self.channels.of_memory(change.id)
        };
        if is_news || (!owed.is_empty() && self.is_due(told)) {
            let first = told.at;
            let down = down(change, record, outage.since);
            let mut causes = others(&told.causes, cause.as_deref());
            causes.extend(back.then(|| SILENT.to_string()));
            let to = told.to.take().map(|to| &to | &owed);
            told.to = to.and_then(|to| self.channels.noted(to));
            let course = Course { host_since: told.host_since, causes };
            self.tell_to(owed, Fact::StillDown { down, told: first, changed: is_news, back }, course);
        }
    }

    /// Tells the end of an outage that was told, or of a check. This is told even if the check is muted (the message is
    /// then held).
    fn tell_end(&mut self, change: &Change, ended: Ended, steady: Option<Time>, after: &Record) {
        let Ended { since, until, was, cause, reason, ack, to, host_since, causes } = ended;
        let (check, course) = (change.id.clone(), Course { host_since, causes });
        match (was, since) {
            (State::Gone, None) if after.state != State::Gone => {}
            (State::Gone, _) => {
                let mut owed = self.channels.of(Kind::Gone, &check);
                if since.is_some() {
                    owed.append(&mut self.channels.of_end(&[Kind::Up, Kind::Gone], &check, to.as_ref()));
                }
                self.tell_to(owed, Fact::Gone { check, pulse: after.pulse, since, retired: after.retired }, course);
            }
            (_, since) => {
                let since = since.unwrap_or(until);
                let owed = self.channels.of_end(&[Kind::Up], &check, to.as_ref());
                self.tell_to(
                    owed,
                    Fact::Up { check, since, until, was, cause, reason, steady, still: None, ack },
                    course,
                );
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
            to: None,
            host_since: None,
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
        let ended = Ended { was: State::Gone, ..end_of(told, None, after.since) };
        return is_told.then_some(ended);
    }
    let (told, last) = told.zip(change.before)?;
    let (was, reason) = (last.state, last.reason().map(String::from));
    let ack = change.ack.map(|ack| ack.word.clone());
    Some(Ended { was, cause: last.cause(), reason, ack, ..end_of(Some(told), cause(last).as_deref(), after.since) })
}

/// The end of an outage whose last cause was this one, as far as what was told of it says.
fn end_of(outage: Option<&Outage>, last: Option<&str>, until: Time) -> Ended {
    let told = outage.and_then(|outage| outage.told.as_ref());
    Ended {
        since: outage.map(|outage| outage.since),
        until,
        was: State::Up,
        cause: None,
        reason: None,
        ack: None,
        to: told.and_then(|told| told.to.clone()),
        host_since: told.and_then(|told| told.host_since),
        causes: told.map(|told| others(&told.causes, last)).unwrap_or_default(),
    }
}

/// The causes but for this one.
fn others(causes: &[String], but: Option<&str>) -> Vec<String> {
    causes.iter().filter(|cause| Some(cause.as_str()) != but).cloned().collect()
}

/// What is held back: the newest end. A check that goes closes the outage whose end was held before.
fn held(before: Option<Box<Ended>>, ended: Option<Ended>) -> Option<Ended> {
    match (before.map(|before| *before), ended) {
        (Some(Ended { since, to, host_since, mut causes, was, cause, .. }), Some(ended)) if ended.since.is_none() => {
            causes.extend(told_as(was, cause));
            Some(Ended { since, to, host_since, causes, ..ended })
        }
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
    told_as(record.state, record.cause())
}

fn told_as(state: State, cause: Option<Cause>) -> Option<String> {
    match state {
        State::Failing => cause.map(|cause| cause.to_string()),
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

//! The verdict: a check's state, as a pure function of what a sweep sees of it, its record, and the time.
//!
//! - here: one check; `answers`: which of its answers counts;
//! - [`many`]: what only all checks together show: a gap, and hosts that vanish at once;
//! - [`wave`]: hosts that go down at once.

mod answers;
pub mod many;
#[cfg(test)]
mod tests;
pub mod wave;

use std::time::Duration;

use pulse_echo_core::answer;
use pulse_echo_core::clock::Time;
use pulse_echo_core::etag::ETag;
use pulse_echo_core::pulse::ANSWER_LIMIT;
use pulse_echo_core::status::{Ahead, Change, Gap, HISTORY, Limits, Missing, Outage, Record, State, Turn};

use crate::rules::Rules;

use answers::{Answer, Answers};

/// How long a check that vanished with many others is still judged, and how long a gone check is remembered.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// An object as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// When the store took it.
    pub at: Time,
    /// Its `ETag`, quotes included.
    pub etag: ETag,
}

/// What a sweep sees of a check: the lists, and what it has read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The pulse; `None` if it is missing.
    pub pulse: Option<Listed>,
    /// When the store took the echo; `None` without an echo.
    pub echo: Option<Time>,
    /// The fault; `None` if it is missing.
    pub fault: Option<Listed>,
    /// When the store took the newest note of `retire` that speaks for the check; `None` without one.
    pub retired: Option<Time>,
    /// Which of these objects count with another time than their own.
    pub ahead: Option<Box<Ahead>>,
    /// The pulse's promises, if it was read in this sweep.
    pub limits: Option<Limits>,
    /// The fault's content, if it was read in this sweep.
    pub fault_read: Option<Box<answer::Fault>>,
    /// Its host has too many names, and objects of this check may be among those that were not read. Then nothing is
    /// known of it, and its record stays.
    pub is_hidden: bool,
    /// Set if its limits or its newest fault are to be read and were not.
    pub turn: Option<Turn>,
}

/// What a verdict depends on apart from the check itself.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The sweep's time, by the store's clock.
    pub now: Time,
    /// The operator's rules.
    pub rules: &'a Rules,
    /// When the store was away.
    pub gaps: &'a [Gap],
    /// Whether checks vanish together with many others in this sweep; see [`many::vanish_with_many`].
    pub with_many: bool,
}

impl Observation {
    /// Whether the pulse must be read, since its limits are unknown.
    pub fn wants_limits(&self, record: Option<&Record>) -> bool {
        let known = record.and_then(|record| record.limits.as_ref());
        self.pulse.as_ref().is_some_and(|pulse| known.is_none_or(|limits| limits.etag != pulse.etag))
    }

    /// Whether the fault must be read: it is the newest answer, and not the fault in the record.
    pub fn wants_fault(&self, record: Option<&Record>) -> bool {
        answers::newest_fault(record, self)
            .is_some_and(|fault| answers::known(record, fault).is_none_or(|known| known.pulse_at.is_none()))
    }

    /// Whether the check's pulse is missing on purpose: it is not newer than the note.
    pub fn is_retired(&self, record: &Record) -> bool {
        self.pulse.is_none() && self.retired.is_some_and(|note| record.pulse <= note)
    }
}

/// Judges a check and returns its new record. `None` drops the record: the check has been gone for a day. Nothing here
/// depends on what was told.
///
/// A check without a record has a pulse.
pub fn judge(record: Option<&Record>, observation: &Observation, context: &Context) -> Option<Record> {
    if observation.is_hidden {
        return record.cloned();
    }
    let judged = by_objects(record, observation, context)?;
    // A record of an older loop does not tell when the first pulse came.
    Some(Record { ahead: observation.ahead.clone(), first: judged.first.or(Some(context.now)), ..judged })
}

fn by_objects(record: Option<&Record>, observation: &Observation, context: &Context) -> Option<Record> {
    let Some(pulse) = &observation.pulse else {
        return without_pulse(record?, observation, context);
    };
    // A check that comes back after it was gone is a new check, except for its history and what was told.
    let known = record.filter(|record| record.state != State::Gone);
    let mut next = known.cloned().unwrap_or_else(|| anew(record, pulse.at));
    next.missing = None;
    next.turn = observation.turn;
    if observation.limits.is_none() && observation.wants_limits(known) {
        // Whether it is silent is not known, so nothing is. The limits of the pulse before stay, for when this pulse
        // cannot be read at all.
        return Some(next);
    }
    next.pulse = pulse.at;
    next.limits = observation.limits.clone().or(next.limits);
    Some(by_pulse(known, next, observation, context))
}

fn anew(gone: Option<&Record>, pulse: Time) -> Record {
    let mut new = Record::new(pulse);
    if let Some(gone) = gone {
        new.first = gone.first;
        new.history.clone_from(&gone.history);
        new.over.clone_from(&gone.over);
        new.telling.clone_from(&gone.telling);
        remember(&mut new);
    }
    new
}

/// Judges a check without a pulse object. With a note of `retire` it is gone on purpose. Without one, once may be a
/// host that is replacing it; twice in a row means retired.
fn without_pulse(record: &Record, observation: &Observation, context: &Context) -> Option<Record> {
    let now = context.now;
    if record.state == State::Gone {
        return (record.since.age(now) < DAY).then(|| record.clone());
    }
    if observation.is_retired(record) {
        return Some(Record { retired: true, ..gone(record, now) });
    }
    let Some(missing) = record.missing else {
        return Some(Record { missing: Some(Missing { since: now, with_many: false }), ..record.clone() });
    };
    let with_many = missing.with_many || context.with_many;
    if !with_many || missing.since.age(now) >= DAY {
        return Some(gone(record, now));
    }
    let mut next = record.clone();
    next.missing = Some(Missing { with_many, ..missing });
    // Records are not written at each sweep. An answer comes moments after its pulse at most, so its time will do.
    next.pulse = next
        .pulse
        .max(observation.echo.unwrap_or(next.pulse))
        .max(observation.fault.as_ref().map_or(next.pulse, |f| f.at));
    Some(by_pulse(Some(record), next, observation, context))
}

fn gone(record: &Record, now: Time) -> Record {
    let (history, telling) = (record.history.clone(), record.telling.clone());
    let (first, over) = (record.first, over(record, now));
    let new = Record::new(record.pulse);
    let mut gone = Record { state: State::Gone, since: now, first, over, history, telling, ..new };
    remember(&mut gone);
    gone
}

/// Judges by the pulse in `next`, in the order of the contract's table.
fn by_pulse(record: Option<&Record>, mut next: Record, observation: &Observation, context: &Context) -> Record {
    let now = context.now;
    let answers = Answers::of(record, observation, next.pulse);
    next.echo = answers.echo;
    next.fault = answers.fault;
    next.unread = answers.unread;
    next.in_row = answers.in_row;
    // A pulse that is missing and unanswered says nothing about our probe.
    // Nor does one that counts with the time at which it was seen: its answer may be older than that.
    let is_ahead = observation.ahead.as_ref().is_some_and(|ahead| ahead.pulse.is_some());
    next.waiting = answers.waiting.filter(|_| observation.pulse.is_some() && !is_ahead);

    let before = next.state;
    let past_limit = next.limits.as_ref().filter(|limits| next.pulse.age(now) > limits.limit());
    let silent = past_limit.filter(|_| before == State::Silent || !is_spared(&next, context.gaps, now));
    let (state, since) = if let Some(limits) = silent {
        (State::Silent, next.pulse + limits.limit())
    } else {
        match (answers.newest, next.waiting) {
            (Answer::Echo(at), _) => (State::Up, at),
            (Answer::Fault(at), _) => (State::Failing, at),
            (Answer::None, Some(first)) if first.age(now) > ANSWER_LIMIT => (State::Unanswered, first + ANSWER_LIMIT),
            // The pulse waits for its answer, or the answer has not been read yet.
            (Answer::None | Answer::Unread, _) => (before, next.since),
        }
    };
    if state != before {
        (next.state, next.since) = (state, since);
        // The first `up` of a new check is not a change to remember.
        if state.is_down() || before.is_down() {
            remember(&mut next);
        }
    }
    if next.state == State::Up {
        next.over = over(&next, next.since);
    }
    next.outage = outage(&next, context);
    next
}

/// The outage that lasts, if any. It begins when the check is silent or has failed often enough, and ends with an echo.
/// `unanswered` neither begins nor ends an outage: it is about us, not about the check.
fn outage(next: &Record, context: &Context) -> Option<Box<Outage>> {
    let begins = match next.state {
        State::Silent => true,
        State::Failing => {
            let own = next.limits.as_ref().and_then(|limits| limits.faults_in_row);
            next.in_row >= own.unwrap_or(context.rules.faults_in_row)
        }
        State::Up => return None,
        State::New | State::Unanswered | State::Gone => false,
    };
    // Of two outages the later one begins later, whatever became of the clocks: so it is known by its beginning.
    let over = next.over.as_deref();
    let since = over.map_or(next.since, |over| next.since.max(over.until).max(over.from + Duration::from_secs(1)));
    let new = || Box::new(Outage { since, noticed: context.now, muted: None, told: None });
    next.outage.clone().or_else(|| begins.then(new))
}

/// The last outage that is over: the one of this record, if there is one that ends `at`. It never ends before it began.
fn over(record: &Record, at: Time) -> Option<Box<Gap>> {
    let ended = record.outage.as_ref().map(|outage| Box::new(Gap { from: outage.since, until: at.max(outage.since) }));
    ended.or_else(|| record.over.clone())
}

/// Whether the check waits for a pulse that was not due when the gap began, and the extra time for it has not passed.
/// By the clock such a pulse may be due after the gap; if the clock was set forward, it is still far off.
fn is_spared(record: &Record, gaps: &[Gap], now: Time) -> bool {
    let Some(limits) = &record.limits else { return false };
    let due = record.pulse + limits.every();
    let waits = |gap: &Gap| record.pulse <= gap.from && gap.from <= due;
    gaps.iter().any(|gap| waits(gap) && now <= gap.until + limits.every())
}

/// Adds the present state to the history.
fn remember(record: &mut Record) {
    let surplus = (record.history.len() + 1).saturating_sub(HISTORY);
    record.history.drain(..surplus);
    // Many records have one or two changes, and a list that grows by itself takes room for four.
    record.history.reserve_exact(1);
    record.history.push(Change { at: record.since, state: record.state, cause: record.cause() });
}

//! The model of the store and the queue. Times are milliseconds since the beginning; the store's are cut to seconds.

use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;

use crate::chance::Chance;

pub(crate) type Ms = i64;

/// The store's second in which the beginning lies.
const BEGINNING: i64 = 2_000_000_000;

/// How long a purge eats.
pub(crate) const PURGE: Ms = 60_000;

/// An object and its version.
#[derive(Clone)]
pub(crate) struct Object<T> {
    pub(crate) content: T,
    pub(crate) etag: u64,
}

/// The loop's lock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockFile {
    /// One of ours: its `ETag` is that of its content.
    Ours { stop: Time },
    /// One put by hand. They are all empty, so they have one `ETag`.
    ByHand,
}

impl LockFile {
    pub(crate) fn etag(self) -> String {
        match self {
            Self::Ours { stop } => stop.as_second().to_string(),
            Self::ByHand => "empty".into(),
        }
    }
}

/// A message that is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owed {
    pub(crate) id: usize,
    pub(crate) fact: Fact,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    Stopped,
    Started,
    /// Whatever a sweep finds, and test messages.
    Other,
}

/// `status.json`, as far as the loop's chain touches it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) stopped: Option<Time>,
    pub(crate) lease: Option<(String, Time)>,
    pub(crate) outbox: Vec<Owed>,
}

/// The store.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) start: Option<Time>,
    pub(crate) stop: Option<Time>,
    pub(crate) lock: Option<(LockFile, Time)>,
    pub(crate) mark: Option<Object<Mark>>,
    pub(crate) status: Option<Object<Status>>,
    /// By how many seconds its clock is ahead.
    pub(crate) ahead_s: i64,
    /// What was said last, where times do not tell it since the clock was set: whether that is a stop, and when.
    pub(crate) last_word: Option<(bool, Time)>,
    versions: u64,
}

impl Store {
    pub(crate) fn version(&mut self) -> u64 {
        self.versions += 1;
        self.versions
    }

    /// What its clock says.
    pub(crate) fn time(&self, at: Ms) -> Time {
        Time::from_second(BEGINNING + at.div_euclid(1000) + self.ahead_s)
    }

    /// Since when the loop is stopped, by the contract's first sentence.
    pub(crate) fn stopped(&self) -> Option<Time> {
        if let Some((is_stop, at)) = self.last_word {
            return is_stop.then_some(at);
        }
        let lock = self.lock.map(|(lock, at)| match lock {
            LockFile::Ours { stop } => stop,
            LockFile::ByHand => at,
        });
        let counts = |at: &Time| self.start.is_none_or(|start| *at >= start);
        self.stop.filter(counts).or(lock.filter(counts))
    }

    /// PUT of `status.json` on this version of it. Whether the condition held.
    pub(crate) fn put_status(&mut self, status: &Status, on: Option<u64>) -> Option<u64> {
        if self.status.as_ref().map(|object| object.etag) != on {
            return None;
        }
        let etag = self.version();
        self.status = Some(Object { content: status.clone(), etag });
        Some(etag)
    }
}

/// A message of the queue.
#[derive(Clone)]
pub(crate) struct Message {
    /// The tick; none for a nudge.
    pub(crate) tick: Option<u64>,
    /// From when on it can be received.
    pub(crate) visible: Ms,
    pub(crate) deleted: bool,
    /// When a purge takes it.
    pub(crate) eaten: Option<Ms>,
}

/// The queue: standard, so at least once, in no order.
#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) messages: Vec<Message>,
    purged: Option<Ms>,
}

impl Queue {
    /// Takes a message. Its number.
    pub(crate) fn send(&mut self, tick: Option<u64>, delay: Ms, now: Ms, chance: &mut Chance) -> usize {
        let is_purging = self.purged.is_some_and(|purged| now < purged + PURGE);
        let eaten = (is_purging && chance.percent(50)).then(|| self.purged.unwrap() + PURGE);
        self.messages.push(Message { tick, visible: now + delay, deleted: false, eaten });
        self.messages.len() - 1
    }

    /// Takes away all that is there, sooner or later within a minute. A second purge within it is refused.
    pub(crate) fn purge(&mut self, now: Ms, chance: &mut Chance) -> bool {
        if self.purged.is_some_and(|purged| now < purged + PURGE) {
            return false;
        }
        self.purged = Some(now);
        for message in &mut self.messages {
            message.eaten = Some(now + chance.between(0, PURGE));
        }
        true
    }

    /// When the last purge is over.
    pub(crate) fn purges_until(&self) -> Ms {
        self.purged.map_or(0, |purged| purged + PURGE)
    }

    /// Whether a message is there to be received now.
    pub(crate) fn is_there(&self, number: usize, now: Ms) -> bool {
        let message = &self.messages[number];
        !message.deleted && now >= message.visible && message.eaten.is_none_or(|eaten| now < eaten)
    }
}

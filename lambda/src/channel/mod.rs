//! The ways to people: each channel takes what is owed to it, in its own words.
//!
//! A channel is one file and one line: a type that is a [`Channel`], and its place in the list that the loop is given.

mod event;
mod heartbeat;
mod slack;
mod sns;
#[cfg(test)]
mod tests;
mod web;
mod webhook;
mod words;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pulse_echo_core::clock::Time;
use pulse_echo_core::http::Trust;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Fact, State};
use pulse_echo_core::store::Clock;

pub use heartbeat::Heartbeat;
pub use words::how_long;

/// All channels that there are: each makes itself, if the environment asks for it.
const ALL: [fn(&Means) -> Made; 3] = [slack::channel, webhook::channel, sns::channel];

/// A channel, if the environment asks for it. The error is one sentence that names the variable, and shows no secret.
type Made = Result<Option<Box<dyn Channel>>, String>;

/// How many entries an attempt has at most; see [`What::Summary`].
pub const ENTRIES: usize = 1_000;

/// A way to people.
pub trait Channel: Send + Sync {
    /// The name under which `status.json` notes what is owed to it, such as `slack`. It never changes.
    fn name(&self) -> &'static str;

    /// Tells `entries`, the oldest first, as one message where the channel can: they are what one sweep has for it. A
    /// fact about many ([`Fact::ManyDown`]) comes before the facts that it sums up. Checks of one host that fell silent
    /// together ([`CheckId::host`]) are one line where there are lines.
    ///
    /// It must return by `deadline`. The same entries come again, with the same ids, until they are taken.
    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome;
}

/// What channels are made of.
pub struct Means<'a> {
    /// Gives a variable's value; an empty one is none.
    pub lookup: &'a dyn Fn(&str) -> Option<String>,
    /// Whose certificates are trusted.
    pub trust: &'a Trust,
    /// The time by which requests to AWS are signed.
    pub clock: Clock,
}

/// The longest text for people where a channel sets no limit of its own, in bytes.
const ROOM: usize = 16_000;

/// These entries as one message that people read, of several lines.
pub fn in_words(entries: &[Entry]) -> String {
    words::message(entries, ROOM, str::to_string)
}

/// The channels that the environment asks for; there may be none. Nothing is sent yet. The error is one sentence that
/// names the variable, and shows no secret.
pub fn channels(means: &Means) -> Result<Vec<Box<dyn Channel>>, String> {
    ALL.iter().filter_map(|channel| channel(means).transpose()).collect()
}

/// What is to be told in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Random, never used again for anything else, and the same at each attempt: a receiver that has seen it before need
    /// not tell it again.
    pub id: String,
    /// When a sweep first had it to tell, by the store's clock.
    pub at: Time,
    /// What it is.
    pub what: What,
}

/// What is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It happened.
    Fact(Fact),
    /// An outage that is over, of which this channel was told nothing so far; the fact is its end: "was down from … to …".
    Whole(Fact),
    /// Checks of which too many changed for a line each, at most [`ENTRIES`] in an attempt.
    Summary(Summary),
}

/// The changes of many checks, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many went down, by what they are.
    pub down: BTreeMap<State, Count>,
    /// How many still are down.
    pub still_down: Count,
    /// How many are up again.
    pub up: Count,
    /// How many were down for a time that is over; nothing was told of it so far.
    pub were_down: Count,
    /// How many are gone.
    pub gone: Count,
}

/// So many checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub checks: usize,
    /// The first of them, at most ten.
    pub some: Vec<CheckId>,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All entries were taken.
    Taken,
    /// The first so many were taken, and surely none of the others.
    NotTaken {
        /// How many were taken.
        taken: usize,
        /// How long the channel wants to be left alone (`Retry-After`); none leaves that to the loop.
        after: Option<Duration>,
        /// Why, for the log; without secrets.
        why: String,
    },
    /// The first so many were taken; whether the next one was, nobody knows: no answer came.
    Ambiguous {
        /// How many were taken for certain.
        taken: usize,
        /// Why, for the log; without secrets.
        why: String,
    },
}

impl Outcome {
    /// How many of so many entries were taken.
    pub(crate) fn taken_of(&self, entries: usize) -> usize {
        match self {
            Self::Taken => entries,
            Self::NotTaken { taken, .. } | Self::Ambiguous { taken, .. } => entries.min(*taken),
        }
    }
}

impl Count {
    /// One more of them.
    pub(crate) fn add(&mut self, id: &CheckId) {
        self.checks += 1;
        if self.some.len() < 10 {
            self.some.push(id.clone());
        }
    }
}

/// A subject and a message, as people are shown them, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub(crate) fn shown(entries: &[Entry]) -> (String, String) {
    (words::subject(entries), words::message(entries, 4_000, str::to_string))
}

impl Means<'_> {
    fn value(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }
}

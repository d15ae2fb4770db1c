//! What a channel gets to send, and its outcome: plain data.

use std::collections::BTreeMap;
use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Fact, State};

/// How many entries an attempt has at most; see [`What::Summary`].
pub const ENTRIES: usize = 1_000;

/// A piece to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Random, never used for anything else, and the same at each attempt: a receiver that has seen it can skip the
    /// entry.
    pub id: String,
    /// When a sweep first had it to send, by the store's clock.
    pub at: Time,
    /// The content.
    pub what: What,
}

/// The content of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A fact.
    Fact(Fact),
    /// An outage that is over and that this channel never told. The fact is its end: "was down from … to …".
    Whole(Fact),
    /// The changes of many checks, too many for a line each: at most [`ENTRIES`] in an attempt.
    Summary(Counts),
}

/// The changes of many checks, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many went down, by state.
    pub down: BTreeMap<State, Count>,
    /// How many are still down.
    pub still_down: Count,
    /// How many are up again.
    pub up: Count,
    /// How many were down and are up again, and were not told before.
    pub were_down: Count,
    /// How many are gone.
    pub gone: Count,
    /// How many are new.
    pub new: Count,
}

/// How many checks, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub checks: usize,
    /// The first of them, at most ten.
    pub some: Vec<CheckId>,
}

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All entries were taken.
    Taken,
    /// The first `taken` entries were taken, and certainly no others.
    NotTaken {
        /// How many were taken.
        taken: usize,
        /// How long to back off (`Retry-After`); `None` leaves that to the loop.
        after: Option<Duration>,
        /// The reason, for the log, without secrets.
        why: String,
    },
    /// The first `taken` entries were taken. Whether the next was taken is unknown: no answer came.
    Ambiguous {
        /// How many were certainly taken.
        taken: usize,
        /// The reason, for the log, without secrets.
        why: String,
    },
}

impl Outcome {
    /// How many of `entries` were taken.
    pub(crate) fn taken_of(&self, entries: usize) -> usize {
        match self {
            Self::Taken => entries,
            Self::NotTaken { taken, .. } | Self::Ambiguous { taken, .. } => entries.min(*taken),
        }
    }
}

impl Count {
    /// Counts one more check.
    pub(crate) fn add(&mut self, id: &CheckId) {
        self.checks += 1;
        if self.some.len() < 10 {
            self.some.push(id.clone());
        }
    }
}

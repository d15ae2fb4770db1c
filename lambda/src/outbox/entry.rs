//! What a channel is given to tell, and what it answers: plain data.

use std::collections::BTreeMap;
use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Fact, State};

/// How many entries an attempt has at most; see [`What::Summary`].
pub const ENTRIES: usize = 1_000;

/// What is to be told in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Random, never used again for anything else, and the same at each attempt: a receiver that has seen it before
    /// need not tell it again.
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
    /// An outage that is over, of which this channel was told nothing so far; the fact is its end: "was down from … to
    /// …".
    Whole(Fact),
    /// Checks of which too many changed for a line each, at most [`ENTRIES`] in an attempt.
    Summary(Counts),
}

/// The changes of many checks, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
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

/// How many checks, and which.
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
    /// The first `taken` entries were taken, and surely none of the others.
    NotTaken {
        /// How many were taken.
        taken: usize,
        /// How long the channel wants to be left alone (`Retry-After`); `None` leaves that to the loop.
        after: Option<Duration>,
        /// Why, for the log; without secrets.
        why: String,
    },
    /// The first `taken` entries were taken; whether the next one was, nobody knows: no answer came.
    Ambiguous {
        /// How many were taken for certain.
        taken: usize,
        /// Why, for the log; without secrets.
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
    /// One more of them.
    pub(crate) fn add(&mut self, id: &CheckId) {
        self.checks += 1;
        if self.some.len() < 10 {
            self.some.push(id.clone());
        }
    }
}

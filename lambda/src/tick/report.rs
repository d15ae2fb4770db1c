//! What an invocation of the loop came to.

use std::collections::BTreeMap;
use std::fmt;

use pulse_echo_core::clock::Time;
use serde::Serialize;

use super::decide::Step;
use super::machine::Course;

/// What an invocation came to: the function's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What it did.
    pub course: Course,
    /// Since when the loop is stopped; none while it runs, or if that was not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Time>,
    /// The step of the chain that was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// The number of that step's tick.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tick: Option<u64>,
    /// Whether the queue surely has that tick.
    pub is_sent: bool,
    /// Whether the queue was purged.
    pub is_purged: bool,
    /// How many checks there are; 0 if they were not looked at.
    pub checks: usize,
    /// How many of them are down, muted ones among them.
    pub down: usize,
    /// How many of them are up.
    pub up: usize,
    /// How many of them wait for their first answer.
    pub new: usize,
    /// How many of them are muted, whatever they are.
    pub muted: usize,
    /// How many keys in `pulse/` are nobody's pulse.
    pub skipped: usize,
    /// How many objects could not be read; they are for the next sweep.
    pub unread: usize,
    /// How many messages are owed that were not before.
    pub told: usize,
    /// How many entries each channel took, of those that were sent anything.
    pub taken: BTreeMap<String, usize>,
    /// For how many seconds the oldest due message had waited before this invocation sent anything; none if nothing was
    /// due, or that was not looked at.
    pub owed_s: Option<u64>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What went wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Error>,
    /// Whether the ticks of the batch are to fail, so that the queue gives them again. Not after a step: that must not
    /// be made again, whatever went wrong after it.
    #[serde(skip)]
    pub fails_ticks: bool,
}

/// What went wrong, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", content = "why")]
pub enum Error {
    /// The store could not be read or written.
    StoreFailed(String),
    /// `status.json` is of a newer format, or too large: it is not overwritten.
    StatusNewer(String),
    /// The queue did not surely take a tick.
    QueueFailed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::StoreFailed(why) | Self::StatusNewer(why) | Self::QueueFailed(why)) = self;
        f.write_str(why)
    }
}

impl Report {
    /// What went wrong, in one line.
    pub fn sentence(&self) -> String {
        self.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

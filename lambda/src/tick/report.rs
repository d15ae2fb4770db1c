//! What an invocation of the loop came to.

use std::collections::BTreeMap;

use pulse_echo_core::clock::Time;
use serde::Serialize;
use serde_json::json;

use super::decide::Step;
use super::machine::Course;
use crate::error::Error;
use crate::event::sqs::ItemFailure;

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
    /// Of a batch of messages those that failed; the queue gives them again.
    #[serde(rename = "batchItemFailures", skip_serializing_if = "Option::is_none")]
    pub failed: Option<Vec<ItemFailure>>,
}

impl Report {
    /// A report of what failed before anything was done.
    pub fn of(error: Error) -> Self {
        Self { course: Course::Failed, errors: vec![error], fails_ticks: true, ..Self::default() }
    }

    /// Logs it: errors that the answer does not tell, and, at the level of debugging, what was done.
    pub fn log(&self) {
        let outcome = json!(self.course);
        let outcome = outcome.as_str().unwrap_or_default();
        log::debug!(
            outcome, ms = self.took_ms;
            "{outcome}: {} checks, {} down, {} messages new, {} ms", self.checks, self.down, self.told, self.took_ms
        );
        if self.is_taken() {
            self.errors.iter().for_each(Error::log);
        }
    }

    /// Whether what came is not to come again, whatever went wrong: a batch whose step was made.
    fn is_taken(&self) -> bool {
        self.failed.is_some() && !self.fails_ticks
    }

    /// The function's answer. After an error all that came is given again, the whole batch of a queue, too; but not the
    /// ticks of a batch whose step was made.
    pub fn answer(self) -> Result<Self, Error> {
        if self.errors.is_empty() || self.is_taken() { Ok(self) } else { Err(Error::joined(&self.errors)) }
    }
}

//! What an invocation of the loop came to.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::event::sqs::ItemFailure;

/// What an invocation came to: the function's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What it did.
    pub course: Course,
    /// How many checks there are; 0 if they were not looked at.
    pub checks: usize,
    /// How many keys in `pulse/` are nobody's pulse.
    pub skipped: usize,
    /// How many objects could not be read; they are for the next sweep.
    pub unread: usize,
    /// How many messages are owed that were not before.
    pub told: usize,
    /// How many entries each channel took, of those that were sent anything.
    pub taken: BTreeMap<String, usize>,
    /// Of a batch of messages those that failed; the queue gives them again.
    #[serde(rename = "batchItemFailures", skip_serializing_if = "Option::is_none")]
    pub failed: Option<Vec<ItemFailure>>,
}

/// What an invocation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Course {
    /// Nothing: the event asks for nothing.
    #[default]
    Nothing,
    /// A whole sweep. Only then a heartbeat is due.
    Swept,
    /// No sweep, since the last one is hardly over, or nothing asked for one; what was owed was sent.
    TooSoon,
    /// No sweep, since the loop is stopped; what was owed was sent.
    Stopped,
    /// Another invocation has changed `status.json` meanwhile: it tells.
    Lost,
}

//! Messages of a queue, as Lambda's event source mapping gives them: up to ten at once, each answered by itself.
//!
//! Read from plain JSON: every field of the type in `aws_lambda_events` is optional, so anything parses as it.

use serde::Serialize;
use serde_json::Value;

use super::{Text, sns};
use crate::error::Error;

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its `messageId`; none if it has none that the queue would know.
    pub id: Option<String>,
    /// What it says, without the envelope of a topic.
    pub text: Text,
    /// Whether it lay in the envelope of a topic. A note is never a tick.
    pub is_note: bool,
}

/// Whether a record is a message of SQS.
pub(super) fn is_message(record: &Value) -> bool {
    record["eventSource"] == "aws:sqs"
}

impl Message {
    pub(super) fn read(record: &Value) -> Self {
        let id = record["messageId"].as_str().filter(|id| !id.is_empty()).map(String::from);
        let body = record["body"].as_str().unwrap_or_default();
        let note = sns::without_envelope(body);
        let is_note = note.is_some();
        Self { id, text: Text::read(note.unwrap_or_else(|| body.into())), is_note }
    }
}

/// A message that failed, in the answer to the queue: it alone comes again, and ends in the dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// The message's `messageId`.
    pub item_identifier: String,
}

/// The answer to a batch in which these messages failed, each with the reason.
///
/// The queue must be told ids of this very batch and nothing else: one that is unknown, empty or null fails all ten. So
/// a message that failed and has no id fails the invocation, and all come again, which does no harm. One that succeeded
/// needs no id.
pub(crate) fn item_failures(failed: Vec<(Option<&str>, Error)>) -> Result<Vec<ItemFailure>, Error> {
    let mut items = Vec::new();
    if failed.iter().any(|(id, _)| id.is_none()) {
        let errors: Vec<_> = failed.into_iter().map(|(_, error)| error).collect();
        return Err(Error::joined(&errors).about("a message without a messageId failed"));
    }
    for (id, error) in failed {
        let id = id.expect("all have one");
        error.about(format_args!("message {id}")).log();
        let item = ItemFailure { item_identifier: id.into() };
        if !items.contains(&item) {
            items.push(item);
        }
    }
    Ok(items)
}

//! What came: the one reader of events, for both handlers.
//!
//! - here: [`Came`], what an event is, and [`read`], which tells by what it says of itself;
//! - `s3`: objects that were put; [`sqs`]: messages of a queue; `sns`: notes of a topic; `schedule`.
//!
//! What an event asks the loop for is for [`crate::tick`] to say, and which pulses it brings for [`crate::probe`].
//!
//! An event of S3 may come within an envelope: a bucket that fans out over a topic is heard as a note of it, or as a
//! message of a queue that subscribes the topic.

pub(crate) mod s3;
mod schedule;
mod sns;
pub mod sqs;
#[cfg(test)]
mod tests;

use pulse_echo_core::text::line;
use serde_json::Value;

use crate::error::{Error, Kind};

/// How much of what came an error shows, in bytes.
pub(crate) const ROOM: usize = 200;

/// What an event is.
#[derive(Clone, Debug, PartialEq)]
pub enum Came {
    /// S3 tells of objects, a record each.
    Objects(Vec<Value>),
    /// A batch of messages of a queue.
    Batch(Vec<sqs::Message>),
    /// Notes of a topic.
    Notes(Vec<Text>),
    /// A schedule of an `EventBridge` rule or of `EventBridge` Scheduler.
    Schedule,
    /// Anything else: somebody invoked the function by hand. What came, in words.
    Direct(String),
}

/// What a message or a note says, without its envelope.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    /// An event of S3: its records.
    Objects(Vec<Value>),
    /// Anything else.
    Other(String),
}

impl Text {
    /// Reads what a message says.
    pub(crate) fn read(text: String) -> Self {
        let json = serde_json::from_str(&text).ok();
        json.as_ref().and_then(s3::records).map_or(Self::Other(text), |records| Self::Objects(records.to_vec()))
    }
}

/// Reads an event. `Records` of another service than S3, SQS and SNS, or a `source` that is no schedule, is an
/// [`UnexpectedEvent`](Kind::UnexpectedEvent) that names what came.
pub fn read(event: &Value) -> Result<Came, Error> {
    if let Some(records) = s3::records(event) {
        return Ok(Came::Objects(records.to_vec()));
    }
    let records = event["Records"].as_array().map_or(&[][..], Vec::as_slice);
    if records.iter().any(sqs::is_message) {
        return Ok(Came::Batch(records.iter().map(sqs::Message::read).collect()));
    }
    if records.iter().any(sns::is_note) {
        return Ok(Came::Notes(records.iter().map(sns::text).collect()));
    }
    match schedule::read(event) {
        Some(true) => Ok(Came::Schedule),
        None if records.is_empty() => Ok(Came::Direct(in_words(event))),
        _ => Err(Error::new(
            Kind::UnexpectedEvent,
            format!(
                "{} came, but only events of S3, SQS, SNS and schedules are taken: remove the trigger or the rule that \
                 sends it",
                in_words(event)
            ),
        )),
    }
}

/// What an event is, in words, on one line.
fn in_words(event: &Value) -> String {
    let first = &event["Records"][0];
    // SNS writes it large.
    let sources = [&first["eventSource"], &first["EventSource"], &event["source"]];
    let words = if let Some(source) = sources.into_iter().find_map(Value::as_str) {
        format!("an event of {source:?}")
    } else {
        match event {
            Value::Object(fields) if fields.is_empty() => "an empty object".into(),
            Value::Object(fields) => {
                let names: Vec<_> = fields.keys().map(|name| format!("{name:?}")).collect();
                format!("an object with {}", names.join(", "))
            }
            other => other.to_string(),
        }
    };
    line(&words, ROOM)
}

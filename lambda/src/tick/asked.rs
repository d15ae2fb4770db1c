//! What an event asks the loop for. It is only a hint to look: lost, doubled, late and reordered ones do no harm.

use pulse_echo_core::name::Key;
use pulse_echo_core::text::line;
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::event::{Came, ROOM, Text, s3};
use crate::tick::chain::Message;
use crate::tick::decide::Asked;

/// What an event asks for, and what of it cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// What all of it asks for: a batch is one look.
    pub asked: Asked,
    /// Whether it is a batch of messages of a queue, each of which is answered.
    pub is_batch: bool,
    /// What is refused, and why: torn ticks, and events of another bucket. In a batch each has the `messageId` of its
    /// message.
    pub refused: Vec<(Option<String>, Error)>,
}

impl Request {
    /// What an event asks for. `bucket` is the only bucket whose objects count; without it those of each bucket do.
    pub fn of(came: Came, bucket: Option<&str>) -> Self {
        let mut request = Self::default();
        match came {
            Came::Objects(records) => request.add_records(&records, bucket, None),
            Came::Notes(notes) => notes.iter().for_each(|note| match note {
                Text::Objects(records) => request.add_records(records, bucket, None),
                Text::Other(_) => request.asked.sweep = true,
            }),
            Came::Batch(messages) => {
                request.is_batch = true;
                for message in messages {
                    match message.text {
                        Text::Objects(records) => request.add_records(&records, bucket, message.id.as_deref()),
                        Text::Other(_) if message.is_note => request.asked.sweep = true,
                        Text::Other(text) => match Message::read(&text) {
                            Message::Tick(tick) => request.asked.ticks.push(tick),
                            Message::Nudge => request.asked.sweep = true,
                            Message::Torn(why) => request.refused.push((message.id, torn(&why))),
                        },
                    }
                }
            }
            Came::Schedule => request.asked.schedule = true,
            Came::Direct(_) => request.asked.sweep = true,
        }
        request
    }

    /// Of S3 what was put into our bucket counts. What the loop itself puts, and what is removed, asks for nothing.
    fn add_records(&mut self, records: &[Value], bucket: Option<&str>, message: Option<&str>) {
        for record in records.iter().filter(|record| s3::is_put(record)) {
            let Some(key) = s3::key(record) else { continue };
            let is = |asking: Key| key == asking.as_str();
            // A start or a stop is looked at by a sweep as well: that is what reads them.
            let sweep = is(Key::loop_start()) || is(Key::loop_stop()) || is(Key::loop_update());
            let test = is(Key::loop_test());
            let foreign = s3::bucket(record).and_then(|theirs| s3::check_bucket(theirs, bucket, "loop").err());
            match foreign {
                Some(error) if sweep || test => self.refused.push((message.map(String::from), error)),
                _ => {
                    self.asked.sweep |= sweep;
                    self.asked.test |= test;
                }
            }
        }
    }
}

fn torn(why: &str) -> Error {
    let message = format!(
        "the message says that it is a tick, but {}; look at who else sends to the queue, or update the loop",
        line(why, ROOM)
    );
    Error::new(Kind::UnexpectedEvent, message)
}

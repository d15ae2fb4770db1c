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
    /// Of a batch, the torn ticks: the `messageId` of each, and why it cannot be read.
    pub torn: Vec<(Option<String>, Error)>,
}

impl Request {
    /// What an event asks for.
    pub fn of(came: Came) -> Self {
        let mut request = Self::default();
        match came {
            Came::Objects(records) => request.asked = of_records(&records),
            Came::Notes(notes) => notes.iter().for_each(|note| match note {
                Text::Objects(records) => request.add(&of_records(records)),
                Text::Other(_) => request.asked.sweep = true,
            }),
            Came::Batch(messages) => {
                request.is_batch = true;
                for message in messages {
                    match message.text {
                        Text::Objects(records) => request.add(&of_records(&records)),
                        Text::Other(text) => match Message::read(&text) {
                            Message::Tick(tick) => request.asked.ticks.push(tick),
                            Message::Nudge => request.asked.sweep = true,
                            Message::Torn(why) => request.torn.push((message.id, torn(&why))),
                        },
                    }
                }
            }
            Came::Schedule => request.asked.schedule = true,
            Came::Direct(_) => request.asked.sweep = true,
        }
        request
    }

    fn add(&mut self, more: &Asked) {
        self.asked.sweep |= more.sweep;
        self.asked.test |= more.test;
    }
}

fn torn(why: &str) -> Error {
    let message = format!(
        "the message says that it is a tick, but {}; look at who else sends to the queue, or update the loop",
        line(why, ROOM)
    );
    Error::new(Kind::UnexpectedEvent, message)
}

/// Of S3 what was put counts. What the loop itself puts, and what is removed, asks for nothing.
fn of_records(records: &[Value]) -> Asked {
    let keys: Vec<_> = records.iter().filter(|record| s3::is_put(record)).filter_map(s3::key).collect();
    let has = |key: Key| keys.iter().any(|put| put == key.as_str());
    // A start or a stop is looked at by a sweep as well: that is what reads them.
    let sweep = has(Key::loop_start()) || has(Key::loop_stop()) || has(Key::loop_update());
    Asked { sweep, test: has(Key::loop_test()), ..Asked::default() }
}

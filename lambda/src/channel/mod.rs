//! The channels: each sends people the entries that it owes, in its own words.
//!
//! A channel is one file and one line: a type that implements [`Channel`], and its entry in `ALL`.

mod heartbeat;
mod json;
mod parts;
mod slack;
mod sns;
#[cfg(test)]
mod tests;
mod webhook;
mod words;

use std::time::Instant;

use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::Trust;
use pulse_echo_core::store::Clock;

use crate::outbox::entry::{Entry, Outcome};

pub use heartbeat::Heartbeat;

/// All channels. Each makes itself if the environment asks for it.
const ALL: [fn(&Means) -> Made; 3] = [slack::channel, webhook::channel, sns::channel];

/// A channel, if the environment asks for it. The error is a sentence that names the variable and shows no secret.
type Made = Result<Option<Box<dyn Channel>>, String>;

/// A way to send messages to people.
pub trait Channel: Send + Sync {
    /// The name under which `status.json` notes what the channel owes, such as `slack`. It never changes.
    fn name(&self) -> &'static str;

    /// Sends `entries`, the oldest first, as one message where the channel can: they are all that one sweep has for it.
    /// A fact about many ([`Fact::ManyDown`](pulse_echo_core::status::Fact::ManyDown)) comes before the facts that it
    /// sums up. Checks of one host that fell silent together ([`CheckId::host`](pulse_echo_core::name::CheckId::host))
    /// share a line where there are lines.
    ///
    /// It must return by `deadline`. The same entries come again, with the same ids, until the channel takes them.
    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome;
}

/// What a channel is made from.
pub struct Means<'a> {
    /// The environment, which tells which channels to make.
    pub environment: Environment<'a>,
    /// The root certificates to trust.
    pub trust: &'a Trust,
    /// The clock that requests to AWS are signed by.
    pub clock: Clock,
}

/// The longest text for people, in bytes, where a channel sets no limit of its own.
const ROOM: usize = 16_000;

/// Renders these entries as one message for people, of several lines.
pub fn in_words(entries: &[Entry]) -> String {
    words::message(entries, ROOM, str::to_string)
}

/// Makes the channels that the environment asks for; there may be none. It sends nothing. The error is a sentence that
/// names the variable and shows no secret.
pub fn channels(means: &Means) -> Result<Vec<Box<dyn Channel>>, String> {
    ALL.iter().filter_map(|channel| channel(means).transpose()).collect()
}

/// The subject and the message that people see, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub(crate) fn shown(entries: &[Entry]) -> (String, String) {
    (words::subject(entries), words::message(entries, 4_000, str::to_string))
}

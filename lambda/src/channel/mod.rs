//! The ways to people: each channel takes what is owed to it, in its own words.
//!
//! A channel is one file and one line: a type that is a [`Channel`], and its place in the list that the loop is given.

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

/// All channels that there are: each makes itself, if the environment asks for it.
const ALL: [fn(&Means) -> Made; 3] = [slack::channel, webhook::channel, sns::channel];

/// A channel, if the environment asks for it. The error is one sentence that names the variable, and shows no secret.
type Made = Result<Option<Box<dyn Channel>>, String>;

/// A way to people.
pub trait Channel: Send + Sync {
    /// The name under which `status.json` notes what is owed to it, such as `slack`. It never changes.
    fn name(&self) -> &'static str;

    /// Tells `entries`, the oldest first, as one message where the channel can: they are what one sweep has for it. A
    /// fact about many ([`Fact::ManyDown`](pulse_echo_core::status::Fact::ManyDown)) comes before the facts that it
    /// sums up. Checks of one host that fell silent together ([`CheckId::host`](pulse_echo_core::name::CheckId::host))
    /// are one line where there are lines.
    ///
    /// It must return by `deadline`. The same entries come again, with the same ids, until they are taken.
    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome;
}

/// What channels are made of.
pub struct Means<'a> {
    /// The environment, which says what channels there are.
    pub environment: Environment<'a>,
    /// Whose certificates are trusted.
    pub trust: &'a Trust,
    /// The time by which requests to AWS are signed.
    pub clock: Clock,
}

/// The longest text for people where a channel sets no limit of its own, in bytes.
const ROOM: usize = 16_000;

/// These entries as one message that people read, of several lines.
pub fn in_words(entries: &[Entry]) -> String {
    words::message(entries, ROOM, str::to_string)
}

/// The channels that the environment asks for; there may be none. Nothing is sent yet. The error is one sentence that
/// names the variable, and shows no secret.
pub fn channels(means: &Means) -> Result<Vec<Box<dyn Channel>>, String> {
    ALL.iter().filter_map(|channel| channel(means).transpose()).collect()
}

/// A subject and a message, as people are shown them, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub(crate) fn shown(entries: &[Entry]) -> (String, String) {
    (words::subject(entries), words::message(entries, 4_000, str::to_string))
}

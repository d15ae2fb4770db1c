//! The channels: each sends people the entries that it owes, in its own words.
//!
//! A channel is one file and one line: a type that implements [`Channel`], and its entry in `ALL`.

mod alertmanager;
mod digest;
mod heartbeat;
mod json;
mod mood;
mod ntfy;
mod pagerduty;
mod parts;
mod said;
mod slack;
#[cfg(feature = "smtp")]
mod smtp;
mod sns;
#[cfg(test)]
mod tests;
mod webhook;
mod words;

use std::time::Instant;

use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::Trust;
use pulse_echo_core::store::Clock;

use crate::outbox::audience::{Audience, Audiences};
use crate::outbox::entry::{Entry, Outcome};

pub use heartbeat::Heartbeat;

/// All channels. Each makes itself if the environment asks for it.
const ALL: &[fn(&Means) -> Made] = &[
    slack::channel,
    webhook::channel,
    sns::channel,
    pagerduty::channel,
    alertmanager::channel,
    ntfy::channel,
    #[cfg(feature = "smtp")]
    smtp::channel,
];

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

    /// What it wants to hear.
    fn audience(&self) -> Audience {
        Audience::default()
    }

    /// Whether its receiver forgets an outage that it is not reminded of.
    fn forgets(&self) -> bool {
        false
    }

    /// Whether it takes the changes of very many checks as one entry. A channel whose receiver keeps each outage for
    /// itself does not.
    fn sums_up(&self) -> bool {
        true
    }
}

/// A channel, and what the operator wants it to hear.
struct Told {
    channel: Box<dyn Channel>,
    audience: Audience,
}

impl Channel for Told {
    fn name(&self) -> &'static str {
        self.channel.name()
    }

    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome {
        self.channel.send(entries, deadline)
    }

    fn audience(&self) -> Audience {
        self.audience.clone()
    }

    fn sums_up(&self) -> bool {
        self.channel.sums_up()
    }
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

/// The variable that asks for a channel, and those that mean nothing without it.
const PARTNERS: [(&str, &[&str]); 7] = [
    ("SLACK_URL", &["SLACK_ONLY", "SLACK_STATES"]),
    ("WEBHOOK_URL", &["WEBHOOK_ONLY", "WEBHOOK_STATES", "WEBHOOK_SECRET"]),
    ("ALERT_TOPIC_ARN", &["SNS_ONLY", "SNS_STATES"]),
    ("PAGERDUTY_KEY", &["PAGERDUTY_ONLY", "PAGERDUTY_STATES", "PAGERDUTY_URL"]),
    ("ALERTMANAGER_URL", &["ALERTMANAGER_ONLY", "ALERTMANAGER_STATES"]),
    ("NTFY_URL", &["NTFY_ONLY", "NTFY_STATES", "NTFY_TOKEN"]),
    ("SMTP_URL", &["SMTP_ONLY", "SMTP_STATES"]),
];

/// What is set in vain, each in a sentence: a channel that was taken away, or a name with a mistake.
fn in_vain(environment: Environment) -> Vec<String> {
    let of_channel = |(asks, others): &(&str, &[&'static str])| {
        let set = others.iter().filter(|other| environment.get(other).is_some() && environment.get(asks).is_none());
        set.map(|other| format!("{other} is set, but {asks} is not, so nothing is sent there")).collect::<Vec<_>>()
    };
    PARTNERS.iter().flat_map(of_channel).collect()
}

/// Makes the channels that the environment asks for; there may be none. It sends nothing. A channel is told what
/// `NAME_ONLY` and `NAME_STATES` say, where `NAME` is its name in capitals. The error is a sentence that names the
/// variable and shows no secret.
pub fn channels(means: &Means) -> Result<Vec<Box<dyn Channel>>, String> {
    for sentence in in_vain(means.environment) {
        log::warn!("{sentence}");
    }
    let made = ALL.iter().filter_map(|channel| channel(means).transpose());
    made.map(|channel| {
        let channel = channel?;
        let name = channel.name().to_ascii_uppercase();
        let audience = Audience::read(means.environment, &name, channel.forgets())?;
        Ok(Box::new(Told { channel, audience }) as Box<dyn Channel>)
    })
    .collect()
}

/// What each of these channels wants to hear.
pub fn audiences(channels: &[Box<dyn Channel>]) -> Audiences {
    channels.iter().map(|channel| (channel.name().to_string(), channel.audience())).collect()
}

/// The subject and the message that people see, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub(crate) fn shown(entries: &[Entry]) -> (String, String) {
    (words::subject(entries), words::message(entries, 4_000, str::to_string))
}

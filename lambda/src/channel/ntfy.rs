//! ntfy: a push message to phones, published as JSON.

use std::time::Instant;

use serde_json::json;

use super::mood::{self, Mood};
use super::parts::in_parts;
use super::{Channel, Made, Means, digest, said, words};
use crate::outbox::entry::{ENTRIES, Entry, Outcome, What};
use crate::web::{Address, Missed, Web};
use pulse_echo_core::status::Fact;

/// The longest text, in bytes as JSON: by its default a server takes a text of 4,096 bytes, and twice as much JSON.
const ROOM: usize = 3_900;

struct Ntfy {
    web: Web,
    /// The server: the topic stands in the body.
    url: Address,
    topic: String,
    /// The header that proves who we are.
    authorization: Option<String>,
    click: Option<String>,
}

/// The channel for `NTFY_URL`, the server's address and a topic, with the access token `NTFY_TOKEN`. `NTFY_CLICK` is
/// the page that a tap on the message opens.
pub(super) fn channel(means: &Means) -> Made {
    let Some(topic_url) = Address::read(means.environment, "NTFY_URL")? else {
        return Ok(None);
    };
    let (url, topic) = topic_url.split_last().filter(|(_, topic)| is_topic(topic)).ok_or(
        "NTFY_URL cannot be used: it must end in a topic of at most 64 letters, digits, - and _, such as \
         https://ntfy.sh/my-alerts",
    )?;
    let token = means.environment.get("NTFY_TOKEN");
    if token.as_ref().is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
        return Err("NTFY_TOKEN cannot be used: an access token has no blanks, such as tk_…".into());
    }
    let click = Address::read(means.environment, "NTFY_CLICK")?.map(|url| url.as_str().to_string());
    let web = Web::to(&url, means.trust, means.environment);
    let authorization = token.map(|token| format!("Bearer {token}"));
    Ok(Some(Box::new(Ntfy { web, url, topic, authorization, click })))
}

impl Channel for Ntfy {
    fn name(&self) -> &'static str {
        "ntfy"
    }

    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome {
        // The text is cut, however many entries there are.
        in_parts(entries, ENTRIES, |_| 0, |entries| self.publish(entries, deadline))
    }
}

impl Ntfy {
    fn publish(&self, entries: &[Entry], deadline: Instant) -> Result<(), Missed> {
        let subject = words::subject(entries);
        let mut message = json!({
            "topic": self.topic,
            "title": subject.strip_prefix("pulse-echo: ").unwrap_or(&subject),
            "message": text(entries),
            "priority": priority(entries),
            "tags": [tag(mood::of(entries))],
            // The same message again takes the place of the first.
            "sequence_id": sequence(entries),
        });
        if let Some(click) = &self.click {
            message["click"] = json!(click);
        }
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(self.authorization.as_ref().map(|value| ("authorization", value.as_str())));
        said::taken(self.web.post(&self.url, &headers, message.to_string().as_bytes(), deadline)?)
    }
}

/// The message, which has at most [`ROOM`] bytes as JSON.
fn text(entries: &[Entry]) -> String {
    let quoted = |text: &str| json!(text).to_string();
    let escaped = words::message(entries, ROOM, |text| {
        let quoted = quoted(text);
        quoted[1..quoted.len() - 1].to_string()
    });
    let whole = format!("\"{}\"", escaped.replace('\n', "\\n"));
    serde_json::from_str(&whole).unwrap_or(escaped)
}

/// 5 is the highest: it rings on and on.
fn priority(entries: &[Entry]) -> u8 {
    let is = |fits: fn(&Fact) -> bool| {
        entries.iter().any(|entry| if let What::Fact(fact) = &entry.what { fits(fact) } else { false })
    };
    match mood::of(entries) {
        Mood::Bad if is(|fact| matches!(fact, Fact::ManyDown { .. })) => 5,
        // A reminder is no news.
        Mood::Bad if !is(|fact| !matches!(fact, Fact::StillDown { changed: false, .. })) => 3,
        Mood::Bad | Mood::Trouble => 4,
        Mood::Good => 3,
        Mood::Neutral => 2,
    }
}

/// Shown as an emoji.
fn tag(mood: Mood) -> &'static str {
    match mood {
        Mood::Bad => "rotating_light",
        Mood::Trouble => "warning",
        Mood::Good => "white_check_mark",
        Mood::Neutral => "information_source",
    }
}

/// A name for just these entries.
fn sequence(entries: &[Entry]) -> String {
    digest::of(entries.iter().map(|entry| entry.id.as_str()))[..32].into()
}

/// What ntfy allows, but for the words that are pages of its own.
fn is_topic(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

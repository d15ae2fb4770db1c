//! Slack, by an incoming webhook, with the origin's fields.

use std::time::Instant;

use serde_json::json;
use url::form_urlencoded::Serializer;

use super::mood::{self, Mood};
use super::parts::in_parts;
use super::said::reason;
use super::{Channel, Made, Means, words};
use crate::outbox::entry::{ENTRIES, Entry, Outcome};
use crate::web::{Address, Missed, Web};

/// The longest text, in bytes after escaping: Slack splits a text of more than 4,000 characters into several messages.
const ROOM: usize = 3_900;

struct Slack {
    web: Web,
    url: Address,
    channel: String,
    user: String,
}

/// The channel for `SLACK_URL`. It posts to `SLACK_CHANNEL` under the name `SLACK_USER`.
pub(super) fn channel(means: &Means) -> Made {
    let Some(url) = Address::read(means.environment, "SLACK_URL")? else {
        return Ok(None);
    };
    let or = |name, default: &str| means.environment.get(name).unwrap_or_else(|| default.into());
    let (channel, user) = (or("SLACK_CHANNEL", "#medical-check"), or("SLACK_USER", "medic"));
    let web = Web::to(&url, means.trust, means.environment);
    Ok(Some(Box::new(Slack { web, url, channel, user })))
}

impl Channel for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome {
        // The text is cut, however many entries there are.
        in_parts(entries, ENTRIES, |_| 0, |entries| self.post(entries, deadline))
    }
}

impl Slack {
    fn post(&self, entries: &[Entry], deadline: Instant) -> Result<(), Missed> {
        let mood = mood::of(entries);
        let text = words::message(entries, ROOM, escape);
        // A bar stands beside an attachment only. What matters is in the text: Slack folds long attachments, and some
        // receivers show none.
        let (text, foot) = text.rsplit_once('\n').unwrap_or((&text, "pulse-echo"));
        let payload = json!({
            "channel": self.channel,
            "username": self.user,
            "icon_emoji": if mood == Mood::Good { ":white_check_mark:" } else { ":exclamation:" },
            "text": text,
            "attachments": [{"color": colour(mood), "text": foot, "fallback": foot, "mrkdwn_in": ["text"]}],
            // A stranger may have written an address in a fault's reason: Slack must not fetch it for a preview.
            "unfurl_links": false,
            "unfurl_media": false,
        });
        let form = Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let mut answer = self.web.post(&self.url, &headers, form.as_bytes(), deadline)?;
        // Slack says `ok`; receivers that take Slack's messages say what they like.
        if answer.is_2xx() {
            return Ok(());
        }
        // Slack gives its reason in one word, such as `channel_not_found`. A longer text is not Slack's, and may repeat
        // the address.
        // Mattermost, Rocket.Chat and Zulip give theirs as JSON.
        let said = answer.text().ok().and_then(|said| if is_word(&said) { Some(said) } else { reason(&said) });
        Err(answer.refusal(&said.unwrap_or_default()))
    }
}

/// Escapes Slack's own markup: `<!channel>` in a name notifies nobody. An address of a stranger becomes no link: what
/// stands before its slashes keeps a word joiner, which is not seen.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace("://", ":\u{2060}//")
}

/// The bar's colour in hex: other receivers than Slack do not know its words.
fn colour(mood: Mood) -> &'static str {
    match mood {
        Mood::Bad => "#d00000",
        Mood::Trouble => "#daa038",
        Mood::Good => "#2eb886",
        Mood::Neutral => "#9e9e9e",
    }
}

fn is_word(text: &str) -> bool {
    text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

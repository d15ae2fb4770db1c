//! `PagerDuty`, by its Events API v2: one incident for each outage of a host, under a key of its own.

mod story;

use std::time::Instant;

use serde_json::{Value, json};

use super::{Channel, Made, Means, said};
use crate::outbox::entry::{Entry, Outcome};
use crate::web::{Address, Missed, Web};
use story::{Story, stories};

/// `PagerDuty`'s address, but for accounts in its service region EU.
const URL: &str = "https://events.pagerduty.com/v2/enqueue";

struct PagerDuty {
    web: Web,
    url: Address,
    /// The integration key of a service: a secret.
    key: String,
    /// What the incidents' keys begin with: another bucket may have a host of the same name.
    scope: String,
}

/// The channel for `PAGERDUTY_KEY`, at `PAGERDUTY_URL` if that is set.
pub(super) fn channel(means: &Means) -> Made {
    let Some(key) = means.environment.get("PAGERDUTY_KEY") else {
        return Ok(None);
    };
    if key.len() > 100 || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(
            "PAGERDUTY_KEY cannot be used: it must be the integration key of a service's integration \"Events \
                    API v2\", of 32 letters and digits"
                .into(),
        );
    }
    let url = match Address::read(means.environment, "PAGERDUTY_URL")? {
        Some(url) if url.is_bare() => url.below("v2/enqueue"),
        Some(url) => url,
        None => Address::parse(URL)?,
    };
    let web = Web::to(&url, means.trust, means.environment);
    let scope = means.environment.get("BUCKET").unwrap_or_default();
    Ok(Some(Box::new(PagerDuty { web, url, key, scope })))
}

impl Channel for PagerDuty {
    fn name(&self) -> &'static str {
        "pagerduty"
    }

    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome {
        let mut wave = entries.iter().position(story::is_wave);
        for story in stories(entries, &self.scope) {
            if let Err(Missed { sure, for_good, after, why }) = self.tell(&story, deadline) {
                // What comes before the story's first entry was taken: the wave once an incident has its line.
                let taken = wave.map_or(story.first, |wave| wave.min(story.first));
                return match (for_good, sure) {
                    (true, _) => Outcome::Refused { taken, why },
                    (false, true) => Outcome::NotTaken { taken, after, why },
                    (false, false) => Outcome::Ambiguous { taken, why },
                };
            }
            if story.has_wave {
                wave = None;
            }
        }
        Outcome::Taken
    }

    fn sums_up(&self) -> bool {
        false
    }
}

impl PagerDuty {
    /// Sends a story's events, one by one.
    fn tell(&self, story: &Story, deadline: Instant) -> Result<(), Missed> {
        let mut event = json!({"routing_key": self.key, "dedup_key": story.key, "payload": story.payload});
        for action in story.actions {
            event["event_action"] = json!(action);
            self.post(&event, deadline)?;
        }
        Ok(())
    }

    fn post(&self, event: &Value, deadline: Instant) -> Result<(), Missed> {
        let headers = [("content-type", "application/json")];
        said::taken(self.web.post(&self.url, &headers, event.to_string().as_bytes(), deadline)?)
    }
}

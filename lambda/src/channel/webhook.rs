//! A JSON webhook: one POST with one JSON object on one line, as in `docs/webhook.schema.json`.

use std::time::Instant;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::json::{MORE_HOSTS, events, size};
use super::parts::{BYTES, PART, in_parts};
use super::{Channel, Made, Means, in_words};
use crate::outbox::entry::{Entry, Outcome};
use crate::web::{Address, Missed, Web};

/// The version of the posted format. It changes when receivers must change.
const VERSION: u32 = 1;

struct Webhook {
    web: Web,
    url: Address,
    secret: Option<String>,
}

/// The channel for `WEBHOOK_URL`, signed with `WEBHOOK_SECRET` if that is set.
pub(super) fn channel(means: &Means) -> Made {
    let Some(url) = Address::read(means.environment, "WEBHOOK_URL")? else {
        return Ok(None);
    };
    let web = Web::to(&url, means.trust, means.environment);
    Ok(Some(Box::new(Webhook { web, url, secret: means.environment.get("WEBHOOK_SECRET") })))
}

impl Channel for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome {
        in_parts(entries, PART, size, |part| self.post(part, deadline))
    }
}

impl Webhook {
    /// Posts these entries: in one request, but for a summary of very many hosts.
    fn post(&self, entries: &[Entry], deadline: Instant) -> Result<(), Missed> {
        let mut text = in_words(entries);
        let events: Vec<_> = entries.iter().flat_map(events).collect();
        let mut rest = events.as_slice();
        while let Some((first, others)) = rest.split_first() {
            let mut bytes = first.len();
            let fits = |event: &&String| {
                bytes += event.len() + 1;
                bytes <= BYTES
            };
            let (part, after) = rest.split_at(1 + others.iter().take_while(fits).count());
            self.post_events(&text, part, deadline)?;
            rest = after;
            // Who shows the text has seen it.
            text = MORE_HOSTS.into();
        }
        Ok(())
    }

    fn post_events(&self, text: &str, events: &[String], deadline: Instant) -> Result<(), Missed> {
        let body = format!("{{\"version\":{VERSION},\"text\":{},\"events\":[{}]}}", json!(text), events.join(","));
        let signature = self.secret.as_ref().map(|secret| signature(secret, body.as_bytes()));
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(signature.as_ref().map(|signature| ("x-signature", signature.as_str())));
        self.web.post(&self.url, &headers, body.as_bytes(), deadline)?.taken_if_2xx()
    }
}

/// `sha256=` and the HMAC-SHA256 of the body in hex: it proves to a receiver with the secret that we sent this body.
fn signature(secret: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key may have any length");
    let digest = mac.chain_update(body).finalize().into_bytes();
    digest.iter().fold("sha256=".into(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let jefe = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature("Jefe", b"what do ya want for nothing?"), format!("sha256={jefe}"));
    }
}

//! Events, recorded with the PUT that caused them, until they are dealt with.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use pulse_echo_core::pulse::SIZE_LIMIT;

use crate::s3::notification::Kind;

/// An event that the handler has not dealt with yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// Its place among all events of this store. It is not written, since it is the record's key.
    #[serde(skip)]
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    pub(crate) key: String,
    /// In bytes.
    pub(crate) size: u64,
    /// Without quotes.
    pub(crate) etag: String,
    /// By the server's clock, in milliseconds since 1970.
    pub(crate) time_ms: i64,
    /// Whether it is a pulse with a URL. Records from before this was noted may be.
    #[serde(default = "maybe")]
    pub(crate) has_url: bool,
    #[serde(flatten)]
    pub(crate) origin: Origin,
}

/// The request behind a change.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) request_id: String,
    pub(crate) source_ip: String,
}

fn maybe() -> bool {
    true
}

/// Whether a body is a pulse with a URL, as far as it takes to say how long its answer may take.
pub(crate) fn has_url(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Url {
        url: Option<IgnoredAny>,
    }
    // A longer one is no pulse: it is answered unread.
    body.len() as u64 <= SIZE_LIMIT && serde_json::from_slice::<Url>(body).is_ok_and(|pulse| pulse.url.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_with_a_url_is_told_from_all_else() {
        let long = format!("{{\"url\": \"https://example.com/\"{}}}", " ".repeat(SIZE_LIMIT.try_into().unwrap()));
        for (body, wanted) in [
            ("{\"url\": \"https://a/\"}", true),
            ("{\"url\": null}", false),
            ("{}", false),
            ("", false),
            (&long, false),
        ] {
            assert_eq!(has_url(body.as_bytes()), wanted, "{} bytes", body.len());
        }
    }
}

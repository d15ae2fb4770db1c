//! The probe's answers to a pulse: an echo, or a fault that says why not.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::json;
use crate::metadata::{Metadata, hex, number, present};

/// The longest text of a fault, in bytes.
const TEXT_LIMIT: usize = 256;

/// An echo: its body is [`Echo::BODY`], all else is metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Echo {
    /// `pulse-id` of the pulse that this answers, if it had one.
    pub pulse_id: Option<String>,
    /// `pulse-at`: when the store took the pulse that this answers.
    pub pulse_at: Time,
    /// `instance` of the machine that sent the pulse, if it said so.
    pub instance: Option<String>,
    /// `probed-at`, by the probe's clock: for people, never for a decision.
    pub probed_at: Time,
    /// `status` that the service answered; `None` where nothing was fetched.
    pub status: Option<u16>,
    /// `latency-ms`: how long the service took, in milliseconds.
    pub latency_ms: Option<u64>,
    /// `cert-days`: how many more days the certificate is valid.
    pub cert_days: Option<i64>,
}

impl Echo {
    /// The body of every echo.
    pub const BODY: &'static [u8] = b"ok";

    /// The metadata to put.
    pub fn to_metadata(&self) -> Metadata {
        present([
            ("pulse-id", self.pulse_id.clone()),
            ("pulse-at", Some(self.pulse_at.into())),
            ("instance", self.instance.clone()),
            ("probed-at", Some(self.probed_at.into())),
            ("status", self.status.map(|status| status.to_string())),
            ("latency-ms", self.latency_ms.map(|ms| ms.to_string())),
            ("cert-days", self.cert_days.map(|days| days.to_string())),
        ])
    }

    /// Reads an echo's metadata. Where a time is missing, as in an echo that another program put, the object's own time
    /// is used.
    pub fn from_metadata(metadata: &Metadata, last_modified: Time) -> Self {
        let time = |name| metadata.get(name).and_then(|text| Time::from_rfc3339(text)).unwrap_or(last_modified);
        Self {
            pulse_id: hex(metadata, "pulse-id"),
            pulse_at: time("pulse-at"),
            instance: hex(metadata, "instance"),
            probed_at: time("probed-at"),
            status: number(metadata, "status"),
            latency_ms: number(metadata, "latency-ms"),
            cert_days: number(metadata, "cert-days"),
        }
    }
}

/// A fault: why the newest probe failed. Texts are cut at 256 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// One sentence that a person understands at once.
    pub reason: String,
    /// What kind of failure it is.
    pub cause: Cause,
    /// What the pulse expected; `None` where nothing came to compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What came instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
    /// The status code, if an answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long the fetch took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// The id of the pulse that this answers, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulse_id: Option<String>,
    /// When the store took the pulse that this answers.
    pub pulse_at: Time,
    /// What was fetched; `None` if the pulse could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Fault {
    /// Makes a fault of this cause for the pulse that the store took at `pulse_at`. All optional fields are empty.
    pub fn new(cause: Cause, reason: impl Into<String>, pulse_at: Time) -> Self {
        Self {
            reason: reason.into(),
            cause,
            expected: None,
            got: None,
            status: None,
            latency_ms: None,
            pulse_id: None,
            pulse_at,
            url: None,
        }
    }

    /// The body to put, its texts cut.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.clone().cut()).expect("a fault is plain data")
    }

    /// Reads a fault. Anybody may have put it, so its texts are cut. Unknown fields are ignored.
    pub fn from_json(body: &[u8]) -> Result<Self, json::Error> {
        json::from_slice(body).map(Self::cut).map_err(json::Error::from)
    }

    fn cut(self) -> Self {
        let cut = |text: Option<String>| text.map(|text| cut(&text).to_string());
        Self {
            reason: self::cut(&self.reason).into(),
            expected: cut(self.expected),
            got: cut(self.got),
            url: cut(self.url),
            ..self
        }
    }
}

/// What kind of failure a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The host's name did not resolve.
    Dns,
    /// No connection, or it broke before the answer came.
    Connect,
    /// No trusted TLS connection.
    Tls,
    /// No whole answer in time.
    Timeout,
    /// The probe may not go there.
    Blocked,
    /// Another status code than expected.
    Status,
    /// Another body than expected.
    Body,
    /// As expected, but too late.
    Latency,
    /// The certificate is valid for too few days.
    Cert,
    /// The job that the agent ran failed.
    Job,
    /// A vital of the host is beyond the pulse's limit.
    Vitals,
    /// The pulse itself cannot be understood.
    InvalidPulse,
    /// A cause that only a newer probe knows.
    #[serde(other)]
    Other,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Cuts `text` to at most 256 bytes, on a character boundary.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_LIMIT)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        Time::from_rfc3339(text).unwrap()
    }

    #[test]
    fn an_echo_comes_back_from_its_metadata() {
        let echo = Echo {
            pulse_id: Some("0123456789abcdef0123456789abcdef".into()),
            pulse_at: time("2026-11-21T08:00:00Z"),
            instance: Some("00ff".into()),
            probed_at: time("2026-11-21T08:00:01Z"),
            status: Some(200),
            latency_ms: Some(84),
            cert_days: Some(-3),
        };
        let metadata = echo.to_metadata();
        assert_eq!(metadata["pulse-at"], "2026-11-21T08:00:00Z");
        assert_eq!(metadata["latency-ms"], "84");
        assert_eq!(Echo::from_metadata(&metadata, time("2030-01-01T00:00:00Z")), echo);
    }

    #[test]
    fn an_echo_without_metadata_answers_what_was_there_when_it_came() {
        let now = time("2026-11-21T08:00:00Z");
        let echo = Echo::from_metadata(&Metadata::new(), now);
        assert_eq!((echo.pulse_at, echo.pulse_id), (now, None));
    }

    #[test]
    fn a_fault_is_json_with_the_contracts_names() {
        let fault = Fault {
            reason: "status 500, expected 200".into(),
            cause: Cause::Status,
            expected: Some("200".into()),
            got: Some("500".into()),
            status: Some(500),
            latency_ms: Some(12),
            pulse_id: None,
            pulse_at: time("2026-11-21T08:00:00Z"),
            url: Some("https://example.com/".into()),
        };
        let json = String::from_utf8(fault.to_json()).unwrap();
        assert_eq!(
            json,
            "{\"reason\":\"status 500, expected 200\",\"cause\":\"status\",\"expected\":\"200\",\"got\":\"500\",\
             \"status\":500,\"latency_ms\":12,\"pulse_at\":\"2026-11-21T08:00:00Z\",\"url\":\"https://example.com/\"}"
        );
        assert_eq!(Fault::from_json(json.as_bytes()).unwrap(), fault);
    }

    #[test]
    fn a_fault_of_a_newer_probe_is_still_read() {
        let json = "{\"reason\":\"r\",\"cause\":\"moon\",\"pulse_at\":\"2026-11-21T08:00:00Z\",\"new\":1}";
        assert_eq!(Fault::from_json(json.as_bytes()).unwrap().cause, Cause::Other);
        assert_eq!(Cause::InvalidPulse.to_string(), "invalid-pulse");
    }

    #[test]
    fn a_strangers_fault_is_cut_as_ours_are() {
        let json = format!(
            "{{\"reason\":\"{}\",\"cause\":\"body\",\"pulse_at\":\"2026-11-21T08:00:00Z\"}}",
            "x".repeat(9_000)
        );
        assert_eq!(Fault::from_json(json.as_bytes()).unwrap().reason.len(), 256);
    }

    #[test]
    fn texts_are_cut_at_256_bytes_on_a_character_boundary() {
        assert_eq!(cut(&"x".repeat(300)).len(), 256);
        assert_eq!(cut(&format!("x{}", "é".repeat(200))).len(), 255);
        assert_eq!(cut("short"), "short");
    }
}

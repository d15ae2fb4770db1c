//! The pulse: what a host asks the probe to fetch, and what answer it expects.

mod status_codes;

use std::time::Duration;

use serde::de::{Error as _, MapAccess};
use url::Url;

use crate::clock::Time;
use crate::http::url::web_url;
use crate::json::{self, Unknown, Whole};
use crate::metadata::{Metadata, hex, present};
use crate::text::prints;
use crate::vitals::{VitalLimits, Vitals};
use status_codes::StatusCodes;

/// The largest pulse, in bytes.
pub const SIZE_LIMIT: u64 = 64 * 1024;

/// How long a pulse may wait for its answer before our probe is in trouble.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(5 * 60);

const MONTH_S: u32 = 32 * 24 * 3600;
const MAX_LATENCY_MS: Whole = Whole { unit: "milliseconds", min: 1, max: 60_000 };
const MIN_CERT_DAYS: Whole = Whole { unit: "days", min: 1, max: 3_650 };
const TIMEOUT_S: Whole = Whole { unit: "seconds", min: 1, max: 60 };
const REDIRECTS: Whole = Whole { unit: "", min: 0, max: 5 };
const EVERY_S: Whole = Whole { unit: "seconds", min: 15, max: MONTH_S };
const GRACE_S: Whole = Whole { unit: "seconds", min: 0, max: MONTH_S };
const MISSED: Whole = Whole { unit: "", min: 1, max: 100 };
const FAULTS_IN_ROW: Whole = Whole { unit: "", min: 1, max: 100 };
const MIN_DISK_FREE_PCT: Whole = Whole { unit: "percent", min: 1, max: 100 };
const MIN_MEM_AVAILABLE_MIB: Whole = Whole { unit: "MiB", min: 1, max: 16_777_216 };
const MAX_LOAD1: Whole = Whole { unit: "", min: 1, max: 10_000 };

/// A pulse's body. All fields are optional in the file; a field that is present is an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// What to fetch, by http or https. Without a URL the pulse itself is the sign of life.
    pub url: Option<Url>,
    /// The exact response body.
    pub body: Option<String>,
    /// Text that the response body must contain.
    pub contains: Option<String>,
    /// The expected status codes.
    pub status: Option<Vec<u16>>,
    /// The time within which the answer must be complete, in milliseconds.
    pub max_latency_ms: Option<u32>,
    /// For how many more days the certificate must be valid (https only).
    pub min_cert_days: Option<u32>,
    /// After how many seconds to give up; see [`Pulse::timeout`].
    pub timeout_s: Option<u32>,
    /// How many redirects to follow.
    pub redirects: u32,
    /// How often the host promises a pulse, in seconds.
    pub every_s: u32,
    /// How late it may be, in seconds.
    pub grace_s: u32,
    /// How many pulses in a row must be missed for `silent`.
    pub missed: u32,
    /// How many pulses in a row must fail for an outage; `None` leaves it to the loop's `FAULTS_IN_ROW`.
    pub faults_in_row: Option<u32>,
    /// The limits of the host's own vitals. They need no URL.
    pub vitals: VitalLimits,
}

impl Default for Pulse {
    fn default() -> Self {
        Self {
            url: None,
            body: None,
            contains: None,
            status: None,
            max_latency_ms: None,
            min_cert_days: None,
            timeout_s: None,
            redirects: 0,
            every_s: 600,
            grace_s: 300,
            missed: 1,
            faults_in_row: None,
            vitals: VitalLimits::default(),
        }
    }
}

impl Pulse {
    /// Reads a pulse and checks that its fields fit together.
    ///
    /// The agent refuses unknown fields; the probe ignores them, since a newer agent must not break an older probe.
    pub fn parse(text: &[u8], unknown: Unknown) -> Result<Self, json::Error> {
        let pulse: Self = json::read(text, unknown)?;
        match pulse.misfit() {
            None => Ok(pulse),
            Some((field, why)) => Err(json::Error::of_field(text, field, why)),
        }
    }

    /// The first field that does not fit the others, and why not.
    fn misfit(&self) -> Option<(&'static str, String)> {
        let half = self.every_s / 2;
        if self.timeout_s.is_some_and(|timeout| timeout > half) {
            let why = format!("it may be at most half of every_s ({}), so at most {half}", self.every_s);
            return Some(("timeout_s", why));
        }
        let Some(url) = &self.url else {
            let expectations = [
                ("body", self.body.is_some()),
                ("contains", self.contains.is_some()),
                ("status", self.status.is_some()),
                ("max_latency_ms", self.max_latency_ms.is_some()),
                ("min_cert_days", self.min_cert_days.is_some()),
            ];
            let (field, _) = expectations.into_iter().find(|&(_, present)| present)?;
            return Some((field, "nothing is fetched without a url, so there is nothing to expect".into()));
        };
        if self.min_cert_days.is_some() && url.scheme() != "https" {
            return Some(("min_cert_days", "the url is http, which has no certificate; only https has".into()));
        }
        None
    }

    /// When the probe gives up, a second try included: `timeout_s`, by default 10 s or half of `every_s`.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s.unwrap_or((self.every_s / 2).min(10)).into())
    }

    /// How old a pulse may become before its host is silent: `every_s × missed + grace_s`.
    pub fn limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.every_s) * u64::from(self.missed) + u64::from(self.grace_s))
    }
}

impl json::Object for Pulse {
    const WHAT: &'static str = "a pulse";
    const FIELDS: &'static [&'static str] = &[
        "url",
        "body",
        "contains",
        "status",
        "max_latency_ms",
        "min_cert_days",
        "timeout_s",
        "redirects",
        "every_s",
        "grace_s",
        "missed",
        "faults_in_row",
        "min_disk_free_pct",
        "min_mem_available_mib",
        "max_load1",
    ];

    fn read<'de, A: MapAccess<'de>>(&mut self, field: &str, map: &mut A) -> Result<(), A::Error> {
        match field {
            "url" => self.url = Some(web_url(&map.next_value::<String>()?).map_err(A::Error::custom)?),
            "body" => self.body = Some(map.next_value()?),
            "contains" => self.contains = Some(map.next_value()?),
            "status" => self.status = Some(map.next_value_seed(StatusCodes)?),
            "max_latency_ms" => self.max_latency_ms = Some(map.next_value_seed(&MAX_LATENCY_MS)?),
            "min_cert_days" => self.min_cert_days = Some(map.next_value_seed(&MIN_CERT_DAYS)?),
            "timeout_s" => self.timeout_s = Some(map.next_value_seed(&TIMEOUT_S)?),
            "redirects" => self.redirects = map.next_value_seed(&REDIRECTS)?,
            "every_s" => self.every_s = map.next_value_seed(&EVERY_S)?,
            "grace_s" => self.grace_s = map.next_value_seed(&GRACE_S)?,
            "missed" => self.missed = map.next_value_seed(&MISSED)?,
            "faults_in_row" => self.faults_in_row = Some(map.next_value_seed(&FAULTS_IN_ROW)?),
            "min_disk_free_pct" => self.vitals.min_disk_free_pct = Some(map.next_value_seed(&MIN_DISK_FREE_PCT)?),
            "min_mem_available_mib" => {
                self.vitals.min_mem_available_mib = Some(map.next_value_seed(&MIN_MEM_AVAILABLE_MIB)?);
            }
            "max_load1" => self.vitals.max_load1 = Some(map.next_value_seed(&MAX_LOAD1)?),
            other => unreachable!("{other} is not in FIELDS"),
        }
        Ok(())
    }
}

/// The sending of a pulse, from its metadata. The body does not change, so only this tells two pulses apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sending {
    /// `pulse-id`: 128 random bits in hex.
    pub pulse_id: Option<String>,
    /// `sent-at`, by the host's own clock: for people, never for a decision.
    pub sent_at: Option<Time>,
    /// `agent`: name and version of the program that sent it.
    pub agent: Option<String>,
    /// `instance`: tells apart two machines with the same name; hex.
    pub instance: Option<String>,
    /// The machine's vitals.
    pub vitals: Vitals,
}

impl Sending {
    /// The metadata to put.
    pub fn to_metadata(&self) -> Metadata {
        let entries = [
            ("pulse-id", self.pulse_id.clone()),
            ("sent-at", self.sent_at.map(String::from)),
            ("agent", self.agent.clone()),
            ("instance", self.instance.clone()),
        ];
        let mut metadata = present(entries);
        metadata.extend(self.vitals.to_metadata());
        metadata
    }

    /// Reads metadata that anybody may have put: a value of the wrong form counts as missing.
    pub fn from_metadata(metadata: &Metadata) -> Self {
        Self {
            pulse_id: hex(metadata, "pulse-id"),
            sent_at: metadata.get("sent-at").and_then(|text| Time::from_rfc3339(text)),
            agent: metadata.get("agent").filter(|text| text.len() <= 64 && text.chars().all(prints)).cloned(),
            instance: hex(metadata, "instance"),
            vitals: Vitals::from_metadata(metadata),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Pulse, String> {
        Pulse::parse(text.as_bytes(), Unknown::Refused).map_err(|error| error.to_string())
    }

    #[test]
    fn the_origins_two_fields_are_a_whole_pulse() {
        let pulse = parse("{\"url\": \"https://example.com/health\", \"body\": \"ok\"}").unwrap();
        assert_eq!(pulse.url.as_ref().unwrap().as_str(), "https://example.com/health");
        assert_eq!(pulse.body.as_deref(), Some("ok"));
        assert_eq!(pulse.timeout(), Duration::from_secs(10));
        assert_eq!(pulse.limit(), Duration::from_secs(15 * 60));
        assert_eq!(pulse.redirects, 0);
    }

    #[test]
    fn an_empty_object_is_a_bare_sign_of_life() {
        assert_eq!(parse("{}").unwrap(), Pulse::default());
    }

    #[test]
    fn both_ends_of_each_range_are_inside_and_the_next_number_is_outside() {
        for (field, min, max) in [
            ("status", 100, 599),
            ("max_latency_ms", 1, 60_000),
            ("min_cert_days", 1, 3_650),
            ("timeout_s", 1, 60),
            ("redirects", 0, 5),
            ("every_s", 15, 32 * 86_400),
            ("grace_s", 0, 32 * 86_400),
            ("missed", 1, 100),
            ("faults_in_row", 1, 100),
            ("min_disk_free_pct", 1, 100),
            ("min_mem_available_mib", 1, 16_777_216),
            ("max_load1", 1, 10_000),
        ] {
            let with = |value: i64| parse(&format!("{{\"url\": \"https://a/\", \"{field}\": {value}}}"));
            for value in [min, max] {
                assert!(with(value).is_ok(), "{field} = {value}: {:?}", with(value));
            }
            for value in [min - 1, max + 1] {
                let error = with(value).unwrap_err();
                assert!(error.starts_with(&format!("{field}: ")), "{field} = {value}: {error}");
            }
        }
    }

    #[test]
    fn status_is_a_code_or_a_list_of_codes() {
        let status = |value: &str| parse(&format!("{{\"url\": \"http://a/\", \"status\": {value}}}"));
        assert_eq!(status("204").unwrap().status, Some(vec![204]));
        assert_eq!(status("[200, 301]").unwrap().status, Some(vec![200, 301]));
        for bad in ["[]", "[99]", "\"200\"", "[\"200\"]", "{}"] {
            let error = status(bad).unwrap_err();
            assert!(error.starts_with("status: "), "{bad}: {error}");
        }
    }

    #[test]
    fn no_expectation_may_stand_without_a_url() {
        for field in ["\"body\": \"\"", "\"contains\": \"x\"", "\"status\": 200", "\"max_latency_ms\": 5"] {
            let error = parse(&format!("{{\n {field}}}")).unwrap_err();
            assert!(error.contains("without a url") && error.contains("(line 2, column 2)"), "{error}");
        }
        assert!(parse("{\"every_s\": 60, \"grace_s\": 0, \"missed\": 3}").is_ok());
        let limits = "{\"min_disk_free_pct\": 10, \"min_mem_available_mib\": 64, \"max_load1\": 32}";
        let vitals = VitalLimits { min_disk_free_pct: Some(10), min_mem_available_mib: Some(64), max_load1: Some(32) };
        assert_eq!(parse(limits).unwrap(), Pulse { vitals, ..Pulse::default() }, "vitals need no url");
    }

    #[test]
    fn the_time_out_is_at_most_half_of_the_interval() {
        assert_eq!(parse("{\"every_s\": 15}").unwrap().timeout(), Duration::from_secs(7));
        assert!(parse("{\"every_s\": 40, \"url\": \"http://a/\", \"timeout_s\": 20}").is_ok());
        let error = parse("{\"every_s\": 40, \"url\": \"http://a/\", \"timeout_s\": 21}").unwrap_err();
        assert!(error.starts_with("timeout_s: it may be at most half of every_s (40), so at most 20"), "{error}");
        assert!(parse("{\"every_s\": 15, \"timeout_s\": 8}").is_err(), "without a url, too");
    }

    #[test]
    fn only_https_has_a_certificate_whose_days_can_be_asked_for() {
        assert_eq!(parse("{\"url\": \"HTTPS://a/\", \"min_cert_days\": 14}").unwrap().min_cert_days, Some(14));
        let error = parse("{\"url\": \"http://a/\", \"min_cert_days\": 14}").unwrap_err();
        assert!(error.starts_with("min_cert_days: the url is http, which has no certificate"), "{error}");
    }

    #[test]
    fn a_url_is_http_or_https_and_has_no_credentials() {
        for (url, why) in [
            ("example.com", "begin with http"),
            ("ftp://example.com/", "scheme is \"ftp\""),
            ("file:///etc/passwd", "scheme is \"file\""),
            ("https://user:pw@example.com/", "credentials"),
            ("https://user@example.com/", "credentials"),
            ("http://", "no URL; it has no host"),
            ("http://a:99999/", "no URL; its port is no number"),
            ("https://xn--a.example/", "its host is not a valid name; write one such as www"),
        ] {
            let error = parse(&format!("{{\"url\": \"{url}\"}}")).unwrap_err();
            assert!(error.starts_with("url: ") && error.contains(why), "{url}: {error}");
            assert!(!error.contains("pw"), "{error}");
        }
    }

    #[test]
    fn the_sendings_metadata_come_back_and_foreign_ones_are_not_believed() {
        let sending = Sending {
            pulse_id: Some("0123456789abcdef0123456789abcdef".into()),
            sent_at: Time::from_rfc3339("2026-11-21T08:27:27Z"),
            agent: Some("pulse-echo/0.1.0".into()),
            instance: Some("00ff".into()),
            vitals: Vitals { load1: Some(0.25), ..Vitals::default() },
        };
        assert_eq!(Sending::from_metadata(&sending.to_metadata()), sending);
        let foreign = [("pulse-id", "x\u{1b}[2J"), ("sent-at", "soon"), ("agent", "a\u{1b}[2J"), ("instance", "")];
        let foreign = foreign.map(|(name, value)| (name.to_string(), value.to_string())).into();
        assert_eq!(Sending::from_metadata(&foreign), Sending::default());
    }
}

//! A mute, `mute/<id>.json`: no messages about a check for a while; and an acknowledgement, `mute/<id>.ack`: no
//! reminders of one outage.

use std::time::Duration;

use serde::Serialize;
use serde::de::MapAccess;

use crate::clock::Time;
use crate::json::{self, Unknown, Whole};

/// The largest mute or acknowledgement that is read, in bytes.
pub const SIZE_LIMIT: u64 = 64 * 1024;

/// For how long a check may be muted: at most a year. Retire a check rather than mute it for longer.
pub const FOR_S: Whole = Whole { unit: "seconds", min: 1, max: 366 * 24 * 3600 };

/// The mute that an operator wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mute {
    /// For how many seconds, from when the store took it; at least 1.
    pub for_s: u32,
    /// The reason, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who put it, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl Mute {
    /// Reads a mute; unknown fields are ignored. The error names the field.
    pub fn from_json(text: &[u8]) -> Result<Self, json::Error> {
        let mute: Self = json::read(text, Unknown::Ignored)?;
        match mute.for_s {
            0 => Err(json::Error::of_field(text, "for_s", "it is missing; how long is it to last?")),
            _ => Ok(mute),
        }
    }

    /// The body to put.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a mute is plain data")
    }

    /// How long the mute lasts.
    pub fn lasts(&self) -> Duration {
        Duration::from_secs(self.for_s.into())
    }
}

/// The acknowledgement that an operator wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ack {
    /// When the outage began; `None` acknowledges nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outage: Option<Time>,
    /// Why no reminders are wanted, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who takes care, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl Ack {
    /// Reads an acknowledgement; unknown fields are ignored. The error names the field.
    pub fn from_json(text: &[u8]) -> Result<Self, json::Error> {
        let ack: Self = json::read(text, Unknown::Ignored)?;
        match ack.outage {
            None => Err(json::Error::of_field(text, "outage", "it is missing; when did the outage begin?")),
            Some(_) => Ok(ack),
        }
    }

    /// The body to put.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an acknowledgement is plain data")
    }
}

impl json::Object for Ack {
    const WHAT: &'static str = "an acknowledgement";
    const FIELDS: &'static [&'static str] = &["outage", "reason", "by"];

    fn read<'de, A: MapAccess<'de>>(&mut self, field: &str, map: &mut A) -> Result<(), A::Error> {
        match field {
            "outage" => self.outage = map.next_value()?,
            "reason" => self.reason = map.next_value()?,
            _ => self.by = map.next_value()?,
        }
        Ok(())
    }
}

impl json::Object for Mute {
    const WHAT: &'static str = "a mute";
    const FIELDS: &'static [&'static str] = &["for_s", "reason", "by"];

    fn read<'de, A: MapAccess<'de>>(&mut self, field: &str, map: &mut A) -> Result<(), A::Error> {
        match field {
            "for_s" => self.for_s = map.next_value_seed(&FOR_S)?,
            "reason" => self.reason = map.next_value()?,
            _ => self.by = map.next_value()?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mute_comes_back_and_needs_no_reason() {
        let mute = Mute { for_s: 7_200, reason: Some("new disks".into()), by: Some("me".into()) };
        assert_eq!(mute.to_json(), b"{\"for_s\":7200,\"reason\":\"new disks\",\"by\":\"me\"}");
        assert_eq!(Mute::from_json(&mute.to_json()).unwrap(), mute);
        let plain = Mute { for_s: 60, reason: None, by: None };
        assert_eq!(Mute::from_json(b"{\"for_s\": 60, \"since\": \"now\"}").unwrap(), plain);
    }

    #[test]
    fn an_acknowledgement_comes_back_and_is_of_an_outage() {
        let outage = Time::from_rfc3339("2026-11-21T08:27:27Z");
        let ack = Ack { outage, reason: Some("new disks".into()), by: Some("me@ops".into()) };
        let json = b"{\"outage\":\"2026-11-21T08:27:27Z\",\"reason\":\"new disks\",\"by\":\"me@ops\"}";
        assert_eq!(ack.to_json(), json);
        assert_eq!(Ack::from_json(json).unwrap(), ack);
        for text in ["{}", "{\"outage\": null}", "{\"outage\": \"soon\"}", "{\"outage\": 7}", "yes", ""] {
            let error = Ack::from_json(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("outage") || !text.starts_with('{'), "{text}: {error}");
        }
    }

    #[test]
    fn a_mute_without_an_end_is_none() {
        for text in ["{}", "{\"for_s\": 0}", "{\"for_s\": \"2h\"}", "{\"for_s\": 99999999}", "2h", ""] {
            let error = Mute::from_json(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("for_s") || !text.starts_with('{'), "{text}: {error}");
        }
    }
}

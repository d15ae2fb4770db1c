//! The mark, `loop/Update.json`: how fresh the last sweep is, and which tick may continue.
//!
//! Hosts and loops of other versions read it: unknown fields are ignored, and any field may be missing.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::json;

/// The largest mark that is read, in bytes.
pub const SIZE_LIMIT: u64 = 64 * 1024;

/// What the loop says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mark {
    /// The format's version; see [`Mark::VERSION`].
    pub version: u32,
    /// The number of the only tick that may continue. It moves only with a queue; `None` in a mark of an older loop.
    pub tick: Option<u64>,
    /// How often the loop means to sweep, in seconds.
    pub tick_s: Option<u32>,
    /// When `tick` last moved. A chain that stands still is revived, even if sweeps go on changing the mark. Absent
    /// without a queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticked: Option<Time>,
    /// The newest `Start.lambda` that was seen: the start of the running chain of ticks.
    pub started: Option<Time>,
    /// Since when the loop is stopped; `None` while it runs.
    pub stopped: Option<Time>,
    /// The `Stop.lambda` that a later start ended although their times do not show it, since the store's clock was
    /// ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overruled: Option<Time>,
    /// The same of a lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overruled_lock: Option<Time>,
    /// When the queue was last purged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purged: Option<Time>,
    /// The *now* of the last sweep that was completed: the only sign of life.
    pub swept: Option<Time>,
    /// How long that sweep took, in milliseconds.
    pub took_ms: Option<u64>,
    /// For how many seconds the oldest due message has waited; absent until these are 900.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owed_s: Option<u64>,
    /// The names of the channels that the loop is set to use; empty if it tells nobody. Absent in a mark of an older
    /// loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<BTreeSet<String>>,
    /// Which channels were told that `status.json` cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<StatusTold>,
    /// The id of this write: 128 random bits in hex, new for each write. After a lost answer, reading it back shows who
    /// won. An invocation's id would not do: Lambda's retries repeat it, and one invocation may write twice.
    pub by: Option<String>,
}

/// Which channels were told that `status.json` has a newer format or is too large. `status.json` must not be
/// overwritten then, so it cannot keep this itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StatusTold {
    /// The `ETag` of that `status.json`, quotes included.
    pub etag: String,
    /// The channels that took the message.
    pub channels: BTreeSet<String>,
}

impl Mark {
    /// The version that this program writes. Later versions only add fields.
    pub const VERSION: u32 = 1;

    /// How long the loop may go without a completed sweep; after that it is stale. A mark without an interval is read
    /// as one sweep a minute.
    pub fn stale_after(&self) -> Duration {
        stale_after(self.tick_s.unwrap_or(60))
    }

    /// Reads a mark. The error is serde's, without the file's name.
    pub fn from_json(text: &[u8]) -> Result<Self, json::Error> {
        json::from_slice(text).map_err(json::Error::from)
    }

    /// The body to put.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a mark is plain data")
    }
}

/// How long a loop that sweeps every `tick_s` seconds may go without a completed sweep; after that it is stale. It is
/// three ticks, and at least five minutes.
pub fn stale_after(tick_s: u32) -> Duration {
    Duration::from_secs((3 * u64::from(tick_s)).max(300))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_json_with_the_contracts_names() {
        let time = |text| Time::from_rfc3339(text);
        let mark = Mark {
            version: Mark::VERSION,
            tick: Some(7),
            tick_s: Some(60),
            started: time("2026-11-21T08:00:00Z"),
            stopped: None,
            swept: time("2026-11-21T08:01:00Z"),
            took_ms: Some(420),
            by: Some("0123456789abcdef0123456789abcdef".into()),
            ..Mark::default()
        };
        let json = String::from_utf8(mark.to_json()).unwrap();
        assert_eq!(
            json,
            "{\"version\":1,\"tick\":7,\"tick_s\":60,\"started\":\"2026-11-21T08:00:00Z\",\"stopped\":null,\
             \"swept\":\"2026-11-21T08:01:00Z\",\"took_ms\":420,\"by\":\"0123456789abcdef0123456789abcdef\"}"
        );
        assert_eq!(Mark::from_json(json.as_bytes()).unwrap(), mark);
    }

    #[test]
    fn what_only_some_marks_say_stands_in_the_contracts_order() {
        let time = |second| Some(Time::from_second(second));
        let told = StatusTold { etag: "\"e\"".into(), channels: ["slack".to_string()].into() };
        let mark = Mark {
            ticked: time(1),
            overruled: time(2),
            purged: time(3),
            owed_s: Some(900),
            channels: Some([].into()),
            told: Some(told),
            ..Mark::default()
        };
        let json = String::from_utf8(mark.to_json()).unwrap();
        let places = [
            "ticked",
            "started",
            "stopped",
            "overruled",
            "purged",
            "swept",
            "took_ms",
            "owed_s",
            "channels",
            "told",
            "by",
        ]
        .map(|name| json.find(&format!("\"{name}\":")).expect(name));
        assert!(places.is_sorted(), "{json}");
        assert_eq!(Mark::from_json(json.as_bytes()).unwrap(), mark);
    }

    #[test]
    fn a_mark_of_another_version_is_still_read() {
        assert_eq!(Mark::from_json(b"{}").unwrap(), Mark::default());
        let newer = b"{\"version\":9,\"moon\":{\"phase\":1},\"swept\":\"2026-11-21T08:01:00Z\"}";
        assert_eq!(Mark::from_json(newer).unwrap().swept, Time::from_rfc3339("2026-11-21T08:01:00Z"));
    }

    #[test]
    fn what_is_no_mark_is_an_error() {
        for text in ["", "null", "{\"swept\": 7}", "{\"swept\": \"soon\"}"] {
            assert!(Mark::from_json(text.as_bytes()).is_err(), "{text}");
        }
    }
}

//! `history.json`: the outages that are over, and each day's downtime.
//!
//! Here: its content, and how it is read; `part`: how a part of it is read. `file`: what is put in; `bound`: what it
//! gives up; [`Timeline`]: a check's uptime, days and outages, as people see them.

#[cfg(feature = "memory")]
mod bound;
mod day;
mod file;
#[cfg(feature = "memory")]
mod part;
mod timeline;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::json::{self, Unusable};
use crate::name::CheckId;
use crate::status::{Gap, PastOutage, Unfiled, each_entry};

pub use day::Day;
pub use timeline::{Dark, DayOf, Lasting, Timeline, Uptime, WINDOWS, window};

/// How many outages of a check are kept, the newest.
pub const OUTAGES: usize = 50;

/// How many days of a check are kept, of those with an outage.
pub const DAYS: usize = 400;

/// How many dark times are kept.
pub const DARK: usize = 400;

/// How long an outage's reason may be, in bytes.
pub const REASON: usize = 120;

/// The largest history that the agent reads, in bytes. The loop has less room; see the function's memory.
pub const SIZE_LIMIT: u64 = 256 * 1024 * 1024;

/// The content of `history.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The format's version; see [`History::VERSION`].
    pub version: u32,
    /// All outages that ended since then are in it.
    pub since: Time,
    /// Times without a completed sweep, by a stop or a gap: the oldest first, none touches another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dark: Vec<Gap>,
    /// The checks that were ever down.
    #[serde(deserialize_with = "each_entry")]
    pub checks: BTreeMap<CheckId, Past>,
}

/// What is known of one check's past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// The check's first pulse.
    pub since: Time,
    /// When the newest outage began that was filed. What is not newer was filed, listed or not.
    pub filed: Time,
    /// The newest [`OUTAGES`] outages, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<PastOutage>,
    /// The newest [`DAYS`] days with an outage that counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub days: BTreeMap<Day, Downtime>,
}

/// The downtime of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Downtime {
    /// For how many seconds of the day the check was down.
    pub down_s: u32,
    /// How many outages began on the day.
    pub outages: u32,
}

impl History {
    /// The newest version that this program knows.
    pub const VERSION: u32 = 1;

    /// A history that knows of nothing before `since`.
    pub fn new(since: Time) -> Self {
        Self { version: Self::VERSION, since, dark: Vec::new(), checks: BTreeMap::new() }
    }

    /// What is known where there is no history yet: what the status has for it.
    pub fn not_begun(unfiled: Option<&Unfiled>, now: Time) -> Self {
        Self::new(unfiled.and_then(|unfiled| unfiled.begins).unwrap_or(now))
    }

    /// Reads a history. A check's past that cannot be read is left out, with a line in the log.
    pub fn from_json(text: &[u8]) -> Result<Self, Unusable> {
        json::of_version("history.json", text, Self::VERSION)
    }

    /// The body to put.
    #[cfg(feature = "memory")]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a history is plain data")
    }
}

#[cfg(all(test, feature = "memory"))]
mod tests;

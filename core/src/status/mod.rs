//! `status.json`: what the sweeps know of every check, and what they still owe to the channels.
//!
//! It is the sweeps' only memory, changed only by compare-and-set. Checks are in the store's key order.

mod acknowledged;
mod acks;
mod ahead;
mod bounds;
mod entries;
mod hosts;
mod message;
mod mutes;
mod record;
mod unfiled;
#[cfg(feature = "memory")]
mod written;

use std::collections::BTreeMap;
use std::io::{BufReader, Read};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::json::{self, Unusable, is_zero};
use crate::name::CheckId;

use entries::each_message;

#[cfg(feature = "memory")]
pub(crate) use entries::entries;
pub(crate) use entries::{Entry, each_entry};

pub use acknowledged::Acknowledged;
pub use acks::{Acked, ack_of};
pub use ahead::{Ahead, FirstSeen, SetBack};
pub use bounds::{Crowded, Turn};
pub use hosts::{Changes, Hosts};
pub use message::{Down, Fact, Message, Still};
pub use mutes::{Muted, Mutes};
pub use record::{Change, Ended, Flaps, HISTORY, Limits, Missing, Outage, Record, SeenFault, State, Telling, Told};
pub use unfiled::{MOST_UNFILED, PastOutage, Unfiled, UnfiledOutage};
#[cfg(feature = "memory")]
pub use written::Written;

/// The largest `status.json` that is read, in bytes: over a million checks.
pub const SIZE_LIMIT: u64 = 512 * 1024 * 1024;

/// How much is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// The content of `status.json`.
pub type Status = StatusOf<Message>;

/// The same, with as much of each message as its reader needs. Without the feature `memory` it is for reading alone,
/// and has no fields that only the loop needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "M: DeserializeOwned"))]
pub struct StatusOf<M> {
    /// The format's version; see [`Status::VERSION`].
    pub version: u32,
    /// The *now* of the sweep that wrote it.
    pub written: Time,
    /// Since when the loop is stopped, if that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub stopped: Option<Time>,
    /// Who sends messages now. While this lease runs, nobody else sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub lease: Option<Lease>,
    /// The back-off of each channel that did not take its messages, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<String, BackOff>,
    /// The gaps of the store, as long as a check is spared for one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg(feature = "memory")]
    pub gaps: Vec<Gap>,
    /// When it was told that many hosts went down at once, as long as that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub many_down: Option<Time>,
    /// What was told then. A loop that knows no hosts writes [`Self::many_down`] alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub many_told: Option<ManyTold>,
    /// The hosts that vanished together, while a pulse of them is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub vanished: Option<Vanished>,
    /// Of each host that was told of within the last hour, the times of these sweeps: the newest ten.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg(feature = "memory")]
    pub noise: BTreeMap<String, Vec<Time>>,
    /// The trouble with our own probe, while checks are `unanswered`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub unanswered: Option<Unanswered>,
    /// That the store's clock was set back, from when it was told until it has been steady for an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub set_back: Option<SetBack>,
    /// The hosts with more names than are read or recorded, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg(feature = "memory")]
    pub crowded: BTreeMap<String, Crowded>,
    /// The mutes that were read. Some may be over.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mutes: BTreeMap<CheckId, Muted>,
    /// The acknowledgements that are there, by check. Some may be of an outage that is over.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub acks: BTreeMap<CheckId, Acked>,
    /// What has ended, until the history has it; `None` in what a loop wrote that knows no history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfiled: Option<Unfiled>,
    /// What is owed, the oldest first.
    #[serde(default, deserialize_with = "each_message")]
    pub outbox: Vec<M>,
    /// Every check's record.
    #[serde(deserialize_with = "each_entry")]
    pub checks: BTreeMap<CheckId, Record>,
}

/// The lease for sending messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who holds it: 128 random bits in hex, new for each lease.
    pub by: String,
    /// When it ends if its holder dies.
    pub until: Time,
}

/// The back-off of a channel that does not take its messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackOff {
    /// How many attempts in a row were in vain.
    pub failures: u32,
    /// Nothing is sent to it before this time.
    pub until: Time,
    /// Since when it has taken nothing of what was due to it; `None` in what an older loop wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Why it did not take its messages last, in one line without secrets.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// When it was told over the other channels that it takes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub told: Option<Time>,
    /// When it took something again, until the other channels are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub worked: Option<Time>,
    /// How often it refused, for good and alone, the first of what it owes.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg(feature = "memory")]
    pub refused: u32,
}

/// A gap: no sweep was completed, and no pulse came from any host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Its beginning.
    pub from: Time,
    /// Its end.
    pub until: Time,
}

/// The outage of our own probe: pulses get no answer. It is one outage for all checks, not many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unanswered {
    /// Since when the first of them is `unanswered`.
    pub since: Time,
    /// How many there were at most, at once.
    pub checks: usize,
    /// Of how many hosts they were at most, at once.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hosts: usize,
    /// Of how many hosts they were when this was last told.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub told_hosts: usize,
    /// Since when no check is `unanswered`; `None` while one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub none_since: Option<Time>,
    /// What was told of it; `None` while all the checks are muted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

/// What was last told of many hosts that went down at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManyTold {
    /// How many hosts.
    pub hosts: usize,
    /// Which causes led when it was told, without repeats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
}

/// Hosts that vanished together: pulses of them are missing, and no note of `retire` says why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vanished {
    /// When it was first told.
    pub since: Time,
    /// How many checks there were at most, at once.
    pub checks: usize,
    /// How many hosts there were at most, at once.
    pub hosts: usize,
    /// How many hosts there were when this was last told.
    pub told_hosts: usize,
}

impl Status {
    /// The newest version that this program knows.
    pub const VERSION: u32 = 1;

    /// Reads a status while its text comes: as a whole, that is as large as the records. The error tells nothing that
    /// [`from_json`](Self::from_json) would not: that is for a text that this does not read.
    pub fn from_reader(reader: &mut dyn Read) -> serde_json::Result<Self> {
        let status: Self = serde_json::from_reader(BufReader::with_capacity(PIECE, reader))?;
        match status.version {
            0..=Self::VERSION => Ok(status),
            _ => Err(serde::de::Error::custom("it is newer")),
        }
    }
}

impl<M> StatusOf<M> {
    /// A status that knows nothing yet.
    pub fn new(now: Time) -> Self {
        Self {
            version: Status::VERSION,
            written: now,
            #[cfg(feature = "memory")]
            stopped: None,
            #[cfg(feature = "memory")]
            lease: None,
            channels: BTreeMap::new(),
            #[cfg(feature = "memory")]
            gaps: Vec::new(),
            #[cfg(feature = "memory")]
            many_down: None,
            #[cfg(feature = "memory")]
            many_told: None,
            #[cfg(feature = "memory")]
            vanished: None,
            #[cfg(feature = "memory")]
            noise: BTreeMap::new(),
            #[cfg(feature = "memory")]
            unanswered: None,
            #[cfg(feature = "memory")]
            set_back: None,
            #[cfg(feature = "memory")]
            crowded: BTreeMap::new(),
            mutes: BTreeMap::new(),
            acks: BTreeMap::new(),
            unfiled: None,
            outbox: Vec::new(),
            checks: BTreeMap::new(),
        }
    }

    /// Reads a status. A record or a message that cannot be read is skipped, with a line in the log: one bad record
    /// never stops the rest.
    pub fn from_json(text: &[u8]) -> Result<Self, Unusable>
    where
        M: DeserializeOwned,
    {
        json::of_version("status.json", text, Status::VERSION)
    }

    /// The body to put.
    pub fn to_json(&self) -> Vec<u8>
    where
        M: Serialize,
    {
        serde_json::to_vec(self).expect("a status is plain data")
    }
}

impl BackOff {
    /// A back-off after so many attempts in a row.
    pub fn new(failures: u32, until: Time) -> Self {
        Self {
            failures,
            until,
            since: None,
            why: String::new(),
            #[cfg(feature = "memory")]
            told: None,
            #[cfg(feature = "memory")]
            worked: None,
            #[cfg(feature = "memory")]
            refused: 0,
        }
    }
}

#[cfg(test)]
mod tests;

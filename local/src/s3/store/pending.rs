//! Events that are recorded with the PUT that caused them, until they are dealt with.

use serde::{Deserialize, Serialize};

/// Who is told of a new object: the bucket's notification rules, which do not overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// `pulse/…`: for the probe.
    Probe,
    /// `loop/….lambda`: for the loop.
    Loop,
}

impl Kind {
    /// The rule that `key` matches, if any does.
    pub(crate) fn of(key: &str) -> Option<Self> {
        if key.starts_with("pulse/") {
            Some(Self::Probe)
        } else if key.starts_with("loop/") && key.ends_with(".lambda") {
            Some(Self::Loop)
        } else {
            None
        }
    }
}

/// A PUT of which the handler is still to be told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// Its place among all events of this store; not written, it is the record's key.
    #[serde(skip)]
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    pub(crate) key: String,
    /// Bytes.
    pub(crate) size: u64,
    /// Without quotes.
    pub(crate) etag: String,
    /// By the server's clock; milliseconds since 1970.
    pub(crate) time_ms: i64,
    #[serde(flatten)]
    pub(crate) origin: Origin,
}

/// The request behind a change.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) request_id: String,
    pub(crate) source_ip: String,
}

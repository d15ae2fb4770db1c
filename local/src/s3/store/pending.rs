//! Events, recorded with the PUT that caused them, until they are dealt with.

use serde::{Deserialize, Serialize};

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
    #[serde(flatten)]
    pub(crate) origin: Origin,
}

/// The request behind a change.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) request_id: String,
    pub(crate) source_ip: String,
}

//! A change of one object, and why it may be refused.

use std::collections::BTreeMap;
use std::fs::File;

use hyper::body::Bytes;
use s3s::crypto::{Checksum as _, Md5};

use super::pending::Origin;
use super::{Details, ETag};

/// S3's content type for an object whose sender named no type.
pub(crate) const DEFAULT_TYPE: &str = "binary/octet-stream";

/// The condition of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Always,
    /// `If-None-Match: *`
    Absent,
    /// `If-Match`: the `ETag`, without quotes.
    Is(String),
}

/// A change of one object.
pub(crate) enum Change {
    Put(NewObject),
    Delete,
}

/// The bytes of an object to be written.
pub(crate) enum Content {
    /// In memory.
    Held(Bytes),
    /// In a file, from its beginning: so many bytes.
    InFile(File, usize),
}

impl Content {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Held(bytes) => bytes.len(),
            Self::InFile(_, length) => *length,
        }
    }
}

/// An object to be written.
pub(crate) struct NewObject {
    pub(crate) etag: ETag,
    pub(crate) details: Details,
    pub(crate) body: Content,
    pub(crate) origin: Origin,
}

impl NewObject {
    /// An object whose sender named no type.
    pub(crate) fn of(body: Vec<u8>, metadata: BTreeMap<String, String>) -> Self {
        let etag = ETag(u128::from_be_bytes(Md5::checksum(&body)));
        let details =
            Details { content_type: DEFAULT_TYPE.to_owned(), metadata, by_a_host: false, cache_control: None };
        Self { etag, details, body: Content::Held(body.into()), origin: Origin::default() }
    }
}

/// The reason why a change was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The condition does not hold.
    Precondition,
    /// `If-Match` on a key that does not exist.
    NoSuchKey,
    /// The file cannot be written at present; the log says why.
    Broken,
}

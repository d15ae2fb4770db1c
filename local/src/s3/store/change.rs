//! A change of one object, and why it may be refused.

use std::collections::BTreeMap;
use std::fs::File;

use hyper::body::Bytes;
use jiff::Timestamp;
use s3s::crypto::{Checksum as _, Md5};

use super::pending::{Origin, has_url};
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
    /// It is there, and older than this.
    Before(Timestamp),
}

/// A change of one object.
pub(crate) enum Change {
    Put(NewObject),
    Delete,
}

/// The bytes of an object to be written.
pub(crate) enum Content {
    /// In memory, in blocks of which all but the last have more bytes than a pulse.
    Held(Vec<Bytes>),
    /// In a file, from its beginning: so many bytes.
    InFile(File, usize),
}

impl Content {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Held(blocks) => blocks.iter().map(Bytes::len).sum(),
            Self::InFile(_, length) => *length,
        }
    }

    /// Whether it is a pulse with a URL. What is in several blocks is too long for a pulse. One in a file, for want of
    /// room, has its URL found when it is handled.
    pub(crate) fn has_url(&self) -> bool {
        match self {
            Self::Held(blocks) => matches!(blocks.as_slice(), [block] if has_url(block)),
            Self::InFile(..) => false,
        }
    }
}

/// An object to be written.
pub(crate) struct NewObject {
    pub(crate) etag: ETag,
    pub(crate) details: Details,
    pub(crate) body: Content,
    /// Whether the body is a pulse with a URL.
    pub(crate) has_url: bool,
    pub(crate) origin: Origin,
}

impl NewObject {
    /// An object whose sender named no type.
    pub(crate) fn of(body: Vec<u8>, metadata: BTreeMap<String, String>) -> Self {
        let etag = ETag(u128::from_be_bytes(Md5::checksum(&body)));
        let details =
            Details { content_type: DEFAULT_TYPE.to_owned(), metadata, by_a_host: false, cache_control: None };
        let body = Content::Held(vec![body.into()]);
        Self { etag, details, has_url: body.has_url(), body, origin: Origin::default() }
    }
}

/// The reason why a change was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The condition does not hold.
    Precondition,
    /// `If-Match` on a key that does not exist.
    NoSuchKey,
    /// The host has as many objects in this folder as it may have, which is `limit`.
    TooMany { folder: &'static str, limit: usize },
    /// The host brings new objects faster than they are answered.
    TooFast,
    /// The file cannot be written at present; the log says why.
    Broken,
}

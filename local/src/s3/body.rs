//! Reads the body of a PUT: whole, not too large, and as its sender meant it.
//!
//! Memory is taken as bytes come, never as they are announced; a large body goes to a file without a name.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;

use futures_util::StreamExt;
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use pulse_echo_core::pulse::SIZE_LIMIT;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{PutObjectInput, StreamingBlob};
use s3s::{Body, S3Error, S3ErrorCode, S3Request, S3Result, s3_error};
use tokio::task::block_in_place;

use super::auth::Caller;
use super::checksums::{self, Announced};
use super::framing;
use super::moving::{Moving, STALLED};
use super::rights::Owner;
use super::room::{Held, Room};
use super::store::{Content, ETag};
use super::upload::Upload;

/// The limit of what operators write. It is far above what any of it needs.
const SMALL_BYTES: usize = 1 << 20;
/// The limit of all else, where S3's is 5 GiB. It is enough for the status of 300,000 checks that are all down.
const LARGE_BYTES: usize = 256 << 20;
/// What is under the smaller limit.
const SMALL: [&str; 6] = ["pulse/", "mute/", "loop/", "retire/", "echo/", "fault/"];
/// How much of a body is held in memory; a longer body goes to a file.
const HELD_BYTES: usize = 256 << 10;

/// The most bytes that an object of this key may have, if this owner puts it. What a host puts is read as a pulse or a
/// note, and so far only.
fn limit(key: &str, owner: Option<&Owner>) -> usize {
    if let Some(Owner::Host(_)) = owner {
        return usize::try_from(SIZE_LIMIT).unwrap_or(SMALL_BYTES);
    }
    if SMALL.iter().any(|folder| key.starts_with(folder)) { SMALL_BYTES } else { LARGE_BYTES }
}

/// A request's body as s3s gets it: it fails once it is longer than an object of `key` by `owner` may be, with room for
/// the frames around its chunks, and if its last chunk is missing. s3s would hold a chunk of any size in memory.
pub(super) fn admitted(body: Moving<Upload>, key: &str, owner: &Owner, headers: &HeaderMap) -> Body {
    let limit = limit(key, Some(owner));
    let body = http_body_util::Limited::new(body, limit + limit / 8 + (64 << 10));
    let is_framed = |payload: &HeaderValue| payload.as_bytes().starts_with(b"STREAMING-");
    if headers.get(HeaderName::from_static("x-amz-content-sha256")).is_some_and(is_framed) {
        Body::http_body_unsync(framing::Whole::new(body))
    } else {
        Body::http_body_unsync(body)
    }
}

/// Reads the body that a request announces, with its `ETag`. A body over the limit is refused before it is read; a long
/// body is put into a file in `folder`, as is each that there is no `room` for.
pub(super) async fn read(
    request: &mut S3Request<PutObjectInput>,
    folder: &Path,
    room: &Room,
) -> S3Result<(Content, ETag)> {
    let owner = request.extensions.get::<Caller>().map(|caller| &caller.owner);
    let input = &mut request.input;
    let Some(length) = input.content_length else {
        return Err(s3_error!(MissingContentLength, "You must provide the Content-Length HTTP header."));
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let limit = limit(&input.key, owner);
    if length > limit {
        return Err(too_large(limit));
    }
    let mut stream = input.body.take().unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
    let announced = Announced::of(&request.headers, &request.input)?;
    let (mut md5, mut sums) = (Md5::new(), announced.hasher());
    let mut content = Received { held: room.held(length), file: None, length: 0 };
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|e| broken(&e.to_string(), limit))?;
        if content.length + chunk.len() > length {
            return Err(s3_error!(IncompleteBody, "The request body is longer than what it announced."));
        }
        md5.update(&chunk);
        sums.update(&chunk);
        content.add(&chunk, folder).map_err(|e| {
            log::warn!("a body cannot be kept in {}: {e}", folder.display());
            s3_error!(ServiceUnavailable, "There is no room for the body at present")
        })?;
    }
    if content.length < length {
        return Err(s3_error!(IncompleteBody));
    }
    announced.check(sums, request.trailing_headers.as_ref())?;
    let md5 = md5.finalize();
    checksums::check_md5(&request.input, &md5)?;
    let content = content.end().map_err(S3Error::internal_error)?;
    Ok((content, ETag(u128::from_be_bytes(md5))))
}

/// What has come of a body.
struct Received {
    held: Held,
    /// Once it is too long to be held.
    file: Option<File>,
    length: usize,
}

impl Received {
    fn add(&mut self, chunk: &[u8], folder: &Path) -> io::Result<()> {
        self.length += chunk.len();
        let left = match self.file {
            None if self.length <= HELD_BYTES => self.held.add(chunk),
            _ => chunk,
        };
        if left.is_empty() {
            return Ok(());
        }
        block_in_place(|| {
            let file = if let Some(file) = &mut self.file {
                file
            } else {
                let mut file = tempfile::tempfile_in(folder)?;
                self.held.take().iter().try_for_each(|block| file.write_all(block))?;
                self.file.insert(file)
            };
            file.write_all(left)
        })
    }

    fn end(mut self) -> io::Result<Content> {
        Ok(match self.file {
            None => Content::Held(self.held.take()),
            Some(mut file) => {
                file.rewind()?;
                Content::InFile(file, self.length)
            }
        })
    }
}

/// Tells these errors apart by their text, since s3s keeps their type to itself.
fn broken(error: &str, limit: usize) -> S3Error {
    if error.contains("Sha256Mismatch") {
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        let mut error = S3Error::with_message(S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()), message);
        error.set_status_code(StatusCode::BAD_REQUEST);
        error
    } else if error.contains("SignatureMismatch") {
        s3_error!(SignatureDoesNotMatch)
    } else if error.contains("length limit exceeded") {
        too_large(limit)
    } else if error.contains(STALLED) {
        s3_error!(RequestTimeout, "Your socket connection to the server was not written to within the timeout period.")
    } else {
        s3_error!(IncompleteBody)
    }
}

fn too_large(limit: usize) -> S3Error {
    s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size ({limit} bytes)")
}

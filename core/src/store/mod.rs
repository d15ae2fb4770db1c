//! The store: objects of an S3 bucket, by presigned URLs, over one connection, within one deadline.

mod below;
pub mod endpoint;
mod error;
mod learnt;
#[cfg(feature = "list")]
mod list;
mod place;
mod refusal;
mod request;
mod retry;
mod sign;

use std::io::{self, Read};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusty_s3::Method;
use ureq::Agent;
use ureq::http::HeaderMap;

use crate::clock::Time;
use crate::environment::Environment;
use crate::http::header;
use crate::metadata::Metadata;
use crate::name::Key;

use learnt::Learnt;
use request::Ask;

pub use below::Below;
pub use error::Error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use error::read_refusal;
#[cfg(feature = "list")]
pub use list::{Entry, Listing, PAGE, Page};
pub use place::Place;
pub use request::Link;
pub use rusty_s3::Credentials;

const META: &str = "x-amz-meta-";

/// The clock for signing.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A client of a bucket, with its credentials and its deadline.
///
/// It retries, within the deadline, on trouble that may pass: no connection, no whole answer, 408, 429 and 5xx. It
/// tries three times, or until the deadline if it is [persistent](Store::persistent). Clones share what they learn of
/// the store's clock and region.
#[derive(Clone)]
pub struct Store {
    place: Place,
    learnt: Arc<Mutex<Learnt>>,
    credentials: Credentials,
    agent: Agent,
    clock: Clock,
    deadline: Instant,
    tries: u32,
    /// No further try begins when only this is left.
    reserve: Duration,
    /// The setting that names a private CA, if it is another than the agent's.
    ca_setting: Option<&'static str>,
}

/// The credentials in the environment; `None` if it holds neither half of a key. Some emulators set an empty session
/// token, which counts as unset. The error names the half that is missing.
pub fn credentials_from(environment: Environment) -> Result<Option<Credentials>, &'static str> {
    match (environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err("AWS_ACCESS_KEY_ID"),
        (Some(_), None) => Err("AWS_SECRET_ACCESS_KEY"),
        // botocore's older name comes first.
        (Some(key), Some(secret)) => Ok(Some(match environment.first(&["AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN"]) {
            None => Credentials::new(key, secret),
            Some(token) => Credentials::new_with_token(key, secret, token),
        })),
    }
}

/// The condition of a PUT or a DELETE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// No condition.
    Always,
    /// The object is not there yet (`If-None-Match: *`).
    IfAbsent,
    /// The object still has this `ETag` (`If-Match`).
    IfMatch(String),
}

/// An object that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its content; `None` if it is larger than the limit, or was read while it came.
    pub body: Option<Vec<u8>>,
    /// Its size in bytes.
    pub size: u64,
    /// Its `ETag`, quotes included.
    pub etag: String,
    /// When the store took it.
    pub last_modified: Time,
    /// Its user metadata.
    pub metadata: Metadata,
    /// When the store answered, by its own clock.
    pub date: Time,
    /// From sending the request to its answer.
    pub rtt: Duration,
}

/// What is put. Each try reads it from its beginning.
pub trait Content {
    /// How many bytes it has.
    fn size(&self) -> u64;

    /// Reads it, from its beginning.
    fn reader(&self) -> Box<dyn Read + '_>;
}

impl Content for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn reader(&self) -> Box<dyn Read + '_> {
        Box::new(*self)
    }
}

/// Reads an object's body. An error of the body itself is to be handed back: the request is then tried again.
pub type ReadBody<'a> = dyn Fn(&mut dyn Read) -> io::Result<()> + 'a;

/// The store's answer to a PUT.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// The new object's `ETag`, quotes included.
    pub etag: String,
    /// From sending the request to its answer.
    pub rtt: Duration,
    /// How far this machine's clock is ahead of the store's, in seconds, to half a second; `None` without a `Date`.
    pub skew_s: Option<f64>,
}

impl Store {
    /// A client of the bucket at `place`; `deadline` ends all requests. The error says what is wrong with the place.
    pub fn new(
        place: &Place,
        credentials: Credentials,
        agent: Agent,
        clock: Clock,
        deadline: Instant,
    ) -> Result<Self, String> {
        let learnt = Arc::new(Mutex::new(Learnt::new(place.bucket()?)));
        Ok(Self {
            place: place.clone(),
            learnt,
            credentials,
            agent,
            clock,
            deadline,
            tries: retry::TRIES,
            reserve: Duration::ZERO,
            ca_setting: None,
        })
    }

    /// The same store, whose errors name this setting for a private CA in place of the agent's.
    #[must_use]
    pub fn with_ca_setting(self, ca_setting: &'static str) -> Self {
        Self { ca_setting: Some(ca_setting), ..self }
    }

    /// The same store with another deadline.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// The same store, which retries until its deadline: a host must not be taken for dead since its store was away for
    /// some seconds. A try that would have less than a twelfth of the time does not begin: it could only time out.
    #[must_use]
    pub fn persistent(self) -> Self {
        let reserve = self.deadline.saturating_duration_since(Instant::now()) / 12;
        Self { tries: u32::MAX, reserve, ..self }
    }

    /// The bucket's name.
    pub fn bucket_name(&self) -> &str {
        &self.place.bucket
    }

    /// How far this machine's clock was ahead of the store's at its last answer, in seconds, to half a second; `None`
    /// before an answer with a `Date`.
    pub fn skew_s(&self) -> Option<f64> {
        self.learnt().skew.map(|skew| skew.as_secs_f64())
    }

    /// Puts an object: body and metadata in one request.
    ///
    /// It retries after a lost answer, with a condition too. A 412 may then be caused by the first try. Such an error
    /// [is in doubt](Error::is_in_doubt) and not an [`Error::is_precondition`]; only reading the object tells.
    pub fn put(
        &self,
        key: &Key,
        content_type: &str,
        body: &[u8],
        metadata: &Metadata,
        condition: &Condition,
    ) -> Result<Taken, Error> {
        self.put_content(key, content_type, &body, metadata, condition)
    }

    /// The same for a content that need not be in memory as a whole.
    pub fn put_content(
        &self,
        key: &Key,
        content_type: &str,
        body: &dyn Content,
        metadata: &Metadata,
        condition: &Condition,
    ) -> Result<Taken, Error> {
        let mut headers = condition.headers();
        headers.extend(metadata.iter().map(|(name, value)| (format!("{META}{name}"), value.clone())));
        self.put_with(headers, key, content_type, body)
    }

    /// Puts an object for browsers, which are not to keep it: it is served with `Cache-Control: no-store`.
    pub fn publish(&self, key: &Key, content_type: &str, body: &[u8]) -> Result<Taken, Error> {
        self.put_with(vec![("cache-control".into(), "no-store".into())], key, content_type, &body)
    }

    fn put_with(
        &self,
        headers: Vec<(String, String)>,
        key: &Key,
        content_type: &str,
        body: &dyn Content,
    ) -> Result<Taken, Error> {
        let ask = Ask { headers, body: Some((content_type, body)), ..Ask::new("put", Method::Put, key) };
        let answer = self.send(&ask)?;
        // A captive portal says 200 to everything.
        let etag = header::text(&answer.headers, "etag").map(String::from);
        let etag = etag.ok_or_else(|| self.unreadable(&ask, &answer, "it has no ETag"))?;
        Ok(Taken { etag, rtt: answer.rtt, skew_s: answer.skew.map(|skew| skew.as_secs_f64()) })
    }

    /// Gets an object. Its body is read only if it has at most `limit` bytes.
    pub fn get(&self, key: &Key, limit: u64) -> Result<Object, Error> {
        self.ask_for(&Ask { limit, ..Ask::new("get", Method::Get, key) })
    }

    /// Gets an object whose body need not be in memory as a whole: `reader` reads it while it comes, from its beginning
    /// at each try. The [`Object`] has no body then. A body of more than `limit` bytes is not read.
    pub fn read(&self, key: &Key, limit: u64, reader: &ReadBody) -> Result<Object, Error> {
        self.ask_for(&Ask { limit, reader: Some(reader), ..Ask::new("get", Method::Get, key) })
    }

    fn ask_for(&self, ask: &Ask) -> Result<Object, Error> {
        let answer = self.send(ask)?;
        let size = header::text(&answer.headers, "content-length").and_then(|text| text.parse().ok());
        let date = |name| header::time(&answer.headers, name);
        let (last_modified, date) = (date("last-modified"), date("date"));
        Ok(Object {
            size: size.ok_or_else(|| self.unreadable(ask, &answer, "it has no Content-Length"))?,
            last_modified: last_modified.ok_or_else(|| self.unreadable(ask, &answer, "it has no Last-Modified"))?,
            etag: header::text(&answer.headers, "etag").unwrap_or_default().to_string(),
            metadata: metadata(&answer.headers),
            date: date.ok_or_else(|| self.unreadable(ask, &answer, "it has no Date"))?,
            rtt: answer.rtt,
            body: answer.body,
        })
    }

    /// Deletes an object. A missing object is not an error, except with [`Condition::IfMatch`]. It retries as
    /// [`Self::put`] does.
    pub fn delete(&self, key: &Key, condition: &Condition) -> Result<(), Error> {
        self.send(&Ask { headers: condition.headers(), ..Ask::new("delete", Method::Delete, key) })?;
        Ok(())
    }
}

impl Condition {
    fn headers(&self) -> Vec<(String, String)> {
        match self {
            Self::Always => Vec::new(),
            Self::IfAbsent => vec![("if-none-match".into(), "*".into())],
            Self::IfMatch(etag) => vec![("if-match".into(), etag.clone())],
        }
    }
}

fn metadata(headers: &HeaderMap) -> Metadata {
    let text = |value: &ureq::http::HeaderValue| value.to_str().ok().map(String::from);
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().strip_prefix(META)?.to_string(), text(value)?)))
        .collect()
}

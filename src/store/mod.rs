//! The store: objects of an S3 bucket, by presigned URLs, over one connection, within one deadline.

mod error;
#[cfg(feature = "list")]
mod list;
mod place;

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rusty_s3::S3Action;
use rusty_s3::actions::{DeleteObject, GetObject, PutObject};
use ureq::Agent;
use ureq::http::{HeaderMap, Request, Response};

use crate::clock::Time;
use crate::http::{Failure, Trouble};
use crate::name::Key;
use crate::pulse::Metadata;

use error::{Kind, Refusal};

pub use error::Error;
#[cfg(feature = "list")]
pub use list::{Entry, Page};
pub use place::Place;
pub use rusty_s3::Credentials;

/// How long a presigned URL lives. It is used at once; the rest is room for clocks that differ.
const URL_LIFE: Duration = Duration::from_secs(300);

/// The longest answer that is read where no object is expected, in bytes.
const TEXT_LIMIT: u64 = 64 * 1024;

const META: &str = "x-amz-meta-";

/// Where the time for signing comes from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A bucket, the right to use it, and the time left for it.
#[derive(Clone)]
pub struct Store {
    bucket: rusty_s3::Bucket,
    credentials: Credentials,
    agent: Agent,
    clock: Clock,
    skew_s: Arc<Mutex<Option<f64>>>,
    deadline: Instant,
}

/// The credentials that the environment's variables hold, by whichever `lookup`; none if there is no access key id. An
/// empty value is none: so Lambda's own environment has it on some emulators. The error names the half that is missing.
pub fn credentials_from(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Option<Credentials>, &'static str> {
    let value = |name: &str| lookup(name).filter(|value| !value.is_empty());
    match (value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY")) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err("AWS_ACCESS_KEY_ID"),
        (Some(_), None) => Err("AWS_SECRET_ACCESS_KEY"),
        (Some(key), Some(secret)) => Ok(Some(match value("AWS_SESSION_TOKEN") {
            None => Credentials::new(key, secret),
            Some(token) => Credentials::new_with_token(key, secret, token),
        })),
    }
}

/// On what a PUT or a DELETE depends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// On nothing.
    Always,
    /// On there being no such object yet (`If-None-Match: *`).
    IfAbsent,
    /// On the object still having this `ETag` (`If-Match`).
    IfMatch(String),
}

/// An object as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its content; none if it is larger than was asked for.
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

/// What a PUT's answer tells beside that it was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// The new object's `ETag`, quotes included.
    pub etag: String,
    /// From sending the request to its answer.
    pub rtt: Duration,
    /// How far this machine's clock is ahead of the store's, in seconds, to half a second; none without a `Date`.
    pub skew_s: Option<f64>,
}

impl Store {
    /// The bucket at `place`; `deadline` ends all requests. The error names what is wrong with the place.
    pub fn new(
        place: &Place,
        credentials: Credentials,
        agent: Agent,
        clock: Clock,
        deadline: Instant,
    ) -> Result<Self, String> {
        Ok(Self { bucket: place.bucket()?, credentials, agent, clock, skew_s: Arc::default(), deadline })
    }

    /// The same store with another deadline.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// The bucket's name.
    pub fn bucket_name(&self) -> &str {
        self.bucket.name()
    }

    /// The bucket's address.
    pub fn address(&self) -> String {
        self.bucket.base_url().to_string()
    }

    /// How far this machine's clock was ahead of the store's when it answered last, in seconds, to half a second; none
    /// before there was an answer with a `Date`.
    pub fn skew_s(&self) -> Option<f64> {
        *self.skew_s.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an object, body and metadata as one.
    pub fn put(
        &self,
        key: &Key,
        content_type: &str,
        body: &[u8],
        metadata: &Metadata,
        condition: &Condition,
    ) -> Result<Taken, Error> {
        let mut headers = condition.headers();
        headers.extend(metadata.iter().map(|(name, value)| (format!("{META}{name}"), value.clone())));
        let action = PutObject::new(&self.bucket, Some(&self.credentials), key.as_str());
        let sent = Instant::now();
        let answer = self.send(&format!("put {key}"), action, &headers, Some((content_type, body)))?;
        let rtt = sent.elapsed();
        let (response, skew_s) = (answer.response, answer.skew_s);
        let etag = header(response.headers(), "etag").unwrap_or_default().to_string();
        read(response, TEXT_LIMIT)
            .map_err(|failure| self.error(&format!("put {key}"), skew_s, Kind::Failed(failure)))?;
        Ok(Taken { etag, rtt, skew_s })
    }

    /// Gets an object; its body only if that has at most `limit` bytes.
    pub fn get(&self, key: &Key, limit: u64) -> Result<Object, Error> {
        let operation = format!("get {key}");
        let action = GetObject::new(&self.bucket, Some(&self.credentials), key.as_str());
        let sent = Instant::now();
        let Answer { response, skew_s } = self.send(&operation, action, &[], None)?;
        let rtt = sent.elapsed();
        let unreadable = |what: &str| self.error(&operation, skew_s, Kind::Unreadable(what.into()));

        let headers = response.headers();
        let size = header(headers, "content-length").and_then(|text| text.parse().ok());
        let size: u64 = size.ok_or_else(|| unreadable("it has no Content-Length"))?;
        let last_modified = header(headers, "last-modified").and_then(Time::from_http_date);
        let last_modified = last_modified.ok_or_else(|| unreadable("it has no Last-Modified"))?;
        let date = header(headers, "date").and_then(Time::from_http_date);
        let date = date.ok_or_else(|| unreadable("it has no Date"))?;
        let etag = header(headers, "etag").unwrap_or_default().to_string();
        let metadata = metadata(headers);
        let body = match size {
            size if size > limit => None,
            _ => Some(read(response, limit).map_err(|failure| self.error(&operation, skew_s, Kind::Failed(failure)))?),
        };
        Ok(Object { body, size, etag, last_modified, metadata, date, rtt })
    }

    /// Deletes an object; that it was not there is no error, but for [`Condition::IfMatch`].
    pub fn delete(&self, key: &Key, condition: &Condition) -> Result<(), Error> {
        let operation = format!("delete {key}");
        let action = DeleteObject::new(&self.bucket, Some(&self.credentials), key.as_str());
        let Answer { response, skew_s } = self.send(&operation, action, &condition.headers(), None)?;
        read(response, TEXT_LIMIT).map_err(|failure| self.error(&operation, skew_s, Kind::Failed(failure)))?;
        Ok(())
    }

    /// Signs `action` with these headers now and sends it. The answer is one of success, its body unread.
    fn send<'a>(
        &'a self,
        operation: &str,
        mut action: impl S3Action<'a> + Method,
        headers: &[(String, String)],
        body: Option<(&str, &[u8])>,
    ) -> Result<Answer, Error> {
        for (name, value) in headers {
            action.headers_mut().insert(name.clone(), value.clone());
        }
        let signed_at = (self.clock)();
        let url = action.sign_with_time(URL_LIFE, &signed_at);
        let failed = |failure: Failure| self.error(operation, None, Kind::Failed(failure));

        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(failed(Failure { trouble: Trouble::Timeout, text: "there was no time left for it".into() }));
        }
        let request = headers
            .iter()
            .fold(Request::builder().method(action.method()).uri(url.as_str()), |request, (name, value)| {
                request.header(name, value)
            });
        let response = match body {
            None => request.body(()).map(|request| self.run(request, left)),
            Some((content_type, body)) => {
                request.header("content-type", content_type).body(body).map(|request| self.run(request, left))
            }
        };
        // Only a header's value could be wrong here, and its error does not hold the URL.
        let response = response.map_err(|error| {
            failed(Failure { trouble: Trouble::Protocol, text: format!("the request cannot be made: {error}") })
        })?;
        let response = response.map_err(|error| failed(error.into()))?;
        let skew_s = skew_s(signed_at, (self.clock)(), header(response.headers(), "date"));
        if skew_s.is_some() {
            *self.skew_s.lock().unwrap_or_else(PoisonError::into_inner) = skew_s;
        }
        if response.status().is_success() {
            return Ok(Answer { response, skew_s });
        }
        let status = response.status().as_u16();
        let text = read(response, TEXT_LIMIT).map_err(failed)?;
        let refusal = Refusal::new(status, &String::from_utf8_lossy(&text));
        Err(self.error(operation, skew_s, Kind::Refused(refusal)))
    }

    fn run(
        &self,
        request: Request<impl ureq::AsSendBody>,
        left: Duration,
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        let request = self.agent.configure_request(request).timeout_global(Some(left)).build();
        self.agent.run(request)
    }

    fn error(&self, operation: &str, skew_s: Option<f64>, kind: Kind) -> Error {
        let place = format!("bucket {:?} at {}", self.bucket.name(), self.bucket.base_url());
        Error { operation: operation.into(), place, skew_s, kind }
    }
}

struct Answer {
    response: Response<ureq::Body>,
    skew_s: Option<f64>,
}

/// The method of an action as a value; `S3Action` has it as a constant of the type.
trait Method {
    fn method(&self) -> &'static str;
}

impl<'a, A: S3Action<'a>> Method for A {
    fn method(&self) -> &'static str {
        A::METHOD.to_str()
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

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn metadata(headers: &HeaderMap) -> Metadata {
    let text = |value: &ureq::http::HeaderValue| value.to_str().ok().map(String::from);
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().strip_prefix(META)?.to_string(), text(value)?)))
        .collect()
}

/// Reads a body to its end, so that the connection can be used again; longer ones are cut.
fn read(response: Response<ureq::Body>, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    response.into_body().into_reader().take(limit + 1).read_to_end(&mut body)?;
    body.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(body)
}

/// The difference of the middle of a request and the middle of the second that the store answered.
fn skew_s(sent: Timestamp, answered: Timestamp, date: Option<&str>) -> Option<f64> {
    let date = Timestamp::from_second(Time::from_http_date(date?)?.as_second()).ok()?;
    let middle = sent + answered.duration_since(sent) / 2;
    Some((middle.duration_since(date) - SignedDuration::from_millis(500)).as_secs_f64())
}

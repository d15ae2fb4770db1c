//! A request to the store: signed, sent, and retried where that helps.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use rusty_s3::Method;
use ureq::SendBody;
use ureq::http::{HeaderMap, Request, Response};
use url::Url;

use super::error::{Failed, Kind};
use super::refusal::Refusal;
use super::retry;
use super::sign::{Signed, presigned};
use super::{Content, Error, Learnt, ReadBody, Store};
use crate::clock::Time;
use crate::http::{Failure, Trouble, header};
use crate::name::Key;
use crate::random;

/// The longest answer that is read where no object is expected, in bytes.
const TEXT_LIMIT: u64 = 64 * 1024;

/// How long the address of a request is valid, in seconds. It is used at once; the rest allows for clocks that differ.
const LIFE_S: u64 = 300;

/// A request to the store.
pub(super) struct Ask<'a> {
    /// Its name in messages: `put pulse/web-1.json`.
    pub operation: String,
    pub method: Method,
    /// The object; `None` means the bucket itself.
    pub key: Option<&'a Key>,
    /// Sorted by name, as signing requires.
    pub query: Vec<(&'static str, &'a str)>,
    /// Sorted by name; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Content type and content.
    pub body: Option<(&'a str, &'a dyn Content)>,
    /// The longest answer that is read, in bytes.
    pub limit: u64,
    /// How long its address is valid, in seconds.
    pub life_s: u64,
    /// Reads the answer while it comes, at each try. Then its text is not kept.
    pub reader: Option<&'a ReadBody<'a>>,
}

impl<'a> Ask<'a> {
    /// A request about an object.
    pub fn new(verb: &str, method: Method, key: &'a Key) -> Self {
        let operation = format!("{verb} {key}");
        Self {
            operation,
            method,
            key: Some(key),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            limit: TEXT_LIMIT,
            life_s: LIFE_S,
            reader: None,
        }
    }

    /// A request for one page of what begins with `prefix`.
    pub fn list(prefix: &str, query: Vec<(&'static str, &'a str)>, limit: u64) -> Self {
        let what = if prefix.is_empty() { "all objects" } else { prefix };
        let operation = format!("list {what}");
        Self {
            operation,
            method: Method::Get,
            key: None,
            query,
            headers: Vec::new(),
            body: None,
            limit,
            reader: None,
            life_s: LIFE_S,
        }
    }
}

/// An answer of success.
pub(super) struct Answer {
    pub headers: HeaderMap,
    /// `None` if it is longer than the limit, or was not to be kept.
    pub body: Option<Vec<u8>>,
    /// From sending the request to the answer's head.
    pub rtt: Duration,
    /// How far this machine's clock is ahead of the store's.
    pub skew: Option<SignedDuration>,
}

/// An address of an object, for whoever has no credentials.
pub struct Link {
    /// It is a secret: whoever has it can read the object.
    pub url: String,
    /// When it ends, by the store's clock.
    pub until: Time,
    /// Whether it ends sooner, with the temporary credentials that signed it.
    pub is_temporary: bool,
}

impl Store {
    /// Presigns a GET of an object, valid for so long, with what was learnt of the store's clock and region.
    pub fn link(&self, key: &Key, life: Duration) -> Link {
        let learnt = self.learnt();
        let at = Time::from_second(((self.clock)().as_duration() - learnt.ahead).as_secs());
        let ask = Ask { life_s: life.as_secs(), ..Ask::new("get", Method::Get, key) };
        let url = self.sign(&ask, &learnt, at).into();
        Link { url, until: at + life, is_temporary: self.credentials.token().is_some() }
    }

    /// The address of a request, signed at this time.
    fn sign(&self, ask: &Ask, learnt: &Learnt, at: Time) -> Url {
        let bucket = &learnt.bucket;
        let url = ask.key.map_or_else(|| bucket.base_url().clone(), |key| bucket.object_url(key.as_str()));
        let signed = Signed { method: ask.method, query: &ask.query, headers: &ask.headers, life_s: ask.life_s };
        presigned(url, &signed, at, bucket.region(), &self.credentials)
    }

    /// Sends a request until it succeeds, is refused for good, or runs out of tries or time. It learns the store's
    /// clock and region from a refusal, each at most once for a request, and keeps them.
    pub(super) fn send(&self, ask: &Ask) -> Result<Answer, Error> {
        let (mut clock_learnt, mut region_learnt, mut in_doubt) = (false, false, false);
        let (mut tries, mut last) = (1, None::<Error>);
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // On a busy machine the pause took longer: what failed before says more.
                if let Some(error) = last {
                    return Err(error);
                }
                let failure = Failure { trouble: Trouble::Timeout, text: "there was no time left for it".into() };
                return Err(self.error(ask, tries - 1, in_doubt, failure.into()));
            }
            let learnt = self.learnt();
            let time = retry::time_for(tries == self.tries, left);
            let failed = match self.send_once(ask, &learnt, time) {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            in_doubt |= ask.method != Method::Get && retry::may_be_done(&failed.kind);
            if !clock_learnt && self.learn_clock(&failed, &learnt) {
                clock_learnt = true;
                continue;
            }
            if !region_learnt && self.learn_region(&failed, &learnt) {
                region_learnt = true;
                continue;
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            let until_last = left.saturating_sub(self.reserve);
            let asked = retry::asked_for(&failed.kind, failed.retry_after, until_last);
            let pause = retry::pause(tries, asked, random::fraction(), until_last);
            let may_pass = tries < self.tries && retry::is_worth_another(&failed.kind);
            let error = self.error(ask, tries, in_doubt, failed);
            let Some(pause) = pause.filter(|_| may_pass) else {
                // A try that had no time itself says nothing of the store: what failed before does.
                return Err(match last {
                    Some(last) if time < retry::TELLING_TRY && error.is_timeout() => Error { tries, in_doubt, ..last },
                    _ => error,
                });
            };
            // A person who waits is told once why.
            let level = if tries == 1 { log::Level::Info } else { log::Level::Debug };
            log::log!(level, "{error}; it is tried again for at most {} s", left.as_secs());
            thread::sleep(pause);
            last = Some(error);
            tries += 1;
        }
    }

    /// Makes one try, signed now, that may take `time`.
    fn send_once(&self, ask: &Ask, learnt: &Learnt, time: Duration) -> Result<Answer, Failed> {
        let started = (self.clock)().as_duration();
        let at = Time::from_second((started - learnt.ahead).as_secs());
        let url = self.sign(ask, learnt, at);
        let request = ask
            .headers
            .iter()
            .fold(Request::builder().method(ask.method.to_str()).uri(url.as_str()), |request, (name, value)| {
                request.header(name, value)
            });
        let sent = Instant::now();
        let response = match ask.body {
            None => request.body(()).map(|request| self.run(request, time)),
            Some((content_type, body)) => {
                let mut reader = body.reader();
                request
                    .header("content-type", content_type)
                    .header("content-length", body.size())
                    .body(SendBody::from_reader(&mut reader))
                    .map(|request| self.run(request, time))
            }
        };
        // Only a header's value could be wrong here. That error does not hold the URL.
        let response = response.map_err(|error| Failure {
            trouble: Trouble::Protocol,
            text: format!("the request cannot be made: {error}"),
        })?;
        let response = response.map_err(Failure::from)?;
        let rtt = sent.elapsed();
        let (head, body) = response.into_parts();
        let skew = skew(started, (self.clock)().as_duration(), header::time(&head.headers, "date"));
        self.saw_skew(skew);
        if head.status.is_success() {
            let failed = |failure| Failed { skew, ..Failed::from(failure) };
            let body = match ask.reader {
                None => read(&head.headers, body, ask.limit),
                Some(reader) => hand_over(&head.headers, body, ask.limit, reader).map(|()| None),
            };
            let body = body.map_err(failed)?;
            return Ok(Answer { headers: head.headers, body, rtt, skew });
        }
        let text = read(&head.headers, body, TEXT_LIMIT)?.unwrap_or_default();
        let text = self.without_secrets(&String::from_utf8_lossy(&text));
        let refusal = Refusal::new(head.status.as_u16(), &head.headers, &text);
        let retry_after = header::retry_after(&head.headers);
        Err(Failed { kind: Kind::Refused(Box::new(refusal)), skew, retry_after })
    }

    fn run(
        &self,
        request: Request<impl ureq::AsSendBody>,
        time: Duration,
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        let request = self.agent.configure_request(request).timeout_global(Some(time)).build();
        self.agent.run(request)
    }

    /// An answer must not show our keys, even if the server repeats them.
    fn without_secrets(&self, text: &str) -> String {
        let secrets = [Some(self.credentials.secret()), self.credentials.token()].into_iter().flatten();
        // A shorter one is no key of AWS's, and could be any word.
        secrets.filter(|secret| secret.len() >= 16).fold(text.into(), |text, secret| text.replace(secret, "…"))
    }

    fn error(&self, ask: &Ask, tries: u32, in_doubt: bool, failed: Failed) -> Error {
        Error {
            operation: ask.operation.clone(),
            place: self.place(),
            way: self.way().into(),
            skew: failed.skew,
            tries,
            in_doubt,
            kind: failed.kind,
        }
    }

    /// The error for an answer that is not valid S3.
    pub(super) fn unreadable(&self, ask: &Ask, answer: &Answer, what: impl Into<String>) -> Error {
        let failed = Failed { kind: Kind::Unreadable(what.into()), skew: answer.skew, retry_after: None };
        self.error(ask, 1, false, failed)
    }
}

/// Lets `reader` read a body, unless it is longer than `limit` bytes.
fn hand_over(headers: &HeaderMap, body: ureq::Body, limit: u64, reader: &ReadBody) -> Result<(), Failure> {
    if !is_over(headers, limit) {
        reader(&mut body.into_reader().take(limit))?;
    }
    Ok(())
}

/// Whether a body is longer than `limit` bytes, as far as its head tells.
fn is_over(headers: &HeaderMap, limit: u64) -> bool {
    header::text(headers, "content-length").and_then(|text| text.parse().ok()).is_some_and(|size: u64| size > limit)
}

/// Reads a body to its end, so that the connection can be reused; `None` if it is longer than `limit` bytes.
fn read(headers: &HeaderMap, body: ureq::Body, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
    if is_over(headers, limit) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    body.into_reader().take(limit + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= limit))
}

/// The clock difference: from the middle of the request to the middle of the second in which the store answered.
fn skew(sent: SignedDuration, answered: SignedDuration, date: Option<Time>) -> Option<SignedDuration> {
    let middle = sent + (answered - sent) / 2;
    Some(middle - SignedDuration::from_secs(date?.as_second()) - SignedDuration::from_millis(500))
}

//! One try at a pulse's URL. It follows redirects itself: each hop is checked like the first.

use std::time::{Duration, Instant};

use pulse_echo_core::answer::Cause;
use pulse_echo_core::clock::Time;
use pulse_echo_core::http::url::{web_url, why_no_url, without_query};
use pulse_echo_core::http::{Failure, Trouble};
use pulse_echo_core::pulse::Pulse;
use ureq::Agent;
use ureq::http::{HeaderValue, Response};
use url::Url;

use super::Web;
use super::guard::Blocked;
use super::unpack::{Body, encoding, read_unpacked};
use crate::expect::{Miss, Redirect, Seen, need};
use pulse_echo_core::text::line;

/// How much of an address, or of why there is no answer, a reason shows, in bytes.
const ROOM: usize = 120;
const WHY: usize = 170;

/// A try without an answer to judge.
pub(super) struct Failed {
    pub(super) miss: Miss,
    /// The status code, if the answer got that far.
    pub(super) status: Option<u16>,
}

/// Fetches `url`, and follows as many redirects as the pulse allows.
pub(super) fn fetch(
    web: &Web,
    pulse: &Pulse,
    url: &Url,
    now: Time,
    started: Instant,
    deadline: Instant,
) -> Result<Seen, Failed> {
    let mut url = url.clone();
    let (mut hops, mut lost) = (0, Duration::ZERO);
    loop {
        let (agent, shown, lost_here) = web.client();
        let response = get(&agent, &url, deadline)
            .map_err(|error| Failed { miss: explain_silence(pulse, &url, hops, error), status: None })?;
        lost += lost_here.get().copied().unwrap_or_default();
        let status = response.status().as_u16();
        let redirect = redirect(&response);
        if let Redirect::To(location) = &redirect
            && hops < pulse.redirects
        {
            url = next(&url, location).map_err(|miss| Failed { miss, status: Some(status) })?;
            hops += 1;
            continue;
        }
        let encoding = encoding(response.headers());
        // Dropping it may read a little more, which must not count.
        let mut reader = response.into_body().into_reader();
        let body = read_unpacked(&mut reader, encoding, need(pulse, status, &redirect)).map_err(|error| Failed {
            miss: explain(pulse, &url, &error.into(), Some(status)),
            status: Some(status),
        })?;
        let latency = started.elapsed().saturating_sub(lost);
        let trusted_until = shown.get().map(|shown| shown.trusted_until(now));
        let redirect = match redirect {
            Redirect::To(location) => Redirect::To(bare(&url, &location)),
            other => other,
        };
        let Body { bytes, whole, packed } = body;
        return Ok(Seen { host: site(&url), status, redirect, body: bytes, whole, packed, latency, trusted_until });
    }
}

fn get(agent: &Agent, url: &Url, deadline: Instant) -> Result<Response<ureq::Body>, ureq::Error> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(ureq::Error::Timeout(ureq::Timeout::Global));
    }
    agent.get(url.as_str()).config().timeout_global(Some(left)).build().call()
}

fn redirect(response: &Response<ureq::Body>) -> Redirect {
    if !matches!(response.status().as_u16(), 300..=303 | 307 | 308) {
        return Redirect::None;
    }
    match response.headers().get("location").map(HeaderValue::as_bytes) {
        // The choices stand in the body.
        None | Some(b"") if response.status() == 300 => Redirect::None,
        None | Some(b"") => Redirect::Nowhere,
        Some(location) => Redirect::To(as_url(location)),
    }
}

/// The text of a Location. Bytes that are no UTF-8, such as Latin-1, are encoded as they came, as curl does.
fn as_url(location: &[u8]) -> String {
    let mut url = String::new();
    for chunk in location.utf8_chunks() {
        url.push_str(chunk.valid());
        url.extend(chunk.invalid().iter().map(|byte| format!("%{byte:02x}")));
    }
    url
}

/// The address of `location` on the page `url`, if the probe may fetch it. The reason shows no credentials.
fn next(url: &Url, location: &str) -> Result<Url, Miss> {
    let next = url.join(location).map_err(|error| {
        let location = line(&bare(url, location), ROOM);
        let reason = format!("a redirect to {location} cannot be followed: {}", why_no_url(&location, error));
        Miss { cause: Cause::Status, reason, expected: None, got: Some(location) }
    })?;
    web_url(next.as_str()).map_err(|why| {
        let bare = line(&bare(url, location), ROOM);
        let reason = format!("a redirect to {bare} is not followed: {why}");
        Miss { cause: Cause::Blocked, reason, expected: None, got: Some(bare) }
    })
}

/// Removes the credentials and the query from the `location` that came on the page `url`: we must not show them.
fn bare(url: &Url, location: &str) -> String {
    let bare = match url.join(location) {
        Ok(next) if next.username().is_empty() && next.password().is_none() => location.into(),
        Ok(mut next) => {
            // A URL that has credentials can also be without.
            let _ = (next.set_username(""), next.set_password(None));
            next.to_string()
        }
        Err(_) => location.rsplit_once('@').map_or(location, |(_, rest)| rest).into(),
    };
    without_query(&bare)
}

/// Explains why no answer came from `url`, `hops` redirects later.
fn explain_silence(pulse: &Pulse, url: &Url, hops: u32, error: ureq::Error) -> Miss {
    match &error {
        ureq::Error::Other(other) if let Some(Blocked(why)) = other.downcast_ref() => {
            let reason = if hops == 0 { why.clone() } else { format!("after a redirect, {why}") };
            Miss { cause: Cause::Blocked, reason, expected: None, got: None }
        }
        _ => explain(pulse, url, &error.into(), None),
    }
}

/// Explains why no answer came from `url`, or why it broke off after its status.
fn explain(pulse: &Pulse, url: &Url, failure: &Failure, status: Option<u16>) -> Miss {
    let site = line(&site(url), ROOM / 2);
    let text = line(&failure.text, WHY);
    let (cause, reason) = match (failure.trouble, status) {
        (Trouble::Dns, _) => (Cause::Dns, text),
        (Trouble::Connect, None) => (Cause::Connect, format!("cannot connect to {site}: {text}")),
        (Trouble::Tls, None) => (Cause::Tls, format!("no trusted TLS connection to {site}: {text}")),
        (Trouble::Untrusted, None) => {
            (Cause::Tls, format!("no trusted TLS connection to {site}: {text}; PROBE_CA_BUNDLE can name it as trusted"))
        }
        (Trouble::Timeout, status) => (Cause::Timeout, out_of_time(pulse, url, status)),
        (Trouble::Broken | Trouble::Protocol, _) | (Trouble::Connect | Trouble::Tls | Trouble::Untrusted, Some(_)) => {
            (Cause::Connect, format!("no whole answer from {site}: {text}"))
        }
    };
    Miss { cause, reason, expected: None, got: None }
}

fn out_of_time(pulse: &Pulse, url: &Url, status: Option<u16>) -> String {
    let (within, url) = (pulse.timeout().as_secs(), line(&without_query(url.as_str()), ROOM));
    match status {
        None => format!("no answer within {within} s from {url}"),
        Some(status) => format!("no whole answer within {within} s from {url} (only its status {status} and header)"),
    }
}

/// Host and port, as one writes them for a tool that inspects the connection.
fn site(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}:{port}", url.host_str().unwrap_or_default())
}

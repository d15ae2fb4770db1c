//! Compares an answer with what the pulse expects: pure rules, in their order.

mod body;
mod job;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::time::Duration;

use pulse_echo_core::answer::Cause;
use pulse_echo_core::clock::Time;
use pulse_echo_core::pulse::Pulse;

use pulse_echo_core::text::{excerpt, line, quoted};
use pulse_echo_core::words::grouped;

pub(crate) use job::compare as compare_job;

/// How much of a body is read at most, in bytes.
pub(crate) const READ_LIMIT: usize = 1024 * 1024;

/// How many bytes are read beyond the expected body, so that the reason can show them.
const MORE: usize = 256;

/// How much of a foreign text a reason shows, in bytes. Two such texts and the words around them are below a fault's
/// 256.
const ROOM: usize = 48;

/// How much of a reason a fault keeps, in bytes.
const REASON_ROOM: usize = 256;

/// How much of it another reason may take, in bytes.
const ALSO_ROOM: usize = 96;

/// How much of a text the fields `expected` and `got` show, in bytes.
const FIELD_ROOM: usize = 240;

/// The compressions that a body may have. Some servers write other words there, such as `utf-8`.
const COMPRESSIONS: [&str; 7] = ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"];

/// An answer, as much of it as was needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The host and port that it came from, after all redirects.
    pub(crate) host: String,
    /// Its status code.
    pub(crate) status: u16,
    /// Whether it is a redirect that was not followed, and where to.
    pub(crate) redirect: Redirect,
    /// The beginning of its body.
    pub(crate) body: Vec<u8>,
    /// Whether `body` is complete.
    pub(crate) whole: bool,
    /// The compression that is still on `body`.
    pub(crate) packed: Option<String>,
    /// From the beginning of the fetch to the last byte that was needed, without what dead addresses took.
    pub(crate) latency: Duration,
    /// Until when the certificate of its connection is trusted; `None` without TLS.
    pub(crate) trusted_until: Option<Time>,
}

/// The redirect in the last answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Redirect {
    /// The answer is not a redirect.
    None,
    /// The answer is a redirect by its status, but has no Location.
    Nowhere,
    /// The answer is a redirect to this address and was not followed.
    To(String),
}

/// A difference between the answer and the pulse's expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Miss {
    /// What kind of failure it is.
    pub(crate) cause: Cause,
    /// A sentence, safe to show, with the value seen and the value expected.
    pub(crate) reason: String,
    /// What was expected.
    pub(crate) expected: Option<String>,
    /// What came instead.
    pub(crate) got: Option<String>,
}

impl Miss {
    /// The same, whose reason names another miss, too. Its own reason comes first, and is cut if it must be.
    pub(crate) fn and(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        let also = format!("; also: {}", line(&other.reason, ALSO_ROOM));
        Self { reason: format!("{}{also}", line(&self.reason, REASON_ROOM - also.len())), ..self }
    }
}

/// How much of a body must be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need<'a> {
    /// Nothing.
    Nothing,
    /// This many bytes, or all bytes of a shorter body.
    UpTo(usize),
    /// Everything until this text has come.
    Until(&'a str),
}

/// The statuses that HTTP has.
const KNOWN: RangeInclusive<u16> = 100..=599;

/// How much of the body is needed to judge an answer that begins like this.
pub(crate) fn need<'a>(pulse: &'a Pulse, status: u16, redirect: &Redirect) -> Need<'a> {
    match pulse {
        _ if !status_will_do(pulse, status) || is_astray(pulse, status, redirect) => Need::Nothing,
        Pulse { body: Some(body), .. } => Need::UpTo(body.len() + MORE),
        Pulse { max_latency_ms: Some(_), .. } => Need::UpTo(READ_LIMIT),
        Pulse { contains: Some(text), .. } => Need::Until(text),
        _ => Need::Nothing,
    }
}

/// Compares the answer with the pulse's expectations at `now`.
pub(crate) fn compare(pulse: &Pulse, seen: &Seen, now: Time) -> Result<(), Miss> {
    compare_status(pulse, seen)?;
    if let Some(expected) = &pulse.body {
        compare_body(expected, seen)?;
    }
    if let Some(text) = &pulse.contains {
        compare_contains(text, seen)?;
    }
    if let Some(days) = pulse.min_cert_days {
        compare_certificate(days, seen, now)?;
    }
    match pulse.max_latency_ms {
        Some(allowed) => compare_latency(allowed, seen),
        None => Ok(()),
    }
}

/// Whether the pulse names exactly this status.
pub(crate) fn is_listed(pulse: &Pulse, status: u16) -> bool {
    pulse.status.as_ref().is_some_and(|list| list.contains(&status))
}

fn status_will_do(pulse: &Pulse, status: u16) -> bool {
    match &pulse.status {
        Some(_) => is_listed(pulse, status),
        None if looks_at_body(pulse) => KNOWN.contains(&status),
        None => (200..300).contains(&status),
    }
}

fn looks_at_body(pulse: &Pulse) -> bool {
    pulse.body.is_some() || pulse.contains.is_some()
}

/// Whether redirects were followed and the answer is one more redirect.
fn is_astray(pulse: &Pulse, status: u16, redirect: &Redirect) -> bool {
    pulse.redirects > 0 && matches!(redirect, Redirect::To(_)) && !is_listed(pulse, status)
}

fn compare_status(pulse: &Pulse, seen: &Seen) -> Result<(), Miss> {
    let astray = is_astray(pulse, seen.status, &seen.redirect);
    if status_will_do(pulse, seen.status) && !astray {
        return Ok(());
    }
    let got = match &seen.redirect {
        Redirect::None => format!("status {}", seen.status),
        Redirect::Nowhere => format!("status {} (a redirect without a Location)", seen.status),
        Redirect::To(to) if astray => {
            let (to, allowed) = (line(to, 2 * ROOM), pulse.redirects);
            format!("status {} (redirects on to {to}; \"redirects\" allows {allowed})", seen.status)
        }
        Redirect::To(to) => {
            format!("status {} (redirects to {}; set \"redirects\" to follow)", seen.status, line(to, 2 * ROOM))
        }
    };
    let expected = match &pulse.status {
        Some(list) => list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "),
        None if astray => "no further redirect".into(),
        None if looks_at_body(pulse) => format!("one of {} to {}", KNOWN.start(), KNOWN.end()),
        None => "2xx".into(),
    };
    Err(Miss {
        cause: Cause::Status,
        reason: format!("{got}, expected {}", line(&expected, ROOM)),
        expected: Some(expected),
        got: Some(seen.status.to_string()),
    })
}

fn compare_body(expected: &str, seen: &Seen) -> Result<(), Miss> {
    let only = if seen.whole { body::only_difference(expected, &seen.body) } else { None };
    let (expected, got) = (expected.as_bytes(), seen.body.as_slice());
    let Some(at) = body::difference(expected, got) else {
        return Ok(());
    };
    let code = code(seen);
    let reason = if got.is_empty() {
        format!("{}, expected {}", after(code, "the body is empty"), quoted(expected, 0, ROOM))
    } else {
        let (expected, got) = (quoted(expected, at, ROOM), quoted(got, at, ROOM));
        let differs = if code.is_some() { "the body differs" } else { "body differs" };
        format!("{} at byte {at}: expected {expected}, got {got}", after(code, differs))
    };
    Err(Miss {
        cause: Cause::Body,
        reason: reason + &aside(only, seen),
        expected: Some(excerpt(expected, at, FIELD_ROOM)),
        got: Some(excerpt(got, at, FIELD_ROOM)),
    })
}

fn compare_contains(text: &str, seen: &Seen) -> Result<(), Miss> {
    if memchr::memmem::find(&seen.body, text.as_bytes()).is_some() {
        return Ok(());
    }
    let all = if seen.whole { "" } else { ", all that is read" };
    let searched = format!("searched {} bytes{all}", grouped(seen.body.len()));
    let lacks = format!("the body does not contain {}", quoted(text.as_bytes(), 0, 2 * ROOM));
    Err(Miss {
        cause: Cause::Body,
        reason: after(code(seen), &lacks) + &aside(Some(&searched), seen),
        expected: Some(excerpt(text.as_bytes(), 0, FIELD_ROOM)),
        got: Some(excerpt(&seen.body, 0, FIELD_ROOM)),
    })
}

fn compare_certificate(days: u32, seen: &Seen, now: Time) -> Result<(), Miss> {
    let host = line(&seen.host, ROOM);
    let (reason, got) = match seen.trusted_until {
        Some(until) if days_left(until, now) >= i64::from(days) => return Ok(()),
        Some(until) => {
            let left = match days_left(until, now) {
                1 => "1 day".into(),
                left => format!("{left} days"),
            };
            (format!("the certificate of {host} is valid until {until}, {left} more"), format!("{left}, until {until}"))
        }
        None => (format!("{host}, where the redirects end, has no certificate: it is http"), "http".into()),
    };
    let expected = format!("at least {days} days");
    let (reason, expected, got) = (format!("{reason}; expected {expected}"), Some(expected), Some(got));
    Err(Miss { cause: Cause::Cert, reason, expected, got })
}

/// How many whole days remain until a time; negative if it has passed.
pub(crate) fn days_left(until: Time, now: Time) -> i64 {
    (until.as_second() - now.as_second()).div_euclid(24 * 3600)
}

fn compare_latency(allowed: u32, seen: &Seen) -> Result<(), Miss> {
    let took = seen.latency.as_millis();
    let (reason, got) = match took <= u128::from(allowed) {
        true if seen.whole => return Ok(()),
        true => {
            let got = format!("over {} bytes", grouped(seen.body.len()));
            (format!("the body has {got}, all that is read, so when the answer was complete is not known"), got)
        }
        false => (format!("answered after {took} ms"), format!("{took} ms")),
    };
    Err(Miss {
        cause: Cause::Latency,
        reason: format!("{reason}, allowed are {allowed} ms"),
        expected: Some(format!("at most {allowed} ms")),
        got: Some(got),
    })
}

/// A status that explains a wrong body better than the body does: it is the news, so it comes first.
fn code(seen: &Seen) -> Option<String> {
    match seen.redirect {
        _ if (200..300).contains(&seen.status) => None,
        Redirect::To(_) => Some(format!("status {} (a redirect: set \"redirects\" to follow)", seen.status)),
        Redirect::None | Redirect::Nowhere => Some(format!("status {}", seen.status)),
    }
}

/// What is wrong with the body, after the status that explains it.
fn after(code: Option<String>, what: &str) -> String {
    code.map_or_else(|| what.into(), |code| format!("{code}, and {what}"))
}

/// What is known besides, in brackets: the difference, and a compression.
fn aside(known: Option<&str>, seen: &Seen) -> String {
    let packed = seen.packed.as_ref();
    let packed = packed.map(|packed| {
        if packed.split(", ").any(|coding| COMPRESSIONS.contains(&coding)) {
            format!("compressed ({}), which nobody asked for", line(packed, ROOM))
        } else {
            format!("its header Content-Encoding says {}", quoted(packed.as_bytes(), 0, ROOM))
        }
    });
    match known.map(String::from).into_iter().chain(packed).collect::<Vec<_>>().join("; ") {
        empty if empty.is_empty() => empty,
        text => format!(" ({text})"),
    }
}

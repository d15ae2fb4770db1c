//! One pulse, from being read to its answer being put.

use std::fmt;
use std::time::{Duration, Instant};

use log::Level;
use pulse_echo_core::answer::{Cause, Echo, Fault};
use pulse_echo_core::clock::Time;
use pulse_echo_core::json::{self, Unknown};
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::pulse::{Pulse, SIZE_LIMIT, Sending};
use pulse_echo_core::store::{self, Clock, Condition, Object, Store};
use url::Url;

use crate::error::{Error, Kind};
use crate::expect::{Miss, days_left};
use crate::fetch::{Checked, Web};

use super::vitals;
use pulse_echo_core::text::line;

/// How old what was read of the pulse may be when it is answered by an echo.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A good answer that took this long or longer is logged, for the saved query "slow services"; in milliseconds.
const SLOW_MS: u64 = 2_000;

/// How much of a parser's sentence a reason shows, in bytes.
const ROOM: usize = 180;

/// What became of a pulse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// An echo or a fault was put.
    Answered(Checked),
    /// The pulse was replaced or removed while its address was fetched, so the echo was dropped.
    Replaced,
    /// The pulse is no longer there.
    Missing,
    /// The pulse has a URL, and nothing may be fetched.
    HasUrl,
}

/// Answers the pulse that is there now; fetching ends at `fetch_end`. Without a `web`, a pulse with a URL is left as it
/// is. The error is trouble of our own.
pub(super) fn answer(
    id: &CheckId,
    store: &Store,
    web: Option<&Web>,
    clock: &Clock,
    fetch_end: Instant,
) -> Result<Outcome, Error> {
    let read_at = Instant::now();
    let (object, parsed) = match store.get(&Key::pulse(id), SIZE_LIMIT) {
        Ok(object) => {
            let parsed = parse(&object);
            (object, parsed)
        }
        Err(error) if error.is_missing() => return Ok(Outcome::Missing),
        Err(error) if error.is_of_the_object() => match listed(store, id)? {
            Some(object) => (object, Err(withheld(&error))),
            None => return Ok(Outcome::Missing),
        },
        Err(error) => return Err(error.into()),
    };
    let (url, checked) = match parsed {
        Ok(pulse) => {
            let checked = match (&pulse.url, web) {
                // A pulse that asks for nothing is as expected by having arrived.
                (None, _) => Checked::unfetched(Ok(())),
                (Some(_), None) => return Ok(Outcome::HasUrl),
                (Some(url), Some(web)) => check(&pulse, url, web, Time::of(clock()), fetch_end)?,
            };
            let checked = vitals::judged(checked, &pulse.vitals, &object.metadata);
            (pulse.url, checked)
        }
        Err(miss) => (None, Checked::unfetched(Err(miss))),
    };
    if let Err(miss) = &checked.verdict {
        put_fault(store, id, &object, &checked, miss, url)?;
    } else {
        if read_at.elapsed() > LOOK_AGAIN && !is_still_there(store, id, &object)? {
            return Ok(Outcome::Replaced);
        }
        put_echo(store, id, &object, &checked, clock)?;
    }
    Ok(Outcome::Answered(checked))
}

/// The pulse, unless it is no longer there.
fn get(store: &Store, id: &CheckId) -> Result<Option<Object>, Error> {
    match store.get(&Key::pulse(id), SIZE_LIMIT) {
        Err(error) if error.is_missing() => Ok(None),
        got => Ok(Some(got?)),
    }
}

/// What a list tells of a pulse that the store does not give: its time, without which a fault says little.
fn listed(store: &Store, id: &CheckId) -> Result<Option<Object>, Error> {
    let key = Key::pulse(id);
    // The first key with this prefix is the key itself.
    let Some(page) = store.list(key.as_str()).next().transpose()? else { return Ok(None) };
    let entry = page.entries.into_iter().next().filter(|entry| entry.key == key.as_str());
    Ok(entry.map(|entry| Object {
        body: None,
        size: entry.size,
        etag: entry.etag,
        last_modified: entry.last_modified,
        metadata: Metadata::new(),
        date: page.date,
        rtt: Duration::ZERO,
    }))
}

/// That the store does not give the pulse, for the pulse's own sake.
fn withheld(error: &store::Error) -> Miss {
    let said = line(&error.said().unwrap_or_default(), ROOM);
    let reason = format!("the pulse is invalid: the store does not give it, and said {said}");
    Miss { cause: Cause::InvalidPulse, reason, expected: None, got: None }
}

/// Reads a pulse that anybody may have written.
fn parse(object: &Object) -> Result<Pulse, Miss> {
    let miss = |reason, expected, got| Miss { cause: Cause::InvalidPulse, reason, expected, got };
    let Some(body) = &object.body else {
        let (got, expected) = (format!("{} bytes", object.size), format!("at most {SIZE_LIMIT} bytes"));
        return Err(miss(
            format!("the pulse is invalid: it has {got}, {expected} are read"),
            Some(expected),
            Some(got),
        ));
    };
    Pulse::parse(body, Unknown::Ignored).map_err(|error| {
        // The sentence may quote what was written, so it is cut, but not its place.
        let error = json::Error { message: line(&error.message, ROOM), ..error };
        miss(format!("the pulse is invalid: {error}"), None, None)
    })
}

/// Fetches and judges what the pulse asks for.
fn check(pulse: &Pulse, url: &Url, web: &Web, now: Time, fetch_end: Instant) -> Result<Checked, Error> {
    let promised = Instant::now() + pulse.timeout();
    let checked = web.check(pulse, url, now, promised.min(fetch_end));
    match &checked.verdict {
        // The service, or its name server, may still have answered in the time that its pulse gives it.
        Err(miss) if fetch_end < promised && (miss.cause == Cause::Timeout || Instant::now() >= fetch_end) => {
            let promised = pulse.timeout().as_secs();
            Err(Error::new(
                Kind::OutOfTime,
                format!(
                    "the invocation ends before the {promised} s that the pulse gives its service; give the function \
                     more time"
                ),
            ))
        }
        _ => Ok(checked),
    }
}

/// Whether the pulse is still the one that was read. Body and `ETag` do not tell, they are stable.
fn is_still_there(store: &Store, id: &CheckId, read: &Object) -> Result<bool, Error> {
    let pulse_id = |object: &Object| Sending::from_metadata(&object.metadata).pulse_id;
    let now = get(store, id)?;
    Ok(now.is_some_and(|now| now.last_modified == read.last_modified && pulse_id(&now) == pulse_id(read)))
}

fn put_echo(store: &Store, id: &CheckId, pulse: &Object, checked: &Checked, clock: &Clock) -> Result<(), Error> {
    let sending = Sending::from_metadata(&pulse.metadata);
    let probed_at = Time::of(clock());
    let echo = Echo {
        pulse_id: sending.pulse_id,
        pulse_at: pulse.last_modified,
        instance: sending.instance,
        probed_at,
        status: checked.status,
        latency_ms: checked.latency_ms,
        cert_days: checked.trusted_until.map(|until| days_left(until, probed_at)),
    };
    put(store, &Key::echo(id), "text/plain", Echo::BODY, &echo.to_metadata())
}

fn put_fault(
    store: &Store,
    id: &CheckId,
    pulse: &Object,
    checked: &Checked,
    miss: &Miss,
    url: Option<Url>,
) -> Result<(), Error> {
    let Miss { cause, reason, expected, got } = miss.clone();
    let fault = Fault {
        reason,
        cause,
        expected,
        got,
        status: checked.status,
        latency_ms: checked.latency_ms,
        pulse_id: Sending::from_metadata(&pulse.metadata).pulse_id,
        pulse_at: pulse.last_modified,
        url: url.map(String::from),
    };
    put(store, &Key::fault(id), "application/json", &fault.to_json(), &Metadata::new())
}

fn put(store: &Store, key: &Key, content_type: &str, body: &[u8], metadata: &Metadata) -> Result<(), Error> {
    store.put(key, content_type, body, metadata, &Condition::Always)?;
    Ok(())
}

impl Outcome {
    /// Logs it.
    pub(super) fn log(&self, id: &CheckId) {
        let outcome = match self {
            Self::Answered(Checked { verdict: Ok(()), .. }) => "echo",
            Self::Answered(_) => "fault",
            Self::Replaced => "replaced",
            Self::Missing => "missing",
            Self::HasUrl => "has-url",
        };
        let ms = if let Self::Answered(checked) = self { checked.latency_ms } else { None };
        log::log!(self.level(), check:% = id, outcome, ms; "{id}: {self}");
    }

    /// How much its log line matters. A good echo is not worth a line each, as a host has thousands a month; a slow one
    /// is.
    fn level(&self) -> Level {
        match self {
            Self::Answered(Checked { verdict: Ok(()), latency_ms, .. }) if *latency_ms < Some(SLOW_MS) => Level::Debug,
            // It is handed on.
            Self::HasUrl => Level::Debug,
            _ => Level::Info,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checked = match self {
            Self::Answered(checked) => checked,
            Self::Replaced => return f.write_str("no echo: the pulse was replaced or removed meanwhile"),
            Self::Missing => return f.write_str("skipped: the pulse is no longer there"),
            Self::HasUrl => return f.write_str("left: the pulse has a URL"),
        };
        match &checked.verdict {
            Ok(()) => f.write_str("echo")?,
            Err(miss) => write!(f, "fault, {}: {}", miss.cause, miss.reason)?,
        }
        checked.latency_ms.map_or(Ok(()), |ms| write!(f, ", {ms} ms"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_echo_is_logged_at_info_and_a_fast_one_is_not() {
        let echo = |latency_ms| {
            let checked = Checked { verdict: Ok(()), status: Some(200), latency_ms, trusted_until: None };
            Outcome::Answered(checked).level()
        };
        assert_eq!([None, Some(1_999)].map(echo), [Level::Debug; 2]);
        assert_eq!([Some(2_000), Some(60_000)].map(echo), [Level::Info; 2]);
        assert_eq!(Outcome::Missing.level(), Level::Info);
    }
}

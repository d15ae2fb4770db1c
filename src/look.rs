//! What the store has of a check, and of the loop.

use std::time::Duration;

use pulse_echo_core::answer::{Echo, Fault};
use pulse_echo_core::clock::Time;
use pulse_echo_core::json::Unknown;
use pulse_echo_core::mark::{self, Mark};
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::pulse::{Pulse, SIZE_LIMIT, Sending};
use pulse_echo_core::store::{Error, Object, Store};

/// The result of looking at an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Look<T> {
    /// It is there.
    There(T),
    /// It is not there.
    Missing,
    /// The store denied it. S3 also denies a missing key to a caller who may not list the bucket, and hosts may not.
    Denied,
}

impl<T> Look<T> {
    /// The object, if it is there.
    pub fn there(self) -> Option<T> {
        match self {
            Self::There(it) => Some(it),
            Self::Missing | Self::Denied => None,
        }
    }

    /// The same by reference.
    pub fn as_ref(&self) -> Look<&T> {
        match self {
            Self::There(it) => Look::There(it),
            Self::Missing => Look::Missing,
            Self::Denied => Look::Denied,
        }
    }

    /// Converts the object by `read`. An object that `read` cannot convert counts as missing.
    fn read<U>(self, read: impl FnOnce(T) -> Option<U>) -> Look<U> {
        match self {
            Self::There(it) => read(it).map_or(Look::Missing, Look::There),
            Self::Missing => Look::Missing,
            Self::Denied => Look::Denied,
        }
    }
}

/// Looks at an object. Its body is read only if it has at most `limit` bytes.
pub fn look(store: &Store, key: &Key, limit: u64) -> Result<Look<Object>, Error> {
    log::debug!("get {key}");
    match store.get(key, limit) {
        Ok(object) => Ok(Look::There(object)),
        Err(error) if error.is_missing() => Ok(Look::Missing),
        Err(error) if error.is_denied() => Ok(Look::Denied),
        Err(error) => Err(error),
    }
}

/// Looks at a check's echo.
pub fn echo(store: &Store, id: &CheckId) -> Result<Look<Echo>, Error> {
    Ok(echo_in(look(store, &Key::echo(id), SIZE_LIMIT)?))
}

/// Looks at a check's fault. A fault that cannot be read is not an answer of the probe.
pub fn fault(store: &Store, id: &CheckId) -> Result<Look<Fault>, Error> {
    Ok(fault_in(look(store, &Key::fault(id), SIZE_LIMIT)?))
}

fn echo_in(object: Look<Object>) -> Look<Echo> {
    object.read(|object| Some(Echo::from_metadata(&object.metadata, object.last_modified)))
}

fn fault_in(object: Look<Object>) -> Look<Fault> {
    object.read(|object| Fault::from_json(&object.body?).ok())
}

/// A pulse as the store has it.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenPulse {
    /// When the store took it.
    pub at: Time,
    /// Its `pulse-id`, if its metadata has one.
    pub id: Option<String>,
    /// Which machine sent it, if its metadata tells.
    pub instance: Option<String>,
    /// Its content; `None` if it cannot be read.
    pub pulse: Option<Pulse>,
}

/// What the store has of a check.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The newest pulse.
    pub pulse: Look<SeenPulse>,
    /// The newest good answer.
    pub echo: Look<Echo>,
    /// The newest bad answer.
    pub fault: Look<Fault>,
    /// When they were read, by the store's clock; `None` if nothing was there.
    pub now: Option<Time>,
    /// From sending the last request to its answer; `None` if nothing was there.
    pub rtt: Option<Duration>,
}

impl Seen {
    /// Looks at the pulse first, then at the answers, so that an answer that comes meanwhile is seen with its pulse.
    pub fn look(store: &Store, id: &CheckId) -> Result<Self, Error> {
        let pulse = look(store, &Key::pulse(id), SIZE_LIMIT)?;
        let echo = look(store, &Key::echo(id), SIZE_LIMIT)?;
        let fault = look(store, &Key::fault(id), SIZE_LIMIT)?;
        let there = || [&pulse, &echo, &fault].into_iter().filter_map(|object| object.as_ref().there());
        let now = there().map(|object| object.date).max();
        let rtt = there().next_back().map(|object| object.rtt);
        Ok(Self {
            pulse: pulse.read(|object| Some(seen_pulse(object))),
            echo: echo_in(echo),
            fault: fault_in(fault),
            now,
            rtt,
        })
    }
}

fn seen_pulse(object: Object) -> SeenPulse {
    let Sending { pulse_id, instance, .. } = Sending::from_metadata(&object.metadata);
    SeenPulse {
        at: object.last_modified,
        id: pulse_id,
        instance,
        // A newer agent or an operator may have put it.
        pulse: object.body.and_then(|body| Pulse::parse(&body, Unknown::Ignored).ok()),
    }
}

/// Looks at the loop's mark. Returns it with the store's time. A mark that cannot be read counts as missing.
pub fn mark(store: &Store) -> Result<Look<(Mark, Time)>, Error> {
    let object = look(store, &Key::mark(), mark::SIZE_LIMIT)?;
    Ok(object.read(|object| Some((Mark::from_json(&object.body?).ok()?, object.date))))
}

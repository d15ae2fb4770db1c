//! The fleet as the last sweeps left it in `status.json`.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::exit::Failure;
use super::look::{self, Look};
use super::target::Unknown;
use pulse_echo_core::clock::Time;
use pulse_echo_core::json::Unusable;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::status::{BackOff, SIZE_LIMIT, StatusOf};
use pulse_echo_core::store::Store;
use pulse_echo_core::text::printable;
use pulse_echo_core::words;

/// What the sweeps know of all checks.
pub struct Fleet {
    /// What `status.json` says.
    pub status: StatusOf<Owed>,
    /// When it was read, by the store's clock.
    pub now: Time,
}

/// The part of a message that is shown here: to parse whole messages costs 35 KB.
#[derive(Deserialize)]
pub struct Owed {
    /// The channels that still have to take it.
    pub owed: BTreeSet<String>,
}

impl Fleet {
    /// Reads `status.json`. The error is a sentence that says what to do.
    pub fn read(store: &Store) -> Result<Self, String> {
        let (key, bucket) = (Key::status(), store.bucket_name());
        let object = match look::look(store, &key, SIZE_LIMIT).map_err(|error| error.to_string())? {
            Look::There(object) => object,
            Look::Missing => {
                return Err(format!(
                    "there is no {key} in bucket {bucket} yet: the loop writes it with its first sweep; see pulse-echo \
                     loop show"
                ));
            }
            Look::Denied => {
                return Err(format!(
                    "{key} of bucket {bucket} may not be read with these credentials, or is not there yet: it is the \
                     operator's, a host's own rights do not include it; for this host, see pulse-echo check"
                ));
            }
        };
        let body = object.body.ok_or_else(|| format!("{key} has {} bytes, over {SIZE_LIMIT}", object.size))?;
        let status = StatusOf::from_json(&body).map_err(|error| match error {
            Unusable::Unreadable { .. } => format!("{error}; the next sweep puts it aside and begins anew"),
            Unusable::Newer { .. } => error.to_string(),
        })?;
        Ok(Self { status, now: object.date })
    }
}

/// Refuses an id that fits nothing: neither a check that the last sweep knew, nor a pulse that has come since.
pub fn expect_known(id: &CheckId, fleet: &Result<Fleet, String>, store: &Store) -> Result<(), Failure> {
    let unknown = match fleet {
        Ok(fleet) => match Unknown::find(id, &fleet.status) {
            None => return Ok(()),
            Some(unknown) => Failure::usage(format!("{unknown}; {ANYWAY}")),
        },
        Err(why) => format!("whether there is a check {id} could not be looked up: {why}; {ANYWAY}").into(),
    };
    match look::look(store, &Key::pulse(id), 0)? {
        Look::There(_) => Ok(()),
        Look::Missing | Look::Denied => Err(unknown),
    }
}

const ANYWAY: &str = "--anyway does it all the same";

/// Over which channels the loop tells; `None` for the mark of a loop that does not say.
pub fn told_over(mark: &Mark) -> Option<String> {
    let channels = mark.channels.as_ref()?.iter().map(String::as_str).collect::<Vec<_>>();
    Some(match channels[..] {
        [] => "it has no channel, so it tells nobody anything".into(),
        _ => format!("it tells over {}", channels.join(", ")),
    })
}

/// The channels that do not take their messages, a sentence each.
pub fn channels_in_trouble(fleet: &Fleet) -> Vec<String> {
    fleet.status.channels.iter().map(|(name, back_off)| channel(name, back_off, fleet)).collect()
}

/// `channel slack has taken nothing for 25 min: HTTP 410; attempts in vain: 3, the next at …, messages that wait: 2`
fn channel(name: &str, back_off: &BackOff, fleet: &Fleet) -> String {
    let waiting = fleet.status.outbox.iter().filter(|message| message.owed.contains(name)).count();
    let BackOff { failures, until, since, why, .. } = back_off;
    let trouble = match since {
        Some(since) => format!("has taken nothing for {}", words::duration(since.age(fleet.now))),
        None => "is in trouble".into(),
    };
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    printable(&format!(
        "channel {name} {trouble}{why}; attempts in vain: {failures}, the next at {until}, messages that wait: \
         {waiting}"
    ))
}

//! The fleet as the last sweeps left it in `status.json`.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::look::{self, Look};
use super::target::Unknown;
use pulse_echo_core::clock::Time;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::status::{Error, SIZE_LIMIT, StatusOf};
use pulse_echo_core::store::Store;

/// What the sweeps know of all checks.
pub struct Fleet {
    /// What `status.json` says.
    pub status: StatusOf<Owed>,
    /// When it was read, by the store's clock.
    pub now: Time,
}

/// As much of a message as is shown here: to read all that can be told costs 35 KB.
#[derive(Deserialize)]
pub struct Owed {
    /// The channels that still have to take it.
    pub owed: BTreeSet<String>,
}

impl Fleet {
    /// Reads `status.json`. The error is one sentence that says what to do.
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
            Error::Unreadable(_) => format!("{error}; the next sweep puts it aside and begins anew"),
            Error::Newer(_) => error.to_string(),
        })?;
        Ok(Self { status, now: object.date })
    }
}

/// A note that the check is not known. The command goes on.
pub fn doubt(id: &CheckId, fleet: &Result<Fleet, String>) -> Option<String> {
    match fleet {
        Ok(fleet) => Unknown::find(id, &fleet.status).map(|unknown| format!("note: {unknown}")),
        Err(why) => Some(format!("note: whether there is a check {id} could not be looked up: {why}")),
    }
}

//! The checks, the same for each server. An error says what the server did instead of what AWS's S3 does.

pub mod agent;
pub mod lists;
pub mod objects;
pub mod refusals;

use std::error::Error;

use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::store::{self, Condition, Store, Taken};

/// Success, or what the server did instead.
pub type Outcome = Result<(), Box<dyn Error>>;

/// Returns an error that says what was seen, unless `holds`.
fn ensure(holds: bool, seen: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(seen().into()) }
}

/// The key of a pulse that somebody put by hand.
fn key(text: &str) -> Key {
    Key::pulse(&CheckId::from_pulse_key(text).unwrap())
}

fn put(store: &Store, key: &Key, body: &[u8], condition: &Condition) -> Result<Taken, store::Error> {
    store.put(key, "text/plain", body, &Metadata::new(), condition)
}

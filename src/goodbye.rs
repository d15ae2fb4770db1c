//! What `retire` and `send --retire` share: the note, and what is there to be deleted.

use super::look::{self, Look};
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::{Condition, Error, Store};

/// Puts a note that a check, or a host with all its checks, leaves on purpose. That it is there is all it says.
pub fn put_note(store: &Store, note: &Key) -> Result<(), Error> {
    store.put(note, "application/json", b"{}", &Metadata::new(), &Condition::Always).map(drop)
}

/// The objects that are there, as far as the store tells, and what is to be said if it does not: a DELETE does not
/// tell.
pub fn there(store: &Store, keys: impl Iterator<Item = Key>) -> Result<Vec<(Key, &'static str)>, Error> {
    let mut found = Vec::new();
    for key in keys {
        match look::look(store, &key, 0)? {
            Look::Missing => {}
            Look::There(_) => found.push((key, "")),
            Look::Denied => found.push((key, ", if it was there")),
        }
    }
    Ok(found)
}

//! The mark in the store, changed only by compare-and-set.

use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::{Mark, SIZE_LIMIT};
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::{Condition, Error, Store, Taken};

use super::machine::{KeptMark, MarkRead, Wrote};

/// Reads the mark. One that cannot be understood is there, but says nothing. `now` gives the store's time where the
/// answer does not.
pub(super) fn read(store: &Store, now: impl Fn() -> Time) -> Result<MarkRead, String> {
    match store.get(&Key::mark(), SIZE_LIMIT) {
        Ok(object) => {
            let read = object.body.as_deref().map(Mark::from_json).transpose();
            let mark = read.unwrap_or_else(|error| {
                log::error!("{} cannot be read, and begins anew: {error}", Key::mark());
                None
            });
            Ok(MarkRead { mark: KeptMark { mark, etag: Some(object.etag) }, now: object.date })
        }
        Err(error) if error.is_missing() => Ok(MarkRead { mark: KeptMark::default(), now: now() }),
        Err(error) => Err(error.to_string()),
    }
}

/// Writes the mark, if it is still the one with this `ETag`, or still missing.
pub(super) fn put(store: &Store, mark: &Mark, etag: Option<String>, now: impl Fn() -> Time) -> Result<Wrote, String> {
    let condition = etag.map_or(Condition::IfAbsent, Condition::IfMatch);
    let put = store.put(&Key::mark(), "application/json", &mark.to_json(), &Metadata::new(), &condition);
    wrote(put, now)
}

/// What became of a conditional write. The error is that it surely was not taken, for another reason than its
/// condition.
pub(super) fn wrote(put: Result<Taken, Error>, now: impl Fn() -> Time) -> Result<Wrote, String> {
    match put {
        Ok(_) => Ok(Wrote::Taken { now: now() }),
        Err(error) if error.is_precondition() || error.is_conflict() || error.is_missing() => Ok(Wrote::Refused),
        Err(error) if error.is_in_doubt() => {
            log::warn!("{error}");
            Ok(Wrote::InDoubt)
        }
        Err(error) => Err(error.to_string()),
    }
}

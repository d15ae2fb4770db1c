//! The mark in the store, changed only by compare-and-set.

use pulse_echo_core::mark::{Mark, SIZE_LIMIT};
use pulse_echo_core::name::Key;
use pulse_echo_core::random;
use pulse_echo_core::store::{Condition, Error, Store};

use crate::cas::{self, Written};

/// How often a change is tried again when others change the mark meanwhile.
const TRIES: u32 = 5;

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    /// The mark was written.
    Won,
    /// The mark says so already.
    Nothing,
}

/// The mark as it was read.
pub(super) struct Kept {
    /// What it says; an empty one if it is missing or cannot be read.
    pub(super) mark: Mark,
    condition: Condition,
}

impl Kept {
    /// Reads the mark. One that cannot be understood is as if it were missing.
    pub(super) fn read(store: &Store) -> Result<Self, Error> {
        match store.get(&Key::mark(), SIZE_LIMIT) {
            Ok(object) => {
                let read = object.body.as_deref().map(Mark::from_json).transpose();
                let mark = read.unwrap_or_else(|error| {
                    log::error!("{} cannot be read, and begins anew: {error}", Key::mark());
                    None
                });
                Ok(Self { mark: mark.unwrap_or_default(), condition: Condition::IfMatch(object.etag) })
            }
            Err(error) if error.is_missing() => Ok(Self::missing()),
            Err(error) => Err(error),
        }
    }

    /// There is no mark.
    pub(super) fn missing() -> Self {
        Self { mark: Mark::default(), condition: Condition::IfAbsent }
    }

    /// Writes what `change` makes of the mark, on whatever is there by now; nothing if that changes nothing. Tells
    /// which.
    pub(super) fn change(mut self, store: &Store, change: impl Fn(&mut Mark)) -> Result<Changed, String> {
        let mut why = format!("others changed it {TRIES} times meanwhile");
        for _ in 0..TRIES {
            let mut mark = self.mark.clone();
            change(&mut mark);
            if mark == self.mark {
                return Ok(Changed::Nothing);
            }
            mark.by = Some(random::id());
            match cas::write(store, &Key::mark(), &mark.to_json(), &self.condition)? {
                Written::Won(_) => return Ok(Changed::Won),
                Written::Lost => {}
                Written::Unwritten(error) => why = error,
            }
            self = Self::read(store).map_err(|error| error.to_string())?;
        }
        Err(format!("cannot change {}: {why}", Key::mark()))
    }
}

//! The mark in the store, changed only by compare-and-set.

use pulse_echo_core::mark::{Mark, SIZE_LIMIT};
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::{Condition, Error, Store};

/// How often a change is tried again when others change the mark meanwhile.
const TRIES: u32 = 5;

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

    /// Writes what `change` makes of the mark, on whatever is there by now; nothing if that changes nothing. `request`
    /// names the write, so that one whose answer is lost can be told from another's.
    pub(super) fn change(mut self, store: &Store, request: &str, change: impl Fn(&mut Mark)) -> Result<(), String> {
        for count in 1..=TRIES {
            let mut mark = self.mark.clone();
            change(&mut mark);
            if mark == self.mark {
                return Ok(());
            }
            let by = format!("{request}/{count}");
            mark.by = Some(by.clone());
            let put = store.put(&Key::mark(), "application/json", &mark.to_json(), &Metadata::new(), &self.condition);
            let Err(error) = put else { return Ok(()) };
            // Refused or not answered: what is there now tells which, and whether it is to be tried again.
            self = Self::read(store).map_err(|_| error.to_string())?;
            if self.mark.by.as_ref() == Some(&by) {
                return Ok(());
            }
            let is_raced = error.is_precondition() || error.is_conflict() || error.is_missing();
            if !(is_raced || error.is_in_doubt()) {
                return Err(error.to_string());
            }
        }
        Err(format!("cannot change {}: others changed it {TRIES} times meanwhile", Key::mark()))
    }
}

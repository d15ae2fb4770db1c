//! Why a handler failed, as Lambda is told: a word to search for, and one sentence with the remedy.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use pulse_echo_core::store;
use serde::Serialize;

use crate::deadline::{TO_REPORT, before};

/// What kind of trouble it is: Lambda's `errorType`. `docs/alerts.md` says what to do about each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// The event is not an event that the handler takes.
    UnexpectedEvent,
    /// The event is of another bucket than `BUCKET`.
    BucketMismatch,
    /// The store could not be read or written.
    StoreFailed,
    /// `status.json` was written by a newer loop.
    StatusNewer,
    /// A message could not be sent to the queue.
    QueueFailed,
    /// The time of the invocation was not enough.
    OutOfTime,
    /// A variable of the environment has a value that cannot be used.
    BadSetting,
    /// The program has a mistake.
    Panicked,
}

impl Kind {
    /// The word itself.
    pub fn word(self) -> &'static str {
        match self {
            Self::UnexpectedEvent => "UnexpectedEvent",
            Self::BucketMismatch => "BucketMismatch",
            Self::StoreFailed => "StoreFailed",
            Self::StatusNewer => "StatusNewer",
            Self::QueueFailed => "QueueFailed",
            Self::OutOfTime => "OutOfTime",
            Self::BadSetting => "BadSetting",
            Self::Panicked => "Panicked",
        }
    }
}

/// Trouble of our own. A check that fails is not an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Error {
    /// Lambda's `errorType`.
    #[serde(rename = "errorType")]
    pub kind: Kind,
    /// Lambda's `errorMessage`: one sentence with the remedy.
    #[serde(rename = "errorMessage")]
    pub message: String,
}

impl Error {
    /// An error of this kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The same error, with what it is about in front.
    #[must_use]
    pub fn about(self, what: impl fmt::Display) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }

    /// Several errors as one: the kind is that of the first.
    ///
    /// # Panics
    ///
    /// If there are none.
    pub fn joined(errors: &[Self]) -> Self {
        let sentences: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
        Self::new(errors[0].kind, sentences.join("; "))
    }

    /// Logs it, beginning with the word.
    pub fn log(&self) {
        let word = self.kind.word();
        log::error!(errorType = word; "{word}: {self}");
    }

    /// The same error; but if the invocation that ends at `deadline` has no time left for requests, that is to blame.
    #[must_use]
    pub(crate) fn at(self, now: Instant, deadline: Instant) -> Self {
        if matches!(self.kind, Kind::StoreFailed | Kind::QueueFailed) && now >= before(deadline, TO_REPORT) {
            let message = format!("the time of the invocation is over: {}; give the function more time", self.message);
            return Self::new(Kind::OutOfTime, message);
        }
        self
    }
}

/// What `act` makes; a panic, which has a log line of its own, is an error.
pub fn caught<T>(act: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(act))
        .map_err(|_| Error::new(Kind::Panicked, "the function panicked; the line before it in its log says where"))
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::new(Kind::StoreFailed, error.to_string())
    }
}

/// A sentence of a room that speaks to the store and to nobody else.
impl From<String> for Error {
    fn from(why: String) -> Self {
        Self::new(Kind::StoreFailed, why)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_store_that_failed_when_time_was_over_is_not_to_blame() {
        let now = Instant::now();
        let failed = Error::new(Kind::StoreFailed, "cannot get status.json");
        assert_eq!(failed.clone().at(now, now + Duration::from_secs(30)), failed);
        let late = failed.at(now, now + Duration::from_millis(300));
        assert_eq!(late.kind, Kind::OutOfTime);
        assert!(late.message.ends_with("cannot get status.json; give the function more time"), "{late}");
        let unexpected = Error::new(Kind::UnexpectedEvent, "no");
        assert_eq!(unexpected.clone().at(now, now), unexpected);
    }

    #[test]
    fn the_word_is_the_name_of_the_kind() {
        for kind in [Kind::UnexpectedEvent, Kind::BucketMismatch, Kind::StoreFailed, Kind::StatusNewer] {
            assert_eq!(kind.word(), format!("{kind:?}"));
        }
        for kind in [Kind::QueueFailed, Kind::OutOfTime, Kind::BadSetting, Kind::Panicked] {
            assert_eq!(kind.word(), format!("{kind:?}"));
        }
    }
}

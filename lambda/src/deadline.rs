//! How an invocation shares out its time: what has to be over how long before its end.

use std::time::{Duration, Instant};

/// The loop's reading; what is unread then is for the next sweep.
pub(crate) const TO_JUDGE: Duration = Duration::from_secs(20);

/// The loop's sending, so that what was taken can still be struck off.
pub(crate) const TO_STRIKE_OFF: Duration = Duration::from_secs(10);

/// Sending a tick, so that a queue that is away leaves time for messages to people.
pub(crate) const TO_TELL: Duration = Duration::from_secs(25);

/// The probe's fetching, so that the answer can still be put.
pub(crate) const TO_WRITE: Duration = Duration::from_secs(5);

/// All requests to the store, so that an error can still be reported.
pub(crate) const TO_REPORT: Duration = Duration::from_secs(1);

/// This long before the invocation's end.
pub(crate) fn before(deadline: Instant, time: Duration) -> Instant {
    deadline.checked_sub(time).unwrap_or(deadline)
}

//! How an invocation shares out its time: what has to be over how long before its end.

use std::time::{Duration, Instant};

/// The function's time-out that the stages of the loop are made for; with less time they are shorter in proportion.
const FULL: Duration = Duration::from_secs(60);

/// The loop's reading of `status.json`, so that one that does not come keeps no stop from being seen.
pub(crate) const TO_LOOK: Duration = Duration::from_secs(40);

/// The loop's writing of `status.json`, so that the number of the chain can go on without it.
pub(crate) const TO_RECORD: Duration = Duration::from_secs(18);

/// The loop's writing of the mark while it may send messages to people, and a look at what became of that.
pub(crate) const TO_MARK: Duration = Duration::from_secs(15);

/// How much of that is for the look.
pub(crate) const TO_READ_BACK: Duration = Duration::from_secs(2);

/// Writing the next number of the chain, so that its tick can still be sent.
pub(crate) const TO_STEP: Duration = Duration::from_secs(2);

/// Sending a tick when it is too late for messages to people.
pub(crate) const TO_SEND: Duration = Duration::from_millis(1_500);

/// The least time for what the chain hangs on, if there is so much left.
pub(crate) const LEAST: Duration = Duration::from_secs(5);

/// The loop's reading; what is unread then is for the next sweep.
pub(crate) const TO_JUDGE: Duration = Duration::from_secs(20);

/// The loop's sending, so that what was taken can still be struck off.
pub(crate) const TO_STRIKE_OFF: Duration = Duration::from_secs(10);

/// The loop's reading of `history.json` beside the lists: nothing waits for it for longer.
pub(crate) const HISTORY: Duration = Duration::from_secs(5);

/// Beginning to file, so that the history can still be read and written.
pub(crate) const TO_FILE: Duration = Duration::from_secs(5);

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

/// An invocation of the loop, whose stages end one after the other: none may take the time of those after it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stages {
    begun: Instant,
    /// The end of the invocation.
    pub(crate) deadline: Instant,
}

impl Stages {
    /// The stages of an invocation that begins now.
    pub(crate) fn new(deadline: Instant) -> Self {
        Self { begun: Instant::now(), deadline }
    }

    /// The end of the stage that is to be over this long before the deadline of a function with the usual time-out.
    pub(crate) fn until(&self, time: Duration) -> Instant {
        let share = self.deadline.saturating_duration_since(self.begun).div_duration_f64(FULL).min(1.0);
        before(self.deadline, time.mul_f64(share)).min(before(self.deadline, TO_REPORT))
    }
}

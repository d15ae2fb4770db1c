//! The queue as an invocation uses it: a tick is sent until it was surely taken, as long as there is time.

use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::random;

use super::chain;
use super::machine::Answer;
use crate::aws::sqs::Queue;
use crate::deadline::{LEAST, TO_SEND, TO_STRIKE_OFF, TO_TELL, before};
use crate::error::{Error, Kind};

/// The longest wait before the second try; it doubles with each one more.
const FIRST_PAUSE: Duration = Duration::from_millis(400);

/// The longest that a wait grows to.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Sends the ticks of one invocation.
pub(super) struct Sender<'a> {
    queue: &'a Queue,
    /// The end of the invocation.
    deadline: Instant,
    /// The end of sending; none before the first try.
    until: Option<Instant>,
    tries: u32,
}

impl<'a> Sender<'a> {
    pub(super) fn new(queue: &'a Queue, deadline: Instant) -> Self {
        Self { queue, deadline, until: None, tries: 0 }
    }

    /// Tries once to send a tick, and waits before it tells that this was in vain. A queue that refuses it for good is
    /// not asked again: messages to people are waiting.
    pub(super) fn send(&mut self, tick: u64, delay_s: u32) -> Answer {
        let until = *self.until.get_or_insert_with(|| {
            let (now, end) = (Instant::now(), before(self.deadline, TO_SEND));
            // Too late for messages to people, so all the time is the tick's.
            let is_late = now >= before(self.deadline, TO_STRIKE_OFF);
            if is_late { end } else { before(self.deadline, TO_TELL).max(now + LEAST).min(end) }
        });
        let left = until.saturating_duration_since(Instant::now());
        let trouble = match self.queue.send(&chain::body(tick), delay_s, Instant::now() + time_for(left)) {
            Ok(()) => return Answer::Done,
            Err(trouble) => trouble,
        };
        let why = format!("cannot send tick {tick} to the queue: {}", trouble.why);
        let pause = FIRST_PAUSE.saturating_mul(1 << self.tries.min(16)).min(LONGEST_PAUSE);
        let pause = trouble.after.saturating_add(pause.mul_f64(random::fraction()));
        self.tries += 1;
        if trouble.is_final || pause >= until.saturating_duration_since(Instant::now()) {
            return Answer::OutOfTime(failed(format!("{why}; the schedule brings the chain of ticks back")));
        }
        log::warn!("{why}; trying again in {} ms", pause.as_millis());
        thread::sleep(pause);
        Answer::Failed(failed(why))
    }

    /// Purges the queue. No guarantee rests on it: an old tick is dropped anyway.
    pub(super) fn purge(&self) -> Answer {
        match self.queue.purge((Instant::now() + chain::PURGE_TAKES).min(before(self.deadline, TO_STRIKE_OFF))) {
            Ok(()) => Answer::Done,
            Err(trouble) => {
                log::warn!("cannot purge the queue: {}", trouble.why);
                Answer::Failed(failed(trouble.why))
            }
        }
    }
}

fn failed(why: String) -> Error {
    Error::new(Kind::QueueFailed, why)
}

/// How long a try may take: half of the time left, so that a queue that hangs leaves some for another try.
fn time_for(left: Duration) -> Duration {
    (left / 2).max(LEAST).min(left)
}

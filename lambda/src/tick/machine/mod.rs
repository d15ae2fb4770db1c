//! The doing of one invocation as a machine without IO: it asks for one operation at a time and is told its answer.
//!
//! The order is what makes it right. The mark is read before the control files (a write of the mark depends on that
//! very version, so no two writes can know the control files in another order than they were put). The sweep comes
//! before the mark, the mark before the tick, the tick before the messages, these before
//! the history.

mod carry_out;
mod look;
mod operation;
#[cfg(test)]
mod tests;

use std::mem;

use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;

use crate::error::{Error, Kind};

use super::decide::{Asked, Decision, Lock, News, Pace, begins_with_mark};

pub use operation::{
    Answer, Control, Course, Deliver, KeptMark, Listed, LockRead, MarkRead, Next, Operation, Record, Recorded, Report,
    Wrote,
};

/// How often a look is made again because others change what it is about.
const TRIES: u32 = 5;

/// One invocation that has something to look for.
pub struct Machine<I> {
    asked: Asked,
    pace: Pace,
    /// A new random id at each call, of 128 bits.
    new_id: I,
    at: Place,
    mark: KeptMark,
    control: Control,
    lock: Option<Lock>,
    /// The store's time of the first look: the *now* of the sweep.
    looked: Option<Time>,
    /// The store's time when it was last heard.
    heard: Time,
    decision: Option<Decision>,
    /// How often the look was made again.
    again: u32,
    news: News,
    /// The name of the sending lease, if it was taken.
    lease: Option<String>,
    /// Whether anything is to be put into the history.
    files: bool,
    /// Whether it is to be told that `status.json` must not be used.
    is_unusable: bool,
    /// Whether this invocation has put the lock.
    put_lock: bool,
    /// The writes of the mark that were tried.
    writes: Vec<Write>,
    report: Report,
}

/// What the machine waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Glancing,
    Looking,
    ReadingMark,
    ReadingLock,
    RemovingLock,
    Recording,
    PuttingLock,
    Writing,
    ReadingBack,
    Sending,
    Purging,
    Delivering,
    Filing,
    Telling,
    Done,
}

/// A write of the mark, and what follows if it was taken.
#[derive(Clone, Debug)]
struct Write {
    mark: Mark,
    decision: Decision,
    purges: bool,
}

impl<I: FnMut() -> String> Machine<I> {
    /// The machine for what was asked. `new_id` gives a new random id at each call; all of it must be random, since
    /// writes of other invocations are told apart by nothing else.
    pub fn new(asked: Asked, pace: Pace, new_id: I) -> Self {
        Self {
            asked,
            pace,
            new_id,
            at: Place::Looking,
            mark: KeptMark::default(),
            control: Control::default(),
            lock: None,
            looked: None,
            heard: Time::from_second(i64::MIN),
            decision: None,
            again: 0,
            news: News::default(),
            lease: None,
            files: false,
            is_unusable: false,
            put_lock: false,
            writes: Vec::new(),
            report: Report::default(),
        }
    }

    /// The first operation.
    pub fn start(&mut self) -> Next {
        if begins_with_mark(&self.asked, &self.pace) {
            self.go(Place::Glancing, Operation::GetMark)
        } else {
            self.go(Place::Looking, Operation::Look)
        }
    }

    /// What follows on the answer to the operation that was asked for last.
    ///
    /// # Panics
    ///
    /// If the answer is to another operation.
    pub fn answer(&mut self, answer: Answer) -> Next {
        match (self.at, answer) {
            (Place::Glancing, Answer::Mark(read)) => {
                self.take_mark(*read);
                self.glance().unwrap_or_else(|| self.go(Place::Looking, Operation::Look))
            }
            (Place::Looking, Answer::Control(control)) => self.on_control(control),
            (Place::ReadingMark, Answer::Mark(read)) => {
                self.take_mark(*read);
                if self.mark.etag == self.control.mark { self.read_lock() } else { self.look_again() }
            }
            (Place::ReadingLock, Answer::Lock(read)) => self.on_lock(read),
            (Place::Glancing | Place::Looking | Place::ReadingMark | Place::ReadingLock, Answer::Failed(why)) => {
                self.give_up(why)
            }
            // A lock that stays has no effect, and the next start removes it.
            (Place::RemovingLock, _) => self.record(),
            (Place::Recording, Answer::Recorded(recorded)) => self.on_recorded(recorded),
            (Place::Recording, Answer::Failed(why)) => {
                (self.report.course, self.report.sweep_failed) = (Course::Failed, self.decision().sweep);
                self.report.is_test_lost = self.asked.test;
                self.is_unusable = why.kind == Kind::StatusNewer;
                self.report.errors.push(why);
                // It may have been taken; then it runs out by itself.
                self.lease = None;
                self.put_lock_or_write()
            }
            (Place::PuttingLock, answer) => {
                if let Answer::Wrote(Wrote::Taken { now }) = answer {
                    self.hear(now);
                }
                // An ambiguous answer is no reason to purge: perhaps somebody else's lock is there.
                self.put_lock = matches!(answer, Answer::Wrote(Wrote::Taken { .. }));
                self.write()
            }
            (Place::Writing, Answer::Wrote(came)) => self.on_put(came),
            (Place::Writing, Answer::OutOfTime(why)) => self.leave_step(why),
            (Place::ReadingBack, Answer::Mark(read)) => self.on_read_back(*read),
            (Place::Writing | Place::ReadingBack, Answer::Failed(why)) => self.give_up(why),
            (Place::Sending, Answer::Done) => {
                self.report.is_sent = true;
                self.purge_or_deliver()
            }
            // A doubled tick does no harm, a missing one ends the chain.
            (Place::Sending, Answer::Failed(_)) => self.send(),
            (Place::Sending, Answer::OutOfTime(why)) => {
                self.report.errors.push(why);
                self.purge_or_deliver()
            }
            (Place::Purging, answer) => {
                self.report.is_purged = matches!(answer, Answer::Done);
                self.deliver()
            }
            (Place::Delivering, Answer::Done) => self.file(),
            (Place::Filing, _) | (Place::Telling, Answer::Told(None)) => self.done(),
            (Place::Telling, Answer::Told(Some(told))) => self.note_told(told),
            (Place::Delivering | Place::Telling, Answer::Failed(why)) => {
                self.report.errors.push(why);
                self.file()
            }
            (at, answer) => panic!("{answer:?} does not answer what {at:?} asked for"),
        }
    }

    fn go(&mut self, at: Place, operation: Operation) -> Next {
        self.at = at;
        Next::Do(operation)
    }

    fn done(&mut self) -> Next {
        self.at = Place::Done;
        Next::Done(mem::take(&mut self.report))
    }

    /// Ends with an error; what is due is delivered all the same, if this invocation has the right to.
    fn give_up(&mut self, why: Error) -> Next {
        self.report.errors.push(why);
        if self.decision.is_none() {
            self.report.course = Course::Failed;
        }
        self.deliver()
    }
}

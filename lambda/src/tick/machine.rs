//! The doing of one invocation as a machine without IO: it asks for one operation at a time and is told its answer.
//!
//! The order is what makes it right. The mark is read before the control files (a write of the mark depends on that very
//! version, so no two writes can know the control files in another order than they were put). The sweep comes before the
//! mark, the mark before the tick, the tick before the messages.

mod operation;
#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::mem;

use pulse_echo::clock::Time;
use pulse_echo::mark::Mark;

use super::chain;
use super::decide::{
    Asked, Decision, Glance, Lock, LockDuty, News, Pace, Seen, begins_with_mark, decide, glance, needs_lock,
};

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
    /// The machine for what was asked. `new_id` gives a new random id at each call; all of it must be random, since writes
    /// of other invocations are told apart by nothing else.
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
                self.take_mark(read);
                self.glance().unwrap_or_else(|| self.go(Place::Looking, Operation::Look))
            }
            (Place::Looking, Answer::Control(control)) => self.on_control(control),
            (Place::ReadingMark, Answer::Mark(read)) => {
                self.take_mark(read);
                if self.mark.etag == self.control.mark { self.read_lock() } else { self.look_again() }
            }
            (Place::ReadingLock, Answer::Lock(read)) => self.on_lock(read),
            (Place::Glancing | Place::Looking | Place::ReadingMark | Place::ReadingLock, Answer::Failed(why)) => {
                self.give_up(why)
            }
            // Whoever comes next does the same; no guarantee rests on it.
            (Place::RemovingLock, _) => self.record(),
            (Place::Recording, Answer::Recorded(recorded)) => self.on_recorded(recorded),
            (Place::Recording, Answer::Failed(why)) => {
                (self.report.course, self.report.sweep_failed) = (Course::Failed, self.decision().sweep);
                self.report.errors.push(why);
                // It may have been taken; then it runs out by itself.
                self.lease = None;
                self.put_lock_or_write()
            }
            (Place::PuttingLock, answer) => {
                // An ambiguous answer is no reason to purge: perhaps somebody else's lock is there.
                self.put_lock = matches!(answer, Answer::Wrote(Wrote::Taken { .. }));
                self.write()
            }
            (Place::Writing, Answer::Wrote(wrote)) => self.on_wrote(wrote),
            (Place::ReadingBack, Answer::Mark(read)) => self.on_read_back(read),
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
            (Place::Delivering, Answer::Done) => self.done(),
            (Place::Delivering, Answer::Failed(why)) => {
                self.report.errors.push(why);
                self.done()
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
    fn give_up(&mut self, why: impl Display) -> Next {
        self.report.errors.push(why.to_string());
        if self.decision.is_none() {
            self.report.course = Course::Failed;
        }
        self.deliver()
    }

    fn hear(&mut self, time: Time) {
        self.heard = self.heard.max(time);
    }

    fn take_mark(&mut self, read: MarkRead) {
        self.hear(read.now);
        self.mark = read.mark;
    }

    fn seen(&self) -> Seen<'_> {
        let Control { now, start, stop, .. } = self.control;
        Seen { now, start, stop, lock: self.lock, mark: self.mark.mark.as_ref() }
    }

    /// Ends the invocation if the mark alone shows that there is nothing to do.
    fn glance(&mut self) -> Option<Next> {
        self.report.course = match glance(&self.asked, &self.pace, self.mark.mark.as_ref(), self.heard) {
            Glance::Look => return None,
            Glance::Fresh => Course::Fresh,
            Glance::Old => Course::Old,
        };
        Some(self.done())
    }

    fn on_control(&mut self, control: Control) -> Next {
        self.hear(control.now);
        self.looked.get_or_insert(control.now);
        self.control = control;
        if self.control.mark.is_none() {
            self.mark = KeptMark::default();
        }
        if self.mark.etag == self.control.mark {
            self.read_lock()
        } else {
            self.go(Place::ReadingMark, Operation::GetMark)
        }
    }

    /// The mark or the lock was changed while they were read.
    fn look_again(&mut self) -> Next {
        self.again += 1;
        if self.again > TRIES {
            return self.give_up(format_args!("others changed the mark or the lock {TRIES} times meanwhile"));
        }
        self.go(Place::Looking, Operation::ListControl)
    }

    fn read_lock(&mut self) -> Next {
        self.lock = self.control.lock.as_ref().map(|lock| Lock { at: lock.at, stop: None });
        if self.lock.is_some() && (self.put_lock || needs_lock(&self.seen())) {
            return self.go(Place::ReadingLock, Operation::GetLock);
        }
        self.decide()
    }

    fn on_lock(&mut self, read: Option<LockRead>) -> Next {
        let listed = self.control.lock.as_ref().map(|lock| &lock.etag);
        match read {
            Some(read) if Some(&read.etag) == listed => {
                let lock = self.lock.as_mut().expect("only a lock that is there is read");
                lock.stop = read.stop;
                self.decide()
            }
            _ => self.look_again(),
        }
    }

    fn decide(&mut self) -> Next {
        let is_first = self.decision.is_none();
        // The tick may have gone by since the mark was first read.
        if let Some(end) = is_first.then(|| self.glance()).flatten() {
            return end;
        }
        let decision = decide(&self.seen(), &self.asked, &self.pace);
        self.decision = Some(decision);
        self.report.stopped = decision.stopped;
        match (&self.control.lock, decision.lock) {
            (Some(Listed { etag, .. }), LockDuty::Remove) => {
                let etag = etag.clone();
                self.go(Place::RemovingLock, Operation::DeleteLock { etag })
            }
            _ => self.record(),
        }
    }

    fn decision(&self) -> Decision {
        self.decision.expect("it was decided")
    }

    /// Sweeps, if that was decided, and writes what is to be told: once in an invocation.
    fn record(&mut self) -> Next {
        if self.report.course != Course::Nothing {
            return self.put_lock_or_write();
        }
        let Decision { stopped, sweep, .. } = self.decision();
        self.report.course = match stopped {
            Some(_) => Course::Stopped,
            None if sweep => Course::Swept,
            None => Course::TooSoon,
        };
        let lease = (self.new_id)();
        self.lease = Some(lease.clone());
        self.go(Place::Recording, Operation::Record(Record { sweep, stopped, test: self.asked.test, lease }))
    }

    fn on_recorded(&mut self, recorded: Recorded) -> Next {
        let Recorded { heard, is_lost, sends, took_ms, owed } = recorded;
        self.hear(heard);
        if !sends {
            self.lease = None;
        }
        if is_lost {
            (self.report.course, self.report.sweep_failed) = (Course::Lost, self.decision().sweep);
        } else if self.decision().sweep {
            self.news.swept = self.looked.map(|now| (now, took_ms));
        }
        self.news.owed = owed;
        self.put_lock_or_write()
    }

    fn put_lock_or_write(&mut self) -> Next {
        match self.decision() {
            Decision { stopped: Some(stop), lock: LockDuty::Put, .. } => {
                self.go(Place::PuttingLock, Operation::PutLock { stop })
            }
            _ => self.write(),
        }
    }

    /// Writes the mark, if it is to say anything new.
    fn write(&mut self) -> Next {
        let decision = self.decision();
        self.news.purges = self.put_lock && decision.stopped.is_some() && self.pace.has_queue;
        let mut mark = decision.mark(&self.seen(), &self.pace, &self.news, self.heard);
        if self.mark.mark.as_ref() == Some(&mark) {
            return self.deliver();
        }
        mark.by = Some((self.new_id)());
        self.writes.push(Write { mark: mark.clone(), decision, purges: self.news.purges });
        self.go(Place::Writing, Operation::PutMark { mark, etag: self.mark.etag.clone() })
    }

    fn on_wrote(&mut self, wrote: Wrote) -> Next {
        match wrote {
            Wrote::Taken { now } => {
                self.hear(now);
                let write = self.writes.last().expect("it was written").clone();
                self.on_won(&write)
            }
            // It may have been refused since it was taken at an earlier try: what is there tells.
            Wrote::Refused | Wrote::InDoubt => self.go(Place::ReadingBack, Operation::GetMark),
        }
    }

    fn on_read_back(&mut self, read: MarkRead) -> Next {
        self.take_mark(read);
        let by = self.mark.mark.as_ref().and_then(|mark| mark.by.as_ref());
        let own = by.and_then(|by| self.writes.iter().find(|write| write.mark.by.as_ref() == Some(by))).cloned();
        match own {
            Some(write) => self.on_won(&write),
            None => self.look_again(),
        }
    }

    /// The mark says what this write made of it, so this invocation alone does what follows.
    fn on_won(&mut self, write: &Write) -> Next {
        self.mark.mark = Some(write.mark.clone());
        self.decision = Some(write.decision);
        self.news.purges = write.purges;
        self.report.is_written = true;
        match (write.decision.step, write.mark.tick) {
            (Some(step), Some(tick)) => {
                self.report.step = Some((step, tick));
                self.send()
            }
            _ => self.purge_or_deliver(),
        }
    }

    fn send(&mut self) -> Next {
        let (step, tick) = self.report.step.expect("there was a step");
        let wait_s = if step == super::decide::Step::Continue { self.pace.tick_s } else { 0 };
        let purged = self.mark.mark.as_ref().and_then(|mark| mark.purged);
        let delay_s = chain::delay_s(wait_s, purged, self.heard);
        self.go(Place::Sending, Operation::Send { tick, delay_s })
    }

    fn purge_or_deliver(&mut self) -> Next {
        if self.news.purges { self.go(Place::Purging, Operation::Purge) } else { self.deliver() }
    }

    fn deliver(&mut self) -> Next {
        match self.lease.take() {
            Some(lease) => self.go(Place::Delivering, Operation::Deliver(Deliver { lease })),
            None => self.done(),
        }
    }
}

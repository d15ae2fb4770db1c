//! What follows on the decision: the record, the lock, the mark, the tick, the purge, the messages, in this order.

use std::mem;

use pulse_echo_core::mark::StatusTold;

use super::{Course, Deliver, Machine, MarkRead, Next, Operation, Place, Record, Recorded, Write, Wrote};
use crate::error::{Error, Kind};
use crate::tick::chain;
use crate::tick::decide::{Decision, LockDuty, Step};

impl<I: FnMut() -> String> Machine<I> {
    pub(super) fn decision(&self) -> Decision {
        self.decision.expect("it was decided")
    }

    /// Sweeps, if that was decided, and writes what is to be told: once in an invocation.
    pub(super) fn record(&mut self) -> Next {
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

    pub(super) fn on_recorded(&mut self, recorded: Recorded) -> Next {
        let Recorded { heard, is_lost, sends, files, took_ms, owed } = recorded;
        self.hear(heard);
        self.files = files;
        if !sends {
            self.lease = None;
        }
        if is_lost {
            (self.report.course, self.report.sweep_failed) = (Course::Lost, self.decision().sweep);
            if self.asked.test {
                self.report.is_test_lost = true;
                let why = "others changed status.json at the same moment, so the test message waits for the next try";
                self.report.errors.push(Error::new(Kind::StoreFailed, why));
            }
        } else if self.decision().sweep {
            self.news.swept = self.looked.map(|now| (now, took_ms));
        }
        self.news.owed = owed;
        self.put_lock_or_write()
    }

    pub(super) fn put_lock_or_write(&mut self) -> Next {
        match self.decision() {
            Decision { stopped: Some(stop), lock: LockDuty::Put, .. } => {
                self.go(Place::PuttingLock, Operation::PutLock { stop })
            }
            _ => self.write(),
        }
    }

    /// Writes the mark, if it is to say anything new.
    pub(super) fn write(&mut self) -> Next {
        let decision = self.decision();
        self.news.purges = self.put_lock && decision.stopped.is_some() && self.pace.has_queue;
        let mut mark = decision.mark(&self.seen(), &self.pace, &self.news, self.heard);
        if self.mark.mark.as_ref() == Some(&mark) {
            return self.deliver();
        }
        mark.by = Some((self.new_id)());
        let step = decision.step.and(mark.tick);
        self.writes.push(Write { mark: mark.clone(), decision, purges: self.news.purges });
        self.go(Place::Writing, Operation::PutMark { mark: Box::new(mark), etag: self.mark.etag.clone(), step })
    }

    /// The tick could not be sent any more, so its number must not go on: who comes next makes the step. A sweep is
    /// noted all the same; a start is not, since its chain has not begun.
    pub(super) fn leave_step(&mut self, why: Error) -> Next {
        self.writes.pop();
        let decision = self.decision.as_mut().expect("it was decided");
        if decision.step != Some(Step::Continue) {
            return self.give_up(why);
        }
        decision.step = None;
        self.report.errors.push(why);
        self.write()
    }

    pub(super) fn on_put(&mut self, came: Wrote) -> Next {
        match came {
            Wrote::Taken { now } => {
                self.hear(now);
                let write = self.writes.last().expect("it was written").clone();
                self.on_won(&write)
            }
            // An earlier write of ours, of which no answer came, may have been taken meanwhile: what is there tells. If
            // not, the next look needs the mark anyway.
            Wrote::Refused | Wrote::InDoubt => self.go(Place::ReadingBack, Operation::GetMark),
        }
    }

    pub(super) fn on_read_back(&mut self, read: MarkRead) -> Next {
        self.take_mark(read);
        let by = self.mark.mark.as_ref().and_then(|mark| mark.by.as_ref());
        let own = by.and_then(|by| self.writes.iter().find(|write| write.mark.by.as_ref() == Some(by))).cloned();
        match own {
            Some(write) => self.on_won(&write),
            None => self.look_again(),
        }
    }

    /// The mark says what this write made of it, so this invocation alone does what follows.
    pub(super) fn on_won(&mut self, write: &Write) -> Next {
        self.mark.mark = Some(write.mark.clone());
        self.decision = Some(write.decision);
        self.news.purges = write.purges;
        match (write.decision.step, write.mark.tick) {
            (Some(step), Some(tick)) => {
                self.report.step = Some((step, tick));
                self.send()
            }
            _ => self.purge_or_deliver(),
        }
    }

    pub(super) fn send(&mut self) -> Next {
        let (step, tick) = self.report.step.expect("there was a step");
        let wait_s = if step == Step::Continue { self.pace.tick_s } else { 0 };
        let purged = self.mark.mark.as_ref().and_then(|mark| mark.purged);
        let delay_s = chain::delay_s(wait_s, purged, self.heard);
        self.go(Place::Sending, Operation::Send { tick, delay_s })
    }

    pub(super) fn purge_or_deliver(&mut self) -> Next {
        let noted = self.mark.mark.as_ref().and_then(|mark| mark.purged);
        // One that came later would eat a tick that waits for its end by the note.
        let is_in_time = noted.is_some_and(|noted| noted.age(self.heard) < chain::PURGE_BEGINS);
        if self.news.purges && is_in_time { self.go(Place::Purging, Operation::Purge) } else { self.deliver() }
    }

    pub(super) fn deliver(&mut self) -> Next {
        match self.lease.take() {
            Some(lease) => self.go(Place::Delivering, Operation::Deliver(Deliver { lease })),
            None if mem::take(&mut self.is_unusable) => self.go(Place::Telling, Operation::TellUnusable),
            None => self.file(),
        }
    }

    /// Files after all else: whoever waits for a message or a tick does not wait for the history.
    pub(super) fn file(&mut self) -> Next {
        if mem::take(&mut self.files) { self.go(Place::Filing, Operation::File) } else { self.done() }
    }

    /// Writes once more, into the mark as it is by now, who was told that `status.json` must not be used. What this
    /// invocation has written before is done, and must not follow from that once more.
    pub(super) fn note_told(&mut self, told: StatusTold) -> Next {
        self.news.told = Some(told);
        self.writes.clear();
        self.put_lock = false;
        self.go(Place::Looking, Operation::ListControl)
    }
}

//! The look: the mark, the control files and the lock, all of one moment, and what is decided on them.

use pulse_echo_core::clock::Time;

use super::{Control, Course, KeptMark, Listed, LockRead, Machine, MarkRead, Next, Operation, Place, TRIES};
use crate::tick::decide::{Glance, Lock, LockDuty, Seen, decide, glance, needs_lock};

impl<I: FnMut() -> String> Machine<I> {
    pub(super) fn hear(&mut self, time: Time) {
        self.heard = self.heard.max(time);
    }

    pub(super) fn take_mark(&mut self, read: MarkRead) {
        self.hear(read.now);
        self.mark = read.mark;
    }

    pub(super) fn seen(&self) -> Seen<'_> {
        let Control { now, start, stop, .. } = self.control;
        Seen { now, start, stop, lock: self.lock, mark: self.mark.mark.as_ref() }
    }

    /// Ends the invocation if the mark alone shows that there is nothing to do.
    pub(super) fn glance(&mut self) -> Option<Next> {
        self.report.course = match glance(&self.asked, &self.pace, self.mark.mark.as_ref(), self.heard) {
            Glance::Look => return None,
            Glance::Fresh => Course::Fresh,
            Glance::Old => Course::Old,
        };
        Some(self.done())
    }

    pub(super) fn on_control(&mut self, control: Control) -> Next {
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
    pub(super) fn look_again(&mut self) -> Next {
        self.again += 1;
        if self.again > TRIES {
            return self.give_up(format!("others changed the mark or the lock {TRIES} times meanwhile").into());
        }
        self.go(Place::Looking, Operation::ListControl)
    }

    pub(super) fn read_lock(&mut self) -> Next {
        self.lock = self.control.lock.as_ref().map(|lock| Lock { at: lock.at, stop: None });
        if self.lock.is_some() && (self.put_lock || needs_lock(&self.seen())) {
            return self.go(Place::ReadingLock, Operation::GetLock);
        }
        self.decide()
    }

    pub(super) fn on_lock(&mut self, read: Option<LockRead>) -> Next {
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

    pub(super) fn decide(&mut self) -> Next {
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
}

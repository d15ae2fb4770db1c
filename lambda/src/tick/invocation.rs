//! One invocation: carries out what the machine asks for, one operation after the other.

use std::time::Instant;

use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::store::Store;

use super::control;
use super::machine::{self, Answer, Machine, Next, Operation};
use super::mark;
use super::queue::Sender;
use super::record::{Look, Recorder};
use super::report::Report;
use crate::deadline::{LEAST, Stages, TO_JUDGE, TO_LOOK, TO_MARK, TO_READ_BACK, TO_REPORT, TO_STEP, before};
use crate::error::{Error, Kind, caught};
use crate::sweep::lists::{Opening, list_control};
use crate::sweep::status::{StatusFile, store_time};

/// With this many checks there are more objects than on a page of a list: each has a pulse and an answer.
const CHECKS_ON_A_PAGE: usize = 500;

/// One invocation, and all that it goes by.
pub(super) struct Invocation<'a> {
    store: &'a Store,
    recorder: Recorder<'a>,
    sender: Option<Sender<'a>>,
    stages: Stages,
    /// The end of what is done about the mark, once there is something to record in it.
    mark_until: Option<Instant>,
    /// The store's time at a moment of this machine's clock that never jumps: when the store was last heard.
    anchor: Option<(Time, Instant)>,
    /// The mark as it was last read.
    mark: Option<Mark>,
    /// What the look has found, until it is recorded.
    look: Option<Look>,
}

impl<'a> Invocation<'a> {
    pub(super) fn new(store: &'a Store, recorder: Recorder<'a>, sender: Option<Sender<'a>>, stages: Stages) -> Self {
        Self { store, recorder, sender, stages, mark_until: None, anchor: None, mark: None, look: None }
    }

    /// Does what the machine asks for, until it asks for nothing more.
    pub(super) fn run<I: FnMut() -> String>(mut self, mut machine: Machine<I>) -> Report {
        let mut next = machine.start();
        loop {
            next = match next {
                Next::Do(operation) => {
                    let answer = match self.carry_out(operation) {
                        // Judged now: by the end of the invocation, time would be to blame for each error.
                        Answer::Failed(error) => Answer::Failed(error.at(Instant::now(), self.stages.deadline)),
                        answer => answer,
                    };
                    machine.answer(answer)
                }
                Next::Done(done) => {
                    self.recorder.end_page();
                    return self.report_of(done);
                }
            };
        }
    }

    fn carry_out(&mut self, operation: Operation) -> Answer {
        match operation {
            Operation::GetMark => self.read_mark().map_or_else(failed, |read| Answer::Mark(Box::new(read))),
            Operation::Look => self.look().map_or_else(failed, Answer::Control),
            Operation::ListControl => self.list_again().map_or_else(failed, Answer::Control),
            Operation::GetLock => control::read_lock(&self.store_for_mark()).map_or_else(failed, Answer::Lock),
            Operation::DeleteLock { etag } => {
                control::remove_lock(&self.store.until(self.stages.until(TO_LOOK)), etag);
                Answer::Done
            }
            Operation::PutLock { stop } => {
                control::put_lock(&self.store_for_mark(), stop, || self.now()).map_or_else(failed, Answer::Wrote)
            }
            Operation::Record(record) => self.record(&record),
            Operation::PutMark { mark, etag, step } => self.put_mark(&mark, etag, step),
            Operation::Send { tick, delay_s } => self.sender().send(tick, delay_s),
            Operation::Purge => self.sender().purge(),
            Operation::TellUnusable => {
                let told = caught(|| self.recorder.tell_unusable(self.mark.as_ref()));
                told.map_or_else(Answer::Failed, Answer::Told)
            }
            Operation::File => {
                // Its trouble is no reason for the queue to give anything again.
                if let Err(error) = caught(|| self.recorder.file()) {
                    error.log();
                }
                Answer::Done
            }
            Operation::Deliver(deliver) => {
                let delivered = caught(|| self.recorder.deliver(&deliver.lease)).flatten();
                delivered.map_or_else(Answer::Failed, |()| Answer::Done)
            }
        }
    }

    fn sender(&mut self) -> &mut Sender<'a> {
        self.sender.as_mut().expect("the machine sends only where there is a queue")
    }

    fn record(&mut self, record: &machine::Record) -> Answer {
        let look = self.look.take().expect("there was a look");
        // A sweep that panics has failed; the chain must not end with it.
        match caught(|| self.recorder.record(record, look, self.mark.as_ref())).flatten() {
            Ok(recorded) => {
                if recorded.sends {
                    let least = Instant::now() + LEAST;
                    self.mark_until = Some(before(self.stages.deadline, TO_MARK).max(least));
                }
                Answer::Recorded(recorded)
            }
            Err(error) => Answer::Failed(error),
        }
    }

    fn put_mark(&mut self, mark: &Mark, etag: Option<String>, step: Option<u64>) -> Answer {
        let end = before(self.stages.deadline, if step.is_some() { TO_STEP } else { TO_REPORT });
        if let Some(tick) = step.filter(|_| Instant::now() >= end) {
            let why = format!("there is no time left to send tick {tick}; give the function more time");
            return Answer::OutOfTime(Error::new(Kind::OutOfTime, why));
        }
        let end = self.mark_until.map_or(end, |until| before(until, TO_READ_BACK).min(end));
        mark::put(&self.store.until(end), mark, etag, || self.now()).map_or_else(failed, Answer::Wrote)
    }

    /// The store for the requests about the mark and the lock, of which messages to people must not wait for long.
    fn store_for_mark(&self) -> Store {
        let end = before(self.stages.deadline, TO_REPORT);
        self.store.until(self.mark_until.map_or(end, |until| until.min(end)))
    }

    /// The store's time by now.
    fn now(&self) -> Time {
        self.anchor.map_or_else(|| Time::from_second(i64::MIN), store_time)
    }

    fn hear(&mut self, now: Time) {
        self.anchor = Some((now, Instant::now()));
    }

    fn read_mark(&mut self) -> Result<machine::MarkRead, String> {
        let read = mark::read(&self.store_for_mark(), || self.now())?;
        self.hear(read.now);
        self.mark.clone_from(&read.mark.mark);
        Ok(read)
    }

    /// Reads `status.json`, then begins with the lists. A status that cannot be read fails the record, not the look: it
    /// must not keep a stop from being seen.
    fn look(&mut self) -> Result<machine::Control, String> {
        let file = StatusFile::read(&self.store.until(self.stages.until(TO_LOOK)));
        let status = file.as_ref().ok().and_then(|file| file.status.as_ref());
        let may_fit = status.is_none_or(|status| status.checks.len() < CHECKS_ON_A_PAGE);
        let most = 2 * self.recorder.rules.checks_per_host;
        let opening = Opening::look(&self.store.until(self.stages.until(TO_JUDGE)), may_fit, most)?;
        self.anchor = Some(opening.anchor);
        let control = control::of(&opening.control, opening.now);
        if control.mark.is_none() {
            self.mark = None;
        }
        self.look = Some((file, opening));
        Ok(control)
    }

    fn list_again(&mut self) -> Result<machine::Control, String> {
        let (folder, now) = list_control(&self.store_for_mark())?;
        self.hear(now);
        Ok(control::of(&folder, now))
    }

    fn report_of(self, done: machine::Report) -> Report {
        let fails_ticks = done.fails_ticks();
        let (step, tick) = done.step.unzip();
        Report {
            course: done.course,
            stopped: done.stopped,
            step,
            tick,
            is_sent: done.is_sent,
            is_purged: done.is_purged,
            errors: done.errors,
            fails_ticks,
            took_ms: self.recorder.took_ms(),
            ..self.recorder.report
        }
    }
}

/// The answer where the store is to blame.
fn failed(why: String) -> Answer {
    Answer::Failed(why.into())
}

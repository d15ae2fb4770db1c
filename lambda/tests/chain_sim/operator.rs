//! The operator: starts, stops, locks and removes by hand, at any time, and often twice within a second.

use crate::history::{Event, History};
use crate::invocation::Cause;
use crate::world::LockFile;

/// What an operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Start,
    Stop,
    Update,
    Test,
    /// A message to the queue, as an SNS topic sends.
    Nudge,
    PutLock,
    RemoveLock,
    RemoveMark,
    SwitchDriver,
}

const ACTS: [Act; 14] = [
    Act::Start,
    Act::Start,
    Act::Start,
    Act::Start,
    Act::Stop,
    Act::Stop,
    Act::Stop,
    Act::Update,
    Act::Test,
    Act::Nudge,
    Act::PutLock,
    Act::PutLock,
    Act::RemoveLock,
    Act::SwitchDriver,
];

impl History {
    /// Plans what the operator does in the storm.
    pub(crate) fn plan_operator(&mut self) {
        let acts = self.chance.between(0, 7);
        for _ in 0..acts {
            let mut at = self.chance.between(0, self.storm_until);
            let mut act = self.chance.one_of(&ACTS);
            self.plan(at, Event::Operator(act));
            while self.chance.percent(40) {
                at = (at + self.chance.between(0, 2_500)).min(self.storm_until - 1);
                act = self.chance.one_of(&ACTS);
                self.plan(at, Event::Operator(act));
            }
        }
        // Someone nudges all the time: a sign of life, but not of the chain.
        if self.chance.percent(5) {
            for at in (0..1_500).map(|n| n * 20_000 + 7_000) {
                if at < self.storm_until + 900_000 {
                    self.plan(at, Event::Operator(Act::Update));
                }
            }
        }
        if self.chance.percent(5) {
            let at = self.chance.between(0, self.storm_until);
            self.plan(at, Event::Operator(Act::RemoveMark));
        }
    }

    pub(crate) fn operate(&mut self, act: Act) {
        let now = Some(self.store.time(self.now));
        self.tell(|| format!("operator: {act:?}"));
        match act {
            Act::Start => self.store.start = now,
            Act::Stop => self.store.stop = now,
            Act::PutLock => self.store.lock = now.map(|at| (LockFile::ByHand, at)),
            Act::RemoveLock => self.store.lock = None,
            Act::RemoveMark => {
                if self.store.mark.take().is_some() {
                    self.sums.count("mark removed");
                    self.promises.mark_removed();
                    // With it goes the note of a purge, which still eats.
                    self.promises.fault(self.queue.purges_until());
                }
            }
            Act::SwitchDriver => {
                self.sums.count("driver switched");
                self.pace.has_queue = !self.pace.has_queue;
            }
            Act::Nudge => self.enqueue(None, 0),
            Act::Update | Act::Test => {}
        }
        // A request for a sweep is nothing that the chain has to come back from.
        if self.is_storm() || act != Act::Update {
            self.promises.fault(self.now);
        }
        self.promises.look(&self.store, self.now);
        if matches!(act, Act::Start | Act::Stop | Act::Update | Act::Test) {
            self.emit(&Cause::Put(act));
        }
    }
}

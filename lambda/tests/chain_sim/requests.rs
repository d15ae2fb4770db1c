//! What each request does to the model, and what is answered.

use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_lambda::tick::machine::{
    Answer, Control, KeptMark, Listed, LockRead, MarkRead, Operation, Record, Recorded, Wrote,
};

use crate::history::History;
use crate::invocation::{Came, Stage, Trouble};
use crate::promises::Told;
use crate::world::{Fact, LockFile, Ms, Object, Owed};

/// How long before the deadline sending ends.
const TO_STRIKE_OFF: Ms = 10_000;

/// How long before the deadline the last step is made, and its tick sent.
const TO_STEP: Ms = 2_000;
const TO_SEND: Ms = 1_500;

/// A lease that runs longer is of a clock that was ahead.
const LONGEST_LEASE: Duration = Duration::from_secs(90);

fn answered(answer: Answer) -> Came {
    Came::Answer(Box::new(answer))
}

fn failed() -> Came {
    answered(Answer::Failed("no answer".to_string().into()))
}

impl History {
    /// One request of an operation takes effect.
    pub(crate) fn request_of(&mut self, number: usize, trouble: Trouble) -> Result<Came, String> {
        let operation = self.invocations[number].operation.clone();
        Ok(match operation {
            Operation::GetMark | Operation::GetLock | Operation::ListControl if trouble != Trouble::None => failed(),
            Operation::GetMark => {
                answered(Answer::Mark(Box::new(MarkRead { mark: self.kept_mark(), now: self.store.time(self.now) })))
            }
            Operation::Look => self.look(number, trouble),
            Operation::ListControl => answered(Answer::Control(self.control())),
            Operation::TellUnusable => answered(Answer::Told(None)),
            Operation::File => answered(Answer::Done),
            Operation::GetLock => answered(Answer::Lock(self.store.lock.map(|(lock, _)| LockRead {
                etag: lock.etag(),
                stop: match lock {
                    LockFile::Ours { stop } => Some(stop),
                    LockFile::ByHand => None,
                },
            }))),
            Operation::DeleteLock { etag } => self.delete_lock(&etag, trouble)?,
            Operation::PutLock { stop } => self.put_lock(number, stop, trouble)?,
            Operation::PutMark { mark, etag, step } => {
                if step.is_some() && self.now > self.invocations[number].deadline - TO_STEP {
                    self.sums.count("step left");
                    return Ok(answered(Answer::OutOfTime("time is out".to_string().into())));
                }
                if trouble == Trouble::NotDone {
                    return Ok(answered(Answer::Wrote(Wrote::InDoubt)));
                }
                let object = self.store.mark.take();
                if object.as_ref().map(|object| object.etag.to_string()) == etag {
                    let dead_after = 2 * i64::from(self.invocations[number].pace.tick_s) + 60;
                    let before = object.as_ref().map(|object| &object.content);
                    let cause = &self.invocations[number].cause;
                    let at = (&self.store, self.now);
                    self.promises.wrote(number, cause, (before, &mark), dead_after, at)?;
                    let etag = self.store.version();
                    self.store.mark = Some(Object { content: *mark, etag });
                    answered(Answer::Wrote(self.taken(trouble)))
                } else {
                    self.store.mark = object;
                    answered(Answer::Wrote(refused(trouble)))
                }
            }
            Operation::Record(record) => self.record(number, &record, trouble)?,
            Operation::Send { tick, delay_s } => {
                if self.now > self.invocations[number].deadline - TO_SEND {
                    return Ok(answered(Answer::OutOfTime("time is out".to_string().into())));
                }
                if trouble == Trouble::NotDone {
                    return Ok(failed());
                }
                let mark = self.store.mark.as_ref().map(|object| &object.content);
                self.promises.sent(number, (tick, self.queue.messages.len()), mark, self.now)?;
                self.enqueue(Some(tick), Ms::from(delay_s) * 1000);
                if trouble == Trouble::Done { failed() } else { answered(Answer::Done) }
            }
            Operation::Purge => {
                self.promises.purged(number)?;
                if trouble != Trouble::NotDone && self.queue.purge(self.now, &mut self.chance) {
                    self.sums.count("purged");
                }
                answered(Answer::Done)
            }
            Operation::Deliver(deliver) => self.deliver(number, &deliver.lease, trouble)?,
        })
    }

    fn taken(&self, trouble: Trouble) -> Wrote {
        if trouble == Trouble::Done { Wrote::InDoubt } else { Wrote::Taken { now: self.store.time(self.now) } }
    }

    fn kept_mark(&self) -> KeptMark {
        let mark = self.store.mark.as_ref();
        KeptMark { mark: mark.map(|mark| mark.content.clone()), etag: mark.map(|mark| mark.etag.to_string()) }
    }

    fn control(&self) -> Control {
        let (start, stop) = (self.store.start, self.store.stop);
        let lock = self.store.lock.map(|(lock, at)| Listed { at, etag: lock.etag() });
        Control { now: self.store.time(self.now), start, stop, lock, mark: self.kept_mark().etag }
    }

    /// GET of `status.json`, then the list.
    fn look(&mut self, number: usize, trouble: Trouble) -> Came {
        match self.invocations[number].stage {
            Stage::First => {
                let file = &mut self.invocations[number].status;
                file.is_read = trouble == Trouble::None;
                if let Some(object) = &self.store.status {
                    (file.content, file.etag) = (object.content.clone(), Some(object.etag));
                }
                Came::Next(Stage::Listing, 0)
            }
            _ if trouble != Trouble::None => failed(),
            _ => {
                self.invocations[number].looked = self.store.time(self.now);
                answered(Answer::Control(self.control()))
            }
        }
    }

    fn delete_lock(&mut self, etag: &str, trouble: Trouble) -> Result<Came, String> {
        let before = self.store.stopped();
        if trouble != Trouble::NotDone && self.store.lock.is_some_and(|(lock, _)| lock.etag() == etag) {
            self.sums.count("lock removed");
            self.store.lock = None;
        }
        self.promises.lock_changed(before, self.store.stopped())?;
        Ok(answered(Answer::Done))
    }

    fn put_lock(&mut self, number: usize, stop: Time, trouble: Trouble) -> Result<Came, String> {
        if trouble == Trouble::NotDone {
            return Ok(answered(Answer::Wrote(Wrote::InDoubt)));
        }
        if self.store.lock.is_some() {
            return Ok(answered(Answer::Wrote(refused(trouble))));
        }
        let before = self.store.stopped();
        self.store.lock = Some((LockFile::Ours { stop }, self.store.time(self.now)));
        // A lock that was removed by hand, whose stop then comes back, is the one thing that changes it.
        if self.store.stop.is_some() {
            self.promises.lock_changed(before, self.store.stopped())?;
        }
        self.promises.look(&self.store, self.now);
        if trouble == Trouble::None {
            self.promises.put_lock(number);
        }
        Ok(answered(Answer::Wrote(self.taken(trouble))))
    }

    fn record(&mut self, number: usize, record: &Record, trouble: Trouble) -> Result<Came, String> {
        match self.invocations[number].stage {
            Stage::First => {
                // Lists that break, a status that cannot be read.
                if trouble != Trouble::None || !self.invocations[number].status.is_read || self.weather.is_status_bad {
                    return Ok(failed());
                }
                if self.think(number, record) {
                    return Ok(Came::Next(Stage::PuttingStatus, 0));
                }
                self.recorded(number, record, false)
            }
            Stage::PuttingStatus if trouble == Trouble::NotDone => Ok(Came::Next(Stage::ReadingStatusBack, 0)),
            Stage::PuttingStatus => {
                let file = &self.invocations[number].status;
                let taken = self.store.put_status(&file.content, file.etag);
                if let Some(etag) = taken {
                    let file = &mut self.invocations[number].status;
                    file.etag = Some(etag);
                    let told = |owed: &Owed| (owed.id, Told { fact: owed.fact, by: Vec::new() });
                    self.promises.told.extend(file.news.iter().map(told));
                }
                if trouble == Trouble::Done {
                    return Ok(Came::Next(Stage::ReadingStatusBack, 0));
                }
                self.recorded(number, record, taken.is_none())
            }
            _ if trouble != Trouble::None => Ok(failed()),
            // Whether it was taken is told by what is there.
            _ => {
                let file = &mut self.invocations[number].status;
                let is_ours = self.store.status.as_ref().is_some_and(|there| there.content == file.content);
                let etag = self.store.status.as_ref().map(|there| there.etag);
                if !is_ours && etag == file.etag {
                    return Ok(failed());
                }
                file.etag = etag;
                self.recorded(number, record, !is_ours)
            }
        }
    }

    /// What is to be written in `status.json`. Whether there is anything.
    fn think(&mut self, number: usize, record: &Record) -> bool {
        let finds = record.sweep && self.strikes(30);
        let file = &mut self.invocations[number].status;
        let mut facts = Vec::new();
        match (file.content.stopped, record.stopped) {
            (None, Some(_)) => facts.push(Fact::Stopped),
            (Some(_), None) => facts.push(Fact::Started),
            _ => {}
        }
        facts.extend((finds || record.test).then_some(Fact::Other));
        let is_new = file.content.stopped != record.stopped || !facts.is_empty();
        file.content.stopped = record.stopped;
        for fact in facts {
            self.messages_told += 1;
            file.news.push(Owed { id: self.messages_told, fact });
        }
        file.content.outbox.extend(&file.news);
        let deadline = self.invocations[number].deadline;
        let now = self.store.time(self.now);
        let file = &mut self.invocations[number].status;
        let is_over = |until: Time| now >= until || now.age(until) > LONGEST_LEASE;
        let is_free = file.content.lease.as_ref().is_none_or(|(_, until)| is_over(*until));
        file.sends = is_free && !file.content.outbox.is_empty() && self.now < deadline - TO_STRIKE_OFF;
        if file.sends {
            let left = Duration::from_millis((deadline - self.now + 5_000).unsigned_abs());
            file.content.lease = Some((record.lease.clone(), now + left));
        }
        is_new || file.sends || file.etag.is_none()
    }

    fn recorded(&mut self, number: usize, record: &Record, is_lost: bool) -> Result<Came, String> {
        if record.sweep && !is_lost {
            // The *now* of a sweep is that of its list.
            let now = self.invocations[number].looked;
            self.promises.completed(now, self.now)?;
        }
        self.invocations[number].status.has_test = record.test && !is_lost;
        let sends = !is_lost && self.invocations[number].status.sends;
        let recorded =
            Recorded { heard: self.store.time(self.now), is_lost, sends, files: false, took_ms: 1, owed: None };
        Ok(answered(Answer::Recorded(recorded)))
    }

    /// Sending over all channels, then striking off what was taken.
    fn deliver(&mut self, number: usize, lease: &str, trouble: Trouble) -> Result<Came, String> {
        let left = self.invocations[number].deadline - TO_STRIKE_OFF - self.now;
        match self.invocations[number].stage {
            Stage::First if left <= 0 => Ok(Came::Next(Stage::StrikingOff, 0)),
            Stage::First => {
                self.promises.begins_to_send(number)?;
                if trouble == Trouble::None {
                    let outbox = self.invocations[number].status.content.outbox.clone();
                    for owed in outbox {
                        self.deliver_one(number, owed.id)?;
                    }
                }
                let takes = if self.strikes(20) { self.chance.between(0, left) } else { 50 };
                Ok(Came::Next(Stage::StrikingOff, takes))
            }
            Stage::StrikingOff => {
                self.promises.ends_to_send(number);
                let invocation = &mut self.invocations[number];
                let content = &mut invocation.status.content;
                content.outbox.retain(|owed| !invocation.delivered.contains(&owed.id));
                content.lease.take_if(|(by, _)| by == lease);
                if trouble != Trouble::NotDone {
                    let taken = self.store.put_status(&invocation.status.content, invocation.status.etag);
                    if taken.is_some() && trouble == Trouble::None {
                        return Ok(answered(Answer::Done));
                    }
                }
                Ok(Came::Next(Stage::ReadingStatusAgain, 0))
            }
            _ => {
                let Some(there) = self.store.status.as_ref().filter(|_| trouble == Trouble::None) else {
                    return Ok(failed());
                };
                let file = &mut self.invocations[number].status;
                (file.content, file.etag) = (there.content.clone(), Some(there.etag));
                Ok(Came::Next(Stage::StrikingOff, 0))
            }
        }
    }

    fn deliver_one(&mut self, number: usize, id: usize) -> Result<(), String> {
        let told = self.promises.told.get_mut(&id).ok_or("a message was sent that is not owed")?;
        if let Some(before) = told.by.last() {
            self.sums.count("told twice");
            if !self.invocations[*before].is_unsure && !self.invocations[number].is_unsure {
                return Err(format!("told once: {:?} was told by {before} and by {number}", told.fact));
            }
        }
        told.by.push(number);
        self.invocations[number].delivered.push(id);
        Ok(())
    }
}

fn refused(trouble: Trouble) -> Wrote {
    if trouble == Trouble::None { Wrote::Refused } else { Wrote::InDoubt }
}

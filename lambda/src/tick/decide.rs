//! What one look of the loop decides: pure rules on what was seen and what was asked.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::{Mark, StatusTold};
use serde::Serialize;

use super::chain;

/// How the loop is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How often it means to sweep, in seconds.
    pub tick_s: u32,
    /// Nothing is swept within this time of the last sweep.
    pub min_interval: Duration,
    /// Whether ticks of a queue drive it. Without a queue the schedule does.
    pub has_queue: bool,
}

/// What an event asks for, or all messages of a batch together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Sweep now.
    pub sweep: bool,
    /// Send a test message.
    pub test: bool,
    /// It is the schedule's: without a queue that is a sweep, with one it keeps the chain alive.
    pub schedule: bool,
    /// The numbers of the ticks that came.
    pub ticks: Vec<u64>,
}

/// What the mark alone says about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glance {
    /// There is something to look for.
    Look,
    /// The schedule need not do anything: the chain moves.
    Fresh,
    /// Only ticks came, and their numbers have gone by.
    Old,
}

/// A lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// When the store took it.
    pub at: Time,
    /// The stop that a lock of ours stands for. A lock put by hand, or not read, has none.
    pub stop: Option<Time>,
}

impl Lock {
    /// The time with which it counts.
    fn counts_with(&self) -> Time {
        self.stop.unwrap_or(self.at)
    }
}

/// What was seen.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The store's time of the look.
    pub now: Time,
    /// When `Start.lambda` was put.
    pub start: Option<Time>,
    /// When `Stop.lambda` was put.
    pub stop: Option<Time>,
    /// The lock.
    pub lock: Option<Lock>,
    /// The mark, as it was before the rest was seen; none if it is missing or cannot be read.
    pub mark: Option<&'a Mark>,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Since when the loop is stopped; none while it runs.
    pub stopped: Option<Time>,
    /// Whether to sweep now.
    pub sweep: bool,
    /// The step of the chain.
    pub step: Option<Step>,
    /// What becomes of the lock.
    pub lock: LockDuty,
}

/// A step of the chain. Each moves the number on, and then sends its tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The tick that the mark names has come.
    Continue,
    /// The loop was started, or started again.
    Begin,
    /// The chain was dead.
    Revive,
}

/// What becomes of the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockDuty {
    /// Nothing.
    Leave,
    /// It is missing, and is put: who puts it purges the queue.
    Put,
    /// It is ours, and of a stop that is over.
    Remove,
}

/// What has happened since the look, for the mark to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// The *now* of a sweep that was completed, and how long it took in milliseconds.
    pub swept: Option<(Time, u64)>,
    /// What was found of the messages that are owed; none if that is not known.
    pub owed: Option<Owed>,
    /// Which channels were told that `status.json` cannot be used; none if that was not told now.
    pub told: Option<StatusTold>,
    /// Whether the queue is to be purged.
    pub purges: bool,
}

/// How it is with what is owed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owed {
    /// See [`Mark::owed_s`].
    pub owed_s: Option<u64>,
    /// See [`Mark::channels`].
    pub channels: BTreeSet<String>,
}

/// What the mark alone says about an event.
pub fn glance(asked: &Asked, pace: &Pace, mark: Option<&Mark>, now: Time) -> Glance {
    if asked.sweep || asked.test || is_named(asked, mark) {
        return Glance::Look;
    }
    match asked.schedule {
        true if pace.has_queue && is_alive(mark, pace, now) && !was_stopped(mark) => Glance::Fresh,
        true => Glance::Look,
        false => Glance::Old,
    }
}

/// Whether the mark alone may show that there is nothing to do, so that it is read first.
pub fn begins_with_mark(asked: &Asked, pace: &Pace) -> bool {
    !(asked.sweep || asked.test || (asked.schedule && !pace.has_queue))
}

/// Since when the loop is stopped: a stop or a lock is there, and not older than the start. A lock of ours counts as
/// the stop that it names, a lock put by hand with its own time.
pub fn stopped(seen: &Seen) -> Option<Time> {
    let counts = |stop: &Time| seen.start.is_none_or(|start| is_stop_newer(start, *stop, seen));
    seen.stop.filter(counts).or_else(|| seen.lock.map(|lock| lock.counts_with()).filter(counts))
}

/// Whether the lock has to be read before anything can be decided: what it counts with, or whether it is ours to
/// remove. `seen` has it as if it were put by hand.
pub fn needs_lock(seen: &Seen) -> bool {
    let Some(lock) = seen.lock else { return false };
    if stopped(&Seen { lock: None, ..*seen }).is_some() {
        return false;
    }
    let is_known = seen.mark.and_then(|mark| mark.stopped) == Some(lock.at);
    match stopped(seen) {
        // The mark says by now what it counts with.
        Some(_) => !is_known,
        // A lock of ours is never put before the stop that it names. Any other is read when the loop starts, once.
        None => seen.start.is_none_or(|start| lock.at >= start) || seen.mark.is_none() || was_stopped(seen.mark),
    }
}

/// What follows from what was seen and what was asked.
pub fn decide(seen: &Seen, asked: &Asked, pace: &Pace) -> Decision {
    if let Some(stopped) = stopped(seen) {
        let lock = if seen.lock.is_none() { LockDuty::Put } else { LockDuty::Leave };
        return Decision { stopped: Some(stopped), sweep: false, step: None, lock };
    }
    let is_asked = asked.sweep || is_named(asked, seen.mark) || (asked.schedule && !pace.has_queue);
    // What a lock of ours counts with is in its content, so `If-Match` removes just that. One put by hand counts with
    // its time: another with the same content may stand there by now, and must not be removed.
    let is_ours = seen.lock.is_some_and(|lock| lock.stop.is_some());
    let lock = if is_ours { LockDuty::Remove } else { LockDuty::Leave };
    let sweep = is_asked && !is_too_soon(seen.mark, seen.now, pace);
    Decision { stopped: None, sweep, step: step(seen, asked, pace), lock }
}

fn step(seen: &Seen, asked: &Asked, pace: &Pace) -> Option<Step> {
    let is_new_start = seen.start.is_some() && seen.start != seen.mark.and_then(|mark| mark.started);
    match () {
        () if !pace.has_queue => None,
        () if was_stopped(seen.mark) || is_new_start => Some(Step::Begin),
        () if is_named(asked, seen.mark) => Some(Step::Continue),
        () if asked.schedule && !is_alive(seen.mark, pace, seen.now) => Some(Step::Revive),
        () => None,
    }
}

impl Decision {
    /// What the mark shall say, but for `by`. `heard` is the store's time by now.
    pub fn mark(&self, seen: &Seen, pace: &Pace, news: &News, heard: Time) -> Mark {
        let mut mark = seen.mark.cloned().unwrap_or_default();
        mark.version = Mark::VERSION;
        mark.tick_s = Some(pace.tick_s);
        mark.stopped = self.stopped;
        mark.started = seen.start.or(mark.started);
        // Only where the times do not tell by themselves that the stop is over.
        let is_unclear = |stop: &Time| seen.start.is_some_and(|start| *stop >= start || start.is_ahead(seen.now));
        let overruled = |stop: Option<Time>| stop.filter(|stop| self.stopped.is_none() && is_unclear(stop));
        mark.overruled = overruled(seen.stop);
        let lock = overruled(seen.lock.map(|lock| lock.counts_with()));
        mark.overruled_lock = lock.filter(|_| lock != mark.overruled);
        if self.step.is_some() {
            (mark.tick, mark.ticked) = (Some(chain::next(seen.mark, heard)), Some(heard));
        } else if !pace.has_queue {
            mark.ticked = None;
        }
        mark.tick = mark.tick.or_else(|| Some(chain::next(None, heard)));
        if let Some((swept, took_ms)) = news.swept {
            // A slow sweep does not take back what a faster one has noted, but for a time that is ahead.
            if mark.swept.is_none_or(|noted| noted < swept || noted > heard) {
                (mark.swept, mark.took_ms) = (Some(swept), Some(took_ms));
            }
        }
        if let Some(Owed { owed_s, channels }) = &news.owed {
            (mark.owed_s, mark.channels) = (*owed_s, Some(channels.clone()));
        }
        if let Some(told) = &news.told {
            mark.told = Some(told.clone());
        }
        // Kept, it would hold ticks back once the clock has come so far.
        mark.purged = mark.purged.filter(|purged| !purged.is_ahead(heard));
        if news.purges {
            mark.purged = Some(heard);
        }
        mark
    }
}

/// Whether the tick that the mark names has come.
fn is_named(asked: &Asked, mark: Option<&Mark>) -> bool {
    mark.and_then(|mark| mark.tick).is_some_and(|tick| asked.ticks.contains(&tick))
}

fn was_stopped(mark: Option<&Mark>) -> bool {
    mark.is_some_and(|mark| mark.stopped.is_some())
}

/// Whether the chain has moved of late. A purge may eat a tick that was sent while it lasted, also a delayed one. Such
/// a step counts only until the purge is over, when the tick should come.
fn is_alive(mark: Option<&Mark>, pace: &Pace, now: Time) -> bool {
    let Some(Mark { ticked: Some(ticked), purged, .. }) = mark else { return false };
    let is_recent = ticked.age(now) < chain::dead_after(pace.tick_s) && !ticked.is_ahead(now);
    let may_be_eaten = purged.is_some_and(|purged| *ticked < purged + chain::PURGE && now >= purged + chain::PURGE);
    is_recent && !may_be_eaten
}

/// Whether the last completed sweep is so near that another would tell nothing.
fn is_too_soon(mark: Option<&Mark>, now: Time, pace: &Pace) -> bool {
    let min = pace.min_interval;
    mark.and_then(|mark| mark.swept).is_some_and(|swept| swept.age(now) < min && now.age(swept) < min)
}

/// Whether a stop counts against the start: a tie is a stop. Where a time is ahead it tells nothing, and the newer is
/// the one that the mark does not know yet; where the mark knows both, its own word lasts, also when the clock has
/// caught up.
fn is_stop_newer(start: Time, stop: Time, seen: &Seen) -> bool {
    let knows =
        |known: fn(&Mark) -> [Option<Time>; 3], time| seen.mark.is_some_and(|mark| known(mark).contains(&Some(time)));
    let knows_start = knows(|mark| [mark.started; 3], start);
    let knows_stop = knows(|mark| [mark.stopped, mark.overruled, mark.overruled_lock], stop);
    if knows_start && knows_stop {
        return was_stopped(seen.mark);
    }
    // A stop that was not known, since another one counted before it, was there when the clock was still ahead.
    if stop.is_ahead(seen.now) && !start.is_ahead(seen.now) && !knows_start && was_stopped(seen.mark) {
        return false;
    }
    let tells_nothing = start.is_ahead(seen.now) || stop.is_ahead(seen.now);
    if tells_nothing && knows_start != knows_stop { knows_start } else { stop >= start }
}

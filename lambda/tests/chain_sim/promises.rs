//! What the loop promises, checked while a history is played and at its end.

use std::collections::{BTreeMap, BTreeSet};

use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;

use crate::invocation::Cause;
use crate::world::{Fact, Message, Ms, Queue, Store};

/// The loop's time-out on Lambda.
pub(crate) const TIME_OUT: Ms = 60_000;

/// What requests and the delivery of events take in a calm world, which the contract's bound does not count.
const LATENCY: Ms = 5_000;

/// How often what happened, to see that the histories are worth something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums(BTreeMap<&'static str, u64>);

impl Sums {
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    pub(crate) fn assert_that_all_happened(&self) {
        for what in [
            "begun",
            "continued",
            "revived",
            "swept",
            "swept alone",
            "sweep failed",
            "stopped",
            "tick lost",
            "tick eaten",
            "purged",
            "lock removed",
            "crashed",
            "killed",
            "in doubt",
            "lost the race",
            "old tick",
            "fresh",
            "retried",
            "doubled",
            "driver switched",
            "mark removed",
            "told twice",
            "sent again",
            "step left",
            "clock set back",
            "clock set forward",
            "last word a start",
            "last word a stop",
        ] {
            assert!(self.0.get(what).is_some_and(|count| *count >= 100), "too seldom: {what}: {self:?}");
        }
    }
}

/// A message to people, and what became of it.
pub(crate) struct Told {
    pub(crate) fact: Fact,
    /// The invocations that sent it.
    pub(crate) by: Vec<usize>,
}

/// What is kept to check the promises.
#[derive(Default)]
pub(crate) struct Promises {
    /// Who won which number: one, but for a mark that was removed by hand, after which a slow write may repeat it.
    winners: BTreeMap<u64, Vec<usize>>,
    /// The numbers that were made since then.
    made: BTreeSet<u64>,
    /// The *now* of each sweep that was completed.
    completed: BTreeSet<Time>,
    /// Who sends messages to people at present.
    sending: BTreeSet<usize>,
    /// All messages to people that were ever owed.
    pub(crate) told: BTreeMap<usize, Told>,
    /// Who has surely put a lock and not yet purged for it.
    lockers: BTreeSet<usize>,
    /// Since when the loop is stopped without a break, by what is in the store.
    stopped_since: Option<Ms>,
    /// When ticks were sent, and steps made.
    sent: Vec<(Ms, usize)>,
    steps: Vec<Ms>,
    swept: Vec<Ms>,
    /// When the last thing went wrong, or was done by hand.
    pub(crate) last_fault: Ms,
    /// Whether the store's clock is set in this history. Then times do not tell what was said last, until the operator
    /// says it once more.
    pub(crate) has_steps: bool,
    /// The invocations before this one began before the clock was last set.
    before_clock: usize,
}

type Kept = Result<(), String>;

fn keep(holds: bool, broken: impl FnOnce() -> String) -> Kept {
    if holds { Ok(()) } else { Err(broken()) }
}

impl Promises {
    pub(crate) fn fault(&mut self, at: Ms) {
        self.last_fault = self.last_fault.max(at);
    }

    /// The operator has done something.
    pub(crate) fn look(&mut self, store: &Store, now: Ms) {
        if self.has_steps && store.last_word.is_none() {
            return;
        }
        self.stopped_since = store.stopped().map(|_| self.stopped_since.unwrap_or(now));
    }

    /// No operation of the loop may change whether it is stopped.
    pub(crate) fn lock_changed(&self, before: Option<Time>, after: Option<Time>) -> Kept {
        keep(self.has_steps || before.is_some() == after.is_some(), || {
            format!("the newer of start and stop wins: {before:?} became {after:?} by the loop's own doing")
        })
    }

    fn may_go_on(&self, now: Ms, what: &str) -> Kept {
        keep(self.stopped_since.is_none_or(|since| now <= since + TIME_OUT), || {
            format!("nothing goes on after a stop: {what} {} ms after it", now - self.stopped_since.unwrap_or(now))
        })
    }

    pub(crate) fn completed(&mut self, sweep: Time, now: Ms) -> Kept {
        self.completed.insert(sweep);
        self.swept.push(now);
        self.may_go_on(now, "swept")
    }

    /// The mark was written by an invocation. `dead_after` is its chain's.
    pub(crate) fn wrote(
        &mut self,
        who: usize,
        cause: &Cause,
        (before, after): (Option<&Mark>, &Mark),
        dead_after: i64,
        (store, now): (&Store, Ms),
    ) -> Kept {
        let swept_before = before.and_then(|mark| mark.swept);
        if after.swept != swept_before {
            let swept = after.swept.ok_or("swept was taken back")?;
            keep(self.completed.contains(&swept), || format!("swept claims a sweep that was not completed: {swept}"))?;
            let goes_on = swept_before.is_none_or(|before| before < swept || self.has_steps);
            keep(goes_on, || "swept was taken back".into())?;
        }
        let tick_before = before.and_then(|mark| mark.tick);
        if before.and_then(|mark| mark.ticked) == after.ticked && tick_before == after.tick {
            return Ok(());
        }
        let tick = after.tick.ok_or("the tick is gone")?;
        if after.ticked.is_none() || tick_before == after.tick {
            return Ok(());
        }
        keep(tick_before.is_none_or(|before| before < tick), || {
            format!("one chain: {tick} follows on {tick_before:?}")
        })?;
        let is_begun =
            before.is_none_or(|mark| mark.stopped.is_some() || mark.started != store.start || mark.ticked.is_none());
        let ticked = before.and_then(|mark| mark.ticked);
        let purged = before.and_then(|mark| mark.purged);
        let is_purged =
            purged.is_some_and(|purged| ticked.is_none_or(|ticked| ticked.as_second() < purged.as_second() + 70));
        let is_dead = is_purged
            || ticked.is_none_or(|ticked| {
                let age = store.time(now).as_second() - ticked.as_second();
                // Ahead by over a minute when that was looked at, up to a minute ago.
                age >= dead_after || age < 0
            });
        // Who looked before the clock was set may take a chain for dead, or for begun, that is not.
        let is_right = is_begun
            || who < self.before_clock
            || match cause {
                Cause::Messages(ticks) => tick_before.is_some_and(|before| ticks.contains(&Some(before))),
                Cause::Schedule => is_dead,
                Cause::Put(_) => false,
            };
        keep(is_right, || format!("one chain: {tick} was made by {cause:?} while {tick_before:?} lives"))?;
        self.winners.entry(tick).or_default().push(who);
        keep(self.made.insert(tick), || format!("one chain: {tick} was made twice"))?;
        self.steps.push(now);
        self.may_go_on(now, "a step was made")
    }

    pub(crate) fn mark_removed(&mut self) {
        self.made.clear();
    }

    /// A tick reaches the queue, as the message of that number.
    pub(crate) fn sent(&mut self, who: usize, (tick, message): (u64, usize), mark: Option<&Mark>, now: Ms) -> Kept {
        let winner = self.winners.get(&tick);
        keep(winner.is_some_and(|winners| winners.contains(&who)), || {
            let noted = mark.and_then(|mark| mark.tick);
            format!("one chain: {tick} was sent by {who}, but made by {winner:?}; the mark says {noted:?}")
        })?;
        self.sent.push((now, message));
        self.may_go_on(now, "a tick was sent")
    }

    /// The store's clock was set: what the times of locks, starts, stops and leases say holds no longer for
    /// invocations up to this one.
    pub(crate) fn clock_set(&mut self, last: usize, now: Ms) {
        self.fault(now);
        self.before_clock = last;
        self.sending.clear();
    }

    pub(crate) fn begins_to_send(&mut self, who: usize) -> Kept {
        if who < self.before_clock {
            return Ok(());
        }
        self.sending.insert(who);
        keep(self.sending.len() == 1, || format!("never two that send at once: {:?}", self.sending))
    }

    pub(crate) fn ends_to_send(&mut self, who: usize) {
        self.sending.remove(&who);
    }

    pub(crate) fn put_lock(&mut self, who: usize) {
        self.lockers.insert(who);
    }

    pub(crate) fn purged(&mut self, who: usize) -> Kept {
        keep(self.lockers.remove(&who), || format!("{who} purges, but has put no lock, or has purged before"))
    }

    /// A loop that is started has come back within the bound, with one chain; one that is stopped says so.
    pub(crate) fn chain_at_end(&self, (store, queue): (&Store, &Queue), tick_s: i64, has_queue: bool, now: Ms) -> Kept {
        let (fault, bound) = (self.last_fault, 2_000 * tick_s + 120_000 + LATENCY);
        let stopped = store.stopped();
        let mark = store.mark.as_ref().ok_or("there is no mark at the end")?;
        keep(mark.content.stopped == stopped, || {
            format!(
                "the newer of start and stop wins: stopped {stopped:?}, but the mark says {:?}",
                mark.content.stopped
            )
        })?;
        // A tick that a purge took does not bring the chain back.
        let is_eaten = |message: &Message| message.eaten.is_some_and(|eaten| eaten <= message.visible + 500);
        let comes_back =
            |(at, number): &(Ms, usize)| *at > fault && *at <= fault + bound && !is_eaten(&queue.messages[*number]);
        if stopped.is_none() && has_queue {
            let last = self.steps.last().copied().unwrap_or(0);
            keep(self.sent.iter().any(comes_back), || format!("no tick within the bound after the fault at {fault}"))?;
            keep(last > now - 1_000 * tick_s - LATENCY, || format!("the chain is dead: its last step was at {last}"))?;
            let steps = self.steps.iter().filter(|at| **at > now - 4_000 * tick_s).count();
            keep((3..=5).contains(&steps), || format!("one chain: {steps} steps in four ticks"))?;
        }
        keep(self.sending.is_empty(), || format!("{:?} send for ever", self.sending))
    }

    /// What is swept and told, where `status.json` can be used.
    pub(crate) fn sweeps_at_end(&self, store: &Store, tick_s: i64, has_queue: bool, now: Ms) -> Kept {
        if store.stopped().is_none() {
            let last = self.swept.last().copied().unwrap_or(0);
            let every = if has_queue { 1_000 * tick_s } else { 60_000 };
            keep(last > now - 2 * every - LATENCY, || format!("it is not swept: the last time was at {last}"))?;
        }
        self.all_was_told(store)
    }

    fn all_was_told(&self, store: &Store) -> Kept {
        let status = store.status.as_ref().ok_or("there is no status at the end")?;
        keep(status.content.outbox.is_empty(), || format!("owed at the end: {:?}", status.content.outbox))?;
        let is_stop_or_start = |told: &&Told| told.fact != Fact::Other;
        let facts: Vec<_> = self.told.values().filter(is_stop_or_start).collect();
        keep(facts.iter().all(|told| !told.by.is_empty()), || "a start or a stop was never told".into())?;
        let is_once = facts.windows(2).all(|pair| pair[0].fact != pair[1].fact);
        keep(is_once, || "a start or a stop was told twice".into())?;
        let last = facts.last().map_or(Fact::Started, |told| told.fact);
        keep((last == Fact::Stopped) == store.stopped().is_some(), || format!("the last thing told is {last:?}"))
    }
}

//! One history: what happens, in order. First a storm, in which anything may go wrong and the operator does what they
//! like; then calm, in which all has to come back.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use pulse_echo_lambda::tick::decide::Pace;

use crate::chance::Chance;
use crate::invocation::{Cause, Invocation};
use crate::operator::Act;
use crate::promises::{Promises, Sums, TIME_OUT};
use crate::world::{Ms, Queue, Store};

/// How long a message that was received is hidden from others: six times the function's time-out.
const VISIBILITY: Ms = 6 * TIME_OUT;

/// What happens at some time.
#[derive(Debug)]
pub(crate) enum Event {
    /// The operation that an invocation has asked for takes effect.
    Act(usize),
    /// A function is invoked, with this request id and this many tries left.
    Invoke(Cause, u64, u32),
    /// A message may be received.
    Receive(usize),
    /// The same, though it is hidden.
    Double(usize),
    Schedule,
    Operator(Act),
    /// The store's clock is set: so many seconds ahead of what is right.
    SetClock(i64),
    /// The operator starts or stops, long after the clock was set right.
    LastWord(Act),
}

/// How often things go wrong in the storm, in percent.
pub(crate) struct Weather {
    pub(crate) crash: i64,
    pub(crate) fail: i64,
    pub(crate) slow: i64,
    pub(crate) lose: i64,
    /// Whether `status.json` cannot be used by anybody, in the calm too: no sweep is ever completed.
    pub(crate) is_status_bad: bool,
}

/// A history as it goes on.
pub(crate) struct History {
    pub(crate) chance: Chance,
    pub(crate) weather: Weather,
    pub(crate) store: Store,
    pub(crate) queue: Queue,
    pub(crate) promises: Promises,
    pub(crate) sums: Sums,
    pub(crate) invocations: Vec<Invocation>,
    pub(crate) now: Ms,
    pub(crate) storm_until: Ms,
    pub(crate) pace: Pace,
    pub(crate) messages_told: usize,
    /// Whether to print all that happens.
    pub(crate) tells: bool,
    requests: u64,
    events: BinaryHeap<Reverse<(Ms, usize)>>,
    /// What happens, by the order in which it was planned.
    planned: Vec<Option<Event>>,
}

impl History {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let tick_s = chance.one_of(&[5, 15, 30, 30, 60, 60]);
        let pace =
            Pace { tick_s, min_interval: Duration::from_secs(u64::from(tick_s / 2)), has_queue: chance.percent(80) };
        let weather = Weather {
            crash: chance.one_of(&[0, 1, 3]),
            fail: chance.one_of(&[0, 2, 6]),
            slow: chance.one_of(&[0, 3, 10]),
            lose: chance.one_of(&[0, 5, 20]),
            is_status_bad: chance.percent(3),
        };
        let storm_until = chance.between(20_000, 30_000 + 4_000 * i64::from(tick_s));
        let mut history = Self {
            chance,
            weather,
            store: Store::default(),
            queue: Queue::default(),
            promises: Promises::default(),
            sums: Sums::default(),
            invocations: Vec::new(),
            now: 0,
            storm_until,
            pace,
            messages_told: 0,
            tells: false,
            requests: 0,
            events: BinaryHeap::new(),
            planned: Vec::new(),
        };
        let first = history.chance.between(0, 60_000);
        history.plan(first, Event::Schedule);
        history.plan_operator();
        if history.chance.percent(20) {
            history.plan_clock();
        }
        history
    }

    pub(crate) fn is_storm(&self) -> bool {
        self.now < self.storm_until
    }

    /// Whether something of this chance in percent happens now; only in the storm.
    pub(crate) fn strikes(&mut self, percent: i64) -> bool {
        self.is_storm() && self.chance.percent(percent)
    }

    pub(crate) fn plan(&mut self, at: Ms, event: Event) {
        self.events.push(Reverse((at, self.planned.len())));
        self.planned.push(Some(event));
    }

    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if self.tells {
            println!("{:>5}.{:03} {}", self.now / 1000, self.now % 1000, what());
        }
    }

    /// When the history ends: long enough after the last fault for a chain to come back, even if a purge takes the
    /// first tick, and to go on for some ticks.
    fn end(&self) -> Ms {
        self.promises.last_fault.max(self.storm_until) + 145_000 + 7_000 * i64::from(self.pace.tick_s)
    }

    pub(crate) fn play(&mut self) -> Result<(), String> {
        self.promises.fault(self.storm_until);
        let (tick_s, has_queue) = (self.pace.tick_s, self.pace.has_queue);
        self.tell(|| format!("tick_s {tick_s}, queue {has_queue}, storm until {}", self.storm_until));
        while let Some(Reverse((at, number))) = self.events.pop() {
            if at > self.end() {
                break;
            }
            self.now = at;
            let event = self.planned[number].take().expect("it happens once");
            self.happen(event)?;
        }
        self.now = self.end();
        self.sums.count(match (self.store.stopped(), self.pace.has_queue) {
            (Some(_), _) => "ended stopped",
            (None, true) => "ended with a chain",
            (None, false) => "ended by schedule",
        });
        let (tick_s, is_status_bad) = (self.pace.tick_s.into(), self.weather.is_status_bad);
        self.promises.chain_at_end((&self.store, &self.queue), tick_s, self.pace.has_queue, self.now)?;
        if is_status_bad {
            Ok(())
        } else {
            self.promises.sweeps_at_end(&self.store, tick_s, self.pace.has_queue, self.now)
        }
    }

    fn happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Act(invocation) => return self.act(invocation),
            Event::Invoke(cause, request, tries) => return self.invoke(cause, Vec::new(), request, tries),
            Event::Schedule => self.schedule(),
            Event::Operator(act) => self.operate(act),
            Event::SetClock(ahead_s) => self.set_clock(ahead_s),
            Event::LastWord(act) => self.say_last(act),
            Event::Receive(message) if self.queue.is_there(message, self.now) => return self.receive(message),
            Event::Receive(message) => {
                let message = &self.queue.messages[message];
                if message.eaten.is_some_and(|eaten| eaten <= self.now) && !message.deleted {
                    self.sums.count("tick eaten");
                }
            }
            Event::Double(message) => {
                self.sums.count("doubled");
                self.promises.fault(self.now);
                return self.receive_all(&[message]);
            }
        }
        Ok(())
    }

    /// The schedule fires each minute, at least once.
    fn schedule(&mut self) {
        let next = self.now + 60_000;
        self.plan(next, Event::Schedule);
        self.emit(&Cause::Schedule);
    }

    /// An event finds its way to the function: at least once, in no order; in the storm it may also be lost.
    pub(crate) fn emit(&mut self, cause: &Cause) {
        let request = self.request();
        let mut at = self.now + self.chance.between(100, 1_500);
        if self.strikes(self.weather.lose) {
            self.promises.fault(self.now);
            if self.chance.percent(50) {
                self.tell(|| format!("{cause:?} is lost"));
                return;
            }
            at += self.chance.between(0, 90_000);
        }
        if self.strikes(10) {
            let again = at + self.chance.between(0, 3_000);
            self.promises.fault(again);
            self.sums.count("doubled");
            self.plan(again, Event::Invoke(cause.clone(), request, 2));
        }
        if self.is_storm() {
            self.promises.fault(at);
        }
        self.plan(at, Event::Invoke(cause.clone(), request, 2));
    }

    fn request(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    /// A message has reached the queue.
    pub(crate) fn enqueue(&mut self, tick: Option<u64>, delay: Ms) {
        let message = self.queue.send(tick, delay, self.now, &mut self.chance);
        if self.strikes(self.weather.lose) {
            self.tell(|| format!("the message of {tick:?} is lost"));
            self.sums.count("tick lost");
            self.queue.messages[message].deleted = true;
            self.promises.fault(self.now);
        }
        let mut at = self.queue.messages[message].visible + self.chance.between(20, 400);
        if self.strikes(self.weather.slow) {
            at += self.chance.between(0, 60_000);
            self.promises.fault(at);
        }
        self.plan(at, Event::Receive(message));
    }

    /// A batch is received: this message, and sometimes all that are there.
    fn receive(&mut self, message: usize) -> Result<(), String> {
        let mut batch = vec![message];
        if self.chance.percent(50) {
            let others = (0..self.queue.messages.len()).filter(|other| *other != message);
            batch.extend(others.filter(|other| self.queue.is_there(*other, self.now)).take(9));
        }
        self.receive_all(&batch)
    }

    fn receive_all(&mut self, batch: &[usize]) -> Result<(), String> {
        for &message in batch {
            self.queue.messages[message].visible = self.now + VISIBILITY;
            self.plan(self.now + VISIBILITY, Event::Receive(message));
            if self.strikes(5) {
                let again = self.now + self.chance.between(0, 20_000);
                self.promises.fault(again);
                self.plan(again, Event::Double(message));
            }
        }
        let ticks = batch.iter().map(|message| self.queue.messages[*message].tick).collect();
        let request = self.request();
        self.invoke(Cause::Messages(ticks), batch.to_vec(), request, 0)
    }
}

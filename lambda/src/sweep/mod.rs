//! The sweep: one look at all checks, as the loop's handler has it done whenever it is told to.
//!
//! In this order: `trigger` (what the event asks for), `memory` (`status.json`), `lists`, `control` (is the loop
//! stopped?), `mark`, `walk` and `reads` (what there is to judge), then [`crate::round`] judges, and `deliver` sends.

mod control;
mod deliver;
mod lists;
mod mark;
mod memory;
mod reads;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pulse_echo::clock::Time;
use pulse_echo::http::{self, SystemResolver};
use pulse_echo::mark::Mark;
use pulse_echo::random;
use pulse_echo::status::{Fact, Lease, Status};
use pulse_echo::store::{Clock, Condition, Store};
use serde::Serialize;
use serde_json::Value;
use ureq::Agent;

use crate::cas::Written;
use crate::channel::{self, Channel, Heartbeat, Means};
use crate::event::Trigger;
use crate::outbox::Teller;
use crate::outbox::attempt::{any_due, end_lease, may_send, settle};
use crate::outbox::fleet::forget_channels;
use crate::round::Round;
use crate::rules::Rules;
use crate::settings::Settings;

use control::Control;
use deliver::Sent;
use lists::{Lists, Opening};
use memory::{Memory, Unreadable, store_time};

/// How many connections are kept for reading side by side.
const CONNECTIONS: usize = 32;

/// How long before the invocation's end reading ends.
const TO_JUDGE: Duration = Duration::from_secs(20);

/// How long before the invocation's end sending ends.
const TO_STRIKE_OFF: Duration = Duration::from_secs(10);

/// How long before the invocation's end the store is given up, so that the error can still be reported.
const TO_REPORT: Duration = Duration::from_secs(1);

/// How much longer a lease runs than the invocation that holds it.
const LEASE_MARGIN: Duration = Duration::from_secs(5);

/// A status whose only news are newer pulses and echoes is written this often.
const WRITE_EVERY: Duration = Duration::from_secs(600);

/// So many checks have more objects than a page of a list: each has a pulse and an answer.
const CHECKS_ON_A_PAGE: usize = 500;

/// The loop, ready to be told to sweep.
pub struct Loop {
    settings: Settings,
    rules: Rules,
    channels: Vec<Box<dyn Channel>>,
    heartbeat: Option<Heartbeat>,
    to_store: Agent,
    clock: Clock,
}

/// What an invocation came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// What it did.
    pub course: Course,
    /// How many checks there are; 0 if they were not looked at.
    pub checks: usize,
    /// How many keys in `pulse/` are nobody's pulse.
    pub skipped: usize,
    /// How many objects could not be read; that is for the next sweep.
    pub unread: usize,
    /// How many messages are owed that were not before.
    pub told: usize,
    /// How many entries each channel took, of those that were sent anything.
    pub taken: BTreeMap<String, usize>,
}

/// What an invocation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Course {
    /// Nothing: the event asks for nothing.
    #[default]
    Nothing,
    /// A whole sweep. Only then a heartbeat is due.
    Swept,
    /// No sweep, since the last one is hardly over, or none was asked for; what was owed was sent.
    TooSoon,
    /// No sweep, since the loop is stopped; what was owed was sent.
    Stopped,
    /// Another invocation has changed `status.json` meanwhile: it is the one that tells.
    Lost,
}

impl Loop {
    /// A loop with these settings, telling over these channels. `clock` gives the time of signing, and nothing else.
    pub fn new(settings: Settings, rules: Rules, channels: Vec<Box<dyn Channel>>, clock: Clock) -> Self {
        let config =
            http::config().max_idle_connections(CONNECTIONS).max_idle_connections_per_host(CONNECTIONS).build();
        let to_store = http::agent(config, &settings.trust, SystemResolver::default());
        Self { settings, rules, channels, heartbeat: None, to_store, clock }
    }

    /// A loop as the environment asks for it, by `lookup`. The error is one sentence that names the variable.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>, clock: Clock) -> Result<Self, String> {
        let (settings, rules) = (Settings::read(lookup)?, Rules::read(lookup)?);
        let means = Means { lookup, trust: &settings.trust, clock: clock.clone() };
        let (channels, heartbeat) = (channel::channels(&means)?, Heartbeat::read(&means)?);
        Ok(Self { heartbeat, ..Self::new(settings, rules, channels, clock) })
    }

    /// How often it means to sweep.
    pub fn tick(&self) -> Duration {
        Duration::from_secs(self.rules.tick_s.into())
    }

    /// Does what an event asks for. `deadline` is the end of this invocation.
    ///
    /// The error is one sentence; after it, the next invocation finds all that is still owed.
    pub fn handle(&self, event: &Value, deadline: Instant) -> Result<Summary, String> {
        let bucket = self.settings.bucket.as_deref().ok_or("BUCKET is not set: the bucket to sweep")?;
        let (place, credentials) = (self.settings.place(bucket), self.settings.credentials.clone());
        let until = before(deadline, TO_REPORT);
        let store = Store::new(&place, credentials, self.to_store.clone(), self.clock.clone(), until)?;
        let Self { rules, channels, heartbeat, .. } = self;
        let summary = sweep(event, &store, channels, rules, deadline)?;
        if let (Some(heartbeat), Course::Swept) = (heartbeat, summary.course) {
            heartbeat.beat(deadline);
        }
        Ok(summary)
    }
}

/// Does what an event asks for, in this store; see [`Loop::handle`].
pub fn sweep(
    event: &Value,
    store: &Store,
    channels: &[Box<dyn Channel>],
    rules: &Rules,
    deadline: Instant,
) -> Result<Summary, String> {
    let trigger = Trigger::of(event);
    if trigger.is_none() {
        return Ok(Summary::default());
    }
    let memory = Memory::read(store)?;
    let may_fit = memory.status.as_ref().is_none_or(|status| status.checks.len() < CHECKS_ON_A_PAGE);
    let opening = Opening::look(store, may_fit)?;
    let control = Control::of(&opening.control, store)?;
    let mark = match lists::find(&opening.control, "Update.json") {
        Some(_) => mark::Kept::read(store).map_err(|error| error.to_string())?,
        None => mark::Kept::missing(),
    };
    let names = channels.iter().map(|channel| channel.name().to_string()).collect();
    let invocation = Invocation { store, channels, names, rules, deadline, started: Instant::now() };
    invocation.run(trigger, memory, opening, &control, mark)
}

/// One invocation, and all that it goes by.
struct Invocation<'a> {
    store: &'a Store,
    channels: &'a [Box<dyn Channel>],
    names: BTreeSet<String>,
    rules: &'a Rules,
    deadline: Instant,
    started: Instant,
}

impl Invocation<'_> {
    fn run(
        &self,
        trigger: Trigger,
        memory: Memory,
        opening: Opening,
        control: &Control,
        mark: mark::Kept,
    ) -> Result<Summary, String> {
        let (now, anchor) = (opening.now, opening.anchor);
        let course = match control.stopped {
            Some(_) => Course::Stopped,
            None if trigger.sweep && !self.is_too_soon(&mark.mark, now) => Course::Swept,
            None => Course::TooSoon,
        };
        let mut summary = Summary { course, ..Summary::default() };
        let swept = mark.mark.swept.max(memory.status.as_ref().map(|status| status.written));
        let mut changed = memory.status.is_none();
        let mut status = memory.status.unwrap_or_else(|| Status::new(now));

        changed |= forget_channels(&mut status, |channel| self.names.contains(channel));
        changed |= self.tell_of_us(&mut status, now, control, trigger, memory.unreadable);
        if course == Course::Swept {
            changed |= self.judge(&mut status, opening, swept, &mut summary)?;
            changed |= status.written.age(now) >= WRITE_EVERY;
        }
        summary.told = status.outbox.iter().filter(|message| message.at == now).count();

        let sends = Instant::now() < self.send_until() && may_send(&status, now) && any_due(&status, now);
        // A write of its own: see `cas::write`.
        let by = random::id();
        if sends {
            let left = self.deadline.saturating_duration_since(Instant::now());
            status.lease = Some(Lease { by: by.clone(), until: store_time(anchor) + left + LEASE_MARGIN });
        }
        let mut condition = memory.condition;
        if changed || sends {
            if course == Course::Swept {
                status.written = now;
            }
            match memory::write(self.store, &status, &condition)? {
                Written::Won(next) => condition = next,
                Written::Lost => return Ok(Summary { course: Course::Lost, ..summary }),
                Written::Unwritten(why) => return Err(why),
            }
        }
        // A mark that cannot be written must not keep back what people are to be told; that is still an error.
        let marked = self.keep_mark(mark, now, control, course);
        control.keep_lock(self.store);
        if sends {
            self.deliver(status, condition, now, anchor, &by, &mut summary)?;
        }
        marked.map(|()| summary)
    }

    /// Whether the last completed sweep is so near that another would tell nothing.
    fn is_too_soon(&self, mark: &Mark, now: Time) -> bool {
        let min = self.rules.min_interval();
        mark.swept.is_some_and(|swept| swept.age(now) < min && now.age(swept) < min)
    }

    fn send_until(&self) -> Instant {
        before(self.deadline, TO_STRIKE_OFF)
    }

    /// Tells what concerns ourselves: a stop or a start, a status that could not be read, a test. Whether anything has
    /// changed by that.
    fn tell_of_us(
        &self,
        status: &mut Status,
        now: Time,
        control: &Control,
        trigger: Trigger,
        unreadable: Option<Unreadable>,
    ) -> bool {
        let mut new_id = random::id;
        let (rules, channels) = (self.rules, &self.names);
        let mut teller = Teller { now, rules, channels, new_id: &mut new_id, messages: Vec::new() };
        let stopped_before = status.stopped;
        teller.stopped(&mut status.stopped, control.stopped);
        if let Some(Unreadable { copy, why }) = unreadable {
            teller.tell(Fact::StatusUnreadable { copy: copy.to_string(), why });
        }
        if trigger.test {
            teller.tell(Fact::Test);
        }
        let changed = stopped_before != status.stopped || !teller.messages.is_empty();
        status.outbox.append(&mut teller.messages);
        changed
    }

    /// The sweep itself: lists, reads and judges. Whether that is worth writing.
    fn judge(
        &self,
        status: &mut Status,
        opening: Opening,
        swept: Option<Time>,
        summary: &mut Summary,
    ) -> Result<bool, String> {
        let now = opening.now;
        let Lists { mutes, pulses, echoes, faults } = opening.others(self.store)?;
        let reading = self.store.until(before(self.deadline, TO_JUDGE));

        let mutes_before = status.mutes.clone();
        summary.unread += reads::mutes(&reading, mutes, &mut status.mutes, now);
        let (mut cases, skipped) = walk::cases(pulses, echoes, faults, std::mem::take(&mut status.checks));
        summary.unread += reads::sights(&reading, &mut cases);

        let mut new_id = random::id;
        let (rules, channels) = (self.rules, &self.names);
        let round = Round { now, swept, rules, channels, new_id: &mut new_id };
        let changed = round.judge(status, cases) || status.mutes != mutes_before;
        summary.unread += reads::words(&reading, &mut status.outbox, now);
        (summary.checks, summary.skipped) = (status.checks.len(), skipped);
        Ok(changed)
    }

    /// Brings the mark up to date: `swept` after a whole sweep only.
    fn keep_mark(&self, mark: mark::Kept, now: Time, control: &Control, course: Course) -> Result<(), String> {
        let took_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let change = mark.change(self.store, |mark| {
            mark.version = Mark::VERSION;
            mark.tick_s = Some(self.rules.tick_s);
            mark.stopped = control.stopped;
            mark.tick = mark.tick.or(u64::try_from(now.as_second()).ok());
            if course == Course::Swept {
                mark.swept = Some(now);
                mark.took_ms = Some(took_ms);
            }
        });
        change.map(drop)
    }

    /// Sends what is due, under the lease that was taken, and strikes off what was taken.
    fn deliver(
        &self,
        status: Status,
        condition: Condition,
        now: Time,
        anchor: (Time, Instant),
        by: &str,
        summary: &mut Summary,
    ) -> Result<(), String> {
        let sent = deliver::send(&status, self.channels, now, self.send_until());
        let sent_at = store_time(anchor);
        for Sent { channel, attempt, outcome } in &sent {
            summary.taken.insert((*channel).into(), outcome.taken_of(attempt.entries.len()));
        }
        memory::amend(self.store, status, condition, before(self.deadline, TO_REPORT), |status| {
            for Sent { channel, attempt, outcome } in &sent {
                settle(status, channel, attempt, outcome, sent_at);
            }
            end_lease(status, by);
        })
    }
}

fn before(deadline: Instant, time: Duration) -> Instant {
    deadline.checked_sub(time).unwrap_or(deadline)
}

//! The loop's handler: one invocation, whatever it was told of.
//!
//! `event` says what is asked for. `decide` has the rules, `chain` what a tick says, and `machine` the order of what is
//! done, all of them without IO. `invocation` carries out what the machine asks for: `mark` and `control` read and write
//! `loop/`, `record` has `sweep` look at all checks and writes what is owed, and sends it; `queue` sends the next tick.

pub mod chain;
mod control;
pub mod decide;
mod invocation;
pub mod machine;
mod mark;
mod queue;
mod record;
mod report;

use std::time::{Duration, Instant};

use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::{self, SystemResolver};
use pulse_echo_core::random;
use pulse_echo_core::store::{Clock, Store};
use serde_json::Value;
use ureq::Agent;

use crate::channel::{self, Channel, Heartbeat, Means};
use crate::deadline::{TO_REPORT, before};
use crate::event::Trigger;
use crate::rules::Rules;
use crate::settings::StoreSettings;

use chain::Message;
use decide::{Asked, Pace};
use invocation::Invocation;
use machine::Machine;
use queue::Sender;
use record::Recorder;

pub use crate::aws::sqs::Queue;
pub use machine::Course;
pub use report::{Error, Report};

/// How many connections are kept for reading side by side.
const CONNECTIONS: usize = 32;

/// The loop, ready to be told to sweep.
pub struct Loop {
    store: StoreSettings,
    rules: Rules,
    queue: Option<Queue>,
    channels: Vec<Box<dyn Channel>>,
    heartbeat: Option<Heartbeat>,
    to_store: Agent,
    clock: Clock,
}

impl Loop {
    /// A loop as the environment asks for it. `clock` gives the time of signing, and nothing else. The
    /// error is one sentence that names the variable.
    pub fn read(environment: Environment, clock: Clock) -> Result<Self, String> {
        let (store, rules) = (StoreSettings::read(environment)?, Rules::read(environment)?);
        let queue = Queue::read(environment, &store.trust, &clock)?;
        let means = Means { environment, trust: &store.trust, clock: clock.clone() };
        let (channels, heartbeat) = (channel::channels(&means)?, Heartbeat::read(&means)?);
        let config =
            http::config().max_idle_connections(CONNECTIONS).max_idle_connections_per_host(CONNECTIONS).build();
        let to_store = http::agent(config, &store.trust, SystemResolver::default());
        Ok(Self { store, rules, queue, channels, heartbeat, to_store, clock })
    }

    /// How often it means to sweep.
    pub fn tick(&self) -> Duration {
        Duration::from_secs(self.rules.tick_s.into())
    }

    /// Does what is asked for; `deadline` is the end of the invocation. The error is one sentence: the store could not
    /// even be asked. What goes wrong later is in the report, and the next invocation finds all that is still owed.
    pub fn run(&self, asked: &Asked, deadline: Instant) -> Result<Report, String> {
        let bucket = self.store.bucket.as_deref().ok_or("BUCKET is not set: the bucket to sweep")?;
        let until = before(deadline, TO_REPORT);
        let store = self.store.open(bucket, &self.to_store, &self.clock, until)?;
        let Self { rules, channels, heartbeat, queue, .. } = self;
        let report = invoke(asked, &store, queue.as_ref(), channels, rules, deadline);
        let is_whole = report.errors.iter().all(|error| matches!(error, Error::QueueFailed(_)));
        if let (Some(heartbeat), Course::Swept, true) = (heartbeat, report.course, is_whole) {
            heartbeat.beat(deadline);
        }
        Ok(report)
    }

    /// Does what an event asks for; `deadline` is the end of the invocation.
    ///
    /// The error is one sentence; after it, the next invocation finds all that is still owed.
    pub fn handle(&self, event: &Value, deadline: Instant) -> Result<Report, String> {
        let report = self.run(&asked(event), deadline)?;
        let is_batch = event["Records"][0]["eventSource"] == "aws:sqs";
        if report.errors.is_empty() || (is_batch && !report.fails_ticks) {
            return Ok(report);
        }
        Err(report.sentence())
    }
}

/// What an event asks for.
pub fn asked(event: &Value) -> Asked {
    let records = event["Records"].as_array().map_or(&[][..], Vec::as_slice);
    if records.first().is_some_and(|record| record["eventSource"] == "aws:sqs") {
        let mut asked = Asked::default();
        for record in records {
            match Message::read(record["body"].as_str().unwrap_or_default()) {
                Message::Tick(tick) => asked.ticks.push(tick),
                Message::Nudge => asked.sweep = true,
                Message::Torn(why) => log::error!("a tick cannot be read: {why}"),
            }
        }
        return asked;
    }
    if event["source"] == "aws.events" || event["source"] == "aws.scheduler" {
        return Asked { schedule: true, ..Asked::default() };
    }
    let Trigger { sweep, test } = Trigger::of(event);
    Asked { sweep, test, ..Asked::default() }
}

/// Does what is asked for, in this store and with this queue; `deadline` is the end of the invocation.
pub fn invoke(
    asked: &Asked,
    store: &Store,
    queue: Option<&Queue>,
    channels: &[Box<dyn Channel>],
    rules: &Rules,
    deadline: Instant,
) -> Report {
    if *asked == Asked::default() {
        return Report::default();
    }
    let pace = Pace { tick_s: rules.tick_s, min_interval: rules.min_interval(), has_queue: queue.is_some() };
    let machine = Machine::new(asked.clone(), pace, random::id);
    let recorder = Recorder::new(store, channels, rules, deadline);
    Invocation::new(store, recorder, queue.map(|queue| Sender::new(queue, deadline))).run(machine)
}

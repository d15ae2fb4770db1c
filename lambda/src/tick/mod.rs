//! The loop's handler: one invocation, whatever it was told of.
//!
//! `asked` says what an event asks for. `decide` has the rules, `chain` what a tick says, and `machine` the order of
//! what is done, all of them without IO. `invocation` carries out what the machine asks for: `mark` and `control` read
//! and write `loop/`, `record` has `sweep` look at all checks and writes what is owed, and sends it; `queue` sends the
//! next tick.

pub mod asked;
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
use pulse_echo_core::random;
use pulse_echo_core::store::{Clock, Store};
use serde_json::Value;

use crate::aws::ssm::Secrets;
use crate::channel::{self, Channel, Heartbeat, Means};
use crate::connections::Connections;
use crate::deadline::{Stages, TO_REPORT, before};
use crate::error::{Error, Kind};
use crate::event::{self, sqs};
use crate::rules::Rules;
use crate::settings::StoreSettings;

use asked::Request;
use decide::{Asked, Pace};
use invocation::Invocation;
use machine::Machine;
use queue::Sender;
use record::Recorder;

pub use crate::aws::sqs::Queue;
pub use crate::aws::ssm::first_reference;
pub use machine::Course;
pub use report::Report;

/// How many connections are kept for reading side by side.
const CONNECTIONS: usize = 32;

/// The loop, ready to be told to sweep.
pub struct Loop {
    store: StoreSettings,
    rules: Rules,
    queue: Option<Queue>,
    channels: Vec<Box<dyn Channel>>,
    heartbeat: Option<Heartbeat>,
    to_store: Connections,
    clock: Clock,
}

impl Loop {
    /// A loop as the environment asks for it. It reads the secrets that are parameters on AWS, and sends nothing else.
    /// `clock` gives the time of signing, and nothing else. The error is one sentence that names the variable.
    pub fn read(environment: Environment, clock: Clock) -> Result<Self, String> {
        let (store, rules) = (StoreSettings::read(environment)?, Rules::read(environment)?);
        let queue = Queue::read(environment, &store.trust, &clock)?;
        let secrets = Secrets::read(environment, &store, &clock)?;
        let lookup = |name: &str| secrets.get(name).or_else(|| environment.get(name));
        let means = Means { environment: Environment::new(&lookup), trust: &store.trust, clock: clock.clone() };
        let channels = channel::channels(&means).map_err(|why| secrets.explain(why))?;
        if let Some(warning) = channel::audiences(&channels).warning() {
            log::warn!("{warning}");
        }
        let heartbeat = Heartbeat::read(&means).map_err(|why| secrets.explain(why))?;
        let to_store = Connections::new(CONNECTIONS, &store.trust, &clock);
        Ok(Self { store, rules, queue, channels, heartbeat, to_store, clock })
    }

    /// The names of its channels.
    pub fn channels(&self) -> Vec<&'static str> {
        self.channels.iter().map(|channel| channel.name()).collect()
    }

    /// How often it means to sweep.
    pub fn tick(&self) -> Duration {
        Duration::from_secs(self.rules.tick_s.into())
    }

    /// Does what an event asks for; `deadline` is the end of the invocation. A batch of messages is one look.
    ///
    /// After an error the next invocation finds all that is still owed. [`Report::answer`] is what Lambda is told.
    pub fn handle(&self, event: &Value, deadline: Instant) -> Report {
        let Request { asked, is_batch, refused } = match event::read(event) {
            Ok(came) => Request::of(came, self.store.bucket.as_deref()),
            Err(error) => return Report::of(error),
        };
        let mut report = self.run(&asked, deadline);
        if is_batch {
            let refused = refused.iter().map(|(id, error)| (id.as_deref(), error.clone())).collect();
            match sqs::item_failures(refused) {
                Ok(failed) => report.failed = Some(failed),
                Err(error) => report.errors.push(error),
            }
        } else {
            report.errors.extend(refused.into_iter().map(|(_, error)| error));
        }
        report
    }

    /// Does what is asked for; `deadline` is the end of the invocation. What goes wrong is in the report, and the next
    /// invocation finds all that is still owed.
    pub fn run(&self, asked: &Asked, deadline: Instant) -> Report {
        let until = before(deadline, TO_REPORT);
        let unset = || Error::new(Kind::BadSetting, "BUCKET is not set: the bucket to sweep");
        let bucket = self.store.bucket.as_deref().ok_or_else(unset);
        let store = bucket.and_then(|bucket| self.store.open(bucket, &self.to_store.get(), &self.clock, until));
        let store = match store {
            Ok(store) => store,
            Err(error) => return Report::of(error),
        };
        let Self { rules, channels, heartbeat, queue, .. } = self;
        let report = invoke(asked, &store, queue.as_ref(), channels, rules, deadline);
        self.to_store.used();
        let is_whole = report.errors.iter().all(|error| error.kind == Kind::QueueFailed);
        if let (Some(heartbeat), Course::Swept, true) = (heartbeat, report.course, is_whole) {
            heartbeat.beat(until);
        }
        report
    }
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
    let stages = Stages::new(deadline);
    let recorder = Recorder::new(store, channels, rules, stages);
    Invocation::new(store, recorder, queue.map(|queue| Sender::new(queue, deadline)), stages).run(machine)
}

//! The loop's handler: one invocation, whatever it was told of.
//!
//! In this order: [`asked`] (what the event asks for), `control` (is the loop stopped?), `mark`, and then
//! `invocation`, which has `sweep` look at all checks and tells what is owed.

pub mod asked;
pub mod chain;
mod control;
pub mod decide;
mod invocation;
pub mod machine;
mod mark;
mod report;

use std::time::{Duration, Instant};

use pulse_echo_core::environment::Environment;
use pulse_echo_core::http;
use pulse_echo_core::store::{Clock, Store};
use serde_json::Value;

use crate::channel::{self, Channel, Heartbeat, Means};
use crate::connections::Connections;
use crate::deadline::{TO_REPORT, before};
use crate::error::{Error, Kind};
use crate::event::{self, sqs};
use crate::rules::Rules;
use crate::settings::StoreSettings;
use crate::sweep::lists::{self, Opening};
use crate::sweep::status::StatusFile;

use asked::Request;
use control::Control;
use decide::Asked;
use invocation::Invocation;

pub use report::{Course, Report};

/// How many connections are kept for reading side by side.
const CONNECTIONS: usize = 32;

/// With this many checks there are more objects than on a page of a list: each has a pulse and an answer.
const CHECKS_ON_A_PAGE: usize = 500;

/// The loop, ready to be told to sweep.
pub struct Loop {
    store: StoreSettings,
    rules: Rules,
    channels: Vec<Box<dyn Channel>>,
    heartbeat: Option<Heartbeat>,
    to_store: Connections,
    clock: Clock,
}

impl Loop {
    /// A loop as the environment asks for it. `clock` gives the time of signing, and nothing else. The
    /// error is one sentence that names the variable.
    pub fn read(environment: Environment, clock: Clock) -> Result<Self, String> {
        let (store, rules) = (StoreSettings::read(environment)?, Rules::read(environment)?);
        let means = Means { environment, trust: &store.trust, clock: clock.clone() };
        let (channels, heartbeat) = (channel::channels(&means)?, Heartbeat::read(&means)?);
        let config =
            http::config().max_idle_connections(CONNECTIONS).max_idle_connections_per_host(CONNECTIONS).build();
        let to_store = Connections::new(config, &store.trust, &clock);
        Ok(Self { store, rules, channels, heartbeat, to_store, clock })
    }

    /// How often it means to sweep.
    pub fn tick(&self) -> Duration {
        Duration::from_secs(self.rules.tick_s.into())
    }

    /// Does what an event asks for; `deadline` is the end of the invocation. A batch of messages is one look.
    ///
    /// After an error the next invocation finds all that is still owed. [`Report::answer`] is what Lambda is told.
    pub fn handle(&self, event: &Value, deadline: Instant) -> Report {
        let Request { asked, is_batch, torn } = match event::read(event) {
            Ok(came) => Request::of(came),
            Err(error) => return Report::of(error),
        };
        let mut report = self.look(&asked, deadline).unwrap_or_else(Report::of);
        report.errors = report.errors.into_iter().map(|error| error.at(Instant::now(), deadline)).collect();
        if is_batch {
            let torn = torn.iter().map(|(id, error)| (id.as_deref(), error.clone())).collect();
            match sqs::item_failures(torn) {
                Ok(failed) => report.failed = Some(failed),
                Err(error) => report.errors.push(error),
            }
        }
        report
    }

    fn look(&self, asked: &Asked, deadline: Instant) -> Result<Report, Error> {
        let unset = || Error::new(Kind::BadSetting, "BUCKET is not set: the bucket to sweep");
        let bucket = self.store.bucket.as_deref().ok_or_else(unset)?;
        let until = before(deadline, TO_REPORT);
        let store = self.store.open(bucket, &self.to_store.get(), &self.clock, until)?;
        let Self { rules, channels, heartbeat, .. } = self;
        let report = invoke(asked, &store, channels, rules, deadline);
        self.to_store.used();
        let report = report?;
        if let (Some(heartbeat), Course::Swept) = (heartbeat, report.course) {
            heartbeat.beat(until);
        }
        Ok(report)
    }
}

/// Does what was asked for, in this store; see [`Loop::handle`].
pub fn invoke(
    asked: &Asked,
    store: &Store,
    channels: &[Box<dyn Channel>],
    rules: &Rules,
    deadline: Instant,
) -> Result<Report, Error> {
    if *asked == Asked::default() {
        return Ok(Report::default());
    }
    let file = StatusFile::read(store)?;
    let may_fit = file.status.as_ref().is_none_or(|status| status.checks.len() < CHECKS_ON_A_PAGE);
    let opening = Opening::look(store, may_fit)?;
    let control = Control::of(&opening.control, store)?;
    let mark = match lists::find(&opening.control, "Update.json") {
        Some(_) => mark::Kept::read(store)?,
        None => mark::Kept::missing(),
    };
    let names = channels.iter().map(|channel| channel.name().to_string()).collect();
    let invocation = Invocation { store, channels, names, rules, deadline, started: Instant::now() };
    invocation.run(asked, file, opening, &control, mark)
}

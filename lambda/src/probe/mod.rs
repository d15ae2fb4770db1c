//! The probe: answers each pulse of an event with an echo or a fault.

mod answer;
mod settings;

use std::fmt;
use std::time::Instant;

use pulse_echo_core::answer::Cause;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::{self, SystemResolver};
use pulse_echo_core::name::CheckId;
use pulse_echo_core::store::Clock;
use serde::Serialize;
use serde_json::Value;
use ureq::Agent;

use crate::deadline::{TO_REPORT, TO_WRITE, before};
use crate::event::{self, Record};
use crate::expect::Miss;
use crate::fetch::{Checked, Web};
use crate::parallel;
use crate::settings::StoreSettings;

use answer::Outcome;
use settings::Settings;

/// How many records of one event are answered side by side.
const SIDE_BY_SIDE: usize = 16;

/// The probe, ready to answer events.
pub struct Probe {
    store: StoreSettings,
    to_store: Agent,
    web: Web,
    clock: Clock,
}

/// What the probe did with an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The checks that were answered with an echo.
    pub echoes: Vec<String>,
    /// The checks that were answered with a fault.
    pub faults: Vec<FailedCheck>,
    /// The checks whose echo was dropped, since their pulse was replaced or removed meanwhile; a new one has its own
    /// event.
    pub replaced: Vec<String>,
    /// The checks whose pulse is no longer there.
    pub missing: Vec<String>,
    /// How many objects were put whose key is nobody's pulse.
    pub skipped: usize,
}

/// A check that was answered with a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedCheck {
    /// The check.
    pub id: String,
    /// What kind of failure it is.
    pub cause: Cause,
    /// One sentence that says what is wrong.
    pub reason: String,
}

/// Why an invocation failed. That a check failed is none of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The event is not one that the probe answers.
    Event(String),
    /// These records could not be answered; all others were.
    Records(Vec<String>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(why) => f.write_str(why),
            Self::Records(each) => f.write_str(&each.join("; ")),
        }
    }
}

impl std::error::Error for Error {}

impl Probe {
    /// A probe as the environment asks for it. `clock` gives the time of signing and of `probed-at`. The
    /// error is one sentence that names the variable.
    pub fn read(environment: Environment, clock: Clock) -> Result<Self, String> {
        let settings = Settings::read(environment)?;
        let web = Web::new(&settings.store.trust, settings.user_agent(), settings.filter);
        let store = settings.store;
        let to_store = http::agent(http::config().build(), &store.trust, SystemResolver::default());
        Ok(Self { store, to_store, web, clock })
    }

    /// Answers each record of an S3 event; `deadline` is the end of the invocation.
    ///
    /// A check that fails is part of the summary. The error names each record that could not be answered for trouble of
    /// our own, after all of them were tried.
    pub fn handle(&self, event: &Value, deadline: Instant) -> Result<Summary, Error> {
        let (mut summary, mut pulses, mut errors) = (Summary::default(), Vec::new(), Vec::new());
        for record in event::records(event).map_err(Error::Event)? {
            match record {
                Record::Pulse { bucket, id } => pulses.push((bucket, id)),
                Record::Skipped(why) => {
                    log::warn!("skipped {why}");
                    summary.skipped += 1;
                }
                Record::Unreadable(why) => errors.push(format!("a record of the event cannot be read: {why}")),
            }
        }
        let outcomes = each(&pulses, |(bucket, id)| self.answer(bucket, id, deadline));
        for ((_, id), outcome) in pulses.iter().zip(outcomes) {
            match outcome {
                Ok(outcome) => {
                    log::info!("{id}: {outcome}");
                    summary.add(id, outcome);
                }
                Err(why) => errors.push(format!("{id}: {why}")),
            }
        }
        if errors.is_empty() { Ok(summary) } else { Err(Error::Records(errors)) }
    }

    fn answer(&self, bucket: &str, id: &CheckId, deadline: Instant) -> Result<Outcome, String> {
        let ours = self.store.bucket.as_deref().unwrap_or(bucket);
        if bucket != ours {
            return Err(format!("the event is of the bucket {bucket:?}, but this probe's BUCKET is {ours:?}"));
        }
        let store = self.store.open(bucket, &self.to_store, &self.clock, before(deadline, TO_REPORT))?;
        answer::answer(id, &store, &self.web, &self.clock, before(deadline, TO_WRITE))
    }
}

impl Summary {
    fn add(&mut self, id: &CheckId, outcome: Outcome) {
        let id = id.to_string();
        match outcome {
            Outcome::Answered(Checked { verdict: Ok(()), .. }) => self.echoes.push(id),
            Outcome::Answered(Checked { verdict: Err(Miss { cause, reason, .. }), .. }) => {
                self.faults.push(FailedCheck { id, cause, reason });
            }
            Outcome::Replaced => self.replaced.push(id),
            Outcome::Missing => self.missing.push(id),
        }
    }
}

/// What `act` makes of each record, in their order. One that panics is an error, and spares the others.
fn each<T: Sync, R: Send + Sync>(
    records: &[T],
    act: impl Fn(&T) -> Result<R, String> + Sync,
) -> Vec<Result<R, String>> {
    let results = parallel::map(records, SIDE_BY_SIDE, act).into_iter();
    results.map(|result| result.unwrap_or_else(|| Err("the probe panicked; its log says where".into()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_panics_spares_the_others_and_order_is_kept() {
        let numbers: Vec<u32> = (0..100).collect();
        let results = each(&numbers, |&number| match number {
            7 => panic!("seven"),
            8 => Err("eight".into()),
            _ => Ok(number),
        });
        for (number, result) in numbers.iter().zip(results) {
            match number {
                7 => assert_eq!(result, Err("the probe panicked; its log says where".into())),
                8 => assert_eq!(result, Err("eight".into())),
                _ => assert_eq!(result, Ok(*number)),
            }
        }
    }
}

//! The probe: answers each pulse of an event with an echo or a fault.

mod answer;
mod pulses;
mod settings;
mod vitals;

use std::time::Instant;

use pulse_echo_core::answer::Cause;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::store::Clock;
use serde::Serialize;
use serde_json::Value;
use ureq::Agent;

use crate::connections::Connections;
use crate::deadline::{TO_REPORT, TO_WRITE, before};
use crate::error::{Error, Kind};
use crate::event::{self, s3, sqs, sqs::ItemFailure};
use crate::expect::Miss;
use crate::fetch::{Checked, Web};
use crate::parallel;
use crate::settings::StoreSettings;

use answer::Outcome;
use pulses::{Pulses, Record};
use settings::Settings;

/// How many records of one event are answered side by side.
const SIDE_BY_SIDE: usize = 16;

/// The probe, ready to answer events.
pub struct Probe {
    store: StoreSettings,
    to_store: Connections,
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
    /// The checks that were left to [`Probe::handle`], since their pulse has a URL.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with_url: Vec<String>,
    /// How many objects were put whose key is nobody's pulse.
    pub skipped: usize,
    /// Of a batch of messages those that failed; the queue gives them again.
    #[serde(rename = "batchItemFailures", skip_serializing_if = "Option::is_none")]
    pub failed: Option<Vec<ItemFailure>>,
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

impl Probe {
    /// A probe as the environment asks for it. `clock` gives the time of signing and of `probed-at`. The
    /// error is one sentence that names the variable.
    pub fn read(environment: Environment, clock: Clock) -> Result<Self, String> {
        let settings = Settings::read(environment)?;
        let web = Web::new(&settings.store.trust, settings.user_agent(), settings.filter);
        let store = settings.store;
        let to_store = Connections::new(SIDE_BY_SIDE, &store.trust, &clock);
        Ok(Self { store, to_store, web, clock })
    }

    /// Answers each pulse of an event; `deadline` is the end of the invocation.
    ///
    /// A check that fails is part of the summary. The error names each record that could not be answered for trouble of
    /// our own, after all of them were tried. Of a batch of messages, only those that failed are named to the queue.
    pub fn handle(&self, event: &Value, deadline: Instant) -> Result<Summary, Error> {
        self.answer_all(event, Some(&self.web), deadline)
    }

    /// Answers as [`Self::handle`] does, but only pulses without a URL: it fetches nothing, so it takes no longer than
    /// the store.
    pub fn handle_arrivals(&self, event: &Value, deadline: Instant) -> Result<Summary, Error> {
        self.answer_all(event, None, deadline)
    }

    fn answer_all(&self, event: &Value, web: Option<&Web>, deadline: Instant) -> Result<Summary, Error> {
        let Pulses { records, batch } = Pulses::of(event::read(event)?)?;
        let (mut summary, mut pulses, mut errors) = (Summary::default(), Vec::new(), Vec::new());
        for (place, record) in records {
            match record {
                Record::Pulse { bucket, id } => pulses.push((place, bucket, id)),
                Record::Skipped(why) => {
                    log::warn!("skipped {why}");
                    summary.skipped += 1;
                }
                Record::Unreadable(error) => errors.push((place, error)),
            }
        }
        let agent = self.to_store.get();
        let outcomes = each(&pulses, |(_, bucket, id)| {
            // Judged where it fails: the others may take until the end.
            self.answer(bucket, id, &agent, web, deadline).map_err(|error| error.at(Instant::now(), deadline))
        });
        self.to_store.used();
        for ((place, _, id), outcome) in pulses.iter().zip(outcomes) {
            match outcome {
                Ok(outcome) => {
                    outcome.log(id);
                    summary.add(id, outcome);
                }
                Err(error) => errors.push((*place, error.about(id))),
            }
        }
        if let Some(ids) = batch {
            let of_message = |(place, error): (usize, Error)| (ids[place].as_deref(), error);
            summary.failed = Some(sqs::item_failures(errors.into_iter().map(of_message).collect())?);
        } else if !errors.is_empty() {
            return Err(Error::joined(&errors.into_iter().map(|(_, error)| error).collect::<Vec<_>>()));
        }
        Ok(summary)
    }

    fn answer(
        &self,
        bucket: &str,
        id: &CheckId,
        agent: &Agent,
        web: Option<&Web>,
        deadline: Instant,
    ) -> Result<Outcome, Error> {
        s3::check_bucket(bucket, self.store.bucket.as_deref(), "probe")?;
        let store = self.store.open(bucket, agent, &self.clock, before(deadline, TO_REPORT))?;
        answer::answer(id, &store, web, &self.clock, before(deadline, TO_WRITE))
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
            Outcome::HasUrl => self.with_url.push(id),
        }
    }
}

/// The texts that an event's records lead to: checks' ids, and why others are passed over.
#[cfg(feature = "fuzzing")]
pub(crate) fn ids(event: &Value) -> Result<Vec<String>, Error> {
    let text = |(_, record)| match record {
        Record::Pulse { id, .. } => id.to_string(),
        Record::Skipped(why) => why,
        Record::Unreadable(error) => error.message,
    };
    Ok(Pulses::of(event::read(event)?)?.records.into_iter().map(text).collect())
}

/// What `act` makes of each record, in their order. One that panics is an error, and spares the others.
fn each<T: Sync, R: Send + Sync>(records: &[T], act: impl Fn(&T) -> Result<R, Error> + Sync) -> Vec<Result<R, Error>> {
    let results = parallel::map(records, SIDE_BY_SIDE, act).into_iter();
    let panicked = || Error::new(Kind::Panicked, "the probe panicked; its log says where");
    results.map(|result| result.unwrap_or_else(|| Err(panicked()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_panics_spares_the_others_and_order_is_kept() {
        let numbers: Vec<u32> = (0..100).collect();
        let results = each(&numbers, |&number| match number {
            7 => panic!("seven"),
            8 => Err("eight".to_string().into()),
            _ => Ok(number),
        });
        for (number, result) in numbers.iter().zip(results) {
            match number {
                7 => assert_eq!(result.unwrap_err().kind, Kind::Panicked),
                8 => assert_eq!(result, Err(Error::new(Kind::StoreFailed, "eight"))),
                _ => assert_eq!(result, Ok(*number)),
            }
        }
    }
}

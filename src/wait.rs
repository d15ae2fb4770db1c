//! Waiting for the answers to pulses that were just sent.

use std::thread;
use std::time::{Duration, Instant};

use super::look::{self, Look};
use super::send::Sent;
use pulse_echo_core::answer::{Echo, Fault};
use pulse_echo_core::clock::Time;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::pulse::Sending;
use pulse_echo_core::store::{Error, Store};

/// The first pause between two looks, which grows by half each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// After this many looks, check that the store still has our pulse.
const LOOKS_AT_PULSE: u32 = 5;
/// How long the last look, which begins when the time is up, may take.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// A pulse that was sent, and what has come of it.
pub struct Waiting {
    /// The check.
    pub id: CheckId,
    /// The answer, or why there is none so far.
    pub answer: Result<Answer, NoAnswer>,
    /// How long it has been waited for.
    pub waited: Duration,
    /// How long sending it took.
    pub rtt: Duration,
    /// The pulse's id; none if another tool's has replaced it, which is known by its time.
    pulse_id: Option<String>,
    pulse_at: Option<Time>,
}

/// What the probe said.
pub enum Answer {
    /// It is as expected.
    Echo(Echo),
    /// It is not.
    Fault(Box<Fault>),
}

/// Why there is no answer, as far as the last look tells.
pub enum NoAnswer {
    /// None is there.
    Missing,
    /// None is there, or it may not be read: the store says only that it denies it.
    Denied,
    /// The store could not be asked.
    Unknown(Error),
}

/// Looks at all that wait, in turn, until each has its answer or the time is up; then once more.
pub fn for_answers(store: &Store, mut waiting: Vec<&mut Waiting>, time: Duration) {
    let started = Instant::now();
    let store = store.until(started + time + LAST_LOOK);
    let mut pause = FIRST_PAUSE;
    for look in 1.. {
        let is_last = started.elapsed() >= time;
        for one in &mut waiting {
            if look % LOOKS_AT_PULSE == 0 {
                one.follow(&store);
            }
            one.look(&store);
            one.waited = started.elapsed();
        }
        waiting.retain(|one| one.answer.is_err());
        if waiting.is_empty() || is_last {
            return;
        }
        thread::sleep(pause.min(time.saturating_sub(started.elapsed())));
        pause = (pause + pause / 2).min(LONGEST_PAUSE);
    }
}

impl Waiting {
    /// What was just sent, not looked for yet.
    pub fn new(id: CheckId, sent: Sent) -> Self {
        Self {
            id,
            answer: Err(NoAnswer::Missing),
            waited: Duration::ZERO,
            rtt: sent.taken.rtt,
            pulse_id: Some(sent.pulse_id),
            pulse_at: None,
        }
    }

    fn look(&mut self, store: &Store) {
        self.answer = self.find(store).unwrap_or_else(|error| {
            log::debug!("{}: {error}", self.id);
            Err(NoAnswer::Unknown(error))
        });
    }

    fn find(&self, store: &Store) -> Result<Result<Answer, NoAnswer>, Error> {
        let echo = look::echo(store, &self.id)?;
        let is_denied = matches!(echo, Look::Denied);
        if let Some(echo) = echo.there().filter(|echo| self.is_answered_by(echo.pulse_id.as_ref(), echo.pulse_at)) {
            return Ok(Ok(Answer::Echo(echo)));
        }
        let fault = look::fault(store, &self.id)?;
        let is_denied = is_denied && matches!(fault, Look::Denied);
        let fault = fault.there().filter(|fault| self.is_answered_by(fault.pulse_id.as_ref(), fault.pulse_at));
        let no_answer = if is_denied { NoAnswer::Denied } else { NoAnswer::Missing };
        Ok(fault.map(|fault| Answer::Fault(Box::new(fault))).ok_or(no_answer))
    }

    fn is_answered_by(&self, pulse_id: Option<&String>, pulse_at: Time) -> bool {
        match &self.pulse_id {
            Some(id) => pulse_id == Some(id),
            None => pulse_id.is_none() && self.pulse_at == Some(pulse_at),
        }
    }

    /// Cron may have replaced our pulse; then only cron's pulse gets an answer.
    fn follow(&mut self, store: &Store) {
        if let Ok(pulse) = store.get(&Key::pulse(&self.id), 0) {
            self.pulse_id = Sending::from_metadata(&pulse.metadata).pulse_id;
            self.pulse_at = Some(pulse.last_modified);
        }
    }
}

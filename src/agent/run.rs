//! `run`: send, then wait for the answer to this very pulse. The whole chain, once, in a Nagios plugin's words.

use std::io::IsTerminal;
use std::thread;
use std::time::{Duration, Instant};

use super::args::{Arguments, Run};
use super::exit::Exit;
use super::nagios::{self, Figure, Outcome, Severity, Subject};
use super::pulses::{self, PulseFile};
use super::send::{Sent, send};
use super::settings::Settings;
use super::{Environment, complain, look, reach, verdict};
use crate::answer::{Echo, Fault};
use crate::clock::Time;
use crate::name::{CheckId, Key};
use crate::pulse::Sending;
use crate::store::{Error, Store};

/// The first wait between two looks, which grows by half each time.
const FIRST_LOOK: Duration = Duration::from_millis(100);
/// The longest wait between two looks.
const LAST_LOOK: Duration = Duration::from_secs(2);
/// Every so many looks `run` asks whether its pulse is still the one that is there.
const LOOKS_AT_PULSE: u32 = 5;

/// Runs `run`.
pub fn command(arguments: &Arguments, options: &Run, environment: Environment) -> Exit {
    let read = Settings::gather(arguments, environment).and_then(|settings| {
        let pulses = pulses::read(&settings, options.pulse.as_deref(), options.name.as_deref())?;
        Ok((settings, pulses))
    });
    let (settings, pulses) = match read {
        Ok(read) => read,
        Err(message) => return nagios::unknown(&message),
    };
    for url in pulses.iter().flatten().filter_map(|file| file.pulse.url.as_ref()).filter(|_| settings.is_aws) {
        if let Some(warning) = reach::warning(url) {
            complain(&warning);
        }
    }
    // All are sent before any is waited for: their answers come side by side.
    let sent: Vec<_> = pulses.iter().map(|pulse| sent(&settings.store, pulse)).collect();
    let until = Instant::now() + Duration::from_secs(options.wait.into());
    if !arguments.quiet && std::io::stderr().is_terminal() {
        complain(&format_args!("sent; waiting for the answer, at most {} s", options.wait));
    }
    let store = settings.store.until(until);
    let mut outcomes: Vec<_> = sent.into_iter().map(|sent| answer(&store, sent, until)).collect();
    outcomes.extend(store.skew_s().map(verdict::judge_clock));
    nagios::answer(&outcomes, arguments.quiet)
}

fn sent<'a>(store: &Store, pulse: &'a Result<PulseFile, String>) -> Result<(&'a PulseFile, Sent), Outcome> {
    let file = pulse.as_ref().map_err(|message| Outcome::new(Subject::Run, Severity::Unknown, message))?;
    match send(store, file) {
        Ok(sent) => Ok((file, sent)),
        Err(error) => Err(of(&file.id, Severity::Unknown, format!("{}: {error}", file.id))),
    }
}

fn answer(store: &Store, sent: Result<(&PulseFile, Sent), Outcome>, until: Instant) -> Outcome {
    let (file, sent) = match sent {
        Ok(sent) => sent,
        Err(outcome) => return outcome,
    };
    let id = &file.id;
    let started = Instant::now();
    let answer = wait(store, id, Awaited { pulse_id: Some(sent.pulse_id), pulse_at: None }, until);
    let waited = started.elapsed();
    let (outcome, latency_ms) = match answer {
        Ok(Answer::Echo(echo)) => {
            let text = match (echo.latency_ms, echo.status) {
                (Some(ms), Some(status)) => format!("{id} answered in {ms} ms with status {status}"),
                _ => format!("{id}: the pulse arrived"),
            };
            (of(id, Severity::Ok, text), echo.latency_ms)
        }
        Ok(Answer::Fault(fault)) => (verdict::of_fault(id, &fault), fault.latency_ms),
        Err(last_error) => {
            let outcome = of(id, Severity::Unknown, format!("{id}: no answer within {:.1} s", waited.as_secs_f64()));
            let outcome = match last_error {
                Some(error) => outcome.remedy(format!("the last look: {error}")),
                None => outcome.remedy(verdict::PROBE_REMEDY),
            };
            (outcome, None)
        }
    };
    let probe = latency_ms.map(|ms| Figure::duration("probe", Duration::from_millis(ms)));
    let figures = [Some(Figure::duration("rtt", sent.taken.rtt)), probe, Some(Figure::duration("wait", waited))];
    Outcome { figures: figures.into_iter().flatten().collect(), ..outcome }
}

fn of(id: &CheckId, severity: Severity, text: String) -> Outcome {
    Outcome::new(Subject::Check(id.clone()), severity, text)
}

/// The pulse whose answer is waited for; by its time where it has no id, as one that another tool put.
struct Awaited {
    pulse_id: Option<String>,
    pulse_at: Option<Time>,
}

impl Awaited {
    fn is_answered_by(&self, pulse_id: Option<&str>, pulse_at: Time) -> bool {
        match &self.pulse_id {
            Some(id) => pulse_id == Some(id),
            None => pulse_id.is_none() && self.pulse_at == Some(pulse_at),
        }
    }
}

enum Answer {
    Echo(Echo),
    Fault(Box<Fault>),
}

/// Looks until the answer is there. The error is the last look's, if that went wrong for more than a missing answer.
fn wait(store: &Store, id: &CheckId, mut awaited: Awaited, until: Instant) -> Result<Answer, Option<Error>> {
    let mut pause = FIRST_LOOK;
    for look in 1.. {
        let trouble = match look_for_answer(store, id, &awaited) {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        log::debug!("look {look}: {}", trouble.as_ref().map_or("no answer yet".into(), ToString::to_string));
        if until.saturating_duration_since(Instant::now()) <= pause {
            return Err(trouble);
        }
        thread::sleep(pause);
        pause = (pause + pause / 2).min(LAST_LOOK);
        if look % LOOKS_AT_PULSE == 0 {
            // Cron's own pulse may have replaced this one; then only that one will be answered.
            if let Ok(pulse) = store.get(&Key::pulse(id), 0) {
                let pulse_id = Sending::from_metadata(&pulse.metadata).pulse_id;
                awaited = Awaited { pulse_id, pulse_at: Some(pulse.last_modified) };
            }
        }
    }
    unreachable!("the looks end with the time")
}

fn look_for_answer(store: &Store, id: &CheckId, awaited: &Awaited) -> Result<Option<Answer>, Error> {
    if let Some(echo) = look::echo(store, id)?.there()
        && awaited.is_answered_by(echo.pulse_id.as_deref(), echo.pulse_at)
    {
        return Ok(Some(Answer::Echo(echo)));
    }
    let fault = look::fault(store, id)?.there();
    let fault = fault.filter(|fault| awaited.is_answered_by(fault.pulse_id.as_deref(), fault.pulse_at));
    Ok(fault.map(|fault| Answer::Fault(Box::new(fault))))
}

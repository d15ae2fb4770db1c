//! `run`: send, then wait for the answer to this very pulse. The whole chain, once, in a Nagios plugin's words.

use std::io::IsTerminal;
use std::thread;
use std::time::{Duration, Instant};

use super::args::{Arguments, Run};
use super::exit::Exit;
use super::pulses::{self, PulseFile};
use super::send::{Sent, millis, send};
use super::settings::Settings;
use super::{Environment, complain, print, reach};
use crate::answer::{Echo, Fault};
use crate::clock::Time;
use crate::name::{CheckId, Key, prints};
use crate::pulse::{SIZE_LIMIT, Sending};
use crate::store::{Error, Object, Store};

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
        Err(message) => {
            complain(&message);
            print(&unknown(&message));
            return Exit::Unknown;
        }
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
    let mut results: Vec<_> = sent.into_iter().map(|sent| answer(&store, sent, until)).collect();
    results.sort_by_key(|result| result.severity);
    print(&line(&results));
    match results[0].severity {
        Severity::Critical => Exit::Critical,
        Severity::Unknown => Exit::Unknown,
        Severity::Ok => Exit::Ok,
    }
}

/// The line for what could not be asked at all.
pub fn unknown(message: &str) -> String {
    format!("ECHO UNKNOWN - {}", safe(message))
}

/// How bad a result is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Critical,
    Unknown,
    Ok,
}

/// What came of one check.
struct Outcome {
    severity: Severity,
    text: String,
    /// Performance data, each `label=value`.
    perfdata: Vec<(String, String)>,
}

impl Outcome {
    fn unknown(text: impl Into<String>) -> Self {
        Self { severity: Severity::Unknown, text: text.into(), perfdata: Vec::new() }
    }
}

fn sent<'a>(store: &Store, pulse: &'a Result<PulseFile, String>) -> Result<(&'a PulseFile, Sent), Outcome> {
    let file = pulse.as_ref().map_err(|message| Outcome::unknown(message.clone()))?;
    match send(store, file) {
        Ok(sent) => Ok((file, sent)),
        Err(error) => Err(Outcome::unknown(format!("{}: {error}", file.id))),
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
    let mut perfdata = vec![("rtt".to_string(), seconds(sent.taken.rtt))];
    let mut probe = |latency_ms: Option<u64>| {
        perfdata.extend(latency_ms.map(|ms| ("probe".to_string(), seconds(Duration::from_millis(ms)))));
        perfdata.push(("wait".to_string(), seconds(started.elapsed())));
        perfdata.extend(sent.taken.skew_s.map(|skew| ("skew".to_string(), format!("{skew:.1}s;60"))));
    };
    match answer {
        Ok(Answer::Echo(echo)) => {
            probe(echo.latency_ms);
            let text = match (echo.latency_ms, echo.status) {
                (Some(ms), Some(status)) => {
                    format!("{id} answered in {} with status {status}", millis(Duration::from_millis(ms)))
                }
                _ => format!("{id}: the pulse arrived"),
            };
            Outcome { severity: Severity::Ok, text, perfdata }
        }
        Ok(Answer::Fault(fault)) => {
            probe(fault.latency_ms);
            let url = fault.url.map_or_else(String::new, |url| format!(" - {url}"));
            Outcome { severity: Severity::Critical, text: format!("{id}: {}{url}", fault.reason), perfdata }
        }
        Err(last_error) => {
            let waited = seconds(started.elapsed());
            let text = match last_error {
                Some(error) => format!("{id}: no answer within {waited}; the last look: {error}"),
                None => format!(
                    "{id}: no answer within {waited}; is the probe deployed, and told of what is put to pulse/?"
                ),
            };
            Outcome { severity: Severity::Unknown, text, perfdata }
        }
    }
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
    if let Some(object) = there(store.get(&Key::echo(id), SIZE_LIMIT))? {
        let echo = Echo::from_metadata(&object.metadata, object.last_modified);
        if awaited.is_answered_by(echo.pulse_id.as_deref(), echo.pulse_at) {
            return Ok(Some(Answer::Echo(echo)));
        }
    }
    if let Some(object) = there(store.get(&Key::fault(id), SIZE_LIMIT))? {
        // A fault that cannot be read is not the probe's answer to anything.
        let fault = object.body.and_then(|body| Fault::from_json(&body).ok());
        return Ok(fault
            .filter(|fault| awaited.is_answered_by(fault.pulse_id.as_deref(), fault.pulse_at))
            .map(|fault| Answer::Fault(Box::new(fault))));
    }
    Ok(None)
}

/// S3 says "denied" of a missing key to whoever may not list the bucket, as a host may not.
fn there(answer: Result<Object, Error>) -> Result<Option<Object>, Error> {
    match answer {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.is_missing() || error.is_denied() => Ok(None),
        Err(error) => Err(error),
    }
}

/// One line for all checks, the worst first: `ECHO OK - text | perfdata`.
fn line(outcomes: &[Outcome]) -> String {
    let word = match outcomes[0].severity {
        Severity::Critical => "CRITICAL",
        Severity::Unknown => "UNKNOWN",
        Severity::Ok => "OK",
    };
    let texts: Vec<_> = outcomes.iter().map(|outcome| outcome.text.as_str()).collect();
    let mut line = format!("ECHO {word} - {}", safe(&texts.join("; ")));
    let single = outcomes.len() == 1;
    let perfdata = outcomes.iter().enumerate().flat_map(|(n, outcome)| {
        outcome.perfdata.iter().map(move |(label, value)| {
            if single { format!("{label}={value}") } else { format!("{label}_{}={value}", n + 1) }
        })
    });
    let perfdata: Vec<_> = perfdata.collect();
    if !perfdata.is_empty() {
        line.push_str(" | ");
        line.push_str(&perfdata.join(" "));
    }
    line
}

/// Text for the line: a probe's words may come from a stranger, so nothing in them may write to the terminal, end the
/// line or begin the performance data.
fn safe(text: &str) -> String {
    text.chars().map(|c| if c == '|' { '¦' } else { c }).filter(|&c| prints(c)).collect()
}

fn seconds(duration: Duration) -> String {
    format!("{:.3}s", duration.as_secs_f64())
}

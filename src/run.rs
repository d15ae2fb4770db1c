//! `run`: sends, then waits for the answer to this very pulse. It tests the whole chain once, and answers as a Nagios
//! plugin.

use std::io::IsTerminal;
use std::time::Duration;

use super::args::{Arguments, Run};
use super::exit::Exit;
use super::nagios;
use super::outcome::{Figure, Measure, Outcome, Severity, Subject};
use super::output::complain;
use super::pulses::{self, PulseFile};
use super::send::send;
use super::settings::Settings;
use super::wait::{self, Answer, NoAnswer, Waiting};
use super::{reach, verdict};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::store::Store;

/// Runs `run`.
pub fn command(arguments: &Arguments, options: &Run, environment: Environment) -> Exit {
    attempt(arguments, options, environment).unwrap_or_else(|message| nagios::unknown(&message))
}

/// Sends and waits. The error is a mistake in usage or configuration that stops everything.
fn attempt(arguments: &Arguments, options: &Run, environment: Environment) -> Result<Exit, String> {
    let settings = Settings::gather(arguments, environment)?;
    let pulses = pulses::read(&settings, options.pulse.as_deref(), options.name.as_deref())?;
    let urls = pulses.iter().flatten().filter_map(|file| file.pulse.url.as_ref()).filter(|_| settings.is_aws);
    let notes: Vec<_> = urls.filter_map(reach::warning).map(Outcome::note).collect();
    // All pulses are sent before it waits: their answers come in parallel.
    let mut sent = send_all(&settings.store, &pulses);
    let open: Vec<_> = sent.iter_mut().flatten().collect();
    if !open.is_empty() && !arguments.quiet && std::io::stderr().is_terminal() {
        complain(&format_args!("sent; waiting for the answer, at most {} s", options.wait));
    }
    wait::for_answers(&settings.store, open, Duration::from_secs(options.wait.into()));
    for pair in pulses.iter().zip(&sent) {
        if let (Ok(file), Ok(Waiting { answer: Ok(Answer::Echo(echo)), .. })) = pair
            && let Some(warning) = verdict::odd_status(&file.id, &file.pulse, echo)
        {
            complain(&warning);
        }
    }
    let mut outcomes: Vec<_> = sent.into_iter().map(|sent| sent.map_or_else(|outcome| outcome, outcome)).collect();
    outcomes.extend(settings.store.skew_s().map(verdict::judge_clock));
    outcomes.extend(notes);
    Ok(nagios::answer(&outcomes, arguments.quiet))
}

/// Sends the pulses, until an answer of the store settles that none can be sent. Each result waits for its answer.
fn send_all(store: &Store, pulses: &[Result<PulseFile, String>]) -> Vec<Result<Waiting, Outcome>> {
    let mut sent = Vec::new();
    for (at, pulse) in pulses.iter().enumerate() {
        let file = match pulse {
            Ok(file) => file,
            Err(message) => {
                sent.push(Err(Outcome::new(Subject::Run, Severity::Unknown, message)));
                continue;
            }
        };
        match send(store, file) {
            Ok(taken) => sent.push(Ok(Waiting::new(file.id.clone(), taken))),
            Err(error) => {
                let (why, rest) = error.apart();
                sent.push(Err(of(&file.id, Severity::Unknown, format!("{}: {why}", file.id)).remedy(rest)));
                let others = pulses.len() - at - 1;
                if error.settles() && others > 0 {
                    let text = format!("{others} more could not be sent either");
                    sent.push(Err(Outcome::new(Subject::Run, Severity::Unknown, text)));
                    break;
                }
            }
        }
    }
    sent
}

/// The outcome of waiting.
fn outcome(waiting: Waiting) -> Outcome {
    let Waiting { id, answer, waited, rtt, .. } = waiting;
    let (outcome, latency_ms) = match answer {
        Ok(Answer::Echo(echo)) => {
            let text = match (echo.latency_ms, echo.status) {
                (Some(ms), Some(status)) => format!("{id} answered in {ms} ms with status {status}"),
                _ => format!("{id}: the pulse arrived"),
            };
            (of(&id, Severity::Ok, text), echo.latency_ms)
        }
        Ok(Answer::Fault(fault)) => (verdict::of_fault(&id, &fault), fault.latency_ms),
        Err(no_answer) => {
            let text = format!("{id}: no answer within {:.1} s", waited.as_secs_f64());
            let remedy = match no_answer {
                NoAnswer::Missing => verdict::no_answer_remedy(&id, false),
                NoAnswer::Denied => verdict::no_answer_remedy(&id, true),
                NoAnswer::Unknown(error) => format!("the last look: {error}"),
            };
            (of(&id, Severity::Unknown, text).remedy(remedy), None)
        }
    };
    let probe = latency_ms.map(|ms| Figure::duration(Measure::Probe, Duration::from_millis(ms)));
    let figures = [Some(Figure::duration(Measure::Rtt, rtt)), probe, Some(Figure::duration(Measure::Wait, waited))];
    Outcome { figures: figures.into_iter().flatten().collect(), ..outcome }
}

fn of(id: &CheckId, severity: Severity, text: String) -> Outcome {
    Outcome::new(Subject::Check(id.clone()), severity, text)
}

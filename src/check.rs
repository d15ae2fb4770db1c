//! `check`: is the newest echo fresh, and is the loop alive? In a Nagios plugin's words.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::args::{Arguments, Check};
use super::exit::Exit;
use super::look::{self, Seen};
use super::nagios;
use super::outcome::{Outcome, Severity, Subject, worst};
use super::output::{complain, print};
use super::pulses::{self, PulseFile};
use super::settings::{self, Settings};
use super::verdict::{self, Limits};
use super::{export, machine};
use pulse_echo_core::clock::Time;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::name::{CheckId, Name};
use pulse_echo_core::pulse::Pulse;
use pulse_echo_core::store::Store;

/// Runs `check`. Whatever comes of it, its output has the form that was asked for.
pub fn command(arguments: &Arguments, options: &Check, environment: Environment) -> Exit {
    let failed = |message: String| vec![Outcome::new(Subject::Run, Severity::Unknown, message)];
    let mut outcomes = outcomes(arguments, options, environment).unwrap_or_else(failed);
    if !options.json && options.prom.is_none() {
        return nagios::answer(&outcomes, arguments.quiet);
    }
    let host = settings::host(arguments, environment);
    let check = options.name.as_ref().zip(host.as_ref()).map(|(check, host)| format!("{host}/{check}"));
    let run = export::Run { host, check, at: Time::of(Timestamp::now()) };
    match options.prom.as_deref() {
        Some("-" | "/dev/stdout") => {
            print(&export::prometheus(&run, &outcomes));
            outcomes.iter().filter(|outcome| outcome.severity != Severity::Ok).for_each(|it| complain(&it.sentence()));
            return worst(&outcomes).exit();
        }
        Some(file) => {
            if let Err(error) = export::write_prometheus(Path::new(file), &run, &outcomes) {
                outcomes.push(Outcome::new(Subject::Run, Severity::Unknown, format!("cannot write {file}: {error}")));
            }
        }
        None => {}
    }
    if options.json {
        print(&export::json(&run, &outcomes));
        return worst(&outcomes).exit();
    }
    nagios::answer(&outcomes, arguments.quiet)
}

/// Looks at the checks, then at the loop and the clock. The error is a mistake in usage or configuration.
fn outcomes(arguments: &Arguments, options: &Check, environment: Environment) -> Result<Vec<Outcome>, String> {
    if let (Some(warning), Some(critical)) = (options.warning, options.critical)
        && warning > critical
    {
        return Err(format!("-w {warning} is over -c {critical}: a WARNING comes before it is CRITICAL"));
    }
    if options.json && matches!(options.prom.as_deref(), Some("-" | "/dev/stdout")) {
        return Err("--json and --prom - would both write to stdout: write the metrics to a file".into());
    }
    let settings = Settings::gather(arguments, environment)?;
    let is_another_host = arguments.host.is_some();
    let own_instance = if is_another_host { None } else { machine::instance() };

    let (mut outcomes, mut was_answered) = (Vec::new(), false);
    for target in targets(&settings, options.name.as_deref(), is_another_host)? {
        outcomes.push(match target {
            Ok(target) => match Seen::look(&settings.store, &target.id) {
                Ok(seen) => {
                    was_answered = true;
                    let limits = limits(options, &target, &seen);
                    verdict::judge(&target.id, &seen, limits, own_instance.as_deref())
                }
                Err(error) => {
                    let text = format!("{}: {error}", target.id);
                    Outcome::new(Subject::Check(target.id), Severity::Unknown, text)
                }
            },
            Err(message) => Outcome::new(Subject::Run, Severity::Unknown, message),
        });
    }
    if was_answered {
        outcomes.push(loop_outcome(&settings.store));
    }
    outcomes.extend(settings.store.skew_s().map(verdict::judge_clock));
    Ok(outcomes)
}

fn loop_outcome(store: &Store) -> Outcome {
    match look::mark(store) {
        Ok(mark) => verdict::judge_loop(mark),
        Err(error) => Outcome::new(Subject::Loop, Severity::Unknown, error.to_string()),
    }
}

/// A check to look at.
struct Target {
    id: CheckId,
    /// Its pulse, if the pulse file is on this host.
    pulse: Option<Pulse>,
}

/// The checks to look at; a pulse file that is refused becomes a sentence. Without pulse files, and for another host,
/// it is the one check that was asked for.
fn targets(
    settings: &Settings,
    check: Option<&str>,
    is_another_host: bool,
) -> Result<Vec<Result<Target, String>>, String> {
    let check = check.map(|text| text.parse::<Name>().map_err(|error| format!("--name: {error}"))).transpose()?;
    let (host, folder) = (&settings.host, &settings.folder);
    let files = match &check {
        _ if is_another_host => Vec::new(),
        Some(check) => pulses::of_check(host, folder, Some(check)).into_iter().collect(),
        None => pulses::of_host(host, folder),
    };
    if files.is_empty() {
        return Ok(vec![Ok(Target { id: CheckId::new(host, check.as_ref()), pulse: None })]);
    }
    let target = |PulseFile { id, pulse, .. }| Target { id, pulse: Some(pulse) };
    Ok(files.into_iter().map(|file| file.map(target)).collect())
}

/// The limits: from the options, else from the pulse file here, else from the pulse in the store.
fn limits(options: &Check, target: &Target, seen: &Seen) -> Limits {
    let in_store = || seen.pulse.as_ref().there().and_then(|pulse| pulse.pulse.as_ref());
    let promised = target.pulse.as_ref().or_else(in_store).map_or_else(|| Limits::of(&Pulse::default()), Limits::of);
    let asked_for = |seconds: Option<u32>| seconds.map(|seconds| Duration::from_secs(seconds.into()));
    Limits {
        warning: asked_for(options.warning).unwrap_or(promised.warning),
        critical: asked_for(options.critical).unwrap_or(promised.critical),
    }
}

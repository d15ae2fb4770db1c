//! `check`: is the newest echo fresh, and is the loop alive? In a Nagios plugin's words.

use std::path::Path;
use std::time::Duration;

use super::args::{Arguments, Check};
use super::exit::Exit;
use super::fleet::Fleet;
use super::look::{self, Seen};
use super::nagios;
use super::outcome::{Outcome, Severity, Subject, worst};
use super::output::{complain, print};
use super::pulses::{self, PulseFile};
use super::settings::{self, Settings};
use super::target::checks_of;
use super::verdict::{self, Limits};
use super::{export, machine};
use pulse_echo_core::clock::{self, Time};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::name::{CheckId, Name};
use pulse_echo_core::pulse::Pulse;
use pulse_echo_core::status::State;
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
    let run = export::Run { host, check, at: Time::of(clock::now()) };
    match options.prom.as_deref() {
        Some("-" | "/dev/stdout") => {
            print(&export::prometheus(&run, &outcomes));
            outcomes.iter().filter(|outcome| outcome.severity != Severity::Ok).for_each(|it| complain(&it.sentence()));
            return worst(&outcomes).exit();
        }
        Some(file) => {
            if let Err(error) = export::write_prometheus(Path::new(file), &export::prometheus(&run, &outcomes)) {
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

    let check = options.name.as_deref().map(|text| text.parse::<Name>().map_err(|error| format!("--name: {error}")));
    let check = check.transpose()?;
    let (targets, note) = match &check {
        None if is_another_host => of_another_host(&settings),
        _ => (targets(&settings, check.as_ref(), is_another_host), None),
    };
    let (mut outcomes, mut was_answered) = (Vec::new(), false);
    let mut left = targets.into_iter();
    while let Some(target) = left.next() {
        let target = match target {
            Ok(target) => target,
            Err(message) => {
                outcomes.push(Outcome::new(Subject::Run, Severity::Unknown, message));
                continue;
            }
        };
        match Seen::look(&settings.store, &target.id) {
            Ok(seen) => {
                was_answered = true;
                let limits = limits(options, &target, &seen);
                outcomes.push(verdict::judge(&target.id, &seen, limits, own_instance.as_deref()));
            }
            Err(error) => {
                let (why, rest) = error.apart();
                let text = format!("{}: {why}", target.id);
                outcomes.push(Outcome::new(Subject::Check(target.id), Severity::Unknown, text).remedy(rest));
                let others = if error.settles() { left.by_ref().count() } else { 0 };
                if others > 0 {
                    let text = format!("{others} more could not be looked at either");
                    outcomes.push(Outcome::new(Subject::Run, Severity::Unknown, text));
                }
            }
        }
    }
    if was_answered {
        outcomes.push(loop_outcome(&settings.store));
    }
    outcomes.extend(settings.store.skew_s().map(verdict::judge_clock));
    outcomes.extend(note);
    Ok(outcomes)
}

fn loop_outcome(store: &Store) -> Outcome {
    match look::mark(store) {
        Ok(mark) => verdict::judge_loop(mark),
        Err(error) => {
            let (why, rest) = error.apart();
            Outcome::new(Subject::Loop, Severity::Unknown, format!("the loop's mark: {why}")).remedy(rest)
        }
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
fn targets(settings: &Settings, check: Option<&Name>, is_another_host: bool) -> Vec<Result<Target, String>> {
    let (host, folder) = (&settings.host, &settings.folder);
    let files = match check {
        _ if is_another_host => Vec::new(),
        Some(check) => pulses::of_check(host, folder, Some(check)).into_iter().collect(),
        None => pulses::of_host(host, folder),
    };
    if files.is_empty() {
        return vec![Ok(Target { id: CheckId::new(host, check), pulse: None })];
    }
    let target = |PulseFile { id, pulse, .. }| Target { id, pulse: Some(pulse) };
    files.into_iter().map(|file| file.map(target)).collect()
}

/// All checks of another host that the last sweep knew; where that cannot be told, the host's own check, and a note
/// that says so.
fn of_another_host(settings: &Settings) -> (Vec<Result<Target, String>>, Option<Outcome>) {
    let own = CheckId::new(&settings.host, None);
    let alone = |id| vec![Ok(Target { id, pulse: None })];
    match Fleet::read(&settings.store) {
        Ok(Fleet { status, .. }) => {
            let is_there = |id: &&CheckId| status.checks[*id].state != State::Gone;
            let ids: Vec<_> = checks_of(&own, &status).filter(is_there).cloned().collect();
            (if ids.is_empty() { alone(own) } else { ids.into_iter().flat_map(alone).collect() }, None)
        }
        Err(why) => {
            let note = format!("of {own} only its own check was looked at, since its others are not known: {why}");
            (alone(own), Some(Outcome::note(note)))
        }
    }
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

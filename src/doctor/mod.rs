//! `doctor`: checks all that `send` and `check` need, and says for each step what is wrong and how to fix it.
//!
//! It goes on after a failure wherever the next step still makes sense. It changes nothing, neither here nor in the
//! store.

mod findings;
mod here;
mod modes;
mod proof;
mod rights;
mod schedule;
mod there;

use super::args::{Arguments, Send};
use super::exit::Exit;
use super::machine;
use super::pulses::PulseFile;
use findings::Findings;
use pulse_echo_core::clock;
use pulse_echo_core::environment::Environment;
use schedule::Schedule;

/// Runs `doctor`.
pub fn command(arguments: &Arguments, environment: Environment) -> Exit {
    let mut findings = Findings::new(arguments.quiet);
    walk(&mut findings, arguments, environment);
    if findings.is_well { Exit::Ok } else { Exit::Failed }
}

/// Runs `send --dry-run`: all that `send` does but the sending itself.
pub fn rehearse(arguments: &Arguments, options: &Send, environment: Environment) -> Exit {
    let mut findings = Findings::new(arguments.quiet);
    let sources = here::configuration(&mut findings, arguments, environment, &[]);
    let host = here::name(&mut findings, &sources);
    let files = host.map_or_else(Vec::new, |host| here::wanted_files(&mut findings, &sources, &host, options));
    if let Some(store) = there::store(&mut findings, &sources) {
        for file in &files {
            findings.either("rights", &rights::may_put(&store, file, false));
        }
    }
    if findings.is_well { Exit::Ok } else { Exit::Failed }
}

fn walk(findings: &mut Findings, arguments: &Arguments, environment: Environment) {
    let schedule = schedule::find(clock::now().as_second() / 86_400);
    let readers = modes::readers(&schedule.jobs);
    let sources = here::configuration(findings, arguments, environment, &readers);
    let host = here::name(findings, &sources);
    let files = host.as_ref().map_or_else(Vec::new, |host| here::pulse_files(findings, &sources, host, &readers));
    here::vitals(findings, &files);
    tell_schedule(findings, &schedule, &files);
    for open in sources.profile().files().filter_map(|file| modes::open(file, &readers)) {
        findings.ill("secrets", &open);
    }
    let reached = match (there::store(findings, &sources), &host) {
        (Some(store), Some(host)) => {
            let own_instance = if arguments.host.is_some() { None } else { machine::instance() };
            there::ask(findings, &store, host, &files, own_instance.as_deref())
        }
        _ => Vec::new(),
    };
    there::urls(findings, &files, &reached, sources.is_aws());
    for (at, job) in schedule.jobs.iter().enumerate() {
        if !schedule.jobs[..at].iter().any(|other| other.is_like(job)) {
            proof::tell(findings, job, arguments);
        }
    }
}

/// Says what sends, and whether that is often enough; where nothing sends, each reason.
fn tell_schedule(findings: &mut Findings, schedule: &Schedule, files: &[PulseFile]) {
    for job in &schedule.jobs {
        findings.well("schedule", &job.to_string());
    }
    if schedule.jobs.is_empty() {
        for fault in &schedule.faults {
            findings.ill("schedule", fault);
        }
        return;
    }
    for misfit in schedule::misfits(&schedule.jobs, files) {
        findings.ill("schedule", &misfit);
    }
}

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

use super::args::{Arguments, Exec, Send};
use super::exit::Exit;
use super::machine;
use super::pulses::PulseFile;
use super::settings::Sources;
use findings::Findings;
use pulse_echo_core::clock;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::name::Name;
use schedule::Schedule;

/// Runs `doctor`.
pub fn command(arguments: &Arguments, environment: Environment) -> Exit {
    let mut findings = Findings::new(arguments.quiet);
    walk(&mut findings, arguments, environment);
    if findings.is_well { Exit::Ok } else { Exit::Failed }
}

/// Runs `send --dry-run`: all that `send` does but the sending itself.
pub fn rehearse(arguments: &Arguments, options: &Send, environment: Environment) -> Exit {
    rehearse_with(arguments, environment, &|findings, sources, host| {
        here::wanted_files(findings, sources, host, options)
    })
}

/// Runs `exec --dry-run`: all that `exec` does but the job and the sending.
pub fn rehearse_job(arguments: &Arguments, options: &Exec, environment: Environment) -> Exit {
    rehearse_with(arguments, environment, &|findings, sources, host| here::job_file(findings, sources, host, options))
}

/// The pulses that would be sent.
type Wanted<'a> = dyn Fn(&mut Findings, &Sources, &Name) -> Vec<PulseFile> + 'a;

fn rehearse_with(arguments: &Arguments, environment: Environment, wanted: &Wanted) -> Exit {
    let mut findings = Findings::new(arguments.quiet);
    let Some(sources) = here::configuration(&mut findings, arguments, environment, &[]) else { return Exit::Failed };
    let host = here::name(&mut findings, &sources);
    let files = host.map_or_else(Vec::new, |host| wanted(&mut findings, &sources, &host));
    if let Some(store) = there::store(&mut findings, &sources) {
        for file in &files {
            findings.either("rights", &rights::may_put(&store, file, false));
        }
    }
    if findings.is_well { Exit::Ok } else { Exit::Failed }
}

fn walk(findings: &mut Findings, arguments: &Arguments, environment: Environment) {
    let options = Sources::without_file(arguments, environment).options();
    let schedule = schedule::find(clock::now().as_second() / 86_400, &options);
    let readers = modes::readers(&schedule.jobs);
    let Some(sources) = here::configuration(findings, arguments, environment, &readers) else {
        return tell_schedule(findings, &schedule, &[]);
    };
    let host = here::name(findings, &sources);
    let jobs = &schedule.jobs;
    let files = host.as_ref().map_or_else(Vec::new, |host| here::pulse_files(findings, &sources, host, &readers, jobs));
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
    for fault in &schedule.faults_of_jobs {
        findings.ill("schedule", fault);
    }
    // A host may have nothing but jobs, which need no files.
    let has_only_jobs = if files.is_empty() { !schedule.jobs.is_empty() } else { files.iter().all(|file| file.is_job) };
    let needs_send = !has_only_jobs;
    let sends = schedule.jobs.iter().any(|job| job.task.send().is_some());
    if needs_send && !sends {
        for fault in &schedule.faults {
            findings.ill("schedule", fault);
        }
    }
    for misfit in schedule::misfits(&schedule.jobs, files) {
        findings.ill("schedule", &misfit);
    }
}

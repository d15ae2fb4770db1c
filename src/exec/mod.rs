//! `exec`: runs a job, and sends how it ended as the pulse of a check.
//!
//! The job goes first: whatever is wrong with the pulse is a line on stderr, and the job's exit code stays.

mod job;
mod secrets;
mod streams;
mod terminal;

use std::process::ExitCode;

use super::args::{Arguments, Exec};
use super::output::complain;
use super::panic::end_with;
use super::settings::Settings;
use super::{doctor, pulses, send};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::job::Job;

/// Runs `exec`. `unreadable` is a sentence about the environment, if it cannot be read.
pub fn command(
    arguments: &Arguments,
    options: &Exec,
    environment: Environment,
    unreadable: Option<&String>,
) -> ExitCode {
    if options.dry_run {
        return doctor::rehearse_job(arguments, options, environment).into();
    }
    let (ended, streams) = job::run(options);
    end_with(ended.code);
    let sent = unreadable.map_or_else(|| send(arguments, options, environment, ended.job), |why| Err(why.clone()));
    if let Err(why) = sent {
        complain(&format_args!("the pulse of the job {} was not sent: {why}", options.name));
    }
    streams.end();
    ended.code.into()
}

/// Sends the outcome. The settings are read only now: after hours they may be others.
fn send(arguments: &Arguments, options: &Exec, environment: Environment, job: Job) -> Result<(), String> {
    let settings = Settings::gather(arguments, environment)?;
    let file = pulses::of_job(&settings.host, &settings.folder, options)?;
    send::send_of(&settings.store, &file, Some(job)).map_err(|error| error.to_string())?;
    let differs = |asked: Option<u32>, promised| asked.is_some_and(|asked| asked != promised);
    if differs(options.every, file.pulse.every_s) || differs(options.grace, file.pulse.grace_s) {
        let path = file.path.display();
        complain(&format_args!("{path} says how often the job comes: --every and --grace do nothing, leave them out"));
    }
    Ok(())
}

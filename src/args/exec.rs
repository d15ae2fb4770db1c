//! What `exec` can be asked for.

// As in `args`: it is the help that people read.
#![allow(clippy::doc_markdown)]

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use argh::{ArgsInfo, FromArgs};

use crate::duration;
use pulse_echo_core::json::Whole;
use pulse_echo_core::mute::FOR_S;
use pulse_echo_core::name::Name;
use pulse_echo_core::pulse::{EVERY_S, GRACE_S};

/// Run a command, and send how it ended as the pulse of a check: for a crontab, in front of a job. All that is wrong
/// with the pulse is one line on stderr: the job runs, and its exit code stays.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "exec",
    note = "A file jobs.d/CHECK.json beside the configuration is sent as the pulse, if it is there. Two jobs that may \
            run at the same time need two names.",
    example = "15 2 * * * root pulse-echo exec --name backup --timeout 4h -- /usr/local/bin/backup --full",
    example = "5 * * * * www pulse-echo exec --name reports --every 1h -- /srv/www/bin/reports",
    example = "30 6 * * 1 root pulse-echo exec --name certs --every 7d -- \
               sh -c 'certbot -q renew && systemctl reload nginx'",
    error_code(0, "the job's, as all others but these"),
    error_code(2, "a mistake in the options of exec: nothing was run"),
    error_code(124, "the job did not end within --timeout"),
    error_code(126, "the job cannot be started"),
    error_code(127, "there is no such job"),
    error_code(128, "128 + n: the job was ended by signal n")
)]
pub struct Exec {
    /// name of the check, which is then HOST/CHECK
    #[argh(option, arg_name = "check", from_str_fn(name))]
    pub name: Name,
    /// how often the job runs, such as 1h (default 1d)
    #[argh(option, arg_name = "time", from_str_fn(every))]
    pub every: Option<u32>,
    /// how late it may be (default 1h)
    #[argh(option, arg_name = "time", from_str_fn(grace))]
    pub grace: Option<u32>,
    /// stop the job if it has not ended after this time: TERM, ten seconds later KILL (default: never)
    #[argh(option, arg_name = "time", from_str_fn(timeout))]
    pub timeout: Option<u32>,
    /// run and send nothing: say what would be sent, as send --dry-run does
    #[argh(switch)]
    pub dry_run: bool,
    /// the job: a program and its arguments
    #[argh(positional, arg_name = "command", from_str_fn(decoded))]
    pub command: Vec<OsString>,
}

fn name(text: &str) -> Result<Name, String> {
    text.parse()
}

fn every(text: &str) -> Result<u32, String> {
    duration::parse_within(text, &EVERY_S)
}

fn grace(text: &str) -> Result<u32, String> {
    duration::parse_within(text, &GRACE_S)
}

fn timeout(text: &str) -> Result<u32, String> {
    duration::parse_within(text, &Whole { min: 1, ..FOR_S })
}

/// Writes the bytes of a word as characters, each with the number of its byte: argh knows only text.
pub(super) fn encoded(word: &OsStr) -> String {
    word.as_bytes().iter().map(|&byte| char::from(byte)).collect()
}

/// Reads what [`encoded`] writes.
#[allow(clippy::unnecessary_wraps)]
fn decoded(word: &str) -> Result<OsString, String> {
    Ok(OsString::from_vec(word.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()))
}

//! The command line: what can be asked for.

// What looks like documentation here is the help that people read, where backticks would only be in the way.
#![allow(clippy::doc_markdown)]

mod exec;
mod operator;
mod order;
mod selection;

use argh::{ArgsInfo, FromArgs};

use pulse_echo_core::json::Whole;

pub use exec::Exec;
pub use operator::{Ack, Loop, LoopCommand, Mute, Outages, Retire, Status, Unmute};
pub use order::{Parsed, parse};
pub use selection::Selection;

/// How long all requests together may take.
pub const TIMEOUT_S: Whole = Whole { unit: "seconds", min: 1, max: 3600 };

/// pulse-echo: know that your servers are alive. Each host sends a pulse to S3; a Lambda answers it with an echo, or
/// with a fault that says what is wrong.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    note = "Settings come from the option, else from the environment, else from the configuration file, else from \
            the default. The options above work with every command.",
    example = "pulse-echo init --bucket my-pulses --region eu-central-1 --url https://example.com/health --body ok",
    example = "pulse-echo run",
    error_code(0, "done (check, run: OK)"),
    error_code(1, "not done (check, run: WARNING)"),
    error_code(2, "wrong usage or configuration (check, run: CRITICAL)"),
    error_code(3, "check, run: UNKNOWN, wrong usage or configuration too")
)]
pub struct Arguments {
    /// configuration file (PULSE_ECHO_CONFIG; default /etc/pulse-echo/config.json); the pulses lie beside it
    #[argh(option, arg_name = "file")]
    pub config: Option<String>,
    /// bucket that is the store (PULSE_ECHO_BUCKET)
    #[argh(option)]
    pub bucket: Option<String>,
    /// name of this host (PULSE_ECHO_HOST; default: the machine's hostname)
    #[argh(option)]
    pub host: Option<String>,
    /// region of the bucket (AWS_REGION, AWS_DEFAULT_REGION, the profile's)
    #[argh(option)]
    pub region: Option<String>,
    /// address of an S3 service other than AWS's (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL)
    #[argh(option, arg_name = "url")]
    pub endpoint: Option<String>,
    /// name the bucket in the path, not in the host's name (default for an endpoint other than AWS's)
    #[argh(switch)]
    pub path_style: bool,
    /// profile in the AWS credentials and config files (AWS_PROFILE; default: default)
    #[argh(option)]
    pub profile: Option<String>,
    /// PEM file with a private CA to trust beside the public ones (AWS_CA_BUNDLE)
    #[argh(option, arg_name = "file")]
    pub ca_file: Option<String>,
    /// seconds for all requests together (default 60; check: 10)
    #[argh(option, arg_name = "seconds", from_str_fn(timeout_s))]
    pub timeout_s: Option<u32>,
    /// say nothing on success
    #[argh(switch, short = 'q')]
    pub quiet: bool,
    /// say what is being done
    #[argh(switch, short = 'v')]
    pub verbose: bool,
    /// what to do
    #[argh(subcommand)]
    pub command: Command,
}

/// The seconds of `--timeout-s`, of the configuration's range.
fn timeout_s(text: &str) -> Result<u32, String> {
    let Whole { min, max, .. } = TIMEOUT_S;
    let is_inside = |seconds: &u32| (min..=max).contains(seconds);
    text.parse().ok().filter(is_inside).ok_or_else(|| format!("expected a whole number of seconds from {min} to {max}"))
}

/// A whole number; its range is the pulse's.
fn whole(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "expected a whole number, without a unit".into())
}

/// A number of seconds.
fn seconds(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("expected a whole number of seconds from 0 to {}", u32::MAX))
}

/// What to do.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand)]
pub enum Command {
    /// `send`
    Send(Send),
    /// `check`
    Check(Check),
    /// `run`
    Run(Run),
    /// `exec`
    Exec(Exec),
    /// `init`
    Init(Init),
    /// `doctor`
    Doctor(Doctor),
    /// `status`
    Status(Status),
    /// `outages`
    Outages(Outages),
    /// `mute`
    Mute(Mute),
    /// `unmute`
    Unmute(Unmute),
    /// `ack`
    Ack(Ack),
    /// `retire`
    Retire(Retire),
    /// `loop`
    Loop(Loop),
}

/// Upload this host's pulses: what cron runs.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "send",
    error_code(0, "all pulses sent (--retire: deleted, with a note that it was on purpose)"),
    error_code(1, "a pulse could not be sent (--retire: deleted), or the note could not be put"),
    error_code(2, "wrong usage or configuration, or a pulse file that is refused")
)]
pub struct Send {
    /// send just this pulse file (default: pulse.json and pulses.d/*.json beside the configuration)
    #[argh(option, arg_name = "file")]
    pub pulse: Option<String>,
    /// with --pulse: the name of the check (default: the host's own check)
    #[argh(option, arg_name = "check")]
    pub name: Option<String>,
    /// first wait up to this many seconds; each host waits a time of its own, the same each run (default 0)
    #[argh(option, arg_name = "seconds", default = "0", from_str_fn(seconds))]
    pub splay: u32,
    /// say goodbye instead: put a note that the host leaves on purpose, and delete its pulses
    #[argh(switch)]
    pub retire: bool,
    /// send nothing: say what would be sent, where to, with which credentials, and what would keep it from being sent
    #[argh(switch)]
    pub dry_run: bool,
}

/// Is the newest echo fresh, and is the loop alive? For people, and a plugin for Nagios, Icinga, Sensu.
#[derive(ArgsInfo, Debug, Default, FromArgs)]
#[argh(
    subcommand,
    name = "check",
    note = "Age is that of the pulse that was answered last. With --host, it looks at all checks of another machine, \
            which status.json names; where that may not be read, at the host's own check alone, which it says.",
    example = "pulse-echo check",
    example = "pulse-echo check --host web-7 --name db -w 900 -c 1500",
    error_code(0, "OK: answered, and fresh"),
    error_code(1, "WARNING: older than -w, the loop stopped, another machine has this name, or the clock is wrong"),
    error_code(2, "CRITICAL: a fault, older than -c, or a pulse without an answer for over 5 minutes"),
    error_code(3, "UNKNOWN: no pulse, no answer yet, or the store could not be asked")
)]
pub struct Check {
    /// look at this check only (default: all that have a pulse here, else the host's own check)
    #[argh(option, arg_name = "check")]
    pub name: Option<String>,
    /// age in seconds above which it is a WARNING (default: the pulse's limit, every_s × missed + grace_s)
    #[argh(option, short = 'w', arg_name = "seconds", from_str_fn(seconds))]
    pub warning: Option<u32>,
    /// age in seconds above which it is CRITICAL (default: the pulse's limit + every_s)
    #[argh(option, short = 'c', arg_name = "seconds", from_str_fn(seconds))]
    pub critical: Option<u32>,
    /// seconds for all of it, in place of --timeout-s (default 10, the limit of NRPE)
    #[argh(option, short = 't', long = "timeout", arg_name = "seconds", from_str_fn(timeout_s))]
    pub timeout: Option<u32>,
    /// print JSON in place of the line
    #[argh(switch)]
    pub json: bool,
    /// also write metrics to this file, for the textfile collector of Prometheus's node_exporter (-: print just them)
    #[argh(option, arg_name = "file")]
    pub prom: Option<String>,
}

/// Send, then wait for the answer to this very pulse and show it: the whole chain, once.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "run",
    error_code(0, "OK: an echo"),
    error_code(1, "WARNING: an echo, but this machine's clock is wrong"),
    error_code(2, "CRITICAL: a fault"),
    error_code(3, "UNKNOWN: no answer in time, or the store could not be asked")
)]
pub struct Run {
    /// send just this pulse file (default: pulse.json and pulses.d/*.json beside the configuration)
    #[argh(option, arg_name = "file")]
    pub pulse: Option<String>,
    /// with --pulse: the name of the check (default: the host's own check)
    #[argh(option, arg_name = "check")]
    pub name: Option<String>,
    /// how many seconds to wait for the answer (default 120)
    #[argh(option, arg_name = "seconds", default = "120", from_str_fn(seconds))]
    pub wait: u32,
}

/// Write config.json and pulse.json, then say what doctor says.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "init",
    note = "It writes the options of the whole program that you give (--bucket, --region, --endpoint, --host …), and \
            what the environment says of those that you do not give; it says which. It never overwrites a file.",
    example = "pulse-echo init --bucket my-pulses --region eu-central-1",
    example = "pulse-echo init --bucket my-pulses --region eu-central-1 --url https://example.com/health --body ok",
    example = "pulse-echo init --bucket my-pulses --region eu-central-1 --min-disk-free-pct 10",
    error_code(0, "written, whatever doctor then says"),
    error_code(1, "not written"),
    error_code(2, "wrong usage")
)]
pub struct Init {
    /// address that the probe fetches (default: none; the pulse is a bare sign of life)
    #[argh(option)]
    pub url: Option<String>,
    /// with --url: the exact body that the answer must have
    #[argh(option, arg_name = "text")]
    pub body: Option<String>,
    /// with --url: text that the answer's body must contain
    #[argh(option, arg_name = "text")]
    pub contains: Option<String>,
    /// how much of each local disk must be free, in percent: less is a fault
    #[argh(option, arg_name = "percent", from_str_fn(whole))]
    pub min_disk_free_pct: Option<u32>,
    /// how much memory must be available, in MiB: less is a fault
    #[argh(option, arg_name = "mib", from_str_fn(whole))]
    pub min_mem_available_mib: Option<u32>,
    /// the highest load, over a minute: more is a fault
    #[argh(option, arg_name = "load", from_str_fn(whole))]
    pub max_load1: Option<u32>,
    /// take the name even if another machine sends under it: this one takes the other's place
    #[argh(switch)]
    pub anyway: bool,
}

/// Check configuration, credentials, clock, name, connection, rights, the loop, and what will send (cron, a timer); say
/// what is wrong and how to mend it. It changes nothing. As root it tries out what will send, as the user that sends.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "doctor",
    error_code(0, "all is well"),
    error_code(1, "something is wrong"),
    error_code(2, "wrong usage")
)]
pub struct Doctor {}

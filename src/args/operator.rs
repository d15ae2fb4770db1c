//! The operator's commands: what looks at the fleet, and what steers it.

// What looks like documentation here is the help that people read, where backticks would only be in the way.
#![allow(clippy::doc_markdown)]

use argh::{ArgsInfo, FromArgs};

use super::selection::Selection;
use crate::duration;
use crate::target::Target;

/// Show the fleet as the last sweep left it, the worst first; with an ID, all that is known of that check.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "status",
    note = "States: failing, silent and unanswered are down; new waits for its first answer; up; late is past its \
            interval, but not yet silent; gone is retired. What is shown is status.json, which the loop writes: this is \
            the operator's command, a host's own rights do not include it.",
    example = "pulse-echo status",
    example = "pulse-echo status --state down",
    example = "pulse-echo status web-7/db",
    error_code(0, "shown, whatever it shows"),
    error_code(1, "not shown: it could not be read, or there is no such check"),
    error_code(2, "wrong usage or configuration")
)]
pub struct Status {
    /// one check, as it is shown: HOST or HOST/CHECK (default: all)
    #[argh(positional, arg_name = "id")]
    pub target: Option<Target>,
    /// only the checks that are down, up, late, new, failing, silent, unanswered, gone or muted
    #[argh(option, arg_name = "state")]
    pub state: Option<Selection>,
    /// print JSON in place of the table
    #[argh(switch)]
    pub json: bool,
}

/// Have nothing told of a check for a while, or of all checks of a host; --list shows what is muted.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "mute",
    note = "An outage that begins and ends within a mute is never told; one that lasts is told at the mute's end. A \
            second mute of the same ID takes the place of the first.",
    example = "pulse-echo mute web-7 --for 2h --reason \"new disks\"",
    example = "pulse-echo mute web-7/db --for 1d12h",
    example = "pulse-echo mute --list",
    error_code(0, "muted, or listed"),
    error_code(1, "not done"),
    error_code(2, "wrong usage or configuration")
)]
pub struct Mute {
    /// a check (HOST/CHECK), or a host with all its checks (HOST)
    #[argh(positional, arg_name = "id")]
    pub target: Option<Target>,
    /// for how long from now: 90s, 30m, 2h, 1d or such together, up to 366d
    #[argh(option, long = "for", arg_name = "time", from_str_fn(duration::parse))]
    pub for_s: Option<u32>,
    /// why, for those who look at the status
    #[argh(option, arg_name = "text")]
    pub reason: Option<String>,
    /// show the mutes that the last sweep knew
    #[argh(switch)]
    pub list: bool,
}

/// End a mute: what is down then is told with the next sweep.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "unmute",
    example = "pulse-echo unmute web-7",
    error_code(0, "it is not muted any more"),
    error_code(1, "not done, or still muted with its host"),
    error_code(2, "wrong usage or configuration")
)]
pub struct Unmute {
    /// what was muted: HOST or HOST/CHECK
    #[argh(positional, arg_name = "id")]
    pub target: Target,
}

/// Take a check out of the fleet on purpose, or a host with all its checks: delete its pulse, echo, fault and mute.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "retire",
    note = "It is told once as gone. Stop the host's cron first: a host that still sends comes back as a new check. The \
            checks of a host are those that the last sweep knew. Nothing is asked; --dry-run shows what it would do.",
    example = "pulse-echo retire web-7 --dry-run",
    example = "pulse-echo retire web-7/db",
    error_code(0, "deleted, or shown with --dry-run"),
    error_code(1, "not all is deleted, or there is nothing of it"),
    error_code(2, "wrong usage or configuration")
)]
pub struct Retire {
    /// a check (HOST/CHECK), or a host with all its checks (HOST)
    #[argh(positional, arg_name = "id")]
    pub target: Target,
    /// only say what would be deleted
    #[argh(switch)]
    pub dry_run: bool,
}

/// Start, stop or hurry the loop, which looks at all checks and tells of them; or show how it is.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "loop",
    example = "pulse-echo loop show",
    example = "pulse-echo loop stop",
    error_code(0, "done, or shown"),
    error_code(1, "not done"),
    error_code(2, "wrong usage or configuration")
)]
pub struct Loop {
    /// what to do with it
    #[argh(subcommand)]
    pub command: LoopCommand,
}

/// What to do with the loop.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand)]
pub enum LoopCommand {
    /// `start`
    Start(LoopStart),
    /// `stop`
    Stop(LoopStop),
    /// `tick`
    Tick(LoopTick),
    /// `test`
    Test(LoopTest),
    /// `show`
    Show(LoopShow),
}

/// Have the loop run: it sweeps at once, and then again and again.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand, name = "start")]
pub struct LoopStart {}

/// Stop the loop: from then on nothing is watched, and nobody is told of anything.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand, name = "stop")]
pub struct LoopStop {}

/// Have the loop sweep now, once.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand, name = "tick")]
pub struct LoopTick {}

/// Have a test message sent over every channel.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand, name = "test")]
pub struct LoopTest {}

/// Show whether the loop runs, and when it last swept.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand, name = "show")]
pub struct LoopShow {
    /// print JSON in place of sentences
    #[argh(switch)]
    pub json: bool,
}

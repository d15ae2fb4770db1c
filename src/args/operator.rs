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
            interval, but not yet silent; gone is retired. It shows status.json, which the loop writes, and needs the \
            operator's rights: a host may not read that file.",
    example = "pulse-echo status",
    example = "pulse-echo status --state down",
    example = "pulse-echo status web-7/db",
    example = "pulse-echo status 'web-*' --state late",
    example = "pulse-echo status --expect hosts.txt",
    example = "pulse-echo status --link --for 7d",
    error_code(0, "shown, whatever the states are"),
    error_code(1, "not shown: status.json could not be read, or there is no such check; or a host is missing"),
    error_code(2, "wrong usage or configuration")
)]
pub struct Status {
    /// one check or host, as the table shows it: HOST or HOST/CHECK; or a pattern, such as 'web-*' (default: that of
    /// --host, else all)
    #[argh(positional, arg_name = "id")]
    pub target: Option<Target>,
    /// only the checks that are down, up, late, new, failing, silent, unanswered, gone or muted
    #[argh(option, arg_name = "state")]
    pub state: Option<Selection>,
    /// a file with a host in each line (-: stdin): say which of them have no check, and exit 1 if any is missing
    #[argh(option, arg_name = "file")]
    pub expect: Option<String>,
    /// print JSON in place of the table
    #[argh(switch)]
    pub json: bool,
    /// in place of the table, write the whole fleet as metrics of Prometheus to this file (-: stdout)
    #[argh(option, arg_name = "file")]
    pub prom: Option<String>,
    /// print an address of status.html for a browser that has no credentials: whoever has it can read the page
    #[argh(switch)]
    pub link: bool,
    /// how long that address is valid: 30m, 24h, at most 7d (default 24h)
    #[argh(option, long = "for", arg_name = "time", from_str_fn(duration::parse))]
    pub for_s: Option<u32>,
}

/// Show what was down, when, for how long and why, the newest first; with the sum.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "outages",
    note = "It shows history.json, which keeps the newest 50 outages of each check, and what lasts by status.json. \
            Both need the operator's rights. What a mute covered, and trouble of the probe, is shown without counting.",
    example = "pulse-echo outages --since 7d",
    example = "pulse-echo outages web-7/db",
    error_code(0, "shown, also where there was none"),
    error_code(1, "not shown: history.json or status.json could not be read, or there is no such check"),
    error_code(2, "wrong usage or configuration")
)]
pub struct Outages {
    /// one check, a host with all its checks, or a pattern, such as 'web-*' (default: that of --host, else all)
    #[argh(positional, arg_name = "id")]
    pub target: Option<Target>,
    /// only what was down within this time: 12h, 7d, 1d12h
    #[argh(option, arg_name = "time", from_str_fn(duration::parse))]
    pub since: Option<u32>,
    /// print JSON in place of lines
    #[argh(switch)]
    pub json: bool,
}

/// Send no messages about a check, or about all checks of a host, for a while; --list shows what is muted.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "mute",
    note = "An outage that begins and ends within a mute is never told. An outage that lasts is told at the mute's \
            end. A second mute of the same ID replaces the first. In a pattern, * stands for any letters but /: \
            'web-*' is hosts with all their checks, '*/db' is checks. What has been over for a day is deleted.",
    example = "pulse-echo mute web-7 --for 2h --reason \"new disks\"",
    example = "pulse-echo mute 'web-*' --for 30m",
    example = "pulse-echo mute web-7/db --for 1d12h",
    example = "pulse-echo mute --list",
    error_code(0, "muted, or listed"),
    error_code(1, "not done"),
    error_code(2, "wrong usage or configuration, or there is no such check")
)]
pub struct Mute {
    /// a check (HOST/CHECK), a host with all its checks (HOST), or a pattern
    #[argh(positional, arg_name = "id")]
    pub target: Option<Target>,
    /// how long, from now: 90s, 30m, 2h, 1d or a sum such as 1d12h, up to 366d
    #[argh(option, long = "for", arg_name = "time", from_str_fn(duration::parse))]
    pub for_s: Option<u32>,
    /// why, in at most 200 characters; status shows it
    #[argh(option, arg_name = "text")]
    pub reason: Option<String>,
    /// mute it though no sweep knew such a check
    #[argh(switch)]
    pub anyway: bool,
    /// show what is muted
    #[argh(switch)]
    pub list: bool,
}

/// End a mute: the next sweep sends a message about what is still down.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "unmute",
    example = "pulse-echo unmute web-7",
    error_code(0, "it is not muted any more"),
    error_code(1, "not done, or still muted with its host or by a pattern"),
    error_code(2, "wrong usage or configuration, or there is no such check")
)]
pub struct Unmute {
    /// what was muted: HOST, HOST/CHECK or a pattern
    #[argh(positional, arg_name = "id")]
    pub target: Target,
    /// say nothing of an ID that no sweep knew
    #[argh(switch)]
    pub anyway: bool,
}

/// Acknowledge an outage: no more reminders of it are sent. Another cause and its end are told; a next outage is new.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "ack",
    note = "With a host or a pattern, it acknowledges the outage of each of its checks that is down. Who and why stand \
            in status, on the page and in the message that it is up again. Facts about the system itself, such as \
            trouble of the probe, are told all the same.",
    example = "pulse-echo ack web-7 --reason \"disk ordered\"",
    example = "pulse-echo ack web-7/db --by alice",
    example = "pulse-echo ack web-7 --remove",
    error_code(0, "acknowledged, or not acknowledged any more"),
    error_code(1, "not done, or nothing is down"),
    error_code(2, "wrong usage or configuration, or there is no such check")
)]
pub struct Ack {
    /// a check (HOST/CHECK), a host with all its checks (HOST), or a pattern
    #[argh(positional, arg_name = "id")]
    pub target: Target,
    /// why, in at most 200 characters
    #[argh(option, arg_name = "text")]
    pub reason: Option<String>,
    /// who takes care of it (default: USER@HOST)
    #[argh(option, arg_name = "name")]
    pub by: Option<String>,
    /// take it back: reminders go on
    #[argh(switch)]
    pub remove: bool,
}

/// Take a check out of the fleet on purpose, or a host with all its checks: put a note, and delete its pulse, echo,
/// fault, mute and acknowledgement.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "retire",
    note = "One message says that it is gone. Stop the host's cron first: a host that still sends comes back as a new \
            check. The checks of a host are those that the last sweep knew. It deletes without asking; --dry-run shows \
            what it would delete. On the host itself, pulse-echo send --retire does the same.",
    example = "pulse-echo retire web-7 --dry-run",
    example = "pulse-echo retire web-7/db",
    error_code(0, "deleted, or shown with --dry-run"),
    error_code(1, "not everything was deleted"),
    error_code(2, "wrong usage or configuration, or there is no such check")
)]
pub struct Retire {
    /// a check (HOST/CHECK), or a host with all its checks (HOST)
    #[argh(positional, arg_name = "id")]
    pub target: Target,
    /// only say what would be done
    #[argh(switch)]
    pub dry_run: bool,
    /// put the note though there is no such check
    #[argh(switch)]
    pub anyway: bool,
}

/// Start, stop, hurry, test or show the loop, which looks at all checks and sends the messages.
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

/// Start the loop: it sweeps at once, and then again and again.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand, name = "start")]
pub struct LoopStart {}

/// Stop the loop: from then on nothing is watched, and no messages are sent.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand, name = "stop")]
pub struct LoopStop {}

/// Have the loop sweep now, once.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand, name = "tick")]
pub struct LoopTick {}

/// Have the loop send a test message over every channel.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand, name = "test")]
pub struct LoopTest {}

/// Show whether the loop runs, when it last swept, and what drives it.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand, name = "show")]
pub struct LoopShow {
    /// print JSON in place of sentences
    #[argh(switch)]
    pub json: bool,
}

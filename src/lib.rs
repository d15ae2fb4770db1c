//! The agent: the program on each host, and its operators' commands.
//!
//! A command is parsed (`args`) and its settings are gathered (`settings`, `credentials`, `pulses`). It acts (`send`,
//! `check`, `run`, `init`, `doctor`), and its exit code says how it went (`exit`). Reading the store (`look`), deciding
//! what follows (`verdict`, a list of `outcome`s) and showing it (`nagios`, `export`) are kept apart.
//!
//! The operator's commands (`operator`) show the whole fleet (`status`) or change it (`mute`, `ack`, `retire`,
//! `loop_control`). They share how they find the check that an operator means (`fleet`, `target`) and how they write to
//! the terminal (`terminal`, `output`).

mod ack;
pub mod args;
mod atomic_file;
mod check;
mod credentials;
mod daily;
mod disk;
mod doctor;
mod duration;
mod exec;
mod exit;
mod export;
mod fleet;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod goodbye;
mod history;
mod init;
mod input;
mod look;
mod loop_control;
mod machine;
mod mute;
mod nagios;
mod namesake;
mod operator;
mod outages;
mod outcome;
mod output;
mod panic;
mod pulses;
mod reach;
mod retire;
mod run;
mod send;
mod settings;
mod splay;
mod status;
mod target;
mod terminal;
mod verdict;
mod wait;

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use log::LevelFilter;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::stderr;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use args::{Arguments, Command, Parsed};
use exit::Exit;
use output::{PROGRAM, complain, print};
pub use panic::panics_in_one_line;

/// Runs the command in the arguments (without the program's own name). `unreadable` is a sentence about the
/// environment,
/// if it cannot be read.
pub fn main(
    arguments: impl Iterator<Item = OsString>,
    environment: Environment,
    unreadable: Option<&String>,
) -> ExitCode {
    panics_in_one_line();
    // Keys are in the memory: no core dump, and no look into it for other processes of this user.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let arguments = match args::parse(arguments) {
        Parsed::Arguments(arguments) => arguments,
        Parsed::Text(text) => {
            print(&text);
            return if output::has_arrived() { Exit::Ok.into() } else { Exit::Failed.into() };
        }
        Parsed::Wrong { message, nagios: false } => {
            complain(&message);
            return Exit::Usage.into();
        }
        Parsed::Wrong { message, nagios: true } => return nagios::unknown(&message).into(),
    };
    if let Command::Exec(options) = &arguments.command {
        stderr::log(PROGRAM, level(&arguments));
        return exec::command(&arguments, options, environment, unreadable);
    }
    if let Some(message) = unreadable {
        return match &arguments.command {
            Command::Check(_) | Command::Run(_) => nagios::unknown(message).into(),
            _ => {
                complain(message);
                Exit::Usage.into()
            }
        };
    }
    stderr::log(PROGRAM, level(&arguments));

    let exit = match &arguments.command {
        Command::Send(options) if options.dry_run && !options.retire => {
            doctor::rehearse(&arguments, options, environment)
        }
        Command::Send(options) => send::command(&arguments, options, environment),
        Command::Check(options) => check::command(&arguments, options, environment),
        Command::Run(options) => run::command(&arguments, options, environment),
        Command::Init(options) => init::command(&arguments, options, environment),
        Command::Doctor(_) => doctor::command(&arguments, environment),
        Command::Exec(_) => unreachable!("it has an exit code of its own"),
        Command::Status(options) => status::command(&arguments, options, environment),
        Command::Outages(options) => outages::command(&arguments, options, environment),
        Command::Mute(options) => mute::command(&arguments, options, environment),
        Command::Unmute(options) => mute::unmute(&arguments, options, environment),
        Command::Ack(options) => ack::command(&arguments, options, environment),
        Command::Retire(options) => retire::command(&arguments, options, environment),
        Command::Loop(options) => loop_control::command(&arguments, options, environment),
    };
    // These four have done what they are for, or say it by their exit code, whoever reads their lines.
    let speaks =
        !matches!(&arguments.command, Command::Send(_) | Command::Check(_) | Command::Run(_) | Command::Init(_));
    if speaks && exit == Exit::Ok && !output::has_arrived() { Exit::Failed.into() } else { exit.into() }
}

/// Which log lines are shown. A person who waits is told why; a plugin says all on stdout; stderr is a job's, but for a
/// line.
fn level(arguments: &Arguments) -> LevelFilter {
    match &arguments.command {
        _ if arguments.verbose => LevelFilter::Debug,
        Command::Check(_) | Command::Run(_) | Command::Exec(_) => LevelFilter::Error,
        _ if io::stderr().is_terminal() => LevelFilter::Info,
        _ => LevelFilter::Warn,
    }
}

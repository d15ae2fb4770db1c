//! The agent: what runs on each host, and for its operators.
//!
//! A command is read (`args`), its settings are gathered (`settings`, `credentials`, `pulses`), it acts (`send`, `check`,
//! `run`, `init`, `doctor`) and says how it went by its exit code (`exit`). What the store has is looked at (`look`) apart
//! from what follows from it (`verdict`), and that apart from how it is shown (`nagios`, `report`).

pub mod args;
mod check;
mod credentials;
mod doctor;
mod exit;
mod file;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod init;
mod look;
mod machine;
mod nagios;
mod panic;
mod pulses;
mod reach;
mod report;
mod run;
mod send;
mod settings;
mod splay;
mod verdict;
mod wait;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use log::LevelFilter;

use crate::stderr;
use args::{Command, Parsed};
use exit::Exit;
pub use panic::panics_in_one_line;

/// What lines on stderr begin with.
const PROGRAM: &str = "pulse-echo";

/// How a variable of the environment is looked up.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Does what the arguments (without the program's own name) ask for.
pub fn main(arguments: impl Iterator<Item = OsString>, environment: Environment) -> ExitCode {
    panics_in_one_line();
    let arguments = match args::parse(arguments) {
        Parsed::Arguments(arguments) => arguments,
        Parsed::Text(text) => {
            print(&text);
            return Exit::Ok.into();
        }
        Parsed::Wrong { message, nagios: false } => {
            complain(&message);
            return Exit::Usage.into();
        }
        Parsed::Wrong { message, nagios: true } => return nagios::unknown(&message).into(),
    };
    stderr::log(PROGRAM, if arguments.verbose { LevelFilter::Debug } else { LevelFilter::Warn });

    let exit = match &arguments.command {
        Command::Send(options) => send::command(&arguments, options, environment),
        Command::Check(options) => check::command(&arguments, options, environment),
        Command::Run(options) => run::command(&arguments, options, environment),
        Command::Init(options) => init::command(&arguments, options, environment),
        Command::Doctor(_) => doctor::command(&arguments, environment),
    };
    exit.into()
}

/// A line on stdout. Whoever does not listen any more is no reason to fail.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{}", line.trim_end());
}

/// A line on stderr, with our name, as cron's mails and logs want it.
fn complain(message: &dyn Display) {
    stderr::complain(PROGRAM, message);
}

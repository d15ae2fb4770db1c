//! The agent: what runs on each host, and for its operators.
//!
//! A command is read (`args`), its settings are gathered (`settings`, `credentials`, `pulses`), it acts (`send`, `run`)
//! and says how it went by its exit code (`exit`).

pub mod args;
mod credentials;
mod exit;
mod pulses;
mod reach;
mod run;
mod send;
mod settings;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use log::LevelFilter;
use simple_logger::SimpleLogger;

use args::{Command, Parsed};
use exit::Exit;

/// How a variable of the environment is looked up.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Does what the arguments (without the program's own name) ask for.
pub fn main(arguments: impl Iterator<Item = OsString>, environment: Environment) -> ExitCode {
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
        Parsed::Wrong { message, nagios: true } => {
            complain(&message);
            print(&run::unknown(&message));
            return Exit::Unknown.into();
        }
    };
    // What there is to see is ours; the HTTP client's own lines could show what is secret.
    let level = if arguments.verbose { LevelFilter::Debug } else { LevelFilter::Warn };
    let logger = SimpleLogger::new().with_level(level).env().with_module_level("ureq", LevelFilter::Warn);
    logger.with_module_level("ureq_proto", LevelFilter::Warn).init().expect("there is no other logger");

    let exit = match &arguments.command {
        Command::Send(options) => send::command(&arguments, options, environment),
        Command::Run(options) => run::command(&arguments, options, environment),
    };
    exit.into()
}

/// A line on stdout. Whoever does not listen any more is no reason to fail.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{}", line.trim_end());
}

/// A line on stderr, with our name, as cron's mails and logs want it.
fn complain(message: &dyn Display) {
    let _ = writeln!(std::io::stderr(), "pulse-echo: {message}");
}

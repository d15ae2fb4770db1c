//! The agent: what runs on each host, and for its operators.
//!
//! A command is read (`args`), its settings are gathered (`settings`, `credentials`, `pulses`), it acts (`send`, `check`,
//! `run`, `init`, `doctor`) and says how it went by its exit code (`exit`). What the store has is looked at (`look`) apart
//! from what follows from it (`verdict`), and that apart from how it is shown (`nagios`, `report`).
//!
//! The operator's commands look at the whole fleet (`status`) or steer it (`mute`, `retire`, `steer`); which check is
//! meant is one question for all of them (`fleet`, `named`), and so is what they are shown on (`terminal`).

pub mod args;
mod check;
mod credentials;
mod doctor;
mod exit;
mod file;
mod fleet;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod init;
mod lasting;
mod look;
mod machine;
mod mute;
mod nagios;
mod named;
mod panic;
mod pulses;
mod reach;
mod report;
mod retire;
mod run;
mod send;
mod settings;
mod splay;
mod status;
mod steer;
mod terminal;
mod verdict;
mod wait;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use log::LevelFilter;

use args::{Arguments, Command, Parsed};
use exit::Exit;
pub use panic::panics_in_one_line;
use pulse_echo_core::stderr;

/// What lines on stderr begin with.
const PROGRAM: &str = "pulse-echo";

use pulse_echo_core::name::prints;
use pulse_echo_core::store::Store;

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
        Command::Status(options) => status::command(&arguments, options, environment),
        Command::Mute(options) => mute::command(&arguments, options, environment),
        Command::Unmute(options) => mute::end(&arguments, options, environment),
        Command::Retire(options) => retire::command(&arguments, options, environment),
        Command::Loop(options) => steer::command(&arguments, options, environment),
    };
    exit.into()
}

/// Runs an operator's command, which needs the store alone. Its error is that it was not done, and why.
fn with_store(arguments: &Arguments, environment: Environment, act: impl FnOnce(&Store) -> Result<(), String>) -> Exit {
    let store = settings::store(arguments, environment).map_err(|message| (message, Exit::Usage));
    match store.and_then(|store| act(&store).map_err(|message| (message, Exit::Failed))) {
        Ok(()) => Exit::Ok,
        Err((message, exit)) => {
            complain(&message);
            exit
        }
    }
}

/// A line on stdout. Whoever does not listen any more is no reason to fail.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{}", line.trim_end());
}

/// A line of JSON on stdout, in which everything shows as itself or is escaped: it may go to a terminal, and a stranger's
/// words may be in it.
fn print_json(value: &serde_json::Value) {
    let mut line = String::new();
    for c in value.to_string().chars() {
        if prints(c) {
            line.push(c);
        } else {
            line.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    print(&line);
}

/// A line on stderr, with our name, as cron's mails and logs want it. A stranger's words may be in it.
fn complain(message: &dyn Display) {
    stderr::complain(PROGRAM, message);
}

/// The text without what would not show as itself, such as an escape that the terminal would obey.
fn printable(text: &str) -> String {
    text.chars().filter(|&c| prints(c)).collect()
}

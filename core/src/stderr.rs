//! A program's lines on stderr. A closed pipe or a full disk is not an error.

use std::fmt::Display;
use std::io::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};
use simple_logger::SimpleLogger;

use crate::text::printable;

/// Prints a line on stderr, with the program's name first, as cron's mails and logs want it. A stranger's text may be
/// in it, so it leaves out what does not print, such as an escape that the terminal would obey.
pub fn complain(program: &str, message: &dyn Display) {
    let _ = writeln!(std::io::stderr(), "{program}: {}", printable(&message.to_string()));
}

/// Shows log lines from this level up, or as `RUST_LOG` says.
///
/// Panics if it was called before.
pub fn log(program: &'static str, level: LevelFilter) {
    let mut chosen = SimpleLogger::new().with_level(level).env();
    // Only our own lines are shown: the HTTP client's could hold secrets.
    for theirs in ["ureq", "ureq_proto", "lambda_runtime"] {
        chosen = chosen.with_module_level(theirs, LevelFilter::Warn);
    }
    log::set_max_level(chosen.max_level());
    log::set_boxed_logger(Box::new(Lines { program, chosen })).expect("there is no other logger");
}

/// The logger. `SimpleLogger` would print with `eprintln!`, which panics where stderr cannot be written.
struct Lines {
    program: &'static str,
    chosen: SimpleLogger,
}

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata) -> bool {
        self.chosen.enabled(metadata)
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let level = match record.level() {
            Level::Error => "error: ",
            Level::Warn => "warning: ",
            _ => "",
        };
        match record.target() {
            ours if ours.starts_with("pulse_echo") => {
                complain(self.program, &format_args!("{level}{}", record.args()));
            }
            other => complain(self.program, &format_args!("{level}{other}: {}", record.args())),
        }
    }

    fn flush(&self) {}
}

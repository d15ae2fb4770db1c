//! What a program says on stderr. A closed pipe or a full disk behind it is not an error.

use std::fmt::Display;
use std::io::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};
use simple_logger::SimpleLogger;

use crate::text::printable;

/// A line on stderr, with the program's name, as cron's mails and logs want it. A stranger's words may be in it: what
/// would not show as itself, such as an escape that the terminal would obey, is left out.
pub fn complain(program: &str, message: &dyn Display) {
    let _ = writeln!(std::io::stderr(), "{program}: {}", printable(&message.to_string()));
}

/// Has log lines shown, from this level up, or as `RUST_LOG` says.
///
/// Panics if that has been asked for before.
pub fn log(program: &'static str, level: LevelFilter) {
    let mut chosen = SimpleLogger::new().with_level(level).env();
    // What there is to see is ours; the HTTP client's own lines could show what is secret.
    for theirs in ["ureq", "ureq_proto", "lambda_runtime"] {
        chosen = chosen.with_module_level(theirs, LevelFilter::Warn);
    }
    log::set_max_level(chosen.max_level());
    log::set_boxed_logger(Box::new(Lines { program, chosen })).expect("there is no other logger");
}

/// The chosen lines. `SimpleLogger` would print them with `eprintln!`, which panics where stderr cannot be written to.
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

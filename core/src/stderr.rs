//! A program's lines on stderr. A closed pipe or a full disk is not an error.

use std::fmt::Display;
use std::io::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};
use simple_logger::SimpleLogger;

use crate::text::{printable, without_numbers};

/// Prints a line on stderr, with the program's name first, as cron's mails and logs want it. A stranger's text may be
/// in it, so it leaves out what does not print, such as an escape that the terminal would obey. It also
/// leaves out the numbers of the system's errors.
pub fn complain(program: &str, message: &dyn Display) {
    print(&format_args!("{program}: {message}"));
}

/// Prints a line on stderr, and leaves out what does not print and the numbers of the system's errors.
pub fn print(message: &dyn Display) {
    let _ = writeln!(std::io::stderr(), "{}", without_numbers(&printable(&message.to_string())));
}

/// Whether a log line may be shown at all. What there is to see is ours; the lines of libraries, such as those of the
/// HTTP client, could show what is secret.
pub fn may_show(metadata: &Metadata) -> bool {
    is_ours(metadata.target()) || metadata.level() <= Level::Warn
}

fn is_ours(target: &str) -> bool {
    target.starts_with("pulse_echo")
}

/// A log line as text.
pub fn line(program: &str, record: &Record) {
    let level = match record.level() {
        Level::Error => "error: ",
        Level::Warn => "warning: ",
        _ => "",
    };
    if is_ours(record.target()) {
        complain(program, &format_args!("{level}{}", record.args()));
    } else {
        complain(program, &format_args!("{level}{}: {}", record.target(), record.args()));
    }
}

/// Has log lines shown, from this level up, or as `RUST_LOG` says.
///
/// Panics if it was called before.
pub fn log(program: &'static str, level: LevelFilter) {
    log_by(level, Box::new(move |record| line(program, record)));
}

/// Shows a log line.
pub type Show = Box<dyn Fn(&Record) + Send + Sync>;

/// The same, with lines shown in the program's own way.
pub fn log_by(level: LevelFilter, show: Show) {
    let chosen = SimpleLogger::new().with_level(level).env();
    log::set_max_level(chosen.max_level());
    log::set_boxed_logger(Box::new(Lines { show, chosen })).expect("there is no other logger");
}

/// The logger. `SimpleLogger` would print with `eprintln!`, which panics where stderr cannot be written.
struct Lines {
    show: Show,
    chosen: SimpleLogger,
}

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata) -> bool {
        self.chosen.enabled(metadata) && may_show(metadata)
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            (self.show)(record);
        }
    }

    fn flush(&self) {}
}

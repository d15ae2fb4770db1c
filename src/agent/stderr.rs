//! What goes to stderr beside the commands' own complaints. That nobody reads it any more, or that the disk behind it is
//! full, is no reason to fail.

use std::panic::{self, PanicHookInfo};

use log::{Level, LevelFilter, Log, Metadata, Record};
use simple_logger::SimpleLogger;

use super::complain;
use super::exit::Exit;

/// Has log lines shown: warnings, or with `verbose` what is being done, or what `RUST_LOG` says.
pub fn log(verbose: bool) {
    // What there is to see is ours; the HTTP client's own lines could show what is secret.
    let level = if verbose { LevelFilter::Debug } else { LevelFilter::Warn };
    let chosen = SimpleLogger::new().with_level(level).env().with_module_level("ureq", LevelFilter::Warn);
    let chosen = chosen.with_module_level("ureq_proto", LevelFilter::Warn);
    log::set_max_level(chosen.max_level());
    log::set_boxed_logger(Box::new(Lines(chosen))).expect("there is no other logger");
}

/// The chosen lines. `SimpleLogger` would print them with `eprintln!`, which panics where stderr cannot be written to.
struct Lines(SimpleLogger);

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let level = if record.level() == Level::Warn { "warning: " } else { "" };
        match record.target() {
            ours if ours.starts_with("pulse_echo") => complain(&format_args!("{level}{}", record.args())),
            other => complain(&format_args!("{level}{other}: {}", record.args())),
        }
    }

    fn flush(&self) {}
}

/// From now on a panic of any thread is one line and ends the program with exit code 3.
pub fn panics_in_one_line() {
    panic::set_hook(Box::new(|info: &PanicHookInfo| {
        let place = info.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        let what = info.payload_as_str().unwrap_or("no reason given").replace('\n', " ");
        complain(&format_args!("this is a bug, please report it{place}: {what}"));
        std::process::exit(Exit::Panic.code().into());
    }));
}

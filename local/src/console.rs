//! The program's lines on stderr. The systemd journal gets each line's level, too.

use std::fmt::Display;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::{LazyLock, OnceLock};
use std::time::Instant;

use log::{Level, LevelFilter, Record};
use pulse_echo_core::stderr;

use crate::repeats::Repeats;
use crate::{NAME, complain};

/// Whether the journal reads the lines. Not set: it does not.
static IN_JOURNAL: OnceLock<bool> = OnceLock::new();

/// The warnings that were logged.
static REPEATS: LazyLock<Repeats> = LazyLock::new(Repeats::default);

/// Has log lines shown, from this level up. `journal_stream` is the environment's `JOURNAL_STREAM`, by which systemd
/// says which stream is the journal's.
///
/// Panics if it was called before.
pub fn start(level: LevelFilter, journal_stream: Option<&str>) {
    let stderr = fs::metadata("/proc/self/fd/2").map(|file| format!("{}:{}", file.dev(), file.ino())).ok();
    let _ = IN_JOURNAL.set(journal_stream.is_some() && journal_stream == stderr.as_deref());
    stderr::log_by(level, Box::new(show));
}

/// Prints a line.
pub(crate) fn print(level: Level, message: &dyn Display) {
    if IN_JOURNAL.get().copied().unwrap_or_default() {
        // As in sd-daemon(3). The journal has the program's name already.
        let number = match level {
            Level::Error => 3,
            Level::Warn => 4,
            Level::Info => 6,
            Level::Debug | Level::Trace => 7,
        };
        stderr::print(&format_args!("<{number}>{message}"));
    } else {
        stderr::complain(NAME, message);
    }
}

/// Shows a log line. Those of s3s are left out, whatever their level: they have bodies that strangers sent, and headers
/// with signatures.
fn show(record: &Record) {
    if record.target().starts_with("s3s") {
        return;
    }
    let kind = (record.target().to_owned(), record.line());
    if record.level() <= Level::Warn && !REPEATS.shows(kind, || record.args().to_string(), Instant::now()) {
        return;
    }
    if IN_JOURNAL.get().copied().unwrap_or_default() {
        print(record.level(), record.args());
    } else {
        stderr::line(NAME, record);
    }
}

/// Tells of the warnings that were not shown, for each minute that is over.
pub(crate) fn tell_repeats() {
    for sentence in REPEATS.ended(Instant::now()) {
        complain(&sentence);
    }
}

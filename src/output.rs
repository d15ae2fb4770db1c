//! A command's output: lines on stdout, complaints on stderr. A closed pipe is not an error.

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use pulse_echo_core::stderr;
use pulse_echo_core::text::{prints, without_numbers};
use serde_json::Value;

/// The prefix of lines on stderr.
pub const PROGRAM: &str = "pulse-echo";

/// Whether stdout failed, as on a full disk.
static IS_LOST: AtomicBool = AtomicBool::new(false);

/// Prints a line on stdout, without the numbers of the system's errors. That it could not be written is said once, on
/// stderr.
pub fn print(line: &str) {
    match writeln!(std::io::stdout(), "{}", without_numbers(line.trim_end())) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe && !IS_LOST.swap(true, Ordering::Relaxed) => {
            complain(&format_args!("cannot write to stdout: {error}"));
        }
        _ => {}
    }
}

/// Whether all lines for stdout were written, or nobody wants them any more.
pub fn has_arrived() -> bool {
    !IS_LOST.load(Ordering::Relaxed)
}

/// Prints a line of JSON on stdout. Control characters are escaped, since a stranger's text may be in it.
pub fn print_json(value: &Value) {
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

/// Prints a line on stderr, with the program's name first, as cron's mails and logs want it. A stranger's text may be
/// in it.
pub fn complain(message: &dyn Display) {
    stderr::complain(PROGRAM, message);
}

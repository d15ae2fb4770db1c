//! What a command says: lines on stdout, complaints on stderr. A closed pipe is not an error.

use std::fmt::Display;
use std::io::Write;

use pulse_echo_core::stderr;
use pulse_echo_core::text::prints;
use serde_json::Value;

/// What lines on stderr begin with.
pub const PROGRAM: &str = "pulse-echo";

/// Prints a line on stdout.
pub fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{}", line.trim_end());
}

/// Prints a line of JSON on stdout. Characters that a terminal would obey are escaped, since strangers' words may be in
/// it.
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

/// Prints a line on stderr that begins with the program's name, as cron's mails and logs want it. Strangers' words may
/// be in it.
pub fn complain(message: &dyn Display) {
    stderr::complain(PROGRAM, message);
}

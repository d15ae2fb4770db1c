//! Panics, which are bugs of ours, in one line.

use std::panic::{self, PanicHookInfo};

use super::exit::Exit;
use super::output::complain;

/// Makes a panic of any thread print one line and end the program with exit code 3.
pub fn panics_in_one_line() {
    panic::set_hook(Box::new(|info: &PanicHookInfo| {
        let place = info.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        let what = info.payload_as_str().unwrap_or("no reason given").replace('\n', " ");
        complain(&format_args!("this is a bug, please report it{place}: {what}"));
        std::process::exit(Exit::Panic.code().into());
    }));
}

//! Panics, which are bugs of ours, in one line.

use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicU8, Ordering};

use super::exit::Exit;
use super::output::complain;

/// The exit code after a panic.
static CODE: AtomicU8 = AtomicU8::new(Exit::Panic.code());

/// Makes a panic end the program with this exit code: a job's own, once it has ended.
pub fn end_with(code: u8) {
    CODE.store(code, Ordering::Relaxed);
}

/// Makes a panic of any thread print one line and end the program with exit code 3, or that of `end_with`.
pub fn panics_in_one_line() {
    panic::set_hook(Box::new(|info: &PanicHookInfo| {
        let place = info.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        let what = info.payload_as_str().unwrap_or("no reason given").replace('\n', " ");
        complain(&format_args!("this is a bug, please report it{place}: {what}"));
        std::process::exit(CODE.load(Ordering::Relaxed).into());
    }));
}

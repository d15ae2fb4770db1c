//! `make e2e`, on AWS: the template on an emulator with signatures, rights and https, by the scripts that people use.
//!
//! `cargo test --test aws_e2e -- WORD` ends after the last story whose sentence has that word. The stories before it
//! are told, too, as each goes on from what the one before it left.

mod cloud;
mod emulator;
mod http;
mod stories;
#[path = "../aws/template.rs"]
mod template;

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use cloud::{Cloud, NotStarted};
use pulse_echo_testkit::tally::Tally;

/// What is found to be as it should, or what is not.
type Outcome = Result<(), Box<dyn Error>>;

/// A sentence, and what sees whether it is true.
type Story = (&'static str, fn(&Cloud) -> Outcome);

fn main() -> ExitCode {
    let mut tally = Tally::new("aws_e2e");
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let cloud = match Cloud::start() {
        Ok(cloud) => cloud,
        Err(NotStarted::Tools) => {
            tally.leave_out("the template on an emulator", "its tools cannot be installed, see above");
            return tally.end();
        }
        Err(NotStarted::Emulator(why)) => {
            tally.count("the emulator runs", Err(why));
            return tally.end();
        }
    };
    let all: Vec<_> = stories::ALL.iter().copied().flatten().collect();
    let last = all.iter().rposition(|(what, _)| what.contains(&wanted));
    for (what, story) in &all[..last.map_or(0, |last| last + 1)] {
        if what.starts_with("with aws-cli 2") && wanted.is_empty() && std::env::var_os("E2E_ALL").is_none() {
            println!("left to `make e2e-all`: {what}");
            continue;
        }
        let start = Instant::now();
        let outcome = story(&cloud);
        if outcome.is_ok() {
            println!("ok: {what} ({:.1} s)", start.elapsed().as_secs_f32());
        }
        tally.count(what, outcome.map_err(|why| why.to_string()));
    }
    tally.end()
}

/// An error that says what was seen, unless it `holds`.
fn ensure(holds: bool, seen: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(seen().into()) }
}

//! `make e2e`, on AWS: the template on an emulator with signatures, rights and https, by the scripts that people use.
//!
//! `cargo test --test aws_e2e -- WORD` ends after the last story whose sentence has that word. The stories before it are
//! told, too, as each goes on from what the one before it left.

mod cloud;
mod emulator;
mod http;
mod stories;
#[path = "../aws/template.rs"]
mod template;

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use cloud::Cloud;

/// What is found to be as it should, or what is not.
type Outcome = Result<(), Box<dyn Error>>;

/// A sentence, and what sees whether it is true.
type Story = (&'static str, fn(&Cloud) -> Outcome);

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let cloud = match Cloud::start() {
        Ok(cloud) => cloud,
        Err(why) => {
            println!("FAILED: the emulator does not run: {why}");
            return ExitCode::FAILURE;
        }
    };
    let all: Vec<_> = stories::ALL.iter().copied().flatten().collect();
    let Some(last) = all.iter().rposition(|(what, _)| what.contains(&wanted)) else {
        println!("no story has {wanted:?}");
        return ExitCode::FAILURE;
    };
    let (mut passed, mut failed) = (0, 0);
    for (what, story) in &all[..=last] {
        let start = Instant::now();
        match story(&cloud) {
            Ok(()) => {
                println!("{what} ({:.1} s)", start.elapsed().as_secs_f32());
                passed += 1;
            }
            Err(why) => {
                println!("FAILED: {what}: {why}");
                failed += 1;
            }
        }
    }
    println!("aws_e2e: {passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// An error that says what was seen, unless it `holds`.
fn ensure(holds: bool, seen: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(seen().into()) }
}

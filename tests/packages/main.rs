//! `make e2e`, what `make dist` made: opened, compared, built and packed once more.
//!
//! It runs what a release is looked at with (lintian, rpmlint, readelf …), which `tools.sh` installs.

mod dist;
mod lints;
mod packages;
mod programs;
mod same;

use std::process::{Command, ExitCode};
use std::time::Instant;

/// What is found to be as it should, or what is not.
type Outcome = Result<(), String>;

/// A sentence, and what sees whether it is true.
type Check = (&'static str, fn() -> Outcome);

fn main() -> ExitCode {
    let tools = dist::checkout().join("tests/packages/tools.sh");
    if !Command::new(tools).status().is_ok_and(|status| status.success()) {
        return ExitCode::FAILURE;
    }
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let (mut passed, mut failed) = (0, 0);
    for (what, check) in [programs::CHECKS, packages::CHECKS, lints::CHECKS, same::CHECKS].into_iter().flatten() {
        if !what.contains(&wanted) {
            continue;
        }
        let start = Instant::now();
        match check() {
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
    println!("packages: {passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

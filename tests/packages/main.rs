//! `make e2e`, what `make dist` made: opened, compared, built and packed once more.
//!
//! It runs what a release is looked at with (lintian, rpmlint, readelf …), which `tools.sh` installs.

mod dist;
mod lints;
mod packages;
mod programs;
mod same;

use std::process::{Command, ExitCode};

use pulse_echo_testkit::tally::Tally;

/// What is found to be as it should, or what is not.
type Outcome = Result<(), String>;

/// A sentence, and what sees whether it is true.
type Check = (&'static str, fn() -> Outcome);

fn main() -> ExitCode {
    let tools = dist::checkout().join("tests/packages/tools.sh");
    if !Command::new(tools).status().is_ok_and(|status| status.success()) {
        return ExitCode::FAILURE;
    }
    let mut tally = Tally::new("packages");
    for (what, check) in [programs::CHECKS, packages::CHECKS, lints::CHECKS, same::CHECKS].into_iter().flatten() {
        tally.run(what, check);
    }
    tally.end()
}

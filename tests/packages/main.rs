//! `make e2e`: the output of `make dist` is opened, compared, built and packed again.
//!
//! It uses the tools for looking at a release (lintian, rpmlint, readelf …), which `tools.sh` installs.

mod dist;
mod lints;
mod notices;
mod packages;
mod programs;
mod same;

use std::process::{Command, ExitCode};

use pulse_echo_testkit::tally::Tally;

/// Success, or what is wrong.
type Outcome = Result<(), String>;

/// A sentence, and a function that tests whether it is true.
type Check = (&'static str, fn() -> Outcome);

fn main() -> ExitCode {
    let tools = dist::checkout().join("tests/packages/tools.sh");
    if !Command::new(tools).status().is_ok_and(|status| status.success()) {
        return ExitCode::FAILURE;
    }
    let mut tally = Tally::new("packages");
    for (what, check) in
        [programs::CHECKS, packages::CHECKS, notices::CHECKS, lints::CHECKS, same::CHECKS].into_iter().flatten()
    {
        tally.run(what, check);
    }
    tally.end()
}

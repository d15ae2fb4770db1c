//! Counts checks that passed, failed or were left out: for tests that are programs of their own, and for tests that
//! need a tool that a machine may lack.

use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::time::Instant;

/// Counts the checks of a program, and prints the result of each.
pub struct Tally {
    name: &'static str,
    wanted: Vec<String>,
    /// How many checks passed.
    pub passed: usize,
    failed: usize,
    left_out: usize,
}

impl Tally {
    /// An empty tally. It runs only checks whose names contain all of the program's arguments, in letters
    /// of any case.
    pub fn new(name: &'static str) -> Self {
        Self { name, wanted: env::args().skip(1).collect(), passed: 0, failed: 0, left_out: 0 }
    }

    /// Runs a check if it is wanted. An error and a panic are failures.
    pub fn run(&mut self, what: &str, check: impl FnOnce() -> Result<(), String>) {
        if !self.wants(what) {
            return;
        }
        let started = Instant::now();
        let outcome = panic::catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|_| Err("it panicked".into()));
        if outcome.is_ok() {
            println!("ok: {what} ({:.1} s)", started.elapsed().as_secs_f64());
        }
        self.count(what, outcome);
    }

    /// Whether a check of this name is to run.
    pub fn wants(&self, what: &str) -> bool {
        let what = what.to_lowercase();
        self.wanted.iter().all(|part| what.contains(&part.to_lowercase()))
    }

    /// Counts the result of a check. Prints only a failure.
    pub fn count(&mut self, what: &str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(why) => {
                println!("FAILED: {what}: {why}");
                self.failed += 1;
            }
        }
    }

    /// Counts a check that cannot run here. Under `CI` it fails.
    pub fn leave_out(&mut self, what: &str, why: &str) {
        println!("left out: {what}: {why}");
        self.left_out += 1;
    }

    /// Prints the sum. Returns the program's exit code.
    pub fn end(self) -> ExitCode {
        let Self { name, passed, failed, left_out, .. } = self;
        println!("{name}: {passed} passed, {failed} failed, {left_out} left out");
        if passed + failed + left_out == 0 {
            println!("{name}: no check has that in its name");
            return ExitCode::FAILURE;
        }
        if failed == 0 && (left_out == 0 || !is_ci()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Says that this test is left out, and why. Under `CI` it fails: otherwise it could pass for ever without running.
#[track_caller]
pub fn left_out(why: &str) {
    assert!(!is_ci(), "{why}; tests/tools.sh installs what the tests need");
    eprintln!("left out: {why}");
}

fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty())
}

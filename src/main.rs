//! The agent's program: it passes on arguments and environment, and returns an exit code.

use std::process::ExitCode;

use pulse_echo_core::environment::{self, Environment};

fn main() -> ExitCode {
    let variables = environment::readable(std::env::vars_os());
    let value = |name: &str| variables.as_ref().ok().and_then(|variables| variables.get(name).cloned());
    pulse_echo::main(std::env::args_os().skip(1), Environment::new(&value), variables.as_ref().err())
}

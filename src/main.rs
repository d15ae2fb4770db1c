//! The agent's program: it passes on arguments and environment, and returns an exit code.

use std::process::ExitCode;

use pulse_echo_core::environment::Environment;

fn main() -> ExitCode {
    pulse_echo::main(std::env::args_os().skip(1), Environment::new(&|name| std::env::var(name).ok()))
}

//! How a command ends: exit codes, for cron, Nagios and people.

use std::process::ExitCode;

use pulse_echo_core::store::Error;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; for `check` and `run`: OK.
    Ok,
    /// `send` and others: it failed.
    Failed,
    /// `send` and others: wrong usage or configuration.
    Usage,
    /// `check`: something needs attention (Nagios: WARNING).
    Warning,
    /// `check` and `run`: it is down, or seems so (Nagios: CRITICAL).
    Critical,
    /// `check` and `run`: the state is unknown (Nagios: UNKNOWN).
    Unknown,
    /// The program itself has a bug.
    Panic,
}

impl Exit {
    /// The code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed | Self::Warning => 1,
            Self::Usage | Self::Critical => 2,
            Self::Unknown | Self::Panic => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command was not done: a sentence, and the exit code.
pub struct Failure {
    /// What happened, and what to do.
    pub message: String,
    /// How the command ends.
    pub exit: Exit,
}

impl Failure {
    /// What was asked for does not fit.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: Exit::Usage }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { message, exit: Exit::Failed }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        error.to_string().into()
    }
}

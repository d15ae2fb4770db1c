//! Exit codes, for cron, Nagios and people.

use std::process::ExitCode;

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
    pub fn code(self) -> u8 {
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

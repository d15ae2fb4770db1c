//! Exit codes: what cron, Nagios and people branch on.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; for `check` and `run`: OK.
    Ok,
    /// `send` and others: not done.
    Failed,
    /// `send` and others: wrong usage or configuration.
    Usage,
    /// `check`: something wants looking after (Nagios: WARNING).
    Warning,
    /// `check` and `run`: it is down, or seems so (Nagios: CRITICAL).
    Critical,
    /// `check` and `run`: it could not be told (Nagios: UNKNOWN).
    Unknown,
    /// The program itself is broken.
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

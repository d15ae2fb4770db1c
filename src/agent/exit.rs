//! Exit codes: what cron, Nagios and people branch on.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; for `run`: OK.
    Ok,
    /// `send` and others: not done.
    Failed,
    /// `send` and others: wrong usage or configuration.
    Usage,
    /// `run`: the check has failed (Nagios: CRITICAL).
    Critical,
    /// `run`: could not be asked (Nagios: UNKNOWN).
    Unknown,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::Usage | Exit::Critical => 2,
            Exit::Unknown => 3,
        })
    }
}

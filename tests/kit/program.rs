//! Which agent is tested.

use std::env;
use std::ffi::OsString;

/// This build's own agent, or the one that `PULSE_ECHO_AGENT` names: `make e2e` tests what `make dist` made.
pub fn agent() -> OsString {
    env::var_os("PULSE_ECHO_AGENT").unwrap_or_else(|| env!("CARGO_BIN_EXE_pulse-echo").into())
}

//! What an outage was, in words.

use crate::answer::Cause;
use crate::status::State;

/// `failing (status): status 500, expected 200`, `silent (muted)`. A stranger's text may be in it.
pub fn outage(state: State, cause: Option<Cause>, reason: Option<&str>, is_muted: bool) -> String {
    let cause = cause.map(|cause| format!(" ({cause})")).unwrap_or_default();
    let muted = if is_muted { " (muted)" } else { "" };
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{state}{cause}{muted}{reason}")
}

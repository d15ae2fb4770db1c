//! Schedules: of an `EventBridge` rule, and of `EventBridge` Scheduler.

use serde_json::Value;

/// Whether an event that names its `source` is a schedule; `None` if it names none.
///
/// The `detail` is not read: a rule's is an object, Scheduler's a text.
pub(super) fn read(event: &Value) -> Option<bool> {
    let source = event["source"].as_str()?;
    Some(matches!(source, "aws.events" | "aws.scheduler"))
}

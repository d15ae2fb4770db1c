//! Notes of a topic: as Lambda gives them, and as a queue that subscribes the topic holds them.

use serde_json::Value;

use super::Text;

/// Whether a record is a note of SNS.
pub(super) fn is_note(record: &Value) -> bool {
    record["EventSource"] == "aws:sns"
}

/// What a note says.
pub(super) fn text(record: &Value) -> Text {
    Text::read(record["Sns"]["Message"].as_str().unwrap_or_default().into())
}

/// What a note says that lies in a queue; `None` if the body is no envelope of SNS, as with raw delivery.
pub(super) fn without_envelope(body: &str) -> Option<String> {
    let Ok(Value::Object(mut envelope)) = serde_json::from_str(body) else { return None };
    let is_note = envelope.get("Type")? == "Notification" && envelope.get("TopicArn")?.is_string();
    match envelope.remove("Message") {
        Some(Value::String(message)) if is_note => Some(message),
        _ => None,
    }
}

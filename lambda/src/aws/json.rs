//! AWS's JSON protocol: the action is in a header, and an error comes as `{"__type": "…", "message": "…"}`.

use std::time::Instant;

use serde_json::Value;

use super::Service;
use crate::web::{Answer, Missed};

/// Posts a request for this action, such as `AmazonSQS.SendMessage`. An answer of any status is an answer.
pub(super) fn post(
    service: &Service,
    content_type: &str,
    action: &str,
    body: &Value,
    deadline: Instant,
) -> Result<Answer, Missed> {
    service.post(&[("content-type", content_type), ("x-amz-target", action)], &body.to_string(), deadline)
}

/// The service's refusal: the type of the error without its namespace, and a sentence with it and the first line of the
/// message. Further lines may repeat the session token.
pub(super) fn refusal(answer: &mut Answer) -> (String, String) {
    let said: Value = answer.text().ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let code = said["__type"].as_str().unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default();
    let message = said["message"].as_str().or(said["Message"].as_str()).unwrap_or_default();
    let parts = [code, message.lines().next().unwrap_or_default()];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (code.to_string(), parts.join(": "))
}

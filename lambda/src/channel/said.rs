//! What a receiver says of a message that it refuses.

use serde_json::Value;

use crate::web::{Answer, Missed};

/// Takes a 2xx as yes; otherwise the error has the receiver's own reason, if its answer is JSON with one.
pub(super) fn taken(mut answer: Answer) -> Result<(), Missed> {
    if answer.is_2xx() {
        return Ok(());
    }
    let said = answer.text().ok().and_then(|said| reason(&said));
    Err(answer.refusal(&said.unwrap_or_default()))
}

/// The reason in an answer of JSON, without what may be an address: that may hold the secret.
pub(super) fn reason(text: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(text).ok()?;
    let reason = ["message", "error", "msg"].iter().find_map(|name| answer.get(name)?.as_str());
    let first = answer.pointer("/errors/0").or(answer.as_str().map(|_| &answer)).and_then(Value::as_str);
    let both: Vec<_> = reason.into_iter().chain(first).flat_map(str::split_whitespace).collect();
    let words: Vec<_> = both.into_iter().map(|word| if word.contains('/') { "…" } else { word }).collect();
    Some(words.join(" ")).filter(|reason| !reason.is_empty())
}

//! Compare-and-set: an object that several may change is read, changed, and written once, on the condition that nobody
//! else has changed it meanwhile.

#[cfg(test)]
mod tests;

use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::{Condition, Store};

/// What became of a write. That there was nothing to write is for the caller to tell, before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The store took it; on this the next write depends.
    Won(Condition),
    /// Others changed the object meanwhile: who wants to go on reads it again.
    Lost,
    /// No answer came, and the object is still what it was before: nobody has written anything. Why.
    Unwritten(String),
}

/// Writes an object of JSON once, on `condition`.
///
/// An answer may be lost. Then the object itself tells who won: the writer whose body is there. So each write's body
/// has to differ from all others, which a `by` of [random bits](pulse_echo_core::random::id) that is new for each write
/// sees to. A request's id would not do: Lambda's own retries repeat it. A write that was taken and then replaced
/// counts as lost.
pub(crate) fn write(store: &Store, key: &Key, body: &[u8], condition: &Condition) -> Result<Written, String> {
    let error = match store.put(key, "application/json", body, &Metadata::new(), condition) {
        Ok(taken) => return Ok(Written::Won(Condition::IfMatch(taken.etag))),
        Err(error) => error,
    };
    if error.is_precondition() || error.is_conflict() || error.is_missing() {
        return Ok(Written::Lost);
    }
    if !error.is_in_doubt() {
        return Err(error.to_string());
    }
    let (there, is_ours) = match store.get(key, body.len() as u64) {
        Ok(there) => (Condition::IfMatch(there.etag), there.body.as_deref() == Some(body)),
        Err(gone) if gone.is_missing() => (Condition::IfAbsent, false),
        // The first error says more.
        Err(_) => return Err(error.to_string()),
    };
    Ok(match there {
        there if is_ours => Written::Won(there),
        there if there == *condition => Written::Unwritten(error.to_string()),
        _ => Written::Lost,
    })
}

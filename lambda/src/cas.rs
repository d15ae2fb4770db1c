//! Compare-and-set, for an object with several writers: it is read, changed, and written once, on the condition that
//! nobody else has changed it meanwhile.

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::io::{self, Read};

use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::{Condition, Content, Store};

/// How much of two bodies is compared at once, in bytes.
const PIECE: usize = 4 * 1024;

/// The result of a write. Whether there is anything to write is for the caller to decide before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The store took it. The next write depends on this condition.
    Won(Condition),
    /// Others changed the object meanwhile. To go on, read it again.
    Lost,
    /// No answer came, and the object is unchanged: nobody has written anything. This says why.
    Unwritten(String),
}

/// Writes a JSON object once, on `condition`.
///
/// An answer may be lost. Then the object itself tells who won: the writer whose body is there. So the body of each
/// write must be unique: a `by` of [random bits](pulse_echo_core::random::id), new for each write, makes it so. A
/// request's id would not do: Lambda's own retries repeat it. A write that was taken and then replaced counts as lost.
pub(crate) fn write(store: &Store, key: &Key, body: &dyn Content, condition: &Condition) -> Result<Written, String> {
    let error = match store.put_content(key, "application/json", body, &Metadata::new(), condition) {
        Ok(taken) => return Ok(Written::Won(Condition::IfMatch(taken.etag))),
        Err(error) => error,
    };
    if error.is_precondition() || error.is_conflict() || error.is_missing() {
        return Ok(Written::Lost);
    }
    if !error.is_in_doubt() {
        return Err(error.to_string());
    }
    let is_ours = Cell::new(false);
    let compare = |there: &mut dyn Read| {
        is_ours.set(is_same(there, &mut body.reader())?);
        Ok(())
    };
    let (there, is_ours) = match store.read(key, body.size(), &compare) {
        Ok(there) => (Condition::IfMatch(there.etag), is_ours.get()),
        Err(gone) if gone.is_missing() => (Condition::IfAbsent, false),
        // The first error is the more useful.
        Err(_) => return Err(error.to_string()),
    };
    Ok(match there {
        there if is_ours => Written::Won(there),
        there if there == *condition => Written::Unwritten(error.to_string()),
        _ => Written::Lost,
    })
}

/// Whether both bodies are the same.
fn is_same(a: &mut dyn Read, b: &mut dyn Read) -> io::Result<bool> {
    let (mut of_a, mut of_b) = ([0; PIECE], [0; PIECE]);
    loop {
        let (count_a, count_b) = (fill(a, &mut of_a)?, fill(b, &mut of_b)?);
        if of_a[..count_a] != of_b[..count_b] {
            // To its end, so that the connection can be reused.
            io::copy(a, &mut io::sink())?;
            return Ok(false);
        }
        if count_a < PIECE {
            return Ok(true);
        }
    }
}

/// Reads until `piece` is full or all was read. Returns how much was read.
fn fill(from: &mut dyn Read, piece: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < piece.len() {
        match from.read(&mut piece[count..])? {
            0 => break,
            more => count += more,
        }
    }
    Ok(count)
}

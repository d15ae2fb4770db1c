//! Many entries in several requests.

use crate::outbox::entry::{Entry, Outcome};
use crate::web::Missed;

/// How many entries one request carries at most. Even with the longest names it stays below the limit of receivers and
/// SNS (256 KiB), and it is known which requests were taken.
pub(super) const PART: usize = 200;

/// Sends entries by `send`, at most `part` in a request, until a request fails.
pub(super) fn in_parts(entries: &[Entry], part: usize, send: impl Fn(&[Entry]) -> Result<(), Missed>) -> Outcome {
    let mut taken = 0;
    for part in entries.chunks(part) {
        match send(part) {
            Ok(()) => taken += part.len(),
            Err(Missed { sure: true, after, why }) => return Outcome::NotTaken { taken, after, why },
            Err(Missed { sure: false, why, .. }) => return Outcome::Ambiguous { taken, why },
        }
    }
    Outcome::Taken
}

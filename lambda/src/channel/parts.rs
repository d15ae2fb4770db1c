//! Many entries, sent as several requests.

use crate::outbox::entry::{Entry, Outcome};
use crate::web::Missed;

/// How many entries one request carries at most: even with the longest names it stays below what receivers and SNS
/// take (256 KiB), and what is taken is known in steps.
pub(super) const PART: usize = 200;

/// Sends entries by `send`, at most `part` at once, until a request fails.
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

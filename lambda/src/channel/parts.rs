//! Many entries in several requests.

use crate::outbox::entry::{Entry, Outcome};
use crate::web::Missed;

/// How many entries one request carries at most: it is known which requests were taken.
pub(super) const PART: usize = 200;

/// How many bytes one request's entries take at most: the limit of receivers and SNS is 256 KiB.
pub(super) const BYTES: usize = 200 * 1024;

/// Sends entries by `send`, at most `most` in a request, and by `size` at most [`BYTES`] but for one entry alone, until
/// a request fails. One that is refused for good is halved, until a single entry is refused.
pub(super) fn in_parts(
    entries: &[Entry],
    mut most: usize,
    size: impl Fn(&Entry) -> usize,
    send: impl Fn(&[Entry]) -> Result<(), Missed>,
) -> Outcome {
    let mut taken = 0;
    while taken < entries.len() {
        let part = part(&entries[taken..], most, &size);
        match send(part) {
            Ok(()) => taken += part.len(),
            Err(Missed { for_good: true, why, .. }) if part.len() == 1 => return Outcome::Refused { taken, why },
            Err(Missed { for_good: true, .. }) => most = part.len() / 2,
            Err(Missed { sure: true, after, why, .. }) => return Outcome::NotTaken { taken, after, why },
            Err(Missed { sure: false, why, .. }) => return Outcome::Ambiguous { taken, why },
        }
    }
    Outcome::Taken
}

/// The first entries, as many as fit.
fn part<'a>(entries: &'a [Entry], most: usize, size: &impl Fn(&Entry) -> usize) -> &'a [Entry] {
    let mut bytes = 0;
    let fits = |entry: &&Entry| {
        bytes += size(entry);
        bytes <= BYTES
    };
    let count = entries.iter().take(most).take_while(fits).count();
    &entries[..count.max(1)]
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use pulse_echo_core::clock::Time;
    use pulse_echo_core::status::Fact;

    use super::*;
    use crate::outbox::entry::What;

    fn entries(count: usize) -> Vec<Entry> {
        let what = || What::Fact(Fact::Test);
        let entry = |n: usize| Entry { id: n.to_string(), at: Time::from_second(0), what: what(), course: None };
        (0..count).map(entry).collect()
    }

    fn refusal() -> Missed {
        Missed { sure: true, for_good: true, after: None, why: "status 413".into() }
    }

    /// The outcome, and the first and the number of entries of each request. Requests with entry `bad` are refused.
    fn sent(count: usize, size: impl Fn(&Entry) -> usize, bad: Option<&str>) -> (Outcome, Vec<(String, usize)>) {
        let requests = RefCell::new(Vec::new());
        let outcome = in_parts(&entries(count), PART, size, |part| {
            requests.borrow_mut().push((part[0].id.clone(), part.len()));
            if part.iter().any(|entry| Some(entry.id.as_str()) == bad) { Err(refusal()) } else { Ok(()) }
        });
        (outcome, requests.into_inner())
    }

    #[test]
    fn parts_are_cut_by_bytes_and_one_that_is_too_large_goes_alone() {
        let size = |entry: &Entry| if entry.id == "3" { BYTES + 1 } else { BYTES / 2 };
        let (outcome, requests) = sent(6, size, None);
        assert_eq!(outcome, Outcome::Taken);
        let expected = [("0", 2), ("2", 1), ("3", 1), ("4", 2)].map(|(id, count)| (id.to_string(), count));
        assert_eq!(requests, expected);
    }

    #[test]
    fn a_part_that_is_refused_for_good_is_halved_down_to_the_entry_that_is() {
        let (outcome, requests) = sent(401, |_| 1, Some("130"));
        assert_eq!(outcome, Outcome::Refused { taken: 130, why: "status 413".into() });
        assert_eq!((requests[0].1, requests[1].1, requests[2].1), (200, 100, 100));
        assert_eq!(requests.last(), Some(&("130".to_string(), 1)));
        assert!(requests.len() <= 16, "{requests:?}");
        let (outcome, requests) = sent(1, |_| 1, Some("0"));
        assert_eq!((outcome, requests.len()), (Outcome::Refused { taken: 0, why: "status 413".into() }, 1));
    }
}

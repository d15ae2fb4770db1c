//! Warnings that come again and again, as strangers like: of each kind a few are shown in a minute, the others are
//! counted. So nobody fills the log.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many of one kind are shown in a minute.
const SHOWN: usize = 5;
const MINUTE: Duration = Duration::from_secs(60);

/// The kind of a warning: where in the code it comes from.
pub(crate) type Kind = (String, Option<u32>);

/// What came within the last minute.
#[derive(Default)]
pub(crate) struct Repeats(Mutex<BTreeMap<Kind, Seen>>);

struct Seen {
    since: Instant,
    count: usize,
    last: String,
}

impl Repeats {
    /// Counts a warning. Whether it is to be shown.
    pub(crate) fn shows(&self, kind: Kind, text: impl FnOnce() -> String, now: Instant) -> bool {
        let mut all = self.all();
        let seen = all.entry(kind).or_insert_with(|| Seen { since: now, count: 0, last: String::new() });
        seen.count += 1;
        let shows = seen.count <= SHOWN;
        if !shows {
            seen.last = text();
        }
        shows
    }

    /// Ends the minutes that are over. Returns a sentence for each kind of which some were not shown.
    pub(crate) fn ended(&self, now: Instant) -> Vec<String> {
        let mut sentences = Vec::new();
        self.all().retain(|_, Seen { since, count, last }| {
            let is_over = now.saturating_duration_since(*since) >= MINUTE;
            if is_over && *count > SHOWN {
                sentences.push(format!("{} more such lines in a minute, the last of them: {last}", *count - SHOWN));
            }
            !is_over
        });
        sentences
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Kind, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_kind_a_few_are_shown_in_a_minute_and_the_others_counted() {
        let (repeats, start) = (Repeats::default(), Instant::now());
        let kind = |line| ("probe".to_owned(), Some(line));
        let shown = |line, seconds| {
            let at = start + Duration::from_secs(seconds);
            (0..60).filter(|n| repeats.shows(kind(line), || format!("skipped {n}"), at)).count()
        };
        assert_eq!([shown(1, 0), shown(2, 1), shown(1, 30)], [5, 5, 0]);
        assert_eq!(repeats.ended(start + Duration::from_secs(59)), [] as [String; 0]);
        let sentences = repeats.ended(start + Duration::from_secs(60));
        assert_eq!(sentences, ["115 more such lines in a minute, the last of them: skipped 59"]);
        assert!(repeats.shows(kind(1), String::new, start + Duration::from_secs(60)));
        let sentences = repeats.ended(start + Duration::from_secs(120));
        assert_eq!(sentences.len(), 1, "what was shown whole is not told again: {sentences:?}");
    }
}

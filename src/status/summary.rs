//! The first lines: whether the loop is alive, the counts of checks, and whether messages arrive.

use crate::fleet::{Fleet, channels_in_trouble};
use crate::look::{self, Look};
use crate::outcome::{Outcome, Severity, Subject};
use crate::verdict;
use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::store::Store;
use pulse_echo_core::view::{Row, counts};
use pulse_echo_core::words;

/// The state of the loop.
pub struct Watch {
    /// The loop's mark and when it was read, if the mark is there.
    pub mark: Option<(Mark, Time)>,
    /// The outcome for the loop.
    pub outcome: Outcome,
}

impl Watch {
    /// Looks at the loop. If that fails, the failure is the outcome.
    pub fn look(store: &Store) -> Self {
        let mark = look::mark(store);
        let outcome = match &mark {
            Ok(mark) => verdict::judge_loop(mark.clone()),
            Err(error) => Outcome::new(Subject::Loop, Severity::Unknown, error.to_string()),
        };
        Self { mark: mark.ok().and_then(Look::there), outcome }
    }

    /// Whether the loop is in trouble: then the rows may be old.
    pub fn is_trouble(&self) -> bool {
        !self.outcome.text.is_empty()
    }
}

/// The summary's lines. Trouble with the loop comes first, since it puts everything below it in doubt.
pub fn lines(fleet: &Fleet, rows: &[Row], watch: &Watch) -> Vec<String> {
    let trouble = watch.is_trouble().then(|| watch.outcome.sentence());
    let swept = watch.mark.as_ref().and_then(|(mark, now)| {
        let swept = mark.swept.filter(|swept| !swept.is_ahead(*now))?;
        Some(words::duration(swept.age(*now)))
    });
    let swept = swept.map_or_else(|| format!("as of {}", fleet.status.written), |ago| format!("last swept {ago} ago"));
    let checks = format!("{}; {swept}", counts(rows));
    trouble.into_iter().chain([checks]).chain(channels_in_trouble(fleet)).collect()
}

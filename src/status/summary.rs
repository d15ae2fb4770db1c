//! The first lines: whether the loop is alive, the counts of checks, and whether messages arrive.

use super::row::Row;
use crate::fleet::{Fleet, channels_in_trouble};
use crate::look::{self, Look};
use crate::outcome::{Outcome, Severity, Subject};
use crate::verdict;
use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::status::State;
use pulse_echo_core::store::Store;
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

/// Counts the checks for which `is_counted` holds.
pub fn count(rows: &[Row], is_counted: impl Fn(&Row) -> bool) -> usize {
    rows.iter().filter(|row| is_counted(row)).count()
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

/// `5 checks: 2 down (1 silent, 1 failing), 1 late, 2 up; 1 muted`
fn counts(rows: &[Row]) -> String {
    let of_state = |state: State| count(rows, |row| row.record.state == state && !row.is_late);
    let counted = |number: usize, word: &str| (number > 0).then(|| format!("{number} {word}"));
    let listed = |states: &[State]| {
        let counts = states.iter().filter_map(|&state| counted(of_state(state), &state.to_string()));
        counts.collect::<Vec<_>>().join(", ")
    };
    let down = counted(count(rows, |row| row.record.state.is_down()), "down")
        .map(|down| format!("{down} ({})", listed(&[State::Silent, State::Failing, State::Unanswered])));
    let late = counted(count(rows, |row| row.is_late), "late");
    let others = Some(listed(&[State::New, State::Up, State::Gone])).filter(|others| !others.is_empty());
    let kinds: Vec<_> = [down, late, others].into_iter().flatten().collect();
    let all = match rows.len() {
        0 => return "no check yet: no host has sent a pulse".into(),
        1 => "1 check".into(),
        many => format!("{many} checks"),
    };
    let muted =
        counted(count(rows, |row| row.mute.is_some()), "muted").map_or_else(String::new, |text| format!("; {text}"));
    format!("{all}: {}{muted}", kinds.join(", "))
}

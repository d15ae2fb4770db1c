//! How many checks are in which state, in a line.

use super::Row;
use crate::status::State;
use crate::words::grouped;

/// Counts the checks for which `is_counted` holds.
pub fn count(rows: &[Row], is_counted: impl Fn(&Row) -> bool) -> usize {
    rows.iter().filter(|row| is_counted(row)).count()
}

/// `5 checks: 2 down (1 silent, 1 failing), 1 late, 2 up; 1 muted`
pub fn counts(rows: &[Row]) -> String {
    let of_state = |state: State| count(rows, |row| row.record.state == state && !row.is_late);
    let counted = |number: usize, word: &str| (number > 0).then(|| format!("{} {word}", grouped(number)));
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
        many => format!("{} checks", grouped(many)),
    };
    let muted =
        counted(count(rows, |row| row.mute.is_some()), "muted").map_or_else(String::new, |text| format!("; {text}"));
    format!("{all}: {}{muted}", kinds.join(", "))
}

//! The table: a line for each check, or two lines if a text does not fit the terminal.

use crate::terminal::Terminal;
use pulse_echo_core::clock::Time;
use pulse_echo_core::status::State;
use pulse_echo_core::text::{cut, printable};
use pulse_echo_core::view::Row;
use pulse_echo_core::words;

/// The heads of the columns.
const HEADS: [&str; 4] = ["STATE", "FOR", "CHECK", "WHY"];

/// The space between two columns, and before a text on a line of its own.
const GAP: &str = "  ";

/// The column WHY is shown only if at least this many characters fit.
const LEAST_TEXT: usize = 40;

/// The widest name within its column. A longer name does not widen the column for all.
const WIDEST_NAME: usize = 40;

/// Renders the rows as text, without a final line break.
pub fn of(rows: &[Row], now: Time, terminal: &Terminal) -> String {
    let cells: Vec<_> =
        rows.iter().map(|row| [row.word(), words::duration(row.lasts(now)), row.id.to_string()]).collect();
    let width = |column: usize| {
        let lengths = cells.iter().map(|cells| length(&cells[column]));
        lengths.chain([length(HEADS[column])]).max().unwrap_or_default()
    };
    let widths = [width(0), width(1), width(2).min(WIDEST_NAME)];
    let room = |beginning: &str| terminal.width.map(|width| width.saturating_sub(length(beginning)));

    let mut lines = Vec::new();
    let heads = beginning(HEADS[0], HEADS[1], HEADS[2], widths);
    let has_room = room(&heads).is_none_or(|room| room >= LEAST_TEXT);
    lines.push(if has_room { heads + HEADS[3] } else { heads.trim_end().into() });
    for (row, [word, lasts, name]) in rows.iter().zip(&cells) {
        let beginning = beginning(word, lasts, name, widths);
        let room = room(&beginning);
        let coloured = coloured(row, word, terminal) + &beginning[word.len()..];
        let text = printable(&row.text(now));
        if room.is_none_or(|room| room >= LEAST_TEXT) {
            lines.push(format!("{coloured}{}", fitted(&text, room)).trim_end().into());
        } else {
            lines.push(coloured.trim_end().into());
            let room = terminal.width.map(|width| width - GAP.len());
            lines.extend((!text.is_empty()).then(|| format!("{GAP}{}", fitted(&text, room))));
        }
    }
    lines.join("\n")
}

fn beginning(word: &str, lasts: &str, name: &str, [words, times, names]: [usize; 3]) -> String {
    format!("{word:<words$}{GAP}{lasts:>times$}{GAP}{name:<names$}{GAP}")
}

/// The word for a check in its colour.
pub fn coloured(row: &Row, word: &str, terminal: &Terminal) -> String {
    match row.record.state {
        state if state.is_down() && row.mute.is_none() => terminal.red(word),
        State::Up if !row.is_late && row.record.missing.is_none() => terminal.green(word),
        State::New | State::Gone if !row.is_late => word.into(),
        _ => terminal.yellow(word),
    }
}

/// The width in characters: most terminals show all characters equally wide.
fn length(text: &str) -> usize {
    text.chars().count()
}

fn fitted(text: &str, room: Option<usize>) -> String {
    room.map_or_else(|| text.into(), |room| cut(text, room))
}

//! Messages for people: entries as lines. Entries that do not fit are counted.
//!
//! All channels for people use these words. Texts from hosts and services are escaped and cut, so they can neither
//! begin a line nor fill a message. A name that a shell would interpret is quoted in commands.

mod fact;
mod measure;
#[cfg(test)]
mod tests;

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Down, Fact, State};

use crate::outbox::entry::{Count, Counts, Entry, What};
use fact::{Detail, label, sentence, silent_together, whole};
use measure::{checks, command, name, names};
use pulse_echo_core::words::grouped;

pub(super) use measure::last_words;

/// How many lines a message has at most, apart from the line that counts the others and the last line.
const LINES: usize = 15;

/// The longest subject, in characters. SNS refuses longer subjects.
const SUBJECT_ROOM: usize = 99;

/// The longest line, in bytes after escaping. Only names that need much escaping make a line longer than this.
const LINE_ROOM: usize = 1_200;

/// With more lines than this, each line says less.
const FULL_LINES: usize = 5;

/// Renders the whole message. Each line passes through `escape`; after that, the message has at most `room` bytes, and
/// `room` must be 2,500 at least. Facts about many checks, or about us, come first. Entries that do not fit are
/// counted.
pub(super) fn message(entries: &[Entry], room: usize, escape: impl Fn(&str) -> String) -> String {
    let groups = groups(entries);
    let detail = if groups.len() > FULL_LINES { Detail::Brief } else { Detail::Full };
    let (mut all, ones): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| concerns_many(group[0]));
    all.extend(ones);
    let end = end(entries).map(|end| escape(&end));
    // What is left for lines, after the count of the others and the end.
    let mut left = room.saturating_sub(end.as_ref().map_or(0, String::len) + 300);
    let mut text = Vec::new();
    for group in &all {
        let line = fitted(&group_line(group, detail), &escape);
        if text.len() == LINES || line.len() + 1 > left {
            break;
        }
        left -= line.len() + 1;
        text.push(line);
    }
    let others: Vec<_> = all[text.len()..].iter().flatten().copied().collect();
    if !others.is_empty() {
        text.push(format!("… and {} more: {}.", grouped(others.len()), tally(&others)));
    }
    text.extend(end);
    text.join("\n")
}

/// Escapes a line, and leaves out its middle if it is too long.
fn fitted(line: &str, escape: impl Fn(&str) -> String) -> String {
    let escaped = escape(line);
    // An escape replaces a character with five at most.
    if escaped.len() <= LINE_ROOM { escaped } else { escape(&pulse_echo_core::text::line(line, LINE_ROOM / 5)) }
}

/// Renders one entry alone, in one line.
pub(super) fn line(entry: &Entry) -> String {
    detailed_line(entry, Detail::Full)
}

fn detailed_line(entry: &Entry, detail: Detail) -> String {
    let text = match &entry.what {
        What::Fact(fact) => sentence(fact, entry.at, detail),
        What::Whole(fact) => whole(fact, entry.at),
        What::Summary(summary) => summed_up(summary),
    };
    format!("{}: {text}", kind(entry))
}

/// The subject of a message: a few words of ASCII, in one line of at most 99 characters.
pub(super) fn subject(entries: &[Entry]) -> String {
    let what = match groups(entries).as_slice() {
        [group] => match check(group[0]) {
            None => tally(group),
            Some(check) if group.len() == 1 => format!("{} {}", kind(group[0]), name(check)),
            Some(check) => format!("{} {} and {} more", kind(group[0]), name(check), group.len() - 1),
        },
        _ => tally(&entries.iter().collect::<Vec<_>>()),
    };
    let ascii = format!("pulse-echo: {what}").replace(|c: char| !c.is_ascii(), "?");
    pulse_echo_core::text::line(&ascii, SUBJECT_ROOM).replace('…', "..")
}

/// The short name of an entry.
fn kind(entry: &Entry) -> &'static str {
    match &entry.what {
        What::Fact(fact) => label(fact),
        What::Whole(_) => "WAS DOWN",
        What::Summary(_) => "MANY CHANGES",
    }
}

/// The one check that an entry is about.
fn check(entry: &Entry) -> Option<&CheckId> {
    match &entry.what {
        What::Fact(fact) | What::Whole(fact) => fact.check(),
        What::Summary(_) => None,
    }
}

/// The check that is down, whether that is new or not.
fn down(entry: &Entry) -> Option<&Down> {
    match &entry.what {
        What::Fact(Fact::Down(down) | Fact::StillDown { down, .. }) => Some(down),
        _ => None,
    }
}

fn concerns_many(entry: &Entry) -> bool {
    check(entry).is_none()
}

/// Groups the entries by line: a single entry, or the entries of one host that fell silent together.
fn groups(entries: &[Entry]) -> Vec<Vec<&Entry>> {
    let mut groups: Vec<Vec<&Entry>> = Vec::new();
    for entry in entries {
        // A sweep's entries are in key order, so a host's entries are next to each other.
        match groups.last_mut() {
            Some(group) if silent_host(entry).is_some() && silent_host(entry) == silent_host(group[0]) => {
                group.push(entry);
            }
            _ => groups.push(vec![entry]),
        }
    }
    groups
}

/// What the entries of one line have in common: the silent host, the sweep that tells it, and whether it is new.
fn silent_host(entry: &Entry) -> Option<(&str, Time, &'static str)> {
    let down = down(entry).filter(|down| down.state == State::Silent)?;
    Some((down.check.host(), entry.at, kind(entry)))
}

fn group_line(entries: &[&Entry], detail: Detail) -> String {
    let downs: Vec<_> = entries.iter().filter_map(|entry| down(entry)).collect();
    // The check with the newest pulse stands for the host: its last words are the newest.
    match downs.iter().max_by_key(|down| down.pulse) {
        Some(last) if downs.len() > 1 => {
            let names: Vec<_> = downs.iter().map(|down| &down.check).collect();
            format!("{}: {}", kind(entries[0]), silent_together(last, &names, entries[0].at, detail))
        }
        _ => detailed_line(entries[0], detail),
    }
}

/// The last line: how many are down in all, and which command tells more.
fn end(entries: &[Entry]) -> Option<String> {
    let more = match entries {
        [entry] => match (&entry.what, check(entry)) {
            (_, Some(check)) => command("status", check),
            (What::Fact(Fact::Stopped { .. } | Fact::Started { .. } | Fact::Answered { .. } | Fact::Test), None) => {
                return None;
            }
            (_, None) => "`pulse-echo status`".into(),
        },
        _ => "`pulse-echo status`".into(),
    };
    let others = entries.iter().rev().find_map(down).map(|down| down.others);
    let how_many = match (others, entries) {
        (Some(0), [_]) => "No other check is down. ".into(),
        (Some(1), [_]) => "1 other check is down. ".into(),
        (Some(others), [_]) => format!("{} other checks are down. ", grouped(others)),
        (Some(others), _) => format!("Down in all: {}. ", checks(others + 1)),
        (None, _) => String::new(),
    };
    Some(format!("{how_many}More: {more}"))
}

/// The count of each kind, such as `DOWN 12, UP 3`.
fn tally(entries: &[&Entry]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let mut add = |kind, count| match counts.iter_mut().find(|(counted, _)| *counted == kind) {
        Some((_, sum)) => *sum += count,
        None => counts.push((kind, count)),
    };
    for entry in entries {
        match &entry.what {
            What::Summary(summary) => summed(summary).iter().for_each(|(kind, _, count)| add(kind, count.checks)),
            // A fact about many checks has no number of its own.
            _ => add(kind(entry), usize::from(!concerns_many(entry))),
        }
    }
    let count = |(kind, count): &(&str, usize)| match count {
        0 => (*kind).to_string(),
        count => format!("{kind} {}", grouped(*count)),
    };
    counts.iter().map(count).collect::<Vec<_>>().join(", ")
}

fn summed_up(summary: &Counts) -> String {
    let part = |(kind, state, count): &(&str, Option<State>, &Count)| {
        let state = state.map(|state| format!(", {state}")).unwrap_or_default();
        format!("{kind}{state}: {} ({}).", checks(count.checks), names(count.checks, &count.some))
    };
    summed(summary).iter().map(part).collect::<Vec<_>>().join(" ")
}

/// A summary's counts that are not zero, with the words for single entries.
fn summed(summary: &Counts) -> Vec<(&'static str, Option<State>, &Count)> {
    let down = summary.down.iter().map(|(state, count)| ("DOWN", Some(*state), count));
    let others = [
        ("STILL DOWN", None, &summary.still_down),
        ("UP", None, &summary.up),
        ("WAS DOWN", None, &summary.were_down),
        ("GONE", None, &summary.gone),
    ];
    down.chain(others).filter(|(_, _, count)| count.checks > 0).collect()
}

//! Messages for people: one line per host and kind. What does not fit is named by host.
//!
//! All channels for people use these words. Texts from hosts and services are escaped and cut, so they can neither
//! begin a line nor fill a message. A name that a shell would interpret is quoted in commands.
//!
//! - here: the whole message; `head`: its first line and its subject; `group`: what stands in one line;
//! - `host`: a line of several checks; `fact`: a sentence of one fact; `many`: of many hosts; `measure`: times, numbers
//!   and names.

mod fact;
mod group;
mod head;
mod host;
mod many;
mod measure;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Down, Fact, State};
use pulse_echo_core::words::grouped;

use crate::outbox::entry::{Count, Counts, Entry, What};
use fact::{Detail, label, sentence, whole};
use group::{Group, groups};
use measure::{checks, command, named, names};

pub(super) use head::subject;
pub(super) use measure::last_words;

/// How many lines a message has at most, apart from the headline, the line that names the others and the last line.
const LINES: usize = 15;

/// The longest line, in bytes after escaping. Only names that need much escaping make a line longer than this.
const LINE_ROOM: usize = 1_200;

/// How much room is kept for the hosts that have no line, in bytes.
const OTHERS_ROOM: usize = 900;

/// With more lines than this, each line says less.
const FULL_LINES: usize = 5;

/// Renders the whole message. Each line passes through `escape`; after that, the message has at most `room` bytes, and
/// `room` must be 3,500 at least. If there is more than one line, the first is a headline with the sums. Facts about
/// many checks, or about us, come next, then what is worst, and of that the hosts that changed least. Hosts whose lines
/// do not fit are named.
pub(super) fn message(entries: &[Entry], room: usize, escape: impl Fn(&str) -> String) -> String {
    let groups = groups(entries);
    let detail = if groups.len() > FULL_LINES { Detail::Brief } else { Detail::Full };
    let end = end(entries).map(|end| escape(&end));
    let mut text = Vec::new();
    // A wave is the headline itself.
    let lines = if groups.len() > 1 {
        text.push(fitted(&head::headline(&groups), &escape));
        &groups[usize::from(groups[0].is_wave())..]
    } else {
        &groups[..]
    };
    // What is left for lines, after the others and the end.
    let head = text.iter().map(|line: &String| line.len() + 1).sum::<usize>();
    let summary = summary(entries).filter(|summary| !summary.hosts.0.is_empty());
    let summed_up = summary.map(|summary| hosts_summed_up(summary, &escape));
    let foot = summed_up.iter().chain(&end).map(|line| line.len() + 1).sum::<usize>();
    let mut left = room.saturating_sub(head + foot + OTHERS_ROOM);
    let mut shown = 0;
    for group in lines {
        let line = fitted(&group_line(group, detail), &escape);
        if shown == LINES || line.len() + 1 > left {
            break;
        }
        (shown, left) = (shown + 1, left - line.len() - 1);
        text.push(line);
    }
    if shown < lines.len() {
        text.push(others(&lines[shown..], &escape));
    }
    text.extend(summed_up);
    text.extend(end);
    text.join("\n")
}

/// Escapes a line, and leaves out its middle if it is too long.
fn fitted(line: &str, escape: impl Fn(&str) -> String) -> String {
    let escaped = escape(line);
    // An escape replaces a character with five at most.
    if escaped.len() <= LINE_ROOM { escaped } else { escape(&pulse_echo_core::text::line(line, LINE_ROOM / 5)) }
}

/// Names the hosts that have no line of their own, and says how many changes of each kind that are.
fn others(groups: &[Group], escape: impl Fn(&str) -> String) -> String {
    // A host may have lines of several kinds, which are not next to each other.
    let mut seen = HashSet::new();
    let hosts: Vec<_> = groups.iter().filter_map(|group| group.host).filter(|host| seen.insert(*host)).collect();
    let said = head::sums(groups);
    let hosts = as_many(&hosts, OTHERS_ROOM.saturating_sub(120 + said.len()), &escape);
    escape(&format!("Without a line: {said}: {hosts}."))
}

/// Names the hosts of a summary: it has room for the first of each kind alone.
fn hosts_summed_up(summary: &Counts, escape: impl Fn(&str) -> String) -> String {
    let hosts = as_many(&summary.hosts.least_first(), OTHERS_ROOM - 60, &escape);
    escape(&format!("The hosts, those first that changed least: {hosts}."))
}

/// The first hosts, as many as fit after escaping, and how many more there are.
fn as_many(hosts: &[&str], mut room: usize, escape: impl Fn(&str) -> String) -> String {
    let mut some = Vec::new();
    for host in hosts {
        let host = named(host);
        let takes = escape(&host).len() + 2;
        if takes > room {
            break;
        }
        room -= takes;
        some.push(host);
    }
    match hosts.len() - some.len() {
        0 => some.join(", "),
        more => format!("{} and {} more", some.join(", "), grouped(more)),
    }
}

/// Renders the line of a group.
fn group_line(group: &Group, detail: Detail) -> String {
    match (group.entries.as_slice(), group.host) {
        (entries, Some(host)) if entries.len() > 1 => {
            format!("{}: {}", group.kind, host::sentence(group.kind, host, entries, detail))
        }
        (entries, _) => detailed_line(entries[0], detail),
    }
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

/// The summary, if there is one.
fn summary(entries: &[Entry]) -> Option<&Counts> {
    entries.iter().find_map(|entry| if let What::Summary(summary) = &entry.what { Some(summary) } else { None })
}

/// The check that is down, whether that is new or not.
fn down(entry: &Entry) -> Option<&Down> {
    match &entry.what {
        What::Fact(Fact::Down(down) | Fact::StillDown { down, .. }) => Some(down),
        _ => None,
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
    let last = entries.iter().rev().find_map(down);
    let how_many = match (last, entries) {
        (Some(Down { others: 0, .. }), [_]) => "No other check is down. ".into(),
        (Some(Down { others: 1, .. }), [_]) => "1 other check is down. ".into(),
        (Some(Down { others, .. }), [_]) => format!("{} other checks are down. ", grouped(*others)),
        (Some(Down { others, other_hosts, .. }), _) => {
            format!("Down in all: {} on {}. ", checks(others + 1), measure::hosts(other_hosts + 1))
        }
        (None, _) => String::new(),
    };
    Some(format!("{how_many}More: {more}"))
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
        ("NEW", None, &summary.new),
    ];
    down.chain(others).filter(|(_, _, count)| count.checks > 0).collect()
}

//! A line about several checks of one host.

use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Acknowledged, Down, Fact, State, Still};
use pulse_echo_core::words::{duration, grouped};

use super::fact::{Detail, acknowledged, down_since, silent_together, still_down, was_what, why_failing};
use super::measure::{checks, ended, named, names, when};
use super::{check, down};
use crate::outbox::entry::{Entry, MOST_NAMED, What};

/// How many different reasons a line shows.
const REASONS: usize = 3;

/// Names that are longer than this stand at the line's end, in bytes: what happened must be seen on a phone.
const NAMES_ROOM: usize = 40;

/// The text after the kind of a line about these checks of one host.
pub(super) fn sentence(kind: &str, host: &str, entries: &[&Entry], detail: Detail) -> String {
    let ids: Vec<_> = entries.iter().filter_map(|entry| check(entry)).collect();
    let (who, tail) = who(host, &ids);
    match kind {
        "DOWN" | "STILL DOWN" => are_down(host, entries, detail),
        "UP" | "WAS DOWN" => were_down(&who, kind == "UP", entries) + &tail,
        "GONE" => are_gone(&who, entries) + &tail,
        _ => format!("{who} is watched from now on.{tail}"),
    }
}

/// `web-1 (3 checks: web-1, web-1/db, web-1/http)`, and what the line ends with: the names, if they are too long for
/// its beginning.
fn who(host: &str, ids: &[&CheckId]) -> (String, String) {
    let (host, count, names) = (named(host), checks(ids.len()), listed(ids));
    if names.len() > NAMES_ROOM {
        (format!("{host} ({count})"), format!(" The checks: {names}."))
    } else {
        (format!("{host} ({count}: {names})"), String::new())
    }
}

fn listed(ids: &[&CheckId]) -> String {
    names(ids.len(), ids.iter().copied().take(MOST_NAMED))
}

/// The silent ones in one sentence, since they share one cause; the others by reason.
fn are_down(host: &str, entries: &[&Entry], detail: Detail) -> String {
    let downs: Vec<_> = entries.iter().filter_map(|entry| down(entry)).collect();
    let (silent, others): (Vec<_>, Vec<_>) = downs.iter().copied().partition(|down| down.state == State::Silent);
    let at = entries.iter().map(|entry| entry.at).max().expect("a line has an entry");
    let mut sentences = Vec::new();
    // The check with the newest pulse stands for the host: its last words are the newest.
    if let Some(last) = silent.iter().max_by_key(|down| down.pulse) {
        let ids: Vec<_> = silent.iter().map(|down| &down.check).collect();
        let (who, tail) = who(host, &ids);
        sentences.push(silent_together(last, &who, at, detail) + &tail);
    }
    if !others.is_empty() {
        sentences.push(are_failing(host, &others, entries, at));
    }
    if downs.iter().any(|down| down.flaps) {
        sentences.push("It flaps: what is short is not told until it is steady.".into());
    }
    sentences.join(" ")
}

fn are_failing(host: &str, downs: &[&Down], entries: &[&Entry], at: Time) -> String {
    let ids: Vec<_> = downs.iter().map(|down| &down.check).collect();
    let first = downs.iter().min_by_key(|down| down.since).expect("there is one");
    let mut reasons: Vec<(String, Vec<&CheckId>)> = Vec::new();
    for down in downs {
        let why = match down.state {
            State::Unanswered => "our probe does not answer its pulse".into(),
            _ => why_failing(down.cause, down.reason.as_deref()),
        };
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, ids)) => ids.push(&down.check),
            None => reasons.push((why, vec![&down.check])),
        }
    }
    let is_back = |entry: &&Entry| matches!(&entry.what, What::Fact(Fact::StillDown { back: true, .. }));
    let back = if entries.iter().all(is_back) { "; it sends again, still failing" } else { "" };
    let (who, tail) = who(host, &ids);
    let begins = format!("{who} has been failing {}{back}: ", down_since(first, at));
    match reasons.as_slice() {
        [(why, _)] => ended(format!("{begins}{why}")) + &tail,
        all => {
            let one = |(why, ids): &(String, Vec<&CheckId>)| format!("{why} ({})", listed(ids));
            let shown: Vec<_> = all.iter().take(REASONS).map(one).collect();
            let more = match all.len() - shown.len() {
                0 => String::new(),
                more => format!("; and {} more reasons", grouped(more)),
            };
            format!("{begins}{}{more}.", shown.join("; "))
        }
    }
}

/// An outage that is over.
struct Over {
    at: Time,
    since: Time,
    until: Time,
    was: String,
    steady: Option<Time>,
    still: Option<Still>,
    ack: Option<Acknowledged>,
}

fn were_down(who: &str, was_told: bool, entries: &[&Entry]) -> String {
    let over = |entry: &&Entry| match &entry.what {
        What::Fact(Fact::Up { since, until, was, cause, reason, steady, still, ack, .. })
        | What::Whole(Fact::Up { since, until, was, cause, reason, steady, still, ack, .. }) => Some(Over {
            at: entry.at,
            since: *since,
            until: *until,
            was: was_what(*was, *cause, reason.as_deref()),
            steady: *steady,
            still: still.clone(),
            ack: ack.clone(),
        }),
        What::Whole(Fact::Gone { since: Some(since), pulse, .. }) => Some(Over {
            at: entry.at,
            since: *since,
            until: entry.at.max(*pulse),
            was: "its pulse was removed".into(),
            steady: None,
            still: None,
            ack: None,
        }),
        _ => None,
    };
    let all: Vec<_> = entries.iter().filter_map(over).collect();
    let (Some(since), Some(until)) = (all.iter().map(|over| over.since).min(), all.iter().map(|over| over.until).max())
    else {
        return format!("{who} was down.");
    };
    let longest = all.iter().map(|over| over.since.age(over.until)).max().unwrap_or(Duration::ZERO);
    let up_to = if all.iter().all(|over| over.since.age(over.until) == longest) { "" } else { "up to " };
    let mut reasons: Vec<&str> = Vec::new();
    for over in &all {
        if !reasons.contains(&over.was.as_str()) {
            reasons.push(&over.was);
        }
    }
    let more = match reasons.len().saturating_sub(REASONS) {
        0 => String::new(),
        more => format!("; and {} more reasons", grouped(more)),
    };
    let why = reasons.iter().take(REASONS).copied().collect::<Vec<_>>().join("; ");
    let (since, until, longest) = (when(since), when(until), duration(longest));
    let steady = if all.iter().any(|over| over.steady.is_some()) { " It does not flap any more." } else { "" };
    // What the newest sweep found: an end that was held may be older.
    let newest = entries.iter().map(|entry| entry.at).max();
    let still = all.iter().filter(|over| Some(over.at) == newest).find_map(|over| over.still.as_ref());
    let still = still.map(still_down).unwrap_or_default();
    // As a rule one person acknowledges all of a host.
    let acked = all.iter().find_map(|over| over.ack.as_ref()).map(acknowledged).unwrap_or_default();
    if was_told {
        let down = format!("It was down from {since} to {until}: {why}{more}.{acked}");
        format!("{who} is up again after {up_to}{longest}.{steady}{still} {down}")
    } else {
        let down = format!("{who} was down from {since} to {until} ({up_to}{longest}): {why}{more}.");
        format!("{down} It is up again.{acked}{steady}{still}")
    }
}

fn are_gone(who: &str, entries: &[&Entry]) -> String {
    let gone = |entry: &&Entry| match &entry.what {
        What::Fact(Fact::Gone { retired, since, pulse, .. }) => Some((*retired, since.is_some(), *pulse)),
        _ => None,
    };
    let all: Vec<_> = entries.iter().filter_map(gone).collect();
    let why = match all.iter().filter(|(retired, ..)| *retired).count() {
        0 => "its pulses were removed, so it is retired",
        retired if retired == all.len() => "a note says that this is on purpose",
        _ => "some pulses were removed, for others a note says that this is on purpose",
    };
    let last = all.iter().map(|(_, _, pulse)| *pulse).max();
    let last = last.map(|pulse| format!(" The last pulse came on {}.", when(pulse))).unwrap_or_default();
    let ends = match all.iter().filter(|(_, was_down, _)| *was_down).count() {
        0 => String::new(),
        1 => " That ends 1 outage.".into(),
        ends => format!(" That ends {} outages.", grouped(ends)),
    };
    format!("{who} is not watched any more: {why}.{last}{ends}")
}

//! The first line of a message of several lines, and its subject: the sums, and which hosts to look at first.

use pulse_echo_core::answer::Cause;
use pulse_echo_core::status::{Down, Fact, State};
use pulse_echo_core::text::line;
use pulse_echo_core::words::grouped;

use super::group::{Group, groups};
use super::many::wave;
use super::measure::{checks, hosts, name, named};
use super::{check, down, summed};
use crate::outbox::entry::{Entry, What};

/// The longest headline, in characters: what a phone shows of a message.
const HEADLINE_ROOM: usize = 120;

/// The longest subject, in characters. SNS refuses longer subjects.
const SUBJECT_ROOM: usize = 99;

/// The first line of a message with these lines.
pub(super) fn headline(groups: &[Group]) -> String {
    match &groups[0].entries[0].what {
        What::Fact(fact @ Fact::ManyDown { .. }) => {
            // The wave itself, and who is in it, need not be counted.
            let is_other = |group: &&Group| !group.is_wave() && !["DOWN", "MANY CHANGES"].contains(&group.kind);
            let others: Vec<_> = groups.iter().filter(is_other).collect();
            let others = match summed_by_kind(&others).as_str() {
                "" => String::new(),
                others => format!(" Also: {others}."),
            };
            format!("{}: {}{others}", groups[0].kind, wave(fact))
        }
        _ => short(groups, HEADLINE_ROOM),
    }
}

/// The subject of a message: a few words of ASCII, in one line of at most 99 characters.
pub(in crate::channel) fn subject(entries: &[Entry]) -> String {
    let room = SUBJECT_ROOM - "pulse-echo: ".len();
    let what = match groups(entries).as_slice() {
        [group] => match (group.entries.as_slice(), group.host) {
            ([entry], Some(_)) => format!("{} {}", group.kind, check(entry).map(name).unwrap_or_default()),
            (entries, Some(host)) => format!("{} {} ({} checks)", group.kind, named(host), entries.len()),
            (entries, None) => of_many(group.kind, entries[0]),
        },
        groups if groups[0].is_wave() => {
            let wave = of_many(groups[0].kind, groups[0].entries[0]);
            format!("{wave}, {}", sums(&groups[1..]))
        }
        groups => short(groups, room).trim_end_matches('.').into(),
    };
    let ascii = format!("pulse-echo: {what}").replace(|c: char| !c.is_ascii(), "?");
    line(&ascii, SUBJECT_ROOM).replace('…', "..")
}

/// A fact about many or about us in a few words.
fn of_many(kind: &str, entry: &Entry) -> String {
    match &entry.what {
        What::Fact(Fact::ManyDown { hosts: count, of_hosts, .. }) if *count > 0 => {
            format!("{kind} ({} of {})", grouped(*count), hosts(*of_hosts))
        }
        What::Summary(summary) => {
            let mut counts: Vec<(&str, usize)> = Vec::new();
            for (kind, _, count) in summed(summary) {
                match counts.iter_mut().find(|(counted, _)| *counted == kind) {
                    Some((_, sum)) => *sum += count.checks,
                    None => counts.push((kind, count.checks)),
                }
            }
            counts.iter().map(|(kind, count)| format!("{kind} {}", grouped(*count))).collect::<Vec<_>>().join(", ")
        }
        _ => kind.into(),
    }
}

/// What concerns us, then the worst kind with its hosts, then the others: with their names where all fit, else their
/// sums. Such as `DOWN 2 hosts: db/disk (silent), web-1 (3 checks, status 503). UP 1 host: web-2.`
fn short(groups: &[Group], room: usize) -> String {
    let us: Vec<_> = groups.iter().filter(|group| group.host.is_none()).collect();
    let of_hosts = &groups[us.len()..];
    let us: Vec<_> = us.iter().map(|group| of_many(group.kind, group.entries[0]) + ". ").collect();
    let us = us.concat();
    let Some(worst) = of_hosts.first().map(|group| group.kind) else { return us.trim_end().into() };
    let (first, others): (Vec<_>, Vec<_>) = of_hosts.iter().partition(|group| group.kind == worst);
    let in_full = format!("{us}{}{}", named_of_kind(&first), others_named(&others));
    if in_full.chars().count() <= room {
        return in_full;
    }
    let others = match summed_by_kind(&others).as_str() {
        "" => String::new(),
        others => format!(" {others}."),
    };
    let begins = format!("{us}{worst} {}: ", hosts(first.len()));
    // The last name leaves room for the number of the others.
    let left = room.saturating_sub(begins.chars().count() + others.chars().count() + " and 100,000 more.".len());
    let mut some = String::new();
    let mut shown = 0;
    for group in &first {
        let one = format!("{}{}", if shown == 0 { "" } else { ", " }, with_why(group));
        if shown > 0 && some.chars().count() + one.chars().count() > left {
            break;
        }
        some.push_str(&one);
        shown += 1;
    }
    let more = match first.len() - shown {
        0 => String::new(),
        more => format!(" and {} more", grouped(more)),
    };
    let text = format!("{begins}{some}{more}.{others}");
    if text.chars().count() <= room { text } else { line(&text, room) }
}

/// The hosts of one kind: `DOWN 2 hosts: db/disk (silent), web-1 (3 checks, status 503).`
fn named_of_kind(groups: &[&Group]) -> String {
    let names: Vec<_> = groups.iter().map(|group| with_why(group)).collect();
    format!("{} {}: {}.", groups[0].kind, hosts(groups.len()), names.join(", "))
}

/// The same of each kind, in order.
fn others_named(groups: &[&Group]) -> String {
    let kinds = groups.chunk_by(|a, b| a.kind == b.kind);
    kinds.map(|of_kind| format!(" {}", named_of_kind(of_kind))).collect::<Vec<_>>().concat()
}

/// The check, or the host and how many of its checks, with why it is down in a word or two.
fn with_why(group: &Group) -> String {
    let why = group.entries.iter().find_map(|entry| down(entry)).map(brief);
    let (who, many) = match group.entries.as_slice() {
        [one] => (check(one).map(|id| named(&id.to_string())).unwrap_or_default(), None),
        all => (named(group.host.unwrap_or_default()), Some(checks(all.len()))),
    };
    match many.into_iter().chain(why).collect::<Vec<_>>().as_slice() {
        [] => who,
        said => format!("{who} ({})", said.join(", ")),
    }
}

/// Why a check is down: the status code where there is one, else the cause.
fn brief(down: &Down) -> String {
    let code = |reason: &str| {
        let digits = reason.strip_prefix("status ")?.get(..3)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("status {digits}"))
    };
    match (down.state, down.cause) {
        (State::Failing, Some(Cause::Status | Cause::Body)) => {
            let code = down.reason.as_deref().and_then(code);
            code.unwrap_or_else(|| down.cause.map(|cause| cause.to_string()).unwrap_or_default())
        }
        (State::Failing, Some(cause)) => cause.to_string(),
        (state, _) => state.to_string(),
    }
}

/// How many hosts there are of each kind, such as `DOWN 12 hosts, UP 1 host`.
pub(super) fn sums(groups: &[Group]) -> String {
    summed_by_kind(&groups.iter().collect::<Vec<_>>())
}

fn summed_by_kind(groups: &[&Group]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for group in groups {
        let one = usize::from(group.host.is_some());
        match counts.iter_mut().find(|(kind, _)| *kind == group.kind) {
            Some((_, sum)) => *sum += one,
            None => counts.push((group.kind, one)),
        }
    }
    let count = |(kind, count): &(&str, usize)| match count {
        // A fact about many or about us has no number of its own.
        0 => (*kind).to_string(),
        count => format!("{kind} {}", hosts(*count)),
    };
    counts.iter().map(count).collect::<Vec<_>>().join(", ")
}

//! What to send to a channel.

use std::collections::{BTreeMap, HashSet};

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Fact, Message, Mutes, Status};

use super::entry::{Counts, Course, ENTRIES, Entry, What};

/// What one channel is sent at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// For each entry, the ids of all messages that it tells.
    pub tells: Vec<Vec<String>>,
}

/// What to send to a channel at `now`; `None` if it owes nothing that may be told now, or is backing off. The changes
/// of more than [`ENTRIES`] checks become one entry.
pub fn due(status: &Status, channel: &str, now: Time) -> Option<Attempt> {
    let mut attempt = all_due(status, channel, now)?;
    let is_counted = |entry: &Entry| matches!(entry.what, What::Fact(Fact::Counted { .. }));
    if attempt.entries.len() > ENTRIES || attempt.entries.iter().any(is_counted) {
        attempt = summed_up(attempt);
    }
    Some(attempt)
}

/// The same for a channel that has each outage for itself: the first [`ENTRIES`] entries.
pub fn due_each(status: &Status, channel: &str, now: Time) -> Option<Attempt> {
    let mut attempt = all_due(status, channel, now)?;
    attempt.entries.truncate(ENTRIES);
    attempt.tells.truncate(ENTRIES);
    Some(attempt)
}

fn all_due(status: &Status, channel: &str, now: Time) -> Option<Attempt> {
    if is_left_alone(status, channel, now) {
        return None;
    }
    let mutes = status.mutes();
    let owed: Vec<_> = status.outbox.iter().filter(|message| is_due(&mutes, message, channel, now)).collect();
    if owed.is_empty() {
        return None;
    }
    let mut attempt = attempt(&owed, channel, status);
    if status.channels.get(channel).is_some_and(|back_off| back_off.refused > 0) {
        // What it refused comes alone, so that nothing of the rest is sent in vain.
        attempt.entries.truncate(1);
        attempt.tells.truncate(1);
    }
    Some(attempt)
}

/// Whether there is something to send to any channel at `now`.
pub fn any_due(status: &Status, now: Time) -> bool {
    let mutes = status.mutes();
    let is_due = |message: &Message, channel: &String| {
        !is_left_alone(status, channel, now) && is_due(&mutes, message, channel, now)
    };
    status.outbox.iter().any(|message| message.owed.iter().any(|channel| is_due(message, channel)))
}

/// Whether a channel is backing off.
fn is_left_alone(status: &Status, channel: &str, now: Time) -> bool {
    status.channels.get(channel).is_some_and(|back_off| now < back_off.until)
}

/// Whether to send a message now. A message about a muted check is held. A message that waits for last words is held
/// only in the sweep that wrote it.
fn is_due(mutes: &Mutes, message: &Message, channel: &str, now: Time) -> bool {
    message.owed.contains(channel)
        && !(message.waits && message.at == now)
        && !message.fact.check().is_some_and(|check| mutes.cover(check, now))
}

/// The entries for these messages, which `channel` owes. If an outage's start and end are both among them, they become
/// one entry under the end's id.
fn attempt(owed: &[&Message], channel: &str, status: &Status) -> Attempt {
    let mut over: BTreeMap<_, Vec<&Message>> =
        owed.iter().filter_map(|message| message.fact.ends()).map(|outage| (outage, Vec::new())).collect();
    let mut attempt = Attempt { entries: Vec::new(), tells: Vec::new() };
    let open = if over.is_empty() { HashSet::new() } else { open(status, channel) };
    for message in owed {
        // The start and the course of an outage come before its end.
        if let Some(before_end) = beginning(&message.fact).and_then(|outage| over.get_mut(&outage)) {
            before_end.push(message);
            continue;
        }
        let before = message.fact.ends().and_then(|outage| over.remove(&outage)).unwrap_or_default();
        let is_whole =
            message.whole.contains(channel) || before.iter().any(|message| matches!(message.fact, Fact::Down(_)));
        let fact = message.fact.clone();
        let what = if is_whole { What::Whole(fact) } else { What::Fact(fact) };
        let course = course(message, status, &open);
        attempt.entries.push(Entry { id: message.id.clone(), at: message.at, what, course });
        attempt.tells.push(before.into_iter().chain([*message]).map(|message| message.id.clone()).collect());
    }
    attempt
}

/// The outages of hosts that last, as far as the channel was told of them.
fn open<'a>(status: &'a Status, channel: &str) -> HashSet<(&'a str, Time)> {
    let lasting = status.checks.iter().filter_map(|(id, record)| {
        let told = record.outage.as_ref()?.told.as_ref()?;
        told.to.as_ref().is_none_or(|to| to.contains(channel)).then_some((id.host(), record.host_told_since()?))
    });
    lasting.collect()
}

/// The course of the outage that a message is about.
fn course(message: &Message, status: &Status, open: &HashSet<(&str, Time)>) -> Option<Course> {
    let (ends, begins) = (message.fact.ends(), beginning(&message.fact));
    let (check, since) = ends.or(begins)?;
    let host_since = message.host_since.unwrap_or(since);
    let outage = status.checks.get(check).and_then(|record| record.outage.as_ref());
    Some(Course {
        host_since,
        is_last: ends.is_some() && !open.contains(&(check.host(), host_since)),
        next: outage.filter(|outage| outage.since == since).and_then(|outage| Some(outage.told.as_ref()?.next)),
        causes: message.causes.clone(),
    })
}

/// The outage of a fact about its start or its course.
pub(super) fn beginning(fact: &Fact) -> Option<(&CheckId, Time)> {
    match fact {
        Fact::Down(down) | Fact::StillDown { down, .. } => Some((&down.check, down.since)),
        _ => None,
    }
}

/// Sums up all checks in one entry. It has the id of the last of them, so that it becomes a new entry when more come.
fn summed_up(attempt: Attempt) -> Attempt {
    let (of_checks, mut others): (Vec<_>, Vec<_>) =
        attempt.entries.into_iter().zip(attempt.tells).partition(|(entry, _)| is_summed_up(&entry.what));
    let mut summary = Counts::default();
    let mut tells = Vec::new();
    let (id, at) = of_checks.last().map(|(entry, _)| (entry.id.clone(), entry.at)).expect("only checks are that many");
    for (entry, ids) in of_checks {
        summary.add(&entry.what);
        tells.extend(ids);
    }
    others.truncate(ENTRIES - 1);
    others.push((Entry { id, at, what: What::Summary(summary), course: None }, tells));
    let (entries, tells) = others.into_iter().unzip();
    Attempt { entries, tells }
}

fn is_summed_up(what: &What) -> bool {
    match what {
        What::Fact(fact) | What::Whole(fact) => fact.check().is_some() || matches!(fact, Fact::Counted { .. }),
        What::Summary(_) => false,
    }
}

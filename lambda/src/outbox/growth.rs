//! Keeps the stored outbox small, whatever channels do not take: it is read and written in each sweep.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Fact, Hosts, Message, Mutes, Status};

use super::attempt::beginning;
use super::entry::count_of;

/// With more messages than this, what is told of checks is counted by host.
pub const MESSAGES: usize = 5_000;

/// How many facts about many checks, or about us, are kept for a channel that takes nothing: the newest.
const OF_US: usize = 1_000;

/// Makes the outbox smaller where that is needed. Nobody may be sending: who strikes off afterwards must find what was
/// sent. `since` is the *now* of this sweep, whose messages are new.
pub fn keep_small(status: &mut Status, now: Time, new_id: &mut dyn FnMut() -> String) {
    join(&mut status.outbox);
    if status.outbox.len() > MESSAGES {
        count_by_host(status, now, new_id);
    }
}

/// Joins the beginning of an outage and its end for each channel that was told nothing of it. The end may be of a sweep
/// before: while somebody else was sending, nothing was joined.
fn join(outbox: &mut Vec<Message>) {
    let ends: BTreeMap<(CheckId, Time), usize> = outbox
        .iter()
        .enumerate()
        .filter_map(|(n, message)| message.fact.ends().map(|(id, since)| ((id.clone(), since), n)))
        .collect();
    if ends.is_empty() {
        return;
    }
    let mut whole: Vec<(usize, BTreeSet<String>)> = Vec::new();
    let owed_by_end: BTreeMap<usize, BTreeSet<String>> = ends.values().map(|&n| (n, outbox[n].owed.clone())).collect();
    for message in outbox.iter_mut() {
        let Some((id, since)) = beginning(&message.fact) else { continue };
        let Some(end) = ends.get(&(id.clone(), since)) else { continue };
        let (both, rest) = message.owed.iter().cloned().partition(|channel| owed_by_end[end].contains(channel));
        message.owed = rest;
        if matches!(message.fact, Fact::Down(_)) {
            whole.push((*end, both));
        }
    }
    for (end, channels) in whole {
        outbox[end].whole.extend(channels);
    }
    outbox.retain(|message| !message.owed.is_empty());
}

/// Counts what each channel owes of checks, beginning with the channel that owes most. Reasons are lost, no host is.
fn count_by_host(status: &mut Status, now: Time, new_id: &mut dyn FnMut() -> String) {
    let mut owing: BTreeMap<String, usize> = BTreeMap::new();
    for channel in status.outbox.iter().flat_map(|message| &message.owed) {
        *owing.entry(channel.clone()).or_default() += 1;
    }
    let mut owing: Vec<_> = owing.into_iter().collect();
    owing.sort_by_key(|(_, messages)| std::cmp::Reverse(*messages));
    let mut outbox = mem::take(&mut status.outbox);
    let mutes = status.mutes();
    for (channel, _) in owing {
        if outbox.len() > MESSAGES {
            count_for(&mut outbox, &channel, &mutes, now, new_id);
        }
    }
    status.outbox = outbox;
}

fn count_for(outbox: &mut Vec<Message>, channel: &str, mutes: &Mutes, now: Time, new_id: &mut dyn FnMut() -> String) {
    let (mut hosts, mut of_us) = (Hosts::default(), 0);
    // The newest facts about us stay.
    for message in outbox.iter_mut().rev().filter(|message| message.owed.contains(channel)) {
        let is_whole = message.whole.contains(channel);
        let is_counted = match (&message.fact, message.fact.check()) {
            (Fact::Counted { hosts: more }, _) => {
                hosts.add(more);
                true
            }
            // It is held, so it must not be told with the others.
            (_, Some(check)) if mutes.cover(check, now) => false,
            (fact, Some(check)) => {
                *count_of(hosts.of(check.host()), fact, is_whole) += 1;
                true
            }
            (_, None) => {
                of_us += 1;
                of_us > OF_US
            }
        };
        if is_counted {
            message.owed.remove(channel);
        }
    }
    outbox.retain(|message| !message.owed.is_empty());
    if !hosts.0.is_empty() {
        outbox.push(Message::new(new_id(), now, [channel.to_string()].into(), Fact::Counted { hosts }));
    }
}

/// Counts the messages about checks in a sweep's own messages, which all channels owe, if they are too many. So a fleet
/// that goes down at once does not take the memory of a message for each check.
pub fn count_all(messages: &mut Vec<Message>, new_id: &mut dyn FnMut() -> String) {
    if messages.len() <= MESSAGES {
        return;
    }
    let mut hosts = Hosts::default();
    let mut counted = None;
    for message in mem::take(messages) {
        let Message { at, owed, fact, .. } = match message.fact.check() {
            None if !matches!(message.fact, Fact::Counted { .. }) => {
                messages.push(message);
                continue;
            }
            _ => message,
        };
        counted.get_or_insert((at, owed));
        match (&fact, fact.check()) {
            (_, Some(check)) => *count_of(hosts.of(check.host()), &fact, false) += 1,
            (Fact::Counted { hosts: more }, _) => hosts.add(more),
            _ => {}
        }
    }
    if let Some((at, owed)) = counted {
        messages.push(Message::new(new_id(), at, owed, Fact::Counted { hosts }));
    }
}

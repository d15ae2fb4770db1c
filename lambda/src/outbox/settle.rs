//! What an attempt leaves behind: what is struck off, when the channel is tried again, and who may send.

use std::collections::BTreeSet;
use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::status::{BackOff, Fact, Lease, Message, Status};

use super::attempt::Attempt;
use super::entry::Outcome;

/// The back-off after a channel's first failed attempt. It doubles each time.
const FIRST_BACK_OFF: Duration = Duration::from_secs(30);

/// The longest back-off of our own.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(3600);

/// The longest `Retry-After` of a channel that we accept.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// A lease that runs longer is of a store whose clock was ahead, so it is over.
const LONGEST_LEASE: Duration = Duration::from_secs(90);

/// How often a channel may refuse an entry for good until a plain line takes its place.
const REFUSALS: u32 = 5;

/// Strikes off what a channel took of an attempt, in the present status, and notes the back-off. `new_id` is for a
/// message in place of one that the channel refuses again and again.
pub fn settle(status: &mut Status, channel: &str, attempt: &Attempt, outcome: &Outcome, now: Time, new_id: &str) {
    let taken = outcome.taken_of(attempt.entries.len());
    let ids: BTreeSet<_> = attempt.tells.iter().take(taken).flatten().collect();
    for message in status.outbox.iter_mut().filter(|message| ids.contains(&message.id)) {
        message.owed.remove(channel);
    }
    let mut back_off = status.channels.remove(channel).unwrap_or_else(|| BackOff::new(0, now));
    if taken > 0 {
        // A channel that takes some is slow, not dead.
        let BackOff { told, worked, since, .. } = back_off;
        // What was told of it keeps its beginning, until its end is told.
        let (worked, since) = (told.and(worked.or(Some(now))), told.and(since));
        back_off = BackOff { told, worked, since, ..BackOff::new(0, now) };
    }
    let (after, why) = match outcome {
        Outcome::Taken => (None, None),
        Outcome::NotTaken { after, why, .. } => (Some(after.unwrap_or_default().min(LONGEST_RETRY_AFTER)), Some(why)),
        Outcome::Ambiguous { why, .. } | Outcome::Refused { why, .. } => (Some(Duration::ZERO), Some(why)),
    };
    if let (Some(after), Some(why)) = (after, why) {
        back_off.failures = back_off.failures.saturating_add(1);
        back_off.why.clone_from(why);
        if back_off.worked.is_none() {
            back_off.since.get_or_insert(now);
        }
        back_off.until = now + pause(back_off.failures).max(after);
    }
    match outcome {
        Outcome::Refused { why, .. } => {
            back_off.refused += 1;
            if can_be_replaced(status, attempt, taken) {
                // Time does not mend it, so it is found out soon.
                back_off.until = now + FIRST_BACK_OFF;
                if back_off.refused >= REFUSALS {
                    replace(status, channel, &attempt.tells[taken], why, now, new_id);
                    back_off.refused = 0;
                }
            }
        }
        _ => back_off.refused = 0,
    }
    status.outbox.retain(|message| !message.owed.is_empty());
    if back_off.failures > 0 || back_off.told.is_some() {
        status.channels.insert(channel.into(), back_off);
    }
}

/// The back-off after so many failed attempts in a row.
fn pause(failures: u32) -> Duration {
    FIRST_BACK_OFF.saturating_mul(1 << (failures - 1).min(16)).min(LONGEST_BACK_OFF)
}

/// Whether the entry at this place is not itself in place of another. A channel that refuses even that refuses all.
fn can_be_replaced(status: &Status, attempt: &Attempt, place: usize) -> bool {
    let tells = attempt.tells.get(place).map(Vec::as_slice).unwrap_or_default();
    let refused = status.outbox.iter().filter(|message| tells.contains(&message.id));
    refused.clone().count() > 0 && !refused.into_iter().any(|message| matches!(message.fact, Fact::Refused { .. }))
}

/// Puts a plain line in place of these messages, for one channel.
fn replace(status: &mut Status, channel: &str, tells: &[String], why: &str, now: Time, new_id: &str) {
    let is_refused = |message: &Message| message.owed.contains(channel) && tells.contains(&message.id);
    let Some(last) = status.outbox.iter().rposition(is_refused) else { return };
    let (what, about) = named(&status.outbox[last].fact);
    for message in status.outbox.iter_mut().filter(|message| tells.contains(&message.id)) {
        message.owed.remove(channel);
    }
    let fact = Fact::Refused { what, about, why: why.into() };
    status.outbox.insert(last + 1, Message::new(new_id.into(), now, [channel.to_string()].into(), fact));
}

/// The kind of a fact, as it is written, and the check or the host that it is about.
fn named(fact: &Fact) -> (String, Option<String>) {
    let kind = serde_json::to_value(fact).ok().and_then(|fact| Some(fact.get("kind")?.as_str()?.to_string()));
    let about = match fact {
        Fact::Crowded { host, .. } | Fact::Uncrowded { host, .. } => Some(host.clone()),
        fact => fact.check().map(ToString::to_string),
    };
    (kind.unwrap_or_default(), about)
}

/// Whether nobody else holds the lease for sending at `now`.
pub fn may_send(status: &Status, now: Time) -> bool {
    status.lease.as_ref().is_none_or(|lease| now >= lease.until || now.age(lease.until) > LONGEST_LEASE)
}

/// Ends the lease, if `by` still holds it.
pub fn end_lease(status: &mut Status, by: &str) {
    let is_own = |lease: &Lease| lease.by == by;
    status.lease.take_if(|lease| is_own(lease));
}

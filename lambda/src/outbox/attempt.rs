//! What to send to a channel, and what to strike off afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{BackOff, Fact, Lease, Message, Mutes, Status};

use super::entry::{Counts, ENTRIES, Entry, Outcome, What};

/// The back-off after a channel's first failed attempt. It doubles each time.
const FIRST_BACK_OFF: Duration = Duration::from_secs(30);

/// The longest back-off of our own.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(3600);

/// The longest `Retry-After` of a channel that we accept.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// A lease that runs longer is of a store whose clock was ahead, so it is over.
const LONGEST_LEASE: Duration = Duration::from_secs(90);

/// What one channel is sent at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// For each entry, the ids of all messages that it tells.
    pub tells: Vec<Vec<String>>,
}

/// What to send to a channel at `now`; `None` if it owes nothing that may be told now, or is backing off.
pub fn due(status: &Status, channel: &str, now: Time) -> Option<Attempt> {
    if status.channels.get(channel).is_some_and(|back_off| now < back_off.until) {
        return None;
    }
    let mutes = status.mutes();
    let owed: Vec<_> = status.outbox.iter().filter(|message| is_due(&mutes, message, channel, now)).collect();
    if owed.is_empty() { None } else { Some(attempt(&owed)) }
}

/// Whether there is something to send to any channel at `now`.
pub fn any_due(status: &Status, now: Time) -> bool {
    let channels: BTreeSet<_> = status.outbox.iter().flat_map(|message| &message.owed).collect();
    channels.into_iter().any(|channel| due(status, channel, now).is_some())
}

/// Whether to send a message now. A message about a muted check is held. A message that waits for last words is held
/// only in the sweep that wrote it.
fn is_due(mutes: &Mutes, message: &Message, channel: &str, now: Time) -> bool {
    message.owed.contains(channel)
        && !(message.waits && message.at == now)
        && !message.fact.check().is_some_and(|check| mutes.cover(check, now))
}

/// The entries for these messages. If an outage's start and end are both among them, they become one entry under the
/// end's id.
fn attempt(owed: &[&Message]) -> Attempt {
    let mut over: BTreeMap<_, Vec<&Message>> =
        owed.iter().filter_map(|message| message.fact.ends()).map(|outage| (outage, Vec::new())).collect();
    let mut attempt = Attempt { entries: Vec::new(), tells: Vec::new() };
    for message in owed {
        // The start and the course of an outage come before its end.
        if let Some(before_end) = beginning(&message.fact).and_then(|outage| over.get_mut(&outage)) {
            before_end.push(message);
            continue;
        }
        let before = message.fact.ends().and_then(|outage| over.remove(&outage)).unwrap_or_default();
        let is_whole = before.iter().any(|message| matches!(message.fact, Fact::Down(_)));
        let fact = message.fact.clone();
        let what = if is_whole { What::Whole(fact) } else { What::Fact(fact) };
        attempt.entries.push(Entry { id: message.id.clone(), at: message.at, what });
        attempt.tells.push(before.into_iter().chain([*message]).map(|message| message.id.clone()).collect());
    }
    if attempt.entries.len() > ENTRIES { summed_up(attempt) } else { attempt }
}

/// The outage of a fact about its start or its course.
fn beginning(fact: &Fact) -> Option<(&CheckId, Time)> {
    match fact {
        Fact::Down(down) | Fact::StillDown { down, .. } => Some((&down.check, down.since)),
        _ => None,
    }
}

/// Sums up all checks in one entry. It has the id of the last of them, so that it becomes a new entry when more come.
fn summed_up(attempt: Attempt) -> Attempt {
    let (of_checks, mut others): (Vec<_>, Vec<_>) =
        attempt.entries.into_iter().zip(attempt.tells).partition(|(entry, _)| entry.what.fact_of_check().is_some());
    let mut summary = Counts::default();
    let mut tells = Vec::new();
    let (id, at) = of_checks.last().map(|(entry, _)| (entry.id.clone(), entry.at)).expect("only checks are that many");
    for (entry, ids) in of_checks {
        summary.add(&entry.what);
        tells.extend(ids);
    }
    others.truncate(ENTRIES - 1);
    others.push((Entry { id, at, what: What::Summary(summary) }, tells));
    let (entries, tells) = others.into_iter().unzip();
    Attempt { entries, tells }
}

impl What {
    /// The entry's fact about one check, and that check.
    fn fact_of_check(&self) -> Option<(&Fact, &CheckId)> {
        match self {
            Self::Fact(fact) | Self::Whole(fact) => Some((fact, fact.check()?)),
            Self::Summary(_) => None,
        }
    }
}

impl Counts {
    fn add(&mut self, what: &What) {
        let Some((fact, check)) = what.fact_of_check() else { return };
        let count = match (what, fact) {
            (_, Fact::Down(down)) => self.down.entry(down.state).or_default(),
            (_, Fact::StillDown { .. }) => &mut self.still_down,
            (_, Fact::Gone { .. }) => &mut self.gone,
            (_, Fact::New { .. }) => &mut self.new,
            (What::Whole(_), _) => &mut self.were_down,
            _ => &mut self.up,
        };
        count.add(check);
    }
}

/// Strikes off what a channel took of an attempt, in the present status, and notes the back-off.
pub fn settle(status: &mut Status, channel: &str, attempt: &Attempt, outcome: &Outcome, now: Time) {
    let taken = outcome.taken_of(attempt.entries.len());
    let ids: BTreeSet<_> = attempt.tells.iter().take(taken).flatten().collect();
    for message in status.outbox.iter_mut().filter(|message| ids.contains(&message.id)) {
        message.owed.remove(channel);
    }
    status.outbox.retain(|message| !message.owed.is_empty());

    let after = match outcome {
        Outcome::Taken => {
            status.channels.remove(channel);
            return;
        }
        Outcome::NotTaken { after, .. } => after.unwrap_or_default().min(LONGEST_RETRY_AFTER),
        Outcome::Ambiguous { .. } => Duration::ZERO,
    };
    // A channel that takes some is slow, not dead.
    let before = status.channels.get(channel).map_or(0, |back_off| back_off.failures);
    let failures = if taken > 0 { 1 } else { before.saturating_add(1) };
    let own = FIRST_BACK_OFF.saturating_mul(1 << (failures - 1).min(16)).min(LONGEST_BACK_OFF);
    status.channels.insert(channel.into(), BackOff::new(failures, now + own.max(after)));
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

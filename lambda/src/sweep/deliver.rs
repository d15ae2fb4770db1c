//! Sending what is owed, over all channels at once.

use std::panic::{self, AssertUnwindSafe};
use std::thread;
use std::time::Instant;

use pulse_echo_core::clock::Time;
use pulse_echo_core::status::Status;

use crate::channel::Channel;
use crate::outbox::attempt::{Attempt, due, due_each};
use crate::outbox::entry::Outcome;

/// An attempt that was made, and what became of it.
pub(crate) struct Sent<'a> {
    pub(crate) channel: &'a str,
    pub(crate) attempt: Attempt,
    pub(crate) outcome: Outcome,
}

/// Sends to each channel what is due to it at `now`. All attempts end at `deadline`, whoever is slow or dead.
pub(crate) fn send<'a>(
    status: &Status,
    channels: &'a [Box<dyn Channel>],
    now: Time,
    deadline: Instant,
) -> Vec<Sent<'a>> {
    let due_to = |channel: &dyn Channel| {
        let due = if channel.sums_up() { due } else { due_each };
        due(status, channel.name(), now)
    };
    let attempts = channels.iter().filter_map(|channel| Some((&**channel, due_to(&**channel)?)));
    attempt_all(attempts, deadline)
}

/// Makes these attempts side by side. All end at `deadline`.
pub(crate) fn attempt_all<'a>(
    attempts: impl Iterator<Item = (&'a dyn Channel, Attempt)>,
    deadline: Instant,
) -> Vec<Sent<'a>> {
    thread::scope(|scope| {
        let sending: Vec<_> =
            attempts.map(|(channel, attempt)| scope.spawn(move || one(channel, attempt, deadline))).collect();
        sending.into_iter().map(|sending| sending.join().expect("its panics are caught")).collect()
    })
}

fn one(channel: &dyn Channel, attempt: Attempt, deadline: Instant) -> Sent<'_> {
    let send = AssertUnwindSafe(|| channel.send(&attempt.entries, deadline));
    let outcome =
        panic::catch_unwind(send).unwrap_or_else(|_| Outcome::Ambiguous { taken: 0, why: "it panicked".into() });
    match &outcome {
        Outcome::Taken => log::info!("{} took {} messages", channel.name(), attempt.entries.len()),
        Outcome::NotTaken { taken, why, .. } | Outcome::Ambiguous { taken, why } | Outcome::Refused { taken, why } => {
            log::warn!("{} took {taken} of {} messages: {why}", channel.name(), attempt.entries.len());
        }
    }
    Sent { channel: channel.name(), attempt, outcome }
}

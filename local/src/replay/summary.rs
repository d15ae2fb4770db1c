//! The summary of a replay, in one line.

use std::fmt;
use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Fact, Message, Status};
use pulse_echo_core::words::duration;

/// The messages so far.
#[derive(Default)]
pub(super) struct Tally {
    messages: usize,
    outages: usize,
    longest: Option<Outage>,
}

/// How many checks there were, and which messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The beginning and the end of the history.
    pub from: Time,
    /// See `from`.
    pub until: Time,
    /// How many checks there were.
    pub checks: usize,
    /// How many outages of single checks were told.
    pub outages: usize,
    /// How many outages last at the end.
    pub last: usize,
    /// How many messages were sent. Each has all that one sweep had to tell.
    pub messages: usize,
    /// The longest outage, if there was one.
    pub longest: Option<Outage>,
}

/// An outage of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The check.
    pub check: CheckId,
    /// Its beginning.
    pub since: Time,
    /// How long it was, or how long it has lasted at the end.
    pub time: Duration,
}

impl Tally {
    /// Counts one message with all of these facts.
    pub(super) fn count(&mut self, outbox: &[Message]) {
        self.messages += 1;
        for message in outbox {
            match &message.fact {
                Fact::Down(_) => self.outages += 1,
                Fact::Up { check, since, until, .. } => longer(&mut self.longest, check, *since, *until),
                _ => {}
            }
        }
    }

    pub(super) fn summary(&self, status: &Status, from: Time, until: Time) -> Summary {
        let Self { messages, outages, mut longest } = Self { longest: self.longest.clone(), ..*self };
        let told = status.checks.iter().filter_map(|(id, record)| {
            let outage = record.outage.as_ref().filter(|outage| outage.told.is_some())?;
            Some((id, outage.since))
        });
        let mut last = 0;
        for (check, since) in told {
            last += 1;
            longer(&mut longest, check, since, until);
        }
        Summary { from, until, checks: status.checks.len(), outages, last, messages, longest }
    }
}

/// Keeps the longer of two outages.
fn longer(longest: &mut Option<Outage>, check: &CheckId, since: Time, until: Time) {
    let time = since.age(until);
    if longest.as_ref().is_none_or(|longest| time > longest.time) {
        *longest = Some(Outage { check: check.clone(), since, time });
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, until, checks, outages, last, messages, longest } = self;
        let counted = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
        write!(f, "from {from} to {until}: {}, {}", counted(*checks, "check"), counted(*outages, "outage"))?;
        if *last > 0 {
            write!(f, " ({last} not over)")?;
        }
        write!(f, ", {}", counted(*messages, "message"))?;
        if let Some(Outage { check, since, time }) = longest {
            write!(f, "; the longest outage was of {check}, {} from {since}", duration(*time))?;
        }
        Ok(())
    }
}

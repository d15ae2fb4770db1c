//! A check as it is shown: what is recorded, and what follows from it now.

use std::cmp::Reverse;
use std::time::Duration;

use crate::fleet::Fleet;
use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Muted, Record, State};
use pulse_echo_core::vitals::Vitals;
use pulse_echo_core::words;

/// A check as it is shown.
pub struct Row<'a> {
    /// The check.
    pub id: &'a CheckId,
    /// What is recorded of it.
    pub record: &'a Record,
    /// It was past its interval when the status was written, and is not down.
    pub is_late: bool,
    /// Its mute or its host's that lasts, the longer one.
    pub mute: Option<&'a Muted>,
    /// The pulse that is there now, if that was read.
    pub newest: Option<Newest>,
}

/// A pulse as the store has it now; what is recorded of it may be ten minutes old.
pub struct Newest {
    /// When the store took it.
    pub at: Time,
    /// How its host said that it was: the last words, if it is silent.
    pub vitals: Vitals,
}

/// All checks, the worst first: those that are down (of one state the newest outage first), then what may soon be, then
/// the others in key order.
pub fn worst_first(fleet: &Fleet) -> Vec<Row<'_>> {
    let mut rows: Vec<_> = fleet.status.checks.iter().map(|(id, record)| Row::new(id, record, fleet)).collect();
    rows.sort_by_key(|row| (row.rank(), row.record.state.is_down().then_some(Reverse(row.record.since))));
    rows
}

impl<'a> Row<'a> {
    fn new(id: &'a CheckId, record: &'a Record, fleet: &'a Fleet) -> Self {
        let Fleet { status, now } = fleet;
        // The status is written on a change and every ten minutes, so a pulse may have come since. One that is past its
        // limit by now must have: else the sweeps would have found its check silent.
        let is_late = !record.state.is_down() && record.is_late(status.written) && record.is_late(*now);
        let mutes = [status.mute_at(id, *now), status.mute_at(&id.default_of_host(), *now)];
        let mute = mutes.into_iter().flatten().max_by_key(|mute| mute.until());
        Self { id, record, is_late, mute, newest: None }
    }

    /// Takes in the pulse that is there now.
    pub fn see(&mut self, newest: Newest) {
        self.is_late &= newest.at == self.record.pulse;
        self.newest = Some(newest);
    }

    fn rank(&self) -> u8 {
        match self.record.state {
            state if state.is_down() && self.mute.is_some() => 3,
            State::Silent => 0,
            State::Failing => 1,
            State::Unanswered => 2,
            State::New | State::Up if self.record.missing.is_some() => 4,
            _ if self.is_late => 5,
            State::New => 6,
            State::Up => 7,
            State::Gone => 8,
        }
    }

    /// The word for it: its state, or `late`.
    pub fn word(&self) -> String {
        if self.is_late { "late".into() } else { self.record.state.to_string() }
    }

    /// For how long it is so.
    pub fn lasts(&self, now: Time) -> Duration {
        match &self.record.limits {
            Some(limits) if self.is_late => self.record.pulse.age(now).saturating_sub(limits.every()),
            _ => self.record.since.age(now),
        }
    }

    /// What there is to say of it, one clause after the other; a stranger's words may be in it.
    pub fn text(&self, now: Time) -> String {
        let muted = self.mute.map(|mute| {
            let reason = mute.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
            format!("muted for {} more{reason}", words::duration(now.age(mute.until())))
        });
        let missing = self.record.missing.map(|_| "its pulse is no longer there".into());
        let last_words = self.newest.as_ref().filter(|_| self.record.state == State::Silent && !self.is_back());
        let last_words = last_words.map(|newest| words::vitals(&newest.vitals));
        let clauses = [muted, self.why(now), last_words, missing].into_iter().flatten();
        clauses.filter(|clause| !clause.is_empty()).collect::<Vec<_>>().join("; ")
    }

    fn why(&self, now: Time) -> Option<String> {
        let pulse = || format!("last pulse {} ago", words::duration(self.pulse_at().age(now)));
        match self.record.state {
            State::Failing => Some(self.reason()),
            State::Silent if self.is_back() => Some(format!("{}: no sweep has judged it yet", pulse())),
            State::Silent => Some(pulse()),
            State::Unanswered => Some("its pulses get no answer: look at the probe".into()),
            State::Gone => Some("retired".into()),
            State::New | State::Up if self.is_late => Some(pulse()),
            State::New => Some("its pulse waits for the first answer".into()),
            State::Up => None,
        }
    }

    /// Whether a pulse has come that no sweep has judged.
    fn is_back(&self) -> bool {
        self.pulse_at() > self.record.pulse
    }

    /// When the newest pulse came that is known.
    pub fn pulse_at(&self) -> Time {
        self.newest.as_ref().map_or(self.record.pulse, |newest| newest.at)
    }

    /// Why it is failing: the fault's sentence, else its kind.
    pub fn reason(&self) -> String {
        let fault = self.record.fault.as_ref();
        let cause = || fault.and_then(|fault| fault.cause).map(|cause| cause.to_string());
        let reason = fault.and_then(|fault| fault.reason.clone());
        reason.or_else(cause).unwrap_or_else(|| "why is not known: its fault could not be read".into())
    }
}

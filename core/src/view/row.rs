//! A check as it is shown: its record, and what follows from it now.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Time;
use crate::name::CheckId;
use crate::status::{Acked, Muted, Mutes, Record, State, StatusOf, ack_of};
use crate::vitals::Vitals;
use crate::words;

/// A check as it is shown.
pub struct Row<'a> {
    /// The check.
    pub id: &'a CheckId,
    /// Its record.
    pub record: &'a Record,
    /// Whether it was past its interval when the status was written, and is not down.
    pub is_late: bool,
    /// The running mute of the check, of its host or of a pattern; of several, the longest.
    pub mute: Option<&'a Muted>,
    /// The acknowledgement of its outage that lasts.
    pub ack: Option<&'a Acked>,
    /// The pulse that is in the store now, if it was read.
    pub newest: Option<Box<Newest>>,
}

/// A pulse that is in the store now. The record may be ten minutes older.
pub struct Newest {
    /// When the store took it.
    pub at: Time,
    /// Its host's vitals: the last words, if the host is silent.
    pub vitals: Vitals,
}

/// All checks, the worst first: the checks that are down (the newest outage first within a state), then those that may
/// soon be down, then the others in key order.
pub fn worst_first<M>(status: &StatusOf<M>, now: Time) -> Vec<Row<'_>> {
    sorted(&status.checks, &status.acks, &status.mutes(), (status.written, now))
}

/// What a status's messages are does not matter here.
fn sorted<'a>(
    checks: &'a BTreeMap<CheckId, Record>,
    acks: &'a BTreeMap<CheckId, Acked>,
    mutes: &Mutes<'a>,
    times: (Time, Time),
) -> Vec<Row<'a>> {
    let new = |(id, record): (_, &'a Record)| {
        let ack = ack_of(acks, id, record.outage.as_deref());
        Row { ack, ..Row::new(id, record, times, mutes) }
    };
    let mut rows: Vec<_> = checks.iter().map(new).collect();
    rows.sort_by_key(|row| (row.rank(), row.record.state.is_down().then_some(Reverse(row.record.since))));
    rows
}

impl<'a> Row<'a> {
    fn new(id: &'a CheckId, record: &'a Record, (written, now): (Time, Time), mutes: &Mutes<'a>) -> Self {
        // The status is written on a change and every ten minutes, so a pulse may have come since. A check that is past
        // its limit by now must have had a new pulse: otherwise the sweeps would have found it silent.
        let is_late = !record.state.is_down() && record.is_late(written) && record.is_late(now);
        let mute = mutes.of(id).map(|(_, mute)| mute).filter(|mute| now < mute.until()).max_by_key(|mute| mute.until());
        Self { id, record, is_late, mute, ack: None, newest: None }
    }

    /// Adds the pulse that is in the store now. One that was ahead of the store's clock counts as it does for the
    /// sweeps.
    pub fn see(&mut self, mut newest: Newest) {
        let first = self.record.ahead.as_ref().and_then(|ahead| ahead.pulse).filter(|first| first.listed == newest.at);
        newest.at = first.map_or(newest.at, |first| first.counts);
        self.is_late &= newest.at == self.record.pulse;
        self.newest = Some(newest.into());
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

    /// Whether it is down and people are to care: not while it is muted.
    pub fn is_told_down(&self) -> bool {
        self.record.state.is_down() && self.mute.is_none()
    }

    /// The word for its state, or `late`.
    pub fn word(&self) -> String {
        if self.is_late { "late".into() } else { self.record.state.to_string() }
    }

    /// How long it has been down, as its messages say it; else how long it has been in its state.
    pub fn lasts(&self, now: Time) -> Duration {
        match (&self.record.limits, &self.record.outage) {
            (Some(limits), _) if self.is_late => self.record.pulse.age(now).saturating_sub(limits.every()),
            (_, Some(outage)) if self.record.state.is_down() => outage.since.age(now),
            _ => self.record.since.age(now),
        }
    }

    /// The text about it, in clauses. A stranger's text may be in it.
    pub fn text(&self, now: Time) -> String {
        let muted = self.mute.map(|mute| {
            let reason = mute.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
            format!("muted for {} more{reason}", words::duration(now.age(mute.until())))
        });
        let acked = self.ack.map(|ack| ack.word.clause());
        let missing = self.record.missing.map(|_| "its pulse is no longer there".into());
        let last_words = self.newest.as_ref().filter(|_| self.record.state == State::Silent && !self.is_back());
        let last_words = last_words.map(|newest| words::vitals(&newest.vitals));
        let clauses = [muted, self.why(now), last_words, missing, acked].into_iter().flatten();
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

    /// Whether a pulse has come that no sweep has judged yet.
    fn is_back(&self) -> bool {
        self.pulse_at() > self.record.pulse
    }

    /// When the newest known pulse came.
    pub fn pulse_at(&self) -> Time {
        self.newest.as_ref().map_or(self.record.pulse, |newest| newest.at)
    }

    /// Why it is failing: the fault's sentence, else its cause.
    pub fn reason(&self) -> String {
        let fault = self.record.fault.as_ref();
        let cause = || fault.and_then(|fault| fault.cause).map(|cause| cause.to_string());
        let reason = fault.and_then(|fault| fault.reason.clone());
        reason.or_else(cause).unwrap_or_else(|| "why is not known: its fault could not be read".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{Ahead, FirstSeen};

    #[test]
    fn a_pulse_that_was_ahead_of_the_stores_clock_counts_as_for_the_sweeps() {
        let at = Time::from_second;
        let (id, now) = (CheckId::from_pulse_key("pulse/web-1.json").unwrap(), at(1_000));
        let pulse = Some(FirstSeen { listed: at(8_000), counts: at(60) });
        let ahead = Some(Box::new(Ahead { pulse, ..Ahead::default() }));
        let record = Record { state: State::Silent, since: at(960), ahead, ..Record::new(at(60)) };
        let mut row = Row { id: &id, record: &record, is_late: false, mute: None, ack: None, newest: None };
        row.see(Newest { at: at(8_000), vitals: Vitals::default() });
        assert_eq!(row.text(now), "last pulse 15 min ago");
        row.see(Newest { at: at(990), vitals: Vitals::default() });
        assert_eq!(row.text(now), "last pulse 10 s ago: no sweep has judged it yet");
    }
}

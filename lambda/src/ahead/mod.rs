//! A store whose clock was ahead, and is right again: its objects, and what sweeps noted meanwhile, have times that are
//! still to come. Compared with *now* they would be new for hours, and hide every outage.
//!
//! An object counts with the time at which a sweep first saw it, until another takes its place. What was noted is cut
//! to *now*. All of this is pure. Here: objects, and what is told of them; `noted`: the times that are kept in
//! `status.json`.

mod noted;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Ahead, FirstSeen, Muted, Record};

use crate::verdict::Observation;

/// Mends what is ahead of a sweep's *now*, and keeps in mind what it has found.
#[derive(Clone, Debug)]
pub struct Mender {
    now: Time,
    /// The furthest time that was newly found ahead.
    pub furthest: Option<Time>,
    /// The checks with objects that were newly found ahead.
    pub checks: Vec<CheckId>,
}

impl Mender {
    /// A mender that has found nothing yet.
    pub fn new(now: Time) -> Self {
        Self { now, furthest: None, checks: Vec::new() }
    }

    /// A time that was noted by a sweep: never ahead.
    #[must_use]
    pub fn noted(&mut self, time: Time) -> Time {
        if !time.is_ahead(self.now) {
            return time;
        }
        self.furthest = self.furthest.max(Some(time));
        self.now
    }

    /// Gives the objects of a check the times that they count with, and its record none that is ahead. The order of the
    /// objects stays: of those that are newly ahead the newest counts with *now*, and each older one with a second
    /// less.
    pub fn check(&mut self, id: &CheckId, mut record: Option<&mut Record>, seen: &mut Observation) {
        let known = record.as_ref().and_then(|record| record.ahead.as_deref().cloned());
        if known.is_none() && !self.is_any_ahead(record.as_deref_mut(), seen) {
            return;
        }
        let known = known.unwrap_or_default();
        if seen.is_hidden {
            if let Some(record) = record {
                self.record(record, &BTreeSet::new());
            }
            return;
        }
        let listed = [
            (seen.pulse.as_ref().map(|pulse| pulse.at), known.pulse),
            (seen.echo, known.echo),
            (seen.fault.as_ref().map(|fault| fault.at), known.fault),
            (seen.retired, known.note),
        ];
        let mut times = record.as_deref().map(noted::objects).unwrap_or_default();
        times.extend(listed.iter().filter_map(|(at, known)| Some(counts(*at.as_ref()?, *known))));
        times.retain(|time| time.is_ahead(self.now));

        let placed = listed.map(|(at, known)| match at {
            Some(listed) => {
                let counts = self.place(counts(listed, known), &times);
                (counts != listed).then_some(FirstSeen { listed, counts })
            }
            None => known,
        });
        let [pulse, echo, fault, note] = placed;
        let counted = |at: &mut Time, first: Option<FirstSeen>| *at = first.map_or(*at, |first| first.counts);
        seen.pulse.iter_mut().for_each(|listed| counted(&mut listed.at, pulse));
        seen.echo.iter_mut().for_each(|at| counted(at, echo));
        seen.fault.iter_mut().for_each(|listed| counted(&mut listed.at, fault));
        seen.retired.iter_mut().for_each(|at| counted(at, note));
        let ahead = Ahead { pulse, echo, fault, note };
        seen.ahead = Some(Box::new(ahead)).filter(|ahead| **ahead != Ahead::default());

        if let Some(record) = record {
            self.record(record, &times);
        }
        if let Some(&furthest) = times.last() {
            self.furthest = self.furthest.max(Some(furthest));
            self.checks.push(id.clone());
        }
    }

    /// Brings a mute up to the `LastModified` with which it is listed.
    pub fn mute(&mut self, mute: &mut Muted, listed: Time) {
        let counts = counts(listed, mute.listed.map(|listed| FirstSeen { listed, counts: mute.at }));
        mute.at = self.noted(counts);
        mute.listed = (mute.at != listed).then_some(listed);
    }

    fn is_any_ahead(&self, record: Option<&mut Record>, seen: &Observation) -> bool {
        let Observation { pulse, echo, fault, retired, .. } = seen;
        let listed = [pulse.as_ref().map(|pulse| pulse.at), *echo, fault.as_ref().map(|fault| fault.at), *retired];
        listed.into_iter().flatten().any(|at| at.is_ahead(self.now))
            || record.is_some_and(|record| noted::is_any_ahead(record, self.now))
    }

    /// Where a time counts. `times` are all that are newly ahead of the same check.
    fn place(&self, time: Time, times: &BTreeSet<Time>) -> Time {
        match times.iter().rev().zip(0..).find(|(ahead, _)| **ahead == time) {
            Some((_, newer)) => Time::from_second(self.now.as_second() - newer),
            None if time.is_ahead(self.now) => self.now,
            None => time,
        }
    }
}

/// What an object counts with by what is known, as far as it is still the same object.
fn counts(listed: Time, known: Option<FirstSeen>) -> Time {
    known.filter(|known| known.listed == listed).map_or(listed, |known| known.counts)
}

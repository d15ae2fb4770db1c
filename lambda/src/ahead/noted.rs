//! All times that `status.json` keeps, named one by one: a new field does not build until somebody has said what
//! becomes of it where the clock is set back.

use std::collections::BTreeSet;
use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::status::{
    Acked, BackOff, Crowded, Down, Ended, Fact, Flaps, Gap, Message, Missing, Outage, PastOutage, Record, SetBack,
    Status, Telling, Told, Unanswered, Unfiled, UnfiledOutage, Vanished,
};

use super::Mender;

/// A channel is never left alone for longer.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(24 * 3600);

/// The times of the objects that a record knows.
pub(super) fn objects(record: &Record) -> BTreeSet<Time> {
    let fault = record.fault.as_ref().map(|fault| fault.at);
    [Some(record.pulse), record.echo, fault].into_iter().flatten().collect()
}

/// Whether a time of the record is ahead.
pub(super) fn is_any_ahead(record: &mut Record, now: Time) -> bool {
    let mut is_ahead = false;
    each_time(record, &mut |time| is_ahead |= time.is_ahead(now));
    let mut told = record.outage.iter().filter_map(|outage| outage.told.as_ref());
    is_ahead
        || told.any(|told| told.next.is_ahead(now + step(told)))
        || record.telling.iter().any(|telling| telling.down.iter().any(|down| down.is_ahead(now)))
}

impl Mender {
    /// Leaves no time in a record that is ahead. `times` are those of the check's objects, which keep their order.
    pub(super) fn record(&mut self, record: &mut Record, times: &BTreeSet<Time>) {
        let now = self.now;
        let mut furthest = self.furthest;
        each_time(record, &mut |time| {
            if time.is_ahead(now) {
                furthest = furthest.max(Some(*time));
                *time = self.place(*time, times);
            }
        });
        self.furthest = furthest;
        if let Some(told) = record.outage.as_mut().and_then(|outage| outage.told.as_mut()) {
            remind_in_time(told, now);
        }
        // What seems to have been told in times to come must not hold back what is to be told.
        if let Some(telling) = &mut record.telling {
            telling.down.retain(|down| !down.is_ahead(now));
        }
    }

    /// Leaves no time in the status that is ahead, but for its checks and their mutes, which depend on what is listed.
    pub fn status(&mut self, status: &mut Status) {
        let now = self.now;
        let was_ahead = status.written.is_ahead(now);
        let Status {
            version: _,
            written,
            stopped,
            // One that runs for too long is over by itself.
            lease: _,
            channels,
            gaps,
            many_down,
            many_told: _,
            vanished,
            noise,
            unanswered,
            set_back,
            crowded,
            mutes,
            acks,
            unfiled,
            outbox,
            checks: _,
        } = status;
        let mut cut = |time: &mut Time| *time = self.noted(*time);
        cut(written);
        stopped.iter_mut().chain(many_down).for_each(&mut cut);
        for BackOff { failures: _, until, since, why: _, told, worked, refused: _ } in channels.values_mut() {
            since.iter_mut().chain(told).chain(worked).for_each(&mut cut);
            // How much of it is left is not known, and messages must not wait for hours.
            if was_ahead || now.age(*until) > LONGEST_BACK_OFF {
                *until = now.min(*until);
            }
        }
        // A gap that is not over yet would spare checks until it is.
        gaps.retain(|gap| !gap.until.is_ahead(now));
        if let Some(Vanished { since, checks: _, hosts: _, told_hosts: _ }) = vanished {
            cut(since);
        }
        for told in noise.values_mut() {
            told.retain(|told| !told.is_ahead(now));
        }
        noise.retain(|_, told| !told.is_empty());
        if let Some(Unanswered { since, checks: _, hosts: _, told_hosts: _, none_since, told }) = unanswered {
            [since].into_iter().chain(none_since).for_each(&mut cut);
            if let Some(told) = told {
                [&mut told.at].into_iter().chain(&mut told.changed).for_each(&mut cut);
                remind_in_time(told, now);
            }
        }
        if let Some(SetBack { told, last }) = set_back {
            [told, last].into_iter().for_each(&mut cut);
        }
        for Crowded { since, over } in crowded.values_mut() {
            [since].into_iter().chain(over).for_each(&mut cut);
        }
        for mute in mutes.values_mut() {
            cut(&mut mute.at);
        }
        for Acked { etag: _, at, outage, word: _ } in acks.values_mut() {
            [at].into_iter().chain(outage).for_each(&mut cut);
        }
        if let Some(Unfiled { outages, dark, begins, dropped: _, unusable: _ }) = unfiled {
            begins.iter_mut().for_each(&mut cut);
            for UnfiledOutage { check: _, first, outage: PastOutage { from, until, .. } } in outages {
                [first, from, until].into_iter().for_each(&mut cut);
            }
            for Gap { from, until } in dark {
                [from, until].into_iter().for_each(&mut cut);
            }
        }
        for Message { id: _, at, owed: _, waits: _, whole: _, fact } in outbox {
            cut(at);
            each_time_of_fact(fact, &mut cut);
        }
    }
}

fn step(told: &Told) -> Duration {
    Duration::from_secs(told.step_s)
}

/// No reminder is further away than from one to the next.
fn remind_in_time(told: &mut Told, now: Time) {
    if told.next.is_ahead(now + step(told)) {
        told.next = now + step(told);
    }
}

/// All times of a record that are never ahead, but for those that are dropped instead.
fn each_time(record: &mut Record, each: &mut impl FnMut(&mut Time)) {
    let Record {
        state: _,
        since,
        first,
        pulse,
        limits: _,
        echo,
        fault,
        unread,
        turn,
        in_row: _,
        waiting,
        missing,
        ahead: _,
        outage,
        over,
        telling,
        retired: _,
        history,
    } = record;
    [since, pulse].into_iter().chain(first).chain(echo).chain(unread).chain(waiting).for_each(&mut *each);
    if let Some(fault) = fault {
        [&mut fault.at].into_iter().chain(&mut fault.pulse_at).for_each(&mut *each);
    }
    if let Some(turn) = turn {
        each(&mut turn.since);
    }
    if let Some(Missing { since, with_many: _ }) = missing {
        each(since);
    }
    if let Some(Gap { from, until }) = over.as_deref_mut() {
        [from, until].into_iter().for_each(&mut *each);
    }
    if let Some(Outage { since, noticed, muted: _, told }) = outage.as_deref_mut() {
        [since, noticed].into_iter().for_each(&mut *each);
        if let Some(Told { at, next: _, step_s: _, causes: _, changed, back: _, anyway: _ }) = told {
            [at].into_iter().chain(changed).for_each(&mut *each);
        }
    }
    if let Some(Telling { down: _, flaps, held }) = telling.as_deref_mut() {
        if let Some(Flaps { changed, wait_s: _, silence: _ }) = flaps {
            each(changed);
        }
        if let Some(Ended { since, until, was: _, cause: _, reason: _, ack: _ }) = held.as_deref_mut() {
            since.iter_mut().chain([until]).for_each(&mut *each);
        }
    }
    for change in history {
        each(&mut change.at);
    }
}

/// The times of a fact by which the beginning and the end of an outage are known to belong together, and which people
/// read as ages. A fact about many, or about us, tells what was seen then.
fn each_time_of_fact(fact: &mut Fact, each: &mut impl FnMut(&mut Time)) {
    match fact {
        Fact::Down(down) => each_time_of_down(down, each),
        Fact::StillDown { down, told, .. } => {
            each_time_of_down(down, each);
            each(told);
        }
        Fact::Up { since, until, steady, .. } => [since, until].into_iter().chain(steady).for_each(each),
        Fact::Gone { pulse, since, .. } => [pulse].into_iter().chain(since).for_each(each),
        _ => {}
    }
}

fn each_time_of_down(down: &mut Down, each: &mut impl FnMut(&mut Time)) {
    let Down { since, pulse, echo, state_since, .. } = down;
    [since, pulse].into_iter().chain(echo).chain(state_since).for_each(each);
}

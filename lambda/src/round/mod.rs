//! One round over all checks: judges each check and appends the messages. It is pure: everything that was seen, and the
//! time, are arguments.

#[cfg(test)]
mod histories;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Fact, Gap, Record, State, Status, Unanswered};

use crate::outbox::many::{fact_of, first_ten, shorten};
use crate::outbox::{Change, Teller};
use crate::rules::Rules;
use crate::verdict::{self, Context, Observation, many};

/// A check as a sweep finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The check.
    pub id: CheckId,
    /// Its record; `None` for a new check, which has a pulse.
    pub record: Option<Record>,
    /// What the sweep sees of it.
    pub observation: Observation,
}

/// What a round depends on.
pub struct Round<'a> {
    /// The sweep's time.
    pub now: Time,
    /// The time of the last completed sweep, if it is known.
    pub swept: Option<Time>,
    /// The operator's rules.
    pub rules: &'a Rules,
    /// The names of all channels.
    pub channels: &'a BTreeSet<String>,
    /// A new random id at each call.
    pub new_id: &'a mut dyn FnMut() -> String,
}

/// A check after its verdict.
struct Judged {
    id: CheckId,
    before: Before,
    after: Record,
    is_muted: bool,
}

/// The check's earlier record.
enum Before {
    /// The check is new.
    New,
    /// The record is the same, except for newer times of its pulse and echo, and without an outage. So it is for nearly
    /// all checks, and in a large fleet a second record of each would be half of all memory.
    Same,
    /// This record.
    Was(Box<Record>),
}

impl Round<'_> {
    /// Judges all checks: `cases`, in key order, replace the status's own. Returns whether the status is worth writing,
    /// that is, whether it changed by more than newer times of pulses and echoes.
    pub fn run(self, status: &mut Status, cases: Vec<Case>) -> bool {
        let Self { now, swept, rules, channels, new_id } = self;
        let head = |status: &Status| (status.gaps.clone(), status.unanswered.clone(), status.many_down);
        let head_before = head(status);
        let pulses = cases.iter().filter_map(|case| Some(case.observation.pulse.as_ref()?.at));
        let gap = many::gap(swept, pulses, now, rules);
        status.gaps.extend(gap);
        let seen = cases.iter().map(|case| (case.record.as_ref(), case.observation.pulse.is_some()));
        let with_many = many::vanish_with_many(seen, now);
        let context = Context { now, rules, gaps: &status.gaps, with_many };
        let (mut judged, dropped) = judge_each(cases, status, &context);

        // Messages about many checks come before messages about each of them.
        let mut teller = Teller { now, rules, channels, new_id, messages: Vec::new() };
        tell_each(&mut teller, &mut judged);
        let of_checks = teller.take_messages();
        if let Some(gap) = gap {
            tell_gap(&mut teller, &gap, &judged);
        }
        status.gaps.retain(|gap| !spared(gap, &judged, now).is_empty());
        tell_vanished(&mut teller, &judged);
        tell_unanswered(&mut teller, &mut status.unanswered, &judged);
        tell_many_down(&mut teller, &mut status.many_down, &judged);
        teller.messages.extend(of_checks);
        shorten(&mut teller.messages);

        let changed =
            dropped || !teller.messages.is_empty() || head(status) != head_before || judged.iter().any(Judged::is_news);
        status.outbox.append(&mut teller.messages);
        status.checks = judged.into_iter().map(|check| (check.id, check.after)).collect();
        changed
    }
}

/// Judges each check. Returns whether any was dropped.
fn judge_each(cases: Vec<Case>, status: &Status, context: &Context) -> (Vec<Judged>, bool) {
    let count = cases.len();
    let mutes = status.mutes();
    let judge = |Case { id, record: before, observation }: Case| {
        let after = verdict::judge(before.as_ref(), &observation, context)?;
        let is_muted = mutes.cover(&id, context.now);
        Some(Judged { id, before: Before::of(before, &after), after, is_muted })
    };
    let judged: Vec<_> = cases.into_iter().filter_map(judge).collect();
    let dropped = judged.len() < count;
    (judged, dropped)
}

fn tell_each(teller: &mut Teller, judged: &mut [Judged]) {
    let down = judged.iter().filter(|check| check.after.state.is_down()).count();
    for Judged { id, before, after, is_muted } in judged {
        let before = match before {
            Before::New => None,
            Before::Same => continue,
            Before::Was(record) => Some(&**record),
        };
        let others = down - usize::from(after.state.is_down());
        teller.tell_check(&Change { id, before, is_muted: *is_muted, others }, after);
    }
}

/// The checks that get more time for this gap.
fn spared<'a>(gap: &Gap, judged: &'a [Judged], now: Time) -> Vec<&'a CheckId> {
    judged.iter().filter(|check| many::spares(gap, &check.after, now)).map(|check| &check.id).collect()
}

/// Tells of a gap, if any check gets more time for it.
fn tell_gap(teller: &mut Teller, gap: &Gap, judged: &[Judged]) {
    let spared = spared(gap, judged, teller.now);
    if !spared.is_empty() {
        let some = first_ten(spared.iter().copied());
        teller.tell(Fact::Gap {
            from: gap.from,
            until: gap.until,
            quiet_until: Some(gap.until),
            spared: spared.len(),
            hosts: 0,
            some,
        });
    }
}

/// Tells of checks that vanish together, in one message.
fn tell_vanished(teller: &mut Teller, judged: &[Judged]) {
    let with_many = |record: &Record| record.missing.is_some_and(|missing| missing.with_many);
    let is_new =
        |check: &&Judged| with_many(&check.after) && matches!(&check.before, Before::Was(before) if !with_many(before));
    let vanished = || judged.iter().filter(is_new).filter(|check| !check.is_muted).map(|check| &check.id);
    let checks = vanished().count();
    if checks > 0 {
        let of = judged.iter().filter(|check| check.after.state != State::Gone).count();
        teller.tell(Fact::Vanished { checks, of, hosts: 0, of_hosts: 0, some: first_ten(vanished()) });
    }
}

/// Tells of checks whose pulses get no answer, in one message.
fn tell_unanswered(teller: &mut Teller, known: &mut Option<Unanswered>, judged: &[Judged]) {
    let unanswered = judged.iter().filter(|check| check.after.state == State::Unanswered);
    let unanswered: Vec<_> = unanswered.map(|check| (&check.id, &check.after, check.is_muted)).collect();
    teller.tell_unanswered(known, &unanswered);
}

/// Tells that many checks went down together, once while that lasts.
fn tell_many_down(teller: &mut Teller, told: &mut Option<Time>, judged: &[Judged]) {
    match many::many_down(judged.iter().map(|check| &check.after), teller.now) {
        None => *told = None,
        Some((down, of)) if told.is_none() => {
            teller.tell(fact_of(&down, of));
            *told = Some(teller.now);
        }
        Some(_) => {}
    }
}

impl Before {
    fn of(record: Option<Record>, after: &Record) -> Self {
        match record {
            None => Self::New,
            Some(record) if after.outage.is_none() && !differs(&record, after) => Self::Same,
            Some(record) => Self::Was(Box::new(record)),
        }
    }
}

impl Judged {
    /// Whether the status is worth writing for it.
    fn is_news(&self) -> bool {
        match &self.before {
            Before::New => true,
            Before::Same => false,
            Before::Was(before) => differs(before, &self.after),
        }
    }
}

/// Whether more has changed than the times of the newest pulse and echo.
fn differs(before: &Record, after: &Record) -> bool {
    *before != Record { pulse: before.pulse, echo: before.echo, ..after.clone() }
}

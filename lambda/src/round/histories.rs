//! Properties of the rules over random histories: what hosts sent, what the probe answered, when sweeps came, which of
//! their writes were needed, what they could not read, and what the channel took.

mod flapping;
mod properties;

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use pulse_echo_core::answer::{self, Cause};
use pulse_echo_core::status::{Acknowledged, Limits, Muted};

use super::*;
use crate::outbox::attempt::due;
use crate::outbox::entry::{Entry, Outcome, What};
use crate::outbox::settle::settle;
use crate::outbox::{give_words, words_wanted};
use crate::verdict::Listed;

const LIMIT: i64 = 900;

fn at(second: i64) -> Time {
    Time::from_second(1_795_248_000 + second)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Echo,
    Fault(Cause),
    /// A fault, and an echo in the same second.
    Tie,
    None,
}

/// A pulse: how long after the previous pulse it came, its answer, and how long the answer took.
type Pulse = (i64, Answer, i64);

/// What the store holds of one check over time: pulses, echoes, and faults with their pulses, by second.
#[derive(Clone, Debug, Default)]
struct History {
    pulses: Vec<i64>,
    echoes: Vec<i64>,
    faults: Vec<(i64, i64, Cause)>,
    /// When the pulse is deleted, if ever.
    retired: Option<i64>,
}

impl History {
    fn of(pulses: &[Pulse]) -> Self {
        let mut history = Self::default();
        let mut pulse = 0;
        for &(after, answer, delay) in pulses {
            pulse += after;
            history.pulses.push(pulse);
            match answer {
                Answer::Echo => history.echoes.push(pulse + delay),
                Answer::Fault(cause) => history.faults.push((pulse + delay, pulse, cause)),
                Answer::Tie => {
                    history.echoes.push(pulse + delay);
                    history.faults.push((pulse + delay, pulse, Cause::Status));
                }
                Answer::None => {}
            }
        }
        history.echoes.sort_unstable();
        history.faults.sort_unstable_by_key(|&(second, ..)| second);
        history
    }

    fn observation(&self, now: i64, reads: bool) -> Observation {
        let newest = |times: &[i64]| times.iter().copied().rfind(|&second| second <= now);
        let is_there = self.retired.is_none_or(|retired| now < retired);
        let pulse = newest(&self.pulses).filter(|_| is_there);
        let fault = self.faults.iter().rfind(|&&(second, ..)| second <= now);
        let read = |&(_, pulse, cause): &(i64, i64, Cause)| answer::Fault::new(cause, "it failed", at(pulse));
        Observation {
            pulse: pulse.map(|second| Listed { at: at(second), etag: "p".into() }),
            echo: newest(&self.echoes).map(at),
            fault: fault.map(|&(second, pulse, _)| Listed { at: at(second), etag: format!("{second} {pulse}").into() }),
            limits: reads.then(|| Limits { etag: "p".into(), every_s: 600, limit_s: 900, faults_in_row: None }),
            fault_read: fault.filter(|_| reads).map(read).map(Box::new),
            ..Observation::default()
        }
    }

    /// These times and all times of a change, including when the check falls silent.
    fn moments(&self, others: &[i64]) -> Vec<i64> {
        let pulses = self.pulses.iter().flat_map(|pulse| [*pulse, pulse + LIMIT + 1]);
        let answers = self.echoes.iter().copied().chain(self.faults.iter().map(|&(second, ..)| second));
        let mut moments: Vec<_> = pulses.chain(answers).chain(others.iter().copied()).collect();
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    fn end(&self) -> i64 {
        self.pulses.last().copied().unwrap_or(0) + 3_000
    }
}

/// What may go wrong in each sweep. The lists repeat.
#[derive(Clone, Debug)]
struct Weather {
    /// Seconds from one sweep to the next.
    steps: Vec<i64>,
    /// Whether the sweep's reads succeed.
    reads: Vec<bool>,
    /// How much of an attempt the channel takes: everything, or this number of entries at most.
    takes: Vec<Option<usize>>,
    /// When the first check is muted.
    muted: Option<Range<i64>>,
    /// Whether somebody acknowledges each outage of the first check.
    acked: bool,
}

impl Weather {
    /// Nothing goes wrong, and sweeps come at these times.
    fn fair_at(sweeps: &[i64]) -> Self {
        let steps = [0].iter().chain(sweeps).zip(sweeps).map(|(before, now)| now - before).collect();
        Self { steps, reads: vec![true], takes: vec![None], muted: None, acked: false }
    }
}

/// What was told to people, and when.
struct Told {
    entries: Vec<(i64, Entry)>,
    status: Status,
    /// The outages that are over, told or not: the check, from, to.
    over: Vec<(usize, Time, Time)>,
    /// What the loop has filed.
    history: pulse_echo_core::history::History,
}

fn id(check: usize) -> CheckId {
    format!("h{check}.json").try_into().unwrap()
}

/// Sweeps over the histories as the loop does: a status that is not worth writing is lost.
fn run(histories: &[History], weather: &Weather, rules: &Rules) -> Told {
    let channels = ["hook".to_string()].into();
    let mut told = Told {
        entries: Vec::new(),
        status: Status::new(at(0)),
        over: Vec::new(),
        history: pulse_echo_core::history::History::new(at(0)),
    };
    let (mut ids, mut swept, mut now) = (0, None, 0);
    let end = histories.iter().map(History::end).max().unwrap_or(0);
    for sweep in 0.. {
        now += weather.steps[sweep % weather.steps.len()];
        if now > end {
            break;
        }
        let reads = weather.reads[sweep % weather.reads.len()];
        let mut status = told.status.clone();
        // What cannot be read, or written, waits.
        if let Some(unfiled) = status.unfiled.as_mut().filter(|_| reads) {
            told.history.strike_off(unfiled);
        }
        if let Some(muted) = weather.muted.as_ref().filter(|muted| muted.contains(&now)) {
            let for_s = u32::try_from(muted.end - muted.start).unwrap();
            status
                .mutes
                .insert(id(0), Muted { etag: "m".into(), at: at(muted.start), for_s, reason: None, listed: None });
        }
        if let Some(since) = begun(status.checks.get(&id(0))).filter(|_| weather.acked) {
            let word = Acknowledged { by: Some("alice@ops".into()), reason: None };
            status.acks.insert(id(0), Acked { etag: since.to_string(), at: at(now), outage: Some(since), word });
        }
        let mut new_id = || {
            ids += 1;
            format!("{ids:06}")
        };
        let round = Round { now: at(now), swept, rules, channels: &channels, new_id: &mut new_id };
        let cases = cases(histories, &mut status, now, reads);
        let outages: Vec<_> = cases.iter().map(|case| (case.id.clone(), begun(case.record.as_ref()))).collect();
        let changed = round.run(&mut status, cases);
        told.over.extend(outages.iter().filter_map(|(of, since)| {
            let check = of.host()[1..].parse().unwrap();
            let record = status.checks.get(of).filter(|record| record.state == State::Up && record.outage.is_none())?;
            Some((check, (*since)?, record.since))
        }));
        if reads {
            for id in words_wanted(&status.outbox) {
                give_words(&mut status.outbox, &id, &pulse_echo_core::metadata::Metadata::new());
            }
        }
        if let Some(attempt) = due(&status, "hook", at(now)) {
            let count = attempt.entries.len();
            let taken = weather.takes[sweep % weather.takes.len()].unwrap_or(count).min(count);
            let in_part = Outcome::NotTaken { taken, after: None, why: "it rains".into() };
            let outcome = if taken == count { Outcome::Taken } else { in_part };
            told.entries.extend(attempt.entries[..taken].iter().map(|entry| (now, entry.clone())));
            settle(&mut status, "hook", &attempt, &outcome, at(now), "new");
            told.status = status;
        } else if changed || at(now) >= told.status.written + std::time::Duration::from_secs(600) {
            status.written = at(now);
            told.status = status;
        }
        if let Some(unfiled) = told.status.unfiled.as_ref().filter(|_| reads) {
            told.history.file(unfiled);
        }
        swept = Some(at(now));
    }
    told
}

/// Whether an entry is about this check.
fn is_of(check: usize, entry: &Entry) -> bool {
    matches!(&entry.what, What::Fact(fact) | What::Whole(fact) if fact.check() == Some(&id(check)))
}

/// When the outage of a record began that lasts.
fn begun(record: Option<&Record>) -> Option<Time> {
    Some(record?.outage.as_ref()?.since)
}

fn cases(histories: &[History], status: &mut Status, now: i64, reads: bool) -> Vec<Case> {
    let mut records = std::mem::take(&mut status.checks);
    let case = |(check, history): (usize, &History)| {
        let (id, observation) = (id(check), history.observation(now, reads));
        let record = records.remove(&id);
        (record.is_some() || observation.pulse.is_some()).then_some(Case { id, record, observation })
    };
    histories.iter().enumerate().filter_map(case).collect()
}

impl Told {
    /// The facts about one check, in the order in which they were told: `d` down, `s` still down, `u` up, `w` down and
    /// up in one, `g` gone.
    fn of(&self, check: usize) -> String {
        let letter = |(_, entry): &(i64, Entry)| match &entry.what {
            _ if !is_of(check, entry) => None,
            What::Whole(Fact::Gone { .. }) => Some("wg"),
            What::Whole(_) => Some("w"),
            What::Fact(Fact::Down(_)) => Some("d"),
            What::Fact(Fact::StillDown { .. }) => Some("s"),
            What::Fact(Fact::Up { .. }) => Some("u"),
            What::Fact(Fact::Gone { since: Some(_), .. }) => Some("ug"),
            What::Fact(Fact::Gone { since: None, .. }) => Some("g"),
            other => panic!("{other:?} is about no check"),
        };
        self.entries.iter().filter_map(letter).collect()
    }

    /// The outages that are over of the one check, whether they were told or not: from, to.
    fn outages(&self) -> Vec<(Time, Time)> {
        self.over.iter().map(|&(_, since, until)| (since, until)).collect()
    }

    /// The outages of one check that are over, as they were told: from, to.
    fn told_outages(&self, check: usize) -> Vec<(Time, Time)> {
        let ends = self.entries.iter().filter_map(|(_, entry)| match &entry.what {
            What::Fact(Fact::Up { check: of, since, until, .. })
            | What::Whole(Fact::Up { check: of, since, until, .. })
                if *of == id(check) =>
            {
                Some((*since, *until))
            }
            _ => None,
        });
        ends.collect()
    }
}

/// Whether each outage is told once, and each end once, after its outage.
fn is_orderly(told: &str) -> bool {
    let mut is_down = false;
    told.chars().all(|letter| {
        let fits = match letter {
            'd' | 'w' | 'g' => !is_down,
            's' | 'u' => is_down,
            _ => false,
        };
        is_down = matches!(letter, 'd' | 's');
        fits
    })
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(Answer::Echo),
        2 => Just(Answer::Fault(Cause::Status)),
        1 => Just(Answer::Fault(Cause::Dns)),
        1 => Just(Answer::Tie),
        1 => Just(Answer::None),
    ]
}

fn history(pulses: impl Strategy<Value = Pulse>, count: Range<usize>) -> impl Strategy<Value = History> {
    vec(pulses, count).prop_map(|pulses| History::of(&pulses))
}

/// Any history: pulses far too late, answers far too late, in another order, or never.
fn any_history() -> impl Strategy<Value = History> {
    let pulse = (1..2_500_i64, any_answer(), 0..700_i64);
    (history(pulse, 1..25), proptest::option::weighted(0.2, 0.0..1.0_f64)).prop_map(|(mut history, retired)| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        let moment = |part: f64| (part * history.end() as f64) as i64;
        history.retired = retired.map(moment);
        history
    })
}

fn any_weather() -> impl Strategy<Value = Weather> {
    let step = prop_oneof![8 => 1..=60_i64, 1 => 60..900_i64];
    let takes = prop_oneof![3 => Just(None), 2 => (0..3_usize).prop_map(Some)];
    let muted = proptest::option::of((0..20_000_i64, 60..8_000_i64));
    let reads = vec(proptest::bool::weighted(0.8), 1..40);
    (vec(step, 1..40), reads, vec(takes, 1..40), muted, proptest::bool::ANY).prop_map(
        |(steps, reads, takes, muted, acked)| {
            let muted = muted.map(|(from, for_s)| from..from + for_s);
            Weather { steps, reads, takes, muted, acked }
        },
    )
}

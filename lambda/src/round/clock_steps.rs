//! Fleets over a store whose clock is set, back and forward: no outage is hidden by it, and none is made up.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use pulse_echo_core::answer::{self, Cause};
use pulse_echo_core::status::Limits;

use super::*;
use crate::ahead::Mender;
use crate::outbox::attempt::due;
use crate::outbox::entry::{Outcome, What};
use crate::outbox::settle::settle;
use crate::verdict::Listed;

const EVERY: i64 = 600;
const LIMIT: i64 = 900;
const SWEEP: i64 = 60;
const YEAR: i64 = 31_536_000;

/// A host: when its first pulse comes, when its service breaks, and when it stops to send.
#[derive(Clone, Debug)]
struct Host {
    begins: i64,
    breaks: i64,
    stops: i64,
}

/// Since when, in seconds that really passed, the clock is so many seconds ahead of them.
type Steps = Vec<(i64, i64)>;

fn clock(steps: &Steps, second: i64) -> Time {
    let ahead = steps.iter().rfind(|(from, _)| *from <= second).map_or(0, |(_, ahead)| *ahead);
    Time::from_second(1_795_248_000 + second + ahead)
}

impl Host {
    fn pulses(&self, until: i64) -> impl DoubleEndedIterator<Item = i64> {
        let count = (until.min(self.stops) - self.begins).div_euclid(EVERY) + 1;
        let begins = self.begins;
        (0..count.max(0)).map(move |pulse| begins + pulse * EVERY)
    }

    /// What the store has of it by now. Each pulse is answered a second later.
    fn observation(&self, now: i64, steps: &Steps) -> Observation {
        let put = |second: i64| Listed { at: clock(steps, second), etag: format!("{second}").into() };
        let pulse = self.pulses(now).next_back();
        let answers = || self.pulses(now - 1).map(|pulse| pulse + 1);
        let fault = answers().rfind(|second| *second > self.breaks);
        Observation {
            pulse: pulse.map(|second| Listed { etag: "p".into(), ..put(second) }),
            echo: answers().rfind(|second| *second <= self.breaks).map(|second| clock(steps, second)),
            fault: fault.map(put),
            limits: Some(Limits { etag: "p".into(), every_s: 600, limit_s: 900, faults_in_row: None }),
            fault_read: fault
                .map(|second| Box::new(answer::Fault::new(Cause::Status, "it failed", clock(steps, second - 1)))),
            ..Observation::default()
        }
    }
}

fn id(host: usize) -> CheckId {
    format!("h{host}.json").try_into().unwrap()
}

/// What was told: when, and what.
type Told = Vec<(i64, Fact)>;

/// Sweeps over the fleet as the loop does: a status that is not worth writing is lost. `look` sees each one.
fn run(hosts: &[Host], steps: &Steps, end: i64, mut look: impl FnMut(i64, &Status)) -> Told {
    let (rules, channels) = (Rules::default(), ["hook".to_string()].into());
    let (mut kept, mut told, mut swept, mut ids) = (Status::new(clock(steps, 0)), Vec::new(), None, 0);
    for second in (SWEEP..end).step_by(usize::try_from(SWEEP).unwrap()) {
        let now = clock(steps, second);
        let mut new_id = || {
            ids += 1;
            format!("{ids}")
        };
        let mut status = kept.clone();
        let mut mender = Mender::new(now);
        mender.status(&mut status);
        let swept_before = swept.map(|swept| mender.noted(swept)).max(Some(status.written));
        let mut records = std::mem::take(&mut status.checks);
        let cases = hosts.iter().enumerate().filter(|(_, host)| host.begins <= second).map(|(host, of)| {
            let mut case =
                Case { id: id(host), record: records.remove(&id(host)), observation: of.observation(second, steps) };
            mender.check(&case.id, case.record.as_mut(), &mut case.observation);
            case
        });
        let cases: Vec<_> = cases.collect();
        let mut teller = Teller { now, rules: &rules, channels: &channels, new_id: &mut new_id, messages: Vec::new() };
        let mut changed = teller.tell_set_back(&mut status.set_back, &mender) || mender.furthest.is_some();
        let mut messages = teller.take_messages();
        let round = Round { now, swept: swept_before, rules: &rules, channels: &channels, new_id: &mut new_id };
        changed |= round.run(&mut status, cases);
        status.outbox.append(&mut messages);
        status.outbox.iter_mut().for_each(|message| message.waits = false);
        if let Some(attempt) = due(&status, "hook", now) {
            told.extend(attempt.entries.iter().filter_map(|entry| match &entry.what {
                What::Fact(fact) | What::Whole(fact) => Some((second, fact.clone())),
                What::Summary(_) => None,
            }));
            settle(&mut status, "hook", &attempt, &Outcome::Taken, now, "new");
            changed = true;
        }
        look(second, &status);
        if changed || status.written.age(now).as_secs() >= 600 {
            status.written = now;
            kept = status;
        }
        swept = Some(now);
    }
    told
}

/// Whether a check is down in this state, and people know it.
fn is_told(status: &Status, host: usize, state: State) -> bool {
    let is_told = |record: &Record| {
        let flaps = record.telling.as_ref().is_some_and(|telling| telling.flaps.is_some());
        record.state == state && record.outage.as_ref().is_some_and(|outage| outage.told.is_some() || flaps)
    };
    status.checks.get(&id(host)).is_some_and(is_told)
}

fn any_host() -> impl Strategy<Value = Host> {
    (1..3_000_i64, prop_oneof![Just(i64::MAX), 0..9_000_i64], prop_oneof![Just(i64::MAX), 0..12_000_i64])
        .prop_map(|(begins, breaks, stops)| Host { begins, breaks, stops: stops.max(begins) })
}

fn any_ahead() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), -100..100_i64, -7_200..7_200_i64, -YEAR..YEAR]
}

fn any_steps() -> impl Strategy<Value = Steps> {
    (any_ahead(), vec((1..9_000_i64, any_ahead()), 1..4)).prop_map(|(first, mut steps)| {
        steps.sort_unstable();
        steps.insert(0, (i64::MIN, first));
        steps
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_stops_or_fails_is_told_within_its_limit_of_its_last_pulse_or_of_the_last_step(
        hosts in vec(any_host(), 1..5), steps in any_steps(),
    ) {
        let step = steps.last().unwrap().0;
        let within = |from: i64| from.max(step) + LIMIT + 2 * SWEEP;
        let mut missed = Vec::new();
        run(&hosts, &steps, 26_000, |second, status| {
            for (number, host) in hosts.iter().enumerate() {
                let last = host.pulses(26_000).next_back().unwrap();
                let fault = host.pulses(26_000).map(|pulse| pulse + 1).find(|second| *second > host.breaks);
                if second > within(last) {
                    missed.extend((!is_told(status, number, State::Silent)).then_some((second, number, "silent")));
                } else if second < last + LIMIT && fault.is_some_and(|fault| second > within(fault)) {
                    missed.extend((!is_told(status, number, State::Failing)).then_some((second, number, "failing")));
                }
            }
        });
        prop_assert!(missed.is_empty(), "{:?}", missed[0]);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_up_no_outage_and_is_told_once(
        begins in vec(1..EVERY, 1..5), first in 121..YEAR, parts in vec((1..9_000_i64, 0.0..1.0_f64), 1..4),
    ) {
        // Nobody stops, and each step goes back.
        let hosts: Vec<_> =
            begins.into_iter().map(|begins| Host { begins, breaks: i64::MAX, stops: i64::MAX }).collect();
        let mut at: Vec<_> = parts.iter().map(|part| part.0).collect();
        at.sort_unstable();
        let mut steps = vec![(i64::MIN, first)];
        #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        for (at, (_, part)) in at.iter().zip(&parts) {
            let ahead = steps.last().unwrap().1;
            steps.push((*at, (ahead as f64 * part) as i64));
        }
        steps.last_mut().unwrap().1 = 0;
        let told = run(&hosts, &steps, 14_000, |_, _| {});
        prop_assert!(told.iter().all(|(_, fact)| matches!(fact, Fact::SetBack { .. })), "{told:?}");
        prop_assert!(told.len() <= parts.len(), "{told:?}");
        let is_near = told.windows(2).any(|pair| pair[1].0 - pair[0].0 < 3_600 - 600 - SWEEP);
        prop_assert!(!is_near, "{told:?}");
    }

    #[test]
    fn a_clock_that_is_set_forward_makes_up_no_outage(
        begins in vec(1..EVERY, 1..30), by in vec(prop_oneof![1..1_500_i64, 1..YEAR], 1..4), first in 1_300..2_000_i64,
    ) {
        let hosts: Vec<_> =
            begins.into_iter().map(|begins| Host { begins, breaks: i64::MAX, stops: i64::MAX }).collect();
        let mut steps = vec![(i64::MIN, 0)];
        for (nth, by) in (0..).zip(by) {
            // Each host has sent again before the next one.
            steps.push((first + nth * (EVERY + SWEEP), steps.last().unwrap().1 + by));
        }
        let told = run(&hosts, &steps, 6_000, |_, _| {});
        prop_assert!(told.iter().all(|(_, fact)| matches!(fact, Fact::Gap { .. })), "{told:?}");
    }
}

/// What a story tells, in words: when, in minutes, and the kind of the fact.
fn story(hosts: &[Host], steps: &Steps) -> BTreeMap<i64, Vec<&'static str>> {
    let mut by_minute: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    for (second, fact) in run(hosts, steps, 14_400, |_, _| {}) {
        by_minute.entry(second / 60).or_default().push(match fact {
            Fact::SetBack { .. } => "set back",
            Fact::Down(down) if down.state == State::Silent => "silent",
            Fact::Down(_) => "failing",
            Fact::StillDown { .. } => "still down",
            Fact::Up { .. } => "up",
            Fact::Gap { .. } => "not watched",
            _ => "other",
        });
    }
    by_minute
}

fn lasting() -> Host {
    Host { begins: 10, breaks: i64::MAX, stops: i64::MAX }
}

#[test]
fn a_clock_that_was_ahead_is_told_and_a_silence_from_then_is_told_a_limit_later() {
    for ahead in [7_200, YEAR] {
        let stopped = Host { stops: 1_900, ..lasting() };
        let told = story(&[lasting(), stopped], &vec![(i64::MIN, ahead), (2_000, 0)]);
        assert_eq!(told, [(34, vec!["set back"]), (49, vec!["silent"])].into(), "{ahead}");
    }
}

#[test]
fn a_step_back_of_less_than_a_minute_is_no_step() {
    assert_eq!(story(&[lasting()], &vec![(i64::MIN, 50), (2_000, 0)]), BTreeMap::new());
}

#[test]
fn a_step_forward_is_told_as_a_time_without_sweeps_and_spares_those_that_send() {
    let stopped = Host { stops: 1_900, ..lasting() };
    let told = story(&[lasting(), stopped], &vec![(2_000, 7_200)]);
    assert_eq!(told, [(34, vec!["not watched"]), (45, vec!["silent"])].into());
    // A large fleet always has pulses between the last sweep and the step.
    let fleet: Vec<_> = (1..=60).map(|host| Host { begins: host * 10, ..lasting() }).collect();
    assert_eq!(story(&fleet, &vec![(2_000, 7_200)]), [(34, vec!["not watched"])].into());
}

#[test]
fn what_broke_while_the_clock_was_ahead_stays_told_and_what_breaks_after_it_is_told() {
    let (early, late) = (Host { breaks: 1_000, ..lasting() }, Host { begins: 70, breaks: 2_100, ..lasting() });
    let told = story(&[early, late], &vec![(i64::MIN, 7_200), (2_000, 0)]);
    assert_eq!(told, [(21, vec!["failing"]), (34, vec!["set back"]), (42, vec!["failing"])].into());
}

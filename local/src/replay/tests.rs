//! Leaving sweeps out changes nothing.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use pulse_echo_core::answer::Cause;

use super::list::{Event, List};
use super::row::{RecordedFault, What};
use super::*;

#[derive(Clone, Debug)]
enum Answer {
    Echo,
    Fault(Cause),
    None,
}

/// A pulse: how long after the previous pulse it came, its answer, and how long the answer took.
type Pulses = Vec<(i64, Answer, i64)>;

fn at(second: i64) -> Time {
    Time::from_second(1_795_248_000 + second)
}

fn list(checks: &[Pulses]) -> List {
    let mut events = Vec::new();
    for (check, pulses) in checks.iter().enumerate() {
        let mut pulse = 0;
        for (after, answer, delay) in pulses {
            pulse += after;
            let fault = |&cause| RecordedFault { cause, reason: "it failed".into(), pulse_at: Some(at(pulse)) };
            let what = match answer {
                Answer::Echo => Some(What::Echo),
                Answer::Fault(cause) => Some(What::Fault(Box::new(fault(cause)))),
                Answer::None => None,
            };
            events.push(Event { at: at(pulse), check, what: What::Pulse });
            events.extend(what.map(|what| Event { at: at(pulse + delay), check, what }));
        }
    }
    events.sort_by_key(|event| event.at);
    let id = |check| format!("web-{check}.json").try_into().unwrap();
    let (from, until) = (events[0].at, events[events.len() - 1].at + Duration::from_secs(20_000));
    List { checks: (0..checks.len()).map(id).collect(), events, from, until }
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        5 => Just(Answer::Echo),
        1 => Just(Answer::Fault(Cause::Status)),
        1 => Just(Answer::Fault(Cause::Dns)),
        1 => Just(Answer::None),
    ]
}

/// Pulses in time, and now and then a long silence.
fn any_pulses(count: Range<usize>) -> impl Strategy<Value = Pulses> {
    let after = prop_oneof![6 => 1..900_i64, 1 => 900..20_000_i64];
    vec((after, any_answer(), 0..700_i64), count)
}

/// Sweeps over everything, once with every sweep and once with some left out.
fn compare(checks: &[Pulses], rules: &Rules) -> [(Vec<String>, Summary); 2] {
    let sweeps = || Sweeps::new(list(checks), &Pulse::default(), rules);
    let said = |(at, entries): (Time, Vec<Entry>)| (!entries.is_empty()).then(|| shown(at, &entries));
    let (mut some, mut all) = (sweeps(), sweeps());
    let some_said = some.by_ref().filter_map(said).collect();
    let List { from, until, .. } = list(checks);
    let tick = |number: u32| from + Duration::from_secs(u64::from(number * rules.tick_s));
    let last = until + Duration::from_secs(u64::from(rules.tick_s));
    let ticks = (0..).map(tick).take_while(|now| *now < last);
    let all_said = ticks.filter_map(|now| said((now, all.sweep(now)))).collect();
    [(some_said, some.summary()), (all_said, all.summary())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_is_the_same_whether_quiet_sweeps_are_left_out_or_not(
        checks in prop_oneof![vec(any_pulses(1..8), 1..3), vec(any_pulses(1..3), 10..12)],
        tick_s in prop_oneof![Just(60), 15..=900_u32], remind_s in 60..20_000_u32, faults_in_row in 1..3_u32,
    ) {
        let [some, all] = compare(&checks, &Rules { tick_s, remind_s, faults_in_row, ..Rules::default() });
        prop_assert_eq!(some, all);
    }
}

#[test]
fn a_silent_check_whose_pulse_waits_is_unanswered_before_it_is_silent_again() {
    let pulses = vec![(1, Answer::Echo, 1), (5_000, Answer::None, 0), (40_010, Answer::Echo, 1)];
    let [some, all] = compare(&[pulses], &Rules { remind_s: 86_400, ..Rules::default() });
    let labels: Vec<_> =
        all.0.iter().map(|said| said.lines().nth(1).unwrap().split(':').next().unwrap().trim()).collect();
    assert_eq!(labels, ["DOWN", "PROBE IN TROUBLE", "PROBE ANSWERS AGAIN", "UP", "DOWN"]);
    assert_eq!(some, all);
}

#[test]
fn a_quiet_year_takes_a_few_sweeps() {
    let year = 365 * 24 * 3_600;
    let pulses = vec![(1, Answer::Echo, 1), (600, Answer::Echo, 1), (year, Answer::Echo, 1)];
    let sweeps = Sweeps::new(list(&[pulses]), &Pulse::default(), &Rules { remind_s: 2_678_400, ..Rules::default() });
    let count = sweeps.count();
    assert!(count < 100, "{count}");
}

//! Properties of the rules over random histories: what hosts sent, what the probe answered, when sweeps came, which of
//! their writes were needed, what they could not read, and what the channel took.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use pulse_echo_core::answer::{self, Cause};
use pulse_echo_core::status::{Limits, Muted};

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
            fault: fault.map(|&(second, pulse, _)| Listed { at: at(second), etag: format!("{second} {pulse}") }),
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
}

impl Weather {
    /// Nothing goes wrong, and sweeps come at these times.
    fn fair_at(sweeps: &[i64]) -> Self {
        let steps = [0].iter().chain(sweeps).zip(sweeps).map(|(before, now)| now - before).collect();
        Self { steps, reads: vec![true], takes: vec![None], muted: None }
    }
}

/// What was told to people, and when.
struct Told {
    entries: Vec<(i64, Entry)>,
    status: Status,
    /// The outages that are over, told or not: the check, from, to.
    over: Vec<(usize, Time, Time)>,
}

fn id(check: usize) -> CheckId {
    format!("h{check}.json").try_into().unwrap()
}

/// Sweeps over the histories as the loop does: a status that is not worth writing is lost.
fn run(histories: &[History], weather: &Weather, rules: &Rules) -> Told {
    let channels = ["hook".to_string()].into();
    let mut told = Told { entries: Vec::new(), status: Status::new(at(0)), over: Vec::new() };
    let (mut ids, mut swept, mut now) = (0, None, 0);
    let end = histories.iter().map(History::end).max().unwrap_or(0);
    for sweep in 0.. {
        now += weather.steps[sweep % weather.steps.len()];
        if now > end {
            break;
        }
        let reads = weather.reads[sweep % weather.reads.len()];
        let mut status = told.status.clone();
        if let Some(muted) = weather.muted.as_ref().filter(|muted| muted.contains(&now)) {
            let for_s = u32::try_from(muted.end - muted.start).unwrap();
            status.mutes.insert(id(0), Muted { etag: "m".into(), at: at(muted.start), for_s, reason: None });
        }
        let mut new_id = || {
            ids += 1;
            format!("{ids:06}")
        };
        let round = Round { now: at(now), swept, rules, channels: &channels, new_id: &mut new_id };
        let cases = cases(histories, &mut status, now, reads);
        let outages: Vec<_> = cases.iter().map(|case| (case.id.clone(), begun(case.record.as_ref()))).collect();
        let changed = round.run(&mut status, cases);
        told.over.extend(outages.iter().enumerate().filter_map(|(check, (id, since))| {
            let record = status.checks.get(id).filter(|record| record.state == State::Up && record.outage.is_none())?;
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
        swept = Some(at(now));
    }
    told
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
            What::Fact(fact) | What::Whole(fact) if fact.check() != Some(&id(check)) => None,
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
    (vec(step, 1..40), vec(proptest::bool::weighted(0.8), 1..40), vec(takes, 1..40), muted).prop_map(
        |(steps, reads, takes, muted)| {
            let muted = muted.map(|(from, for_s)| from..from + for_s);
            Weather { steps, reads, takes, muted }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_outage_is_told_once_and_exactly_one_end_of_each(
        histories in vec(any_history(), 1..4), weather in any_weather(), in_row in 1..3_u32,
    ) {
        let rules = Rules { faults_in_row: in_row, ..Rules::default() };
        let told = run(&histories, &weather, &rules);
        for check in 0..histories.len() {
            prop_assert!(is_orderly(&told.of(check)), "{}: {:#?}", told.of(check), told.entries);
        }
        let mut ids: Vec<_> = told.entries.iter().map(|(_, entry)| entry.id.as_str()).collect();
        ids.sort_unstable();
        prop_assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "an id came twice: {ids:?}");
    }

    #[test]
    fn an_outage_that_is_told_lasts_or_its_end_is_told(
        histories in vec(any_history(), 1..4), mut weather in any_weather(),
    ) {
        // In the end the channel works again, and each sweep has time to find what is owed.
        weather.takes.push(None);
        weather.muted = None;
        let mut told = run(&histories, &weather, &Rules::default());
        let end = histories.iter().map(History::end).max().unwrap() + 10_000;
        if let Some(attempt) = due(&told.status, "hook", at(end)) {
            told.entries.extend(attempt.entries.iter().map(|entry| (end, entry.clone())));
        }
        for check in 0..histories.len() {
            let is_told_down = told.of(check).ends_with(['d', 's']);
            let record = told.status.checks.get(&id(check));
            let lasts = record.is_some_and(|record| record.outage.as_ref().is_some_and(|outage| outage.told.is_some()));
            // What a check that flaps, or a noisy host, is told later.
            let held = record.and_then(|record| record.telling.as_ref()).is_some_and(|telling| telling.held.is_some());
            prop_assert_eq!(is_told_down, lasts || held, "{}", told.of(check));
        }
    }

    #[test]
    fn nothing_is_told_of_a_check_while_it_is_muted_nor_ever_of_an_outage_within(
        history in any_history(), mut weather in any_weather(),
        (from, for_s) in (0..20_000_i64, 60..8_000_i64),
    ) {
        weather.muted = Some(from..from + for_s);
        let told = run(&[history], &weather, &Rules::default());
        for (now, entry) in &told.entries {
            let (What::Fact(fact) | What::Whole(fact)) = &entry.what else { continue };
            // The first sweep within the mute is the first that can know of the mute.
            prop_assert!(fact.check().is_none() || !(from..from + for_s).contains(now), "at {now}: {entry:?}");
        }
        for (since, until) in told.told_outages(0) {
            let (from, until_mute) = (at(from), at(from + for_s));
            let noticed_before = told.entries.iter().any(|(_, entry)| entry.at < from);
            prop_assert!(noticed_before || !(since >= from && until < until_mute), "{since} to {until}");
        }
    }

    #[test]
    fn a_check_that_was_never_late_faulted_or_unanswered_is_never_told(
        histories in vec(
            history((1..=LIMIT, prop_oneof![Just(Answer::Echo), Just(Answer::Tie)], 0..=0_i64), 1..30), 1..4
        ),
        delays in vec(0..=300_i64, 30), weather in any_weather(),
    ) {
        // Each pulse is answered within five minutes, even if the next pulse comes earlier.
        let late = |history: &History| {
            let pulses = history.pulses.iter().zip(&delays);
            let echoes = pulses.map(|(pulse, delay)| pulse + delay).collect();
            let end = Some(history.end() - 3_000 + LIMIT);
            let mut history = History { echoes, ..history.clone() };
            history.faults.clear();
            history.echoes.sort_unstable();
            (history, end)
        };
        for history in &histories {
            let (delayed, end) = late(history);
            for mut history in [delayed, history.clone()] {
                // It ends before the last pulse is past its limit: a check that is retired in time.
                history.retired = end;
                let told = run(&[history], &weather, &Rules::default());
                let letters = told.of(0);
                prop_assert!(matches!(letters.as_str(), "" | "g"), "{letters}: {:#?}", told.entries);
            }
        }
    }

    #[test]
    fn a_service_that_always_fails_is_told_once_however_slowly_it_is_probed(
        pulses in vec((1..=LIMIT, Just(Answer::Fault(Cause::Status)), 0..300_i64), 1..30), weather in any_weather(),
    ) {
        let rules = Rules { remind_s: 86_400, ..Rules::default() };
        let mut history = History::of(&pulses);
        history.retired = Some(history.end() - 3_000 + 1);
        let told = run(&[history], &Weather { muted: None, ..weather }, &rules);
        prop_assert!(matches!(told.of(0).as_str(), "" | "d" | "dug" | "wg" | "g"), "{}", told.of(0));
    }

    #[test]
    fn outages_are_the_same_for_any_spacing_of_sweeps_up_to_the_tick(
        pulses in vec((130..2_000_i64, any_answer(), 0..60_i64), 1..15), steps in vec(1..=60_i64, 1..40),
    ) {
        let history = History::of(&pulses);
        let coarse: Vec<_> = sweeps(&steps).take_while(|&now| now <= history.end()).collect();
        let fine = history.moments(&coarse);
        assert_same_outages(&history, &fine, &coarse)?;
    }
}

/// Asserts that sweeps at `coarse` find the outages that sweeps at each moment of a history find, except those that
/// begin and end between two sweeps.
fn assert_same_outages(history: &History, fine: &[i64], coarse: &[i64]) -> Result<(), TestCaseError> {
    let outages =
        |sweeps: &[i64]| run(std::slice::from_ref(history), &Weather::fair_at(sweeps), &Rules::default()).outages();
    let (sweeps, fine, coarse) = (coarse, outages(fine), outages(coarse));
    // A sweep must see it: after its start, and before a new pulse hides that the old one was too late.
    let is_seen = |(since, until): &(Time, Time)| {
        let hidden = history.pulses.iter().map(|&second| at(second)).find(|pulse| pulse > since);
        let hidden = hidden.unwrap_or(*until).min(*until);
        sweeps.iter().copied().map(at).take_while(|&now| now < hidden).any(|now| now > *since)
    };
    for (since, until) in &coarse {
        // Its start may have been hidden between two sweeps: a silence that becomes a fault at once, or a silence that
        // is interrupted by a pulse without an answer.
        let began = |outage: &(Time, Time)| outage.0.age(*since).as_secs() <= 60 || !is_seen(outage);
        let is_it = |outage: &(Time, Time)| outage.1 == *until && outage.0 <= *since && began(outage);
        prop_assert!(fine.iter().any(is_it), "{since} to {until} is none of {fine:?}");
    }
    for outage in fine {
        prop_assert!(!is_seen(&outage) || coarse.contains(&outage), "{outage:?} is none of {coarse:?}");
    }
    Ok(())
}

#[test]
fn a_silence_that_a_pulse_without_an_answer_hides_from_the_sweeps_begins_anew() {
    let history = History::of(&[(440, Answer::Echo, 1), (902, Answer::None, 0), (913, Answer::Echo, 5)]);
    let coarse: Vec<_> = (20..2_250).step_by(60).chain([2_250, 2_300]).collect();
    assert_same_outages(&history, &history.moments(&coarse), &coarse).unwrap();
    let told =
        |sweeps: &[i64]| run(std::slice::from_ref(&history), &Weather::fair_at(sweeps), &Rules::default()).outages();
    assert_eq!(told(&history.moments(&coarse)), [(at(1_340), at(2_260))]);
    assert_eq!(told(&coarse), [(at(2_242), at(2_260))], "no sweep came between 1,340 and 1,342");
}

fn sweeps(steps: &[i64]) -> impl Iterator<Item = i64> {
    let mut now = 0;
    steps.iter().cycle().map(move |step| {
        now += step;
        now
    })
}

#[test]
fn ten_thousand_that_go_down_at_once_and_come_back_or_vanish_are_a_few_lines() {
    let mut history = History::of(&[(1, Answer::Echo, 1), (599, Answer::Fault(Cause::Dns), 1), (600, Answer::Echo, 1)]);
    let sweeps = |seconds: &[i64]| Weather::fair_at(seconds);
    // No two sweeps are so far apart that this itself is told.
    let seconds = [60, 300, 600, 660, 900, 1_200, 1_260, 10_000];
    let told = run(&vec![history.clone(); 10_000], &sweeps(&seconds), &Rules::default());
    let [(600, many), (600, down), (660, up)] = &told.entries[..] else { panic!("{} entries", told.entries.len()) };
    assert!(
        matches!(&many.what, What::Fact(Fact::ManyDown { down: 10_000, of: 10_000, alike: 10_000, .. })),
        "{many:?}"
    );
    assert!(matches!(&down.what, What::Summary(summary) if summary.down[&State::Failing].checks == 10_000), "{down:?}");
    assert!(matches!(&up.what, What::Summary(summary) if summary.up.checks == 10_000), "{up:?}");

    history = History { retired: Some(100), ..History::of(&[(1, Answer::Echo, 1)]) };
    let told = run(&vec![history; 10_000], &sweeps(&[60, 120, 180, 240, 300, 360, 10_000]), &Rules::default());
    let [(180, vanished)] = &told.entries[..] else { panic!("{:?}", told.entries) };
    assert!(matches!(&vanished.what, What::Fact(Fact::Vanished { checks: 10_000, of: 10_000, .. })), "{vanished:?}");
}

#[test]
fn the_tally_of_letters_bites() {
    for (told, orderly) in
        [("", true), ("duwdsug", true), ("dd", false), ("u", false), ("du u", false), ("s", false), ("dw", false)]
    {
        assert_eq!(is_orderly(told), orderly, "{told}");
    }
}

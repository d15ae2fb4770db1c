//! What holds for any history.

use pulse_echo_core::status::PastOutage;

use super::*;

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
    fn the_history_has_each_outage_that_is_over_once_to_the_second(
        histories in vec(any_history(), 1..4), mut weather in any_weather(),
    ) {
        weather.reads.push(true);
        let mut told = run(&histories, &weather, &Rules::default());
        let unfiled = told.status.unfiled.take().unwrap_or_default();
        told.history.file(&unfiled);
        told.history.file(&unfiled);
        for (check, history) in histories.iter().enumerate() {
            let past = told.history.checks.get(&id(check));
            let filed: Vec<_> = past.map_or(&[][..], |past| &past.outages).iter().collect();
            let is_apart = |pair: &[&PastOutage]| pair[0].from < pair[1].from && pair[0].until <= pair[1].from;
            prop_assert!(filed.windows(2).all(is_apart) && filed.iter().all(|one| one.from <= one.until), "{filed:?}");
            let of_check = told.over.iter().filter(|(of, ..)| *of == check);
            let over: Vec<_> = of_check.map(|(_, since, until)| (*since, (*until).max(*since))).collect();
            let ended: Vec<_> = filed.iter().map(|one| (one.from, one.until)).collect();
            prop_assert!(over.iter().all(|one| ended.contains(one)), "{over:?} {ended:?}");
            // What is not among them ended when the check had gone.
            let retired = history.retired.map(at);
            let others = ended.iter().filter(|one| !over.contains(one));
            prop_assert!(others.clone().all(|(_, until)| retired.is_some_and(|gone| *until >= gone)), "{ended:?}");
            let down: u64 = filed.iter().filter(|one| one.counts()).map(|one| one.from.age(one.until).as_secs()).sum();
            let days: u64 = past.into_iter().flat_map(|past| past.days.values()).map(|day| u64::from(day.down_s)).sum();
            prop_assert_eq!(days, down);
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
    fn an_acknowledged_outage_sends_no_reminder_and_still_tells_its_end_with_who_acknowledged_it(
        histories in vec(any_history(), 1..4), mut weather in any_weather(), remind_s in 60..7_200_u32,
    ) {
        weather.acked = true;
        let told = run(&histories, &weather, &Rules { remind_s, ..Rules::default() });
        prop_assert!(is_orderly(&told.of(0)), "{}", told.of(0));
        for (now, entry) in &told.entries {
            let (What::Fact(fact) | What::Whole(fact)) = &entry.what else { continue };
            let is_first = fact.check() == Some(&id(0));
            let is_reminder = matches!(fact, Fact::StillDown { changed: false, .. });
            prop_assert!(!(is_first && is_reminder), "at {now}: {entry:?}");
            // Nobody acknowledged an outage of another check.
            prop_assert!(!matches!(fact, Fact::Up { ack, .. } if ack.is_some() != is_first), "at {now}: {entry:?}");
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
    let [(660, many), (660, down), (1_260, dropped), (1_260, up)] = &told.entries[..] else {
        panic!("{} entries", told.entries.len())
    };
    assert!(
        matches!(&many.what, What::Fact(Fact::ManyDown { down: 10_000, of: 10_000, alike: 10_000, .. })),
        "{many:?}"
    );
    assert!(matches!(&down.what, What::Summary(summary) if summary.down[&State::Failing].checks == 10_000), "{down:?}");
    assert!(matches!(&up.what, What::Summary(summary) if summary.up.checks == 10_000), "{up:?}");
    let is_dropped = |why: &str| why.starts_with("5,000 outages that ended will be missing in history.json");
    assert!(matches!(&dropped.what, What::Fact(Fact::HistoryTrouble { why }) if is_dropped(why)), "{dropped:?}");

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

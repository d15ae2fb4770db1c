//! Uptime over random histories, against a count second by second.

use proptest::collection::vec;
use proptest::prelude::*;
use pulse_echo_core::clock::Time;
use pulse_echo_core::history::{Dark, Day, History, Lasting, Past, Timeline, Uptime};
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Gap, PastOutage, State, Unfiled, UnfiledOutage};

/// Ten minutes before a midnight, so that days begin and end within the histories.
const BEGINNING: i64 = 1_795_305_600 - 600;

fn at(second: i64) -> Time {
    Time::from_second(BEGINNING + second)
}

fn id() -> CheckId {
    "web-1.json".to_string().try_into().unwrap()
}

/// Times one after the other: how long it is to each, and how long it lasts.
fn spans(spans: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut end = 0;
    let next = |(after, lasts): &(i64, i64)| {
        let from = end + after;
        end = from + lasts;
        (from, end)
    };
    spans.iter().map(next).collect()
}

fn outage((from, until): (i64, i64), kind: u8) -> UnfiledOutage {
    let state = if kind == 1 { State::Unanswered } else { State::Silent };
    let (from, until) = (at(from), at(until));
    let outage = PastOutage { from, until, state, cause: None, reason: None, muted: kind == 0 };
    UnfiledOutage { check: id(), first: at(0), outage }
}

fn filed(outages: &[UnfiledOutage], dark: &[(i64, i64)]) -> History {
    let mut history = History::new(at(-86_400));
    let dark = dark.iter().map(|&(from, until)| Gap { from: at(from), until: at(until) }).collect();
    history.file(&Unfiled { outages: outages.to_vec(), dark, ..Unfiled::default() });
    history
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn uptime_is_what_a_count_second_by_second_says_and_the_rest_is_downtime(
        times in vec((1..120_i64, 0..200_i64), 0..12), kinds in vec(0..6_u8, 12),
        dark in vec((1..300_i64, 0..200_i64), 0..4), first in -200..900_i64,
        lasts in proptest::option::of(0..2_500_i64), (from, length) in (-300..1_500_i64, 0..2_000_i64),
    ) {
        let (times, dark) = (spans(&times), spans(&dark));
        let last = times.last().map_or(0, |(_, until)| *until);
        let lasting = lasts.map(|from| from.max(last));
        let all: Vec<_> = times.iter().zip(&kinds).map(|(&time, &kind)| outage(time, kind)).collect();
        let history = filed(&all, &dark);
        let (darkness, until) = (Dark::of(&history), from + length);
        let lasting = lasting.map(|from| Lasting { from: at(from), counts: true });
        let timeline = Timeline::new(history.checks.get(&id()), lasting, at(first), &darkness);
        let is_in = |second, spans: &[(i64, i64)]| spans.iter().any(|(from, until)| (*from..*until).contains(&second));
        let counted: Vec<_> = times.iter().zip(&kinds).filter(|(_, kind)| **kind > 1).map(|(time, _)| *time).collect();
        let light = (from.max(first)..until).filter(|second| !is_in(*second, &dark));
        let is_down = |second: &i64| {
            is_in(*second, &counted) || lasting.is_some_and(|lasting| lasting.from <= at(*second))
        };
        let expected = Uptime {
            time_s: light.clone().count() as u64,
            down_s: light.filter(is_down).count() as u64,
        };
        prop_assert_eq!(timeline.uptime(at(from), at(until)), expected);
        // A window is the sum of its parts, and the days are parts.
        let days = [Day::of(at(0)), Day::of(at(600))].map(|day| timeline.uptime(day.begins(), day.plus(1).begins()));
        let both = timeline.uptime(Day::of(at(0)).begins(), Day::of(at(600)).plus(1).begins());
        prop_assert_eq!(days[0].down_s + days[1].down_s, both.down_s);
        prop_assert_eq!(days[0].time_s + days[1].time_s, both.time_s);
    }

    #[test]
    fn muted_outages_trouble_of_ours_and_dark_times_without_an_outage_change_no_percentage(
        times in vec((300..900_i64, 1..200_i64), 1..10), dark in vec((10..50_i64, 1..50_i64), 0..4),
    ) {
        let times = spans(&times);
        let all: Vec<_> = times.iter().map(|&time| outage(time, 2)).collect();
        let uptime = |outages: &[UnfiledOutage], dark: &[(i64, i64)]| {
            let history = filed(outages, dark);
            let darkness = Dark::of(&history);
            Timeline::new(history.checks.get(&id()), None, at(0), &darkness).uptime(at(0), at(12_000))
        };
        let plain = uptime(&all, &[]);
        let with_more = |kind: u8| {
            let between =
                |&(from, until): &(i64, i64)| [outage((from - 100, from - 10), kind), outage((from, until), 2)];
            times.iter().flat_map(between).collect::<Vec<_>>()
        };
        prop_assert_eq!(uptime(&with_more(0), &[]), plain);
        prop_assert_eq!(uptime(&with_more(1), &[]), plain);
        // These are before the first outage, which is not before 300.
        let dark: Vec<_> = spans(&dark).into_iter().filter(|(_, until)| *until <= 300).collect();
        let dark_s: i64 = dark.iter().map(|(from, until)| until - from).sum();
        let darker = uptime(&all, &dark);
        prop_assert_eq!((darker.down_s, darker.time_s), (plain.down_s, plain.time_s - dark_s.unsigned_abs()));
    }

    #[test]
    fn outages_that_are_no_longer_listed_are_all_there_in_the_days(
        times in vec((1..2_000_i64, 0..4_000_i64), 51..140),
    ) {
        let times = spans(&times);
        let all: Vec<_> = times.iter().map(|&time| outage(time, 2)).collect();
        let history = filed(&all, &[]);
        let dark = Dark::of(&history);
        let past = &history.checks[&id()];
        prop_assert_eq!(past.outages.len(), 50);
        let timeline = Timeline::new(Some(past), None, at(-600), &dark);
        let down = |from: i64, until: i64| -> i64 {
            times.iter().map(|(begun, ended)| (*ended.min(&until) - *begun.max(&from)).max(0)).sum()
        };
        let end = times.last().unwrap().1 + 10;
        let uptime = timeline.uptime(Day::of(at(0)).begins(), at(end));
        prop_assert_eq!(uptime, Uptime { time_s: (end + 600).unsigned_abs(), down_s: down(0, end).unsigned_abs() });
        // In proportion where a day is cut: never more than all, and never more than the time.
        let half = timeline.uptime(at(0), at(7_000));
        prop_assert!(half.down_s <= half.time_s, "{half:?}");
    }

    #[test]
    fn to_file_in_any_pieces_and_again_is_to_file_once(
        times in vec((1..2_000_i64, 0..100_000_i64), 1..120), pieces in vec((0..120_usize, 0..120_usize), 0..8),
    ) {
        let times = spans(&times);
        let all: Vec<_> = times.iter().map(|&time| outage(time, 2)).collect();
        let mut history = History::new(at(-86_400));
        let mut end = 0;
        for (from, until) in pieces {
            // As a sweep has them: what was not struck off, and perhaps more.
            end = until.clamp(end, all.len().max(end)).min(all.len());
            let piece = all[from.min(end)..end].to_vec();
            // What is left out was filed before, or is filed later with all after it.
            let is_filed = |one: &&UnfiledOutage| {
                history.checks.get(&id()).is_some_and(|past| one.outage.from <= past.filed)
            };
            if all.iter().filter(is_filed).count() >= from.min(end) {
                history.file(&Unfiled { outages: piece, ..Unfiled::default() });
            }
        }
        history.file(&Unfiled { outages: all.clone(), ..Unfiled::default() });
        prop_assert_eq!(history, filed(&all, &[]));
    }
}

#[test]
fn a_percentage_is_rounded_down_and_a_hundred_means_no_second() {
    for (time_s, down_s, shown) in [
        (0, 0, "-"),
        (86_400, 0, "100 %"),
        (86_400, 1, "99.99 %"),
        (7_776_000, 1, "99.99 %"),
        (82_800, 600, "99.27 %"),
        (82_800, 300, "99.63 %"),
        (3, 3, "0.00 %"),
    ] {
        assert_eq!(Uptime { time_s, down_s }.to_string(), shown);
    }
}

#[test]
fn the_worked_example_of_the_documentation_is_right() {
    let day = 86_400;
    for (dark, shown) in [((50_000, 53_600), "99.27 %"), ((10_300, 13_900), "99.63 %")] {
        let history = filed(&[outage((10_000, 10_600), 2), outage((20_000, 21_200), 0)], &[dark]);
        let darkness = Dark::of(&history);
        let timeline = Timeline::new(history.checks.get(&id()), None, at(0), &darkness);
        assert_eq!(timeline.of_last(1, at(day)).to_string(), shown);
        assert!(include_str!("../../docs/alerts.md").contains(shown));
    }
}

#[test]
fn a_month_of_days_ends_today_and_knows_what_is_dark_and_what_is_not_known() {
    let history = filed(&[outage((500, 1_000), 2)], &[(86_400, 2 * 86_400)]);
    let darkness = Dark::of(&history);
    let timeline = Timeline::new(history.checks.get(&id()), None, at(0), &darkness);
    let days: Vec<_> = timeline.days(4, at(2 * 86_400)).collect();
    let of = |n: usize| (days[n].uptime.time_s, days[n].uptime.down_s, days[n].dark_s, days[n].outages);
    assert_eq!(of(0), (0, 0, 0, 0), "before the first pulse");
    assert_eq!(of(1), (600, 100, 0, 1), "an outage over midnight begins on one day");
    assert_eq!(of(2), (85_800, 400, 600, 0));
    assert_eq!(of(3), (0, 0, 85_800, 0), "today, so far");
    assert_eq!(days[3].day, Day::of(at(2 * 86_400)));
    assert_eq!(days[0].day.to_string(), "2026-11-20");
}

#[test]
fn a_past_that_was_written_by_hand_makes_no_panic_and_no_downtime_over_all() {
    let twice = [outage((0, 900), 2).outage, outage((100, 500), 2).outage, outage((90, 10), 2).outage];
    let days = [(Day::of(at(0)), pulse_echo_core::history::Downtime { down_s: u32::MAX, outages: 7 })].into();
    let past = Past { since: at(0), filed: at(0), outages: twice.to_vec(), days };
    let mut history = History::new(at(0));
    history.dark = vec![Gap { from: at(9), until: at(5) }, Gap { from: at(3), until: at(8) }];
    let dark = Dark::of(&history);
    let uptime = Timeline::new(Some(&past), None, at(0), &dark).uptime(at(0), at(1_000));
    assert!(uptime.down_s <= uptime.time_s && uptime.time_s <= 1_000, "{uptime:?}");
}

//! How what has ended comes into `history.json`: after delivery, at least once, and once only.

use std::time::Duration;

use pulse_echo_core::history::{Dark, History, Timeline, Uptime};
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::status::{Gap, PastOutage, State, Status, Unfiled};
use pulse_echo_lambda::outbox::entry::What;
use pulse_echo_lambda::tick::Course;
use pulse_echo_testkit::fleet::{Fleet, time};
use serde_json::json;

/// What happens in a fleet at some time.
type Act = Box<dyn Fn(&Fleet)>;

fn id(check: &str) -> CheckId {
    format!("{check}.json").try_into().unwrap()
}

/// A fleet whose check `a` was up, failed at 100, and is up again by the echo at 220, which no sweep has seen.
fn fleet() -> Fleet {
    let mut fleet = Fleet::new();
    // So that no time without a sweep is dark.
    fleet.rules.tick_s = 900;
    fleet.pulse("a").at(1).echo("a").at(60).sweep().unwrap();
    fleet.at(100).fault("a", 0).at(120).sweep().unwrap();
    fleet.at(219).pulse("a").at(220).echo("a").at(240);
    fleet
}

/// The outages of a check in the history: from and until.
fn outages(fleet: &Fleet, check: &str) -> Vec<(i64, i64)> {
    let history = fleet.history().unwrap_or_else(|| History::new(time(0)));
    let second = |at: pulse_echo_core::clock::Time| at.as_second() - time(0).as_second();
    let past = history.checks.get(&id(check));
    past.into_iter().flat_map(|past| &past.outages).map(|one| (second(one.from), second(one.until))).collect()
}

/// What was told of the history since the last call.
fn trouble(fleet: &Fleet) -> Vec<String> {
    let told = fleet.told().into_iter().filter_map(|what| match what {
        What::Fact(pulse_echo_core::status::Fact::HistoryTrouble { why }) => Some(why),
        _ => None,
    });
    told.collect()
}

#[test]
fn what_ends_is_filed_after_it_was_told_and_struck_off_by_the_next_sweep_and_a_quiet_sweep_asks_for_nothing() {
    let fleet = fleet();
    assert_eq!(fleet.wire.count("history.json"), 0, "nothing has ended");
    fleet.sweep().unwrap();
    let log = fleet.wire.log.lock().unwrap().clone();
    let asked: Vec<_> = log.iter().rev().take(3).rev().map(|line| line.split('?').next().unwrap()).collect();
    assert!(asked[0].contains("status.json") && asked[2].contains("PUT /pulses/history.json"), "{asked:?}");
    let history = fleet.history().unwrap();
    assert_eq!((history.since, history.checks.len()), (time(60), 1));
    let past = &history.checks[&id("a")];
    let outage = PastOutage {
        from: time(100),
        until: time(220),
        state: State::Failing,
        cause: past.outages[0].cause,
        reason: past.outages[0].reason.clone(),
        muted: false,
    };
    assert_eq!((past.since, past.filed, &past.outages[..]), (time(0), time(100), &[outage][..]));
    assert_eq!(past.days.values().map(|day| (day.down_s, day.outages)).collect::<Vec<_>>(), [(120, 1)]);
    assert_eq!(fleet.status().unfiled.unwrap().outages.len(), 1);

    fleet.at(300).sweep().unwrap();
    assert_eq!(fleet.status().unfiled, Some(Unfiled::default()), "struck off, and begun");
    fleet.wire.log.lock().unwrap().clear();
    fleet.at(360).sweep().unwrap();
    assert_eq!(fleet.wire.count("history.json"), 0);
    assert_eq!(fleet.wire.count("PUT /pulses/status.json"), 0);
    assert_eq!(fleet.history().unwrap(), history);
}

#[test]
fn who_dies_between_any_two_requests_loses_no_outage_and_files_none_twice() {
    let whole = fleet();
    whole.wire.log.lock().unwrap().clear();
    whole.sweep().unwrap();
    whole.at(300).sweep().unwrap();
    let requests = whole.wire.count("");
    let expected = whole.history().unwrap();
    for at in 1..=requests {
        for goes_through in [false, true] {
            let fleet = fleet();
            fleet.sweep_and_die(at, goes_through);
            // In the same second, as a doubled event.
            fleet.at(300).sweep_and_die(at.saturating_sub(8).max(1), goes_through);
            fleet.at(360);
            fleet.sweep_until(600);
            assert_eq!(fleet.history().as_ref(), Some(&expected), "died at {at} ({goes_through})");
            assert_eq!(fleet.status().unfiled, Some(Unfiled::default()), "died at {at} ({goes_through})");
        }
    }
}

#[test]
fn a_history_that_cannot_be_written_delays_nothing_and_is_made_up_for() {
    let fleet = fleet();
    *fleet.wire.fails.lock().unwrap() = Some("PUT /pulses/history.json");
    assert_eq!(fleet.sweep().unwrap().course, Course::Swept);
    assert_eq!(fleet.words(), ["failing a", "up a"]);
    assert_eq!((fleet.history(), fleet.mark().swept), (None, Some(time(240))));
    *fleet.wire.fails.lock().unwrap() = None;
    fleet.at(300).sweep().unwrap();
    assert_eq!(outages(&fleet, "a"), [(100, 220)]);
    assert_eq!(fleet.history().unwrap().since, time(60), "all since the first sweep is known");
}

#[test]
fn a_history_that_does_not_answer_delays_no_message() {
    let fleet = fleet();
    *fleet.wire.fails.lock().unwrap() = Some("GET /pulses/history.json");
    fleet.sweep().unwrap();
    fleet.at(300).fault("a", 219).at(310).sweep().unwrap();
    assert_eq!(fleet.words(), ["failing a", "up a", "failing a"]);
    *fleet.wire.fails.lock().unwrap() = None;
    fleet.at(360).sweep().unwrap();
    assert_eq!(outages(&fleet, "a"), [(100, 220)]);
}

#[test]
fn a_history_that_another_loop_has_changed_meanwhile_is_read_again() {
    let fleet = fleet();
    let mut other = History::new(time(0));
    other.dark.push(Gap { from: time(-900), until: time(-300) });
    fleet.another_puts("PUT /pulses/history.json", &Key::history(), &other.to_json());
    fleet.sweep().unwrap();
    assert_eq!((outages(&fleet, "a"), fleet.history().unwrap().dark), (vec![(100, 220)], other.dark));
}

#[test]
fn a_history_that_was_deleted_or_spoilt_is_told_once_and_begins_anew_with_what_waits() {
    for spoilt in [None, Some(&b"{\"version\": 1"[..])] {
        let fleet = fleet();
        fleet.sweep().unwrap();
        fleet.at(300).sweep().unwrap();
        assert_eq!(trouble(&fleet), [""; 0]);
        match spoilt {
            None => fleet.remove(&Key::history()),
            Some(text) => fleet.put(&Key::history(), text),
        }
        fleet.at(1_000).fault("a", 219).at(1_020).sweep().unwrap();
        assert_eq!(trouble(&fleet), [""; 0], "nobody has looked");
        fleet.at(1_099).pulse("a").at(1_100).echo("a");
        fleet.sweep_until(1_400);
        let told = trouble(&fleet);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].starts_with("history.json is gone"), spoilt.is_none(), "{told:?}");
        let copies = fleet.keys("history-bad-");
        assert_eq!(copies.len(), usize::from(spoilt.is_some()), "{copies:?}");
        assert!(copies.iter().all(|copy| told[0].contains(copy.as_str())), "{told:?}: {copies:?}");
        assert_eq!((outages(&fleet, "a"), fleet.history().unwrap().since), (vec![(1_000, 1_100)], time(1_000)));
    }
}

#[test]
fn a_newer_history_and_one_that_is_too_large_are_told_once_and_never_overwritten() {
    let large = vec![b' '; 3_000];
    for unusable in [&b"{\"version\": 2, \"checks\": 7}"[..], &large] {
        let mut fleet = fleet();
        fleet.rules.history_size = 1_000;
        fleet.put(&Key::history(), unusable);
        fleet.sweep().unwrap();
        fleet.at(300);
        fleet.sweep_until(600);
        let told = trouble(&fleet);
        assert_eq!(told.len(), 1, "{told:?}");
        let there = fleet.store().get(&Key::history(), 9_999).unwrap().body.unwrap();
        assert_eq!(there, unusable);
        assert_eq!(fleet.status().unfiled.unwrap().outages.len(), 1, "it waits");
        // Mended by hand, all that waited is filed.
        fleet.put(&Key::history(), &History::new(time(0)).to_json());
        fleet.at(660).sweep().unwrap();
        assert_eq!(outages(&fleet, "a"), [(100, 220)]);
    }
}

#[test]
fn a_history_that_was_put_back_by_hand_has_nothing_twice() {
    let fleet = fleet();
    fleet.sweep().unwrap();
    let old = fleet.history().unwrap();
    fleet.at(300).sweep().unwrap();
    fleet.at(1_000).fault("a", 219).at(1_020).sweep().unwrap();
    fleet.at(1_099).pulse("a").at(1_100).echo("a").at(1_110).sweep().unwrap();
    assert_eq!(outages(&fleet, "a"), [(100, 220), (1_000, 1_100)]);
    fleet.put(&Key::history(), &old.to_json());
    fleet.at(1_170).sweep().unwrap();
    assert_eq!(outages(&fleet, "a"), [(100, 220), (1_000, 1_100)], "it still waited");
    // A status that is put back, or lost, is another matter: what is down is told anew, the history is untouched.
    let history = fleet.history().unwrap();
    fleet.remove(&Key::status());
    fleet.at(1_230);
    fleet.sweep_until(1_500);
    assert_eq!(fleet.history().unwrap(), history);
}

#[test]
fn what_an_operators_mute_covered_from_beginning_to_end_does_not_count_however_often_it_was_put() {
    for (mutes, is_muted) in [
        (&[(90, 600)][..], true),
        // It began too late, or ended too early; put again in time, it covers all.
        (&[(101, 600)], false),
        (&[(90, 60)], false),
        (&[(90, 60), (140, 600)], true),
        (&[(90, 60), (160, 600)], false),
        (&[(90, 129)], false),
        (&[(90, 130)], true),
    ] {
        let fleet = Fleet::new();
        fleet.pulse("a").at(1).echo("a").at(60).sweep().unwrap();
        let mut acts: Vec<(i64, Act)> = vec![
            (
                100,
                Box::new(|fleet: &Fleet| {
                    fleet.fault("a", 0);
                }),
            ),
            (
                219,
                Box::new(|fleet: &Fleet| {
                    fleet.pulse("a");
                }),
            ),
            (
                220,
                Box::new(|fleet: &Fleet| {
                    fleet.echo("a");
                }),
            ),
        ];
        for &(at, for_s) in mutes {
            let mute = json!({ "for_s": for_s }).to_string();
            acts.push((at, Box::new(move |fleet: &Fleet| fleet.put(&Key::mute(&id("a")), mute.as_bytes()))));
        }
        acts.extend([120, 180, 240].map(|at| {
            let sweep: Act = Box::new(|fleet: &Fleet| drop(fleet.sweep().unwrap()));
            (at, sweep)
        }));
        acts.sort_by_key(|(at, _)| *at);
        for (at, act) in &acts {
            act(fleet.at(*at));
        }
        let history = fleet.history().unwrap();
        let past = &history.checks[&id("a")];
        assert_eq!((past.outages.len(), past.outages[0].muted), (1, is_muted), "{mutes:?}");
        assert_eq!(past.days.len(), usize::from(!is_muted));
        let dark = Dark::of(&history);
        let uptime = Timeline::of(&id("a"), None, &history, &dark).uptime(time(0), time(240));
        assert_eq!(uptime, Uptime { time_s: 180, down_s: if is_muted { 0 } else { 120 } }, "{mutes:?}");
    }
}

#[test]
fn a_stop_and_a_gap_are_dark_from_the_last_sweep_to_the_next_and_a_short_one_is_not() {
    let mut fleet = fleet();
    fleet.rules.tick_s = 60;
    fleet.sweep().unwrap();
    // 300 s without a sweep are no gap, one second more is.
    fleet.at(540).sweep().unwrap();
    fleet.at(841).pulse("a").echo("a").at(841).sweep().unwrap();
    fleet.at(850).put(&Key::loop_stop(), b"");
    fleet.at(900).sweep().unwrap();
    fleet.at(1_700).put(&Key::loop_start(), b"");
    fleet.at(1_800).pulse("a").echo("a").sweep().unwrap();
    fleet.at(1_860).sweep().unwrap();
    let dark = fleet.history().unwrap().dark;
    assert_eq!(dark, [Gap { from: time(540), until: time(1_800) }], "two that touch are one");
}

#[test]
fn a_retired_checks_outage_ends_with_the_sweep_that_finds_it_gone() {
    let fleet = Fleet::new();
    fleet.pulse("a").pulse("b").at(1).fault("a", 0).echo("b").at(60).sweep().unwrap();
    fleet.remove(&Key::pulse(&id("a")));
    fleet.at(120).sweep().unwrap();
    fleet.at(180).sweep().unwrap();
    assert_eq!(outages(&fleet, "a"), [(1, 180)]);
}

#[test]
fn too_many_that_wait_are_dropped_which_is_told_once() {
    let mut fleet = Fleet::new();
    fleet.rules.tick_s = 900;
    *fleet.wire.fails.lock().unwrap() = Some("PUT /pulses/history.json");
    fleet.pulse("a").at(1).echo("a").at(60).sweep().unwrap();
    // What 5,000 outages would have left.
    let mut status = fleet.status();
    let outage = |n: i64| pulse_echo_core::status::UnfiledOutage {
        check: id("b"),
        first: time(-90_000),
        outage: PastOutage {
            from: time(10 * n - 90_000),
            until: time(10 * n - 89_995),
            state: State::Silent,
            cause: None,
            reason: None,
            muted: false,
        },
    };
    status.unfiled.as_mut().unwrap().outages = (0..5_000).map(outage).collect();
    fleet.put(&Key::status(), &status.to_json());
    for (round, told) in [(1, 1), (2, 0)] {
        let begins = 1_000 * round;
        fleet.at(begins).fault("a", 0).at(begins + 60).sweep().unwrap();
        fleet.at(begins + 99).pulse("a").at(begins + 100).echo("a").at(begins + 120).sweep().unwrap();
        assert_eq!(trouble(&fleet).len(), told, "{round}");
    }
    *fleet.wire.fails.lock().unwrap() = None;
    fleet.at(2_180).sweep().unwrap();
    fleet.at(2_240).sweep().unwrap();
    assert_eq!(fleet.status().unfiled, Some(Unfiled::default()));
    let past = &fleet.history().unwrap().checks[&id("b")];
    assert_eq!((past.outages.len(), past.days.values().map(|day| day.outages).sum::<u32>()), (50, 5_000));
}

#[test]
fn an_older_loop_in_between_loses_what_it_does_not_know_and_the_newer_one_goes_on() {
    let fleet = fleet();
    // As an older loop writes it: without the fields that it does not know.
    let mut status: serde_json::Value = serde_json::from_slice(&fleet.status().to_json()).unwrap();
    status.as_object_mut().unwrap().remove("unfiled").unwrap();
    let record = status["checks"]["a.json"].as_object_mut().unwrap();
    record.remove("first").unwrap();
    fleet.put(&Key::status(), status.to_string().as_bytes());
    fleet.sweep().unwrap();
    assert_eq!(outages(&fleet, "a"), [(100, 220)], "the outage that lasted meanwhile is not lost");
    fleet.at(300).sweep().unwrap();
    assert_eq!(fleet.status().checks[&id("a")].first, Some(time(240)), "the first sweep that knows the field");
    let old: Status = Status::from_json(status.to_string().as_bytes()).unwrap();
    assert_eq!(old.unfiled, None);
}

#[test]
fn an_invocation_with_little_time_left_leaves_the_filing_to_the_next() {
    let fleet = fleet();
    fleet.invoke_over(&[], &json!({}), Duration::from_secs(5)).unwrap();
    assert_eq!(fleet.wire.count("history.json"), 0);
    fleet.at(300).sweep().unwrap();
    assert_eq!(outages(&fleet, "a"), [(100, 220)]);
}

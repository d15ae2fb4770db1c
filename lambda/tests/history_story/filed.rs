//! What ends comes into the history after delivery, at least once, and once only.

use std::time::Duration;

use pulse_echo_core::history::History;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::{Gap, PastOutage, State, Status, Unfiled};
use pulse_echo_lambda::tick::Course;
use pulse_echo_testkit::fleet::time;
use serde_json::json;

use super::{fleet, id, outages};

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
fn what_another_loop_has_filed_meanwhile_is_not_written_again() {
    let (fleet, other) = (fleet(), fleet());
    other.sweep().unwrap();
    let filed = other.history().unwrap();
    fleet.another_puts("PUT /pulses/history.json", &Key::history(), &filed.to_json());
    fleet.sweep().unwrap();
    assert_eq!(fleet.wire.count("PUT /pulses/history.json"), 1, "the one that came too late");
    assert_eq!(fleet.history().unwrap(), filed);
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

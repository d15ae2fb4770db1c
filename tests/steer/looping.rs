//! The loop: started, stopped, hurried, tested and shown.

use crate::{ago, assert_failed, assert_said, put_mark, put_status};
use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::{BackOff, Status};
use pulse_echo_testkit::bed::Bed;

#[test]
fn the_loop_is_started_stopped_hurried_and_tested_by_the_objects_that_stand_for_it() {
    let bed = Bed::new();
    for (command, what, key) in [
        ("start", "if it is deployed: it has no mark yet", "loop/Start.lambda"),
        ("stop", "then nothing is watched until pulse-echo loop start", "loop/Stop.lambda"),
        ("tick", "asked for a sweep: it comes within seconds", "loop/Update.lambda"),
        ("test", "it comes over every channel that it has within a minute", "loop/Test.lambda"),
    ] {
        assert_said(&bed.run(&["loop", command]), what);
        assert!(bed.keys().contains(&key.to_string()), "{command}");
    }
    put_mark(&bed, &Mark { stopped: Time::from_rfc3339("2026-11-21T08:00:00Z"), ..Mark::default() });
    for (command, what) in [
        ("start", "started: the loop, stopped since 2026-11-21T08:00:00Z, sweeps again within seconds"),
        ("stop", "stopped: the loop was stopped already, since 2026-11-21T08:00:00Z"),
        (
            "tick",
            "there will be none: the loop has been stopped since 2026-11-21T08:00:00Z; pulse-echo loop start ends that",
        ),
    ] {
        assert_said(&bed.run(&["loop", command]), what);
    }
}

#[test]
fn a_test_message_names_its_channels_and_a_loop_without_any_is_told_to_have_none() {
    let bed = Bed::new();
    let channels = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
    put_mark(&bed, &Mark { channels: channels(&["slack", "webhook"]), ..Mark::default() });
    assert_said(&bed.run(&["loop", "test"]), "it comes over slack, webhook within a minute");
    assert!(bed.keys().contains(&"loop/Test.lambda".to_string()));
    let bed = Bed::new();
    put_mark(&bed, &Mark { channels: channels(&[]), ..Mark::default() });
    assert_failed(
        &bed.run(&["loop", "test"]),
        1,
        "the loop has no channel, so it tells nobody anything; set one, such as the loop's SLACK_URL",
    );
    assert_eq!(bed.keys(), ["loop/Update.json"]);
    assert_said(&bed.run(&["loop", "show"]), "it has no channel, so it tells nobody anything");
}

#[test]
fn a_start_right_after_a_stop_is_newer_than_it() {
    let bed = Bed::new();
    for _ in 0..3 {
        assert_eq!((bed.run(&["loop", "-q", "stop"]).code, bed.run(&["loop", "-q", "start"]).code), (0, 0));
        let at = |key| bed.store().get(&key, 0).unwrap().last_modified;
        assert!(at(Key::loop_stop()) < at(Key::loop_start()), "a tie would be a stop");
    }
}

#[test]
fn the_mark_is_shown_in_words_and_as_json() {
    let bed = Bed::new();
    assert_failed(&bed.run(&["loop", "show"]), 1, "the loop has no mark yet; is the loop deployed?");
    let running = Mark { swept: Some(ago(30)), took_ms: Some(420), tick_s: Some(60), ..Mark::default() };
    put_mark(&bed, &running);
    let show = bed.run(&["loop", "show"]);
    assert_said(&show, "the loop runs\nlast sweep: 3");
    assert_said(&show, ", which took 420 ms\nsweeps every 60 s, driven by its schedule\n");
    put_mark(&bed, &Mark { swept: Some(ago(301)), ..running.clone() });
    assert_said(&bed.run(&["loop", "show"]), "the loop last swept 5 min");
    put_mark(&bed, &Mark { stopped: Some(ago(60)), ..running });
    assert_said(
        &bed.run(&["loop", "show"]),
        ": nobody is told of anything; an operator starts it: pulse-echo loop start",
    );
    let json: serde_json::Value = serde_json::from_str(&bed.run(&["loop", "show", "--json"]).stdout).unwrap();
    assert_eq!((&json["state"], &json["mark"]["took_ms"]), (&"stopped".into(), &420.into()));
    assert_eq!((&json["driver"], &json["step_age_s"]), (&"schedule".into(), &serde_json::Value::Null));
    let by_queue = Mark { tick: Some(7), ticked: Some(ago(10)), swept: Some(ago(10)), ..Mark::default() };
    put_mark(&bed, &by_queue);
    let json: serde_json::Value = serde_json::from_str(&bed.run(&["loop", "show", "--json"]).stdout).unwrap();
    assert_eq!((&json["state"], &json["driver"]), (&"running".into(), &"queue".into()));
    assert!(json["step_age_s"].as_u64().is_some_and(|age_s| age_s >= 10), "{json}");
    put_mark(&bed, &Mark { owed_s: Some(1_500), ..by_queue });
    let channels = [("slack".to_string(), BackOff::new(3, ago(-60)))].into();
    put_status(&bed, &[], Status { channels, ..Status::new(ago(10)) });
    let show = bed.run(&["loop", "show"]);
    assert_said(&show, "channel slack is in trouble; attempts in vain: 3");
    assert_said(&show, "messages have waited for 25 min: a channel does not take them");
    let json: serde_json::Value = serde_json::from_str(&bed.run(&["loop", "show", "--json"]).stdout).unwrap();
    assert_eq!(json["state"], "running", "it is no stale loop");
}

//! How an operator acknowledges an outage.

use super::*;
use pulse_echo_core::mute::Ack;
use pulse_echo_core::status::{Acked, Acknowledged, Outage, State};

/// A bed whose last sweep knew these checks, each with the second since which it is down, if it is.
fn knows_down(checks: &[(&str, Option<i64>)]) -> Bed {
    let bed = Bed::new();
    put_down(&bed, checks, Status::new(ago(10)));
    bed
}

fn put_down(bed: &Bed, checks: &[(&str, Option<i64>)], status: Status) {
    let record = |since: &Option<i64>| {
        let outage = |since: i64| Outage { since: ago(since), noticed: ago(since), muted: None, told: None };
        let state = if since.is_some() { State::Failing } else { State::Up };
        let outage = since.map(|since| Box::new(outage(since)));
        Record { state, since: ago(since.unwrap_or(90_000)), outage, ..Record::new(ago(60)) }
    };
    let checks = checks.iter().map(|(check, since)| (id(check), record(since))).collect();
    bed.put(&Key::status(), &Status { checks, ..status }.to_json(), &Metadata::new());
}

fn ack_of(bed: &Bed, check: &str) -> Ack {
    Ack::from_json(&bed.store().get(&Key::ack(&id(check)), 1024).unwrap().body.unwrap()).unwrap()
}

#[test]
fn the_outage_that_lasts_is_acknowledged_with_who_and_why_and_taken_back() {
    let bed = knows_down(&[("web-1/db", Some(7_200))]);
    let since = {
        let body = bed.store().get(&Key::status(), 1 << 20).unwrap().body.unwrap();
        Status::from_json(&body).unwrap().checks[&id("web-1/db")].outage.as_ref().unwrap().since
    };
    let acked = bed.run(&["ack", "web-1/db", "--reason", "disk ordered", "--by", "alice"]);
    assert_said(&acked, "acknowledged web-1/db, down for 2 h: no more reminders; another cause and its end are told");
    let expected = Ack { outage: Some(since), reason: Some("disk ordered".into()), by: Some("alice".into()) };
    assert_eq!(
        (ack_of(&bed, "web-1/db"), bed.keys()),
        (expected, vec!["mute/web-1/db.ack".into(), "status.json".into()])
    );

    assert_said(&bed.run(&["ack", "web-1/db", "--remove"]), "deleted mute/web-1/db.ack: what is still down is told");
    assert_eq!(bed.keys(), ["status.json"]);
    let again = bed.run(&["ack", "web-1/db", "--remove"]);
    assert_eq!((again.code, again.complaint()), (0, "pulse-echo: note: web-1/db was not acknowledged"));
}

#[test]
fn whoever_gives_no_name_is_the_user_at_this_machine() {
    let bed = knows_down(&[("web-1", Some(60))]);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    for (variables, by) in [
        (&[("USER", "root"), ("SUDO_USER", "alice")][..], format!("alice@{}", host.trim())),
        (&[], host.trim().to_string()),
    ] {
        let mut command = bed.command(&["ack", "web-1"]);
        assert_said(&Ended::of(command.envs(variables.iter().copied())), "acknowledged web-1");
        assert_eq!(ack_of(&bed, "web-1").by.as_deref(), Some(by.as_str()));
    }
}

#[test]
fn a_name_that_could_act_or_fill_the_screen_is_made_safe() {
    let bed = knows_down(&[("web-1", Some(60))]);
    for (by, shown) in
        [("al\u{1b}[2Jice\n", "al\\x1b[2Jice\\n"), (&"é".repeat(40), &format!("{0}…{0}", "é".repeat(15)))]
    {
        assert_said(&bed.run(&["ack", "web-1", "--by", by]), "acknowledged web-1");
        assert_eq!(ack_of(&bed, "web-1").by.as_deref(), Some(shown));
    }
}

#[test]
fn what_a_sweep_has_read_is_taken_back_though_its_outage_is_over() {
    let bed = knows_down(&[("web-1", None)]);
    bed.put(&Key::ack(&id("web-1")), b"{}", &Metadata::new());
    let status = Status::from_json(&bed.store().get(&Key::status(), 1 << 20).unwrap().body.unwrap()).unwrap();
    let acked = Acked { etag: "\"a\"".into(), at: ago(50), outage: Some(ago(90)), word: Acknowledged::default() };
    let status = Status { acks: [(id("web-1"), acked)].into(), ..status };
    bed.put(&Key::status(), &status.to_json(), &Metadata::new());
    assert_said(&bed.run(&["ack", "web-1", "--remove"]), "deleted mute/web-1.ack");
    assert_eq!(bed.keys(), ["status.json"]);
}

#[test]
fn of_a_host_or_a_pattern_each_check_that_is_down_is_acknowledged_and_no_other() {
    let checks = [("web-1", None), ("web-1/db", Some(60)), ("web-1/http", Some(90)), ("web-2", Some(30)), ("db", None)];
    let bed = knows_down(&checks);
    let acked = bed.run(&["ack", "web-1"]);
    assert_eq!(acked.stdout.lines().count(), 2, "{acked:#?}");
    assert_eq!(bed.keys(), ["mute/web-1/db.ack", "mute/web-1/http.ack", "status.json"]);
    assert!(ack_of(&bed, "web-1/db").outage > ack_of(&bed, "web-1/http").outage, "each has its own outage");
    assert_eq!(bed.run(&["ack", "-q", "web-*"]).stdout, "");
    let all = ["mute/web-1/db.ack", "mute/web-1/http.ack", "mute/web-2.ack", "status.json"];
    assert_eq!(bed.keys(), all);
    assert_eq!(bed.run(&["ack", "web-*", "--remove"]).stdout.lines().count(), 3);
    assert_eq!(bed.keys(), ["status.json"]);
}

#[test]
fn what_is_not_down_and_what_is_not_known_is_refused() {
    let bed = knows_down(&[("web-1", None), ("web-1/db", None), ("web-2/http", None)]);
    for (arguments, code, what) in [
        (&["ack", "web-2/http"][..], 1, "there is no outage to acknowledge: web-2/http is up"),
        (&["ack", "web-1"], 1, "there is no outage to acknowledge: none of the 2 checks of web-1 is down"),
        (&["ack", "wbe-1"], 2, "the last sweep knew no check wbe-1; did you mean web-1?"),
        (&["ack", "wbe-1", "--remove"], 2, "knew no check wbe-1"),
        (&["ack", "web-1", "--reason", &"é".repeat(201)], 2, "--reason has 201 characters; at most 200 are shown"),
        (&["ack"], 2, "see pulse-echo ack --help"),
    ] {
        assert_failed(&bed.run(arguments), code, what);
    }
    assert_eq!(bed.keys(), ["status.json"]);
    let record = Record { state: State::Unanswered, ..Record::new(ago(600)) };
    let status = Status { checks: [(id("web-1"), record)].into(), ..Status::new(ago(10)) };
    bed.put(&Key::status(), &status.to_json(), &Metadata::new());
    assert_failed(&bed.run(&["ack", "web-1"]), 1, "the pulses of web-1 get no answer, which is trouble of the probe");
    assert_failed(&Bed::new().run(&["ack", "web-1"]), 1, "there is no status.json");
}

#[test]
fn whose_outage_has_been_over_for_a_day_is_deleted_by_the_next_mute_and_nothing_else() {
    let bed = Bed::new();
    let checks = ["over", "just", "down", "again", "gone", "anew"];
    for check in checks {
        bed.put(&Key::ack(&id(check)), format!("{{\"by\": \"{check}\"}}").as_bytes(), &Metadata::new());
    }
    let acked = |check: &str, outage: i64| {
        let etag = match check {
            "anew" => "\"older\"".into(),
            _ => bed.store().get(&Key::ack(&id(check)), 0).unwrap().etag,
        };
        (id(check), Acked { etag, at: ago(200_000), outage: Some(ago(outage)), word: Acknowledged::default() })
    };
    let acks = checks.map(|check| acked(check, 200_100)).into();
    let record = |state, since: i64, outage: Option<i64>| {
        let outage = outage.map(|since| Outage { since: ago(since), noticed: ago(since), muted: None, told: None });
        Record { state, since: ago(since), outage: outage.map(Box::new), ..Record::new(ago(60)) }
    };
    let checks = [
        (id("over"), record(State::Up, 86_500, None)),
        (id("just"), record(State::Up, 86_000, None)),
        (id("down"), record(State::Failing, 200_100, Some(200_100))),
        // The one before was over a day ago, when this one began.
        (id("again"), record(State::Failing, 90_000, Some(90_000))),
        (id("anew"), record(State::Up, 90_000, None)),
        (id("web-1"), record(State::Up, 90_000, None)),
    ];
    // The clock may go on by a second meanwhile, and times are compared to the second.
    let mut status = Status { acks, checks: checks.into(), ..Status::new(ago(10)) };
    let since = status.checks[&id("down")].outage.as_ref().unwrap().since;
    status.acks.get_mut(&id("down")).unwrap().outage = Some(since);
    bed.put(&Key::status(), &status.to_json(), &Metadata::new());
    assert_said(&bed.run(&["mute", "web-1", "--for", "1h"]), "muted web-1");
    assert_eq!(bed.keys(), ["mute/anew.ack", "mute/down.ack", "mute/just.ack", "mute/web-1.json", "status.json"]);
}

#[test]
fn who_retires_a_check_deletes_its_acknowledgement_too() {
    let bed = knows_down(&[("web-1", Some(60))]);
    assert_said(&bed.run(&["ack", "web-1"]), "acknowledged web-1");
    assert_said(&bed.run(&["retire", "web-1"]), "deleted mute/web-1.ack");
    assert_eq!(bed.keys(), ["retire/web-1.json", "status.json"]);
}

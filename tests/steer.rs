//! How an operator mutes, retires, and controls the loop; and how a host says goodbye.

use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::mute::Mute;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::{BackOff, Muted, Record, Status};
use pulse_echo_testkit::agent::Ended;
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::server::{Reply, Server, date};
use pulse_echo_testkit::store::id;

fn ago(seconds: i64) -> Time {
    Time::from_second(jiff::Timestamp::now().as_second() - seconds)
}

/// A bed whose last sweep knew these checks.
fn knows(checks: &[&str]) -> Bed {
    let bed = Bed::new();
    put_status(&bed, checks, Status::new(ago(10)));
    bed
}

fn put_status(bed: &Bed, checks: &[&str], status: Status) {
    let checks = checks.iter().map(|check| (id(check), Record::new(ago(60)))).collect();
    bed.put(&Key::status(), &Status { checks, ..status }.to_json(), &Metadata::new());
}

fn put_mark(bed: &Bed, mark: &Mark) {
    bed.put(&Key::mark(), &mark.to_json(), &Metadata::new());
}

fn put_all_of(bed: &Bed, check: &str) {
    let id = id(check);
    for key in [Key::pulse(&id), Key::echo(&id), Key::fault(&id), Key::mute(&id)] {
        bed.put(&key, b"{}", &Metadata::new());
    }
}

fn mute_of(bed: &Bed, check: &str) -> Mute {
    Mute::from_json(&bed.store().get(&Key::mute(&id(check)), 1024).unwrap().body.unwrap()).unwrap()
}

#[track_caller]
fn assert_said(ended: &Ended, what: &str) {
    assert!(ended.code == 0 && ended.stdout.contains(what), "expected {what:?}: {ended:#?}");
    assert_eq!(ended.stderr, "");
}

#[track_caller]
fn assert_failed(ended: &Ended, code: i32, what: &str) {
    assert!(ended.code == code && ended.complaint().contains(what), "expected {code} and {what:?}: {ended:#?}");
}

#[test]
fn a_host_is_muted_for_a_while_and_unmuted() {
    let bed = knows(&["web-1", "web-1/db"]);
    let muted = bed.run(&["mute", "web-1", "--for", "1h30m", "--reason", "new disks"]);
    assert_said(&muted, "muted web-1 and all checks of this host for 1h30m: nothing is told");
    assert_eq!(mute_of(&bed, "web-1"), Mute { for_s: 5_400, reason: Some("new disks".into()) });

    let unmuted = bed.run(&["unmute", "web-1/db"]);
    assert_failed(&unmuted, 1, "web-1/db is still muted with its host; to end that: pulse-echo unmute web-1");
    assert_said(&bed.run(&["unmute", "web-1"]), "unmuted web-1");
    assert_eq!(bed.keys(), ["status.json"]);
    let again = bed.run(&["unmute", "web-1"]);
    assert_eq!((again.code, again.complaint()), (0, "pulse-echo: note: web-1 was not muted"));
}

#[test]
fn an_id_that_fits_nothing_is_refused_with_the_nearest_unless_it_is_meant_anyway() {
    let bed = knows(&["web-1", "web-1/db"]);
    for (arguments, what) in [
        (&["mute", "wbe-1", "--for=2h"][..], "knew no check wbe-1; did you mean web-1?; --anyway does it all the same"),
        (&["mute", "web-1/bd", "--for=2h"], "knew no check web-1/bd; did you mean web-1/db?; --anyway"),
        (&["mute", "mail-*", "--for=2h"], "knew no check that mail-* fits; --anyway"),
        (&["unmute", "wbe-1"], "knew no check wbe-1; did you mean web-1?; --anyway"),
        (&["retire", "wbe-1"], "knew no check wbe-1; did you mean web-1?; --anyway"),
        (&["retire", "web-*"], "retire takes no pattern, and web-* is one"),
    ] {
        assert_failed(&bed.run(arguments), 2, what);
    }
    assert_eq!(bed.keys(), ["status.json"]);
    assert_eq!(bed.run(&["mute", "-q", "wbe-1", "--for=2h", "--anyway"]).code, 0);
    assert_eq!(mute_of(&bed, "wbe-1").for_s, 7_200);
    assert_said(&bed.run(&["unmute", "wbe-1"]), "unmuted wbe-1");
    assert_said(&bed.run(&["retire", "wbe-1", "--anyway"]), "put the note retire/wbe-1.json");

    let early = Bed::new();
    assert_failed(
        &early.run(&["mute", "web-1", "--for", "2h"]),
        1,
        "whether there is a check web-1 could not be looked up: there is no status.json",
    );
    early.put(&Key::pulse(&id("web-1")), b"{}", &Metadata::new());
    assert_said(&early.run(&["mute", "web-1", "--for", "2h"]), "muted web-1");
}

#[test]
fn hosts_are_muted_by_a_pattern_and_a_check_that_one_covers_is_not_unmuted_alone() {
    let bed = knows(&["web-1", "web-1/db", "web-2"]);
    assert_said(
        &bed.run(&["mute", "web-*", "--for", "30m"]),
        "muted web-* (all hosts that it fits, with all their checks) for 30m",
    );
    assert_said(&bed.run(&["mute", "*/db", "--for", "30m"]), "muted */db (all checks that it fits) for 30m");
    assert_eq!(bed.keys(), ["mute/*/db.json", "mute/web-*.json", "status.json"]);
    let unmuted = bed.run(&["unmute", "web-2"]);
    assert_failed(&unmuted, 1, "web-2 is still muted by the pattern; to end that: pulse-echo unmute 'web-*'");
    assert_said(&bed.run(&["unmute", "web-*"]), "unmuted web-*");
    assert_failed(&bed.run(&["unmute", "web-1/db"]), 1, "pulse-echo unmute '*/db'");
    assert_said(&bed.run(&["unmute", "*/db"]), "unmuted */db");
    assert_eq!(bed.keys(), ["status.json"]);
}

#[test]
fn a_reason_that_no_table_could_show_is_refused() {
    let bed = knows(&["web-1"]);
    let reason = |length: usize| bed.run(&["mute", "web-1", "--for", "2h", "--reason", &"é".repeat(length)]);
    assert_failed(&reason(201), 2, "--reason has 201 characters; at most 200 are shown");
    assert_eq!(reason(200).code, 0);
}

#[test]
fn what_has_been_over_for_a_day_is_deleted_by_the_next_mute_or_unmute_and_nothing_else() {
    let bed = knows(&["web-1"]);
    for key in ["mute/old.json", "mute/just.json", "mute/anew.json", "mute/torn.json", "mute/web-1.ack"] {
        bed.put(&Key::mute(&key.trim_start_matches("mute/").to_string().try_into().unwrap()), b"{}", &Metadata::new());
    }
    let muted = |rest: &str, over_s: i64, for_s: u32| {
        let key = rest.to_string().try_into().unwrap();
        let etag = bed.store().get(&Key::mute(&key), 0).unwrap().etag;
        (key, Muted { etag, at: ago(over_s + i64::from(for_s)), for_s, reason: None })
    };
    let anew = (
        "anew.json".to_string().try_into().unwrap(),
        Muted { etag: "\"older\"".into(), at: ago(99_000), for_s: 60, reason: None },
    );
    let mutes = [
        muted("old.json", 86_500, 60),
        muted("just.json", 86_000, 60),
        anew,
        muted("torn.json", 99_000, 0),
        muted("web-1.ack", 99_000, 60),
    ];
    put_status(&bed, &["web-1"], Status { mutes: mutes.into(), ..Status::new(ago(10)) });
    assert_said(&bed.run(&["mute", "web-1", "--for", "1h"]), "muted web-1");
    let left =
        ["mute/anew.json", "mute/just.json", "mute/torn.json", "mute/web-1.ack", "mute/web-1.json", "status.json"];
    assert_eq!(bed.keys(), left);
}

#[test]
fn a_mute_needs_a_check_and_an_end() {
    let bed = Bed::new();
    for (arguments, what) in [
        (&["mute"][..], "mute needs an ID and --for, such as: pulse-echo mute web-1 --for 2h; or --list alone"),
        (&["mute", "web-1"], "mute needs an ID and --for"),
        (&["mute", "web-1", "--list"], "or --list alone"),
        (&["mute", "web-1", "--for", "2"], "\"2\" is not a time such as 90s, 30m, 2h, 1d or 1h30m"),
        (&["mute", "web-1", "--for", "400d"], "it may be from 1s to 366d"),
        (&["mute", "a//b", "--for", "2h"], "\"a//b\" is no check: it has the segment \"\""),
        (&["unmute"], "see pulse-echo unmute --help"),
    ] {
        assert_failed(&bed.run(arguments), 2, what);
    }
    assert_eq!(bed.keys(), [] as [&str; 0]);
}

#[test]
fn running_mutes_are_listed_and_those_that_no_sweep_has_read_say_so() {
    let bed = Bed::new();
    assert_said(&bed.run(&["mute", "--list"]), "nothing is muted");
    let put = |check: &str, mute: Mute| {
        bed.put(&Key::mute(&id(check)), &mute.to_json(), &Metadata::new());
        let object = bed.store().get(&Key::mute(&id(check)), 0).unwrap();
        (id(check), Muted { etag: object.etag, at: object.last_modified, for_s: mute.for_s, reason: mute.reason })
    };
    let mute = |for_s: u32, reason: &str| Mute { for_s, reason: Some(reason.into()) };
    let over = put("web-3", mute(1, "over"));
    let known = [put("web-1", mute(7_200, "new\u{1b}[2J disks")), put("web-10/db", mute(3_600, "soon over")), over];
    put("web-*", mute(5_400, "a pattern"));
    bed.put(&Key::mute(&id("torn")), b"{", &Metadata::new());
    put_status(&bed, &[], Status { mutes: known.into(), ..Status::new(ago(10)) });
    bed.set_clock(60);
    let listed = bed.run(&["mute", "--list"]);
    let lines: Vec<_> = listed.stdout.lines().collect();
    assert!(lines[0].starts_with("web-10/db   ") && lines[0].ends_with(": soon over"), "{listed:#?}");
    assert!(
        lines[1].starts_with("web-*      ") && lines[1].ends_with("a pattern (no sweep has read it yet)"),
        "{listed:#?}"
    );
    assert!(lines[2].starts_with("web-1      ") && lines[2].ends_with(": new[2J disks"), "{listed:#?}");
    assert_eq!(lines.len(), 3, "{listed:#?}");
}

#[test]
fn where_the_store_does_not_list_the_mutes_are_those_that_the_last_sweep_knew() {
    let muted = Muted { etag: "\"m\"".into(), at: ago(0), for_s: 7_200, reason: None };
    let status = Status { mutes: [(id("web-1"), muted)].into(), ..Status::new(ago(10)) };
    let body = String::from_utf8(status.to_json()).unwrap();
    let server = Server::replying(move |head| {
        let is_status = head.contains("/status.json?");
        let reply =
            if is_status { Reply::of(200, &body) } else { Reply::s3_error(403, "AccessDenied", "Access Denied") };
        reply.with("date", date(0)).with("last-modified", date(0)).with("etag", "\"e\"")
    });
    let list = Ended::of(Bed::new().command(&["mute", "--list"]).env("AWS_ENDPOINT_URL", server.endpoint()));
    assert_said(&list, ": (no reason given)\n(as of ");
    assert_said(&list, "a mute shows here after the next sweep)");
}

#[test]
fn a_host_is_retired_with_all_its_checks_and_nothing_else() {
    let bed = knows(&["web-1", "web-1/db", "web-10"]);
    for check in ["web-1", "web-1/db", "web-10"] {
        put_all_of(&bed, check);
    }
    let before = bed.keys();
    let dry = bed.run(&["retire", "web-1", "--dry-run"]);
    assert_said(&dry, "would delete pulse/web-1/db.json\n");
    assert_said(&dry, "would put the note retire/web-1.json\n");
    assert_eq!((dry.stdout.lines().count(), bed.keys()), (9, before));

    let retired = bed.run(&["retire", "web-1"]);
    assert_said(&retired, "deleted fault/web-1/db.json\n");
    assert_said(&retired, "web-1 is told as gone by the next sweep; if its host still sends, it comes back");
    let left = [
        "echo/web-10.json",
        "fault/web-10.json",
        "mute/web-10.json",
        "pulse/web-10.json",
        "retire/web-1.json",
        "status.json",
    ];
    assert_eq!(bed.keys(), left, "one note speaks for all of the host's checks");
    assert_said(&bed.run(&["retire", "web-1"]), "put the note retire/web-1.json");
}

#[test]
fn one_check_is_retired_alone_even_if_no_sweep_knew_it() {
    let bed = knows(&["web-1"]);
    put_all_of(&bed, "web-1");
    bed.put(&Key::pulse(&id("web-1/db")), b"{}", &Metadata::new());
    assert_said(&bed.run(&["retire", "web-1/db"]), "deleted pulse/web-1/db.json\n");
    assert_eq!(bed.keys().len(), 6);
    let quiet = bed.run(&["retire", "-q", "web-1"]);
    assert_eq!((quiet.code, quiet.stdout.as_str()), (0, ""));
    assert_eq!(bed.keys(), ["retire/web-1.json", "retire/web-1/db.json", "status.json"]);
}

#[test]
fn a_key_put_by_hand_can_be_muted_and_retired_as_it_is_shown() {
    let bed = Bed::new();
    let notes = "notes.txt".to_string().try_into().unwrap();
    bed.put(&Key::pulse(&notes), b"{}", &Metadata::new());
    let status = Status { checks: [(notes, Record::new(ago(60)))].into(), ..Status::new(ago(10)) };
    bed.put(&Key::status(), &status.to_json(), &Metadata::new());
    assert_said(&bed.run(&["mute", "notes.txt", "--for", "1d"]), "muted notes.txt for 1d");
    assert_eq!(bed.keys(), ["mute/notes.txt", "pulse/notes.txt", "status.json"]);
    assert_said(
        &bed.run(&["retire", "notes.txt"]),
        "deleted pulse/notes.txt\nput the note retire/notes.txt: it leaves on purpose\ndeleted mute/notes.txt\n",
    );
}

#[test]
fn the_loop_is_started_stopped_hurried_and_tested_by_the_objects_that_stand_for_it() {
    let bed = Bed::new();
    for (command, what, key) in [
        ("start", "if it is deployed: it has no mark yet", "loop/Start.lambda"),
        ("stop", "then nothing is watched until pulse-echo loop start", "loop/Stop.lambda"),
        ("tick", "asked for a sweep: it comes within seconds", "loop/Update.lambda"),
        ("test", "it comes over every channel within a minute", "loop/Test.lambda"),
    ] {
        assert_said(&bed.run(&["loop", command]), what);
        assert!(bed.keys().contains(&key.to_string()), "{command}");
    }
    put_mark(&bed, &Mark { stopped: Time::from_rfc3339("2026-11-21T08:00:00Z"), ..Mark::default() });
    for (command, what) in [
        ("start", "started: the loop, stopped since 2026-11-21T08:00:00Z, sweeps again within seconds"),
        ("stop", "stopped: the loop was stopped already, since 2026-11-21T08:00:00Z"),
        ("tick", "there will be none: the loop is stopped since 2026-11-21T08:00:00Z; pulse-echo loop start ends that"),
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
        "the loop has no channel, so it tells nobody anything; set SLACK_URL",
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

#[test]
fn a_host_says_goodbye_by_deleting_its_own_pulses_whatever_is_in_their_files() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    bed.write("pulses.d/db.json", "{}");
    assert_eq!(bed.run(&["send", "-q"]).code, 0);
    bed.put(&Key::pulse(&id("web-10")), b"{}", &Metadata::new());
    bed.answer(&id("web-1"));
    bed.write("pulses.d/db.json", "{ broken");
    let goodbye = bed.run(&["send", "--retire"]);
    assert_said(&goodbye, "deleted pulse/web-1.json in bucket pulses\ndeleted pulse/web-1/db.json in bucket pulses\n");
    assert_said(&goodbye, "put the note retire/web-1.json: it leaves on purpose\n");
    assert_eq!(bed.keys(), ["echo/web-1.json", "pulse/web-10.json", "retire/web-1.json"]);
    let again = bed.run(&["send", "--retire"]);
    assert_said(&again, "pulse/web-1.json was not in bucket pulses\n");
    assert!(!again.stdout.contains("deleted"), "{again:#?}");
    let again = bed.run(&["send", "--retire", "--quiet"]);
    assert_eq!((again.code, again.stdout.as_str(), again.stderr.as_str()), (0, "", ""));
    bed.write("db.json", "{}");
    assert_said(
        &bed.run(&["send", "--retire", "--pulse", "db.json", "--name", "db"]),
        "put the note retire/web-1/db.json",
    );
}

#[test]
fn a_goodbye_that_did_not_arrive_exits_1_and_a_wrong_one_2() {
    let bed = Bed::new();
    let mut lost = bed.command(&["send", "--retire", "--bucket", "nowhere"]);
    assert_failed(&Ended::of(&mut lost), 1, "in bucket \"nowhere\"");
    assert_failed(&bed.run(&["send", "--retire", "--name", "db"]), 2, "--name goes with --pulse");
}

//! `check` against the embedded S3, and against a server that denies as AWS does.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;

use pulse_echo_core::mark::Mark;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::{Record, State, Status};
use pulse_echo_testkit::agent::{Ended, agent};
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::server::{Reply, Server, date};
use pulse_echo_testkit::store::{ACCESS_KEY, BUCKET, SECRET_KEY, id};

/// A host whose pulse was sent and answered `seconds_ago`.
fn answered(seconds_ago: i64) -> Bed {
    let bed = Bed::with_clock(-seconds_ago);
    bed.write("pulse.json", "{}");
    assert_eq!(bed.run(&["send", "-q"]).code, 0);
    bed.answer(&id("web-1"));
    bed.set_clock(0);
    bed
}

/// Asserts that the line begins like this and that the exit code is this.
#[track_caller]
fn assert_line(ended: &Ended, code: i32, beginning: &str) {
    assert!(ended.code == code && ended.stdout.starts_with(beginning), "expected {code} and {beginning:?}: {ended:#?}");
    assert_eq!(ended.stderr, "", "what calls plugins reads stderr, too");
    let first = ended.stdout.lines().next().unwrap();
    let before_perfdata = first.split(" | ").next().unwrap().trim_end();
    assert!(before_perfdata.chars().count() < 80, "{ended:#?}");
}

#[test]
fn a_fresh_echo_is_ok_in_one_line_and_nothing_else() {
    let bed = answered(212);
    let check = bed.run(&["check"]);
    assert_line(&check, 0, "ECHO OK - web-1 answered 21");
    assert_eq!((check.stdout.lines().count(), check.stderr.as_str()), (1, ""));
    let quiet = bed.run(&["check", "-q"]);
    assert_eq!((quiet.code, quiet.stdout.as_str(), quiet.stderr.as_str()), (0, "", ""));
    let (text, perfdata) = check.stdout.trim_end().split_once(" | ").unwrap();
    assert!(text.ends_with(" s ago in 84 ms - the loop has no mark yet"), "{text}");
    let figures: Vec<_> = perfdata.split(' ').map(|figure| figure.split_once('=').unwrap()).collect();
    let [("age", age), ("rtt", rtt), ("probe", "0.084s"), ("skew", skew)] = figures[..] else { panic!("{perfdata}") };
    assert!(age.ends_with("s;900;1500;0") && age.starts_with("21"), "{perfdata}");
    assert!(rtt.starts_with("0.0") && skew.ends_with("s;60"), "{perfdata}");
}

#[test]
fn an_echo_grows_old_by_the_pulses_limits_or_those_asked_for() {
    let bed = answered(1000);
    assert_line(&bed.run(&["check", "-q"]), 1, "ECHO WARNING - web-1: its last pulse is 16 min old");
    assert_line(&bed.run(&["check", "-w", "2000", "-c", "3000"]), 0, "ECHO OK - ");
    assert_line(&bed.run(&["check", "-c", "950"]), 2, "ECHO CRITICAL - web-1: its last pulse is 16 min old");
    bed.write("pulse.json", "{\"every_s\": 300, \"grace_s\": 0}");
    assert_line(&bed.run(&["check"]), 2, "ECHO CRITICAL - ");
    let check = bed.run(&["check", "--warning=1500", "--critical=900"]);
    assert_line(&check, 3, "ECHO UNKNOWN - -w 1500 is over -c 900");
}

#[test]
fn a_fault_newer_than_the_echo_is_critical_with_its_reason() {
    let bed = answered(60);
    let pulse_at = bed.store().get(&Key::pulse(&id("web-1")), 0).unwrap().last_modified;
    let fault = |seconds: i64| {
        let pulse_at = pulse_at.as_second() + seconds;
        let pulse_at = jiff::Timestamp::from_second(pulse_at).unwrap();
        format!(
            "{{\"reason\": \"status 500, expected 200\", \"cause\": \"status\", \"pulse_at\": \"{pulse_at}\", \"url\": \
             \"http://x/?token=s3cret\"}}"
        )
    };
    bed.put(&Key::fault(&id("web-1")), fault(0).as_bytes(), &Metadata::new());
    assert_line(&bed.run(&["check"]), 0, "ECHO OK - ");
    bed.put(&Key::fault(&id("web-1")), fault(1).as_bytes(), &Metadata::new());
    let check = bed.run(&["check"]);
    assert_line(&check, 2, "ECHO CRITICAL - web-1: status 500, expected 200");
    assert_eq!(
        check.stdout.lines().nth(1).unwrap(),
        "CRITICAL: web-1: status 500, expected 200; look at http://x/?…, and at what the pulse expects of it"
    );
}

#[test]
fn a_pulse_without_an_answer_is_unknown_and_after_five_minutes_critical() {
    let bed = Bed::new();
    assert_line(&bed.run(&["check"]), 3, "ECHO UNKNOWN - web-1: no pulse has been sent");
    bed.set_clock(-290);
    bed.write("pulse.json", "{}");
    assert_eq!(bed.run(&["send", "-q"]).code, 0);
    bed.set_clock(0);
    assert_line(&bed.run(&["check"]), 3, "ECHO UNKNOWN - web-1: its pulse of 29");
    bed.set_clock(20);
    let check = bed.run(&["check"]);
    assert_line(&check, 2, "ECHO CRITICAL - web-1: its pulse of 5 min");
    assert!(check.stdout.contains("is the probe deployed"), "{check:?}");
}

#[test]
fn a_loop_that_stands_still_is_a_warning() {
    let bed = answered(10);
    let now = bed.store().get(&Key::pulse(&id("web-1")), 0).unwrap().date;
    let mark = |mark: Mark| bed.put(&Key::mark(), &mark.to_json(), &Metadata::new());
    mark(Mark { swept: Some(now), ..Mark::default() });
    assert_line(&bed.run(&["check"]), 0, "ECHO OK - web-1 answered 1");
    bed.set_clock(302);
    assert_line(&bed.run(&["check"]), 1, "ECHO WARNING - the loop last swept 5 min");
    bed.set_clock(0);
    mark(Mark { swept: Some(now), stopped: Some(now), ..Mark::default() });
    let stopped = bed.run(&["check"]);
    assert_line(&stopped, 1, "ECHO WARNING - the loop has been stopped since ");
    assert!(stopped.stdout.contains("an operator starts it: pulse-echo loop start"), "{stopped:?}");
}

#[test]
fn another_machine_of_this_name_is_a_warning() {
    let bed = answered(10);
    let own = bed.store().get(&Key::pulse(&id("web-1")), 0).unwrap().metadata["instance"].clone();
    let other = Metadata::from([("instance".to_string(), "0".repeat(64))]);
    assert_ne!(own, other["instance"]);
    bed.put(&Key::pulse(&id("web-1")), b"{}", &other);
    bed.answer(&id("web-1"));
    assert_line(&bed.run(&["check"]), 1, "ECHO WARNING - web-1: another machine sends under this name");
    // An operator who looks from another machine cannot tell which machine sent it.
    let from_elsewhere = bed.run(&["check", "--host", "web-1"]);
    assert_line(&from_elsewhere, 0, "ECHO OK - ");
}

#[test]
fn a_clock_that_is_off_is_a_warning_and_its_distance_a_figure() {
    let bed = answered(10);
    bed.set_clock(100);
    let check = bed.run(&["check"]);
    assert_line(&check, 1, "ECHO WARNING - this machine's clock is ");
    assert!(check.stdout.contains(" behind the store's") && check.stdout.contains(" skew="), "{check:?}");
}

#[test]
fn all_pulses_of_the_host_are_looked_at_and_the_worst_comes_first() {
    let bed = answered(10);
    bed.write("pulses.d/db.json", "{}");
    bed.write("pulses.d/bad.json", "{");
    let check = bed.run(&["check"]);
    assert_line(&check, 3, "ECHO UNKNOWN - ./pulses.d/bad.json:1:1: ");
    assert!(check.stdout.contains("web-1/db: no pulse has been sent; send one: pulse-echo run, on web-1, with"));
    assert_line(&bed.run(&["check", "--name", "db"]), 3, "ECHO UNKNOWN - web-1/db: no pulse has been sent");
    fs::remove_file(bed.folder.path().join("pulses.d/bad.json")).unwrap();
    bed.put(
        &Key::fault(&id("web-1/db")),
        b"{\"reason\": \"down\", \"cause\": \"connect\", \"pulse_at\": \"2026-11-21T08:00:00Z\"}",
        &Metadata::new(),
    );
    let check = bed.run(&["check"]);
    assert_line(&check, 2, "ECHO CRITICAL - web-1/db: down (also 2 OK)");
    assert!(check.stdout.contains(" | age=1") && check.stdout.contains(" age_db="), "{check:?}");
}

#[test]
fn another_host_is_looked_at_without_a_configuration_by_the_limits_of_its_pulse() {
    let bed = Bed::with_clock(-2000);
    bed.put(&Key::pulse(&id("web-7/db")), b"{\"every_s\": 3600, \"a-newer-field\": 1}", &Metadata::new());
    bed.answer(&id("web-7/db"));
    bed.set_clock(0);
    let look = |arguments: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let variables = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"];
        let values = [ACCESS_KEY, SECRET_KEY, &bed.server.endpoint()];
        Ended::of(agent(folder.path(), arguments).envs(variables.iter().zip(values)))
    };
    let check = look(&["check", "--bucket", BUCKET, "--host=web-7", "--name=db"]);
    assert_line(&check, 0, "ECHO OK - web-7/db answered 33 min ago in 84 ms");
    assert!(check.stdout.contains(";3900;7500;0 "), "{check:?}");
    assert_line(&look(&["check", "--bucket", BUCKET, "--host=web-8"]), 3, "ECHO UNKNOWN - web-8: no pulse");
    assert_line(&look(&["check", "--host=web-8"]), 3, "ECHO UNKNOWN - there is no bucket");
}

#[test]
fn of_another_host_all_checks_are_looked_at_that_the_sweeps_know_and_the_gone_are_not() {
    let bed = Bed::with_clock(-10);
    for check in ["web-7", "web-7/db", "web-70"] {
        bed.put(&Key::pulse(&id(check)), b"{}", &Metadata::new());
    }
    bed.answer(&id("web-7"));
    bed.set_clock(0);
    let alone = bed.run(&["check", "--host", "web-7"]);
    assert_line(&alone, 0, "ECHO OK - web-7 answered 1");
    let note =
        "\nOK: of web-7 only its own check was looked at, since its others are not known: there is no status.json";
    assert!(alone.stdout.contains(note), "{alone:#?}");

    let now = bed.store().get(&Key::pulse(&id("web-7")), 0).unwrap().last_modified;
    let gone = Record { state: State::Gone, ..Record::new(now) };
    let records = [
        ("web-7", Record::new(now)),
        ("web-7/db", Record::new(now)),
        ("web-7/old", gone),
        ("web-70", Record::new(now)),
    ];
    let status = Status { checks: records.map(|(check, record)| (id(check), record)).into(), ..Status::new(now) };
    bed.put(&Key::status(), &status.to_json(), &Metadata::new());
    let all = bed.run(&["check", "--host", "web-7"]);
    assert_line(&all, 3, "ECHO UNKNOWN - web-7/db: its pulse of 1");
    assert!(
        all.stdout.contains("\nUNKNOWN: web-7/db: its pulse of 1") && all.stdout.contains("\nOK: web-7 answered"),
        "{all:#?}"
    );
    assert!(!all.stdout.contains("web-7/old") && !all.stdout.contains("web-70"), "{all:#?}");
    assert_line(&bed.run(&["check", "--host", "web-7", "--name", "old"]), 3, "ECHO UNKNOWN - web-7/old: no pulse");
    assert_line(&bed.run(&["check", "--host", "web-8"]), 3, "ECHO UNKNOWN - web-8: no pulse has been sent");
}

#[test]
fn a_store_that_does_not_answer_is_told_once_however_many_checks_there_are() {
    let bed = Bed::new();
    for n in 0..40 {
        bed.write(&format!("pulses.d/c{n}.json"), "{}");
    }
    let check = Ended::of(bed.command(&["check", "-t", "1"]).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1"));
    assert_line(&check, 3, "ECHO UNKNOWN - web-1/c0: the connection was refused (also 1 UNKNOWN)");
    assert!(check.stdout.contains("\nUNKNOWN: 39 more could not be looked at either"), "{check:#?}");
    assert!(check.stdout.matches("cannot get").count() == 1, "{check:#?}");
}

#[test]
fn a_plugin_does_not_take_the_minute_that_other_commands_have() {
    let silent = Server::replying(|_| Reply::Silence);
    let check = check_at(&silent);
    assert_line(&check, 3, "ECHO UNKNOWN - web-1: no whole answer in time");
    // It tells the deadline of a plugin from that of other commands, on a busy machine, too.
    assert!(check.took < Duration::from_secs(30), "{:?}", check.took);
}

/// A server with these objects, put this many seconds ago. It denies everything else, as AWS does to a caller who may
/// not list.
fn denying(objects: &'static [(&str, i64)]) -> Server {
    Server::replying(|head| {
        let key = head.split(['?', ' ']).nth(1).unwrap().trim_start_matches("/pulses/");
        let reply = match objects.iter().find(|(known, _)| *known == key) {
            Some((_, seconds)) => Reply::of(200, "{}").with("last-modified", date(-seconds)).with("etag", "\"e\""),
            None => Reply::s3_error(403, "AccessDenied", "Access Denied"),
        };
        reply.with("date", date(0))
    })
}

fn check_at(server: &Server) -> Ended {
    let bed = Bed::new();
    Ended::of(bed.command(&["check"]).env("AWS_ENDPOINT_URL", server.endpoint()))
}

#[test]
fn where_a_missing_key_is_denied_both_possibilities_are_named() {
    let nothing = check_at(&denying(&[]));
    assert_line(&nothing, 3, "ECHO UNKNOWN - web-1: no pulse, or no right to read it");
    assert!(
        nothing.stdout.contains("send one") && nothing.stdout.contains("s3:GetObject on pulse/web-1.json"),
        "{nothing:?}"
    );

    let young = check_at(&denying(&[("pulse/web-1.json", 20)]));
    assert_line(&young, 3, "ECHO UNKNOWN - web-1: its pulse of 2");

    let old = check_at(&denying(&[("pulse/web-1.json", 400)]));
    assert_line(&old, 2, "ECHO CRITICAL - web-1: its pulse of 6 min");
    assert!(old.stdout.contains("probe deployed") && old.stdout.contains("s3:GetObject on echo/web-1.json"), "{old:?}");

    let answered = check_at(&denying(&[("pulse/web-1.json", 20), ("echo/web-1.json", 19)]));
    assert_line(
        &answered,
        0,
        "ECHO OK - web-1 answered 19 s ago - the loop has no mark, or it may not be read | age=19s",
    );
}

#[test]
fn what_could_not_be_asked_is_unknown_and_says_why() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    let refused = Ended::of(bed.command(&["check", "--timeout-s=5"]).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1"));
    assert_line(&refused, 3, "ECHO UNKNOWN - web-1: the connection was refused");
    let whole =
        "UNKNOWN: web-1: the connection was refused; cannot get pulse/web-1.json in bucket \"pulses\" at http://";
    assert!(refused.stdout.contains(whole) && refused.stdout.contains("; check the endpoint"), "{refused:?}");
    let stranger = Ended::of(bed.command(&["check"]).env("AWS_SECRET_ACCESS_KEY", "x"));
    assert_line(&stranger, 3, "ECHO UNKNOWN - web-1: HTTP 403 SignatureDoesNotMatch");
    assert!(stranger.stdout.contains("SignatureDoesNotMatch"), "{stranger:?}");
}

#[test]
fn json_says_the_same() {
    let check = answered(10).run(&["check", "--json"]);
    assert_eq!((check.code, check.stderr.as_str()), (0, ""), "{check:?}");
    let json: serde_json::Value = serde_json::from_str(&check.stdout).unwrap();
    let outcome = &json["outcomes"][0];
    assert_eq!(
        (&json["severity"], &outcome["check"], &outcome["probe_s"]),
        (&"OK".into(), &"web-1".into(), &0.084.into())
    );
    assert_eq!((&outcome["age_warning_s"], &outcome["age_critical_s"]), (&900.0.into(), &1500.0.into()));
}

#[test]
fn metrics_are_written_whole_for_everybody_to_read_and_a_file_that_cannot_be_is_unknown() {
    let bed = answered(10);
    let check = bed.run(&["check", "--prom", "pulse.prom"]);
    assert_line(&check, 0, "ECHO OK - ");
    let file = bed.folder.path().join("pulse.prom");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("\npulse_echo_severity{of=\"check\",check=\"web-1\"} 0\n"), "{text}");
    assert!(text.contains("\npulse_echo_probe_seconds{of=\"check\",check=\"web-1\"} 0.084\n"), "{text}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    let check = bed.run(&["check", "--prom", "nowhere/pulse.prom"]);
    assert_line(&check, 3, "ECHO UNKNOWN - cannot write nowhere/pulse.prom: No such file");
}

#[test]
fn nobody_listening_or_a_full_disk_changes_no_verdict() {
    let bed = answered(10);
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    let check = bed.command(&["check", "-v"]).stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(check.code(), Some(0));
    let mut child = bed.command(&["check", "-v"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

//! `status` against the embedded S3, with a `status.json` as a sweep writes it.

use std::fs::{self, OpenOptions};
use std::process::Stdio;

use pulse_echo_core::answer::Cause;
use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::status::{Change, Limits, Record, SeenFault, State, Status};
use pulse_echo_core::vitals::Vitals;
use pulse_echo_testkit::agent::Ended;
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::server::{Reply, Server};
use pulse_echo_testkit::store::id;

/// A bed just after a completed sweep.
struct Swept {
    bed: Bed,
    now: Time,
}

impl Swept {
    fn with(checks: &[(CheckId, Record)]) -> Self {
        Self::after(Bed::new(), checks)
    }

    /// The same, in a bed that already has objects.
    fn after(bed: Bed, checks: &[(CheckId, Record)]) -> Self {
        let swept = Self { bed, now: Time::of(jiff::Timestamp::now()) };
        let status = Status { checks: checks.iter().cloned().collect(), ..Status::new(swept.now) };
        swept.bed.put(&Key::status(), &status.to_json(), &Metadata::new());
        swept.mark(&Mark { swept: Some(swept.now), ..Mark::default() });
        swept
    }

    fn mark(&self, mark: &Mark) {
        self.bed.put(&Key::mark(), &mark.to_json(), &Metadata::new());
    }
}

fn ago(seconds: i64) -> Time {
    Time::from_second(jiff::Timestamp::now().as_second() - seconds)
}

fn up(pulse: i64) -> Record {
    let limits = Some(Limits { etag: "\"p\"".into(), every_s: 600, limit_s: 900, faults_in_row: None });
    Record { state: State::Up, since: ago(3_000), limits, echo: Some(ago(pulse)), ..Record::new(ago(pulse)) }
}

fn failing(reason: &str) -> Record {
    let fault = SeenFault {
        at: ago(100),
        etag: "\"f\"".into(),
        pulse_at: Some(ago(100)),
        cause: Some(Cause::Status),
        reason: Some(reason.into()),
    };
    let history = vec![Change { at: ago(100), state: State::Failing, cause: Some(Cause::Status) }];
    Record { state: State::Failing, since: ago(100), fault: Some(Box::new(fault)), history, ..up(100) }
}

fn silent() -> Record {
    Record { state: State::Silent, since: ago(200), ..up(1_100) }
}

fn three() -> Swept {
    Swept::with(&three_checks())
}

fn three_checks() -> [(CheckId, Record); 3] {
    [(id("web-1"), up(10)), (id("web-1/db"), failing("status 500, expected 200")), (id("web-2"), silent())]
}

#[track_caller]
fn shown(ended: &Ended) -> Vec<&str> {
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:#?}");
    ended.stdout.lines().collect()
}

/// Asserts that it failed with one sentence that contains this text.
#[track_caller]
fn assert_failed(ended: &Ended, code: i32, what: &str) {
    assert!(ended.code == code && ended.complaint().contains(what), "expected {code} and {what:?}: {ended:#?}");
    assert_eq!(ended.stdout, "");
}

#[test]
fn the_fleet_is_shown_worst_first_with_a_silent_hosts_last_words() {
    let bed = Bed::with_clock(-1_200);
    let vitals = Vitals { load1: Some(48.0), disk_free_pct: Some(0), ..Vitals::default() };
    bed.put(&Key::pulse(&id("web-2")), b"{}", &vitals.to_metadata());
    bed.set_clock(0);
    let Swept { bed, .. } = Swept::after(bed, &three_checks());
    let status = bed.run(&["status"]);
    let lines = shown(&status);
    assert!(lines[0].starts_with("3 checks: 2 down (1 silent, 1 failing), 1 up; last swept "), "{status:#?}");
    assert!(
        lines[1].is_empty() && lines[2].starts_with("STATE") && lines[2].ends_with("  CHECK     WHY"),
        "{status:#?}"
    );
    assert!(lines[3].starts_with("silent    20") && lines[3].ends_with("ago; load 48, disk 0 % free"), "{status:#?}");
    assert!(
        lines[4].starts_with("failing   10") && lines[4].ends_with("web-1/db  status 500, expected 200"),
        "{status:#?}"
    );
    assert!(lines[5].starts_with("up") && lines[5].ends_with("web-1"), "{status:#?}");
    assert_eq!(lines.len(), 6);
    assert!(!status.stdout.contains('\u{1b}'), "no colours, since this is no terminal");

    bed.put(&Key::pulse(&id("web-2")), b"{}", &vitals.to_metadata());
    let back = bed.run(&["status"]);
    assert!(shown(&back)[3].ends_with(" s ago: no sweep has judged it yet"), "{back:#?}");

    let narrow = Ended::of(bed.command(&["status"]).env("COLUMNS", "30"));
    assert!(shown(&narrow).contains(&"  status 500, expected 200"), "{narrow:#?}");
}

#[test]
fn one_state_or_one_host_can_be_asked_for() {
    let Swept { bed, .. } = three();
    let names = |arguments: &[&str]| {
        let ended = bed.run(arguments);
        let lines = shown(&ended).into_iter().skip_while(|line| !line.starts_with("STATE")).skip(1);
        lines.map(|line| line.split_whitespace().nth(3).unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["status", "--state", "down"]), ["web-2", "web-1/db"]);
    assert_eq!(names(&["status", "--state=up"]), ["web-1"]);
    assert_eq!(names(&["status", "--state", "gone"]), [] as [&str; 0]);
    assert_eq!(names(&["status", "web-1"]), ["web-1/db"], "beside its own page");
    let wrong = bed.run(&["status", "--state", "dwon"]);
    assert_failed(&wrong, 2, "\"dwon\" is not a state; did you mean \"down\"?; see pulse-echo status --help");
}

#[test]
fn one_check_has_a_page_with_its_changes_and_limits() {
    let Swept { bed, .. } = three();
    let page = bed.run(&["status", "web-1/db"]);
    let text = shown(&page).join("\n");
    for part in [
        "web-1/db has been failing for 10",
        "why         status 500, expected 200",
        "a pulse every 10 min is promised; silent after 15 min",
        "mute        none",
        "  failing (status)",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert_failed(&bed.run(&["status", "wbe-1"]), 1, "the last sweep knew no check wbe-1; did you mean web-1?");
    assert_failed(&bed.run(&["status", "../web-1"]), 2, "\"../web-1\" is no check");
}

#[test]
fn json_is_one_line_for_other_programs() {
    let Swept { bed, .. } = three();
    let ended = bed.run(&["status", "--json", "--state", "failing"]);
    let json: serde_json::Value = serde_json::from_str(shown(&ended)[0]).unwrap();
    assert_eq!((&json["shown"], &json["checks"][0]["check"]), (&1.into(), &"web-1/db".into()));
    assert_eq!(json["checks"][0]["cause"], "status");
}

#[test]
fn the_fleets_metrics_go_to_a_file_or_to_stdout() {
    let swept = three();
    let ended = swept.bed.run(&["status", "--prom", "-"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    for sample in [
        "# TYPE pulse_echo_check_up gauge",
        "pulse_echo_check_up{host=\"web-1\",check=\"web-1\"} 1",
        "pulse_echo_check_up{host=\"web-1\",check=\"web-1/db\"} 0",
        "pulse_echo_check_state{host=\"web-2\",check=\"web-2\",state=\"silent\"} 1",
        "pulse_echo_hosts_down 2",
    ] {
        assert!(ended.stdout.lines().any(|line| line == sample), "{sample}: {ended:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pulse-echo.prom");
    let ended = swept.bed.run(&["status", "--prom", file.to_str().unwrap()]);
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, "", ""));
    assert!(std::fs::read_to_string(file).unwrap().contains("\npulse_echo_sweep_age_seconds "));
    let nowhere = folder.path().join("nowhere/pulse-echo.prom");
    let ended = swept.bed.run(&["status", "--prom", nowhere.to_str().unwrap()]);
    assert_failed(&ended, 1, "cannot write the metrics to");
}

#[test]
fn a_loop_that_is_stopped_stale_or_not_there_is_the_first_line() {
    let swept = three();
    let first = || shown(&swept.bed.run(&["status"]))[0].to_string();
    swept.mark(&Mark { stopped: Some(ago(60)), swept: Some(swept.now), ..Mark::default() });
    assert!(first().starts_with("the loop has been stopped since "), "{}", first());
    swept.mark(&Mark { swept: Some(ago(400)), ..Mark::default() });
    assert!(first().starts_with("the loop last swept 6 min"), "{}", first());
    swept.bed.store().delete(&Key::mark(), &pulse_echo_core::store::Condition::Always).unwrap();
    assert!(first().starts_with("the loop has no mark yet"), "{}", first());
}

#[test]
fn no_escape_of_a_stranger_reaches_the_terminal_by_any_way() {
    let evil = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}";
    let Swept { bed, .. } = Swept::with(&[(id("web-1"), failing(evil)), (id("web-2"), silent())]);
    let vitals = [("load1".to_string(), "1%1b[2J".to_string()), ("uptime-s".to_string(), "7".to_string())].into();
    bed.put(&Key::pulse(&id("web-2")), b"{}", &vitals);
    for arguments in [&["status"][..], &["status", "web-1"], &["status", "--json"], &["status", "-v"]] {
        let ended = bed.run(arguments);
        let is_plain = |text: &str| text.chars().all(|c| c == '\n' || pulse_echo_core::text::prints(c));
        assert!(ended.code == 0 && ended.stdout.contains("owned"), "{ended:?}");
        assert!(is_plain(&ended.stdout) && is_plain(&ended.stderr), "{ended:?}");
    }
    let json = bed.run(&["status", "--json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["checks"][1]["text"].as_str().unwrap().contains(evil), "it comes back whole: {json}");

    let bad =
        "{\"version\":1,\"written\":\"2026-11-21T08:00:00Z\",\"checks\":{\"web-1.json\":{\"state\":\"\\u001b[2J\"}}}";
    bed.put(&Key::status(), bad.as_bytes(), &Metadata::new());
    let ended = bed.run(&["status"]);
    assert!(ended.stderr.contains("is left out") && !ended.stderr.contains('\u{1b}'), "{ended:?}");
}

#[test]
fn a_status_that_is_missing_newer_or_broken_is_one_sentence() {
    let bed = Bed::new();
    let put = |text: &str| bed.put(&Key::status(), text.as_bytes(), &Metadata::new());
    assert_failed(&bed.run(&["status"]), 1, "there is no status.json in bucket pulses yet: the loop writes it");
    put("{\"version\": 2}");
    assert_failed(
        &bed.run(&["status"]),
        1,
        "status.json is of version 2, and this program knows 1 at most: use a newer",
    );
    put("{");
    assert_failed(&bed.run(&["status"]), 1, "the next sweep puts it aside and begins anew");
}

#[test]
fn a_host_is_told_that_this_is_the_operators_command() {
    let bed = Bed::new();
    let server = Server::replying(|_| Reply::s3_error(403, "AccessDenied", "Access Denied"));
    let ended = Ended::of(bed.command(&["status"]).env("AWS_ENDPOINT_URL", server.endpoint()));
    assert_failed(&ended, 1, "it is the operator's, a host's own rights do not include it");
}

#[test]
fn the_name_of_the_operators_machine_does_not_matter_and_host_names_the_one_to_show() {
    let Swept { bed, .. } = three();
    let status = Ended::of(bed.command(&["status"]).env("PULSE_ECHO_HOST", "localhost"));
    assert_eq!(shown(&status).len(), 6);
    let of_host = || bed.run(&["status", "--host", "web-1"]).stdout;
    // A second may pass between the two.
    assert!((0..9).any(|_| of_host() == bed.run(&["status", "web-1"]).stdout), "{}", of_host());
    assert_failed(&bed.run(&["status", "--host", "web-9"]), 1, "the last sweep knew no check web-9");
    assert_failed(&bed.run(&["status", "--host", "web-1", "web-2"]), 2, "give either an ID or --host");
}

#[test]
fn a_pattern_shows_what_it_fits() {
    let Swept { bed, .. } = three();
    let checks = |pattern: &str| shown(&bed.run(&["status", pattern])).len();
    let (all, of_hosts, of_checks) = (checks("*"), checks("web-*"), checks("*/*"));
    assert!(of_hosts <= all && of_checks < all, "{all} {of_hosts} {of_checks}");
    assert_failed(&bed.run(&["status", "nowhere-*"]), 1, "the last sweep knew no check that nowhere-* fits");
}

#[test]
fn a_host_that_is_expected_and_has_no_check_is_missing() {
    let Swept { bed, .. } = three();
    bed.write("hosts", "web-1\nweb-9 # never sent\n");
    let missing = bed.run(&["status", "--expect", "hosts"]);
    assert_eq!((missing.code, missing.stdout.lines().count()), (1, shown(&bed.run(&["status"])).len()), "all is shown");
    assert_eq!(
        missing.complaint(),
        "pulse-echo: 1 expected host has no check: web-9; does its cron run pulse-echo send?"
    );
    let json = bed.run(&["status", "--expect", "hosts", "--json"]);
    let parsed: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.code, &parsed["missing"]), (1, &serde_json::json!(["web-9"])));
    bed.write("hosts", "web-1\n");
    assert_eq!(bed.run(&["status", "--expect", "hosts"]).code, 0);
    bed.write("hosts", "web 1\n");
    assert_failed(&bed.run(&["status", "--expect", "hosts"]), 2, "hosts:1: \"web 1\" may not enter a key");
}

#[test]
fn what_would_be_left_out_without_a_word_is_refused_and_metrics_know_who_is_expected() {
    let Swept { bed, .. } = three();
    for (arguments, why) in [
        (&["web-1", "--prom", "-"][..], "--prom writes the whole fleet: leave out an ID"),
        (&["--json", "--prom", "-"], "leave out --json"),
        (&["--state", "up", "--prom", "-"], "leave out --state"),
        (&["web-1", "--link"], "--link is of the whole page: leave out an ID"),
        (&["--link", "--expect", "hosts"], "leave out --expect"),
        (&["--link", "--prom", "-"], "leave out --prom"),
    ] {
        assert_failed(&bed.run(&[&["status"], arguments].concat()), 2, why);
    }
    bed.write("hosts", "web-1\nweb-9\n");
    let missing = bed.run(&["status", "--prom", "-", "--expect", "hosts"]);
    assert!(missing.code == 1 && missing.stdout.contains("pulse_echo_hosts_down 2"), "{missing:?}");
    assert!(missing.complaint().contains("1 expected host has no check: web-9"), "{missing:?}");
    bed.write("hosts", "web-1\n");
    assert_eq!(bed.run(&["status", "--prom", "-", "--expect", "hosts"]).code, 0);
    fs::write(bed.folder.path().join("hosts"), b"web-1\n\xff\n").unwrap();
    assert_failed(&bed.run(&["status", "--expect", "hosts"]), 2, "the list of hosts hosts is no text: it is not UTF-8");
}

#[test]
fn a_table_that_could_not_be_written_was_not_shown_and_one_that_nobody_reads_was() {
    let Swept { bed, .. } = three();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = bed.command(&["status"]).stdout(full).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
    assert!(stderr.starts_with("pulse-echo: cannot write to stdout: No space left on device"), "{stderr}");
    let mut unread = bed.command(&["status"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(unread.stdout.take());
    assert_eq!(unread.wait().unwrap().code(), Some(0));
}

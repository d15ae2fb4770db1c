//! How a fleet is shown: whole texts, as on the screen.

use super::*;
use crate::look::Look;
use crate::outcome::{Outcome, Severity, Subject};
use crate::verdict;
use pulse_echo_core::answer::Cause;
use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::status::{
    Acked, Acknowledged, BackOff, Change, Limits, Missing, Muted, Outage, Record, SeenFault, Told,
};
use pulse_echo_core::vitals::Vitals;

const PLAIN: Terminal = Terminal { width: None, has_colours: false };

fn wide(width: usize) -> Terminal {
    Terminal { width: Some(width), ..PLAIN }
}

/// The time `seconds` before the look.
fn ago(seconds: i64) -> Time {
    Time::from_second(1_795_248_000 - seconds)
}

fn id(key: &str) -> CheckId {
    key.to_string().try_into().unwrap()
}

fn up(pulse: i64) -> Record {
    let limits = Limits { etag: "\"p\"".into(), every_s: 600, limit_s: 900, faults_in_row: None };
    let since = ago(90_000);
    Record { state: State::Up, since, limits: Some(limits), echo: Some(ago(pulse)), ..Record::new(ago(pulse)) }
}

fn down(state: State, since: i64) -> Record {
    Record { state, since: ago(since), ..up(since + 900) }
}

fn failing(since: i64, reason: &str) -> Record {
    let (at, etag) = (ago(since), "\"f\"".into());
    let reason = Some(reason.to_string());
    let fault = SeenFault { at, etag, pulse_at: Some(at), cause: Some(Cause::Status), reason };
    Record { fault: Some(Box::new(fault)), pulse: ago(20), ..down(State::Failing, since) }
}

fn muted(seconds_ago: i64, for_s: u32, reason: &str) -> Muted {
    Muted { etag: "\"m\"".into(), at: ago(seconds_ago), for_s, reason: Some(reason.into()), listed: None }
}

/// A fleet with a check of each kind.
fn fleet() -> Fleet {
    let gone = Record { state: State::Gone, since: ago(7_200), ..Record::new(ago(7_300)) };
    let missing = Missing { since: ago(40), with_many: false };
    let mut status = pulse_echo_core::status::StatusOf::new(ago(30));
    status.checks = [
        ("db-1.json", up(100)),
        ("db-2.json", up(700)),
        ("db-3.json", Record { missing: Some(missing), ..up(300) }),
        ("db-4.json", Record::new(ago(5))),
        ("mail.json", failing(100_000, "body differs at byte 2: expected \"ok\", got \"ok\\n\"")),
        ("old.json", gone),
        ("web-1.json", failing(2_500, "status 500, expected 200")),
        ("web-1/db.json", failing(60, "no connection: the connection was refused")),
        ("web-2.json", down(State::Silent, 400)),
        ("web-3.json", down(State::Unanswered, 900)),
    ]
    .map(|(key, record)| (id(key), record))
    .into();
    status.mutes = [(id("mail.json"), muted(0, 7_200, "new disks")), (id("db-1.json"), muted(100, 60, "over"))].into();
    Fleet { status, now: ago(0) }
}

fn watch(mark: Look<(Mark, Time)>) -> Watch {
    Watch { outcome: verdict::judge_loop(mark.clone()), mark: mark.there() }
}

fn running() -> Watch {
    watch(Look::There((Mark { swept: Some(ago(32)), ..Mark::default() }, ago(0))))
}

#[test]
fn in_80_columns_a_check_is_a_line_the_worst_first() {
    let fleet = fleet();
    assert_eq!(
        table::of(&worst_first(&fleet.status, fleet.now), fleet.now, &wide(80)),
        "\
STATE           FOR  CHECK     WHY
silent        6 min  web-2     last pulse 21 min ago
failing        60 s  web-1/db  no connection: the connection was refused
failing      41 min  web-1     status 500, expected 200
unanswered   15 min  web-3     its pulses get no answer: look at the probe
failing     1 d 3 h  mail      muted for 2 h more (new disks); body differs at…
up          1 d 1 h  db-3      its pulse is no longer there
late          100 s  db-2      last pulse 11 min ago
new             5 s  db-4      its pulse waits for the first answer
up          1 d 1 h  db-1
gone            2 h  old       retired"
    );
}

#[test]
fn in_40_columns_what_there_is_to_say_has_a_line_of_its_own() {
    let fleet = fleet();
    let rows = worst_first(&fleet.status, fleet.now);
    assert_eq!(
        table::of(&rows[..5], fleet.now, &wide(40)),
        "\
STATE           FOR  CHECK
silent        6 min  web-2
  last pulse 21 min ago
failing        60 s  web-1/db
  no connection: the connection was ref…
failing      41 min  web-1
  status 500, expected 200
unanswered   15 min  web-3
  its pulses get no answer: look at the…
failing     1 d 3 h  mail
  muted for 2 h more (new disks); body…"
    );
    let widest = table::of(&rows, fleet.now, &wide(40)).lines().map(|line| line.chars().count()).max();
    assert_eq!(widest, Some(40));
}

#[test]
fn beside_long_names_what_there_is_to_say_has_a_line_of_its_own_in_80_columns_too() {
    let mut fleet = fleet();
    let reason = "cannot connect to 192.0.2.7:5432: the connection was refused";
    fleet.status.checks = [(id("web-1/postgresql-replication.json"), failing(60, reason))].into();
    let rows = worst_first(&fleet.status, fleet.now);
    let lines: Vec<_> = table::of(&rows, fleet.now, &wide(80)).lines().map(str::to_owned).collect();
    let expected = ["STATE     FOR  CHECK", "failing  60 s  web-1/postgresql-replication"];
    assert_eq!((&lines[..2], lines[2].trim()), (&expected.map(str::to_owned)[..], reason));
    assert_eq!(table::of(&rows, fleet.now, &wide(120)).lines().count(), 2);
}

#[test]
fn into_a_file_nothing_is_cut_and_a_long_name_does_not_widen_the_column_for_all() {
    let mut fleet = fleet();
    fleet.status.checks = [
        (id(&format!("{}.json", "x".repeat(60))), failing(60, &"because ".repeat(30))),
        (id("web-1.json"), failing(60, "short")),
    ]
    .into();
    let table = table::of(&worst_first(&fleet.status, fleet.now), fleet.now, &PLAIN);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines[1], format!("failing  60 s  {:40}  short", "web-1"));
    assert_eq!(lines[2].len(), "failing  60 s  ".len() + 60 + 2 + 8 * 30 - 1);
}

#[test]
fn nothing_that_a_stranger_wrote_is_obeyed_by_the_terminal() {
    let mut fleet = fleet();
    let evil = "x\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\n\u{202e}y";
    let mut record = failing(60, evil);
    record.history = vec![Change { at: ago(60), state: State::Failing, cause: None }];
    fleet.status.checks = [(id("web-1.json"), record)].into();
    fleet.status.mutes = [(id("web-1.json"), muted(0, 60, evil))].into();
    fleet.status.channels = [(evil.to_string(), BackOff::new(1, ago(0)))].into();
    let rows = worst_first(&fleet.status, fleet.now);
    let mut watch = running();
    watch.outcome = Outcome::new(Subject::Loop, Severity::Unknown, evil);
    let lines = summary::lines(&fleet, &rows, &watch).join("\n");
    for text in [
        table::of(&rows, fleet.now, &PLAIN),
        page::of(&rows[0], page::Answers::default(), &fleet, Vec::new(), &PLAIN),
        lines,
    ] {
        assert!(text.contains("x[2J]0;owned31m\\u{202e}y"), "{text}");
        assert!(text.chars().all(|c| c == '\n' || pulse_echo_core::text::prints(c)), "{text:?}");
    }
}

#[test]
fn colours_are_around_the_state_and_change_no_column() {
    let fleet = fleet();
    let rows = worst_first(&fleet.status, fleet.now);
    let coloured = table::of(&rows, fleet.now, &Terminal { has_colours: true, ..wide(80) });
    for part in
        ["\x1b[31msilent\x1b[0m    ", "\x1b[33mfailing\x1b[0m     1 d 3 h", "\x1b[33mlate\x1b[0m", "\x1b[32mup\x1b[0m"]
    {
        assert!(coloured.contains(part), "{part:?} in {coloured:?}");
    }
    let plain =
        ["\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"].iter().fold(coloured, |text, code| text.replace(code, ""));
    assert_eq!(plain, table::of(&rows, fleet.now, &wide(80)));
}

#[test]
fn the_summary_counts_each_check_once_and_says_when_it_was_swept() {
    let fleet = fleet();
    let rows = worst_first(&fleet.status, fleet.now);
    assert_eq!(
        summary::lines(&fleet, &rows, &running()),
        ["10 checks: 5 down (1 silent, 3 failing, 1 unanswered), 1 late, 1 new, 2 up, 1 gone; 1 muted; last swept \
             32 s ago"]
    );
    assert_eq!(
        summary::lines(&fleet, &[], &running()),
        ["no check yet: no host has sent a pulse; last swept 32 s ago"]
    );
}

#[test]
fn trouble_with_the_loop_is_the_first_line() {
    let fleet = fleet();
    let first = |mark| summary::lines(&fleet, &[], &watch(mark)).remove(0);
    let mark = |stopped, swept| Look::There((Mark { stopped, swept, ..Mark::default() }, ago(0)));
    assert_eq!(
        first(mark(Some(ago(60)), Some(ago(90)))),
        format!(
            "the loop has been stopped since {}: nobody is told of anything; an operator starts it: pulse-echo loop \
             start",
            ago(60)
        )
    );
    assert!(first(mark(None, Some(ago(301)))).starts_with("the loop last swept 5 min ago; "));
    assert!(first(Look::Missing).starts_with("the loop has no mark yet"));
}

#[test]
fn a_channel_in_trouble_is_told_with_what_waits_for_it() {
    let mut fleet = fleet();
    fleet.status.channels = [("slack".to_string(), BackOff::new(3, ago(-60)))].into();
    let line = |fleet: &Fleet| summary::lines(fleet, &[], &running()).remove(1);
    let rest = format!("attempts in vain: 3, the next at {}, messages that wait: 0", ago(-60));
    assert_eq!(line(&fleet), format!("channel slack is in trouble; {rest}"));
    let since =
        BackOff { since: Some(ago(1_500)), why: "HTTP 410 (channel_is_archived)".into(), ..BackOff::new(3, ago(-60)) };
    fleet.status.channels = [("slack".to_string(), since)].into();
    let why = "HTTP 410 (channel_is_archived)";
    assert_eq!(line(&fleet), format!("channel slack has taken nothing for 25 min: {why}; {rest}"));
}

#[test]
fn late_is_shown_only_while_no_newer_pulse_can_have_come_unseen() {
    let is_late = |pulse: i64, written: i64| {
        let mut fleet = fleet();
        fleet.status.written = ago(written);
        fleet.status.checks = [(id("web-1.json"), up(pulse))].into();
        worst_first(&fleet.status, fleet.now)[0].is_late
    };
    assert!(is_late(700, 30));
    assert!(is_late(900, 30));
    assert!(!is_late(600, 0), "it is due now");
    assert!(!is_late(700, 200), "it was not late when that was written");
    assert!(!is_late(901, 30), "the sweeps would have found it silent, so a pulse came");
}

/// An outage that was told, with its next reminder in a few hours.
fn told() -> Told {
    Told {
        at: ago(2_450),
        next: ago(-11_950),
        step_s: 14_400,
        causes: Vec::new(),
        changed: None,
        back: false,
        anyway: false,
        to: None,
        host_since: None,
    }
}

#[test]
fn a_page_tells_all_of_a_check() {
    let mut fleet = fleet();
    let record = fleet.status.checks.get_mut(&id("web-1.json")).unwrap();
    record.outage = Some(Box::new(Outage { since: ago(2_500), noticed: ago(2_450), muted: None, told: Some(told()) }));
    record.history = vec![
        Change { at: ago(86_400), state: State::Silent, cause: None },
        Change { at: ago(80_000), state: State::Up, cause: None },
        Change { at: ago(2_500), state: State::Failing, cause: Some(Cause::Status) },
    ];
    let rows = worst_first(&fleet.status, fleet.now);
    let mut row = rows.into_iter().find(|row| *row.id == id("web-1.json")).unwrap();
    let vitals = Vitals {
        uptime_s: Some(3_600_000),
        load1: Some(48.0),
        mem_available_kb: Some(2_048),
        disk_free_pct: Some(0),
        disk_at: Some("/var".into()),
    };
    row.see(Newest { at: ago(5), vitals });
    assert_eq!(
        page::of(&row, page::Answers::default(), &fleet, Vec::new(), &PLAIN),
        "\
web-1 has been failing for 41 min
  why         status 500, expected 200
  since       2026-11-21T07:18:20Z, 41 min ago
  last pulse  2026-11-21T07:59:55Z, 5 s ago
  its host    up 41 d, load 48, 2 MiB of memory free, disk 0 % free on /var
  last echo   2026-11-21T07:03:20Z, 56 min ago
  last fault  2026-11-21T07:18:20Z, 41 min ago
  limits      a pulse every 10 min is promised; silent after 15 min
  outage      since 2026-11-21T07:18:20Z, told at 2026-11-21T07:19:10Z; the next reminder is at 2026-11-21T11:19:10Z
  mute        none
  changes     2026-11-21T07:18:20Z  failing (status)
              2026-11-20T09:46:40Z  up
              2026-11-20T08:00:00Z  silent"
    );
}

#[test]
fn how_long_a_check_is_down_is_the_outages_time_and_a_reminder_that_is_past_is_due() {
    let mut fleet = fleet();
    let told = Told {
        at: ago(9_000),
        next: ago(60),
        step_s: 14_400,
        causes: Vec::new(),
        changed: None,
        back: false,
        anyway: false,
        to: None,
        host_since: None,
    };
    let outage = Outage { since: ago(9_100), noticed: ago(9_000), muted: None, told: Some(told) };
    fleet.status.checks =
        [(id("web-2.json"), Record { outage: Some(Box::new(outage)), ..down(State::Silent, 400) })].into();
    let rows = worst_first(&fleet.status, fleet.now);
    let table = table::of(&rows, fleet.now, &PLAIN);
    assert!(table.lines().nth(1).unwrap().starts_with("silent  2 h 31 min  web-2"), "{table}");
    let page = page::of(&rows[0], page::Answers::default(), &fleet, Vec::new(), &PLAIN);
    assert!(page.starts_with("web-2 has been silent for 6 min\n"), "{page}");
    assert!(page.contains(&format!("told at {}; a reminder is due\n", ago(9_000))), "{page}");
}

#[test]
fn who_takes_care_of_an_outage_and_why_stands_in_table_page_and_json() {
    let mut fleet = fleet();
    let outage = Outage { since: ago(2_500), noticed: ago(2_450), muted: None, told: Some(told()) };
    fleet.status.checks.retain(|check, _| *check == id("web-1.json"));
    fleet.status.checks.get_mut(&id("web-1.json")).unwrap().outage = Some(Box::new(outage));
    let word = Acknowledged { by: Some("alice@ops".into()), reason: Some("disk\u{1b}[2J ordered".into()) };
    let ack = |since| Acked { etag: "a".into(), at: ago(300), outage: Some(ago(since)), word: word.clone() };

    fleet.status.acks = [(id("web-1.json"), ack(2_499))].into();
    let rows = worst_first(&fleet.status, fleet.now);
    assert!(
        !page::of(&rows[0], page::Answers::default(), &fleet, Vec::new(), &PLAIN).contains("alice"),
        "that was another outage"
    );

    fleet.status.acks = [(id("web-1.json"), ack(2_500))].into();
    let rows = worst_first(&fleet.status, fleet.now);
    let page = page::of(&rows[0], page::Answers::default(), &fleet, Vec::new(), &PLAIN);
    let at = "  ack         2026-11-21T07:55:00Z, 5 min ago, acknowledged by alice@ops (disk[2J ordered)\n";
    assert!(page.contains(at) && page.contains("told at 2026-11-21T07:19:10Z; no reminders\n"), "{page}");
    let table = table::of(&rows, fleet.now, &PLAIN);
    assert!(table.contains("status 500, expected 200; acknowledged by alice@ops (disk[2J ordered)"), "{table}");
    let json = json::json(&fleet, &running(), &rows, None);
    assert_eq!(json["checks"][0]["ack"]["by"], "alice@ops");
}

#[test]
fn the_hosts_of_a_list_that_have_no_check_are_missing() {
    let fleet = fleet();
    let file = tempfile::NamedTempFile::new().unwrap();
    let list = |text: &str| {
        std::fs::write(file.path(), text).unwrap();
        expected::read(file.path().to_str().unwrap())
    };
    let hosts = list("\u{feff}db-1\r\nweb-1 # with db\n\n# all\nweb-9\nold\nweb-9\n").unwrap();
    let missing = expected::missing(&hosts, &fleet);
    assert_eq!(missing, ["web-9", "old"], "what is gone is missing, too");
    assert!(expected::all_there(&missing).unwrap_err().starts_with("2 expected hosts have no check: web-9, old; "));
    assert_eq!(expected::all_there(&[]), Ok(()));
    let many: Vec<_> = (0..30).map(|n| format!("h{n}")).collect();
    assert!(expected::all_there(&many).unwrap_err().contains("h18, h19 and 10 more; "));
    let wrong = list("web-1\nweb 2\n").unwrap_err();
    assert!(wrong.contains(":2: \"web 2\" may not enter a key"), "{wrong}");
    assert!(list("# nobody\n").unwrap_err().contains("names no host"));
    assert!(
        expected::read("/nowhere/hosts").unwrap_err().starts_with("cannot read the list of hosts /nowhere/hosts: ")
    );
}

#[test]
fn json_has_each_check_with_its_times_and_no_raw_escape() {
    let mut fleet = fleet();
    fleet.status.checks.retain(|id, _| id.to_string() == "mail" || id.to_string() == "db-2");
    let json = json::json(&fleet, &running(), &worst_first(&fleet.status, fleet.now), None);
    assert_eq!((&json["shown"], &json["down"]), (&2.into(), &1.into()));
    let [mail, late] = &json["checks"].as_array().unwrap()[..] else { panic!("{json}") };
    assert_eq!((&mail["check"], &mail["state"], &mail["cause"]), (&"mail".into(), &"failing".into(), &"status".into()));
    assert_eq!((&mail["for_s"], &mail["muted_until"]), (&100_000.into(), &ago(-7_200).to_string().into()));
    assert_eq!((&late["state"], &late["late"], &late["for_s"]), (&"up".into(), &true.into(), &100.into()));
    assert_eq!(late["limits"], serde_json::json!({ "every_s": 600, "limit_s": 900 }));
}

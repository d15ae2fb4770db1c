//! One host cannot hurt another: what a host may do under its own names, and what the others then lose. Nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::status::{Fact, State, Status};
use pulse_echo_lambda::outbox::entry::What;
use pulse_echo_testkit::fleet::Fleet;
use pulse_echo_testkit::store::id;

/// A fleet with room for so many checks of a host, and time enough on a busy machine.
fn fleet(checks_per_host: usize) -> Fleet {
    let mut fleet = Fleet::new();
    fleet.rules.checks_per_host = checks_per_host;
    fleet.time = Duration::from_secs(280);
    fleet
}

/// The names of a host's checks, which need escaping and are as long as a name may be: 480 bytes.
fn names(host: &str, numbers: std::ops::Range<usize>) -> Vec<String> {
    let key = |n| format!("{host}/{n:05}{}", "\"".repeat(480 - host.len() - 6));
    numbers.map(key).collect()
}

fn put(fleet: &Fleet, folder: &str, names: &[String]) {
    let objects = names.iter().map(|name| (format!("{folder}/{name}"), b"{}".to_vec(), BTreeMap::default()));
    fleet.server().fill(objects).unwrap();
}

fn of_host(status: &Status, host: &str) -> usize {
    status.checks.keys().filter(|id| id.host() == host).count()
}

/// The facts about hosts with too many names, as words.
fn crowds(told: &[What]) -> Vec<String> {
    let word = |what: &What| match what {
        What::Fact(Fact::Crowded { host, most, .. }) => Some(format!("{host} over {most}")),
        What::Fact(Fact::Uncrowded { host, .. }) => Some(format!("{host} within")),
        _ => None,
    };
    told.iter().filter_map(word).collect()
}

#[test]
fn a_host_with_thousands_of_names_has_as_many_records_as_any_and_the_others_are_judged() {
    let fleet = fleet(100);
    let hostile = names("evil", 0..2_500);
    put(&fleet, "pulse", &hostile);
    put(&fleet, "echo", &hostile);
    for host in ["db-1", "evil-2", "web-1", "zz-db"] {
        fleet.pulse(host).at(1).echo(host);
    }
    let report = fleet.at(60).sweep().unwrap();
    assert_eq!((report.checks, report.unread), (104, 0), "its first, and four others");
    let told = fleet.told();
    assert_eq!(crowds(&told), ["evil over 100"]);
    let first = fleet.store().get(&Key::status(), 1 << 30).unwrap().size;
    assert!(first < 100 * 2_000, "{first} bytes");

    fleet.wire.log.lock().unwrap().clear();
    fleet.at(120).sweep().unwrap();
    // One page with its first names, and one with what lies behind the others, of pulses and of echoes.
    assert_eq!(["prefix=pulse", "prefix=echo"].map(|list| fleet.wire.count(list)), [2, 2]);
    assert_eq!(fleet.wire.count("start-after"), 2);
    assert_eq!(fleet.wire.count("GET /"), 1 + 2 + 2 + 4 + 2, "{:?}", fleet.wire.log.lock().unwrap());

    // All others fail, also those behind it in key order.
    for host in ["db-1", "evil-2", "web-1", "zz-db"] {
        fleet.at(600).pulse(host).at(601).fault(host, 600);
    }
    fleet.at(660).sweep().unwrap();
    let told = fleet.told();
    let down: Vec<_> = told
        .iter()
        .filter_map(|what| if let What::Fact(Fact::Down(down)) = what { Some(down.check.to_string()) } else { None })
        .collect();
    assert_eq!(down, ["db-1", "evil-2", "web-1", "zz-db"]);
    assert_eq!(crowds(&told), [""; 0], "it was told before");

    // Somebody deletes them; an hour later that is told.
    for folder in ["pulse", "echo"] {
        fleet.server().clear(hostile.iter().skip(50).map(|name| format!("{folder}/{name}"))).unwrap();
    }
    fleet.at(720).sweep().unwrap();
    fleet.at(780).sweep().unwrap();
    assert_eq!(crowds(&fleet.told()), [""; 0]);
    fleet.at(720 + 3_600).sweep().unwrap();
    assert_eq!(crowds(&fleet.told()), ["evil within"]);
    assert!(fleet.status().crowded.is_empty());
}

#[test]
fn names_that_rotate_take_each_others_places() {
    let fleet = fleet(40);
    fleet.pulse("web-1").echo("web-1");
    let mut sizes = Vec::new();
    for (round, second) in (0..12).zip((60..).step_by(60)) {
        let (old, new) = (names("evil", 10 * round..10 * round + 10), names("evil", 10 * round + 10..10 * round + 20));
        fleet.server().clear(old.iter().map(|name| format!("pulse/{name}"))).unwrap();
        put(&fleet, "pulse", &new);
        fleet.at(second).sweep().unwrap();
        let status = fleet.status();
        assert!(of_host(&status, "evil") <= 40, "{}", of_host(&status, "evil"));
        assert_eq!(status.checks[&id("web-1")].state, State::Up);
        sizes.push(fleet.store().get(&Key::status(), 1 << 30).unwrap().size);
    }
    assert!(sizes.iter().max() <= sizes.iter().take(5).max().map(|size| size + size / 4).as_ref(), "{sizes:?}");
    let told = fleet.told();
    assert_eq!(crowds(&told), [""; 0], "none was left out: {:?}", crowds(&told));
}

#[test]
fn what_may_be_hidden_behind_too_many_names_keeps_its_record() {
    let fleet = fleet(10);
    fleet.pulse("evil/zz").echo("evil/zz").pulse("web-1").echo("web-1").at(60).sweep().unwrap();
    let before = fleet.status().checks[&id("evil/zz")].clone();
    assert_eq!(before.state, State::Up);
    put(&fleet, "pulse", &names("evil", 0..40));
    // Neither missing nor silent: nothing of it is seen.
    for second in [120, 180, 1_500] {
        fleet.at(second).sweep().unwrap();
        assert_eq!(fleet.status().checks[&id("evil/zz")], before, "{second}");
    }
    let words: Vec<_> = fleet.words().into_iter().filter(|word| word.contains("evil")).collect();
    assert_eq!(words, [""; 0]);
}

#[test]
fn keys_that_are_no_pulses_are_one_line_of_the_log_and_a_count() {
    let fleet = fleet(500);
    let bad: Vec<_> = (0..400).map(|n| format!("bad-{n:03}/")).collect();
    put(&fleet, "pulse", &bad);
    fleet.pulse("web-1");
    let report = fleet.at(60).sweep().unwrap();
    assert_eq!((report.checks, report.skipped), (1, 400));
}

#[test]
fn a_pulse_that_the_store_refuses_twice_has_the_limits_of_the_one_before() {
    let fleet = fleet(500);
    fleet.put(&Key::pulse(&id("web-1")), b"{\"every_s\": 60, \"grace_s\": 60}");
    fleet.at(1).echo("web-1").at(30).sweep().unwrap();
    assert_eq!(fleet.status().checks[&id("web-1")].limits.as_ref().unwrap().limit_s, 120);
    fleet.at(60).put(&Key::pulse(&id("web-1")), b"{\"every_s\": 60, \"grace_s\": 61}");
    fleet.pulse("web-2").at(61).echo("web-1").echo("web-2");
    *fleet.wire.withholds.lock().unwrap() = Some("GET /pulses/pulse/web-");
    assert_eq!(fleet.at(90).sweep().unwrap().unread, 2);
    let record = |check: &str| fleet.status().checks[&id(check)].clone();
    let turn = record("web-1").turn.unwrap();
    assert!(turn.refused);
    assert_eq!((record("web-2").state, record("web-2").limits), (State::New, None));
    assert_eq!(fleet.at(150).sweep().unwrap().unread, 2, "they were asked for");
    assert_eq!((record("web-1").limits.unwrap().limit_s, record("web-1").turn), (120, None));
    assert_eq!((record("web-2").state, record("web-2").limits.unwrap().limit_s), (State::Up, 900));
    assert_eq!(fleet.at(240).sweep().unwrap().unread, 1, "nothing more is hoped for, but for its last words");
    assert_eq!((record("web-1").state, record("web-2").state), (State::Silent, State::Up));
}

#[test]
fn when_there_is_no_time_for_all_each_host_is_read_before_any_is_read_twice() {
    let fleet = fleet(500);
    for n in 0..40 {
        fleet.pulse(&format!("evil/{n:02}"));
    }
    for host in ["web-1", "zz-db"] {
        fleet.pulse(host);
    }
    fleet.wire.log.lock().unwrap().clear();
    fleet.at(60).sweep().unwrap();
    // Side by side, so the order is not exact.
    let log = fleet.wire.log.lock().unwrap().clone();
    let reads: Vec<_> = log.iter().filter(|line| line.starts_with("GET") && line.contains("/pulse/")).collect();
    assert_eq!(reads.len(), 42);
    let place = |host: &str| reads.iter().position(|line| line.contains(host)).unwrap();
    assert!(place("/web-1") < 36 && place("/zz-db") < 36, "{} {}", place("/web-1"), place("/zz-db"));
}

#[test]
fn a_check_that_waits_for_its_turn_keeps_since_when_and_its_state() {
    let fleet = fleet(500);
    fleet.pulse("web-1").at(1).echo("web-1").at(60).sweep().unwrap();
    *fleet.wire.fails.lock().unwrap() = Some("GET /pulses/pulse/web-1");
    for (second, body) in [(120, "{\"every_s\": 60}"), (180, "{\"every_s\": 61}"), (240, "{\"every_s\": 62}")] {
        fleet.at(second - 10).put(&Key::pulse(&id("web-1")), body.as_bytes());
        assert_eq!(fleet.at(second).sweep().unwrap().unread, 1);
        let record = fleet.status().checks[&CheckId::try_from("web-1.json".to_string()).unwrap()].clone();
        let turn = record.turn.unwrap();
        assert_eq!((turn.since, turn.refused), (pulse_echo_testkit::fleet::time(120), false), "at {second}");
        assert_eq!((record.state, record.limits.unwrap().limit_s), (State::Up, 900));
    }
    *fleet.wire.fails.lock().unwrap() = None;
    fleet.at(300).sweep().unwrap();
    let record = fleet.status().checks[&id("web-1")].clone();
    assert_eq!((record.turn, record.limits.unwrap().every_s), (None, 62));
}

//! The sweep when things go wrong: two at once, a death between any two requests, a list that breaks off, thousands of
//! checks at once.

mod fleet;

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use fleet::{Fleet, Hook, id, word};
use pulse_echo::name::Key;
use pulse_echo::status::{Fact, Lease, State};
use pulse_echo_lambda::channel::{Channel, Entry, Outcome, What};
use pulse_echo_lambda::sweep::Course;
use serde_json::json;

/// How often each id was told, with what it says.
fn tally(fleet: &Fleet) -> BTreeMap<String, (usize, String)> {
    let mut tally = BTreeMap::new();
    for entry in fleet.hook.told.lock().unwrap().iter() {
        tally.entry(entry.id.clone()).or_insert((0, word(&entry.what))).0 += 1;
    }
    tally
}

#[test]
fn of_two_sweeps_at_once_one_tells() {
    let mut fleet = Fleet::new();
    fleet.rules.min_interval_s = 0;
    for round in 0..20 {
        let second = 600 * round;
        fleet.at(second).pulse("web-1");
        if round % 2 == 0 {
            fleet.fault("web-1", second)
        } else {
            fleet.echo("web-1")
        };
        fleet.at(second + 60);
        let barrier = Barrier::new(4);
        let courses: Vec<_> = thread::scope(|scope| {
            let sweep = || {
                barrier.wait();
                fleet.sweep().unwrap().course
            };
            let sweeps: Vec<_> = (0..4).map(|_| scope.spawn(sweep)).collect();
            sweeps.into_iter().map(|sweep| sweep.join().unwrap()).collect()
        });
        assert!(courses.contains(&Course::Swept), "{courses:?}");
        fleet.at(second + 120).sweep().unwrap();
    }
    let told = tally(&fleet);
    assert!(told.values().all(|(times, _)| *times == 1), "{told:?}");
    let words = fleet.words();
    let expected = ["failing web-1", "up web-1"].into_iter().cycle().take(20);
    assert_eq!(words, expected.collect::<Vec<_>>());
}

#[test]
fn who_dies_between_any_two_requests_loses_nothing() {
    // A sweep that has much to do: it tells of a fault, of a silence with its last words, and of a recovery.
    let scene = || {
        let fleet = Fleet::new();
        fleet.pulse("a").pulse("b").pulse("c").at(1).echo("a").echo("b").fault("c", 0).at(60).sweep().unwrap();
        fleet.sweep_until(540);
        fleet.at(600).pulse("a").pulse("c").at(601).fault("a", 600).echo("c");
        // b falls silent after 900.
        fleet.sweep_until(840);
        fleet.at(890).pulse("a").at(891).fault("a", 890);
        fleet.told();
        fleet.at(905);
        fleet
    };
    let whole = scene();
    whole.wire.log.lock().unwrap().clear();
    whole.sweep().unwrap();
    let requests = whole.wire.count("");
    assert!(requests >= 6, "{:?}", whole.wire.log.lock().unwrap());

    for at in 1..=requests {
        for goes_through in [false, true] {
            let fleet = scene();
            fleet.sweep_and_die(at, goes_through);
            let attempts = fleet.hook.told.lock().unwrap().len();
            fleet.at(906);
            // The lease of the dead runs until its invocation would have ended; then all that is owed is told.
            fleet.sweep_until(1_080);
            let told = tally(&fleet);
            let words: Vec<_> = told.values().map(|(_, word)| word.as_str()).collect();
            assert_eq!(words, ["silent b"], "died at {at} ({goes_through}), {attempts} told before");
            // Twice only if it died after sending and before striking off.
            let twice = told.values().any(|(times, _)| *times > 1);
            assert!(!twice || attempts > 0, "died at {at} ({goes_through})");
            assert_eq!((fleet.status().outbox.len(), fleet.status().lease), (0, None));
        }
    }
}

#[test]
fn an_answer_that_is_lost_does_no_harm() {
    for lost in 1..=12 {
        let fleet = Fleet::new();
        fleet.pulse("a").at(1).echo("a").at(60).sweep().unwrap();
        fleet.at(100).fault("a", 0).at(120);
        fleet.wire.log.lock().unwrap().clear();
        *fleet.wire.loses.lock().unwrap() = Some(lost);
        let course = fleet.sweep().map(|summary| summary.course);
        *fleet.wire.loses.lock().unwrap() = None;
        assert_eq!(course, Ok(Course::Swept), "request {lost}");
        assert_eq!(tally(&fleet).into_values().collect::<Vec<_>>(), [(1, "failing a".to_string())], "request {lost}");
        assert_eq!((fleet.status().outbox.len(), fleet.mark().swept), (0, Some(fleet::time(120))), "request {lost}");
    }
}

#[test]
fn the_clock_of_the_machine_that_sweeps_does_not_matter() {
    let story = |wrong_by: i64| {
        let mut fleet = Fleet::new();
        fleet.wrong_by = wrong_by;
        fleet.pulse("a").pulse("b").at(1).echo("a").fault("b", 0).at(60).sweep().unwrap();
        fleet.sweep_until(600);
        fleet.pulse("b").echo("b");
        fleet.sweep_until(1_000);
        (fleet.words(), fleet.mark().swept)
    };
    let right = story(0);
    assert_eq!(right.0, ["failing b", "up b", "silent a"]);
    for wrong_by in [-86_400, 86_400] {
        assert_eq!(story(wrong_by), right, "{wrong_by} s ahead");
    }
}

#[test]
fn who_dies_before_a_start_or_a_stop_is_told_loses_it_no_more() {
    for at in 1..=6 {
        for goes_through in [false, true] {
            let fleet = Fleet::new();
            fleet.pulse("a").at(1).echo("a").at(60).sweep().unwrap();
            fleet.at(100).put(&Key::loop_stop(), b"");
            fleet.at(101).sweep_and_die(at, goes_through);
            fleet.at(200).sweep().unwrap();
            fleet.at(300).put(&Key::loop_start(), b"");
            fleet.at(301).sweep_and_die(at, goes_through);
            fleet.sweep_until(600);
            let mut words: Vec<_> = tally(&fleet).into_values().map(|(_, word)| word).collect();
            words.sort();
            assert_eq!(words, ["started", "stopped"], "died at {at} ({goes_through})");
            assert_eq!(fleet.mark().stopped, None);
        }
    }
}

#[test]
fn while_anothers_lease_runs_nothing_is_sent() {
    let fleet = Fleet::new();
    fleet.pulse("web-1").at(1).echo("web-1").at(60).sweep().unwrap();
    let mut status = fleet.status();
    status.lease = Some(Lease { by: "another".into(), until: fleet::time(125) });
    fleet.put(&Key::status(), &status.to_json());
    fleet.at(100).fault("web-1", 0).at(124).sweep().unwrap();
    assert_eq!((fleet.words().len(), fleet.status().outbox.len()), (0, 1));
    fleet.at(160).sweep().unwrap();
    assert_eq!(fleet.words(), ["failing web-1"]);
}

/// A channel that takes what it is sent once the test says so.
#[derive(Clone)]
struct Waiting {
    hook: Hook,
    began: Arc<Barrier>,
    may_end: Arc<Barrier>,
}

impl Channel for Waiting {
    fn name(&self) -> &'static str {
        "hook"
    }

    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome {
        self.began.wait();
        self.may_end.wait();
        self.hook.send(entries, deadline)
    }
}

#[test]
fn while_one_sends_another_only_appends_and_what_is_struck_off_is_what_was_taken() {
    let fleet = Fleet::new();
    fleet.pulse("a").pulse("b").at(1).fault("a", 0).echo("b").at(60);
    let [began, may_end] = [(); 2].map(|()| Arc::new(Barrier::new(2)));
    let waiting = Waiting { hook: fleet.hook.clone(), began, may_end };
    thread::scope(|scope| {
        let slow = scope.spawn(|| {
            let channels: [Box<dyn Channel>; 1] = [Box::new(waiting.clone())];
            fleet.invoke_over(&channels, &json!({}), Duration::from_secs(60))
        });
        waiting.began.wait();
        fleet.at(61).fault("b", 0).at(100).sweep().unwrap();
        let (told, owed) = (fleet.words().len(), fleet.status().outbox.len());
        waiting.may_end.wait();
        slow.join().unwrap().unwrap();
        assert_eq!((told, owed), (0, 2), "the one that sends has the lease");
    });
    assert_eq!(fleet.words(), ["failing a"]);
    assert_eq!((fleet.status().outbox.len(), fleet.status().lease), (1, None));
    fleet.at(160).sweep().unwrap();
    assert_eq!(fleet.words(), ["failing b"]);
}

#[test]
fn what_was_answered_ambiguously_is_tried_again_with_the_same_id() {
    let fleet = Fleet::new();
    fleet.pulse("a").at(1).fault("a", 0).at(60);
    *fleet.hook.answer.lock().unwrap() = Some(Outcome::Ambiguous { taken: 0, why: "no answer".into() });
    fleet.sweep().unwrap();
    assert_eq!(fleet.status().outbox.len(), 1, "no answer is no taking");
    *fleet.hook.answer.lock().unwrap() = None;
    fleet.at(120).sweep().unwrap();
    let told = tally(&fleet);
    assert_eq!(told.values().map(|(times, _)| *times).collect::<Vec<_>>(), [2], "under the same id");
}

/// Acts for so many checks, in a few threads.
fn many(fleet: &Fleet, count: usize, act: impl Fn(&pulse_echo::store::Store, &str) + Sync) {
    let names: Vec<_> = (0..count).map(|n| format!("host-{n:05}")).collect();
    thread::scope(|scope| {
        for part in names.chunks(count.div_ceil(8)) {
            let (store, act) = (fleet.store(), &act);
            scope.spawn(move || part.iter().for_each(|name| act(&store, name)));
        }
    });
}

fn put(store: &pulse_echo::store::Store, key: &Key, body: &[u8]) {
    let always = pulse_echo::store::Condition::Always;
    store.put(key, "text/plain", body, &pulse_echo::pulse::Metadata::new(), &always).unwrap();
}

#[test]
fn of_2500_checks_none_is_overlooked_and_a_list_that_breaks_off_judges_nothing() {
    let fleet = Fleet::new();
    many(&fleet, 2_500, |store, name| {
        put(store, &Key::pulse(&id(name)), b"{}");
        put(store, &Key::echo(&id(name)), b"ok");
    });
    fleet.put(&Key::mute(&id("host-00000")), b"{\"for_s\": 100}");
    let summary = fleet.at(60).sweep().unwrap();
    assert_eq!((summary.checks, summary.unread), (2_500, 0));
    assert!(fleet.status().checks.values().all(|record| record.state == State::Up));
    fleet.wire.log.lock().unwrap().clear();
    fleet.at(120).sweep().unwrap();
    let lists = ["prefix=loop", "prefix=mute", "prefix=pulse", "prefix=echo", "prefix=fault"];
    assert_eq!(lists.map(|list| fleet.wire.count(list)), [1, 1, 3, 3, 1], "{:?}", fleet.wire.log.lock().unwrap());

    // Half of the pulses are seen, then the list breaks off.
    fleet.at(150).fault("host-02499", 0);
    let before = fleet.status();
    for breaks in ["prefix=loop", "prefix=mute", "prefix=fault", "continuation-token"] {
        *fleet.wire.fails.lock().unwrap() = Some(breaks);
        fleet.at(fleet.now() + 60).sweep().unwrap_err();
        assert_eq!((fleet.words().len(), fleet.status() == before), (0, true), "{breaks}");
        assert_eq!(fleet.mark().swept, Some(fleet::time(120)), "{breaks}");
    }
    *fleet.wire.fails.lock().unwrap() = None;
    fleet.at(fleet.now() + 60).sweep().unwrap();
    assert_eq!(fleet.words(), ["failing host-02499"]);

    // Half go down at once and come back: a first line, and a summary of the rest.
    fleet.at(600);
    many(&fleet, 1_200, |store, name| put(store, &Key::pulse(&id(name)), b"{}"));
    fleet.at(601);
    many(&fleet, 1_200, |store, name| {
        let fault = format!("{{\"reason\":\"r\",\"cause\":\"dns\",\"pulse_at\":\"{}\"}}", fleet::time(600));
        put(store, &Key::fault(&id(name)), fault.as_bytes());
    });
    fleet.at(660).sweep().unwrap();
    let told = fleet.told();
    let [What::Fact(Fact::ManyDown { down, of, .. }), What::Summary(summary)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((*down, *of, summary.down[&State::Failing].checks), (1_201, 2_500, 1_200), "and the one from before");
    fleet.at(1_200);
    many(&fleet, 1_200, |store, name| {
        put(store, &Key::pulse(&id(name)), b"{}");
        put(store, &Key::echo(&id(name)), b"ok");
    });
    fleet.at(1_260).sweep().unwrap();
    let told = fleet.told();
    assert!(matches!(&told[..], [What::Summary(summary)] if summary.up.checks == 1_200), "{told:?}");

    // Their pulses vanish: that is told in one message, and they are judged by their last pulse.
    many(&fleet, 1_200, |store, name| {
        store.delete(&Key::pulse(&id(name)), &pulse_echo::store::Condition::Always).unwrap();
    });
    fleet.at(1_320).sweep().unwrap();
    fleet.at(1_380).sweep().unwrap();
    let told = fleet.told();
    assert!(matches!(&told[..], [What::Fact(Fact::Vanished { checks: 1_200, of: 2_500, .. })]), "{told:?}");
    assert!(fleet.status().checks.values().all(|record| record.state != State::Gone));
}

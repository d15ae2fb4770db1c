//! The sweep when things go wrong: two at once, a death between any two requests, answers that are lost, conflicts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::name::Key;
use pulse_echo_core::status::Lease;
use pulse_echo_lambda::channel::Channel;
use pulse_echo_lambda::error::Kind;
use pulse_echo_lambda::outbox::entry::{Entry, Outcome};
use pulse_echo_lambda::tick::Course;
use pulse_echo_testkit::fleet::{self, Fleet, word};
use pulse_echo_testkit::wire::{Hook, Wire};
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
    // So slow that the check does not flap, and by a tick at which this is no gap.
    fleet.rules.tick_s = 900;
    for round in 0..20 {
        let second = 2_400 * round;
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
        fleet.at(300).sweep().unwrap();
        fleet.at(540).sweep().unwrap();
        fleet.at(600).pulse("a").pulse("c").at(601).fault("a", 600).echo("c");
        // b falls silent after 900.
        fleet.at(660).sweep().unwrap();
        fleet.at(840).sweep().unwrap();
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

/// A channel of a loop that dies after so many sends over all its channels: those after it send nothing, and nothing
/// reaches the store any more.
struct Mortal {
    name: &'static str,
    hook: Hook,
    sends: Arc<AtomicUsize>,
    dies_after: usize,
    wire: Arc<Wire>,
}

impl Channel for Mortal {
    fn name(&self) -> &'static str {
        self.name
    }

    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome {
        if self.sends.fetch_add(1, Ordering::SeqCst) < self.dies_after {
            return self.hook.send(entries, deadline);
        }
        *self.wire.fails.lock().unwrap() = Some("");
        Outcome::Ambiguous { taken: 0, why: "it died".into() }
    }
}

#[test]
fn who_dies_between_any_two_sends_loses_nothing_and_tells_twice_only_what_was_taken() {
    for dies_after in 0..=3 {
        let fleet = Fleet::new();
        fleet.pulse("a").at(1).fault("a", 0);
        let hooks = [(); 3].map(|()| Hook::default());
        let sweep = |second: i64, dies_after: usize| {
            let sends = Arc::new(AtomicUsize::new(0));
            let channels = ["one", "two", "three"].into_iter().zip(&hooks).map(|(name, hook)| {
                let (hook, sends, wire) = (hook.clone(), sends.clone(), fleet.wire.clone());
                Box::new(Mortal { name, hook, sends, dies_after, wire }) as Box<dyn Channel>
            });
            let channels: Vec<_> = channels.collect();
            fleet.at(second).invoke_over(&channels, &json!({}), Duration::from_secs(60))
        };
        assert_eq!(sweep(60, dies_after).is_err(), dies_after < 3);
        *fleet.wire.fails.lock().unwrap() = None;
        let told = || hooks.iter().map(|hook| hook.told.lock().unwrap().len()).sum::<usize>();
        assert_eq!(told(), dies_after);
        // The lease of the dead still runs.
        sweep(100, usize::MAX).unwrap();
        assert_eq!(told(), dies_after);
        sweep(160, usize::MAX).unwrap();
        let (all, twice) = if dies_after < 3 { (3 + dies_after, dies_after) } else { (3, 0) };
        assert_eq!(told(), all, "died after {dies_after}");
        let entries: Vec<_> = hooks.iter().map(|hook| hook.told.lock().unwrap().clone()).collect();
        assert!(entries.iter().flatten().all(|entry| entry.id == entries[0][0].id), "under one id: {entries:?}");
        assert_eq!(entries.iter().filter(|entries| entries.len() == 2).count(), twice);
        assert_eq!((fleet.status().outbox.len(), fleet.status().lease), (0, None));
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
fn a_status_that_cannot_be_written_is_an_error_and_not_taken_for_anothers_work() {
    let fleet = Fleet::new();
    fleet.pulse("a").at(1).echo("a").at(60).sweep().unwrap();
    *fleet.wire.fails.lock().unwrap() = Some("PUT /pulses/status.json");
    let error = fleet.at(100).fault("a", 0).at(120).sweep().unwrap_err();
    assert!(error.kind == Kind::StoreFailed && error.message.contains("cannot put status.json"), "{error}");
    assert_eq!((fleet.words().len(), fleet.mark().swept), (0, Some(fleet::time(60))));
    *fleet.wire.fails.lock().unwrap() = None;
    fleet.at(180).sweep().unwrap();
    assert_eq!(fleet.words(), ["failing a"]);
}

#[test]
fn a_conflict_with_another_write_is_tried_again() {
    for written in ["PUT /pulses/status.json", "PUT /pulses/loop/Update.json", "DELETE /pulses/loop/Loop.lock"] {
        let fleet = Fleet::new();
        fleet.pulse("a").put(&Key::loop_lock(), format!("{{\"stop\": \"{}\"}}", fleet::time(0)).as_bytes());
        fleet.at(1).fault("a", 0).put(&Key::loop_start(), b"");
        *fleet.wire.conflicts.lock().unwrap() = Some((written, 1));
        assert_eq!(fleet.at(60).sweep().unwrap().course, Course::Swept, "{written}");
        assert_eq!(*fleet.wire.conflicts.lock().unwrap(), Some((written, 0)), "there was none");
        assert_eq!(fleet.words(), ["failing a"], "{written}");
        assert_eq!((fleet.status().outbox.len(), fleet.status().lease), (0, None), "{written}");
        assert_eq!(fleet.mark().swept, Some(fleet::time(60)), "{written}");
        assert_eq!(fleet.keys("loop/"), ["loop/Start.lambda", "loop/Update.json"], "{written}");
    }
}

#[test]
fn who_conflicts_at_each_try_leaves_it_to_the_other_and_strikes_off_all_the_same() {
    let fleet = Fleet::new();
    fleet.pulse("a").at(1).fault("a", 0);
    *fleet.wire.conflicts.lock().unwrap() = Some(("PUT /pulses/status.json", 3));
    assert_eq!(fleet.at(60).sweep().unwrap().course, Course::Lost);
    assert_eq!(fleet.words().len(), 0, "who has not recorded it does not tell it");
    // Now the first write succeeds, and striking off meets one conflict after the other.
    let busy = Busy { hook: fleet.hook.clone(), wire: fleet.wire.clone() };
    let summary = fleet.at(120).invoke_over(&[Box::new(busy)], &json!({}), Duration::from_secs(60)).unwrap();
    assert_eq!(summary.course, Course::Swept);
    assert_eq!(*fleet.wire.conflicts.lock().unwrap(), Some(("PUT /pulses/status.json", 0)), "it went on");
    assert_eq!((fleet.words(), fleet.status().outbox.len()), (vec!["failing a".into()], 0));
    assert_eq!(fleet.status().lease, None);
}

/// A channel that takes all, and after which the status is changed by others for a while.
struct Busy {
    hook: Hook,
    wire: Arc<Wire>,
}

impl Channel for Busy {
    fn name(&self) -> &'static str {
        "hook"
    }

    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome {
        *self.wire.conflicts.lock().unwrap() = Some(("PUT /pulses/status.json", 4));
        self.hook.send(entries, deadline)
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
    // Without TLS a clock is corrected by at most a day.
    for wrong_by in [-80_000, 80_000] {
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

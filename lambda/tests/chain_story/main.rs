//! The chain of ticks on a real store and a real queue, by their time: who starts it, who ends it, and what does not
//! break it.

mod trouble;

use std::slice::from_ref;

use pulse_echo_core::name::Key;
use pulse_echo_lambda::outbox::entry::Outcome;
use pulse_echo_lambda::tick::decide::Step;
use pulse_echo_lambda::tick::{Course, Report};
use pulse_echo_testkit::fleet::{Fleet, put_event, time};
use pulse_echo_testkit::sqs::{Fault, Message, Sqs, event};
use serde_json::{Value, json};

const NOTHING: [&str; 0] = [];

/// A fleet whose loop ticks each 5 s, not started yet.
fn fleet() -> (Fleet, Sqs) {
    let mut fleet = Fleet::new();
    fleet.rules.tick_s = 5;
    let sqs = fleet.with_queue();
    fleet.pulse("web-1").at(1).echo("web-1");
    (fleet, sqs)
}

/// The same, started at this second: its first tick lies in the queue.
fn started(second: i64) -> (Fleet, Sqs) {
    let (fleet, sqs) = fleet();
    fleet.at(second).put(&Key::loop_start(), b"");
    let report = fleet.invoke(&put_event(&Key::loop_start())).unwrap();
    assert_eq!((report.course, report.step), (Course::Swept, Some(Step::Begin)));
    (fleet, sqs)
}

/// Gives the loop each second what the queue has, up to and with this one: the seconds in which something came, and
/// what it came to.
fn play(fleet: &Fleet, sqs: &Sqs, until: i64) -> Vec<(i64, Report)> {
    let mut came = Vec::new();
    loop {
        while let Some(report) = fleet.batch(sqs) {
            came.push((fleet.now(), report.unwrap()));
            assert!(came.len() < 1_000, "ticks come without a delay");
        }
        if fleet.now() == until {
            return came;
        }
        fleet.at(fleet.now() + 1);
    }
}

/// What can be received at this second.
fn sqs_at(fleet: &Fleet, sqs: &Sqs, second: i64) -> Vec<Message> {
    fleet.at(second);
    sqs.receive()
}

fn steps(came: &[(i64, Report)]) -> Vec<(i64, Option<Step>)> {
    came.iter().map(|(second, report)| (*second, report.step)).collect()
}

#[test]
fn from_the_start_a_tick_comes_each_5_seconds_until_a_stop_and_nothing_after_it() {
    let (fleet, sqs) = started(100);
    let came = play(&fleet, &sqs, 132);
    let seconds = [100, 105, 110, 115, 120, 125, 130];
    assert_eq!(steps(&came), seconds.map(|second| (second, Some(Step::Continue))));
    let swept = came.iter().filter(|(_, report)| report.course == Course::Swept).map(|(second, _)| *second);
    assert_eq!(swept.collect::<Vec<_>>(), &seconds[1..], "the start itself swept just before the first tick");
    assert_eq!(fleet.mark().swept, Some(time(130)));
    assert_eq!(sqs.len(), 1);

    sqs.calls();
    fleet.put(&Key::loop_stop(), b"");
    let report = fleet.invoke(&put_event(&Key::loop_stop())).unwrap();
    assert_eq!((report.course, report.is_purged), (Course::Stopped, true));
    assert_eq!(fleet.words(), ["stopped"]);
    assert_eq!(play(&fleet, &sqs, 140), [], "the purge took the tick");
    assert_eq!(sqs.calls(), ["PurgeQueue"]);
    // One that the purge has missed, the schedule, somebody's wish, and an operator's message: nothing sweeps.
    let missed = json!({"tick": fleet.mark().tick, "version": 1}).to_string();
    sqs.put(&missed);
    sqs.put("sweep, please");
    let came = play(&fleet, &sqs, 300);
    assert_eq!(came.len(), 1, "both in one batch");
    assert_eq!((came[0].1.course, came[0].1.step), (Course::Stopped, None));
    for second in [360, 420, 480] {
        assert_eq!(fleet.at(second).sweep().unwrap().course, Course::Stopped);
        assert_eq!(fleet.invoke(&put_event(&Key::loop_update())).unwrap().course, Course::Stopped);
    }
    assert_eq!((fleet.mark().swept, fleet.words()), (Some(time(130)), vec![]));
    assert_eq!((sqs.calls(), sqs.len()), (vec![], 0), "nothing was sent, and purged only once");
}

#[test]
fn who_finds_that_another_has_put_the_lock_purges_nothing() {
    let (fleet, sqs) = started(100);
    sqs.calls();
    fleet.at(102).put(&Key::loop_stop(), b"");
    fleet.another_puts("PUT /pulses/loop/Loop.lock", &Key::loop_lock(), b"maintenance");
    let report = fleet.at(103).invoke(&put_event(&Key::loop_stop())).unwrap();
    assert_eq!((report.course, report.is_purged, fleet.mark().purged), (Course::Stopped, false, None));
    assert_eq!(fleet.store().get(&Key::loop_lock(), 100).unwrap().body.unwrap(), b"maintenance");
    assert_eq!(sqs.calls(), NOTHING);
}

#[test]
fn a_chain_that_begins_during_a_purge_waits_for_its_end() {
    let (fleet, sqs) = started(100);
    fleet.at(102).put(&Key::loop_stop(), b"");
    fleet.at(103).invoke(&put_event(&Key::loop_stop())).unwrap();
    fleet.at(110).put(&Key::loop_start(), b"");
    sqs.sent();
    let report = fleet.at(111).invoke(&put_event(&Key::loop_start())).unwrap();
    assert_eq!((report.course, report.step), (Course::Swept, Some(Step::Begin)));
    assert_eq!(sqs.sent()[0].delay_s, 62, "to 70 s after the purge");
    // The queue of this test eats all that is sent during a purge, kept back or not.
    assert!(sqs.is_empty());
    assert_eq!(fleet.at(172).sweep().unwrap().course, Course::Fresh);
    assert_eq!(fleet.at(173).sweep().unwrap().step, Some(Step::Revive), "the schedule brings it back");
    assert_eq!(steps(&play(&fleet, &sqs, 180)), [(173, Some(Step::Continue)), (178, Some(Step::Continue))]);
}

#[test]
fn a_chain_whose_tick_was_lost_comes_back_with_one_tick() {
    let (fleet, sqs) = started(100);
    play(&fleet, &sqs, 109);
    sqs.faults(&[Fault::Vanished]);
    assert_eq!(play(&fleet, &sqs, 112).len(), 1);
    assert!(sqs.is_empty(), "it is lost");
    let mut revived = Vec::new();
    for second in (120..=300).step_by(20) {
        let report = fleet.at(second).sweep().unwrap();
        revived.extend(report.step.map(|step| (second, step)));
        if report.step.is_none() {
            assert_eq!(report.course, Course::Fresh);
        }
        assert!(sqs.len() <= 1, "at {second}");
        play(&fleet, &sqs, second + 19);
    }
    assert_eq!(revived, [(180, Step::Revive)], "2 × 5 s + 60 s after its last step at 110");
    assert_eq!(sqs.len(), 1, "one chain");
}

#[test]
fn a_tick_that_comes_twice_or_again_continues_once() {
    let (fleet, sqs) = started(100);
    sqs.faults(&[Fault::Doubled]);
    play(&fleet, &sqs, 104);
    assert_eq!(sqs.len(), 2, "one tick, twice");
    // Each by itself, and then the old one again.
    let [one, other] = &sqs_at(&fleet, &sqs, 105)[..] else { panic!("there are two") };
    assert_eq!(fleet.invoke(&event(from_ref(one))).unwrap().step, Some(Step::Continue));
    for again in [other, one] {
        let report = fleet.invoke(&event(from_ref(again))).unwrap();
        assert_eq!((report.course, report.step), (Course::Old, None));
    }
    assert_eq!(sqs.len(), 1);
}

/// A note of SNS, as it invokes a function.
fn note() -> Value {
    let note = json!({"Type": "Notification", "Message": "x"});
    json!({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": note}]})
}

#[test]
fn the_origins_ways_to_sweep_now_do_not_touch_the_chain() {
    let (fleet, sqs) = started(100);
    play(&fleet, &sqs, 106);
    let number = fleet.mark().tick;
    let envelope = json!({"Type": "Notification", "TopicArn": "arn:aws:sns:…", "Message": "checkResult"}).to_string();
    assert_eq!(fleet.at(107).invoke(&note()).unwrap().course, Course::Swept, "a topic");
    assert_eq!(fleet.at(109).invoke(&put_event(&Key::loop_update())).unwrap().course, Course::Swept);
    assert_eq!((fleet.mark().tick, sqs.len()), (number, 1));
    play(&fleet, &sqs, 111);
    sqs.put(&envelope);
    let report = fleet.at(112).batch(&sqs).unwrap().unwrap();
    assert_eq!((report.course, report.step), (Course::Swept, None), "a queue that subscribes the topic");
    assert_eq!(sqs.len(), 1);
}

#[test]
fn what_has_waited_for_a_quarter_of_an_hour_is_in_the_mark_until_it_is_taken() {
    let fleet = Fleet::new();
    fleet.pulse("web-1").at(1).fault("web-1", 0);
    *fleet.hook.answer.lock().unwrap() = Some(Outcome::NotTaken { taken: 0, after: None, why: "HTTP 500".into() });
    let mut said = Vec::new();
    for second in (60..=1_140).step_by(60) {
        let report = fleet.at(second).sweep().unwrap();
        assert_eq!(report.owed_s, Some(u64::try_from(second - 60).unwrap()));
        said.push(fleet.mark().owed_s);
    }
    assert_eq!(said[..15], [None; 15]);
    assert_eq!(said[15..], [Some(900), Some(960), Some(1_020), Some(1_080)]);
    *fleet.hook.answer.lock().unwrap() = None;
    fleet.sweep_until(6_000);
    assert!(fleet.words().contains(&"failing web-1".to_string()));
    assert_eq!(fleet.mark().owed_s, None);
    let json = String::from_utf8(fleet.mark().to_json()).unwrap();
    assert!(!json.contains("owed_s") && !json.contains("told"), "{json}");
}

#[test]
fn a_switch_from_the_schedule_to_a_queue_and_back_needs_no_hand() {
    let mut fleet = Fleet::new();
    fleet.pulse("web-1").at(1).echo("web-1").at(60).sweep().unwrap();
    let sqs = fleet.with_queue();
    assert_eq!(fleet.at(120).sweep().unwrap().step, Some(Step::Revive));
    let came = play(&fleet, &sqs, 185);
    assert_eq!(steps(&came), [(120, Some(Step::Continue)), (180, Some(Step::Continue))]);
    fleet.queue = None;
    let report = fleet.at(240).sweep().unwrap();
    assert_eq!((report.course, report.step), (Course::Swept, None));
    assert_eq!(fleet.mark().ticked, None, "loop show tells by it what drives the loop");
    assert_eq!(fleet.words(), NOTHING);
}

//! The chain of ticks on a real store and a real queue, by their time: who starts it, who ends it, and what does not
//! break it.

use std::slice::from_ref;
use std::time::{Duration, Instant};

use pulse_echo_core::mark::Mark;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::{Condition, Store};
use pulse_echo_lambda::channel::Channel;
use pulse_echo_lambda::error::Kind;
use pulse_echo_lambda::outbox::entry::{Entry, Outcome};
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

#[test]
fn what_goes_wrong_with_a_send_is_tried_again_until_the_queue_surely_has_the_tick() {
    let (fleet, sqs) = started(100);
    play(&fleet, &sqs, 104);
    sqs.sent();
    let busy = Fault::Refused(400, "RequestThrottled", "Rate exceeded");
    sqs.faults(&[Fault::NotDone, busy, Fault::Strange, Fault::Lost]);
    let came = play(&fleet, &sqs, 106);
    assert_eq!(steps(&came), [(105, Some(Step::Continue))]);
    assert!(came[0].1.is_sent && came[0].1.errors.is_empty());
    let sent: Vec<_> = sqs.sent().into_iter().map(|message| (message.body, message.delay_s)).collect();
    assert_eq!(sent.len(), 2, "the lost answer, and the sure one");
    assert_eq!(sent[0], sent[1]);
    assert_eq!(steps(&play(&fleet, &sqs, 116)).len(), 2, "both come in one batch, and then the next");
    assert_eq!(sqs.len(), 1, "one chain goes on");
}

#[test]
fn a_queue_that_refuses_a_tick_is_an_error_and_keeps_back_no_message() {
    let (fleet, sqs) = started(100);
    play(&fleet, &sqs, 104);
    fleet.fault("web-1", 1);
    sqs.faults(&[Fault::Refused(403, "AccessDenied", "User is not authorized")]);
    let error = fleet.at(105).batch(&sqs).unwrap().unwrap_err();
    assert_eq!(error.kind, Kind::QueueFailed);
    let message = error.message;
    assert!(message.contains("cannot send tick") && message.contains("must allow sqs:SendMessage"), "{message}");
    assert_eq!(fleet.words(), ["failing web-1"]);
    assert_eq!(fleet.mark().swept, Some(time(105)));
    let number = fleet.mark().tick.unwrap();
    assert_eq!(fleet.at(175).sweep().unwrap().step, Some(Step::Revive));
    assert_eq!(fleet.mark().tick, Some(number + 1));
}

#[test]
fn a_queue_that_is_away_leaves_time_for_messages_to_people() {
    let (mut fleet, sqs) = started(100);
    play(&fleet, &sqs, 104);
    fleet.fault("web-1", 1);
    sqs.faults(&vec![Fault::NotDone; 1_000]);
    // 25 s before its end it gives up.
    fleet.time = Duration::from_secs(31);
    let report = fleet.report(&event(&sqs_at(&fleet, &sqs, 105)));
    let [error] = &report.errors[..] else { panic!("{report:?}") };
    assert!(error.kind == Kind::QueueFailed && error.message.contains("the schedule"), "{error}");
    assert!(sqs.calls().len() > 3 && report.took_ms < 15_000, "25 s before its end, and not 10: {report:?}");
    assert_eq!((report.step, report.is_sent, report.fails_ticks), (Some(Step::Continue), false, false));
    assert_eq!(fleet.words(), ["failing web-1"]);
}

#[test]
fn a_tick_is_sent_in_the_last_seconds_too_and_where_no_time_is_left_its_number_stays() {
    for seconds in [9, 3] {
        let (mut fleet, sqs) = started(100);
        play(&fleet, &sqs, 104);
        fleet.time = Duration::from_secs(seconds);
        let report = fleet.report(&event(&sqs_at(&fleet, &sqs, 105)));
        assert!(report.is_sent && report.errors.is_empty(), "{seconds} s: {report:?}");
    }
    let (mut fleet, sqs) = started(100);
    play(&fleet, &sqs, 104);
    let number = fleet.mark().tick;
    fleet.time = Duration::from_millis(1_900);
    let messages = sqs_at(&fleet, &sqs, 105);
    let report = fleet.report(&event(&messages));
    assert_eq!((report.course, report.step, report.fails_ticks), (Course::Swept, None, true), "{report:?}");
    assert_eq!(report.errors[0].kind, Kind::OutOfTime);
    assert_eq!((fleet.mark().tick, fleet.mark().swept), (number, Some(time(105))), "it swept, and no more");
    // So the queue gives the tick again, and it goes on.
    fleet.time = Duration::from_secs(60);
    let report = fleet.at(465).report(&event(&messages));
    assert_eq!((report.step, report.is_sent), (Some(Step::Continue), true));
}

/// What a tick comes to while the requests that contain this text get no answer.
fn with_a_stall(part: &'static str, checks: usize, seconds: u64) -> (Fleet, Sqs, Report) {
    let (mut fleet, sqs) = started(100);
    play(&fleet, &sqs, 104);
    fleet.fill("pulse", checks, "{}").fault("web-1", 1);
    *fleet.wire.stalls.lock().unwrap() = Some(part);
    fleet.time = Duration::from_secs(seconds);
    let report = fleet.report(&event(&sqs_at(&fleet, &sqs, 105)));
    assert!(report.took_ms < seconds * 1_000 - 1_000, "{report:?}");
    *fleet.wire.stalls.lock().unwrap() = None;
    (fleet, sqs, report)
}

#[test]
fn a_status_that_does_not_come_keeps_neither_the_number_nor_a_stop_from_being_seen() {
    let (fleet, sqs, report) = with_a_stall("GET /pulses/status.json", 0, 18);
    assert_eq!((report.course, report.step, report.is_sent), (Course::Failed, Some(Step::Continue), true));
    fleet.put(&Key::loop_stop(), b"");
    *fleet.wire.stalls.lock().unwrap() = Some("GET /pulses/status.json");
    let report = fleet.at(110).report(&event(&sqs_at(&fleet, &sqs, 110)));
    assert_eq!((report.stopped, fleet.mark().stopped), (Some(time(105)), Some(time(105))));
}

#[test]
fn a_list_that_does_not_come_fails_the_sweep_and_not_the_chain() {
    let (_, _, report) = with_a_stall("prefix=pulse", 1_100, 18);
    assert_eq!((report.course, report.step, report.is_sent), (Course::Failed, Some(Step::Continue), true));
}

#[test]
fn a_status_that_is_not_taken_fails_the_sweep_and_not_the_chain() {
    let (_, _, report) = with_a_stall("PUT /pulses/status.json", 0, 18);
    assert_eq!((report.course, report.step, report.is_sent), (Course::Failed, Some(Step::Continue), true));
}

#[test]
fn a_mark_that_is_not_taken_leaves_time_for_messages_to_people() {
    let (fleet, _, report) = with_a_stall("PUT /pulses/loop/Update.json", 0, 24);
    assert!(report.step.is_none() && report.fails_ticks, "{report:?}");
    assert_eq!(fleet.words(), ["failing web-1"]);
    assert_eq!(fleet.status().lease, None);
}

/// The same status in a version of its own, as another invocation writes it.
fn another_status(fleet: &Fleet) -> Vec<u8> {
    [fleet.status().to_json(), b"\n".to_vec()].concat()
}

#[test]
fn a_test_message_that_another_writer_was_in_the_way_of_is_asked_for_again() {
    let (fleet, sqs) = started(100);
    play(&fleet, &sqs, 104);
    let test = put_event(&Key::loop_test());
    fleet.another_puts("PUT /pulses/status.json", &Key::status(), &another_status(&fleet));
    let error = fleet.invoke(&test).unwrap_err();
    assert!(error.message.contains("test message"), "{error}");
    assert_eq!(fleet.words(), NOTHING);
    fleet.invoke(&test).unwrap();
    assert_eq!(fleet.words(), ["test"]);

    // In a batch whose step is made it comes again with the tick, whose number has gone by.
    let mut messages = sqs_at(&fleet, &sqs, 105);
    messages.push(Message { id: "test".into(), body: test.to_string(), ..messages[0].clone() });
    fleet.another_puts("PUT /pulses/status.json", &Key::status(), &another_status(&fleet));
    let report = fleet.report(&event(&messages));
    assert!(report.step == Some(Step::Continue) && report.is_sent && report.fails_ticks, "{report:?}");
    let report = fleet.report(&event(&messages));
    assert_eq!((report.step, report.fails_ticks, fleet.words()), (None, false, vec!["test".to_string()]));
}

#[test]
fn a_sweep_that_panics_is_a_sweep_that_fails() {
    let (fleet, sqs) = started(100);
    play(&fleet, &sqs, 104);
    fleet.fault("web-1", 1);
    *fleet.wire.before.lock().unwrap() = Some(("PUT /pulses/status.json", Box::new(|| panic!("a mistake"))));
    let report = fleet.report(&event(&sqs_at(&fleet, &sqs, 105)));
    let [error] = &report.errors[..] else { panic!("{report:?}") };
    assert_eq!((error.kind, report.course, report.is_sent), (Kind::Panicked, Course::Failed, true));
    assert_eq!(play(&fleet, &sqs, 110).len(), 1, "it goes on");
    assert_eq!(fleet.words(), ["failing web-1"]);
}

#[test]
fn a_stop_is_seen_though_the_status_cannot_be_read() {
    let (fleet, sqs) = started(100);
    play(&fleet, &sqs, 104);
    fleet.put(&Key::status(), b"{\"version\": 2}");
    fleet.put(&Key::loop_stop(), b"");
    let report = fleet.report(&event(&sqs_at(&fleet, &sqs, 105)));
    assert_eq!((report.course, report.stopped, report.step), (Course::Failed, Some(time(104)), None));
    assert_eq!((fleet.mark().stopped, sqs.len()), (Some(time(104)), 0));
}

#[test]
fn the_step_whose_answer_is_lost_is_made_once() {
    let (fleet, sqs) = started(100);
    play(&fleet, &sqs, 104);
    let number = fleet.mark().tick.unwrap();
    // The mark is read, then status and list; the fourth request writes the mark.
    fleet.wire.log.lock().unwrap().clear();
    *fleet.wire.loses.lock().unwrap() = Some(4);
    let report = fleet.at(105).batch(&sqs).unwrap().unwrap();
    assert!(fleet.wire.log.lock().unwrap()[3].starts_with("PUT /pulses/loop/Update.json"));
    assert_eq!((report.step, report.tick), (Some(Step::Continue), Some(number + 1)));
    assert_eq!((fleet.mark().tick, sqs.len()), (Some(number + 1), 1));
    assert_eq!(steps(&play(&fleet, &sqs, 116)).len(), 2, "it goes on");
}

#[test]
fn a_step_that_was_refused_is_not_made_though_the_answer_is_lost() {
    let (fleet, sqs) = started(100);
    play(&fleet, &sqs, 104);
    sqs.sent();
    let mark = fleet.mark();
    let theirs = Mark { tick: mark.tick.map(|tick| tick + 1), by: Some("another".into()), ..mark };
    fleet.at(105).another_puts("PUT /pulses/loop/Update.json", &Key::mark(), &theirs.to_json());
    fleet.wire.log.lock().unwrap().clear();
    *fleet.wire.loses.lock().unwrap() = Some(4);
    let report = fleet.batch(&sqs).unwrap().unwrap();
    assert_eq!((report.step, fleet.mark().tick, sqs.sent()), (None, theirs.tick, vec![]));
}

#[test]
fn a_tick_whose_step_could_not_be_written_comes_again() {
    let (fleet, sqs) = started(100);
    play(&fleet, &sqs, 104);
    *fleet.wire.fails.lock().unwrap() = Some("PUT /pulses/loop/Update.json");
    fleet.at(105).batch(&sqs).unwrap().unwrap_err();
    *fleet.wire.fails.lock().unwrap() = None;
    let came = play(&fleet, &sqs, 470);
    assert_eq!(steps(&came), [465, 470].map(|second| (second, Some(Step::Continue))), "hidden for six time-outs");
    assert_eq!(sqs.len(), 1);
}

#[test]
fn a_tick_that_another_has_continued_meanwhile_is_not_continued_again() {
    let (fleet, sqs) = started(100);
    play(&fleet, &sqs, 104);
    sqs.sent();
    let mark = fleet.mark();
    // SQS has given the tick to another function, too, which is faster.
    let theirs =
        Mark { tick: mark.tick.map(|tick| tick + 1), ticked: Some(time(105)), by: Some("another".into()), ..mark };
    fleet.at(105).another_puts("PUT /pulses/loop/Update.json", &Key::mark(), &theirs.to_json());
    let report = fleet.batch(&sqs).unwrap().unwrap();
    assert_eq!((report.course, report.step), (Course::Swept, None));
    assert_eq!(sqs.sent(), [], "the other has sent it");
    assert_eq!((fleet.mark().tick, fleet.mark().swept), (theirs.tick, Some(time(105))));
}

#[test]
fn a_sweep_that_fails_goes_on_with_the_number() {
    let (fleet, sqs) = started(100);
    play(&fleet, &sqs, 104);
    fleet.put(&Key::status(), b"{\"version\": 2}");
    let error = fleet.at(105).batch(&sqs).unwrap().unwrap_err();
    assert!(error.kind == Kind::StatusNewer && error.message.contains("of version 2"), "{error}");
    assert_eq!((fleet.mark().swept, sqs.len()), (Some(time(100)), 1), "no sweep, but the next tick");
    fleet.remove(&Key::status());
    assert_eq!(fleet.at(110).batch(&sqs).unwrap().unwrap().course, Course::Swept);
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

/// A channel that is slow: meanwhile a newer loop writes `status.json`.
struct Slow(Store);

impl Channel for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn send(&self, _: &[Entry], _: Instant) -> Outcome {
        let (json, none) = ("application/json", Metadata::new());
        self.0.put(&Key::status(), json, b"{\"version\": 2}", &none, &Condition::Always).unwrap();
        Outcome::Taken
    }
}

#[test]
fn a_newer_status_that_is_met_while_striking_off_has_its_kind() {
    let fleet = Fleet::new();
    fleet.pulse("web-1").at(1).fault("web-1", 0).at(60);
    let slow: [Box<dyn Channel>; 1] = [Box::new(Slow(fleet.store()))];
    let event = put_event(&Key::loop_test());
    assert_eq!(fleet.invoke_over(&slow, &event, fleet.time).unwrap_err().kind, Kind::StatusNewer);
}

#[test]
fn what_went_wrong_has_its_kind() {
    let (fleet, sqs) = started(100);
    fleet.put(&Key::status(), b"{\"version\": 2}");
    sqs.faults(&[Fault::Refused(400, "QueueDoesNotExist", "The specified queue does not exist.")]);
    let report = fleet.report(&event(&sqs_at(&fleet, &sqs, 110)));
    assert!(!report.fails_ticks, "its number has gone by");
    let [newer, refused] = &report.errors[..] else { panic!("{report:?}") };
    assert_eq!((newer.kind, refused.kind), (Kind::StatusNewer, Kind::QueueFailed));
    let why = &refused.message;
    assert!(why.contains("create the queue, or correct QUEUE_URL"), "{why}");
}

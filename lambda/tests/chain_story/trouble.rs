//! The chain where the queue or the store is in trouble, or somebody else is in between.

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

use super::{NOTHING, play, sqs_at, started, steps};

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

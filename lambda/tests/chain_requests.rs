//! What the loop asks of the store and the queue, request by request: this is what a deployment pays for.

use pulse_echo_core::name::Key;
use pulse_echo_lambda::tick::Course;
use pulse_echo_lambda::tick::decide::Step;
use pulse_echo_testkit::fleet::{Fleet, put_event};
use pulse_echo_testkit::sqs::Sqs;

const STATUS: &str = "GET status.json";
const LIST: &str = "LIST";
const MARK: &str = "GET loop/Update.json";
const WRITE_MARK: &str = "PUT loop/Update.json";

/// A fleet in which nothing is new: its checks are up, the status is written, and so is the mark.
fn calm() -> Fleet {
    let fleet = Fleet::new();
    fleet.pulse("web-1").at(1).echo("web-1").at(10).sweep().unwrap();
    fleet.at(100).sweep().unwrap();
    fleet.told();
    fleet
}

/// What was asked of the store since this was last called: each request in a word.
fn asked(fleet: &Fleet) -> Vec<String> {
    let log = std::mem::take(&mut *fleet.wire.log.lock().unwrap());
    let word = |line: &String| {
        let path = line.split_once("/pulses/").unwrap();
        let name = path.1.split('?').next().unwrap();
        if name.is_empty() { LIST.into() } else { format!("{}{name}", path.0) }
    };
    log.iter().map(word).collect()
}

#[test]
fn without_a_queue_a_calm_sweep_is_four_requests() {
    let fleet = calm();
    asked(&fleet);
    assert_eq!(fleet.at(160).sweep().unwrap().course, Course::Swept);
    assert_eq!(asked(&fleet), [STATUS, LIST, MARK, WRITE_MARK]);
}

#[test]
fn without_a_queue_a_look_that_is_too_soon_is_three_requests() {
    let fleet = calm();
    asked(&fleet);
    assert_eq!(fleet.at(110).sweep().unwrap().course, Course::TooSoon);
    assert_eq!(asked(&fleet), [STATUS, LIST, MARK]);
}

#[test]
fn without_a_queue_a_stopped_minute_is_three_requests() {
    let fleet = calm();
    fleet.at(150).put(&Key::loop_stop(), b"");
    fleet.at(160).sweep().unwrap();
    asked(&fleet);
    assert_eq!(fleet.at(220).sweep().unwrap().course, Course::Stopped);
    assert_eq!(asked(&fleet), [STATUS, LIST, MARK]);
}

/// The same, driven by a queue, its tick of 1,000 s already sent.
fn calm_chain() -> (Fleet, Sqs) {
    let mut fleet = calm();
    let sqs = fleet.with_queue();
    fleet.at(940).sweep().unwrap();
    fleet.batch(&sqs).unwrap().unwrap();
    assert_eq!(fleet.at(1_000).batch(&sqs).unwrap().unwrap().course, Course::Swept);
    asked(&fleet);
    sqs.calls();
    (fleet, sqs)
}

#[test]
fn a_tick_is_one_list_two_gets_one_put_and_one_send() {
    let (fleet, sqs) = calm_chain();
    let report = fleet.at(1_060).batch(&sqs).unwrap().unwrap();
    assert_eq!((report.course, report.step, report.is_sent), (Course::Swept, Some(Step::Continue), true));
    assert_eq!(asked(&fleet), [MARK, STATUS, LIST, WRITE_MARK]);
    assert_eq!(sqs.calls(), ["SendMessage"]);
}

#[test]
fn an_old_tick_and_a_look_of_the_schedule_at_a_live_chain_are_one_get() {
    let (fleet, sqs) = calm_chain();
    assert_eq!(fleet.at(1_030).sweep().unwrap().course, Course::Fresh);
    assert_eq!(asked(&fleet), [MARK]);
    let number = fleet.mark().tick.unwrap();
    sqs.put(&format!("{{\"tick\": {}, \"version\": 1}}", number - 1));
    assert_eq!(fleet.batch(&sqs).unwrap().unwrap().course, Course::Old);
    assert_eq!(asked(&fleet), [MARK]);
    assert_eq!(sqs.calls(), [] as [&str; 0]);
}

#[test]
fn with_a_queue_a_stopped_minute_is_three_requests_and_asks_nothing_of_the_queue() {
    let (fleet, sqs) = calm_chain();
    fleet.at(1_010).put(&Key::loop_stop(), b"");
    fleet.at(1_011).invoke(&put_event(&Key::loop_stop())).unwrap();
    assert_eq!(sqs.calls(), ["PurgeQueue"]);
    asked(&fleet);
    for second in [1_060, 1_120, 1_180] {
        assert_eq!(fleet.at(second).sweep().unwrap().course, Course::Stopped);
        assert_eq!(asked(&fleet), [MARK, STATUS, LIST]);
    }
    assert_eq!(sqs.calls(), [] as [&str; 0]);
}

#[test]
fn reviving_is_one_write_and_one_send_and_the_tick_sweeps() {
    let (fleet, sqs) = calm_chain();
    sqs.receive();
    assert_eq!(fleet.at(1_179).sweep().unwrap().course, Course::Fresh);
    asked(&fleet);
    assert_eq!(fleet.at(1_180).sweep().unwrap().step, Some(Step::Revive));
    assert_eq!(asked(&fleet), [MARK, STATUS, LIST, WRITE_MARK]);
    assert_eq!(sqs.calls(), ["SendMessage"]);
    assert_eq!(fleet.batch(&sqs).unwrap().unwrap().course, Course::Swept);
}

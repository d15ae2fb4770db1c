//! What the loop asks of the store and the queue, request by request: this is what a deployment pays for.

use pulse_echo_core::name::Key;
use pulse_echo_lambda::tick::Course;
use pulse_echo_testkit::fleet::Fleet;

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

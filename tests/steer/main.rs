//! How an operator mutes, acknowledges, retires, and controls the loop; and how a host says goodbye.

mod acks;
mod looping;
mod mutes;
mod retiring;

use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::mute::Mute;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::{Record, Status};
use pulse_echo_testkit::agent::Ended;
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::store::id;

fn ago(seconds: i64) -> Time {
    Time::from_second(jiff::Timestamp::now().as_second() - seconds)
}

/// A bed whose last sweep knew these checks.
fn knows(checks: &[&str]) -> Bed {
    let bed = Bed::new();
    put_status(&bed, checks, Status::new(ago(10)));
    bed
}

fn put_status(bed: &Bed, checks: &[&str], status: Status) {
    let checks = checks.iter().map(|check| (id(check), Record::new(ago(60)))).collect();
    bed.put(&Key::status(), &Status { checks, ..status }.to_json(), &Metadata::new());
}

fn put_mark(bed: &Bed, mark: &Mark) {
    bed.put(&Key::mark(), &mark.to_json(), &Metadata::new());
}

fn put_all_of(bed: &Bed, check: &str) {
    let id = id(check);
    for key in [Key::pulse(&id), Key::echo(&id), Key::fault(&id), Key::mute(&id)] {
        bed.put(&key, b"{}", &Metadata::new());
    }
}

fn mute_of(bed: &Bed, check: &str) -> Mute {
    Mute::from_json(&bed.store().get(&Key::mute(&id(check)), 1024).unwrap().body.unwrap()).unwrap()
}

#[track_caller]
fn assert_said(ended: &Ended, what: &str) {
    assert!(ended.code == 0 && ended.stdout.contains(what), "expected {what:?}: {ended:#?}");
    assert_eq!(ended.stderr, "");
}

#[track_caller]
fn assert_failed(ended: &Ended, code: i32, what: &str) {
    assert!(ended.code == code && ended.complaint().contains(what), "expected {code} and {what:?}: {ended:#?}");
}

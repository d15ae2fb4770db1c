//! A `status.json` that is missing or must not be used, and channels that take nothing: what people hear of it.

use std::time::Instant;

use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::{Fact, Status};
use pulse_echo_core::store::Condition;
use pulse_echo_lambda::channel::Channel;
use pulse_echo_lambda::error::Kind;
use pulse_echo_lambda::outbox::entry::{Entry, Outcome, What};
use pulse_echo_testkit::fleet::{Fleet, time, word};
use pulse_echo_testkit::wire::Hook;
use serde_json::json;

/// A channel with another name.
struct Named(&'static str, Hook);

impl Channel for Named {
    fn name(&self) -> &'static str {
        self.0
    }

    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome {
        self.1.send(entries, deadline)
    }
}

/// What each of two channels heard since the last call, as words.
fn heard(hooks: &[&Hook]) -> Vec<Vec<String>> {
    let words = |hook: &&Hook| {
        let told = std::mem::take(&mut *hook.told.lock().unwrap());
        told.iter().map(|entry| word(&entry.what)).collect()
    };
    hooks.iter().map(words).collect()
}

fn vain() -> Outcome {
    Outcome::NotTaken { taken: 0, after: None, why: "status 500".into() }
}

#[test]
fn a_newer_status_is_told_once_over_each_channel_and_stays_as_it_is() {
    let fleet = Fleet::new();
    fleet.pulse("web-1").echo("web-1").at(60).sweep().unwrap();
    let (one, other) = (Hook::default(), Hook::default());
    let channels: [Box<dyn Channel>; 2] =
        [Box::new(Named("one", one.clone())), Box::new(Named("other", other.clone()))];
    let sweep = |second: i64| {
        fleet.at(second);
        fleet.invoke_over(&channels, &json!({}), fleet.time)
    };
    fleet.put(&Key::status(), b"{\"version\":2}");
    *other.answer.lock().unwrap() = Some(vain());
    for second in [120, 180] {
        assert_eq!(sweep(second).unwrap_err().kind, Kind::StatusNewer, "{second}");
    }
    // Who took it is told no more; who did not is tried in each sweep.
    assert_eq!(heard(&[&one, &other]), [vec!["status-unusable".to_string()], vec![]]);
    assert_eq!(other.attempts.load(std::sync::atomic::Ordering::SeqCst), 2);
    *other.answer.lock().unwrap() = None;
    sweep(240).unwrap_err();
    sweep(300).unwrap_err();
    assert_eq!(heard(&[&one, &other]), [vec![], vec!["status-unusable".to_string()]]);
    let told = fleet.mark().told.unwrap();
    assert_eq!(told.channels, ["one".to_string(), "other".to_string()].into());
    assert_eq!(fleet.store().get(&Key::status(), 99).unwrap().body.unwrap(), b"{\"version\":2}");

    // Another one is another trouble.
    fleet.put(&Key::status(), b"{\"version\":3}");
    sweep(360).unwrap_err();
    assert_eq!(heard(&[&one, &other]), [vec!["status-unusable".to_string()], vec!["status-unusable".to_string()]]);
    // Mended, all goes on.
    fleet.put(&Key::status(), &Status::new(time(60)).to_json());
    sweep(420).unwrap();
    assert_eq!(fleet.mark().swept, Some(time(420)));
}

#[test]
fn the_chain_of_ticks_goes_on_though_the_status_must_not_be_used() {
    let mut fleet = Fleet::new();
    let sqs = fleet.with_queue();
    fleet.at(10).put(&Key::loop_start(), b"");
    fleet.invoke(&pulse_echo_testkit::fleet::put_event(&Key::loop_start())).unwrap();
    fleet.at(20).batch(&sqs).unwrap().unwrap();
    let tick = fleet.mark().tick.unwrap();
    fleet.put(&Key::status(), b"{\"version\":2}");
    for n in 1..=3 {
        fleet.at(20 + 60 * n);
        assert!(fleet.batch(&sqs).is_some(), "a tick comes");
    }
    assert_eq!(fleet.mark().tick, Some(tick + 3));
    assert_eq!(fleet.words(), ["status-unusable"]);
}

#[test]
fn a_status_that_is_gone_is_told_if_the_mark_knows_of_sweeps() {
    let fleet = Fleet::new();
    fleet.pulse("web-1").echo("web-1").at(60).sweep().unwrap();
    assert_eq!(fleet.words(), [""; 0], "a new deployment has none");
    fleet.remove(&Key::status());
    fleet.at(120).sweep().unwrap();
    let told = fleet.told();
    assert!(matches!(told[..], [What::Fact(Fact::StatusMissing { swept })] if swept == time(60)), "{told:?}");
    fleet.at(180).sweep().unwrap();
    assert_eq!(fleet.words(), [""; 0], "once");
}

#[test]
fn a_status_that_begins_anew_does_not_tell_all_checks_as_new() {
    let mut fleet = Fleet::new();
    fleet.rules.tell_new = true;
    fleet.pulse("web-1").echo("web-1").at(60).sweep().unwrap();
    assert_eq!(fleet.words(), ["new web-1"]);
    fleet.remove(&Key::status());
    fleet.at(120).sweep().unwrap();
    let told = fleet.told();
    assert!(matches!(told[..], [What::Fact(Fact::StatusMissing { .. })]), "{told:?}");
    fleet.put(&Key::status(), b"{");
    fleet.at(180).sweep().unwrap();
    let told = fleet.told();
    assert!(matches!(told[..], [What::Fact(Fact::StatusUnreadable { .. })]), "{told:?}");
    fleet.pulse("web-2").at(240).sweep().unwrap();
    assert_eq!(fleet.words(), ["new web-2"]);
}

#[test]
fn the_mark_names_the_loops_channels_also_when_there_is_none() {
    let fleet = Fleet::new();
    fleet.at(60).sweep().unwrap();
    assert_eq!(fleet.mark().channels, Some(["hook".to_string()].into()));
    // A test message is asked for, and nobody is there to take it.
    fleet.store().put(&Key::loop_test(), "text/plain", b"", &Metadata::new(), &Condition::Always).unwrap();
    fleet.at(70);
    fleet.invoke_over(&[], &pulse_echo_testkit::fleet::put_event(&Key::loop_test()), fleet.time).unwrap();
    assert_eq!(fleet.mark().channels, Some([].into()));
}

#[test]
fn a_channel_that_takes_nothing_is_told_over_the_other_and_so_is_its_end() {
    let fleet = Fleet::new();
    let (one, other) = (Hook::default(), Hook::default());
    let channels: [Box<dyn Channel>; 2] =
        [Box::new(Named("one", one.clone())), Box::new(Named("other", other.clone()))];
    let sweeps = |from: i64, to: i64| {
        for second in (from..=to).step_by(60) {
            fleet.at(second);
            fleet.invoke_over(&channels, &json!({}), fleet.time).unwrap();
        }
    };
    fleet.pulse("web-1").at(1).fault("web-1", 0);
    *other.answer.lock().unwrap() = Some(vain());
    sweeps(60, 900);
    assert_eq!(heard(&[&one, &other]), [vec!["failing web-1".to_string()], vec![]]);
    sweeps(960, 1_080);
    let words = heard(&[&one, &other]);
    assert_eq!(words[0].iter().filter(|word| *word == "channel-fails").count(), 1, "{words:?}");
    *other.answer.lock().unwrap() = None;
    sweeps(1_140, 2_400);
    let words = heard(&[&one, &other]);
    assert!(words[0].contains(&"channel-works".to_string()), "{words:?}");
    assert!(words[1].iter().any(|word| word.ends_with(" web-1")), "{words:?}");
    assert!(fleet.status().channels.is_empty());
}

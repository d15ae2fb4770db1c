//! An outage that somebody acknowledges, on a real store: what lies there, what is told, and what people see.

use pulse_echo_core::mute::Ack;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::{Acknowledged, Fact};
use pulse_echo_lambda::outbox::entry::What;
use pulse_echo_testkit::fleet::{Fleet, time};
use pulse_echo_testkit::store::id;

const NOTHING: [&str; 0] = [];

/// A fleet of two checks that are told down, with a reminder each five minutes.
fn down() -> Fleet {
    let mut fleet = Fleet::new();
    (fleet.rules.remind_s, fleet.rules.status_page) = (300, true);
    fleet.at(0).pulse("web-1").fault("web-1", 0).pulse("web-2").fault("web-2", 0);
    fleet.at(60).sweep().unwrap();
    assert_eq!(fleet.words(), ["failing web-1", "failing web-2"]);
    fleet
}

/// Acknowledges the outage of `web-1` that began then.
fn ack(fleet: &Fleet, outage: i64) {
    let (by, reason) = (Some("alice@ops-1".into()), Some("disk ordered".into()));
    fleet.put(&Key::ack(&id("web-1")), &Ack { outage: Some(time(outage)), reason, by }.to_json());
}

fn page(fleet: &Fleet) -> String {
    String::from_utf8(fleet.store().get(&Key::page(), 1 << 21).unwrap().body.unwrap()).unwrap()
}

#[test]
fn no_reminders_come_of_it_others_do_and_its_end_says_who_took_care_and_why() {
    let fleet = down();
    ack(fleet.at(70), 0);
    fleet.sweep_until(480);
    assert_eq!(fleet.words(), ["still-down web-2"]);
    let status = fleet.status();
    let word = Acknowledged { by: Some("alice@ops-1".into()), reason: Some("disk ordered".into()) };
    assert_eq!((status.acks[&id("web-1")].outage, &status.acks[&id("web-1")].word), (Some(time(0)), &word));
    assert!(page(&fleet).contains("acknowledged by alice@ops-1 (disk ordered)"), "{}", page(&fleet));
    assert_eq!(fleet.wire.count("web-1.ack"), 1, "it is read once");

    fleet.at(490).pulse("web-1").echo("web-1").at(540).sweep().unwrap();
    let told = fleet.told();
    let [What::Fact(Fact::Up { ack, .. })] = &told[..] else { panic!("{told:?}") };
    assert_eq!(ack.as_ref(), Some(&word));
    assert!(!page(&fleet).contains("acknowledged"), "{}", page(&fleet));
}

#[test]
fn with_its_outage_it_is_void_and_of_the_next_there_are_reminders_again() {
    let fleet = down();
    ack(fleet.at(70), 0);
    fleet.sweep_until(120);
    fleet.pulse("web-1").echo("web-1").at(180).sweep().unwrap();
    fleet.at(190).pulse("web-1").fault("web-1", 190).pulse("web-2").echo("web-2").at(240).sweep().unwrap();
    assert_eq!(fleet.words(), ["up web-1", "failing web-1", "up web-2"]);
    fleet.sweep_until(600);
    assert_eq!(fleet.words(), ["still-down web-1"]);
}

#[test]
fn taken_back_it_reminds_again_and_one_that_says_nothing_acknowledges_nothing() {
    let fleet = down();
    ack(fleet.at(70), 0);
    fleet.sweep_until(480);
    assert_eq!(fleet.words(), ["still-down web-2"]);
    fleet.remove(&Key::ack(&id("web-1")));
    fleet.at(540).sweep().unwrap();
    assert_eq!((fleet.words(), fleet.status().acks.len()), (vec!["still-down web-1".to_string()], 0));

    for body in ["", "yes", "{\"by\": \"alice\"}", "{\"outage\": \"soon\"}"] {
        let fleet = down();
        fleet.at(70).put(&Key::ack(&id("web-1")), body.as_bytes());
        fleet.sweep_until(480);
        assert_eq!(fleet.words(), ["still-down web-1", "still-down web-2"], "{body}");
        assert_eq!(fleet.wire.count("web-1.ack"), 1, "{body}: it is read once all the same");
    }
}

#[test]
fn one_that_cannot_be_read_yet_is_read_in_a_later_sweep_and_mutes_nothing() {
    let fleet = down();
    ack(fleet.at(70), 0);
    *fleet.wire.fails.lock().unwrap() = Some("web-1.ack");
    fleet.at(120).sweep().unwrap();
    assert_eq!((fleet.words(), fleet.status().acks.len()), (vec![], 0));
    *fleet.wire.fails.lock().unwrap() = None;
    fleet.sweep_until(480);
    assert_eq!(fleet.words(), ["still-down web-2"]);
    assert!(fleet.status().mutes.is_empty(), "{:?}", fleet.status().mutes);
    assert_eq!(fleet.words(), NOTHING);
}

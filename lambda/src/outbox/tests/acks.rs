//! What is told of an outage that somebody acknowledged.

use pulse_echo_core::status::Acknowledged;

use super::*;

const HOUR: i64 = 3_600;

fn ack(since: i64) -> Acked {
    let word = Acknowledged { by: Some("alice@ops".into()), reason: Some("new disks".into()) };
    Acked { etag: "a".into(), at: at(since + 60), outage: Some(at(since)), word }
}

#[test]
fn of_an_acknowledged_outage_there_are_no_reminders_but_a_new_cause_and_the_end_with_who_and_why() {
    let mut story = Story::new();
    assert_eq!(kinds(&story.sweep(0, failing(0, Some(Cause::Dns)))), ["down"]);
    story.ack = Some(ack(0));
    for hour in 1..100 {
        assert_eq!(story.sweep(hour * HOUR, failing(0, Some(Cause::Dns))), [], "hour {hour}");
    }
    assert_eq!(kinds(&story.sweep(100 * HOUR, failing(0, Some(Cause::Status)))), ["changed"]);
    assert_eq!(kinds(&story.sweep(101 * HOUR, down(State::Silent, 0))), ["changed"]);
    let told = story.sweep(102 * HOUR, up(102 * HOUR));
    let [Fact::Up { ack: Some(word), .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*word, ack(0).word);
}

#[test]
fn once_the_acknowledgement_is_taken_back_the_reminder_that_is_due_is_told() {
    let mut story = Story::new();
    story.sweep(0, down(State::Silent, 0));
    story.ack = Some(ack(0));
    assert_eq!(story.sweep(5 * HOUR, down(State::Silent, 0)), []);
    story.ack = None;
    assert_eq!(kinds(&story.sweep(5 * HOUR + 60, down(State::Silent, 0))), ["still"]);
    assert_eq!(story.sweep(5 * HOUR + 120, down(State::Silent, 0)), []);
    let told = story.sweep(6 * HOUR, up(6 * HOUR));
    assert!(matches!(told[..], [Fact::Up { ack: None, .. }]), "{told:?}");
}

#[test]
fn an_end_that_is_held_still_says_who_acknowledged_the_outage() {
    let mut story = Story::new();
    story.sweep(0, failing(0, Some(Cause::Dns)));
    (story.ack, story.is_held) = (Some(ack(0)), true);
    assert_eq!(story.sweep(60, up(50)), []);
    (story.ack, story.is_held) = (None, false);
    let told = story.sweep(960, up(50));
    assert!(matches!(&told[..], [Fact::Up { ack: Some(_), .. }]), "{told:?}");
}

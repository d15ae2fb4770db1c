//! What is told of one check, and when.

use super::*;

#[test]
fn an_outage_is_told_once_with_what_was_seen_and_its_end_with_how_long() {
    let mut story = Story::new();
    assert_eq!(story.sweep(2, up(1)), []);
    let told = story.sweep(702, failing(700, Some(Cause::Status)));
    let [Fact::Down(down)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((down.since, down.state, down.cause), (at(700), State::Failing, Some(Cause::Status)));
    assert_eq!((down.reason.as_deref(), down.limit_s, down.echo), (Some("status it is"), Some(900), Some(at(0))));
    assert_eq!(story.sweep(762, failing(700, Some(Cause::Status))), []);
    let told = story.sweep(822, up(800));
    let (cause, reason) = (Some(Cause::Status), Some("status it is".into()));
    let (check, since, until, was) = (id("web-1"), at(700), at(800), State::Failing);
    assert_eq!(told, [Fact::Up { check, since, until, was, cause, reason, steady: None, still: None, ack: None }]);
    assert_eq!(story.sweep(882, up(800)), []);
}

#[test]
fn reminders_come_after_four_hours_then_twice_as_late_up_to_a_day() {
    let mut story = Story::new();
    story.sweep(0, down(State::Silent, 0));
    let mut hours = Vec::new();
    for minute in 1..=(5 * 24 * 60) {
        let told = story.sweep(60 * minute, down(State::Silent, 0));
        if !told.is_empty() {
            assert_eq!(kinds(&told), ["still"]);
            hours.push(minute / 60);
        }
    }
    assert_eq!(hours, [4, 12, 28, 52, 76, 100]);
    let mut seldom = Story::new();
    seldom.rules.remind_s = 2 * 86_400;
    seldom.sweep(0, down(State::Silent, 0));
    for (day, told) in [(1, 0), (2, 1), (3, 0), (4, 1)] {
        assert_eq!(seldom.sweep(86_400 * day, down(State::Silent, 0)).len(), told, "day {day}");
    }
}

#[test]
fn a_new_cause_is_told_at_once_and_each_only_once() {
    let mut story = Story::new();
    let mut told = |second, record| kinds(&story.sweep(second, record)).join(" ");
    assert_eq!(told(0, failing(0, Some(Cause::Status))), "down");
    assert_eq!(told(60, failing(0, Some(Cause::Dns))), "changed");
    assert_eq!(told(120, failing(0, Some(Cause::Status))), "", "it was told before");
    assert_eq!(told(180, down(State::Silent, 0)), "changed");
    assert_eq!(told(240, down(State::Unanswered, 0)), "", "that is about us");
    assert_eq!(told(300, down(State::Silent, 0)), "");
}

#[test]
fn that_a_silent_check_sends_again_and_still_fails_is_told_once_and_a_silence_after_it_too() {
    let mut story = Story::new();
    let mut told = |second, record| {
        let told = story.sweep(second, record);
        let back = told.iter().any(|fact| matches!(fact, Fact::StillDown { changed: true, back: true, .. }));
        if back { "back".into() } else { kinds(&told).join(" ") }
    };
    assert_eq!(told(0, failing(0, Some(Cause::Status))), "down");
    assert_eq!(told(60, down(State::Silent, 0)), "changed");
    assert_eq!(told(120, failing(0, Some(Cause::Status))), "back", "though this cause was told before");
    assert_eq!(told(180, failing(0, Some(Cause::Status))), "");
    assert_eq!(told(240, down(State::Silent, 0)), "changed", "it is silent again");
    assert_eq!(told(300, failing(0, Some(Cause::Status))), "", "enough of that");
    assert_eq!(told(360, down(State::Silent, 0)), "");
    let mut story = Story::new();
    story.sweep(0, down(State::Silent, 0));
    let told = story.sweep(60, failing(0, None));
    assert!(matches!(told[..], [Fact::StillDown { back: true, .. }]), "a fault that cannot be read, too: {told:?}");
    assert_eq!(kinds(&story.sweep(120, down(State::Silent, 0))), ["changed"]);
}

#[test]
fn an_outage_that_began_in_another_state_says_both_times() {
    let mut story = Story::new();
    let mut silent = down(State::Silent, 300);
    silent.outage.as_mut().unwrap().since = at(0);
    silent.history = vec![
        pulse_echo_core::status::Change { at: at(0), state: State::Failing, cause: None },
        pulse_echo_core::status::Change { at: at(300), state: State::Silent, cause: None },
    ];
    let told = story.sweep(360, silent.clone());
    let [Fact::Down(down)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((down.since, down.state_since, down.began), (at(0), Some(at(300)), Some(State::Failing)));
    silent.outage.as_mut().unwrap().since = at(300);
    let told = Story::new().sweep(360, silent);
    let [Fact::Down(down)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((down.since, down.state_since, down.began), (at(300), None, None));
}

#[test]
fn a_cause_that_is_read_later_is_no_new_one() {
    let mut story = Story::new();
    assert_eq!(kinds(&story.sweep(0, failing(0, None))), ["down"]);
    assert_eq!(story.sweep(60, failing(0, Some(Cause::Dns))), []);
    assert_eq!(kinds(&story.sweep(120, failing(0, Some(Cause::Tls)))), ["changed"]);
}

#[test]
fn an_outage_within_a_mute_is_never_told() {
    let mut story = Story::new();
    story.is_muted = true;
    assert_eq!(story.sweep(0, down(State::Silent, 0)), []);
    assert_eq!(story.sweep(20_000, down(State::Silent, 0)), [], "nor is it told again");
    assert_eq!(story.sweep(20_060, up(20_050)), []);
    story.is_muted = false;
    assert_eq!(story.sweep(20_120, up(20_050)), []);
}

#[test]
fn an_outage_that_outlasts_its_mute_is_told_then() {
    let mut story = Story::new();
    story.is_muted = true;
    story.sweep(0, down(State::Silent, 0));
    story.is_muted = false;
    let told = story.sweep(60, down(State::Silent, 0));
    assert!(matches!(&told[..], [Fact::Down(down)] if down.since == at(0)), "{told:?}");
    assert_eq!(kinds(&story.sweep(120, up(110))), ["up"]);
}

#[test]
fn gone_closes_a_told_outage_and_is_told_once() {
    let gone = |second| Record { state: State::Gone, since: at(second), ..Record::new(at(0)) };
    let mut story = Story::new();
    story.sweep(0, down(State::Silent, 0));
    let told = story.sweep(60, Record { retired: true, ..gone(60) });
    assert_eq!(told, [Fact::Gone { check: id("web-1"), pulse: at(0), since: Some(at(0)), retired: true }]);
    assert_eq!(story.sweep(120, gone(60)), []);
    // Muted: told only if it ends what was told.
    for (before, told) in [(up(0), 0), (down(State::Silent, 0), 0)] {
        let mut story = Story::new();
        story.is_muted = true;
        story.sweep(0, before);
        assert_eq!(story.sweep(60, gone(60)).len(), told);
    }
}

#[test]
fn a_new_check_is_told_only_if_that_is_asked_for_and_again_if_it_was_gone() {
    let gone = |second| Record { state: State::Gone, since: at(second), ..Record::new(at(0)) };
    for (tell_new, told) in [(false, 0), (true, 1)] {
        let mut story = Story::new();
        story.rules.tell_new = tell_new;
        assert_eq!(story.sweep(0, Record::new(at(0))).len(), told);
        assert_eq!(story.sweep(60, up(50)), []);
        story.sweep(120, gone(120));
        assert_eq!(story.sweep(180, Record::new(at(170))).len(), told);
    }
    let mut story = Story { is_muted: true, ..Story::new() };
    story.rules.tell_new = true;
    assert_eq!(story.sweep(0, Record::new(at(0))), []);
}

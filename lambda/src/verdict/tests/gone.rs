//! Checks without a pulse: retired, gone, vanished; and times in which nothing was swept.

use super::*;

impl Check {
    fn without_pulse(mut self) -> Self {
        self.observation.pulse = None;
        self
    }
}

#[test]
fn with_a_note_that_is_not_older_a_missing_pulse_is_gone_on_purpose_in_that_very_sweep() {
    for (note, state) in [(-1, State::Up), (0, State::Gone), (1, State::Gone), (40, State::Gone)] {
        for with_many in [false, true] {
            let mut check = Check::up().without_pulse();
            check.observation.retired = Some(at(note));
            check.with_many = with_many;
            assert_eq!(check.sweep(60), state, "{note}");
            assert_eq!(check.record().retired, state == State::Gone);
        }
    }
    let mut old = Check::up().without_pulse();
    old.observation.retired = Some(at(0));
    assert_eq!(old.sweep(20 * 86_400), State::Gone, "however old the note");
}

#[test]
fn a_note_that_comes_after_a_check_has_vanished_explains_it() {
    let mut check = Check::up().without_pulse();
    check.with_many = true;
    check.sweep(60);
    assert_eq!(check.sweep(120), State::Up);
    check.observation.retired = Some(at(130));
    assert_eq!((check.sweep(180), check.record().retired), (State::Gone, true));
}

#[test]
fn a_newer_pulse_voids_the_note() {
    let mut check = Check::up();
    check.observation.retired = Some(at(100));
    assert_eq!(check.sweep(120), State::Up, "a note alone retires nothing");
    check.pulse(600);
    check.echo(601);
    check.sweep(602);
    let mut check = check.without_pulse();
    assert_eq!(check.sweep(660), State::Up, "the first sweep without it");
    assert_eq!((check.sweep(720), check.record().retired), (State::Gone, false));
    check.pulse(800);
    assert_eq!((check.sweep(801), check.record().retired), (State::New, false));
}

#[test]
fn gone_is_no_pulse_in_two_sweeps_in_a_row_and_forgotten_a_day_later() {
    let mut check = Check::silent();
    check.observation.pulse = None;
    assert_eq!(check.sweep(1_000), State::Silent);
    check.pulse(1_010);
    assert_eq!(check.sweep(1_060), State::Silent);
    check.observation.pulse = None;
    assert_eq!(check.sweep(1_120), State::Silent);
    assert_eq!(check.sweep(1_180), State::Gone);
    assert_eq!((check.record().since, &check.record().outage), (at(1_180), &None));
    assert_eq!(check.sweep(1_180 + 86_399), State::Gone);
    let context = Context { now: at(1_180 + 86_400), rules: &check.rules, gaps: &[], with_many: false };
    assert_eq!(judge(check.record.as_ref(), &check.observation, &context), None);
}

#[test]
fn who_comes_back_after_having_been_gone_is_new_but_for_the_history() {
    let mut check = Check::silent();
    check.observation.pulse = None;
    check.sweep(1_000);
    check.sweep(1_060);
    check.pulse(2_000);
    assert_eq!(check.sweep(2_001), State::New, "the old echo does not count");
    let states: Vec<_> = check.record().history.iter().map(|change| change.state).collect();
    assert_eq!(states, [State::Silent, State::Gone, State::New]);
    check.echo(2_001);
    assert_eq!(check.sweep(2_002), State::Up);
}

#[test]
fn who_vanishes_with_many_is_judged_by_the_last_pulse_and_gone_after_a_day() {
    let mut check = Check::up();
    check.echo(301);
    check.observation.pulse = None;
    check.sweep(310);
    check.with_many = true;
    assert_eq!(check.sweep(370), State::Up);
    check.with_many = false;
    assert_eq!(check.sweep(1_201), State::Up, "the echo tells that there was a pulse after the last that was written");
    assert_eq!(check.sweep(1_202), State::Silent);
    assert_eq!(check.sweep(310 + 86_399), State::Silent);
    assert_eq!(check.sweep(310 + 86_400), State::Gone);
}

#[test]
fn who_vanished_and_never_was_answered_is_not_unanswered() {
    let mut check = Check::with_pulse(0);
    check.sweep(1);
    check.observation.pulse = None;
    check.with_many = true;
    for second in [60, 120, 400, 900] {
        assert_eq!(check.sweep(second), State::New);
    }
    assert_eq!(check.sweep(901), State::Silent);
}

#[test]
fn a_gap_spares_who_was_due_in_it_until_the_interval_is_over_once_more() {
    let gap = Gap { from: at(500), until: at(2_000) };
    for (due_before, spared) in [(500, true), (499, false)] {
        let mut check = Check::up();
        check.pulse(due_before - 600);
        check.observation.echo = Some(at(due_before - 599));
        check.gaps = vec![gap];
        check.sweep(2_001);
        assert_eq!(check.record().state == State::Silent, !spared, "due at {due_before}");
    }
    // By a clock that was set forward a pulse may be due after the gap. One that came since then speaks for itself.
    let gap_ends_soon = Gap { from: at(500), until: at(802) };
    for (pulse, spared) in [(500, true), (501, false)] {
        let mut check = Check::up();
        check.pulse(pulse);
        check.observation.echo = Some(at(pulse + 1));
        check.gaps = vec![gap_ends_soon];
        check.sweep(1_402);
        assert_eq!(check.record().state == State::Silent, !spared, "a pulse at {pulse}");
    }
    let mut check = Check::up();
    check.gaps = vec![gap];
    assert_eq!(check.sweep(2_600), State::Up);
    assert_eq!(check.sweep(2_601), State::Silent);
    let mut check = Check::silent();
    check.gaps = vec![gap];
    assert_eq!(check.sweep(2_001), State::Silent, "who was silent before stays so");
}

#[test]
fn the_history_keeps_the_last_ten_changes() {
    let mut check = Check::up();
    for round in 1..10 {
        check.pulse(1_000 * round);
        check.fault(1_000 * round + 1, 1_000 * round);
        check.sweep(1_000 * round + 2);
        check.echo(1_000 * round + 3);
        check.sweep(1_000 * round + 4);
    }
    assert_eq!(check.record().history.len(), HISTORY);
    assert_eq!(check.record().history.last().unwrap().at, at(9_003));
}

#[test]
fn what_comes_from_the_future_is_of_now() {
    let mut check = Check::with_pulse(86_400);
    check.echo(86_400);
    assert_eq!(check.sweep(0), State::Up);
}

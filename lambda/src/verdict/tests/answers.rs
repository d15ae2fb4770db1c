//! Which answer counts: late ones, none, and faults that cannot be read.

use super::*;

#[test]
fn unanswered_is_five_minutes_after_the_first_pulse_that_went_unanswered() {
    let mut check = Check::up();
    for second in [100, 200, 300] {
        check.pulse(second);
        assert_eq!(check.sweep(second + 1), State::Up);
    }
    assert_eq!(check.sweep(400), State::Up);
    assert_eq!(check.sweep(401), State::Unanswered);
    assert_eq!(check.record().since, at(400));
    assert!(check.record().outage.is_none(), "it says nothing of the check");
}

#[test]
fn an_answer_as_new_as_the_first_unanswered_pulse_begins_the_count_anew() {
    for echo in [100, 130] {
        let mut check = Check::up();
        check.pulse(100);
        check.sweep(101);
        check.pulse(160);
        check.echo(echo);
        check.sweep(161);
        check.sweep(401);
        assert_eq!(check.sweep(460), State::Up, "an echo at {echo}");
        assert_eq!(check.sweep(461), State::Unanswered);
    }
}

#[test]
fn a_host_that_sends_faster_than_its_slow_service_answers_is_not_unanswered() {
    let mut check = Check::up();
    for minute in 1..30 {
        check.pulse(60 * minute);
        assert_eq!(check.sweep(60 * minute + 1), State::Up);
        check.echo(60 * minute + 59);
    }
}

#[test]
fn a_slow_probe_of_an_older_pulse_says_nothing_against_the_newest_ones_echo() {
    let mut check = Check::up();
    check.pulse(600);
    check.echo(601);
    check.fault(660, 0);
    assert_eq!(check.sweep(661), State::Up);
    check.fault(662, 600);
    assert_eq!(check.sweep(663), State::Failing, "one of the same pulse does");
    let mut check = Check::up();
    check.pulse(600);
    check.fault(660, 0);
    assert_eq!(check.sweep(661), State::Failing, "and so does one where no newer pulse has an echo");
}

#[test]
fn a_slow_probes_fault_is_ignored_in_step_with_the_sweeps_too() {
    let mut check = Check::up();
    check.pulse(600);
    check.sweep(600);
    check.echo(601);
    check.fault(660, 0);
    check.pulse(1_200);
    assert_eq!(check.sweep(1_201), State::Up, "the echo answers a newer pulse than the fault");
}

#[test]
fn a_fault_counts_once_it_is_read_or_in_the_sweep_after() {
    let mut check = Check::up();
    check.pulse(600);
    check.sweep(600);
    check.unread_fault(601);
    check.pulse(1_200);
    assert!(check.observation.wants_fault(check.record.as_ref()));
    assert_eq!(check.sweep(1_201), State::Up, "unread");
    assert_eq!(check.sweep(1_202), State::Failing, "still unread");
    assert_eq!((check.record().in_row, check.record().cause()), (1, None));
    let before = check.record().clone();
    assert!(check.observation.wants_fault(check.record.as_ref()), "its cause is still worth a look");
    assert_eq!(check.sweep(1_203), State::Failing);
    assert_eq!(check.record(), &before, "and it changes nothing more");
    check.fault(601, 600);
    assert_eq!(check.sweep(1_204), State::Failing);
    assert_eq!((check.record().in_row, check.record().cause()), (1, Some(Cause::Status)));
    assert!(!check.observation.wants_fault(check.record.as_ref()));
}

#[test]
fn faults_that_never_can_be_read_are_told_though_each_replaces_the_last() {
    let mut check = Check::up();
    for (second, state) in [(600, State::Up), (1_200, State::Failing), (1_800, State::Failing)] {
        check.pulse(second);
        check.unread_fault(second + 1);
        assert_eq!(check.sweep(second + 2), state, "{second}");
    }
}

#[test]
fn a_fault_that_an_echo_has_overtaken_needs_no_look() {
    for (fault, echo) in [(1, 2), (2, 2)] {
        let mut check = Check::with_pulse(0);
        check.unread_fault(fault);
        check.echo(echo);
        assert!(!check.observation.wants_fault(None));
        assert_eq!(check.sweep(3), State::Up);
        assert_eq!((check.record().unread, &check.record().fault), (None, &None));
    }
}

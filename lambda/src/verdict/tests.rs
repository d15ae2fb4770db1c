mod answers;
mod gone;
mod of_all;

use pulse_echo_core::answer::Cause;

use super::*;

/// A time, in seconds after some moment.
fn at(second: i64) -> Time {
    Time::from_second(1_795_248_000 + second)
}

/// A check, and what the store holds of it.
struct Check {
    record: Option<Record>,
    observation: Observation,
    rules: Rules,
    gaps: Vec<Gap>,
    with_many: bool,
}

impl Check {
    /// A new check. Its pulse promises the next within 600 s, and the next may be 300 s late.
    fn with_pulse(second: i64) -> Self {
        let observation = Observation::default();
        let mut check = Self { record: None, observation, rules: Rules::default(), gaps: vec![], with_many: false };
        check.pulse(second);
        check.observation.limits = Some(Limits { etag: "p".into(), every_s: 600, limit_s: 900, faults_in_row: None });
        check
    }

    fn up() -> Self {
        let mut check = Self::with_pulse(0);
        check.echo(1);
        assert_eq!(check.sweep(2), State::Up);
        check
    }

    fn failing() -> Self {
        let mut check = Self::with_pulse(0);
        check.fault(1, 0);
        assert_eq!(check.sweep(2), State::Failing);
        check
    }

    fn silent() -> Self {
        let mut check = Self::up();
        assert_eq!(check.sweep(901), State::Silent);
        check
    }

    fn unanswered() -> Self {
        let mut check = Self::with_pulse(0);
        check.sweep(1);
        assert_eq!(check.sweep(301), State::Unanswered);
        check
    }

    fn pulse(&mut self, second: i64) {
        self.observation.pulse = Some(Listed { at: at(second), etag: "p".into() });
    }

    fn echo(&mut self, second: i64) {
        self.observation.echo = Some(at(second));
    }

    /// Adds a fault that answers the pulse of `pulse` and is read.
    fn fault(&mut self, second: i64, pulse: i64) {
        self.unread_fault(second);
        let fault = answer::Fault::new(Cause::Status, "status 500, expected 200", at(pulse));
        self.observation.fault_read = Some(Box::new(answer::Fault { status: Some(500), ..fault }));
    }

    fn unread_fault(&mut self, second: i64) {
        self.observation.fault = Some(Listed { at: at(second), etag: format!("f{second}").into() });
        self.observation.fault_read = None;
    }

    /// Adds a pulse with another body that was not read yet.
    fn unread_pulse(&mut self, second: i64) {
        self.observation.pulse = Some(Listed { at: at(second), etag: "q".into() });
        self.observation.limits = None;
    }

    fn sweep(&mut self, second: i64) -> State {
        let (rules, gaps) = (&self.rules, &self.gaps[..]);
        let context = Context { now: at(second), rules, gaps, with_many: self.with_many };
        self.record = judge(self.record.as_ref(), &self.observation, &context);
        self.record.as_ref().expect("it has a record").state
    }

    fn record(&self) -> &Record {
        self.record.as_ref().expect("it has a record")
    }
}

#[test]
fn silent_is_past_the_limit_not_at_it() {
    for mut check in [Check::up(), Check::failing(), Check::with_pulse(0)] {
        check.echo(1);
        assert_ne!(check.sweep(900), State::Silent);
        assert_eq!(check.sweep(901), State::Silent);
        assert_eq!(check.record().since, at(900), "since the limit, whenever the sweep came");
    }
    let mut unanswered = Check::unanswered();
    assert_eq!(unanswered.sweep(900), State::Unanswered);
    assert_eq!(unanswered.sweep(901), State::Silent);
}

#[test]
fn what_is_late_is_not_recorded() {
    let mut check = Check::up();
    assert_eq!(check.sweep(601), State::Up);
    assert!(check.record().is_late(at(601)));
    assert_eq!((check.record().outage.as_ref(), &check.record().history[..]), (None, &[][..]));
}

#[test]
fn the_newest_answer_decides_and_a_tie_is_an_echo() {
    for (echo, fault, state) in
        [(10, 9, State::Up), (10, 10, State::Up), (10, 11, State::Failing), (0, 0, State::Up), (-1, 0, State::Failing)]
    {
        let mut check = Check::with_pulse(0);
        check.echo(echo);
        check.fault(fault, 0);
        assert_eq!(check.sweep(20), state, "echo {echo}, fault {fault}");
    }
}

#[test]
fn an_echo_of_the_second_of_a_fault_that_was_told_ends_its_outage() {
    let mut check = Check::failing();
    check.echo(1);
    assert_eq!(check.sweep(60), State::Up);
    assert_eq!((check.record().since, &check.record().outage), (at(1), &None));
}

#[test]
fn an_answer_of_the_pulses_second_answers_it_and_one_of_the_second_before_does_not() {
    for (answer, answers) in [(100, true), (99, false)] {
        let mut check = Check::with_pulse(100);
        check.echo(answer);
        assert_eq!(check.sweep(101), if answers { State::Up } else { State::New }, "echo {answer}");
        let mut check = Check::with_pulse(100);
        check.fault(answer, answer);
        assert_eq!(check.sweep(101), if answers { State::Failing } else { State::New }, "fault {answer}");
    }
}

#[test]
fn a_fleet_in_step_with_the_sweeps_is_judged_by_the_answers_to_the_pulses_before() {
    // Each sweep comes after a new pulse, and before its answer.
    let mut check = Check::with_pulse(0);
    assert_eq!(check.sweep(1), State::New);
    check.echo(2);
    check.pulse(600);
    assert_eq!(check.sweep(601), State::Up);
    check.fault(602, 600);
    check.pulse(1_200);
    assert_eq!(check.sweep(1_201), State::Failing);
    check.echo(1_202);
    check.pulse(1_800);
    assert_eq!(check.sweep(1_801), State::Up);
}

#[test]
fn an_answer_that_the_last_sweep_had_seen_does_not_answer_a_newer_pulse() {
    let mut check = Check::failing();
    check.pulse(600);
    assert_eq!(check.sweep(601), State::Failing, "the pulse waits for its answer");
    check.echo(599);
    assert_eq!(check.sweep(602), State::Failing, "an echo before the pulse that the last sweep saw");
    check.echo(602);
    assert_eq!(check.sweep(603), State::Up);
}

#[test]
fn a_pulse_that_waits_for_its_answer_leaves_each_state_as_it_was() {
    for (mut check, state) in [
        (Check::up(), State::Up),
        (Check::failing(), State::Failing),
        (Check::silent(), State::Silent),
        (Check::unanswered(), State::Unanswered),
    ] {
        let before = check.record().since;
        check.pulse(2_000);
        assert_eq!(check.sweep(2_001), state);
        assert_eq!(check.record().since, before, "{state}");
    }
}

#[test]
fn a_check_whose_present_limits_are_unread_is_never_silent() {
    let mut check = Check::up();
    check.unread_pulse(600);
    check.echo(601);
    assert!(check.observation.wants_limits(check.record.as_ref()));
    assert_eq!(check.sweep(100_000), State::Up);
    check.observation.limits = Some(Limits { etag: "q".into(), every_s: 60, limit_s: 60, faults_in_row: None });
    assert_eq!(check.sweep(100_001), State::Silent);
    check.observation.limits = None;
    assert!(!check.observation.wants_limits(check.record.as_ref()));
    assert_eq!(check.sweep(100_002), State::Silent, "they stay read");
}

#[test]
fn who_is_down_comes_up_only_by_an_echo_that_counts() {
    for mut check in [Check::failing(), Check::silent(), Check::unanswered()] {
        let state = check.record().state;
        // A pulse is not an answer, and a fault that has gone is not either.
        check.pulse(2_000);
        check.observation.fault = None;
        assert_eq!(check.sweep(2_001), state);
        check.echo(2_001);
        assert_eq!(check.sweep(2_002), State::Up);
        assert_eq!((check.record().since, &check.record().outage), (at(2_001), &None));
    }
}

#[test]
fn silent_becomes_failing_by_a_fault_and_the_outage_goes_on() {
    let mut check = Check::silent();
    check.pulse(2_000);
    check.fault(2_001, 2_000);
    assert_eq!(check.sweep(2_002), State::Failing);
    assert_eq!(check.record().outage.as_ref().unwrap().since, at(900));
    for second in [2_901, 2_961, 3_021] {
        assert_eq!(check.sweep(second), State::Silent);
    }
    assert_eq!(check.record().outage.as_ref().unwrap().since, at(900));
    let states: Vec<_> = check.record().history.iter().map(|change| (change.at, change.state)).collect();
    assert_eq!(states, [(at(900), State::Silent), (at(2_001), State::Failing), (at(2_900), State::Silent)]);
}

#[test]
fn an_outage_begins_when_enough_distinct_pulses_in_a_row_have_failed() {
    let mut check = Check::up();
    check.rules.faults_in_row = 3;
    let fail = |check: &mut Check, pulse: i64| {
        check.pulse(pulse);
        check.fault(pulse + 1, pulse);
        assert_eq!(check.sweep(pulse + 2), State::Failing);
        check.fault(pulse + 3, pulse);
        assert_eq!(check.sweep(pulse + 4), State::Failing, "a doubled event is no further pulse");
        check.record().outage.as_ref().map(|outage| outage.since)
    };
    assert_eq!((fail(&mut check, 600), fail(&mut check, 1_200)), (None, None));
    // An echo restarts the count, whether a sweep saw it or it came between two sweeps.
    check.echo(1_300);
    assert_eq!(fail(&mut check, 1_800), None);
    assert_eq!(check.record().in_row, 1);
    assert_eq!(fail(&mut check, 2_400), None);
    assert_eq!(fail(&mut check, 3_000), Some(at(601)), "since the first fault: the state never changed");
}

#[test]
fn the_pulses_own_faults_in_row_count_before_the_loops() {
    for (own, loops, outage) in [(Some(2), 1, false), (Some(1), 2, true), (None, 2, false), (None, 1, true)] {
        let mut check = Check::with_pulse(0);
        check.rules.faults_in_row = loops;
        check.observation.limits.as_mut().unwrap().faults_in_row = own;
        check.fault(1, 0);
        check.sweep(2);
        assert_eq!(check.record().outage.is_some(), outage, "{own:?} {loops}");
        check.pulse(600);
        check.fault(601, 600);
        check.sweep(602);
        assert!(check.record().outage.is_some(), "the second in a row");
    }
}

#[test]
fn the_newest_answer_seen_is_not_missed_when_its_object_is_removed() {
    let mut check = Check::up();
    check.observation.echo = None;
    assert_eq!(check.sweep(600), State::Up);
    let mut check = Check::failing();
    check.observation.fault = None;
    assert_eq!((check.sweep(600), check.record().waiting), (State::Failing, None));
}

//! The rules of `check`, a second before and after each border.

use super::*;
use crate::look::SeenPulse;

/// The time of the look: 1,000,000 s after 1970.
const NOW: i64 = 1_000_000;
const OWN: &str = "00aa";
const OTHER: &str = "00bb";

/// The time `seconds` before the look.
fn ago(seconds: i64) -> Time {
    Time::of(jiff::Timestamp::from_second(NOW - seconds).unwrap())
}

fn id() -> CheckId {
    CheckId::from_pulse_key("pulse/web-1.json").unwrap()
}

fn pulse(seconds_ago: i64) -> Look<SeenPulse> {
    Look::There(SeenPulse { at: ago(seconds_ago), id: None, instance: None, pulse: None })
}

fn echo(pulse_seconds_ago: i64) -> Look<Echo> {
    let pulse_at = ago(pulse_seconds_ago);
    let (status, latency_ms) = (Some(200), Some(84));
    let (pulse_id, instance, cert_days) = (None, None, None);
    Look::There(Echo { pulse_id, pulse_at, instance, probed_at: pulse_at, status, latency_ms, cert_days })
}

fn fault(pulse_seconds_ago: i64) -> Look<Fault> {
    let json = format!("{{\"reason\": \"broken\", \"cause\": \"body\", \"pulse_at\": \"{}\"}}", ago(pulse_seconds_ago));
    Look::There(Fault::from_json(json.as_bytes()).unwrap())
}

fn seen(pulse: Look<SeenPulse>, echo: Look<Echo>, fault: Look<Fault>) -> Seen {
    Seen { pulse, echo, fault, now: Some(ago(0)), rtt: None }
}

fn judged(seen: &Seen) -> (Severity, String) {
    let outcome = judge(&id(), seen, Limits::of(&Pulse::default()), Some(OWN));
    assert_eq!(outcome.remedy.is_none(), outcome.severity == Severity::Ok, "what is wrong has a remedy");
    (outcome.severity, outcome.text)
}

#[test]
fn the_rules_a_second_before_and_after_each_border() {
    use Look::{Denied, Missing};
    use Severity::{Critical, Ok, Unknown, Warning};
    for (pulse, echo, fault, severity, text) in [
        // The age of the answered pulse.
        (pulse(212), echo(212), Missing, Ok, "web-1 answered 212 s ago in 84 ms"),
        (pulse(900), echo(900), Missing, Ok, "web-1 answered 15 min ago in 84 ms"),
        (pulse(901), echo(901), Missing, Warning, "web-1: its last pulse is 15 min old"),
        (pulse(1500), echo(1500), Missing, Warning, "web-1: its last pulse is 25 min old"),
        (pulse(1501), echo(1501), Missing, Critical, "web-1: its last pulse is 25 min old"),
        (pulse(20), echo(901), Missing, Warning, "web-1: the pulse answered last is 15 min old"),
        (pulse(20), echo(1501), Missing, Critical, "web-1: the pulse answered last is 25 min old"),
        // A pulse in the future has age 0.
        (pulse(-5), echo(-5), Missing, Ok, "web-1 answered 0 s ago in 84 ms"),
        (pulse(-60), echo(-60), fault(-59), Ok, "web-1 answered 0 s ago in 84 ms"),
        // The newest answer, by the time of its pulse; on a tie, the echo.
        (pulse(10), echo(10), fault(10), Ok, "web-1 answered 10 s ago in 84 ms"),
        (pulse(10), echo(11), fault(10), Critical, "web-1: broken"),
        (pulse(10), echo(10), fault(11), Ok, "web-1 answered 10 s ago in 84 ms"),
        (pulse(10), Missing, fault(10), Critical, "web-1: broken"),
        (pulse(10), Denied, fault(2000), Critical, "web-1: broken"),
        // A pulse waits for its answer.
        (pulse(300), echo(301), Missing, Ok, "web-1 answered 5 min ago in 84 ms"),
        (pulse(301), echo(302), Missing, Critical, "web-1: its pulse of 5 min ago has no answer"),
        (pulse(301), echo(301), Missing, Ok, "web-1 answered 5 min ago in 84 ms"),
        (pulse(300), Missing, Missing, Unknown, "web-1: its pulse of 5 min ago has no answer yet"),
        (pulse(301), Missing, Missing, Critical, "web-1: its pulse of 5 min ago has no answer"),
        (pulse(300), Denied, Denied, Unknown, "web-1: its pulse of 5 min ago has no answer yet"),
        (pulse(301), Denied, Denied, Critical, "web-1: its pulse of 5 min ago has no answer"),
        // No pulse.
        (Missing, echo(10), Missing, Unknown, "web-1: no pulse has been sent"),
        (Denied, echo(10), Missing, Unknown, "web-1: no pulse, or no right to read it"),
        (Missing, echo(901), Missing, Warning, "web-1: its last pulse is 15 min old"),
    ] {
        let seen = seen(pulse, echo, fault);
        assert_eq!(judged(&seen), (severity, text.to_string()), "{seen:?}");
    }
}

#[test]
fn of_two_pulses_within_a_second_the_answer_of_the_last_counts() {
    for (last, of_echo, of_fault, severity) in [
        (Some("b"), Some("a"), Some("b"), Severity::Critical),
        (Some("b"), Some("b"), Some("a"), Severity::Ok),
        (Some("b"), Some("b"), Some("b"), Severity::Ok),
        (Some("c"), Some("a"), Some("b"), Severity::Ok),
        (None, None, None, Severity::Ok),
        (None, Some("a"), None, Severity::Ok),
    ] {
        let mut seen = seen(pulse(10), echo(10), fault(10));
        let (Look::There(pulse), Look::There(echo), Look::There(fault)) =
            (&mut seen.pulse, &mut seen.echo, &mut seen.fault)
        else {
            unreachable!()
        };
        pulse.id = last.map(String::from);
        echo.pulse_id = of_echo.map(String::from);
        fault.pulse_id = of_fault.map(String::from);
        assert_eq!(judged(&seen).0, severity, "{last:?} {of_echo:?} {of_fault:?}");
    }
}

#[test]
fn what_is_from_a_time_to_come_is_never_ok_and_never_newer_than_what_is_not() {
    use Look::Missing;
    use Severity::{Critical, Ok, Unknown, Warning};
    let ahead = "web-1: its last pulse is of 1970-01-12T13:48:40Z, 120 s ahead of the store's clock, so its age";
    for (pulse, echo, fault, severity, age, text) in [
        (pulse(-120), echo(-120), Missing, Warning, false, ahead),
        (pulse(-120), echo(-120), fault(-119), Warning, false, ahead),
        (pulse(-120), echo(50), Missing, Warning, true, ahead),
        (pulse(-120), Missing, Missing, Warning, false, ahead),
        (Missing, echo(-120), Missing, Warning, false, ahead),
        (pulse(-120), echo(-120), fault(-121), Critical, false, "web-1: broken"),
        (pulse(-120), echo(-120), fault(20), Critical, true, "web-1: broken"),
        // After the clock was set right, only an answer to a new pulse is good.
        (pulse(20), echo(-120), Missing, Unknown, false, "web-1: its pulse of 20 s ago has no answer yet"),
        (pulse(301), echo(-120), Missing, Critical, false, "web-1: its pulse of 5 min ago has no answer"),
        (pulse(20), echo(-120), fault(-121), Critical, false, "web-1: broken"),
        (pulse(20), echo(20), fault(-120), Ok, true, "web-1 answered 20 s ago in 84 ms"),
        (pulse(20), echo(-120), fault(20), Critical, true, "web-1: broken"),
    ] {
        let seen = seen(pulse, echo, fault);
        let (is, says) = judged(&seen);
        assert!(is == severity && says.starts_with(text), "{is:?} {says}: {seen:?}");
        let figures = judge(&id(), &seen, Limits::of(&Pulse::default()), Some(OWN)).figures;
        assert_eq!(figures.iter().any(|figure| figure.of == Measure::Age), age, "{says}");
    }
}

#[test]
fn where_nothing_is_there_it_is_unknown() {
    for (pulse, text) in [(Look::Missing, "no pulse has been sent"), (Look::Denied, "no pulse, or no right to read it")]
    {
        let seen = Seen { now: None, ..seen(pulse, Look::Denied, Look::Denied) };
        assert_eq!(judged(&seen), (Severity::Unknown, format!("web-1: {text}")));
    }
}

#[test]
fn what_is_denied_names_both_possibilities() {
    let remedy = |seen: &Seen| judge(&id(), seen, Limits::of(&Pulse::default()), None).remedy.unwrap();
    let no_pulse = remedy(&seen(Look::Denied, echo(10), Look::Missing));
    assert!(no_pulse.contains("send one") && no_pulse.contains("s3:GetObject on pulse/web-1.json"), "{no_pulse}");
    let no_answer = remedy(&seen(pulse(301), Look::Denied, Look::Missing));
    assert!(
        no_answer.contains("probe deployed") && no_answer.contains("s3:GetObject on echo/web-1.json"),
        "{no_answer}"
    );
    assert!(!remedy(&seen(pulse(301), Look::Missing, Look::Missing)).contains("policy"));
}

#[test]
fn a_pulses_own_limits_and_those_asked_for_are_what_age_is_held_against() {
    let hourly = Pulse { every_s: 3600, grace_s: 60, missed: 2, ..Pulse::default() };
    let limits = Limits::of(&hourly);
    assert_eq!((limits.warning.as_secs(), limits.critical.as_secs()), (7260, 10_860));
    for (age, severity) in [(7260, Severity::Ok), (7261, Severity::Warning), (10_861, Severity::Critical)] {
        let seen = seen(pulse(age), echo(age), Look::Missing);
        assert_eq!(judge(&id(), &seen, limits, None).severity, severity, "{age}");
    }
}

#[test]
fn another_machine_of_this_name_is_warned_of_but_not_while_the_own_pulse_waits() {
    use Severity::{Ok, Warning};
    let judged = |pulse_by: Option<&str>, echo_by: Option<&str>, pulse_ago: i64, own: Option<&str>| {
        let mut seen = seen(pulse(pulse_ago), echo(20), Look::Missing);
        if let (Look::There(pulse), Look::There(echo)) = (&mut seen.pulse, &mut seen.echo) {
            (pulse.instance, echo.instance) = (pulse_by.map(String::from), echo_by.map(String::from));
        }
        judge(&id(), &seen, Limits::of(&Pulse::default()), own).severity
    };
    for (pulse_by, echo_by, pulse_ago, own, severity) in [
        (Some(OWN), Some(OWN), 20, Some(OWN), Ok),
        (Some(OTHER), Some(OTHER), 20, Some(OWN), Warning),
        (Some(OTHER), Some(OWN), 10, Some(OWN), Warning),
        (Some(OWN), Some(OTHER), 20, Some(OWN), Warning),
        // Our newest pulse waits for its answer.
        (Some(OWN), Some(OTHER), 10, Some(OWN), Ok),
        // Both instances must be known.
        (None, Some(OTHER), 20, Some(OWN), Warning),
        (None, None, 20, Some(OWN), Ok),
        (Some(OTHER), Some(OTHER), 20, None, Ok),
    ] {
        assert_eq!(judged(pulse_by, echo_by, pulse_ago, own), severity, "{pulse_by:?} {echo_by:?} {pulse_ago} {own:?}");
    }
}

#[test]
fn figures_are_there_as_far_as_they_were_seen() {
    let names = |seen: &Seen| -> Vec<_> {
        judge(&id(), seen, Limits::of(&Pulse::default()), None).figures.iter().map(|figure| figure.of.name()).collect()
    };
    let all = Seen { rtt: Some(Duration::from_millis(41)), ..seen(pulse(212), echo(212), Look::Missing) };
    assert_eq!(names(&all), ["age", "rtt", "probe"]);
    assert_eq!(names(&seen(pulse(20), Look::Missing, Look::Missing)), [] as [&str; 0]);
    let outcome = judge(&id(), &all, Limits::of(&Pulse::default()), None);
    assert_eq!((outcome.figures[0].seconds, outcome.figures[2].seconds), (212.0, 0.084));
}

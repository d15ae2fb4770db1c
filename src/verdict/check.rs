//! Judges a check by what the store has of it.

use std::time::Duration;

use crate::look::{Look, Seen};
use crate::outcome::{Figure, Measure, Outcome, Severity, Subject};
use pulse_echo_core::answer::{Echo, Fault};
use pulse_echo_core::clock::Time;
use pulse_echo_core::http::url::without_query;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::pulse::{ANSWER_LIMIT, Pulse};
use pulse_echo_core::words;

/// What to do about a pulse without an answer.
const PROBE_REMEDY: &str = "is the probe deployed, and told of what is put to pulse/?";

/// The limits on the age of the answered pulse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Beyond this age it is a WARNING.
    pub warning: Duration,
    /// Beyond this age it is CRITICAL.
    pub critical: Duration,
}

impl Limits {
    /// The limits of a pulse: a WARNING past its limit, CRITICAL when one more pulse has been missed.
    pub fn of(pulse: &Pulse) -> Self {
        Self { warning: pulse.limit(), critical: pulse.limit() + Duration::from_secs(pulse.every_s.into()) }
    }
}

/// Judges a check by what the store has of it. `own_instance` is this machine's, if the check is this machine's.
pub fn judge(id: &CheckId, seen: &Seen, limits: Limits, own_instance: Option<&str>) -> Outcome {
    let newest = seen.now.and_then(|now| Newest::of(seen, now));
    let mut outcome = verdict(id, seen, newest.as_ref(), limits, own_instance);
    if let (Some(newest), Some(now)) = (&newest, seen.now) {
        outcome.figures.push(Figure {
            of: Measure::Age,
            seconds: newest.pulse_at().age(now).as_secs_f64(),
            digits: 0,
            warning: Some(limits.warning.as_secs_f64()),
            critical: Some(limits.critical.as_secs_f64()),
        });
    }
    outcome.figures.extend(seen.rtt.map(|rtt| Figure::duration(Measure::Rtt, rtt)));
    outcome
        .figures
        .extend(newest.and_then(|newest| newest.latency()).map(|took| Figure::duration(Measure::Probe, took)));
    outcome
}

/// The rules, the worst first.
fn verdict(id: &CheckId, seen: &Seen, newest: Option<&Newest>, limits: Limits, own: Option<&str>) -> Outcome {
    let is = |severity, text| Outcome::new(Subject::Check(id.clone()), severity, text);
    let Some(now) = seen.now else { return is(Severity::Unknown, no_pulse(id, seen)).remedy(send_one(id, seen)) };
    let waiting = waiting_since(seen, newest, now);
    let age = newest.map(|newest| newest.pulse_at().age(now));

    if let Some(Newest::Fault(fault)) = newest {
        return of_fault(id, fault);
    }
    // What is from a time to come seems new until then, whatever has become of the host.
    let pulse_at = seen.pulse.as_ref().there().map(|pulse| pulse.at).or(newest.map(Newest::pulse_at));
    if let Some(at) = pulse_at.filter(|at| at.is_ahead(now)) {
        let by = words::duration(now.age(at));
        let text = format!("{id}: its last pulse is of {at}, {by} ahead of the store's clock, so its age is not known");
        return is(Severity::Warning, text).remedy("send one (pulse-echo run), and look at the clock of the store");
    }
    if let Some(waits) = waiting.map(|since| since.age(now)).filter(|&waits| waits > ANSWER_LIMIT) {
        return is(Severity::Critical, format!("{id}: its pulse of {} ago has no answer", words::duration(waits)))
            .remedy(probe_remedy(id, seen));
    }
    if let Some(age) = age.filter(|&age| age > limits.warning) {
        let severity = if age > limits.critical { Severity::Critical } else { Severity::Warning };
        let age = words::duration(age);
        return match waiting {
            None => is(severity, format!("{id}: its last pulse is {age} old"))
                .remedy("does cron, or the timer, still run pulse-echo send?"),
            Some(since) => is(severity, format!("{id}: the pulse answered last is {age} old"))
                .remedy(format!("a pulse of {} ago waits for its answer: look again", words::duration(since.age(now)))),
        };
    }
    if is_of_another_machine(seen, waiting.is_some(), own) {
        return is(Severity::Warning, format!("{id}: another machine sends under this name"))
            .remedy("give one of the two another name: \"host\" in its configuration");
    }
    match (seen.pulse.as_ref().there(), newest) {
        (None, _) => is(Severity::Unknown, no_pulse(id, seen)).remedy(send_one(id, seen)),
        (Some(pulse), None) => {
            let text = format!("{id}: its pulse of {} ago has no answer yet", words::duration(pulse.at.age(now)));
            is(Severity::Unknown, text).remedy("look again in a minute")
        }
        (Some(_), Some(newest)) => {
            let ago = words::duration(newest.pulse_at().age(now));
            let took = newest.latency().map_or_else(String::new, |took| format!(" in {} ms", took.as_millis()));
            is(Severity::Ok, format!("{id} answered {ago} ago{took}"))
        }
    }
}

/// The outcome of a fault.
pub fn of_fault(id: &CheckId, fault: &Fault) -> Outcome {
    let what = fault.url.as_deref().map_or_else(|| "the pulse".into(), without_query);
    Outcome::new(Subject::Check(id.clone()), Severity::Critical, format!("{id}: {}", fault.reason))
        .remedy(format!("look at {what}, and at what the pulse expects of it"))
}

/// The warning about an echo whose status is an error that the pulse does not name: `body` and `contains` take any.
pub fn odd_status(id: &CheckId, pulse: &Pulse, echo: &Echo) -> Option<String> {
    let status = echo.status.filter(|status| *status >= 400 && pulse.status.is_none())?;
    Some(format!(
        "{id} passes though its status is {status}: with body or contains any status does; set \"status\" to expect one"
    ))
}

/// The newest answer, by the time of its pulse; on a tie, the echo.
enum Newest<'a> {
    Echo(&'a Echo),
    Fault(&'a Fault),
}

impl<'a> Newest<'a> {
    /// One whose pulse is from a time to come is older than any other: the clock has been set back since. Then an echo
    /// says nothing of a pulse that is not.
    fn of(seen: &'a Seen, now: Time) -> Option<Self> {
        let order = |pulse_at: Time| (!pulse_at.is_ahead(now), pulse_at);
        let pulse = seen.pulse.as_ref().there().map(|pulse| order(pulse.at));
        let is_of_before = |echo: &&Echo| pulse.is_some_and(|(is_right, _)| is_right && echo.pulse_at.is_ahead(now));
        let echo = seen.echo.as_ref().there().filter(|echo| !is_of_before(echo));
        match (echo, seen.fault.as_ref().there()) {
            (Some(echo), Some(fault)) if order(fault.pulse_at) > order(echo.pulse_at) => Some(Self::Fault(fault)),
            (Some(echo), _) => Some(Self::Echo(echo)),
            (None, Some(fault)) => Some(Self::Fault(fault)),
            (None, None) => None,
        }
    }

    fn pulse_at(&self) -> Time {
        match self {
            Self::Echo(echo) => echo.pulse_at,
            Self::Fault(fault) => fault.pulse_at,
        }
    }

    fn latency(&self) -> Option<Duration> {
        match self {
            Self::Echo(echo) => echo.latency_ms,
            Self::Fault(fault) => fault.latency_ms,
        }
        .map(Duration::from_millis)
    }
}

/// Since when the pulse in the store has been waiting; `None` if it has its answer, or is not there.
fn waiting_since(seen: &Seen, newest: Option<&Newest>, now: Time) -> Option<Time> {
    let at = seen.pulse.as_ref().there()?.at;
    let is_older = |pulse_at: Time| pulse_at < at || (pulse_at.is_ahead(now) && !at.is_ahead(now));
    newest.is_none_or(|newest| is_older(newest.pulse_at())).then_some(at)
}

/// Whether the pulse or the echo comes from another machine. While our newest pulse waits, the echo may come from a
/// machine that had the name before.
fn is_of_another_machine(seen: &Seen, waits: bool, own: Option<&str>) -> bool {
    let of_pulse = seen.pulse.as_ref().there().and_then(|pulse| pulse.instance.as_deref());
    let of_echo = seen.echo.as_ref().there().and_then(|echo| echo.instance.as_deref());
    let is_other = |instance: Option<&str>| instance.is_some() && own.is_some() && instance != own;
    is_other(of_pulse) || (is_other(of_echo) && !(waits && of_pulse == own))
}

fn no_pulse(id: &CheckId, seen: &Seen) -> String {
    match seen.pulse {
        Look::Denied => format!("{id}: no pulse, or no right to read it"),
        Look::There(_) | Look::Missing => format!("{id}: no pulse has been sent"),
    }
}

fn send_one(id: &CheckId, seen: &Seen) -> String {
    match seen.pulse {
        Look::Denied => {
            format!(
                "send one (pulse-echo run); if that works, the policy must allow s3:GetObject on {}",
                Key::pulse(id)
            )
        }
        Look::There(_) | Look::Missing => "send one: pulse-echo run".into(),
    }
}

fn probe_remedy(id: &CheckId, seen: &Seen) -> String {
    no_answer_remedy(id, matches!((&seen.echo, &seen.fault), (Look::Denied, _) | (_, Look::Denied)))
}

/// What to do if no answer comes; `is_denied` if the store would not tell whether there is an answer.
pub fn no_answer_remedy(id: &CheckId, is_denied: bool) -> String {
    if is_denied {
        let (echo, fault) = (Key::echo(id), Key::fault(id));
        format!("{PROBE_REMEDY} And does the policy allow s3:GetObject on {echo} and {fault}?")
    } else {
        PROBE_REMEDY.into()
    }
}

#[cfg(test)]
mod tests {
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
        Look::There(SeenPulse { at: ago(seconds_ago), instance: None, pulse: None })
    }

    fn echo(pulse_seconds_ago: i64) -> Look<Echo> {
        let pulse_at = ago(pulse_seconds_ago);
        let (status, latency_ms) = (Some(200), Some(84));
        let (pulse_id, instance, cert_days) = (None, None, None);
        Look::There(Echo { pulse_id, pulse_at, instance, probed_at: pulse_at, status, latency_ms, cert_days })
    }

    fn fault(pulse_seconds_ago: i64) -> Look<Fault> {
        let json =
            format!("{{\"reason\": \"broken\", \"cause\": \"body\", \"pulse_at\": \"{}\"}}", ago(pulse_seconds_ago));
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
    fn what_is_from_a_time_to_come_is_never_ok_and_never_newer_than_what_is_not() {
        use Look::Missing;
        use Severity::{Critical, Ok, Unknown, Warning};
        let ahead = "web-1: its last pulse is of 1970-01-12T13:48:40Z, 2 min ahead of the store's clock, so its age";
        for (pulse, echo, fault, severity, text) in [
            (pulse(-120), echo(-120), Missing, Warning, ahead),
            (pulse(-120), echo(-120), fault(-119), Warning, ahead),
            (pulse(-120), echo(50), Missing, Warning, ahead),
            (pulse(-120), Missing, Missing, Warning, ahead),
            (Missing, echo(-120), Missing, Warning, ahead),
            (pulse(-120), echo(-120), fault(-121), Critical, "web-1: broken"),
            (pulse(-120), echo(-120), fault(20), Critical, "web-1: broken"),
            // After the clock was set right, only an answer to a new pulse is good.
            (pulse(20), echo(-120), Missing, Unknown, "web-1: its pulse of 20 s ago has no answer yet"),
            (pulse(301), echo(-120), Missing, Critical, "web-1: its pulse of 5 min ago has no answer"),
            (pulse(20), echo(-120), fault(-121), Critical, "web-1: broken"),
            (pulse(20), echo(20), fault(-120), Ok, "web-1 answered 20 s ago in 84 ms"),
            (pulse(20), echo(-120), fault(20), Critical, "web-1: broken"),
        ] {
            let seen = seen(pulse, echo, fault);
            let (is, says) = judged(&seen);
            assert!(is == severity && says.starts_with(text), "{is:?} {says}: {seen:?}");
        }
    }

    #[test]
    fn where_nothing_is_there_it_is_unknown() {
        for (pulse, text) in
            [(Look::Missing, "no pulse has been sent"), (Look::Denied, "no pulse, or no right to read it")]
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
            assert_eq!(
                judged(pulse_by, echo_by, pulse_ago, own),
                severity,
                "{pulse_by:?} {echo_by:?} {pulse_ago} {own:?}"
            );
        }
    }

    #[test]
    fn figures_are_there_as_far_as_they_were_seen() {
        let names = |seen: &Seen| -> Vec<_> {
            judge(&id(), seen, Limits::of(&Pulse::default()), None)
                .figures
                .iter()
                .map(|figure| figure.of.name())
                .collect()
        };
        let all = Seen { rtt: Some(Duration::from_millis(41)), ..seen(pulse(212), echo(212), Look::Missing) };
        assert_eq!(names(&all), ["age", "rtt", "probe"]);
        assert_eq!(names(&seen(pulse(20), Look::Missing, Look::Missing)), [] as [&str; 0]);
        let outcome = judge(&id(), &all, Limits::of(&Pulse::default()), None);
        assert_eq!((outcome.figures[0].seconds, outcome.figures[2].seconds), (212.0, 0.084));
    }
}

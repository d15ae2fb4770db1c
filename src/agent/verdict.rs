//! What follows from what the store has: pure rules.

use std::time::Duration;

use super::look::{Look, Seen};
use super::nagios::{Figure, Outcome, Severity, Subject, spoken};
use crate::answer::{Echo, Fault};
use crate::clock::Time;
use crate::mark::Mark;
use crate::name::{CheckId, Key};
use crate::pulse::Pulse;

/// How old a pulse may become without an answer before our probe is in trouble.
const ANSWER_LIMIT: Duration = Duration::from_secs(5 * 60);

/// How far the clocks may differ, in seconds. Signatures live for 300.
const SKEW_LIMIT_S: f64 = 60.0;

/// How old the loop's last sweep may always be.
const SWEEP_LIMIT: Duration = Duration::from_secs(5 * 60);

/// A mark that does not say it: how often the loop sweeps, in seconds.
const TICK_S: u32 = 60;

/// What to do about a pulse that is not answered.
pub const PROBE_REMEDY: &str = "is the probe deployed, and told of what is put to pulse/?";

/// How old the pulse that was answered may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Beyond this it is a WARNING.
    pub warning: Duration,
    /// Beyond this it is CRITICAL.
    pub critical: Duration,
}

impl Limits {
    /// What a pulse promises: a WARNING past its limit, CRITICAL when one more has been missed.
    pub fn of(pulse: &Pulse) -> Self {
        Self { warning: pulse.limit(), critical: pulse.limit() + Duration::from_secs(pulse.every_s.into()) }
    }
}

/// Judges a check by what the store has of it. `own_instance` is this machine's, if the check is this machine's.
pub fn judge(id: &CheckId, seen: &Seen, limits: Limits, own_instance: Option<&str>) -> Outcome {
    let newest = Newest::of(seen);
    let mut outcome = verdict(id, seen, newest.as_ref(), limits, own_instance);
    if let (Some(newest), Some(now)) = (&newest, seen.now) {
        outcome.figures.push(Figure {
            name: "age",
            seconds: newest.pulse_at().age(now).as_secs_f64(),
            digits: 0,
            warning: Some(limits.warning.as_secs_f64()),
            critical: Some(limits.critical.as_secs_f64()),
        });
    }
    outcome.figures.extend(seen.rtt.map(|rtt| Figure::duration("rtt", rtt)));
    outcome.figures.extend(newest.and_then(|newest| newest.latency()).map(|took| Figure::duration("probe", took)));
    outcome
}

/// The rules, the worst first.
fn verdict(id: &CheckId, seen: &Seen, newest: Option<&Newest>, limits: Limits, own: Option<&str>) -> Outcome {
    let is = |severity, text| Outcome::new(Subject::Check(id.clone()), severity, text);
    let Some(now) = seen.now else { return is(Severity::Unknown, no_pulse(id, seen)).remedy(send_one(id, seen)) };
    let waiting = waiting_since(seen, newest);
    let age = newest.map(|newest| newest.pulse_at().age(now));

    if let Some(Newest::Fault(fault)) = newest {
        return of_fault(id, fault);
    }
    if let Some(waits) = waiting.map(|since| since.age(now)).filter(|&waits| waits > ANSWER_LIMIT) {
        return is(Severity::Critical, format!("{id}: its pulse of {} ago has no answer", spoken(waits)))
            .remedy(probe_remedy(id, seen));
    }
    if let Some(age) = age.filter(|&age| age > limits.warning) {
        let severity = if age > limits.critical { Severity::Critical } else { Severity::Warning };
        let age = spoken(age);
        return match waiting {
            None => is(severity, format!("{id}: its last pulse is {age} old"))
                .remedy("does cron, or the timer, still run pulse-echo send?"),
            Some(since) => is(severity, format!("{id}: the pulse answered last is {age} old"))
                .remedy(format!("a pulse of {} ago waits for its answer: look again", spoken(since.age(now)))),
        };
    }
    if is_of_another_machine(seen, waiting.is_some(), own) {
        return is(Severity::Warning, format!("{id}: another machine sends under this name"))
            .remedy("give one of the two another name: \"host\" in its configuration");
    }
    match (seen.pulse.as_ref().there(), newest) {
        (None, _) => is(Severity::Unknown, no_pulse(id, seen)).remedy(send_one(id, seen)),
        (Some(pulse), None) => {
            let text = format!("{id}: its pulse of {} ago has no answer yet", spoken(pulse.at.age(now)));
            is(Severity::Unknown, text).remedy("look again in a minute")
        }
        (Some(_), Some(newest)) => {
            let ago = spoken(newest.pulse_at().age(now));
            let took = newest.latency().map_or_else(String::new, |took| format!(" in {} ms", took.as_millis()));
            is(Severity::Ok, format!("{id} answered {ago} ago{took}"))
        }
    }
}

/// What a fault says.
pub fn of_fault(id: &CheckId, fault: &Fault) -> Outcome {
    let what = fault.url.as_deref().unwrap_or("the pulse");
    Outcome::new(Subject::Check(id.clone()), Severity::Critical, format!("{id}: {}", fault.reason))
        .remedy(format!("look at {what}, and at what the pulse expects of it"))
}

/// The newest answer, by the pulse that it answers; a tie is the echo.
enum Newest<'a> {
    Echo(&'a Echo),
    Fault(&'a Fault),
}

impl<'a> Newest<'a> {
    fn of(seen: &'a Seen) -> Option<Self> {
        match (seen.echo.as_ref().there(), seen.fault.as_ref().there()) {
            (Some(echo), Some(fault)) if fault.pulse_at > echo.pulse_at => Some(Self::Fault(fault)),
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

/// Since when the pulse in the store waits; none if it is answered, or not there.
fn waiting_since(seen: &Seen, newest: Option<&Newest>) -> Option<Time> {
    let at = seen.pulse.as_ref().there()?.at;
    newest.is_none_or(|newest| newest.pulse_at() < at).then_some(at)
}

/// Whether pulse or echo are of another machine. While the own newest pulse waits, the echo may be of a machine that had
/// the name before.
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
    match (&seen.echo, &seen.fault) {
        (Look::Denied, _) | (_, Look::Denied) => {
            format!(
                "{PROBE_REMEDY} And does the policy allow s3:GetObject on {} and {}?",
                Key::echo(id),
                Key::fault(id)
            )
        }
        _ => PROBE_REMEDY.into(),
    }
}

/// Judges the loop by its mark and when that was looked at. One that is not there decides nothing.
pub fn judge_loop(mark: Look<(Mark, Time)>) -> Outcome {
    let is = |severity, text| Outcome::new(Subject::Loop, severity, text);
    let (mark, now) = match mark {
        Look::There(there) => there,
        Look::Missing => return is(Severity::Ok, "the loop has no mark yet".into()).remedy("is the loop deployed?"),
        Look::Denied => {
            return is(Severity::Ok, "the loop has no mark, or it may not be read".into())
                .remedy(format!("is the loop deployed? The policy must allow s3:GetObject on {}", Key::mark()));
        }
    };
    if let Some(stopped) = mark.stopped {
        return is(Severity::Warning, format!("the loop is stopped since {stopped}: nobody is told of anything"))
            .remedy("an operator starts it by putting loop/Start.lambda");
    }
    let Some(swept) = mark.swept else {
        return is(Severity::Ok, "the loop has not swept yet".into()).remedy("look again in a minute");
    };
    let limit = SWEEP_LIMIT.max(Duration::from_secs(3 * u64::from(mark.tick_s.unwrap_or(TICK_S))));
    let age = swept.age(now);
    if age > limit {
        return is(Severity::Warning, format!("the loop last swept {} ago", spoken(age)))
            .remedy("look at the loop's log, its schedule and its queue");
    }
    is(Severity::Ok, String::new())
}

/// Judges this machine's clock: how many seconds it is ahead of the store's.
pub fn judge_clock(skew_s: f64) -> Outcome {
    let figure = Figure { name: "skew", seconds: skew_s, digits: 1, warning: Some(SKEW_LIMIT_S), critical: None };
    let outcome = if skew_s.abs() > SKEW_LIMIT_S {
        let side = if skew_s > 0.0 { "ahead of" } else { "behind" };
        let text = format!("this machine's clock is {:.0} s {side} the store's", skew_s.abs());
        Outcome::new(Subject::Clock, Severity::Warning, text).remedy("set it, and keep it set (NTP)")
    } else {
        Outcome::new(Subject::Clock, Severity::Ok, "")
    };
    Outcome { figures: vec![figure], ..outcome }
}

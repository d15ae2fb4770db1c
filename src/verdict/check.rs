//! Judges a check by what the store has of it.

use std::time::Duration;

use crate::look::{Look, Seen};
use crate::outcome::{Figure, Measure, Outcome, Severity, Subject};
use pulse_echo_core::answer::{Cause, Echo, Fault};
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
    // An age of 0 for hours would be taken for a fresh one.
    if let (Some(newest), Some(now)) = (&newest, seen.now)
        && !newest.pulse_at().is_ahead(now)
    {
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
                .remedy(format!("does cron, or the timer, still run {}?", sender(id))),
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
    let remedy = match (fault.cause, &fault.url) {
        (Cause::Job, _) => "look at what the job wrote: in its log, or in cron's mail".into(),
        (Cause::Vitals, _) => "look at that host; the pulse sets the limit".into(),
        (_, Some(url)) => format!("look at {}, and at what the pulse expects of it", without_query(url)),
        (_, None) => "look at the pulse, and at what it expects".into(),
    };
    Outcome::new(Subject::Check(id.clone()), Severity::Critical, format!("{id}: {}", fault.reason)).remedy(remedy)
}

/// The warning about an echo whose status is an error that the pulse does not name: `body` and `contains` take any.
pub fn odd_status(id: &CheckId, pulse: &Pulse, echo: &Echo) -> Option<String> {
    let status = echo.status.filter(|status| *status >= 400 && pulse.status.is_none())?;
    Some(format!(
        "{id} passes though its status is {status}: with body or contains any status does; set \"status\" to expect one"
    ))
}

/// The newest answer, by the time of its pulse, which is known to the second. On a tie it is the echo, unless the fault
/// alone is of the pulse that is in the store now.
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
            (Some(echo), Some(fault)) if fault.pulse_at == echo.pulse_at && is_of_last(seen, echo, fault) => {
                Some(Self::Fault(fault))
            }
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

/// Whether the fault is of the pulse in the store, and the echo of another.
fn is_of_last(seen: &Seen, echo: &Echo, fault: &Fault) -> bool {
    let last = seen.pulse.as_ref().there().and_then(|pulse| pulse.id.as_ref());
    last.is_some() && fault.pulse_id.as_ref() == last && echo.pulse_id.as_ref() != last
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
            let job = match id.shown().split_once('/') {
                None => String::new(),
                Some((_, check)) => format!("; a job's comes by pulse-echo exec --name {check}"),
            };
            format!(
                "send one (pulse-echo run{job}); if that works, the policy must allow s3:GetObject on {}",
                Key::pulse(id)
            )
        }
        Look::There(_) | Look::Missing => match id.shown().split_once('/') {
            None => format!("send one: pulse-echo run, on {}", id.shown()),
            Some((host, check)) => {
                format!(
                    "send one: pulse-echo run, on {host}, with a file pulses.d/{check}.json there; a job's comes by \
                     pulse-echo exec --name {check}"
                )
            }
        },
    }
}

/// What sends a check's pulse; a job's check has a name of its own.
fn sender(id: &CheckId) -> String {
    match id.shown().split_once('/') {
        None => "pulse-echo send".into(),
        Some((_, check)) => format!("pulse-echo send, or pulse-echo exec --name {check}"),
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
mod tests;

//! The outcome of looking at something: its severity, its text, the remedy, and figures.
//!
//! All findings are a list of [`Outcome`]s, and the worst decides. The Nagios line (`nagios`), JSON and Prometheus's
//! text (`export`) show the same list in three ways; `doctor` and `status` have their own.

use std::time::Duration;

use pulse_echo_core::name::CheckId;
use pulse_echo_core::text::{printable, without_numbers};

use crate::exit::Exit;

/// The severity of an outcome, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is down, or seems so.
    Critical,
    /// Something needs attention.
    Warning,
    /// The state is unknown.
    Unknown,
    /// All is well.
    Ok,
}

impl Severity {
    /// The word in the plugin rules.
    pub fn word(self) -> &'static str {
        match self {
            Self::Critical => "CRITICAL",
            Self::Warning => "WARNING",
            Self::Unknown => "UNKNOWN",
            Self::Ok => "OK",
        }
    }

    /// The exit code for it.
    pub fn exit(self) -> Exit {
        match self {
            Self::Critical => Exit::Critical,
            Self::Warning => Exit::Warning,
            Self::Unknown => Exit::Unknown,
            Self::Ok => Exit::Ok,
        }
    }
}

/// What an outcome is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A check.
    Check(CheckId),
    /// The fleet's loop.
    Loop,
    /// This machine's clock.
    Clock,
    /// This run of the agent, as for a file that is refused.
    Run,
}

/// The outcome of looking at one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What was looked at.
    pub subject: Subject,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen, as one clause; empty if there is nothing to say.
    pub text: String,
    /// What to do about it, if there is anything to do.
    pub remedy: Option<String>,
    /// What was measured.
    pub figures: Vec<Figure>,
}

impl Outcome {
    /// An outcome without remedy and figures.
    pub fn new(subject: Subject, severity: Severity, text: impl Into<String>) -> Self {
        Self { subject, severity, text: text.into(), remedy: None, figures: Vec::new() }
    }

    /// A note beside the outcomes: it changes no severity, and is not in the first line.
    pub fn note(text: impl Into<String>) -> Self {
        Self::new(Subject::Run, Severity::Ok, "").remedy(text)
    }

    /// The same with a remedy.
    #[must_use]
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// The text, then the remedy, without any control characters.
    pub fn sentence(&self) -> String {
        match &self.remedy {
            Some(note) if self.text.is_empty() => safe(note),
            Some(remedy) => safe(&format!("{}; {remedy}", self.text)),
            None => safe(&self.text),
        }
    }
}

/// The measure of a figure. Every measure is a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// How old the pulse with the last answer is.
    Age,
    /// From a request to the store to its answer.
    Rtt,
    /// How long the service took to answer the probe.
    Probe,
    /// How long `run` waited for the answer.
    Wait,
    /// How far this machine's clock is ahead of the store's.
    Skew,
}

impl Measure {
    /// The name in performance data, in JSON and in Prometheus's text.
    pub fn name(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Rtt => "rtt",
            Self::Probe => "probe",
            Self::Wait => "wait",
            Self::Skew => "skew",
        }
    }

    /// Its meaning, as Prometheus's text says it.
    pub fn help(self) -> &'static str {
        match self {
            Self::Age => "How old the pulse is that was answered last.",
            Self::Rtt => "From a request to the store to its answer.",
            Self::Probe => "How long the service took to answer the probe.",
            Self::Wait => "How long it took from the pulse to its answer.",
            Self::Skew => "How far this machine's clock is ahead of the store's.",
        }
    }
}

/// A measured time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// What was measured.
    pub of: Measure,
    /// How long it is, in seconds.
    pub seconds: f64,
    /// How many digits behind the point are known, up to 3.
    pub digits: usize,
    /// The limit of a WARNING, in seconds.
    pub warning: Option<f64>,
    /// The limit of CRITICAL, in seconds.
    pub critical: Option<f64>,
}

impl Figure {
    /// A duration, to the millisecond.
    pub fn duration(of: Measure, duration: Duration) -> Self {
        Self { of, seconds: duration.as_secs_f64(), digits: 3, warning: None, critical: None }
    }

    /// The seconds, rounded to the known digits.
    pub fn rounded(&self) -> f64 {
        let scale = [1.0, 10.0, 100.0, 1000.0][self.digits];
        (self.seconds * scale).round() / scale
    }
}

/// The worst severity.
pub fn worst(outcomes: &[Outcome]) -> Severity {
    outcomes.iter().map(|outcome| outcome.severity).min().unwrap_or(Severity::Ok)
}

/// Makes text safe for the line. A stranger may have written the probe's text, so nothing in it may control the
/// terminal, end the line or begin the performance data. A line may be cut, so the numbers of the system's errors go
/// first.
pub fn safe(text: &str) -> String {
    printable(&without_numbers(text).replace('|', "¦"))
}

//! What came of looking at something: how bad it is, what there is to say, what to do, what was measured.
//!
//! What is found is a list of [`Outcome`]s; the worst decides. The Nagios line (`nagios`), JSON and Prometheus's text
//! (`export`) are three ways to show the same list; `doctor` and `status` show theirs.

use std::time::Duration;

use pulse_echo_core::name::CheckId;
use pulse_echo_core::text::printable;

use crate::exit::Exit;

/// How bad a thing is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is down, or seems so.
    Critical,
    /// Something wants looking after.
    Warning,
    /// It could not be told.
    Unknown,
    /// All is well.
    Ok,
}

impl Severity {
    /// The plugin rules' word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Critical => "CRITICAL",
            Self::Warning => "WARNING",
            Self::Unknown => "UNKNOWN",
            Self::Ok => "OK",
        }
    }

    /// The exit code that says so.
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
    /// This run of the agent: a file that is refused, say.
    Run,
}

/// What came of looking at one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What was looked at.
    pub subject: Subject,
    /// How bad it is.
    pub severity: Severity,
    /// What there is to say, one clause; empty if nothing.
    pub text: String,
    /// What to do about it, if anything is to be done.
    pub remedy: Option<String>,
    /// What was measured.
    pub figures: Vec<Figure>,
}

impl Outcome {
    /// One without remedy and figures.
    pub fn new(subject: Subject, severity: Severity, text: impl Into<String>) -> Self {
        Self { subject, severity, text: text.into(), remedy: None, figures: Vec::new() }
    }

    /// The same with a remedy.
    #[must_use]
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// The text, then what to do about it, with nothing in it that could write to the terminal.
    pub fn sentence(&self) -> String {
        match &self.remedy {
            Some(remedy) => safe(&format!("{}; {remedy}", self.text)),
            None => safe(&self.text),
        }
    }
}

/// What was measured. Each measure is a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// How old the pulse is that was answered last.
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

    /// What it means, as Prometheus's text says it.
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

/// A time that was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// What was measured.
    pub of: Measure,
    /// How long it is, in seconds.
    pub seconds: f64,
    /// How many digits behind the point are known, up to 3.
    pub digits: usize,
    /// Beyond how many seconds it is a WARNING.
    pub warning: Option<f64>,
    /// Beyond how many seconds it is CRITICAL.
    pub critical: Option<f64>,
}

impl Figure {
    /// A duration, to the millisecond.
    pub fn duration(of: Measure, duration: Duration) -> Self {
        Self { of, seconds: duration.as_secs_f64(), digits: 3, warning: None, critical: None }
    }

    /// The seconds as far as they are known.
    pub fn rounded(&self) -> f64 {
        let scale = [1.0, 10.0, 100.0, 1000.0][self.digits];
        (self.seconds * scale).round() / scale
    }
}

/// How bad the worst is.
pub fn worst(outcomes: &[Outcome]) -> Severity {
    outcomes.iter().map(|outcome| outcome.severity).min().unwrap_or(Severity::Ok)
}

/// Text for the line: a probe's words may come from a stranger, so nothing in them may write to the terminal, end the
/// line or begin the performance data.
pub fn safe(text: &str) -> String {
    printable(&text.replace('|', "¦"))
}

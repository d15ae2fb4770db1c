//! Outcomes for machines: JSON, and Prometheus's text format.

use std::fmt::Write;
use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::file;
use super::nagios::{Outcome, Severity, Subject, line, worst};

/// `{"severity": …, "line": …, "outcomes": [{"of": "check", "check": …, "severity": …, "text": …, "remedy": …,
/// "age_s": …, "age_warning_s": …, …}, …]}`; all figures are seconds.
pub fn json(outcomes: &[Outcome]) -> String {
    let list: Vec<_> = outcomes.iter().map(json_of).collect();
    json!({ "severity": worst(outcomes).word(), "line": line(outcomes), "outcomes": list }).to_string()
}

fn json_of(outcome: &Outcome) -> Value {
    let mut fields = Map::new();
    fields.insert("of".into(), kind(&outcome.subject).into());
    if let Subject::Check(id) = &outcome.subject {
        fields.insert("check".into(), id.to_string().into());
    }
    fields.insert("severity".into(), outcome.severity.word().into());
    fields.insert("text".into(), outcome.text.as_str().into());
    fields.insert("remedy".into(), outcome.remedy.as_deref().into());
    for figure in &outcome.figures {
        fields.insert(format!("{}_s", figure.name), figure.seconds.into());
        for (limit, seconds) in [("warning", figure.warning), ("critical", figure.critical)] {
            if let Some(seconds) = seconds {
                fields.insert(format!("{}_{limit}_s", figure.name), seconds.into());
            }
        }
    }
    fields.into()
}

fn kind(subject: &Subject) -> &'static str {
    match subject {
        Subject::Check(_) => "check",
        Subject::Loop => "loop",
        Subject::Clock => "clock",
        Subject::Run => "run",
    }
}

/// Writes metrics for node_exporter's textfile collector, whole or not at all.
pub fn write_prometheus(file: &Path, outcomes: &[Outcome]) -> io::Result<()> {
    file::replace(file, prometheus(outcomes).as_bytes())
}

/// A family of metrics: its name without `pulse_echo_`, what it is, and its samples as labels and value.
struct Family {
    name: String,
    help: &'static str,
    samples: Vec<(String, f64)>,
}

fn prometheus(outcomes: &[Outcome]) -> String {
    let mut families: Vec<Family> = Vec::new();
    let mut add = |name: String, help, labels, value| match families.iter_mut().find(|family| family.name == name) {
        // Two files that are refused are one sample; twice the same labels would make the whole text invalid.
        Some(family) if family.samples.iter().any(|(others, _)| *others == labels) => {}
        Some(family) => family.samples.push((labels, value)),
        None => families.push(Family { name, help, samples: vec![(labels, value)] }),
    };
    for outcome in outcomes {
        let mut labels = vec![("of", kind(&outcome.subject).to_string())];
        if let Subject::Check(id) = &outcome.subject {
            labels.push(("check", id.to_string()));
        }
        add("severity".into(), SEVERITY_HELP, written(&labels), code(outcome.severity));
        for figure in &outcome.figures {
            add(format!("{}_seconds", figure.name), figure_help(figure.name), written(&labels), figure.seconds);
            for (limit, seconds) in [("warning", figure.warning), ("critical", figure.critical)] {
                if let Some(seconds) = seconds {
                    let labels = [&labels[..], &[("severity", limit.to_string())]].concat();
                    let help = "Beyond how many seconds it is a warning, or critical.";
                    add(format!("{}_limit_seconds", figure.name), help, written(&labels), seconds);
                }
            }
        }
    }
    let mut text = String::new();
    for Family { name, help, samples } in families {
        let _ = writeln!(text, "# HELP pulse_echo_{name} {help}\n# TYPE pulse_echo_{name} gauge");
        for (labels, value) in samples {
            let _ = writeln!(text, "pulse_echo_{name}{{{labels}}} {value}");
        }
    }
    text
}

const SEVERITY_HELP: &str = "How it stands: 0 is OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.";

fn figure_help(name: &str) -> &'static str {
    match name {
        "age" => "How old the pulse is that was answered last.",
        "rtt" => "From a request to the store to its answer.",
        "probe" => "How long the service took to answer the probe.",
        "skew" => "How far this machine's clock is ahead of the store's.",
        other => unreachable!("check has no figure {other}"),
    }
}

/// The plugin rules' code.
fn code(severity: Severity) -> f64 {
    match severity {
        Severity::Ok => 0.0,
        Severity::Warning => 1.0,
        Severity::Critical => 2.0,
        Severity::Unknown => 3.0,
    }
}

fn written(labels: &[(&str, String)]) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    labels.join(",")
}

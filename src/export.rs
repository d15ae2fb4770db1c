//! Outcomes for machines: JSON, and Prometheus's text format.

use std::fmt::Write;
use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::atomic_file;
use super::nagios::line;
use super::outcome::{Outcome, Severity, Subject, worst};

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
        fields.insert(format!("{}_s", figure.of.name()), figure.rounded().into());
        for (limit, seconds) in [("warning", figure.warning), ("critical", figure.critical)] {
            if let Some(seconds) = seconds {
                fields.insert(format!("{}_{limit}_s", figure.of.name()), seconds.into());
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

/// Writes metrics for `node_exporter`'s textfile collector, whole or not at all.
pub fn write_prometheus(file: &Path, outcomes: &[Outcome]) -> io::Result<()> {
    atomic_file::replace(file, prometheus(outcomes).as_bytes())
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
            let name = figure.of.name();
            add(format!("{name}_seconds"), figure.of.help(), written(&labels), figure.rounded());
            for (limit, seconds) in [("warning", figure.warning), ("critical", figure.critical)] {
                if let Some(seconds) = seconds {
                    let labels = [&labels[..], &[("severity", limit.to_string())]].concat();
                    let help = "Beyond how many seconds it is a warning, or critical.";
                    add(format!("{name}_limit_seconds"), help, written(&labels), seconds);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Figure, Measure};
    use pulse_echo_core::name::CheckId;

    fn outcomes() -> Vec<Outcome> {
        let check = |key| Subject::Check(CheckId::from_pulse_key(key).unwrap());
        let age = Figure { of: Measure::Age, seconds: 212.0, digits: 0, warning: Some(900.0), critical: Some(1500.0) };
        let skew = Figure { of: Measure::Skew, seconds: -0.312_345, digits: 1, warning: Some(60.0), critical: None };
        vec![
            Outcome { figures: vec![age], ..Outcome::new(check("pulse/web-1.json"), Severity::Ok, "fine") },
            Outcome::new(check("pulse/web-1/\"d\\b\".json"), Severity::Critical, "bad").remedy("mend it"),
            Outcome::new(Subject::Run, Severity::Unknown, "one file"),
            Outcome::new(Subject::Run, Severity::Unknown, "another file"),
            Outcome { figures: vec![skew], ..Outcome::new(Subject::Clock, Severity::Ok, "") },
        ]
    }

    #[test]
    fn prometheus_reads_each_family_once_with_its_labels_escaped() {
        let expected = "\
# HELP pulse_echo_severity How it stands: 0 is OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
# TYPE pulse_echo_severity gauge
pulse_echo_severity{of=\"check\",check=\"web-1\"} 0
pulse_echo_severity{of=\"check\",check=\"web-1/\\\"d\\\\b\\\"\"} 2
pulse_echo_severity{of=\"run\"} 3
pulse_echo_severity{of=\"clock\"} 0
# HELP pulse_echo_age_seconds How old the pulse is that was answered last.
# TYPE pulse_echo_age_seconds gauge
pulse_echo_age_seconds{of=\"check\",check=\"web-1\"} 212
# HELP pulse_echo_age_limit_seconds Beyond how many seconds it is a warning, or critical.
# TYPE pulse_echo_age_limit_seconds gauge
pulse_echo_age_limit_seconds{of=\"check\",check=\"web-1\",severity=\"warning\"} 900
pulse_echo_age_limit_seconds{of=\"check\",check=\"web-1\",severity=\"critical\"} 1500
# HELP pulse_echo_skew_seconds How far this machine's clock is ahead of the store's.
# TYPE pulse_echo_skew_seconds gauge
pulse_echo_skew_seconds{of=\"clock\"} -0.3
# HELP pulse_echo_skew_limit_seconds Beyond how many seconds it is a warning, or critical.
# TYPE pulse_echo_skew_limit_seconds gauge
pulse_echo_skew_limit_seconds{of=\"clock\",severity=\"warning\"} 60
";
        assert_eq!(prometheus(&outcomes()), expected);
    }

    #[test]
    fn json_has_what_the_line_has_and_the_remedies() {
        let json: Value = serde_json::from_str(&json(&outcomes())).unwrap();
        assert_eq!((&json["severity"], &json["line"]), (&"CRITICAL".into(), &line(&outcomes()).into()));
        assert_eq!(
            json["outcomes"][0],
            serde_json::json!({
                "of": "check", "check": "web-1", "severity": "OK", "text": "fine", "remedy": null,
                "age_s": 212.0, "age_warning_s": 900.0, "age_critical_s": 1500.0
            })
        );
        assert_eq!(json["outcomes"][1]["remedy"], "mend it");
        assert_eq!(json["outcomes"][4]["skew_s"], -0.3);
    }
}

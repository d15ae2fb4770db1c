//! Outcomes for other programs: JSON, and Prometheus's text format.

use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::atomic_file;
use super::nagios::line;
use super::outcome::{Outcome, Severity, Subject, worst};
use pulse_echo_core::clock::Time;
use pulse_echo_core::name::Name;
use pulse_echo_core::prometheus::Metrics;

/// The run that had the outcomes.
pub struct Run {
    /// The host that it looked at, if that is known.
    pub host: Option<Name>,
    /// The one check that it looked at, if it was asked for one.
    pub check: Option<String>,
    /// When it was.
    pub at: Time,
}

/// `{"severity": …, "line": …, "host": …, "at": …, "outcomes": [{"of": "check", "check": …, "severity": …, "text": …,
/// "remedy": …, "age_s": …, "age_warning_s": …, …}, …]}`; all figures are seconds.
pub fn json(run: &Run, outcomes: &[Outcome]) -> String {
    let list: Vec<_> = outcomes.iter().map(json_of).collect();
    let (severity, line) = (worst(outcomes).word(), line(outcomes));
    let (host, at) = (run.host.as_ref().map(Name::as_str), run.at.to_string());
    json!({ "severity": severity, "line": line, "host": host, "at": at, "outcomes": list }).to_string()
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
pub fn write_prometheus(file: &Path, metrics: &str) -> io::Result<()> {
    atomic_file::replace(file, metrics.as_bytes())
}

/// The metrics. Several runs on one machine, each with a file, never have a sample in common: a check's id begins with
/// its host, and what belongs to the run has the host, and the one check that it was asked for.
pub fn prometheus(run: &Run, outcomes: &[Outcome]) -> String {
    let host = run.host.as_ref().map(Name::as_str);
    let of_run: Vec<_> = [("host", host), ("check", run.check.as_deref())]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let mut metrics = Metrics::default();
    for outcome in outcomes {
        let mut labels = vec![("of", kind(&outcome.subject))];
        let check;
        match &outcome.subject {
            Subject::Check(id) => {
                check = id.to_string();
                labels.push(("check", &check));
            }
            Subject::Loop | Subject::Clock | Subject::Run => labels.extend_from_slice(&of_run),
        }
        // Two files that are refused become one sample.
        metrics.family("severity", SEVERITY_HELP).add_once(&labels, code(outcome.severity));
        for figure in &outcome.figures {
            let name = figure.of.name();
            metrics.family(&format!("{name}_seconds"), figure.of.help()).add_once(&labels, figure.rounded());
            for (limit, seconds) in [("warning", figure.warning), ("critical", figure.critical)] {
                if let Some(seconds) = seconds {
                    let labels = [&labels[..], &[("severity", limit)]].concat();
                    metrics.family(&format!("{name}_limit_seconds"), LIMIT_HELP).add_once(&labels, seconds);
                }
            }
        }
    }
    #[allow(clippy::cast_precision_loss)]
    metrics.family("run_timestamp_seconds", RUN_HELP).add_once(&of_run, run.at.as_second() as f64);
    metrics.text()
}

const LIMIT_HELP: &str = "Beyond how many seconds it is a warning, or critical.";

const RUN_HELP: &str = "When this was written, in seconds since 1970.";

const SEVERITY_HELP: &str = "How it stands: 0 is OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.";

/// The plugin rules' exit code.
fn code(severity: Severity) -> f64 {
    match severity {
        Severity::Ok => 0.0,
        Severity::Warning => 1.0,
        Severity::Critical => 2.0,
        Severity::Unknown => 3.0,
    }
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

    fn run(host: Option<&str>, check: Option<&str>) -> Run {
        let host = host.map(|host| host.parse().unwrap());
        Run { host, check: check.map(String::from), at: Time::from_second(1_795_219_200) }
    }

    #[test]
    fn prometheus_reads_each_family_once_with_its_labels_escaped() {
        let expected = "\
# HELP pulse_echo_severity How it stands: 0 is OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
# TYPE pulse_echo_severity gauge
pulse_echo_severity{of=\"check\",check=\"web-1\"} 0
pulse_echo_severity{of=\"check\",check=\"web-1/\\\"d\\\\b\\\"\"} 2
pulse_echo_severity{of=\"run\",host=\"web-1\"} 3
pulse_echo_severity{of=\"clock\",host=\"web-1\"} 0
# HELP pulse_echo_age_seconds How old the pulse is that was answered last.
# TYPE pulse_echo_age_seconds gauge
pulse_echo_age_seconds{of=\"check\",check=\"web-1\"} 212
# HELP pulse_echo_age_limit_seconds Beyond how many seconds it is a warning, or critical.
# TYPE pulse_echo_age_limit_seconds gauge
pulse_echo_age_limit_seconds{of=\"check\",check=\"web-1\",severity=\"warning\"} 900
pulse_echo_age_limit_seconds{of=\"check\",check=\"web-1\",severity=\"critical\"} 1500
# HELP pulse_echo_skew_seconds How far this machine's clock is ahead of the store's.
# TYPE pulse_echo_skew_seconds gauge
pulse_echo_skew_seconds{of=\"clock\",host=\"web-1\"} -0.3
# HELP pulse_echo_skew_limit_seconds Beyond how many seconds it is a warning, or critical.
# TYPE pulse_echo_skew_limit_seconds gauge
pulse_echo_skew_limit_seconds{of=\"clock\",host=\"web-1\",severity=\"warning\"} 60
# HELP pulse_echo_run_timestamp_seconds When this was written, in seconds since 1970.
# TYPE pulse_echo_run_timestamp_seconds gauge
pulse_echo_run_timestamp_seconds{host=\"web-1\"} 1795219200
";
        assert_eq!(prometheus(&run(Some("web-1"), None), &outcomes()), expected);
    }

    #[test]
    fn two_runs_on_one_machine_have_no_sample_in_common() {
        let samples = |run: &Run, id: &str| {
            let check = Subject::Check(CheckId::from_pulse_key(&format!("pulse/{id}.json")).unwrap());
            let of = [check, Subject::Loop, Subject::Clock, Subject::Run];
            let outcomes = of.map(|subject| Outcome::new(subject, Severity::Ok, ""));
            let text = prometheus(run, &outcomes);
            let samples = text.lines().filter(|line| !line.starts_with('#')).map(String::from);
            samples.collect::<Vec<_>>()
        };
        let all = [
            samples(&run(Some("web-1"), None), "web-1"),
            samples(&run(Some("web-2"), None), "web-2"),
            samples(&run(Some("web-1"), Some("web-1/db")), "web-1/db"),
            samples(&run(Some("web-1"), Some("web-1/web")), "web-1/web"),
        ]
        .concat();
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!((different.len(), all.len()), (20, 20), "{all:#?}");
        assert!(prometheus(&run(None, None), &[]).ends_with("\npulse_echo_run_timestamp_seconds 1795219200\n"));
    }

    #[test]
    fn json_has_what_the_line_has_and_the_remedies() {
        let json: Value = serde_json::from_str(&json(&run(Some("web-1"), None), &outcomes())).unwrap();
        assert_eq!((&json["host"], &json["at"]), (&"web-1".into(), &"2026-11-21T00:00:00Z".into()));
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

//! The loop's metrics, in `CloudWatch`'s embedded metric format: a line of JSON on stdout, and nothing before it.
//!
//! The format is in its user guide: "Specification: Embedded metric format".
//! Each metric costs, so there are four, and their one dimension is the deployment, never a host. All else is a field
//! of the line, to be searched.

use jiff::Timestamp;
use pulse_echo_core::environment::Environment;
use serde_json::{Map, Value, json};

use crate::tick::{Course, Report};

/// The namespace of the metrics. The template's alarms watch it.
pub const NAMESPACE: &str = "PulseEcho";

/// The metrics. A line has those of them that its invocation can tell.
pub const METRICS: [&str; 4] = ["Errors", "Rounds", "OwedSeconds", "ChecksDown"];

/// The longest name of a deployment, in bytes: that of a stack of `CloudFormation`.
const LONGEST: usize = 128;

/// The deployment that metrics are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack(String);

impl Stack {
    /// `STACK`; without it no metrics are written. The error names the variable.
    pub fn read(environment: Environment) -> Result<Option<Self>, String> {
        let Some(name) = environment.get("STACK") else { return Ok(None) };
        if name.len() <= LONGEST && name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Some(Self(name)));
        }
        Err(format!(
            "STACK is {name:?}: it must be the name of the deployment, of at most {LONGEST} printable ASCII characters \
             without blanks"
        ))
    }

    /// The line for what an invocation came to, without its end; `None` where there is nothing to measure.
    ///
    /// `Rounds` is 1 when the invocation swept, or found the loop stopped on purpose, whatever failed after that. A
    /// look that found nothing to do writes no line, so an alarm on missing rounds sees a loop that does not sweep.
    pub fn line(&self, report: &Report, request: &str, now: Timestamp) -> Option<String> {
        let is_round = report.course == Course::Swept || report.stopped.is_some();
        // A message that fails alone is no error of the invocation.
        let errors = report.errors.len() + report.failed.as_ref().map_or(0, Vec::len);
        let mut metrics = vec![("Errors", "Count", json!(errors))];
        if is_round {
            metrics.push(("Rounds", "Count", json!(1)));
        } else if errors == 0 {
            return None;
        }
        // Where the record failed it is not known what is owed, and 0 would end the alarm.
        if matches!(report.course, Course::Swept | Course::Stopped) {
            metrics.push(("OwedSeconds", "Seconds", json!(report.owed_s.unwrap_or(0))));
        }
        if report.course == Course::Swept {
            metrics.push(("ChecksDown", "Count", json!(report.down)));
        }
        let definitions: Vec<_> = metrics.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
        let directive = json!({"Namespace": NAMESPACE, "Dimensions": [["Stack"]], "Metrics": definitions});
        let mut line = Map::new();
        line.insert("_aws".into(), json!({"Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive]}));
        line.insert("Stack".into(), json!(self.0));
        line.extend(metrics.into_iter().map(|(name, _, value)| (name.to_string(), value)));
        line.insert("requestId".into(), json!(request));
        let Value::Object(fields) = json!(report) else { unreachable!("a report is an object") };
        // How the function answers is for the queue; what went wrong has a line of its own.
        line.extend(fields.into_iter().filter(|(name, _)| !matches!(name.as_str(), "batchItemFailures" | "errors")));
        Some(Value::Object(line).to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pulse_echo_core::clock::Time;

    use super::*;
    use crate::error::{Error, Kind};
    use crate::event::sqs::ItemFailure;

    fn stack(name: &str) -> Result<Option<Stack>, String> {
        Stack::read(Environment::new(&|asked| (asked == "STACK").then(|| name.into())))
    }

    fn line(report: &Report) -> Option<Value> {
        let now = "2026-11-21T08:27:27.5Z".parse().unwrap();
        let line = stack("prod").unwrap().unwrap().line(report, "request-1", now)?;
        assert!(line.starts_with('{') && line.ends_with('}') && !line.contains('\n'), "nothing but JSON: {line}");
        Some(serde_json::from_str(&line).unwrap())
    }

    /// The metrics of a line, read as the specification demands of `CloudWatch`.
    fn metrics(line: &Value) -> Vec<(String, f64)> {
        let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        let aws = &line["_aws"];
        assert_eq!(members(aws), ["CloudWatchMetrics", "Timestamp"].map(String::from).into(), "no further members");
        let timestamp = aws["Timestamp"].as_i64().expect("it is in milliseconds since 1970");
        assert_eq!(timestamp, 1_795_249_647_500);
        let directives = aws["CloudWatchMetrics"].as_array().unwrap();
        assert_eq!(directives.len(), 1);
        let directive = &directives[0];
        assert_eq!(members(directive), ["Dimensions", "Metrics", "Namespace"].map(String::from).into());
        assert_eq!(directive["Namespace"], NAMESPACE);
        for set in directive["Dimensions"].as_array().unwrap() {
            let set = set.as_array().expect("a set of dimensions is a list");
            assert!((1..=30).contains(&set.len()));
            for name in set {
                let value = line[name.as_str().unwrap()].as_str().expect("a dimension's value is a text in the root");
                assert!((1..=1024).contains(&value.len()), "{name}");
            }
        }
        assert_eq!(directive["Dimensions"], json!([["Stack"]]), "never a host");
        let definitions = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&definitions.len()));
        let metric = |definition: &Value| {
            assert!(members(definition).is_subset(&["Name", "Unit", "StorageResolution"].map(String::from).into()));
            let name = definition["Name"].as_str().unwrap();
            assert!(["Seconds", "Count"].contains(&definition["Unit"].as_str().unwrap()), "{definition}");
            (name.to_string(), line[name].as_f64().expect("a metric's value is a number in the root"))
        };
        definitions.iter().map(metric).collect()
    }

    fn pairs(metrics: &[(&str, f64)]) -> Vec<(String, f64)> {
        metrics.iter().map(|(name, value)| ((*name).to_string(), *value)).collect()
    }

    #[test]
    fn a_sweep_is_a_round_with_four_metrics_and_searchable_fields() {
        let report = Report { course: Course::Swept, owed_s: Some(42), checks: 9, down: 2, up: 7, ..Report::default() };
        let line = line(&report).unwrap();
        let expected = pairs(&[("Errors", 0.0), ("Rounds", 1.0), ("OwedSeconds", 42.0), ("ChecksDown", 2.0)]);
        assert_eq!(metrics(&line), expected);
        assert_eq!((&line["Stack"], &line["course"], &line["up"]), (&json!("prod"), &json!("swept"), &json!(7)));
        assert_eq!((&line["requestId"], &line["took_ms"]), (&json!("request-1"), &json!(0)));
    }

    #[test]
    fn a_stop_is_a_round_and_a_look_that_found_nothing_to_do_writes_no_line() {
        let of = |course| line(&Report { course, ..Report::default() });
        let since = Some(Time::from_second(2_000_000_000));
        let stopped = line(&Report { course: Course::Stopped, stopped: since, ..Report::default() }).unwrap();
        assert_eq!(metrics(&stopped), pairs(&[("Errors", 0.0), ("Rounds", 1.0), ("OwedSeconds", 0.0)]));
        for course in [Course::Nothing, Course::Old, Course::Fresh, Course::TooSoon, Course::Lost] {
            assert_eq!(of(course), None, "{course:?}");
        }
    }

    #[test]
    fn a_stop_is_a_round_though_the_record_failed_or_was_lost() {
        let newer = Report::of(Error::new(Kind::StatusNewer, "status.json is of version 2"));
        for (report, errors) in [(newer, 1.0), (Report { course: Course::Lost, ..Report::default() }, 0.0)] {
            let report = Report { stopped: Some(Time::from_second(2_000_000_000)), ..report };
            assert_eq!(metrics(&line(&report).unwrap()), pairs(&[("Errors", errors), ("Rounds", 1.0)]));
        }
    }

    #[test]
    fn a_message_that_fails_alone_is_counted_as_an_error() {
        let failed = |ids: &[&str]| ids.iter().map(|id| ItemFailure { item_identifier: (*id).into() }).collect();
        let report = Report { failed: Some(failed(&["m-0", "m-1"])), ..Report::default() };
        assert_eq!(metrics(&line(&report).unwrap()), pairs(&[("Errors", 2.0)]));
        assert_eq!(line(&Report { failed: Some(failed(&[])), ..Report::default() }), None);
    }

    #[test]
    fn an_error_is_counted_even_where_there_was_no_round() {
        let report = Report::of(Error::new(Kind::StoreFailed, "cannot get status.json"));
        assert_eq!(metrics(&line(&report).unwrap()), pairs(&[("Errors", 1.0)]));
    }

    #[test]
    fn without_a_stack_there_are_no_metrics_and_a_wrong_one_is_named() {
        assert_eq!(stack("").unwrap(), None);
        for wrong in ["a b", "a\n", "\u{e4}", &"x".repeat(129)] {
            assert!(stack(wrong).unwrap_err().starts_with("STACK is "), "{wrong:?}");
        }
    }
}

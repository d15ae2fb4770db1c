//! Metrics in Prometheus's text format.

use std::fmt::Write;

/// Metrics by family, in the order in which they were begun.
#[derive(Debug, Default)]
pub struct Metrics(Vec<Family>);

/// A family of gauges: all samples of one name.
#[derive(Debug)]
pub struct Family {
    name: String,
    help: &'static str,
    /// Labels as they are written, and the value.
    samples: Vec<(String, f64)>,
}

impl Metrics {
    /// The family of this name, which is given without `pulse_echo_`. A new family is begun.
    pub fn family(&mut self, name: &str, help: &'static str) -> &mut Family {
        let at = self.0.iter().position(|family| family.name == name).unwrap_or_else(|| {
            self.0.push(Family { name: name.into(), help, samples: Vec::new() });
            self.0.len() - 1
        });
        &mut self.0[at]
    }

    /// All of them as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for Family { name, help, samples } in &self.0 {
            let _ = writeln!(text, "# HELP pulse_echo_{name} {help}\n# TYPE pulse_echo_{name} gauge");
            for (labels, value) in samples {
                let _ = match labels.as_str() {
                    "" => writeln!(text, "pulse_echo_{name} {value}"),
                    labels => writeln!(text, "pulse_echo_{name}{{{labels}}} {value}"),
                };
            }
        }
        text
    }
}

impl Family {
    /// Adds a sample. The caller sees to it that no two have the same labels: that would make the text invalid.
    pub fn add(&mut self, labels: &[(&str, &str)], value: f64) {
        self.samples.push((written(labels), value));
    }

    /// Adds a sample, unless there is one with these labels.
    pub fn add_once(&mut self, labels: &[(&str, &str)], value: f64) {
        let labels = written(labels);
        if self.samples.iter().all(|(others, _)| *others != labels) {
            self.samples.push((labels, value));
        }
    }
}

fn written(labels: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in labels {
        let comma = if text.is_empty() { "" } else { "," };
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(text, "{comma}{name}=\"{value}\"");
    }
    text
}

//! The bucket's notification rules: which handler gets events for which new objects.

use serde::{Deserialize, Serialize};

/// The handler that gets an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The probe.
    Probe,
    /// The loop.
    Loop,
}

/// A rule: this handler gets events for objects whose keys begin and end like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The handler.
    pub kind: Kind,
    /// The beginning of the key.
    pub prefix: &'static str,
    /// The end of the key.
    pub suffix: &'static str,
}

/// The rules of the deployment on AWS; they do not overlap.
pub const RULES: [Rule; 2] = [
    Rule { kind: Kind::Probe, prefix: "pulse/", suffix: "" },
    Rule { kind: Kind::Loop, prefix: "loop/", suffix: ".lambda" },
];

impl Rule {
    /// Whether the rule matches this key.
    pub(crate) fn fits(&self, key: &str) -> bool {
        key.strip_prefix(self.prefix).is_some_and(|rest| rest.ends_with(self.suffix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_handler_is_told_of_its_own_keys() {
        let told = |key| RULES.into_iter().filter(|rule| rule.fits(key)).map(|rule| rule.kind).collect::<Vec<_>>();
        assert_eq!(told("pulse/web-1.json"), [Kind::Probe]);
        assert_eq!(told("loop/Start.lambda"), [Kind::Loop]);
        for key in ["loop/Update.json", "echo/web-1.json", "status.json", "xpulse/a.json"] {
            assert_eq!(told(key), [], "{key}");
        }
    }
}

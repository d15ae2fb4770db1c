//! The bucket's notification rules: who is told of which new objects.

use serde::{Deserialize, Serialize};

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The probe.
    Probe,
    /// The loop.
    Loop,
}

/// A rule: of the objects whose keys begin and end so, this handler is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Who is told.
    pub kind: Kind,
    /// How the key begins.
    pub prefix: &'static str,
    /// How the key ends.
    pub suffix: &'static str,
}

/// The rules of the deployment on AWS; they do not overlap.
pub const RULES: [Rule; 2] = [
    Rule { kind: Kind::Probe, prefix: "pulse/", suffix: "" },
    Rule { kind: Kind::Loop, prefix: "loop/", suffix: ".lambda" },
];

impl Rule {
    /// Whether it is about this key.
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

//! What doctor finds, shown at once, since the next step may take some time.

use crate::outcome::{Outcome, Severity};
use crate::output::print;

/// What is found.
pub struct Findings {
    is_quiet: bool,
    /// Whether nothing is wrong so far.
    pub is_well: bool,
    /// All lines so far, shown or not.
    pub lines: Vec<String>,
}

impl Findings {
    /// Nothing is found yet. Where `is_quiet`, only what is wrong is shown.
    pub fn new(is_quiet: bool) -> Self {
        Self { is_quiet, is_well: true, lines: Vec::new() }
    }

    /// Something is as it should be.
    pub fn well(&mut self, what: &str, text: &str) {
        let line = format!("✓ {what}: {text}");
        if !self.is_quiet {
            print(&line);
        }
        self.lines.push(line);
    }

    /// Something is wrong; `text` says what, and what to do.
    pub fn ill(&mut self, what: &str, text: &str) {
        self.is_well = false;
        let line = format!("✗ {what}: {text}");
        print(&line);
        self.lines.push(line);
    }

    /// Either of them.
    pub fn either(&mut self, what: &str, found: &Result<String, String>) {
        match found {
            Ok(text) => self.well(what, text),
            Err(text) => self.ill(what, text),
        }
    }

    /// Shows an outcome; `well` is the text for an outcome that has none.
    pub fn outcome(&mut self, what: &str, outcome: &Outcome, well: &str) {
        if outcome.severity == Severity::Ok && outcome.remedy.is_none() {
            self.well(what, if outcome.text.is_empty() { well } else { &outcome.text });
        } else {
            self.ill(what, &outcome.sentence());
        }
    }
}

//! The terminal: how wide it is, and whether it shows colours.

use std::io::{IsTerminal, stdout};

use rustix::termios::tcgetwinsize;

use pulse_echo_core::environment::Environment;

/// The least width; no table fits into less.
const LEAST_WIDTH: usize = 20;

/// The terminal or the file that the output goes to.
pub struct Terminal {
    /// The greatest width of a line, in characters; `None` for no limit, as in a file.
    pub width: Option<usize>,
    /// Whether to write colours.
    pub has_colours: bool,
}

impl Terminal {
    /// Describes stdout. `COLUMNS` sets the width, and `NO_COLOR` (no-color.org) turns colours off.
    pub fn of_stdout(environment: Environment) -> Self {
        let is_terminal = stdout().is_terminal();
        let columns = || tcgetwinsize(stdout()).ok().filter(|_| is_terminal).map(|size| size.ws_col.into());
        Self::of(is_terminal, columns, environment)
    }

    fn of(is_terminal: bool, columns: impl Fn() -> Option<usize>, environment: Environment) -> Self {
        let asked_for = environment.get("COLUMNS").and_then(|text| text.parse().ok());
        let width = asked_for.or_else(columns).filter(|&width| width > 0).map(|width: usize| width.max(LEAST_WIDTH));
        let is_plain =
            environment.get("NO_COLOR").is_some() || environment.get("TERM").is_some_and(|text| text == "dumb");
        Self { width, has_colours: is_terminal && !is_plain }
    }

    /// Joins `beginning` and `text`, broken between words to fit. All lines but the first are indented by `indent`
    /// characters, if the terminal is wide enough. A word that does not fit stays whole.
    pub fn wrapped(&self, beginning: &str, text: &str, indent: usize) -> String {
        let Some(width) = self.width else { return format!("{beginning}{text}") };
        let set_in = " ".repeat(indent.min(width / 3));
        let (mut lines, mut line, mut is_empty) = (Vec::new(), beginning.to_string(), true);
        for word in text.split(' ') {
            if !is_empty && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::replace(&mut line, set_in.clone()));
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        lines.push(line);
        lines.join("\n")
    }

    /// The text in red, where there are colours.
    pub fn red(&self, text: &str) -> String {
        self.in_colour(31, text)
    }

    /// The text in green, where there are colours.
    pub fn green(&self, text: &str) -> String {
        self.in_colour(32, text)
    }

    /// The text in yellow, where there are colours.
    pub fn yellow(&self, text: &str) -> String {
        self.in_colour(33, text)
    }

    /// Wraps the text in `code`, an SGR code of ECMA-48.
    fn in_colour(&self, code: u8, text: &str) -> String {
        if self.has_colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(is_terminal: bool, columns: Option<usize>, set: &[(&str, &str)]) -> (Option<usize>, bool) {
        let environment = |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| value.to_string());
        let terminal = Terminal::of(is_terminal, || columns, Environment::new(&environment));
        (terminal.width, terminal.has_colours)
    }

    #[test]
    fn a_text_is_broken_between_words_and_set_in() {
        let wrapped = |width, beginning: &str, text: &str, indent| {
            Terminal { width, has_colours: false }.wrapped(beginning, text, indent)
        };
        let text = "since 07:18, told at 07:19";
        assert_eq!(wrapped(None, "outage  ", text, 8), "outage  since 07:18, told at 07:19");
        assert_eq!(wrapped(Some(34), "outage  ", text, 8), "outage  since 07:18, told at 07:19");
        assert_eq!(wrapped(Some(33), "outage  ", text, 8), "outage  since 07:18, told at\n        07:19");
        assert_eq!(wrapped(Some(20), "outage  ", text, 8), "outage  since 07:18,\n      told at 07:19");
        assert_eq!(wrapped(Some(20), "", "x http://a.example/long/path y", 2), "x\n  http://a.example/long/path\n  y");
        assert_eq!(wrapped(Some(20), "name  ", "", 6), "name  ");
    }

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        assert!(terminal(true, None, &[]).1);
        assert!(terminal(true, None, &[("NO_COLOR", ""), ("TERM", "xterm")]).1);
        for set in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            assert!(!terminal(true, None, &[set]).1, "{set:?}");
        }
        assert!(!terminal(false, None, &[]).1);
    }

    #[test]
    fn the_width_is_columns_else_the_terminals_else_any() {
        assert_eq!(terminal(true, Some(80), &[("COLUMNS", "40")]).0, Some(40));
        assert_eq!(terminal(true, Some(80), &[("COLUMNS", "wide")]).0, Some(80));
        assert_eq!(terminal(true, Some(0), &[]).0, None, "a terminal that does not know its own width says 0");
        assert_eq!(terminal(true, Some(3), &[]).0, Some(LEAST_WIDTH));
        assert_eq!(terminal(false, None, &[]).0, None);
    }
}

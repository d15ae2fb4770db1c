//! The demo's text, for a terminal of 80 columns.

use std::io::Write;

use textwrap::Options;

/// The width of a line.
const WIDTH: usize = 80;

/// The indent of a step's text.
const INDENT: &str = "            ";

/// The room for what is shown under a step.
pub const ROOM: usize = WIDTH - INDENT.len();

/// The page that the demo writes to.
pub struct Page<'o> {
    out: &'o mut dyn Write,
}

impl<'o> Page<'o> {
    /// A page that is written to `out`.
    pub fn new(out: &'o mut dyn Write) -> Self {
        Self { out }
    }

    /// Prints a step's headline, `[ 1.23 s] 4. …`.
    pub fn headline(&mut self, at_s: f64, head: &str, text: &str) {
        let beginning = format!("[{at_s:5.2} s] {head} ");
        self.print("");
        self.wrapped(text, &beginning, &" ".repeat(beginning.len()));
    }

    /// Prints a line of a step's text.
    pub fn note(&mut self, text: &str) {
        self.wrapped(text, INDENT, INDENT);
    }

    /// Shows a value by its name, such as a field. The end of an address or an id that does not fit is cut off.
    pub fn entry(&mut self, name: &str, value: &str) {
        let beginning = format!("{INDENT}    {name:<14} ");
        let room = WIDTH - beginning.len();
        if value.chars().count() > room && !value.contains(' ') {
            let head: String = value.chars().take(room - 1).collect();
            self.print(&format!("{beginning}{head}…"));
        } else {
            self.wrapped(value, &beginning, &" ".repeat(beginning.len()));
        }
    }

    /// Shows a message as people get it, set apart from the demo's own text.
    pub fn message(&mut self, text: &str) {
        let beginning = format!("{INDENT}  | ");
        text.lines().for_each(|line| self.wrapped(line, &beginning, &beginning));
    }

    /// Shows a line of another program. A line that fits keeps its layout.
    pub fn said(&mut self, line: &str) {
        if line.chars().count() <= ROOM { self.print(&format!("{INDENT}{line}")) } else { self.note(line) }
    }

    fn wrapped(&mut self, text: &str, beginning: &str, rest: &str) {
        // Text to copy, such as an address, stays whole.
        let options = Options::new(WIDTH).initial_indent(beginning).subsequent_indent(rest).break_words(false);
        for line in textwrap::wrap(text, options) {
            self.print(&line);
        }
    }

    /// Prints a line. A closed pipe is not an error.
    pub fn print(&mut self, line: &str) {
        let _ = writeln!(self.out, "{}", line.trim_end());
    }
}

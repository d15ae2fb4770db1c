//! What the demo says, fit for a terminal of 80 columns.

use std::io::Write;

use textwrap::Options;

/// How wide a line becomes.
const WIDTH: usize = 80;

/// Before what belongs to a step.
const INDENT: &str = "            ";

/// How wide what is shown under a step may be.
pub const ROOM: usize = WIDTH - INDENT.len();

/// Where the demo says what it does.
pub struct Page<'o> {
    out: &'o mut dyn Write,
}

impl<'o> Page<'o> {
    /// Says it there.
    pub fn new(out: &'o mut dyn Write) -> Self {
        Self { out }
    }

    /// A step's headline, `[ 1.23 s] 4. …`.
    pub fn headline(&mut self, at_s: f64, head: &str, text: &str) {
        let beginning = format!("[{at_s:5.2} s] {head} ");
        self.print("");
        self.wrapped(text, &beginning, &" ".repeat(beginning.len()));
    }

    /// A line of what belongs to a step.
    pub fn note(&mut self, text: &str) {
        self.wrapped(text, INDENT, INDENT);
    }

    /// What is shown by a name, such as a field and its value. Of an address or an id that does not fit, the end is
    /// left out.
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

    /// A message as people get it, set off from what the demo says.
    pub fn message(&mut self, text: &str) {
        let beginning = format!("{INDENT}  | ");
        text.lines().for_each(|line| self.wrapped(line, &beginning, &beginning));
    }

    /// A line of another program: one that fits was set so on purpose.
    pub fn said(&mut self, line: &str) {
        if line.chars().count() <= ROOM { self.print(&format!("{INDENT}{line}")) } else { self.note(line) }
    }

    fn wrapped(&mut self, text: &str, beginning: &str, rest: &str) {
        // What is copied, as an address is, stays whole.
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

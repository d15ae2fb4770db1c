//! What the demo says, fit for a terminal of 80 columns.

use std::io::{self, Write};

use textwrap::Options;

/// How wide a line becomes.
const WIDTH: usize = 80;

/// Before what belongs to a step.
const INDENT: &str = "            ";

/// How wide what is shown under a step may be.
pub const ROOM: usize = WIDTH - INDENT.len();

/// A step's headline, `[ 1.23 s] 4. …`.
pub fn headline(at_s: f64, head: &str, text: &str) {
    let beginning = format!("[{at_s:5.2} s] {head} ");
    let rest = " ".repeat(beginning.len());
    print("");
    wrapped(text, &beginning, &rest);
}

/// A line of what belongs to a step.
pub fn note(text: &str) {
    wrapped(text, INDENT, INDENT);
}

/// What is shown by a name, such as a field and its value. Of an address or an id that does not fit, the end is left out.
pub fn entry(name: &str, value: &str) {
    let beginning = format!("{INDENT}    {name:<14} ");
    let room = WIDTH - beginning.len();
    if value.chars().count() > room && !value.contains(' ') {
        let head: String = value.chars().take(room - 1).collect();
        print(&format!("{beginning}{head}…"));
    } else {
        wrapped(value, &beginning, &" ".repeat(beginning.len()));
    }
}

/// A message as people get it, set off from what the demo says.
pub fn message(text: &str) {
    let beginning = format!("{INDENT}  | ");
    text.lines().for_each(|line| wrapped(line, &beginning, &beginning));
}

/// A line that is broken nowhere, as another program has set it.
pub fn verbatim(text: &str) {
    print(format!("{INDENT}{text}").trim_end());
}

fn wrapped(text: &str, beginning: &str, rest: &str) {
    // What is copied, as an address is, stays whole.
    let options = Options::new(WIDTH).initial_indent(beginning).subsequent_indent(rest).break_words(false);
    textwrap::wrap(text, options).iter().for_each(|line| print(line.trim_end()));
}

/// Whoever does not listen any more is no reason to fail.
pub fn print(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

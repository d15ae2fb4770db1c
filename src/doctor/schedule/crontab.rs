//! Reads a crontab as cron does.

use super::daemon::Dialect;
use super::times::Times;

/// The longest command that Debian's cron takes, in bytes.
const COMMAND_LIMIT: usize = 998;

/// The end of the file is the end of the last line, too.
pub const NO_NEWLINE: &str = "the file has no newline at its end";

/// A line for a user's crontab in a system's crontab.
pub const TAKEN_FOR_USER: &str =
    "the sixth field is the user here, so pulse-echo is taken for a user: write root or another user before it";

/// A crontab as cron sees it.
#[derive(Debug, Default, PartialEq)]
pub struct Crontab {
    /// The lines that it runs.
    pub lines: Vec<Line>,
    /// The lines that it refuses.
    pub faults: Vec<Fault>,
}

/// A line that runs a command.
#[derive(Debug, PartialEq)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: usize,
    /// When it fires.
    pub times: Times,
    /// The user, where the line names it.
    pub user: Option<String>,
    /// What the shell gets.
    pub command: String,
    /// Whether a `%` ended the command.
    pub is_cut: bool,
    /// The variables that lines above it set.
    pub variables: Vec<(String, String)>,
}

/// A line that cron refuses.
#[derive(Debug, PartialEq)]
pub struct Fault {
    /// Its number in the file, from 1.
    pub number: usize,
    /// What is wrong, and what to do.
    pub why: String,
}

/// What a line is.
enum Kind {
    Nothing,
    Variable(String, String),
    Command(Line),
}

impl Crontab {
    /// Reads the text of a crontab. In a system's crontab each line names its user.
    pub fn read(text: &str, is_system: bool, dialect: Dialect, is_user: &dyn Fn(&str) -> bool) -> Self {
        let mut crontab = Self::default();
        let mut variables = Vec::new();
        for (at, line) in text.split_inclusive('\n').enumerate() {
            let number = at + 1;
            let is_torn = !line.ends_with('\n') && dialect != Dialect::Busybox;
            match kind(line, number, is_system, dialect) {
                Ok(Kind::Nothing) => {}
                _ if is_torn => crontab.refuse(number, NO_NEWLINE),
                Err(why) => crontab.refuse(number, why),
                Ok(Kind::Variable(name, value)) => {
                    variables.retain(|(known, _)| *known != name);
                    variables.push((name, value));
                }
                Ok(Kind::Command(line)) => match &line.user {
                    Some(user) if !is_user(user) => crontab.refuse(number, no_user(user, &line.command)),
                    _ => crontab.lines.push(Line { variables: variables.clone(), ..line }),
                },
            }
        }
        crontab
    }

    fn refuse(&mut self, number: usize, why: impl Into<String>) {
        self.faults.push(Fault { number, why: why.into() });
    }
}

fn no_user(user: &str, command: &str) -> String {
    let program = user.rsplit('/').next() == Some("pulse-echo");
    // The package's line names the user, and a command that is no word of the program's.
    let is_command = command.starts_with(|c: char| c.is_ascii_lowercase() || c == '-');
    if program && (is_command || user.contains('/')) {
        TAKEN_FOR_USER.into()
    } else if user.starts_with(|c: char| c == '*' || c.is_ascii_digit()) {
        format!("it has six times, and cron knows five: the sixth field, {user}, is taken for a user")
    } else {
        format!("there is no user {user}: name one that is there")
    }
}

fn kind(line: &str, number: usize, is_system: bool, dialect: Dialect) -> Result<Kind, String> {
    let line = line.strip_suffix('\n').unwrap_or(line).trim_start_matches([' ', '\t']);
    if line.is_empty() || line.starts_with('#') {
        return Ok(Kind::Nothing);
    }
    if line.starts_with('\u{feff}') {
        let mend = r"sed -i '1s/^\xEF\xBB\xBF//' on the file";
        return Err(format!("it begins with a byte order mark, which cannot be seen: {mend}"));
    }
    if line.trim_end_matches(' ').ends_with('\r') && dialect != Dialect::Busybox {
        return Err("it ends as lines of Windows do: sed -i 's/\\r$//' on the file".into());
    }
    if let Some((name, value)) = variable(line, dialect) {
        return Ok(Kind::Variable(name, value));
    }
    let (times, rest) = times(line, dialect)?;
    let (user, command) = if is_system {
        let (user, command) = word(rest);
        (Some(user.to_string()), command)
    } else {
        (None, rest)
    };
    if user.as_deref() == Some("") || command.is_empty() {
        return Err("it has no command after its times and its user".into());
    }
    // cronie alone knows options of a line: -n, to mail only what failed.
    let command = command.strip_prefix("-n ").filter(|_| dialect == Dialect::Cronie).unwrap_or(command).trim_start();
    if command.len() > COMMAND_LIMIT && dialect == Dialect::Debian {
        return Err(format!("its command is over {COMMAND_LIMIT} bytes: put it into a script"));
    }
    let (command, is_cut) = if dialect == Dialect::Busybox { (command.into(), false) } else { before_percent(command) };
    Ok(Kind::Command(Line { number, times, user, command, is_cut, variables: Vec::new() }))
}

/// When the line fires, and what comes after that.
fn times(line: &str, dialect: Dialect) -> Result<(Times, &str), String> {
    if line.starts_with('@') {
        let (name, rest) = word(line);
        let unknown = || format!("cron knows no {name}: write five times, such as */10 * * * *");
        return Times::of_word(name).map(|times| (times, rest)).ok_or_else(unknown);
    }
    let line = line.strip_prefix('-').filter(|_| dialect == Dialect::Cronie).unwrap_or(line);
    let mut fields = [""; 5];
    let mut rest = line;
    for field in &mut fields {
        (*field, rest) = word(rest);
    }
    if rest.is_empty() {
        return Err("it is neither five times with a command nor NAME=\"value\"".into());
    }
    Ok((Times::of_fields(fields, dialect)?, rest))
}

/// The first word, and what comes after the blanks behind it.
fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_at(text.find([' ', '\t']).unwrap_or(text.len()));
    (word, rest.trim_start_matches([' ', '\t']))
}

/// `NAME = value`, where both may be in quotes.
fn variable(line: &str, dialect: Dialect) -> Option<(String, String)> {
    let (name, rest) = match quoted(line) {
        Some(parts) => parts,
        None => line.split_at(line.find(|c: char| c == '=' || c.is_whitespace())?),
    };
    let value = rest.trim_start().strip_prefix('=')?.trim();
    if name.contains('=') || (value.is_empty() && dialect == Dialect::Debian) {
        return None;
    }
    let value = match quoted(value) {
        Some((value, "")) => value,
        // Something stands behind the quote.
        Some(_) => return None,
        None if value.starts_with(['"', '\'']) => return None,
        None => value,
    };
    Some((name.into(), value.into()))
}

/// What stands between the quotes with which the text begins, and what comes behind them.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    text[1..].split_once(quote)
}

/// The command up to the first `%`, and whether there is one: what follows is the command's input. `\%` is a `%`.
fn before_percent(command: &str) -> (String, bool) {
    let mut before = String::new();
    let mut rest = command.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('%', _) => return (before, true),
            ('\\', Some('%')) => before.extend(rest.next()),
            // Whatever is escaped does not escape.
            ('\\', Some(_)) => before.extend([Some(c), rest.next()].into_iter().flatten()),
            _ => before.push(c),
        }
    }
    (before, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, is_system: bool, dialect: Dialect) -> (Vec<String>, Vec<String>) {
        let crontab = Crontab::read(text, is_system, dialect, &|user| user == "root");
        let runs = crontab.lines.iter().map(|line| line.command.clone());
        (runs.collect(), crontab.faults.iter().map(|fault| format!("{}: {}", fault.number, fault.why)).collect())
    }

    #[test]
    fn what_cron_runs_and_what_it_refuses() {
        use Dialect::{Busybox, Cronie, Debian};
        for (text, is_system, dialect, runs, refused) in [
            ("* * * * * root a b\n", true, Debian, &["a b"][..], None),
            (" \t* * * * *\troot \t a b \n", true, Debian, &["a b "], None),
            ("* * * * * a b\n", false, Debian, &["a b"], None),
            ("@daily root a\n", true, Debian, &["a"], None),
            ("@sometimes root a\n", true, Debian, &[], Some("1: cron knows no @sometimes: write five times")),
            ("# a\n\n  # b\n* * * * * root a\n#", true, Debian, &["a"], None),
            ("* * * * * root a", true, Debian, &[], Some("1: the file has no newline at its end")),
            ("* * * * * a", false, Busybox, &["a"], None),
            ("A=b", false, Cronie, &[], Some("no newline")),
            ("* * * * * pulse-echo send\n", true, Debian, &[], Some("pulse-echo is taken for a user")),
            ("0 */10 * * * * root a\n", true, Debian, &[], Some("it has six times, and cron knows five")),
            ("\u{feff}* * * * * root a\n", true, Debian, &[], Some("byte order mark")),
            ("* * * * * nobody2 a\n", true, Cronie, &[], Some("there is no user nobody2")),
            ("* * * * * root\n", true, Debian, &[], Some("it has no command")),
            ("* * * *\n", false, Debian, &[], Some("neither five times")),
            ("61 * * * * root a\n", true, Debian, &[], Some("\"61\" is no minute")),
            ("* * * * * root a\r\n", true, Debian, &[], Some("Windows")),
            ("MAILTO=\n", true, Debian, &[], Some("neither five times")),
            ("MAILTO=\n", true, Cronie, &[], None),
            ("* * * * * root date +%F; a\n", true, Debian, &["date +"], None),
            ("* * * * * root date +\\%F; a\n", true, Debian, &["date +%F; a"], None),
            ("* * * * * root a \\\\%b\n", true, Debian, &["a \\\\"], None),
            ("* * * * * root -n a\n", true, Cronie, &["a"], None),
            ("* * * * * root -n a\n", true, Debian, &["-n a"], None),
        ] {
            let (ran, faults) = read(text, is_system, dialect);
            assert_eq!(ran, runs, "{text:?}: {faults:?}");
            assert_eq!(faults.len(), usize::from(refused.is_some()), "{text:?}: {faults:?}");
            assert!(refused.is_none_or(|refused| faults[0].contains(refused)), "{text:?}: {faults:?}");
        }
        let long = format!("* * * * * root {}\n", "a".repeat(COMMAND_LIMIT + 1));
        assert_eq!((read(&long, true, Debian).0.len(), read(&long, true, Cronie).0.len()), (0, 1));
    }

    #[test]
    fn a_line_has_the_variables_that_stand_above_it() {
        let text = "A=b\n* * * * * root 1\n'C' = \" d \"\nA = e f \n* * * * * root 2\n";
        let crontab = Crontab::read(text, true, Dialect::Debian, &|_| true);
        let variables: Vec<_> = crontab.lines.iter().map(|line| &line.variables[..]).collect();
        let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
        assert_eq!(variables, [&[pair("A", "b")][..], &[pair("C", " d "), pair("A", "e f")]]);
        for text in ["A=\"b\n", "A=\"b\" c\n", "'A=b'=c\n", "A b=c\n"] {
            let crontab = Crontab::read(text, true, Dialect::Debian, &|_| true);
            assert_eq!((crontab.faults.len(), crontab.lines.len()), (1, 0), "{text:?}");
        }
    }
}

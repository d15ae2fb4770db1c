//! Finds in a command for the shell where it runs `pulse-echo`.
//!
//! It reads what people write into crontabs, and no more of the shell than that: words, quotes, `&&`, `||`, tests of
//! files, and programs that run others.

use super::other_user::{self, OtherUser};
use super::words::{PROGRAM, Token, Word, base, tokens};

/// Programs that run the program that they are given.
const RUNNERS: [&str; 20] = [
    "bash",
    "chronic",
    "chrt",
    "command",
    "dash",
    "env",
    "exec",
    "flock",
    "ionice",
    "nice",
    "nohup",
    "setsid",
    "sh",
    "stdbuf",
    "systemd-cat",
    "systemd-run",
    "taskset",
    "time",
    "timeout",
    "unbuffer",
];

/// Shells, which read the script that they are given, whatever its first line says.
const SHELLS: [&str; 3] = ["bash", "dash", "sh"];

/// Words before a command.
const KEYWORDS: [&str; 11] = ["!", "do", "elif", "else", "fi", "done", "if", "then", "until", "while", "{"];

type Variables = Vec<(String, String)>;

const FILLED_IN: &str = "has something that the shell fills in";
const FROM_ELSEWHERE: &str = "reads its variables from elsewhere";

/// A place where the program is run.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The program as it is written, and its arguments.
    pub words: Vec<String>,
    /// The variables that the command sets for it.
    pub variables: Variables,
    /// The folder that the command goes to before.
    pub folder: Option<String>,
    /// Why it cannot be tried out as it stands: the end of a sentence about the line.
    pub doubt: Option<&'static str>,
    /// The test that keeps it from being run now.
    pub kept_by: Option<String>,
    /// The user that it is run as, if the command changes it.
    pub other_user: Option<OtherUser>,
}

/// What a command runs.
#[derive(Debug, Default, PartialEq)]
pub struct Reading {
    /// The program.
    pub calls: Vec<Call>,
    /// Programs given by their whole paths, which may be scripts that run it.
    pub scripts: Vec<String>,
    /// Scripts that a shell is given, which need not be programs.
    pub read: Vec<String>,
    /// Folders whose programs `run-parts` runs.
    pub folders: Vec<String>,
}

/// How a simple command follows on the one before it.
#[derive(Clone, Copy, PartialEq)]
enum After {
    Any,
    Success,
    Failure,
}

/// Reads a command. `is_true` says whether a test holds, such as `-e FILE`; `None` if that is unknown.
pub fn read(text: &str, is_true: &dyn Fn(&str, &str) -> Option<bool>) -> Reading {
    let mut reader = Reader {
        is_true,
        status: Some(true),
        test: String::new(),
        is_in_skipped_group: false,
        exported: Vec::new(),
        folder: None,
        doubt: None,
        other_user: None,
        found: Reading::default(),
    };
    reader.read(text);
    reader.found
}

struct Reader<'a> {
    is_true: &'a dyn Fn(&str, &str) -> Option<bool>,
    /// Whether the last command succeeded, if that is known.
    status: Option<bool>,
    /// The test that decided it.
    test: String,
    /// Up to the next `}` nothing is run.
    is_in_skipped_group: bool,
    exported: Variables,
    folder: Option<String>,
    doubt: Option<&'static str>,
    other_user: Option<OtherUser>,
    found: Reading,
}

impl Reader<'_> {
    fn read(&mut self, text: &str) {
        let mut after = After::Any;
        let mut words = Vec::new();
        for token in tokens(text).into_iter().chain([Token::Operator(";")]) {
            match token {
                Token::Word { text, is_expanded } => words.push((text, is_expanded)),
                Token::Operator(operator) => {
                    if !words.is_empty() {
                        self.simple(after, &std::mem::take(&mut words));
                    }
                    after = match operator {
                        "&&" => After::Success,
                        "||" => After::Failure,
                        _ => After::Any,
                    };
                }
            }
        }
    }

    fn simple(&mut self, after: After, words: &[Word]) {
        let first = words[0].0.as_str();
        if first == "}" {
            self.is_in_skipped_group = false;
            return;
        }
        let is_run = match after {
            _ if self.is_in_skipped_group => Some(false),
            After::Any => Some(true),
            After::Success => self.status,
            After::Failure => self.status.map(|status| !status),
        };
        let kept_by = (is_run == Some(false)).then(|| self.test.clone());
        let Reading { calls, scripts, read, folders } = &self.found;
        let (calls, scripts, read, folders) = (calls.len(), scripts.len(), read.len(), folders.len());
        self.command(words, kept_by.as_ref());
        if kept_by.is_some() {
            self.is_in_skipped_group |= first == "{";
            self.found.scripts.truncate(scripts);
            self.found.read.truncate(read);
            self.found.folders.truncate(folders);
            return;
        }
        self.status = None;
        let texts: Vec<_> = words.iter().map(|(text, _)| text.as_str()).filter(|text| *text != "]").collect();
        match texts[..] {
            ["[" | "test", "!", how, file] => self.status = (self.is_true)(how, file).map(|holds| !holds),
            ["[" | "test", how, file] => self.status = (self.is_true)(how, file),
            ["true" | ":" | "cd" | "export" | "umask" | "set" | "sleep", ..] => self.status = Some(true),
            _ => {}
        }
        if self.status.is_some() && self.found.calls.len() == calls {
            self.test = words.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(" ");
        }
    }

    /// One command with its words.
    fn command(&mut self, words: &[Word], kept_by: Option<&String>) {
        let mut words = words;
        while let Some(((first, _), rest)) = words.split_first()
            && KEYWORDS.contains(&first.as_str())
        {
            words = rest;
        }
        let is_filled_in = words.iter().take_while(|(word, _)| assignment(word).is_some()).any(|(_, filled)| *filled);
        let (variables, words) = assignments(words);
        let Some(((first, _), rest)) = words.split_first() else {
            return;
        };
        let (doubt, other_user) = (self.doubt, self.other_user.clone());
        if is_filled_in {
            self.doubt = Some(FILLED_IN);
        }
        match base(first) {
            PROGRAM => self.call(words, variables, kept_by),
            "." | "source" | "eval" => {
                self.doubt = Some(FROM_ELSEWHERE);
                return;
            }
            "export" => {
                let is_filled_in = rest.iter().any(|(_, filled)| *filled);
                self.exported.extend(assignments(rest).0);
                self.doubt = self.doubt.or(is_filled_in.then_some(FILLED_IN));
                return;
            }
            "cd" => self.folder = rest.first().map(|(folder, _)| folder.clone()),
            "run-parts" => self.found.folders.extend(rest.last().map(|(folder, _)| folder.clone())),
            runner if RUNNERS.contains(&runner) => self.handed_on(words, variables, kept_by),
            changer if other_user::CHANGERS.contains(&changer) => {
                self.doubt = Some("runs it as another user");
                self.other_user = OtherUser::of(changer, rest);
                self.handed_on(rest, variables, kept_by);
            }
            _ if first.starts_with('/') => self.found.scripts.push(first.clone()),
            _ => {}
        }
        (self.doubt, self.other_user) = (doubt, other_user);
    }

    /// What a runner is given: a command's words, or a command as one word after `-c`.
    fn handed_on(&mut self, words: &[Word], mut variables: Variables, kept_by: Option<&String>) {
        let mut is_shell = false;
        for (at, (word, _)) in words.iter().enumerate() {
            if SHELLS.contains(&base(word)) {
                is_shell = true;
                if words.get(at + 1).is_some_and(|(option, _)| is_login(option)) {
                    self.doubt = Some(FROM_ELSEWHERE);
                }
                continue;
            }
            // The package's user has the program's name.
            let is_user = self.other_user.is_some() && word == PROGRAM && other_user::runs_it(&words[at + 1..]);
            if base(word) == PROGRAM && !is_user {
                variables.extend(words[..at].iter().filter_map(|(word, _)| assignment(word)));
                return self.call(&words[at..], variables, kept_by);
            }
            if word.contains(PROGRAM) && word.contains(char::is_whitespace) {
                return self.read(word);
            }
            if word.starts_with('/') && !word.starts_with("/var/") && !word.starts_with("/run/") {
                let scripts = if is_shell { &mut self.found.read } else { &mut self.found.scripts };
                scripts.push(word.clone());
            }
        }
    }

    fn call(&mut self, words: &[Word], variables: Variables, kept_by: Option<&String>) {
        let is_expanded = words.iter().any(|(_, is_expanded)| *is_expanded);
        self.found.calls.push(Call {
            words: words.iter().map(|(text, _)| text.clone()).collect(),
            variables: self.exported.iter().cloned().chain(variables).collect(),
            folder: self.folder.clone(),
            doubt: self.doubt.or(is_expanded.then_some(FILLED_IN)),
            kept_by: kept_by.cloned(),
            other_user: self.other_user.clone(),
        });
    }
}

/// Whether a shell's option has it read what a login or a person's shell reads (`-l`, `-lc`, `-i`).
fn is_login(option: &str) -> bool {
    option == "--login" || (option.starts_with('-') && !option.starts_with("--") && option.contains(['l', 'i']))
}

/// The assignments at the beginning, and the words behind them.
fn assignments(words: &[Word]) -> (Variables, &[Word]) {
    let count = words.iter().take_while(|(word, _)| assignment(word).is_some()).count();
    (words[..count].iter().filter_map(|(word, _)| assignment(word)).collect(), &words[count..])
}

fn assignment(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (is_name && !name.starts_with(|c: char| c.is_ascii_digit())).then(|| (name.into(), value.into()))
}

#[cfg(test)]
mod tests;

//! Finds in a command for the shell where it runs `pulse-echo`.
//!
//! It reads what people write into crontabs, and no more of the shell than that: words, quotes, `&&`, `||`, tests of
//! files, and programs that run others.

use super::words::{Token, tokens};

/// The program.
pub const PROGRAM: &str = "pulse-echo";

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

/// Programs that run it as another user.
const USER_CHANGERS: [&str; 8] = ["chpst", "doas", "gosu", "runuser", "setpriv", "setuidgid", "su", "sudo"];

/// Words before a command.
const KEYWORDS: [&str; 11] = ["!", "do", "elif", "else", "fi", "done", "if", "then", "until", "while", "{"];

/// A word, and whether the shell fills something into it.
type Word = (String, bool);

type Variables = Vec<(String, String)>;

const FILLED_IN: &str = "has something that the shell fills in";

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
}

/// What a command runs.
#[derive(Debug, Default, PartialEq)]
pub struct Reading {
    /// The program.
    pub calls: Vec<Call>,
    /// Programs given by their whole paths, which may be scripts that run it.
    pub scripts: Vec<String>,
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
        let (calls, scripts, folders) = (self.found.calls.len(), self.found.scripts.len(), self.found.folders.len());
        self.command(words, kept_by.as_ref());
        if kept_by.is_some() {
            self.is_in_skipped_group |= first == "{";
            self.found.scripts.truncate(scripts);
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
        let doubt = self.doubt;
        if is_filled_in {
            self.doubt = Some(FILLED_IN);
        }
        match base(first) {
            PROGRAM => self.call(words, variables, kept_by),
            "." | "source" | "eval" => {
                self.doubt = Some("reads its variables from elsewhere");
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
            runner if RUNNERS.contains(&runner) || USER_CHANGERS.contains(&runner) => {
                if USER_CHANGERS.contains(&runner) {
                    self.doubt = Some("runs it as another user");
                }
                self.handed_on(rest, variables, kept_by);
            }
            _ if first.starts_with('/') => self.found.scripts.push(first.clone()),
            _ => {}
        }
        self.doubt = doubt;
    }

    /// What a runner is given: a command's words, or a command as one word after `-c`.
    fn handed_on(&mut self, words: &[Word], mut variables: Variables, kept_by: Option<&String>) {
        for (at, (word, _)) in words.iter().enumerate() {
            if base(word) == PROGRAM {
                variables.extend(words[..at].iter().filter_map(|(word, _)| assignment(word)));
                return self.call(&words[at..], variables, kept_by);
            }
            if word.contains(PROGRAM) && word.contains(char::is_whitespace) {
                return self.read(word);
            }
            if word.starts_with('/') && !word.starts_with("/var/") && !word.starts_with("/run/") {
                self.found.scripts.push(word.clone());
            }
        }
    }

    fn call(&mut self, words: &[Word], variables: Variables, kept_by: Option<&String>) {
        // What stands behind `--` is a job's, which is not tried out.
        let mut own = words.iter().take_while(|(word, _)| word != "--");
        let is_expanded = own.any(|(_, is_expanded)| *is_expanded);
        self.found.calls.push(Call {
            words: words.iter().map(|(text, _)| text.clone()).collect(),
            variables: self.exported.iter().cloned().chain(variables).collect(),
            folder: self.folder.clone(),
            doubt: self.doubt.or(is_expanded.then_some(FILLED_IN)),
            kept_by: kept_by.cloned(),
        });
    }
}

/// The last part of a path.
fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
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
mod tests {
    use super::*;

    fn reading(text: &str) -> Reading {
        read(text, &|how, file| match (how, file) {
            ("-e" | "-x" | "-d", file) => Some(file.starts_with("/there")),
            _ => None,
        })
    }

    fn calls(text: &str) -> Vec<String> {
        reading(text).calls.iter().map(|call| call.words.join(" ")).collect()
    }

    #[test]
    fn the_program_is_found_where_it_is_run_and_nowhere_else() {
        let sends = "/usr/bin/pulse-echo send -q";
        for text in [
            "/usr/bin/pulse-echo send -q",
            "  /usr/bin/pulse-echo send -q >/dev/null 2>&1",
            "/usr/bin/pulse-echo send -q &>/dev/null",
            "/usr/bin/pulse-echo send -q > /dev/null 2> /tmp/x &",
            "cd /x && A=b /usr/bin/pulse-echo send -q || logger failed",
            "nice -n 10 /usr/bin/pulse-echo send -q",
            "timeout 60 nice /usr/bin/pulse-echo send -q",
            "flock -n /run/lock/x /usr/bin/pulse-echo send -q",
            "flock -n /run/lock/x -c '/usr/bin/pulse-echo send -q'",
            "sh -c \"sleep 5; /usr/bin/pulse-echo send -q\"",
            "env A=b /usr/bin/pulse-echo send -q",
            "sudo -u web /usr/bin/pulse-echo send -q",
            "(sleep 30; /usr/bin/pulse-echo 'send' \"-q\")",
            "if [ -x /x ]; then /usr/bin/pulse-echo send -q; fi",
            "exec /usr/bin/pulse-echo send -q # every ten minutes",
            "#!/bin/sh\nset -e\n/usr/bin/pulse-echo \\\n send -q\n",
        ] {
            assert_eq!(calls(text), [sends], "{text}");
        }
        for text in [
            "echo /usr/bin/pulse-echo send",
            "logger -t pulse-echo send",
            "# /usr/bin/pulse-echo send",
            "rm /tmp/pulse-echo send",
            "pulse-echo.sh send",
            "send --quiet",
        ] {
            assert_eq!(calls(text), [] as [&str; 0], "{text}");
        }
    }

    #[test]
    fn a_test_that_keeps_it_from_being_run_is_named() {
        for (text, kept_by) in [
            ("[ -e /there ] && pulse-echo send", None),
            ("[ -e /gone ] && pulse-echo send", Some("[ -e /gone ]")),
            ("test -x /gone && pulse-echo send", Some("test -x /gone")),
            ("[ ! -e /gone ] || pulse-echo send", Some("[ ! -e /gone ]")),
            ("[ -d /there ] && [ -e /gone ] || [ ! -e /there ] || pulse-echo send", None),
            ("[ -d /there ] && [ -e /there2 ] || [ ! -e /there ] || pulse-echo send", Some("[ -e /there2 ]")),
            ("[ -d /gone ] && [ -e /there2 ] || [ ! -e /there ] || pulse-echo send", None),
            ("[ -e /gone ]; pulse-echo send", None),
            ("[ \"$A\" = b ] && pulse-echo send", None),
            ("cd / && pulse-echo send", None),
            ("true || pulse-echo send", Some("true")),
            ("[ -e /there ] || { cd / && pulse-echo send; }", Some("[ -e /there ]")),
            ("[ -e /there ] || (cd / && pulse-echo send)", Some("[ -e /there ]")),
            ("[ -e /there ] || { true; }; pulse-echo send", None),
            ("[ -e /there ] && (cd / && pulse-echo send)", None),
        ] {
            let calls = reading(text).calls;
            assert_eq!(calls.len(), 1, "{text}");
            assert_eq!(calls[0].kept_by.as_deref(), kept_by, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_tried_out_is_known_and_variables_are_kept() {
        for (text, doubt) in [
            ("pulse-echo --host \"$(hostname -f)\" send", "fills in"),
            ("pulse-echo --host `hostname` send", "fills in"),
            (". /etc/profile; pulse-echo send", "from elsewhere"),
            ("su web -c 'pulse-echo send'", "another user"),
        ] {
            let calls = reading(text).calls;
            assert!(calls[0].doubt.is_some_and(|found| found.contains(doubt)), "{text}: {calls:?}");
        }
        let call = &reading("export A=b; C=d env E=f pulse-echo --host 'a$b' send").calls[0];
        let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
        assert_eq!(call.variables, [pair("A", "b"), pair("C", "d"), pair("E", "f")]);
        assert_eq!((call.doubt, call.words.join(" ").as_str()), (None, "pulse-echo --host a$b send"));
    }

    #[test]
    fn scripts_and_folders_of_scripts_are_named() {
        let found = reading("cd / && run-parts --report /etc/cron.hourly");
        assert_eq!(found.folders, ["/etc/cron.hourly"]);
        assert_eq!(reading("test -x /gone || { cd / && run-parts /x; }").folders, ["/x"]);
        assert_eq!(reading("test -x /there || { cd / && run-parts /x; }").folders, [] as [&str; 0]);
        assert_eq!(reading("nice /usr/local/bin/pulse.sh --now").scripts, ["/usr/local/bin/pulse.sh"]);
    }
}

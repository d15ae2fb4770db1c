//! A command that will run, with all that it gets.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::context::Context;
use super::in_root;
use super::other_user::OtherUser;
use super::shell::Call;
use super::times::{self, Times};
use super::users::{self, User};
use crate::args::{self, Parsed, Send};
use pulse_echo_core::words;

const TIMER: &str = "pulse-echo.timer";

/// The programs of accounts that nobody may log in to.
const NO_SHELLS: [&str; 2] = ["nologin", "false"];

/// A command that will run.
#[derive(Debug)]
pub struct Job {
    /// What runs it: `cron, by /etc/cron.d/pulse-echo`.
    pub by: String,
    /// The user that it runs as.
    pub user: User,
    /// Its whole environment.
    pub variables: Vec<(String, String)>,
    /// The folder that it runs in.
    pub folder: String,
    /// The program's path, and the arguments.
    pub words: Vec<String>,
    /// Why it cannot be tried out as it stands: the end of a sentence about the line.
    pub doubt: Option<&'static str>,
    /// When it runs.
    pub times: Times,
    /// What it is told to send.
    pub options: Send,
}

impl Job {
    /// Whether another job runs the same in the same way, at other times.
    pub fn is_like(&self, other: &Self) -> bool {
        let Self { user, variables, folder, words, .. } = self;
        *user == other.user && *variables == other.variables && *folder == other.folder && *words == other.words
    }
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { by, user, times, .. } = self;
        write!(f, "{by} as {}", user.name)?;
        match (times, times::longest_gap(std::iter::once(times))) {
            (Times::Unknown(expression), _) => write!(f, ", at times that are not compared ({expression})"),
            (_, Some(gap)) => write!(f, ", every {}", words::duration(gap)),
            (_, None) => Ok(()),
        }
    }
}

/// `None` if it does not send. The error says why it will not run, and what to do.
pub fn of_call(root: &Path, today: i64, call: &Call, context: &Context) -> Result<Option<Job>, String> {
    let options = match sending(call) {
        Some(Ok(options)) => options,
        Some(Err(wrong)) => return Err(format!("the command is wrong: {wrong}")),
        None => return Ok(None),
    };
    let name = &context.user;
    let user = users::find(root, name).ok_or_else(|| format!("there is no user {name}: create or name another"))?;
    if let Some(kept_by) = &call.kept_by {
        let so_far = if kept_by.contains(TIMER) { "; the timer sends instead" } else { "" };
        return Err(format!(
            "its own test keeps it from sending now: {kept_by}{so_far}; make that true, or take it out"
        ));
    }
    if let Some(why) = users::is_shut(root, name, today) {
        return Err(why);
    }
    if matches!(context.times, Times::Fields(_)) && times::longest_gap(std::iter::once(&context.times)).is_none() {
        return Err("its times never come: there is no such day".into());
    }
    let user = match &call.other_user {
        Some(other) => as_other(root, other)?,
        None => user,
    };
    let mut variables = context.variables.clone();
    let shell = value(&variables, "SHELL").unwrap_or("/bin/sh").to_string();
    if lets_nobody_in(&shell) || (root.join("bin").exists() && !in_root(root, &shell).exists()) {
        return Err(format!("SHELL={shell} runs no command: set SHELL=/bin/sh above the line"));
    }
    variables.extend(call.variables.iter().cloned());
    let home = value(&variables, "HOME").unwrap_or(&user.home).to_string();
    let path = value(&variables, "PATH").unwrap_or(context.path).to_string();
    let folder = call.folder.clone().unwrap_or(home);
    let mut words = call.words.clone();
    words[0] = program(root, &words[0], &path, &folder)?;
    Ok(Some(Job {
        by: context.by.clone(),
        user,
        variables,
        folder,
        words,
        doubt: call.doubt,
        times: context.times.clone(),
        options,
    }))
}

/// The user that the command itself changes to.
fn as_other(root: &Path, other: &OtherUser) -> Result<User, String> {
    let name = &other.name;
    let user = users::find(root, name)
        .ok_or_else(|| format!("it runs as {name}, and there is no such user: create or name another"))?;
    if other.by_own_shell && lets_nobody_in(&user.shell) {
        return Err(format!(
            "it goes to the shell of {name}, which is {} and lets nobody in: add -s /bin/sh",
            user.shell
        ));
    }
    Ok(user)
}

fn lets_nobody_in(shell: &str) -> bool {
    NO_SHELLS.contains(&shell.rsplit('/').next().unwrap_or_default())
}

/// The whole path of the program that runs.
fn program(root: &Path, word: &str, path: &str, folder: &str) -> Result<String, String> {
    let can_run = |file: &str| {
        let metadata = fs::metadata(in_root(root, file));
        metadata.is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o111 != 0)
    };
    if word.contains('$') {
        return Ok(word.into());
    }
    if word.contains('/') {
        let whole = if word.starts_with('/') { word.to_string() } else { format!("{folder}/{word}") };
        return if can_run(&whole) { Ok(whole) } else { Err(format!("there is no program {whole}: {}", write_path())) };
    }
    let found = path.split(':').map(|folder| format!("{}/{word}", folder.trim_end_matches('/'))).find(|f| can_run(f));
    found.ok_or_else(|| format!("it finds no {word} in its PATH {path}: {}", write_path()))
}

fn write_path() -> String {
    format!("write the program's whole path, {}", own_path())
}

/// The whole path of this program.
pub fn own_path() -> String {
    let own = std::env::current_exe().unwrap_or_else(|_| "/usr/bin/pulse-echo".into());
    own.display().to_string()
}

/// The last value counts, as in cron.
pub fn value<'a>(variables: &'a [(String, String)], name: &str) -> Option<&'a str> {
    variables.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Whether a call sends, or is meant to.
pub fn is_sending(call: &Call) -> bool {
    sending(call).is_some()
}

/// What a call sends; `None` if it does something else. The error says what is wrong with its arguments.
fn sending(call: &Call) -> Option<Result<Send, String>> {
    let is_meant = call.words.iter().any(|word| word == "send");
    match args::parse(call.words[1..].iter().map(OsString::from)) {
        Parsed::Arguments(arguments) => match arguments.command {
            args::Command::Send(send) if !send.retire && !send.dry_run => Some(Ok(send)),
            _ => None,
        },
        Parsed::Wrong { message, .. } if is_meant => Some(Err(message)),
        Parsed::Wrong { .. } | Parsed::Text(_) => None,
    }
}

//! What starts `pulse-echo send` and `pulse-echo exec` here, and what would start them but for a mistake.
//!
//! It reads what cron reads, as cron reads it: another file, another line or another user than cron takes would be a
//! wrong answer.

mod commands;
mod context;
mod crontab;
mod daemon;
mod fit;
mod job;
mod other_user;
mod places;
mod shell;
mod timer;
mod times;
pub mod users;
mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use context::Context;
use crontab::{Crontab, Line};
use daemon::Dialect;
use job::is_sending;
use places::{CRON_FILE, Place};
use shell::Call;
use times::Times;
use words::PROGRAM;

pub use fit::misfits;
pub use job::{Job, Task};

const TIMER: &str = "pulse-echo.timer";
const TIMER_UNITS: [&str; 2] = ["usr/lib/systemd/system/pulse-echo.timer", "lib/systemd/system/pulse-echo.timer"];
const ENABLE_TIMER: &str = "systemctl enable --now pulse-echo.timer";

/// How a line that runs a job is known before it is read.
const OF_A_JOB: &str = "pulse-echo exec";

/// Where systemd looks for programs.
const SYSTEMD_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What starts `pulse-echo send` and `pulse-echo exec`.
#[derive(Debug, Default)]
pub struct Schedule {
    /// What will run.
    pub jobs: Vec<Job>,
    /// What would run but for a mistake: each with its remedy.
    pub faults: Vec<String>,
    /// The same of what runs a job.
    pub faults_of_jobs: Vec<String>,
}

/// Finds what starts the agent on this machine, on this day since 1970. A line to write has these
/// options.
pub fn find(today: i64, options: &[String]) -> Schedule {
    find_in(Path::new("/"), today, options, &timer_runs)
}

/// The same for the machine whose files are in `root`.
fn find_in(root: &Path, today: i64, options: &[String], timer_runs: &dyn Fn(&str) -> Option<bool>) -> Schedule {
    let mut finder = Finder { root, today, options, schedule: Schedule::default(), is_of_job: false };
    if root.join("run/systemd/system").exists() {
        finder.timers(timer_runs);
    }
    let running = daemon::running(root);
    let dialect = running.unwrap_or_else(|| daemon::installed(root));
    for place in places::all(root, dialect) {
        finder.crontab(&place, dialect, running.is_some());
    }
    finder.anacron(dialect);
    let sends = finder.schedule.jobs.iter().any(|job| job.task.send().is_some());
    if !sends && finder.schedule.faults.is_empty() {
        finder.schedule.faults.push(nothing(root, options, running.is_some()));
    }
    finder.schedule
}

fn nothing(root: &Path, options: &[String], cron_runs: bool) -> String {
    let line = format!("write this line into /{CRON_FILE}: {}", own_line(options));
    // The package's timer reads the package's configuration.
    let timer_helps = options.is_empty() && TIMER_UNITS.into_iter().any(|unit| root.join(unit).exists());
    let remedy = match (timer_helps, cron_runs) {
        (true, true) => format!("{line}; or {ENABLE_TIMER}"),
        (true, false) => ENABLE_TIMER.into(),
        (false, _) => line,
    };
    let unread = if rustix::process::geteuid().is_root() { "" } else { " that this user may read" };
    format!("nothing runs pulse-echo send: no crontab{unread} and no timer does; {remedy}")
}

/// The package's line, for this program, wherever it is installed.
fn own_line(options: &[String]) -> String {
    let options: Vec<_> = options.iter().map(|option| format!(" {}", cron_word(option))).collect();
    format!("*/10 * * * * root {}{} send --quiet --splay 120", job::own_path(), options.concat())
}

/// A word as cron and the shell take it.
fn cron_word(word: &str) -> String {
    if word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''").replace('%', r"\%"))
}

/// Whether a timer runs under systemd; `None` if systemd cannot be asked.
fn timer_runs(timer: &str) -> Option<bool> {
    let mut systemctl = Command::new("systemctl");
    systemctl.args(["is-active", "--quiet", timer]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Code 3 means not active; other codes mean that systemd could not tell.
    match systemctl.status().ok()?.code()? {
        0 => Some(true),
        3 => Some(false),
        _ => None,
    }
}

struct Finder<'a> {
    root: &'a Path,
    today: i64,
    /// The options of a line to write.
    options: &'a [String],
    schedule: Schedule,
    /// Whether what is read now speaks of a job.
    is_of_job: bool,
}

impl Finder<'_> {
    fn timers(&mut self, timer_runs: &dyn Fn(&str) -> Option<bool>) {
        self.is_of_job = false;
        for timer in timer::enabled(self.root) {
            let user = &timer.user;
            let home = users::find(self.root, user).map_or_else(|| "/".into(), |user| user.home);
            let variables = [("PATH", SYSTEMD_PATH), ("HOME", &home), ("LOGNAME", user), ("USER", user)];
            let variables = variables.map(|(name, value)| (name.to_string(), value.to_string()));
            let context = || Context {
                by: format!("systemd's timer {}", timer.name),
                at: timer.name.clone(),
                user: user.clone(),
                times: timer.times.clone(),
                variables: variables.iter().chain(&timer.variables).cloned().collect(),
                path: SYSTEMD_PATH,
            };
            let calls: Vec<_> = timer
                .commands
                .iter()
                .flat_map(|command| commands::read(self.root, command, Dialect::Debian).0)
                .collect();
            // A unit that is masked says nothing any more.
            let is_ours = timer.name == TIMER && timer.is_masked;
            if !is_ours && !calls.iter().any(is_sending) {
                continue;
            }
            let name = &timer.name;
            // The package's cron line looks at the same link.
            let instead = format!(
                "which keeps the package's line for cron from sending, too: systemctl unmask {name}; systemctl start \
                 {name}"
            );
            if timer.is_masked {
                self.fault(format!("the timer {name} is enabled but masked, {instead}"));
            } else if timer_runs(name) == Some(false) {
                self.fault(format!("the timer {name} is enabled but does not run, {instead}"));
            } else {
                for call in &calls {
                    self.take(call, &context());
                }
            }
        }
    }

    /// anacron's lines: `DAYS DELAY NAME COMMAND`. cron or systemd start it once a day or oftener.
    fn anacron(&mut self, dialect: Dialect) {
        let text = fs::read_to_string(self.root.join("etc/anacrontab")).unwrap_or_default();
        if !self.root.join("usr/sbin/anacron").exists() {
            return;
        }
        for (at, line) in text.lines().enumerate() {
            let words: Vec<_> = line.splitn(4, char::is_whitespace).collect();
            let [days, _, _, command] = words[..] else { continue };
            let days = match days {
                "@daily" => 1,
                "@weekly" => 7,
                "@monthly" => 31,
                days => days.parse().unwrap_or_default(),
            };
            let (calls, faults) =
                if days > 0 { commands::read(self.root, command, dialect) } else { Default::default() };
            self.schedule.faults.extend(faults);
            for call in calls.iter().filter(|call| is_sending(call)) {
                let variables =
                    [("HOME", "/root"), ("SHELL", "/bin/sh"), ("PATH", dialect.path()), ("LOGNAME", "root")];
                self.take(
                    call,
                    &Context {
                        by: "anacron, by /etc/anacrontab".into(),
                        at: format!("/etc/anacrontab:{}", at + 1),
                        user: "root".into(),
                        times: Times::Every(Duration::from_secs(days * 86_400)),
                        variables: variables.map(|(name, value)| (name.into(), value.into())).into(),
                        path: dialect.path(),
                    },
                );
            }
        }
    }

    fn crontab(&mut self, place: &Place, dialect: Dialect, is_running: bool) {
        self.is_of_job = place.text.contains(OF_A_JOB);
        let is_user = |name: &str| users::find(self.root, name).is_some();
        let crontab = Crontab::read(&place.text, place.user.is_none(), dialect, &is_user);
        let file = &place.shown;
        let mut calls = Vec::new();
        let mut hidden = Vec::new();
        for line in &crontab.lines {
            let (found, scripts_faults) = commands::read(self.root, &line.command, dialect);
            calls.extend(found.into_iter().filter(is_sending).map(|call| (line, call)));
            hidden.extend(scripts_faults);
        }
        let is_own = *file == format!("/{CRON_FILE}");
        if calls.is_empty() && hidden.is_empty() && !mentions(&place.text) {
            if let (true, Some(fault), Dialect::Debian) = (is_own, crontab.faults.first(), dialect) {
                self.fault(format!("cron ignores {file}, all of it, for line {}: {}", fault.number, fault.why));
            } else if is_own {
                self.fault(format!(
                    "/{CRON_FILE} has no line that sends, or only as a comment: take the # away, or write {}",
                    own_line(self.options)
                ));
            }
            return;
        }
        if let Some(why) = &place.refused {
            return self.fault(format!("cron ignores {file}: {why}"));
        }
        let why = |fault: &crontab::Fault| match fault.why.as_str() {
            crontab::NO_NEWLINE => format!("{}: echo >>{file}{}", fault.why, place.and_read_anew()),
            why => why.into(),
        };
        if let Some(fault) = crontab.faults.first().filter(|_| dialect == Dialect::Debian) {
            return self.fault(format!("cron ignores {file}, all of it, for line {}: {}", fault.number, why(fault)));
        }
        let lines: Vec<_> = place.text.lines().collect();
        for fault in crontab.faults.iter().filter(|fault| mentions(lines[fault.number - 1])) {
            self.fault(format!("cron ignores {file}:{}: {}", fault.number, why(fault)));
        }
        let is_explained = !hidden.is_empty() || !crontab.faults.is_empty();
        self.schedule.faults.extend(hidden);
        if calls.is_empty() && !is_explained {
            self.fault(unread(file, &lines, &crontab));
        }
        if !is_running && !calls.is_empty() {
            return self.fault(format!("{file} is there, but no cron daemon runs: {}", self.start_cron()));
        }
        for (line, call) in &calls {
            self.take(call, &context::of_line(self.root, place, line, dialect));
        }
    }

    fn start_cron(&self) -> String {
        let is_there = |file: &str| self.root.join(file).exists();
        let start = match (is_there("usr/sbin/cron"), is_there("usr/sbin/crond")) {
            (true, _) => "systemctl enable --now cron",
            (_, true) => "systemctl enable --now crond",
            _ => "install cron (apt install cron, dnf install cronie)",
        };
        let has_timer = TIMER_UNITS.into_iter().any(is_there);
        if has_timer { format!("{start}, or {ENABLE_TIMER}") } else { start.into() }
    }

    /// Takes a call as a job, unless it is known not to work.
    fn take(&mut self, call: &Call, context: &Context) {
        let at = &context.at;
        self.is_of_job = call.words.iter().any(|word| word == "exec");
        match job::of_call(self.root, self.today, call, context) {
            Ok(None) => {}
            Ok(Some(job)) => self.schedule.jobs.push(job),
            Err(why) => self.fault(format!("{at}: {why}")),
        }
    }

    fn fault(&mut self, fault: String) {
        let faults = if self.is_of_job { &mut self.schedule.faults_of_jobs } else { &mut self.schedule.faults };
        faults.push(fault);
    }
}

/// Why a file that speaks of sending does not send.
fn unread(file: &str, lines: &[&str], crontab: &Crontab) -> String {
    let number = lines.iter().position(|line| mentions(line)).map_or(1, |at| at + 1);
    let is_cut = crontab.lines.iter().any(|line| line.number == number && line.is_cut);
    let what = if lines[number - 1].contains(OF_A_JOB) { "exec" } else { "send" };
    let is_user = |line: &Line| line.user.as_deref() == Some(PROGRAM) && line.command.starts_with(what);
    let why = if crontab.lines.iter().any(|line| line.number == number && is_user(line)) {
        crontab::TAKEN_FOR_USER.into()
    } else if is_cut {
        "cron ends the command at the first %: write \\% for a %".into()
    } else {
        format!("its command is not pulse-echo {what}; write it as the command of the line")
    };
    format!("{file}:{number} does not run pulse-echo {what}: {why}")
}

/// The names of what is in a folder, sorted.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

/// A path of the machine whose files are in `root`.
fn in_root(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// Whether a text speaks of sending, other than in a comment.
fn mentions(text: &str) -> bool {
    let is_meant = |line: &str| line.contains(" send") || line.contains(OF_A_JOB);
    let of_line = |line: &str| !line.trim_start().starts_with('#') && line.contains(PROGRAM) && is_meant(line);
    text.lines().any(of_line)
}

#[cfg(test)]
mod tests;

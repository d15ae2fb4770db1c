//! What starts `pulse-echo send` here, and what would start it but for a mistake.
//!
//! It reads what cron reads, as cron reads it: another file, another line or another user than cron takes would be a
//! wrong answer.

mod crontab;
mod daemon;
mod fit;
mod places;
mod shell;
mod timer;
mod times;
pub mod users;

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::args::{self, Parsed, Send};
use crontab::{Crontab, Line};
use daemon::Dialect;
use places::{CRON_FILE, Place};
use pulse_echo_core::words;
use shell::{Call, PROGRAM, Reading};
use times::Times;
use users::User;

pub use fit::misfits;

const TIMER: &str = "pulse-echo.timer";
const TIMER_UNITS: [&str; 2] = ["usr/lib/systemd/system/pulse-echo.timer", "lib/systemd/system/pulse-echo.timer"];
const ENABLE_TIMER: &str = "systemctl enable --now pulse-echo.timer";
const OWN_LINE: &str = "*/10 * * * * root /usr/bin/pulse-echo send --quiet --splay 120";

/// Where systemd looks for programs.
const SYSTEMD_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The programs of accounts that nobody may log in to.
const NO_SHELLS: [&str; 2] = ["nologin", "false"];

/// What starts `pulse-echo send`.
#[derive(Debug, Default)]
pub struct Schedule {
    /// What will run.
    pub jobs: Vec<Job>,
    /// What would run but for a mistake: each with its remedy.
    pub faults: Vec<String>,
}

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
        let what = |job: &Self| (job.user.clone(), job.variables.clone(), job.folder.clone(), job.words.clone());
        what(self) == what(other)
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

/// Finds what starts the agent on this machine, on this day since 1970.
pub fn find(today: i64) -> Schedule {
    find_in(Path::new("/"), today, &timer_runs)
}

/// The same for the machine whose files are in `root`.
fn find_in(root: &Path, today: i64, timer_runs: &dyn Fn(&str) -> Option<bool>) -> Schedule {
    let mut finder = Finder { root, today, schedule: Schedule::default() };
    if root.join("run/systemd/system").exists() {
        finder.timers(timer_runs);
    }
    let running = daemon::running(root);
    let dialect = running.unwrap_or_else(|| daemon::installed(root));
    for place in places::all(root, dialect) {
        finder.crontab(&place, dialect, running.is_some());
    }
    finder.anacron(dialect);
    if finder.schedule.jobs.is_empty() && finder.schedule.faults.is_empty() {
        finder.schedule.faults.push(nothing(root, running.is_some()));
    }
    finder.schedule
}

fn nothing(root: &Path, cron_runs: bool) -> String {
    let line = format!("write this line into /{CRON_FILE}: {OWN_LINE}");
    let is_package = TIMER_UNITS.into_iter().any(|unit| root.join(unit).exists());
    let remedy = match (is_package, cron_runs) {
        (true, true) => format!("{line}; or {ENABLE_TIMER}"),
        (true, false) => ENABLE_TIMER.into(),
        (false, _) => line,
    };
    let unread = if rustix::process::geteuid().is_root() { "" } else { " that this user may read" };
    format!("nothing runs pulse-echo send: no crontab{unread} and no timer does; {remedy}")
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

/// Where a call stands, and what it gets from there.
struct Context {
    /// What runs it: `cron, by FILE`.
    by: String,
    /// Where to mend it: `FILE:LINE`.
    at: String,
    user: String,
    times: Times,
    variables: Vec<(String, String)>,
    /// Where programs are looked for, unless the variables say otherwise.
    path: &'static str,
}

struct Finder<'a> {
    root: &'a Path,
    today: i64,
    schedule: Schedule,
}

impl Finder<'_> {
    fn timers(&mut self, timer_runs: &dyn Fn(&str) -> Option<bool>) {
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
            let calls: Vec<_> =
                timer.commands.iter().flat_map(|command| self.read(command, Dialect::Debian).0).collect();
            // A unit that is masked says nothing any more.
            let is_ours = timer.name == TIMER && timer.is_masked;
            if !is_ours && !calls.iter().any(is_sending) {
                continue;
            }
            let name = &timer.name;
            // The package's cron line looks at the same link.
            let instead = format!(
                "which keeps the package's line for cron from sending, too: systemctl unmask {name}; systemctl start {name}"
            );
            if timer.is_masked {
                self.fault(format!("the timer {name} is enabled but masked, {instead}"));
            } else if timer_runs(name) == Some(false) {
                self.fault(format!("the timer {name} is enabled but does not run, {instead}"));
            } else {
                for call in &calls {
                    self.take(call, context());
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
            let (calls, faults) = if days > 0 { self.read(command, dialect) } else { Default::default() };
            faults.into_iter().for_each(|fault| self.fault(fault));
            for call in calls.iter().filter(|call| is_sending(call)) {
                let variables =
                    [("HOME", "/root"), ("SHELL", "/bin/sh"), ("PATH", dialect.path()), ("LOGNAME", "root")];
                self.take(
                    call,
                    Context {
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
        let is_user = |name: &str| users::find(self.root, name).is_some();
        let crontab = Crontab::read(&place.text, place.user.is_none(), dialect, &is_user);
        let file = &place.shown;
        let mut calls = Vec::new();
        let mut hidden = Vec::new();
        for line in &crontab.lines {
            let (found, scripts_faults) = self.read(&line.command, dialect);
            calls.extend(found.into_iter().filter(is_sending).map(|call| (line, call)));
            hidden.extend(scripts_faults);
        }
        let is_own = *file == format!("/{CRON_FILE}");
        if calls.is_empty() && hidden.is_empty() && !mentions(&place.text) {
            if is_own {
                self.fault(format!(
                    "/{CRON_FILE} has no line that sends, or only as a comment: take the # away, or write {OWN_LINE}"
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
        for why in hidden {
            self.fault(why);
        }
        if calls.is_empty() && !is_explained {
            self.fault(self.unread(file, &lines, &crontab));
        }
        if !is_running && !calls.is_empty() {
            return self.fault(format!("{file} is there, but no cron daemon runs: {}", self.start_cron()));
        }
        for (line, call) in &calls {
            self.take(call, self.context(place, line, dialect));
        }
    }

    /// Why a file that speaks of sending does not send.
    fn unread(&self, file: &str, lines: &[&str], crontab: &Crontab) -> String {
        let number = lines.iter().position(|line| mentions(line)).map_or(1, |at| at + 1);
        let is_cut = crontab.lines.iter().any(|line| line.number == number && line.is_cut);
        let is_user = |line: &Line| line.user.as_deref() == Some(PROGRAM) && line.command.starts_with("send");
        let why = if crontab.lines.iter().any(|line| line.number == number && is_user(line)) {
            crontab::TAKEN_FOR_USER
        } else if is_cut {
            "cron ends the command at the first %: write \\% for a %"
        } else {
            "its command is not pulse-echo send; write it as the command of the line"
        };
        format!("{file}:{number} does not run pulse-echo send: {why}")
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

    fn context(&self, place: &Place, line: &Line, dialect: Dialect) -> Context {
        let user = line.user.clone().or_else(|| place.user.clone()).unwrap_or_default();
        let mut variables = self.pam_variables();
        if let Some(found) = users::find(self.root, &user) {
            variables.push(("HOME".into(), found.home));
        }
        variables.extend([("SHELL".into(), "/bin/sh".into()), ("PATH".into(), dialect.path().into())]);
        variables.extend(line.variables.iter().cloned());
        variables.push(("LOGNAME".into(), user.clone()));
        Context {
            by: format!("cron, by {}", place.shown),
            at: format!("{}:{}", place.shown, line.number),
            user,
            times: line.times.clone(),
            variables,
            path: dialect.path(),
        }
    }

    /// What PAM puts into the environment of cron's commands, where it is told to.
    fn pam_variables(&self) -> Vec<(String, String)> {
        let read = |file: &str| fs::read_to_string(self.root.join(file)).unwrap_or_default();
        let is_told = ["etc/pam.d/cron", "etc/pam.d/crond", "etc/pam.d/cronie"]
            .iter()
            .any(|file| read(file).lines().any(|line| !line.starts_with('#') && line.contains("pam_env")));
        let text = if is_told { read("etc/environment") } else { String::new() };
        let pairs = text.lines().filter(|line| !line.trim_start().starts_with('#')).filter_map(|line| {
            let (name, value) = line.trim().trim_start_matches("export ").split_once('=')?;
            Some((name.trim().to_string(), value.trim().trim_matches(['"', '\'']).to_string()))
        });
        pairs.collect()
    }

    /// The calls in a command and in the scripts that it runs, and the scripts that will not run.
    fn read(&self, command: &str, dialect: Dialect) -> (Vec<Call>, Vec<String>) {
        let reading = self.reading(command);
        let (mut calls, mut faults) = (reading.calls, Vec::new());
        let scripts = reading.scripts.iter().map(|script| (self.in_root(script), None));
        let parts = reading.folders.iter().flat_map(|folder| places::parts(self.root, folder, dialect));
        for (script, refused) in scripts.chain(parts) {
            let of_script = script_text(&script).map(|text| self.reading(&text).calls).unwrap_or_default();
            match refused {
                Some(why) if of_script.iter().any(is_sending) => {
                    let script = Path::new("/").join(script.strip_prefix(self.root).unwrap_or(&script));
                    faults.push(format!("{} is not run: {why}", script.display()));
                }
                Some(_) => {}
                None => calls.extend(of_script),
            }
        }
        (calls, faults)
    }

    fn reading(&self, command: &str) -> Reading {
        shell::read(command, &|how, file| {
            let path = self.in_root(file);
            if file.contains(['$', '*', '`']) || !file.starts_with('/') {
                return None;
            }
            let mode = || fs::metadata(&path).map_or(0, |metadata| metadata.mode());
            match how {
                "-e" => Some(path.exists()),
                "-f" => Some(path.is_file()),
                "-d" => Some(path.is_dir()),
                "-s" => Some(fs::metadata(&path).is_ok_and(|metadata| metadata.len() > 0)),
                "-x" => Some(mode() & 0o111 != 0),
                "-L" | "-h" => Some(path.is_symlink()),
                _ => None,
            }
        })
    }

    fn in_root(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Takes a call as a job, unless it is known not to work.
    fn take(&mut self, call: &Call, context: Context) {
        let at = &context.at;
        match self.job(call, &context) {
            Ok(None) => {}
            Ok(Some(job)) => self.schedule.jobs.push(job),
            Err(why) => self.fault(format!("{at}: {why}")),
        }
    }

    /// `None` if it does not send. The error says why it will not run, and what to do.
    fn job(&self, call: &Call, context: &Context) -> Result<Option<Job>, String> {
        let options = match sending(call) {
            Some(Ok(options)) => options,
            Some(Err(wrong)) => return Err(format!("the command is wrong: {wrong}")),
            None => return Ok(None),
        };
        let name = &context.user;
        let user =
            users::find(self.root, name).ok_or_else(|| format!("there is no user {name}: create or name another"))?;
        if let Some(kept_by) = &call.kept_by {
            let so_far = if kept_by.contains(TIMER) { "; the timer sends instead" } else { "" };
            return Err(format!(
                "its own test keeps it from sending now: {kept_by}{so_far}; make that true, or take it out"
            ));
        }
        if let Some(why) = users::is_shut(self.root, name, self.today) {
            return Err(why);
        }
        if matches!(context.times, Times::Fields(_)) && times::longest_gap(std::iter::once(&context.times)).is_none() {
            return Err("its times never come: there is no such day".into());
        }
        let mut variables = context.variables.clone();
        let shell = value(&variables, "SHELL").unwrap_or("/bin/sh").to_string();
        let shell_name = shell.rsplit('/').next().unwrap_or_default();
        if NO_SHELLS.contains(&shell_name) || (self.root.join("bin").exists() && !self.in_root(&shell).exists()) {
            return Err(format!("SHELL={shell} runs no command: set SHELL=/bin/sh above the line"));
        }
        variables.extend(call.variables.iter().cloned());
        let home = value(&variables, "HOME").unwrap_or(&user.home).to_string();
        let path = value(&variables, "PATH").unwrap_or(context.path).to_string();
        let folder = call.folder.clone().unwrap_or(home);
        let mut words = call.words.clone();
        words[0] = self.program(&words[0], &path, &folder)?;
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

    /// The whole path of the program that runs.
    fn program(&self, word: &str, path: &str, folder: &str) -> Result<String, String> {
        let can_run = |file: &str| {
            let metadata = fs::metadata(self.in_root(file));
            metadata.is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o111 != 0)
        };
        if word.contains('$') {
            return Ok(word.into());
        }
        if word.contains('/') {
            let whole = if word.starts_with('/') { word.to_string() } else { format!("{folder}/{word}") };
            return if can_run(&whole) {
                Ok(whole)
            } else {
                Err(format!("there is no program {whole}: {}", write_path()))
            };
        }
        let found =
            path.split(':').map(|folder| format!("{}/{word}", folder.trim_end_matches('/'))).find(|f| can_run(f));
        found.ok_or_else(|| format!("it finds no {word} in its PATH {path}: {}", write_path()))
    }

    fn fault(&mut self, fault: String) {
        self.schedule.faults.push(fault);
    }
}

fn write_path() -> String {
    let own = std::env::current_exe().unwrap_or_else(|_| "/usr/bin/pulse-echo".into());
    format!("write the program's whole path, {}", own.display())
}

/// The last value counts, as in cron.
fn value<'a>(variables: &'a [(String, String)], name: &str) -> Option<&'a str> {
    variables.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// A script's text; `None` for a program.
fn script_text(path: &Path) -> Option<String> {
    const LIMIT: u64 = 64 * 1024;
    let is_small = fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LIMIT);
    let bytes = is_small.then(|| fs::read(path).ok()).flatten()?;
    String::from_utf8(bytes).ok().filter(|text| text.starts_with("#!"))
}

/// Whether a text speaks of sending, other than in a comment.
fn mentions(text: &str) -> bool {
    let of_line = |line: &str| !line.trim_start().starts_with('#') && line.contains(PROGRAM) && line.contains(" send");
    text.lines().any(of_line)
}

fn is_sending(call: &Call) -> bool {
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

#[cfg(test)]
mod tests;

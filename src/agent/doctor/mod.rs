//! `doctor`: walk through all that `send` and `check` need, and say of each what is wrong and how to mend it.
//!
//! It goes on after a failure wherever the next question still makes sense, and changes nothing, in the store neither.

mod rights;
mod schedule;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::args::Arguments;
use super::credentials::Found;
use super::exit::Exit;
use super::look::{self, Look, Seen};
use super::nagios::{Outcome, Severity};
use super::pulses::{self, PulseFile};
use super::settings::{OWN_FOLDER, Sources};
use super::verdict::{self, Limits};
use super::{Environment, machine, print, reach};
use crate::http::Trust;
use crate::name::{CheckId, Name};
use crate::store::{Credentials, Place, Store};

/// Runs `doctor`.
pub fn command(arguments: &Arguments, environment: Environment) -> Exit {
    let mut report = Report { is_quiet: arguments.quiet, is_well: true };
    walk(&mut report, arguments, environment);
    if report.is_well { Exit::Ok } else { Exit::Failed }
}

/// Shows each finding at once: the next may take its time.
struct Report {
    is_quiet: bool,
    is_well: bool,
}

impl Report {
    fn well(&mut self, what: &str, text: &str) {
        if !self.is_quiet {
            print(&format!("✓ {what}: {text}"));
        }
    }

    /// `text` says what is wrong, and what to do.
    fn ill(&mut self, what: &str, text: &str) {
        self.is_well = false;
        print(&format!("✗ {what}: {text}"));
    }

    /// What the verdict says; `well` stands in for one that has nothing to say.
    fn outcome(&mut self, what: &str, outcome: &Outcome, well: &str) {
        if outcome.severity == Severity::Ok && outcome.remedy.is_none() {
            self.well(what, if outcome.text.is_empty() { well } else { &outcome.text });
        } else {
            self.ill(what, &outcome.sentence());
        }
    }
}

fn walk(report: &mut Report, arguments: &Arguments, environment: Environment) {
    let sources = configuration(report, arguments, environment);
    let host = name(report, &sources);
    let files = host.as_ref().map_or_else(Vec::new, |host| pulse_files(report, &sources, host));
    match schedule::find(Path::new("/")) {
        Ok(text) => report.well("schedule", &text),
        Err(text) => report.ill("schedule", &text),
    }
    secrets(report, &sources);
    let trust = match sources.trust() {
        Ok(trust) => trust,
        Err(error) => return report.ill("settings", &error),
    };
    let found = credentials(report, &sources, &trust);
    let instance = found.as_ref().and_then(|found| found.instance.as_ref());
    let place = match sources.place(instance) {
        Ok(place) => place,
        Err(error) => return report.ill("settings", &error),
    };
    let is_known = found.is_some();
    // Whoever we are, the store answers, and its answer tells of the connection and the clock.
    let credentials = found.map_or_else(|| Credentials::new("none", "none"), |found| found.credentials);
    match sources.store(&place, &trust, credentials) {
        Ok(store) => ask(report, &store, &place, host.as_ref().filter(|_| is_known), &files),
        Err(error) => report.ill("settings", &error),
    }
}

fn configuration<'a>(report: &mut Report, arguments: &'a Arguments, environment: Environment<'a>) -> Sources<'a> {
    let sources = match Sources::read(arguments, environment) {
        Ok(sources) => sources,
        Err(error) => {
            report.ill("configuration", &error);
            return Sources::without_file(arguments, environment);
        }
    };
    let file = sources.file.display().to_string();
    if let Some(hidden) = hidden(&sources.file) {
        report.ill("configuration", &hidden);
    } else if sources.file.exists() {
        report.well("configuration", &file);
    } else if sources.bucket().is_ok() {
        report.well("configuration", &format!("there is no {file}; options and environment say enough"));
    } else {
        report.ill("configuration", &format!("there is no {file}; write it with pulse-echo init --bucket …"));
    }
    sources
}

/// What is wrong with a file of the package's folder that cron's user could not read, though root can.
fn hidden(file: &Path) -> Option<String> {
    let mode = fs::metadata(file).ok()?.permissions().mode() & 0o7777;
    let is_hidden = file.starts_with(OWN_FOLDER) && mode & 0o004 == 0;
    let name = file.display();
    is_hidden.then(|| format!("{name} has mode {mode:o}, so that cron's user cannot read it: chmod 644 {name}"))
}

fn name(report: &mut Report, sources: &Sources) -> Option<Name> {
    match sources.host() {
        Ok(host) => {
            report.well("name", host.as_str());
            Some(host)
        }
        Err(error) => {
            report.ill("name", &error);
            None
        }
    }
}

fn pulse_files(report: &mut Report, sources: &Sources, host: &Name) -> Vec<PulseFile> {
    let folder = sources.folder();
    let files = match pulses::of_host(host, &folder) {
        Ok(files) => files,
        Err(error) => {
            report.ill("pulse", &error);
            return Vec::new();
        }
    };
    if files.is_empty() {
        report.ill("pulse", &pulses::none_in(&folder));
    }
    let mut good = Vec::new();
    for file in files {
        match file {
            Ok(file) => {
                match hidden(&file.path) {
                    Some(hidden) => report.ill("pulse", &hidden),
                    None => report.well("pulse", &format!("{} is {}", file.path.display(), file.id)),
                }
                good.push(file);
            }
            Err(error) => report.ill("pulse", &error),
        }
    }
    good
}

fn secrets(report: &mut Report, sources: &Sources) {
    for file in sources.profile().files() {
        let Ok(text) = fs::read_to_string(file) else { continue };
        let mode = fs::metadata(file).map_or(0, |metadata| metadata.permissions().mode() & 0o7777);
        if mode & 0o004 != 0 && text.to_ascii_lowercase().contains("aws_secret_access_key") {
            let name = file.display();
            let text = "everybody on this machine can read the secret key in it";
            report.ill("secrets", &format!("{name} has mode {mode:o}: {text}: chmod o-rwx {name}"));
        }
    }
}

fn credentials(report: &mut Report, sources: &Sources, trust: &Trust) -> Option<Found> {
    match sources.credentials(trust) {
        Ok(found) => {
            report.well("credentials", &format!("from {}", found.source));
            Some(found)
        }
        Err(error) => {
            report.ill("credentials", &format!("{error}; set one of them up"));
            None
        }
    }
}

/// Asks the store. Without a `host`, or who it is to the store, no more than whether it answers.
fn ask(report: &mut Report, store: &Store, place: &Place, host: Option<&Name>, files: &[PulseFile]) {
    let mark = look::mark(store);
    let skew_s = store.skew_s();
    match (&mark, skew_s) {
        (Err(error), None) => return report.ill("connection", &error.to_string()),
        (_, None) => report.ill("connection", "an answer came, but without a Date: this is no S3 service"),
        (_, Some(skew_s)) => {
            report.well("connection", &format!("{} answers", store.place()));
            let side = if skew_s > 0.0 { "ahead of" } else { "behind" };
            let well = format!("{:.1} s {side} the store's", skew_s.abs());
            report.outcome("clock", &verdict::judge_clock(skew_s), &well);
        }
    }
    let Some(host) = host else { return };
    let mark = match mark {
        Ok(mark) => mark,
        Err(error) => return report.ill("bucket", &error.to_string()),
    };
    report.well("bucket", "it is there, and knows these credentials");
    if files.is_empty() {
        ask_of_check(report, store, &CheckId::new(host, None), None);
    }
    for file in files {
        let seen = ask_of_check(report, store, &file.id, Some(file));
        let was_fetched = seen.is_some_and(|seen| seen.echo.there().is_some_and(|echo| echo.status.is_some()));
        // An echo of it says better than any rule whether the probe reaches it.
        let url = file.pulse.url.as_ref().filter(|_| place.endpoint.is_none() && !was_fetched);
        if let Some(warning) = url.and_then(reach::warning) {
            report.ill("url", &format!("{}: {warning}", file.id));
        }
    }
    let swept = match &mark {
        Look::There((mark, now)) => mark.swept.map(|swept| format!("last swept {} s ago", swept.age(*now).as_secs())),
        Look::Missing | Look::Denied => None,
    };
    report.outcome("loop", &verdict::judge_loop(mark), &swept.unwrap_or_default());
}

/// What the store has of a check, and what we may do there; `file` is its pulse, if that lies here.
fn ask_of_check(report: &mut Report, store: &Store, id: &CheckId, file: Option<&PulseFile>) -> Option<Seen> {
    let seen = match Seen::look(store, id) {
        Ok(seen) => seen,
        Err(error) => {
            report.ill("answer", &format!("{id}: {error}"));
            return None;
        }
    };
    if let Some(file) = file {
        match rights::may_put(store, file, &seen) {
            Ok(text) => report.well("rights", &text),
            Err(text) => report.ill("rights", &text),
        }
    }
    match rights::may_read(id, &seen) {
        Some(Ok(text)) => report.well("rights", &text),
        Some(Err(text)) => report.ill("rights", &text),
        None => {}
    }
    let in_store = seen.pulse.as_ref().there().and_then(|pulse| pulse.pulse.clone());
    let pulse = file.map(|file| file.pulse.clone()).or(in_store).unwrap_or_default();
    let outcome = verdict::judge(id, &seen, Limits::of(&pulse), machine::instance().as_deref());
    report.outcome("answer", &outcome, "");
    Some(seen)
}

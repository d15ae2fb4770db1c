//! `doctor`: walk through all that `send` and `check` need, and say of each what is wrong and how to mend it.
//!
//! It goes on after a failure wherever the next question still makes sense, and changes nothing, in the store neither.

mod modes;
mod rights;
mod schedule;

use super::args::Arguments;
use super::credentials::Found;
use super::exit::Exit;
use super::look::{self, Look, Seen};
use super::nagios::{Outcome, Severity, spoken};
use super::pulses::{self, PulseFile};
use super::settings::Sources;
use super::verdict::{self, Limits};
use super::{Environment, machine, print, reach};
use pulse_echo_core::http::Trust;
use pulse_echo_core::name::{CheckId, Name};
use pulse_echo_core::store::{Credentials, Store};

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
    match schedule::find() {
        Ok(text) => report.well("schedule", &text),
        Err(text) => report.ill("schedule", &text),
    }
    for open in sources.profile().files().filter_map(modes::open) {
        report.ill("secrets", &open);
    }
    let reached = match (store(report, &sources), &host) {
        (Some(store), Some(host)) => {
            let own_instance = if arguments.host.is_some() { None } else { machine::instance() };
            ask(report, &store, host, &files, own_instance.as_deref())
        }
        _ => Vec::new(),
    };
    urls(report, &files, &reached, sources.endpoint().is_none());
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
    if let Some(hidden) = modes::hidden(&sources.file) {
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
    let files = pulses::of_host(host, &folder);
    if files.is_empty() {
        report.ill("pulse", &pulses::none_in(&folder));
    }
    let mut good = Vec::new();
    for file in files {
        match file {
            Ok(file) => {
                match modes::hidden(&file.path) {
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

fn credentials(report: &mut Report, sources: &Sources, trust: &Trust) -> Option<Found> {
    match sources.credentials(trust) {
        Ok(found) => {
            report.well("credentials", &format!("from {}", found.source));
            Some(found)
        }
        Err(error) => {
            report.ill("credentials", &format!("{error}; mend one of these"));
            None
        }
    }
}

/// The store, once it has answered; none if it cannot be told who we are there.
fn store(report: &mut Report, sources: &Sources) -> Option<Store> {
    let trust = sources.trust().map_err(|error| report.ill("settings", &error)).ok()?;
    let found = credentials(report, sources, &trust);
    let is_known = found.is_some();
    let instance = found.as_ref().and_then(|found| found.instance.as_ref());
    let place = sources.place(instance).map_err(|error| report.ill("settings", &error)).ok()?;
    // Whoever we are, the store answers, and its answer tells of the connection and the clock.
    let credentials = found.map_or_else(|| Credentials::new("none", "none"), |found| found.credentials);
    let store = sources.store(&place, &trust, credentials).map_err(|error| report.ill("settings", &error)).ok()?;
    let answer = look::mark(&store);
    let Some(skew_s) = store.skew_s() else {
        let text =
            answer.map_or_else(|error| error.to_string(), |_| "the answer has no Date: this is no S3 service".into());
        report.ill("connection", &text);
        return None;
    };
    report.well("connection", &format!("{} answers", store.place()));
    let side = if skew_s > 0.0 { "ahead of" } else { "behind" };
    report.outcome("clock", &verdict::judge_clock(skew_s), &format!("{:.1} s {side} the store's", skew_s.abs()));
    if !is_known {
        return None;
    }
    if store.region() != place.region {
        let (region, wrong) = (store.region(), &place.region);
        report.ill("region", &format!("the bucket is in {region}, not in {wrong}: correct \"region\" or AWS_REGION"));
    }
    match answer {
        Ok(_) => report.well("bucket", "it is there, and these credentials are known there"),
        Err(error) => {
            report.ill("bucket", &error.to_string());
            return None;
        }
    }
    Some(store)
}

/// Asks the store of each check, and of the loop. These checks are known to be reached by the probe.
fn ask(report: &mut Report, store: &Store, host: &Name, files: &[PulseFile], own: Option<&str>) -> Vec<CheckId> {
    let mut reached = Vec::new();
    if files.is_empty() {
        ask_of_check(report, store, &CheckId::new(host, None), None, own);
    }
    for file in files {
        let seen = ask_of_check(report, store, &file.id, Some(file), own);
        if seen.is_some_and(|seen| seen.echo.there().is_some_and(|echo| echo.status.is_some())) {
            reached.push(file.id.clone());
        }
    }
    match look::mark(store) {
        Ok(mark) => {
            let swept = match &mark {
                Look::There((mark, now)) => mark.swept.map(|swept| swept.age(*now)),
                Look::Missing | Look::Denied => None,
            };
            let well = swept.map_or_else(String::new, |age| format!("last swept {} ago", spoken(age)));
            report.outcome("loop", &verdict::judge_loop(mark), &well);
        }
        Err(error) => report.ill("loop", &error.to_string()),
    }
    reached
}

/// Addresses that a probe in AWS cannot reach; an echo of it says better than any rule that it can.
fn urls(report: &mut Report, files: &[PulseFile], reached: &[CheckId], is_aws: bool) {
    for file in files.iter().filter(|file| is_aws && !reached.contains(&file.id)) {
        if let Some(warning) = file.pulse.url.as_ref().and_then(reach::warning) {
            report.ill("url", &format!("{}: {warning}", file.id));
        }
    }
}

/// What the store has of a check, and what we may do there; `file` is its pulse, if that lies here.
fn ask_of_check(
    report: &mut Report,
    store: &Store,
    id: &CheckId,
    file: Option<&PulseFile>,
    own: Option<&str>,
) -> Option<Seen> {
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
    let outcome = verdict::judge(id, &seen, Limits::of(&pulse), own);
    report.outcome("answer", &outcome, "");
    Some(seen)
}

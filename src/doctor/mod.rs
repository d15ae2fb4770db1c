//! `doctor`: checks all that `send` and `check` need, and says for each step what is wrong and how to fix it.
//!
//! It goes on after a failure wherever the next step still makes sense. It changes nothing, neither here nor in the
//! store.

mod modes;
mod rights;
mod schedule;

use super::args::Arguments;
use super::credentials::Found;
use super::exit::Exit;
use super::look::{self, Look, Seen};
use super::outcome::{Outcome, Severity};
use super::output::print;
use super::pulses::{self, PulseFile};
use super::settings::Sources;
use super::verdict::{self, Limits};
use super::{machine, reach};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::Trust;
use pulse_echo_core::name::{CheckId, Name};
use pulse_echo_core::store::{Credentials, Store};
use pulse_echo_core::words;

/// Runs `doctor`.
pub fn command(arguments: &Arguments, environment: Environment) -> Exit {
    let mut findings = Findings { is_quiet: arguments.quiet, is_well: true };
    walk(&mut findings, arguments, environment);
    if findings.is_well { Exit::Ok } else { Exit::Failed }
}

/// Shows each finding at once, since the next step may take some time.
struct Findings {
    is_quiet: bool,
    is_well: bool,
}

impl Findings {
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

    /// Shows an outcome; `well` is the text for an outcome that has none.
    fn outcome(&mut self, what: &str, outcome: &Outcome, well: &str) {
        if outcome.severity == Severity::Ok && outcome.remedy.is_none() {
            self.well(what, if outcome.text.is_empty() { well } else { &outcome.text });
        } else {
            self.ill(what, &outcome.sentence());
        }
    }
}

fn walk(findings: &mut Findings, arguments: &Arguments, environment: Environment) {
    let sources = configuration(findings, arguments, environment);
    let host = name(findings, &sources);
    let files = host.as_ref().map_or_else(Vec::new, |host| pulse_files(findings, &sources, host));
    match schedule::find() {
        Ok(text) => findings.well("schedule", &text),
        Err(text) => findings.ill("schedule", &text),
    }
    for open in sources.profile().files().filter_map(modes::open) {
        findings.ill("secrets", &open);
    }
    let reached = match (store(findings, &sources), &host) {
        (Some(store), Some(host)) => {
            let own_instance = if arguments.host.is_some() { None } else { machine::instance() };
            ask(findings, &store, host, &files, own_instance.as_deref())
        }
        _ => Vec::new(),
    };
    urls(findings, &files, &reached, sources.is_aws());
}

fn configuration<'a>(findings: &mut Findings, arguments: &'a Arguments, environment: Environment<'a>) -> Sources<'a> {
    let sources = match Sources::read(arguments, environment) {
        Ok(sources) => sources,
        Err(error) => {
            findings.ill("configuration", &error);
            return Sources::without_file(arguments, environment);
        }
    };
    let file = sources.file.display().to_string();
    if let Some(hidden) = modes::hidden(&sources.file) {
        findings.ill("configuration", &hidden);
    } else if sources.file.exists() {
        findings.well("configuration", &file);
    } else if sources.bucket().is_ok() {
        findings.well("configuration", &format!("there is no {file}; options and environment say enough"));
    } else {
        findings.ill("configuration", &format!("there is no {file}; write it with pulse-echo init --bucket …"));
    }
    sources
}

fn name(findings: &mut Findings, sources: &Sources) -> Option<Name> {
    match sources.host() {
        Ok(host) => {
            findings.well("name", host.as_str());
            Some(host)
        }
        Err(error) => {
            findings.ill("name", &error);
            None
        }
    }
}

fn pulse_files(findings: &mut Findings, sources: &Sources, host: &Name) -> Vec<PulseFile> {
    let folder = sources.folder();
    let files = pulses::of_host(host, &folder);
    if files.is_empty() {
        findings.ill("pulse", &pulses::none_in(&folder));
    }
    let mut good = Vec::new();
    for file in files {
        match file {
            Ok(file) => {
                match modes::hidden(&file.path) {
                    Some(hidden) => findings.ill("pulse", &hidden),
                    None => findings.well("pulse", &format!("{} is {}", file.path.display(), file.id)),
                }
                good.push(file);
            }
            Err(error) => findings.ill("pulse", &error),
        }
    }
    good
}

fn credentials(findings: &mut Findings, sources: &Sources, trust: &Trust) -> Option<Found> {
    match sources.credentials(trust) {
        Ok(found) => {
            findings.well("credentials", &format!("from {}", found.source));
            Some(found)
        }
        Err(error) => {
            findings.ill("credentials", &format!("{error}; mend one of these"));
            None
        }
    }
}

/// The store, once it has answered; `None` if there are no usable credentials.
fn store(findings: &mut Findings, sources: &Sources) -> Option<Store> {
    let trust = sources.trust().map_err(|error| findings.ill("settings", &error)).ok()?;
    let found = credentials(findings, sources, &trust);
    let is_known = found.is_some();
    let instance = found.as_ref().and_then(|found| found.instance.as_ref());
    let place = sources.place(instance).map_err(|error| findings.ill("settings", &error)).ok()?;
    // Without credentials the store still answers. Its answer tests the connection and the clock.
    let credentials = found.map_or_else(|| Credentials::new("none", "none"), |found| found.credentials);
    let store = sources.store(&place, &trust, credentials).map_err(|error| findings.ill("settings", &error)).ok()?;
    let answer = look::mark(&store);
    let Some(skew_s) = store.skew_s() else {
        let text =
            answer.map_or_else(|error| error.to_string(), |_| "the answer has no Date: this is no S3 service".into());
        findings.ill("connection", &text);
        return None;
    };
    findings.well("connection", &format!("{} answers", store.place()));
    findings.outcome(
        "clock",
        &verdict::judge_clock(skew_s),
        &format!("{:.1} s {} the store's", skew_s.abs(), words::side(skew_s)),
    );
    if !is_known {
        return None;
    }
    if store.region() != place.region {
        let (region, wrong) = (store.region(), &place.region);
        findings.ill("region", &format!("the bucket is in {region}, not in {wrong}: correct \"region\" or AWS_REGION"));
    }
    match answer {
        Ok(_) => findings.well("bucket", "it is there, and these credentials are known there"),
        Err(error) => {
            findings.ill("bucket", &error.to_string());
            return None;
        }
    }
    Some(store)
}

/// Asks the store about each check and about the loop. Returns the checks that the probe is known to reach.
fn ask(findings: &mut Findings, store: &Store, host: &Name, files: &[PulseFile], own: Option<&str>) -> Vec<CheckId> {
    let mut reached = Vec::new();
    if files.is_empty() {
        ask_of_check(findings, store, &CheckId::new(host, None), None, own);
    }
    for file in files {
        let seen = ask_of_check(findings, store, &file.id, Some(file), own);
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
            let well = swept.map_or_else(String::new, |age| format!("last swept {} ago", words::duration(age)));
            findings.outcome("loop", &verdict::judge_loop(mark), &well);
        }
        Err(error) => findings.ill("loop", &error.to_string()),
    }
    reached
}

/// Names the URLs that a probe in AWS cannot reach. An echo proves that it can, whatever the rule says.
fn urls(findings: &mut Findings, files: &[PulseFile], reached: &[CheckId], is_aws: bool) {
    for file in files.iter().filter(|file| is_aws && !reached.contains(&file.id)) {
        if let Some(warning) = file.pulse.url.as_ref().and_then(reach::warning) {
            findings.ill("url", &format!("{}: {warning}", file.id));
        }
    }
}

/// Asks what the store has of a check, and what we may do there; `file` is its pulse, if the pulse file is on this
/// host.
fn ask_of_check(
    findings: &mut Findings,
    store: &Store,
    id: &CheckId,
    file: Option<&PulseFile>,
    own: Option<&str>,
) -> Option<Seen> {
    let seen = match Seen::look(store, id) {
        Ok(seen) => seen,
        Err(error) => {
            findings.ill("answer", &format!("{id}: {error}"));
            return None;
        }
    };
    if let Some(file) = file {
        match rights::may_put(store, file, &seen) {
            Ok(text) => findings.well("rights", &text),
            Err(text) => findings.ill("rights", &text),
        }
    }
    match rights::may_read(id, &seen) {
        Some(Ok(text)) => findings.well("rights", &text),
        Some(Err(text)) => findings.ill("rights", &text),
        None => {}
    }
    let in_store = seen.pulse.as_ref().there().and_then(|pulse| pulse.pulse.clone());
    let pulse = file.map(|file| file.pulse.clone()).or(in_store).unwrap_or_default();
    let outcome = verdict::judge(id, &seen, Limits::of(&pulse), own);
    findings.outcome("answer", &outcome, "");
    if let Some(warning) = seen.echo.as_ref().there().and_then(|echo| verdict::odd_status(id, &pulse, echo)) {
        findings.ill("status", &warning);
    }
    Some(seen)
}

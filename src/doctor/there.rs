//! What the store, the probe and the loop say.

use super::findings::Findings;
use super::rights;
use crate::credentials::Found;
use crate::fleet::{Fleet, channels_in_trouble, told_over};
use crate::look::{self, Look, Seen};
use crate::pulses::PulseFile;
use crate::reach;
use crate::settings::Sources;
use crate::verdict::{self, Limits};
use pulse_echo_core::http::Trust;
use pulse_echo_core::name::{CheckId, Name};
use pulse_echo_core::store::{Credentials, Store};
use pulse_echo_core::words;

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
pub fn store(findings: &mut Findings, sources: &Sources) -> Option<Store> {
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
pub fn ask(
    findings: &mut Findings,
    store: &Store,
    host: &Name,
    files: &[PulseFile],
    own: Option<&str>,
) -> Vec<CheckId> {
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
            let well = match &mark {
                Look::There((mark, now)) => {
                    let swept = mark.swept.map(|swept| format!("last swept {} ago", words::duration(swept.age(*now))));
                    [swept, told_over(mark)].into_iter().flatten().collect::<Vec<_>>().join("; ")
                }
                Look::Missing | Look::Denied => String::new(),
            };
            findings.outcome("loop", &verdict::judge_loop(mark), &well);
        }
        Err(error) => findings.ill("loop", &error.to_string()),
    }
    // Only who may read the fleet learns of its channels.
    for trouble in Fleet::read(store).map_or_else(|_| Vec::new(), |fleet| channels_in_trouble(&fleet)) {
        findings.ill("channel", &trouble);
    }
    reached
}

/// Names the URLs that a probe in AWS cannot reach. An echo proves that it can, whatever the rule says.
pub fn urls(findings: &mut Findings, files: &[PulseFile], reached: &[CheckId], is_aws: bool) {
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
        findings.either("rights", &rights::may_put(store, file, seen.pulse.as_ref().there().is_some()));
    }
    if let Some(may_read) = rights::may_read(id, &seen) {
        findings.either("rights", &may_read);
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

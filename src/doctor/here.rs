//! What this machine's files say.

use std::path::Path;

use super::findings::Findings;
use super::modes::{self, Reader};
use crate::args::{Arguments, Send};
use crate::machine;
use crate::pulses::{self, PulseFile};
use crate::settings::{self, Sources};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::name::Name;
use pulse_echo_core::vitals::VitalLimits;
use pulse_echo_core::words;

/// Reads the configuration.
pub fn configuration<'a>(
    findings: &mut Findings,
    arguments: &'a Arguments,
    environment: Environment<'a>,
    readers: &[Reader],
) -> Sources<'a> {
    let sources = match Sources::read(arguments, environment) {
        Ok(sources) => sources,
        Err(error) => {
            findings.ill("configuration", &error);
            return Sources::without_file(arguments, environment);
        }
    };
    let file = sources.file.display().to_string();
    if let Some(hidden) = modes::hidden(&sources.file, readers) {
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

/// The host's name.
pub fn name(findings: &mut Findings, sources: &Sources) -> Option<Name> {
    match sources.host() {
        Ok(host) => {
            let passing = || settings::passing(&host).filter(|_| !sources.is_host_given());
            match settings::warning(&host).or_else(passing) {
                Some(warning) => findings.ill("name", &warning),
                None => findings.well("name", host.as_str()),
            }
            Some(host)
        }
        Err(error) => {
            findings.ill("name", &error);
            None
        }
    }
}

/// The pulses that lie beside the configuration.
pub fn pulse_files(findings: &mut Findings, sources: &Sources, host: &Name, readers: &[Reader]) -> Vec<PulseFile> {
    let folder = sources.folder();
    let files = pulses::of_host(host, &folder);
    tell_pulses(findings, &folder, files, readers)
}

/// Whether this machine's vitals are within the limits that its pulses set. Nothing is said where none sets any.
pub fn vitals(findings: &mut Findings, files: &[PulseFile]) {
    let limited: Vec<_> = files.iter().filter(|file| file.pulse.vitals != VitalLimits::default()).collect();
    if limited.is_empty() {
        return;
    }
    let vitals = machine::vitals();
    let mut is_well = true;
    for PulseFile { id, pulse, .. } in limited {
        let VitalLimits { min_disk_free_pct, min_mem_available_mib, max_load1 } = pulse.vitals;
        let beyond = words::beyond(vitals, &pulse.vitals);
        for beyond in beyond.iter().map(words::is_beyond) {
            is_well = false;
            findings.ill("vitals", &format!("{beyond}: the next pulse of {id} gets a fault"));
        }
        for (field, is_set, is_known) in [
            ("min_disk_free_pct", min_disk_free_pct.is_some(), vitals.disk_free_pct.is_some()),
            ("min_mem_available_mib", min_mem_available_mib.is_some(), vitals.mem_available_kb.is_some()),
            ("max_load1", max_load1.is_some(), vitals.load1.is_some()),
        ] {
            if is_set && !is_known {
                is_well = false;
                findings.ill("vitals", &format!("{field} of {id} is never judged: this machine does not tell it"));
            }
        }
    }
    if is_well {
        findings.well("vitals", &words::vitals(vitals));
    }
}

/// The pulses that `send` with these options would send.
pub fn wanted_files(findings: &mut Findings, sources: &Sources, host: &Name, options: &Send) -> Vec<PulseFile> {
    let folder = sources.folder();
    match pulses::of_options(host, &folder, options.pulse.as_deref(), options.name.as_deref()) {
        Ok(files) => tell_pulses(findings, &folder, files, &[]),
        Err(error) => {
            findings.ill("pulse", &error);
            Vec::new()
        }
    }
}

fn tell_pulses(
    findings: &mut Findings,
    folder: &Path,
    files: Vec<Result<PulseFile, String>>,
    readers: &[Reader],
) -> Vec<PulseFile> {
    if files.is_empty() {
        findings.ill("pulse", &pulses::none_in(folder));
    }
    let mut good = Vec::new();
    for file in files {
        match file {
            Ok(file) => {
                match modes::hidden(&file.path, readers) {
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

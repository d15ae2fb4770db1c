//! What this machine's files say.

use std::path::Path;

use super::findings::Findings;
use super::modes::{self, Reader};
use super::schedule::Job;
use crate::args::{Arguments, Exec, Send};
use crate::duration;
use crate::machine;
use crate::pulses::{self, PulseFile};
use crate::settings::{self, Sources};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::name::Name;
use pulse_echo_core::vitals::VitalLimits;
use pulse_echo_core::words;

/// Reads the configuration. `None` if it is there and cannot be read, and nothing else says which bucket it is: what
/// would be said from then on would be wrong.
pub fn configuration<'a>(
    findings: &mut Findings,
    arguments: &'a Arguments,
    environment: Environment<'a>,
    readers: &[Reader],
) -> Option<Sources<'a>> {
    let sources = match Sources::read(arguments, environment) {
        Ok(sources) => sources,
        Err(error) => {
            findings.ill("configuration", &error);
            let sources = Sources::without_file(arguments, environment);
            return Some(sources).filter(|sources| !sources.file.exists() || sources.bucket().is_ok());
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
    Some(sources)
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

/// The pulses that lie beside the configuration, and those of the jobs that have no file.
pub fn pulse_files(
    findings: &mut Findings,
    sources: &Sources,
    host: &Name,
    readers: &[Reader],
    jobs: &[Job],
) -> Vec<PulseFile> {
    let folder = sources.folder();
    let mut files = pulses::of_host(host, &folder);
    let mut named: Vec<&Name> = Vec::new();
    for options in jobs.iter().filter_map(|job| job.task.exec()) {
        let has_file = pulses::of_check(host, &folder, &options.name).is_some();
        if !has_file && !named.contains(&&options.name) {
            named.push(&options.name);
            files.push(pulses::of_job(host, &folder, options));
        }
    }
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

/// The pulse of the job that `exec` with these options would run.
pub fn job_file(findings: &mut Findings, sources: &Sources, host: &Name, options: &Exec) -> Vec<PulseFile> {
    let file = pulses::of_job(host, &sources.folder(), options);
    tell_pulses(findings, &sources.folder(), vec![file], &[])
}

/// Which check a file is, or a job without one.
fn what(file: &PulseFile) -> String {
    let PulseFile { id, path, pulse, is_job, .. } = file;
    match is_job {
        false => format!("{} is {id}", path.display()),
        true if path.exists() => format!("{} is the job {id}", path.display()),
        true => format!("{id} is a job, promised every {}", duration::show(pulse.every_s)),
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
                    None => findings.well("pulse", &what(&file)),
                }
                good.push(file);
            }
            Err(error) => findings.ill("pulse", &error),
        }
    }
    good
}

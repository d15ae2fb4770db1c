//! The pulses of this host: `pulse.json` and `pulses.d/*.json` beside the configuration, or the file that an option
//! names; and those of its jobs, `jobs.d/*.json`, which only `exec` sends.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::args::Exec;
use super::settings::{Settings, in_file};
use pulse_echo_core::json::Unknown;
use pulse_echo_core::name::{CheckId, Name};
use pulse_echo_core::pulse::{Pulse, SIZE_LIMIT};

/// A valid pulse file.
#[derive(Debug)]
pub struct PulseFile {
    /// Its check.
    pub id: CheckId,
    /// The path of the file.
    pub path: PathBuf,
    /// Its content, byte for byte as the operator wrote it.
    pub text: Vec<u8>,
    /// The parsed content.
    pub pulse: Pulse,
    /// Whether it is a job's, which `exec` sends, and nobody else.
    pub is_job: bool,
}

/// How often a job runs, and how late it may be, unless its file or its options say otherwise.
const DAY_S: u32 = 86_400;
const HOUR_S: u32 = 3_600;

/// The folders of pulses; a check's file may be in one of them.
const FOLDERS: [(&str, bool); 2] = [("pulses.d", false), ("jobs.d", true)];

/// Reads this host's pulses. A refused file becomes an error in the list. The outer error means that there is no pulse
/// at all.
pub fn read(
    settings: &Settings,
    file: Option<&str>,
    check: Option<&str>,
) -> Result<Vec<Result<PulseFile, String>>, String> {
    let pulses = of_options(&settings.host, &settings.folder, file, check)?;
    if pulses.is_empty() { Err(none_in(&settings.folder)) } else { Ok(pulses) }
}

/// The same of a host and its folder, if any.
pub fn of_options(
    host: &Name,
    folder: &Path,
    file: Option<&str>,
    check: Option<&str>,
) -> Result<Vec<Result<PulseFile, String>>, String> {
    Ok(places(host, folder, file, check)?.into_iter().map(read_at).collect())
}

/// The ids of the checks that this host has pulse files for, jobs among them, whatever the files hold; the host's own
/// check if there are no files.
pub fn ids(settings: &Settings, file: Option<&str>, check: Option<&str>) -> Result<Vec<CheckId>, String> {
    let mut places = places(&settings.host, &settings.folder, file, check)?;
    if file.is_none() {
        places = places_in(&settings.host, &settings.folder);
    }
    let ids: Vec<_> = places.into_iter().flatten().map(|place| place.id).collect();
    Ok(if ids.is_empty() { vec![CheckId::new(&settings.host, None)] } else { ids })
}

/// The file of a check's pulse.
struct Place {
    id: CheckId,
    path: PathBuf,
    is_job: bool,
    /// The check's other file, which must not be there.
    other: Option<PathBuf>,
}

/// The paths of the wanted pulses, which are no jobs'. A file name that is not a check's name becomes an error.
fn places(
    host: &Name,
    folder: &Path,
    file: Option<&str>,
    check: Option<&str>,
) -> Result<Vec<Result<Place, String>>, String> {
    let check = check.map(|text| text.parse::<Name>().map_err(|error| format!("--name: {error}"))).transpose()?;
    if let Some(file) = file {
        return Ok(vec![Ok(Place {
            id: CheckId::new(host, check.as_ref()),
            path: file.into(),
            is_job: false,
            other: None,
        })]);
    }
    if check.is_some() {
        return Err("--name goes with --pulse: it names the check of that file".into());
    }
    let mut places = places_in(host, folder);
    places.retain(|place| !place.as_ref().is_ok_and(|place| place.is_job));
    Ok(places)
}

/// The message that `folder` has no pulse, and how to write one.
pub fn none_in(folder: &Path) -> String {
    format!(
        "there is no pulse: write {}, such as {{\"url\": \"https://…/health\", \"body\": \"ok\"}}, or {{}} as a bare \
         sign of life",
        own_file(folder).display()
    )
}

/// The pulses in `folder`, if any, with those of jobs.
pub fn of_host(host: &Name, folder: &Path) -> Vec<Result<PulseFile, String>> {
    places_in(host, folder).into_iter().map(read_at).collect()
}

/// The pulse of one check in `folder`, maybe a job's; `None` if there is no such file.
pub fn of_check(host: &Name, folder: &Path, check: &Name) -> Option<Result<PulseFile, String>> {
    place_of(host, folder, check).map(|place| read_at(Ok(place)))
}

/// The pulse of a job: its file, else one that promises what the options do.
pub fn of_job(host: &Name, folder: &Path, options: &Exec) -> Result<PulseFile, String> {
    let check = &options.name;
    let (every_s, grace_s) = (options.every.unwrap_or(DAY_S), options.grace.unwrap_or(HOUR_S));
    match of_check(host, folder, check) {
        Some(Ok(file)) if !file.is_job => Err(format!(
            "{} is there, which pulse-echo send sends: move it to {}, or give the job another --name",
            file.path.display(),
            file_in(folder, FOLDERS[1].0, check).display()
        )),
        Some(file) => file,
        None => Ok(PulseFile {
            id: CheckId::new(host, Some(check)),
            path: file_in(folder, FOLDERS[1].0, check),
            text: format!("{{\"every_s\": {every_s}, \"grace_s\": {grace_s}}}").into(),
            pulse: Pulse { every_s, grace_s, ..Pulse::default() },
            is_job: true,
        }),
    }
}

fn places_in(host: &Name, folder: &Path) -> Vec<Result<Place, String>> {
    let mut places = Vec::new();
    let own = own_file(folder);
    places.extend(
        is_there(&own).then(|| Ok(Place { id: CheckId::new(host, None), path: own, is_job: false, other: None })),
    );
    for (name, is_job) in FOLDERS {
        let files = json_files(&folder.join(name)).unwrap_or_else(|refused| {
            places.push(Err(refused));
            Vec::new()
        });
        for path in files {
            if path.extension().is_none_or(|extension| extension != ENDING) {
                places.push(Err(format!("{}: its name must end in .json, in small letters", path.display())));
                continue;
            }
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            match stem.parse::<Name>() {
                // One in both folders is told once.
                Ok(check) if is_job && is_there(&file_in(folder, FOLDERS[0].0, &check)) => {}
                Ok(check) => places.extend(place_of(host, folder, &check).map(Ok)),
                Err(error) => places.push(Err(format!("{}: the file's name is the check's: {error}", path.display()))),
            }
        }
    }
    places
}

/// The file of a check, if it is there.
fn place_of(host: &Name, folder: &Path, check: &Name) -> Option<Place> {
    let found = FOLDERS.map(|(name, is_job)| (file_in(folder, name, check), is_job));
    let mut found = found.into_iter().filter(|(path, _)| is_there(path));
    let (path, is_job) = found.next()?;
    Some(Place { id: CheckId::new(host, Some(check)), path, is_job, other: found.next().map(|(path, _)| path) })
}

/// Whether a file is there. A broken link counts: it is refused, not skipped.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).map_or_else(|error| error.kind() != ErrorKind::NotFound, |_| true)
}

fn own_file(folder: &Path) -> PathBuf {
    folder.join("pulse.json")
}

fn file_in(folder: &Path, name: &str, check: &Name) -> PathBuf {
    folder.join(name).join(format!("{check}.json"))
}

/// How a pulse's file ends.
const ENDING: &str = "json";

/// The folder's files that end in `.json`, in letters of any size, by name, without hidden files and an editor's
/// copies.
fn json_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let unreadable = |error| format!("cannot read the folder {}: {error}", folder.display());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(unreadable)?.path();
        let is_hidden = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ENDING)) && !is_hidden {
            files.push(file);
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn read_at(place: Result<Place, String>) -> Result<PulseFile, String> {
    let Place { id, path, is_job, other } = place?;
    let file = path.as_path();
    if let Some(other) = other {
        let (one, other) = (file.display(), other.display());
        return Err(format!("{one} and {other} are one check: rename one of them, or take it away"));
    }
    let unreadable = |error: &dyn std::fmt::Display| format!("cannot read the pulse {}: {error}", file.display());
    // Tested before the file is opened: to open a pipe would wait for its writer.
    if !fs::metadata(file).map_err(|error| unreadable(&error))?.is_file() {
        return Err(unreadable(&"it is not a file"));
    }
    let mut text = Vec::new();
    let opened = File::open(file).map_err(|error| unreadable(&error))?;
    opened.take(SIZE_LIMIT + 1).read_to_end(&mut text).map_err(|error| unreadable(&error))?;
    if text.len() as u64 > SIZE_LIMIT {
        return Err(unreadable(&format_args!("it is over {} KiB", SIZE_LIMIT / 1024)));
    }
    let pulse = Pulse::parse(&text, Unknown::Refused).map_err(|error| in_file(file, &error))?;
    Ok(PulseFile { id, path, text, pulse, is_job })
}

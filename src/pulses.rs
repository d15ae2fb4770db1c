//! The pulses of this host: `pulse.json` and `pulses.d/*.json` beside the configuration, or the file that an option
//! names.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

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
}

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

/// The ids of the checks that this host has pulse files for, whatever the files hold; the host's own check if there are
/// no files.
pub fn ids(settings: &Settings, file: Option<&str>, check: Option<&str>) -> Result<Vec<CheckId>, String> {
    let places = places(&settings.host, &settings.folder, file, check)?;
    let ids: Vec<_> = places.into_iter().flatten().map(|place| place.id).collect();
    Ok(if ids.is_empty() { vec![CheckId::new(&settings.host, None)] } else { ids })
}

/// The file of a check's pulse.
struct Place {
    id: CheckId,
    path: PathBuf,
}

/// The paths of the wanted pulses. A file name that is not a check's name becomes an error.
fn places(
    host: &Name,
    folder: &Path,
    file: Option<&str>,
    check: Option<&str>,
) -> Result<Vec<Result<Place, String>>, String> {
    let check = check.map(|text| text.parse::<Name>().map_err(|error| format!("--name: {error}"))).transpose()?;
    if let Some(file) = file {
        return Ok(vec![Ok(Place { id: CheckId::new(host, check.as_ref()), path: file.into() })]);
    }
    if check.is_some() {
        return Err("--name goes with --pulse: it names the check of that file".into());
    }
    Ok(places_in(host, folder))
}

/// The message that `folder` has no pulse, and how to write one.
pub fn none_in(folder: &Path) -> String {
    format!(
        "there is no pulse: write {}, such as {{\"url\": \"https://…/health\", \"body\": \"ok\"}}, or {{}} as a bare \
         sign of life",
        file_of(folder, None).display()
    )
}

/// The pulses in `folder`, if any.
pub fn of_host(host: &Name, folder: &Path) -> Vec<Result<PulseFile, String>> {
    places_in(host, folder).into_iter().map(read_at).collect()
}

/// The pulse of one check in `folder`; `None` if there is no such file.
pub fn of_check(host: &Name, folder: &Path, check: Option<&Name>) -> Option<Result<PulseFile, String>> {
    place_of(host, folder, check).map(|place| read_at(Ok(place)))
}

fn places_in(host: &Name, folder: &Path) -> Vec<Result<Place, String>> {
    let mut places = Vec::new();
    places.extend(place_of(host, folder, None).map(Ok));
    let files = json_files(&folder.join("pulses.d")).unwrap_or_else(|refused| {
        places.push(Err(refused));
        Vec::new()
    });
    for path in files {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        places.push(match stem.parse::<Name>() {
            Ok(check) => Ok(Place { id: CheckId::new(host, Some(&check)), path }),
            Err(error) => Err(format!("{}: the file's name is the check's: {error}", path.display())),
        });
    }
    places
}

fn place_of(host: &Name, folder: &Path, check: Option<&Name>) -> Option<Place> {
    let path = file_of(folder, check);
    // A broken link counts as there: it is refused, not skipped.
    let is_there = fs::symlink_metadata(&path).map_or_else(|error| error.kind() != ErrorKind::NotFound, |_| true);
    is_there.then(|| Place { id: CheckId::new(host, check), path })
}

fn file_of(folder: &Path, check: Option<&Name>) -> PathBuf {
    match check {
        None => folder.join("pulse.json"),
        Some(check) => folder.join("pulses.d").join(format!("{check}.json")),
    }
}

/// The folder's files that end in `.json`, by name, without hidden files and an editor's copies.
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
        if file.extension().is_some_and(|extension| extension == "json") && !is_hidden {
            files.push(file);
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn read_at(place: Result<Place, String>) -> Result<PulseFile, String> {
    let Place { id, path } = place?;
    let file = path.as_path();
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
    Ok(PulseFile { id, path, text, pulse })
}

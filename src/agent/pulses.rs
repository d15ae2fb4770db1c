//! The pulses of this host: `pulse.json` and `pulses.d/*.json` beside the configuration, or the one file asked for.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::settings::{Settings, in_file};
use crate::json::Unknown;
use crate::name::{CheckId, Name};
use crate::pulse::{Pulse, SIZE_LIMIT};

/// A pulse file that is as it should be.
#[derive(Debug)]
pub struct PulseFile {
    /// The check that it is for.
    pub id: CheckId,
    /// Where it lies.
    pub path: PathBuf,
    /// Its content, byte for byte as the operator wrote it.
    pub text: Vec<u8>,
    /// What it says.
    pub pulse: Pulse,
}

/// Reads this host's pulses; each that is refused is a sentence instead. That there is none at all is the outer error.
pub fn read(
    settings: &Settings,
    file: Option<&str>,
    check: Option<&str>,
) -> Result<Vec<Result<PulseFile, String>>, String> {
    let check = check.map(|text| text.parse::<Name>().map_err(|error| format!("--name: {error}"))).transpose()?;
    if let Some(file) = file {
        return Ok(vec![read_file(Path::new(file), CheckId::new(&settings.host, check.as_ref()))]);
    }
    if check.is_some() {
        return Err("--name goes with --pulse: it names the check of that file".into());
    }
    let pulses = of_host(&settings.host, &settings.folder);
    if pulses.is_empty() {
        return Err(none_in(&settings.folder));
    }
    Ok(pulses)
}

/// Says that there is no pulse in `folder`, and how to write one.
pub fn none_in(folder: &Path) -> String {
    format!(
        "there is no pulse: write {}, such as {{\"url\": \"https://…/health\", \"body\": \"ok\"}}, or {{}} as a bare sign \
         of life",
        file_of(folder, None).display()
    )
}

/// The pulses that lie in `folder`, if any.
pub fn of_host(host: &Name, folder: &Path) -> Vec<Result<PulseFile, String>> {
    let mut pulses = Vec::new();
    pulses.extend(of_check(host, folder, None));
    let files = json_files(&folder.join("pulses.d")).unwrap_or_else(|refused| {
        pulses.push(Err(refused));
        Vec::new()
    });
    for file in files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        pulses.push(match stem.parse::<Name>() {
            Ok(check) => read_file(&file, CheckId::new(host, Some(&check))),
            Err(error) => Err(format!("{}: the file's name is the check's: {error}", file.display())),
        });
    }
    pulses
}

/// The pulse in `folder` of one check; none if there is no such file.
pub fn of_check(host: &Name, folder: &Path, check: Option<&Name>) -> Option<Result<PulseFile, String>> {
    let file = file_of(folder, check);
    // A link to nowhere is there: it is refused, not passed over.
    let is_there = fs::symlink_metadata(&file).map_or_else(|error| error.kind() != ErrorKind::NotFound, |_| true);
    is_there.then(|| read_file(&file, CheckId::new(host, check)))
}

fn file_of(folder: &Path, check: Option<&Name>) -> PathBuf {
    match check {
        None => folder.join("pulse.json"),
        Some(check) => folder.join("pulses.d").join(format!("{check}.json")),
    }
}

/// The folder's files that end in `.json`, by name; hidden ones and an editor's copies are not meant.
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
    files.sort();
    Ok(files)
}

fn read_file(file: &Path, id: CheckId) -> Result<PulseFile, String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("cannot read the pulse {}: {error}", file.display());
    // Asked before it is opened: opening a pipe would wait for its writer.
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
    Ok(PulseFile { id, path: file.into(), text, pulse })
}

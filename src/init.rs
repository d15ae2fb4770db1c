//! `init`: writes the configuration and a pulse, then runs `doctor`.

use std::cell::RefCell;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::args::{Arguments, Init};
use super::exit::Exit;
use super::output::{complain, print};
use super::settings::Sources;
use super::{atomic_file, doctor, namesake};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::json::{self, Unknown};
use pulse_echo_core::name::CheckId;
use pulse_echo_core::pulse::Pulse;

/// Runs `init`.
pub fn command(arguments: &Arguments, options: &Init, environment: Environment) -> Exit {
    attempt(arguments, options, environment).unwrap_or_else(|message| {
        complain(&message);
        Exit::Usage
    })
}

/// Writes the files. The error is a mistake in usage; nothing is written then.
fn attempt(arguments: &Arguments, options: &Init, environment: Environment) -> Result<Exit, String> {
    let place = Sources::without_file(arguments, environment);
    for file in [place.folder().join("pulse.json"), place.file.clone()] {
        if file.symlink_metadata().is_ok() {
            complain(&not_written(&file, &io::ErrorKind::AlreadyExists.into()));
            return Ok(Exit::Failed);
        }
    }
    // What is to be written cannot be in the configuration yet.
    let has_bucket = arguments.bucket.is_some() || environment.get("PULSE_ECHO_BUCKET").is_some();
    if is_bare(arguments, options) || !has_bucket {
        return Err(what_to_give(environment));
    }
    // The variables that are asked for are those that the options leave open.
    let asked = RefCell::new(Vec::new());
    let lookup = |name: &str| {
        let value = environment.get(name)?;
        asked.borrow_mut().push((name.to_string(), value.clone()));
        Some(value)
    };
    // The present configuration is ignored, since this file is to be written anew.
    let sources = Sources::without_file(arguments, Environment::new(&lookup));
    let configuration = sources.to_configuration()?;
    let taken = taken(&asked.take(), &configuration);
    let pulse = pulse(options)?;
    if !options.anyway && is_taken(&sources) == Some(true) {
        let host = sources.host()?;
        complain(&format_args!(
            "another machine sends as {host}: the newest echo of that name is another machine's; give this one another \
             name by --host; or, if it takes the other's place, add --anyway"
        ));
        return Ok(Exit::Failed);
    }
    // The configuration is written last: once it is there, cron sends.
    let files = [(sources.folder().join("pulse.json"), pulse), (sources.file, configuration)];
    if let Err(message) = write(&files) {
        complain(&message);
        return Ok(Exit::Failed);
    }
    if !arguments.quiet {
        for (file, content) in &files {
            print(&format!("wrote {}: {}", file.display(), on_one_line(content)));
        }
        if !taken.is_empty() {
            print(&format!("of that, {} stood in the environment", taken.join(", ")));
        }
        if let Some(profile) = &arguments.profile {
            print(&format!(
                "the profile {profile} has no place in it: give --profile {profile} to each command, in cron's line, \
                 too"
            ));
        }
    }
    doctor::command(arguments, environment);
    Ok(Exit::Ok)
}

/// Whether no option says what to write.
fn is_bare(arguments: &Arguments, options: &Init) -> bool {
    let given = [
        &arguments.bucket,
        &arguments.host,
        &arguments.region,
        &arguments.endpoint,
        &arguments.ca_file,
        &options.url,
        &options.body,
        &options.contains,
    ];
    let limits = [options.min_disk_free_pct, options.min_mem_available_mib, options.max_load1];
    given.into_iter().all(Option::is_none) && limits.iter().all(Option::is_none)
}

fn what_to_give(environment: Environment) -> String {
    match environment.get("PULSE_ECHO_BUCKET") {
        Some(bucket) => format!(
            "nothing is written without an option; to write down what this shell's environment says: pulse-echo init \
             --bucket {bucket}"
        ),
        None => {
            "there is no bucket: pulse-echo init --bucket NAME --region REGION, or with --endpoint URL for a store \
                 other than AWS's"
                .into()
        }
    }
}

/// The variables whose values are in the configuration.
fn taken(asked: &[(String, String)], configuration: &str) -> Vec<String> {
    let is_in = |value: &str| configuration.contains(&Value::from(value).to_string());
    // A file's path is written whole.
    let is_file = |name: &str| name == "AWS_CA_BUNDLE";
    let mut names: Vec<_> =
        asked.iter().filter(|(name, value)| is_file(name) || is_in(value)).map(|(name, _)| name.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether another machine sends under this name; `None` if the store does not tell.
fn is_taken(sources: &Sources) -> Option<bool> {
    let trust = sources.trust().ok()?;
    let found = sources.credentials(&trust).ok()?;
    let place = sources.place(found.instance.as_ref()).ok()?;
    let store = sources.store(&place, &trust, found.credentials).ok()?;
    Some(namesake::answers_another(&store, &CheckId::new(&sources.host().ok()?, None)))
}

/// JSON as it was written, without its line ends.
fn on_one_line(content: &str) -> String {
    content.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

fn pulse(options: &Init) -> Result<String, String> {
    let value = |text: &Option<String>| text.as_deref().map(Value::from);
    let fields = [
        ("url", value(&options.url)),
        ("body", value(&options.body)),
        ("contains", value(&options.contains)),
        ("min_disk_free_pct", options.min_disk_free_pct.map(Value::from)),
        ("min_mem_available_mib", options.min_mem_available_mib.map(Value::from)),
        ("max_load1", options.max_load1.map(Value::from)),
    ];
    let pulse = json::write(&fields);
    let as_option = |error: json::Error| match error.message.split_once(": ") {
        Some((field, why)) => format!("--{}: {why}", field.replace('_', "-")),
        None => error.message,
    };
    Pulse::parse(pulse.as_bytes(), Unknown::Refused).map_err(as_option)?;
    Ok(pulse)
}

/// Writes all files or no file.
fn write(files: &[(PathBuf, String)]) -> Result<(), String> {
    for (file, content) in files {
        let written = match file.symlink_metadata() {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => make_folder(file).and_then(|()| atomic_file::create(file, content.as_bytes())),
        };
        if let Err(error) = written {
            let others = files.iter().map(|(other, _)| other).take_while(|other| *other != file);
            others.for_each(|other| drop(fs::remove_file(other)));
            return Err(not_written(file, &error));
        }
    }
    Ok(())
}

/// Makes the folder, readable for everybody, if it is not there yet.
fn make_folder(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) if folder != Path::new("") && !folder.exists() => {
            fs::create_dir_all(folder)?;
            fs::set_permissions(folder, Permissions::from_mode(0o755))
        }
        _ => Ok(()),
    }
}

fn not_written(file: &Path, error: &io::Error) -> String {
    let file = file.display();
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{file} is already there and is not overwritten: edit it, or move it away first")
        }
        io::ErrorKind::PermissionDenied => format!("cannot write {file}: {error}; run this as root, or give --config"),
        _ => format!("cannot write {file}: {error}"),
    }
}

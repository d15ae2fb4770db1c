//! `init`: writes the configuration and a pulse, then runs `doctor`.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::args::{Arguments, Init};
use super::exit::Exit;
use super::output::{complain, print};
use super::settings::Sources;
use super::{atomic_file, doctor};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::json::{self, Unknown};
use pulse_echo_core::pulse::Pulse;

/// Runs `init`.
pub fn command(arguments: &Arguments, options: &Init, environment: Environment) -> Exit {
    // The present configuration is ignored, since this file is to be written anew.
    let sources = Sources::without_file(arguments, environment);
    let content = sources.to_configuration().and_then(|configuration| Ok((pulse(options)?, configuration)));
    let (pulse, configuration) = match content {
        Ok(content) => content,
        Err(message) => {
            complain(&message);
            return Exit::Usage;
        }
    };
    // The configuration is written last: once it is there, cron sends.
    let files = [(sources.folder().join("pulse.json"), pulse), (sources.file, configuration)];
    if let Err(message) = write(&files) {
        complain(&message);
        return Exit::Failed;
    }
    if !arguments.quiet {
        for (file, _) in &files {
            print(&format!("wrote {}", file.display()));
        }
    }
    doctor::command(arguments, environment);
    Exit::Ok
}

fn pulse(options: &Init) -> Result<String, String> {
    let value = |text: &Option<String>| text.as_deref().map(Value::from);
    let fields = [("url", value(&options.url)), ("body", value(&options.body)), ("contains", value(&options.contains))];
    let pulse = json::write(&fields);
    Pulse::parse(pulse.as_bytes(), Unknown::Refused).map_err(|error| format!("--{}", error.message))?;
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

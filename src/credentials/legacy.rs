//! Older places of keys, which aws-cli still reads before it asks a container or an instance.

use std::path::PathBuf;

use super::files;
use super::ini::Sections;
use crate::input;
use pulse_echo_core::environment::Environment;

/// The largest of these files that is read, in bytes.
const SIZE_LIMIT: u64 = 64 * 1024;

/// Refuses keys in such a place, with the remedy: to pass them over would be to sign as somebody else than aws-cli.
pub fn refuse(environment: Environment) -> Result<(), String> {
    let remedy = "which pulse-echo does not read: move them to /etc/pulse-echo/credentials, under [default]";
    if environment.get("AWS_CREDENTIAL_FILE").is_some() {
        return Err(format!("AWS_CREDENTIAL_FILE names a file with keys, {remedy}"));
    }
    let boto = match environment.get("BOTO_CONFIG") {
        Some(file) => vec![PathBuf::from(file)],
        None => std::iter::once("/etc/boto.cfg".into())
            .chain(files::home(environment).map(|home| home.join(".boto")))
            .collect(),
    };
    for file in boto {
        let Ok(text) = input::read(&file, SIZE_LIMIT) else { continue };
        let Ok(sections) = Sections::read(&text) else { continue };
        let keys = sections.last(|name| name == "Credentials").and_then(|section| section.get("aws_access_key_id"));
        if let Some(keys) = keys {
            return Err(format!("{}:{}: there are keys here, {remedy}", file.display(), keys.line));
        }
    }
    Ok(())
}

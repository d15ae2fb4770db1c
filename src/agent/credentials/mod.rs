//! Who we are to the store: the environment, then AWS's shared files.

mod files;

use std::path::{Path, PathBuf};

use super::Environment;
use crate::store::{Credentials, credentials_from};
use files::Sections;

/// Where the package keeps this host's credentials.
const OWN_FILE: &str = "/etc/pulse-echo/credentials";

/// A profile of AWS's shared files: which one, and where the files are.
pub struct Profile {
    name: String,
    /// The files that may hold its keys; the first that is there counts.
    credentials_files: Vec<PathBuf>,
    config_file: Option<PathBuf>,
}

impl Profile {
    /// The profile that was asked for, or `AWS_PROFILE`, or `default`.
    pub fn new(asked_for: Option<&str>, environment: Environment) -> Self {
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let home = variable("HOME").map(PathBuf::from);
        let in_home = |name: &str| home.as_ref().map(|home| home.join(".aws").join(name));
        let credentials_files = match variable("AWS_SHARED_CREDENTIALS_FILE") {
            Some(file) => vec![PathBuf::from(file)],
            None => std::iter::once(PathBuf::from(OWN_FILE)).chain(in_home("credentials")).collect(),
        };
        Self {
            name: asked_for.map(String::from).or_else(|| variable("AWS_PROFILE")).unwrap_or("default".into()),
            credentials_files,
            config_file: variable("AWS_CONFIG_FILE").map(PathBuf::from).or_else(|| in_home("config")),
        }
    }

    /// The region that the config file has for it.
    pub fn region(&self) -> Result<Option<String>, String> {
        let Some(file) = &self.config_file else { return Ok(None) };
        match files::read(file) {
            Ok(Some(text)) => {
                let sections = Sections::of(&text);
                let section = if self.name == "default" { "default".into() } else { format!("profile {}", self.name) };
                Ok(sections.word(&section, "region").map(String::from))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(format!("cannot read {}: {error}", file.display())),
        }
    }

    /// The files that may hold secrets, whether they are there or not.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.credentials_files.iter().chain(&self.config_file).map(PathBuf::as_path)
    }

    /// The keys that `file` has for it; none, with the reason, if it has none.
    fn keys_in(&self, file: &Path) -> Result<Credentials, String> {
        let text = match files::read(file) {
            Ok(Some(text)) => text,
            Ok(None) => return Err("is not there".into()),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied && file == Path::new(OWN_FILE) => {
                return Err("may not be read; whoever runs this must be in its group (usually pulse-echo)".into());
            }
            Err(error) => return Err(format!("cannot be read ({error})")),
        };
        let sections = Sections::of(&text);
        if !sections.has(&self.name) {
            return Err(format!("has no profile [{}]", self.name));
        }
        let word = |name: &str| sections.word(&self.name, &name.to_ascii_lowercase()).map(String::from);
        match credentials_from(&word) {
            Ok(Some(credentials)) => Ok(credentials),
            Ok(None) => Err(format!("has no aws_access_key_id in [{}]", self.name)),
            Err(missing) => Err(format!("has no {} in [{}]", missing.to_ascii_lowercase(), self.name)),
        }
    }
}

/// Credentials, and where they are from.
pub struct Found {
    /// Who we are to the store.
    pub credentials: Credentials,
    /// Where that is from, for people.
    pub source: String,
}

/// The first credentials of the chain. The error lists what was tried and why it did not serve.
pub fn find(profile: &Profile, environment: Environment) -> Result<Found, String> {
    let mut tried = Vec::new();
    match credentials_from(environment) {
        Ok(Some(credentials)) => return Ok(Found { credentials, source: "the environment".into() }),
        Ok(None) => tried.push("AWS_ACCESS_KEY_ID is not set".to_string()),
        Err(missing) => return Err(format!("the environment has only half of the credentials: {missing} is not set")),
    }
    for file in &profile.credentials_files {
        match profile.keys_in(file) {
            Ok(credentials) => {
                let source = format!("[{}] in {}", profile.name, file.display());
                return Ok(Found { credentials, source });
            }
            Err(reason) => tried.push(format!("{} {reason}", file.display())),
        }
    }
    Err(format!("there are no credentials: {}", tried.join("; ")))
}

//! AWS's shared files, `credentials` and `config`, and the profile that is looked for in them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::ini::Sections;
use super::process;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::store::{Credentials, credentials_from};

/// Where the package keeps this host's credentials.
const OWN_FILE: &str = "/etc/pulse-echo/credentials";

/// What is said of it to those who may not read it. It fits a plugin's line of under 80 characters.
pub const NOT_IN_GROUP: &str = "only the group pulse-echo may read /etc/pulse-echo/credentials";

/// What says that a profile gets its credentials in a way that the agent does not have.
const REFUSED: [(&str, &str); 5] = [
    ("role_arn", "a role"),
    ("web_identity_token_file", "a web identity"),
    ("sso_session", "SSO"),
    ("sso_start_url", "SSO"),
    ("login_session", "a login session"),
];

/// What to do instead of what is refused.
pub const REMEDY: &str = "use credential_process, with a program that gets them, such as \
                          \"aws configure export-credentials\" of the AWS CLI 2";

/// A profile of AWS's shared files: which one, and where the files are.
pub struct Profile {
    name: String,
    /// Whether the command line asked for it; it then comes before the environment's keys.
    pub is_option: bool,
    /// Whether it was asked for at all; then it must be there.
    is_named: bool,
    /// The files that may hold it, in their order; those that are not there are passed over.
    files: Vec<File>,
}

struct File {
    path: PathBuf,
    /// Whether it is a config file, in which sections but the default one are called `[profile NAME]`.
    is_config: bool,
}

impl Profile {
    /// The profile that was asked for, or `AWS_PROFILE`, or `default`.
    pub fn new(asked_for: Option<&str>, environment: Environment) -> Self {
        let home = environment.get("HOME").map(PathBuf::from);
        let in_home = |name: &str| home.as_ref().map(|home| home.join(".aws").join(name));
        let credentials = match environment.get("AWS_SHARED_CREDENTIALS_FILE") {
            Some(file) => vec![PathBuf::from(file)],
            None => std::iter::once(PathBuf::from(OWN_FILE)).chain(in_home("credentials")).collect(),
        };
        let config = environment.get("AWS_CONFIG_FILE").map(PathBuf::from).or_else(|| in_home("config"));
        let name = asked_for.map(String::from).or_else(|| environment.get("AWS_PROFILE"));
        Self {
            is_option: asked_for.is_some(),
            is_named: name.is_some(),
            name: name.unwrap_or("default".into()),
            files: (credentials.into_iter().map(|path| File { path, is_config: false }))
                .chain(config.map(|path| File { path, is_config: true }))
                .collect(),
        }
    }

    /// The region that the config file has for it.
    pub fn region(&self) -> Result<Option<String>, String> {
        let Some(file) = self.files.iter().find(|file| file.is_config) else { return Ok(None) };
        let text = match fs::read(&file.path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot read {}: {error}", file.path.display())),
        };
        let sections = Sections::of(&text);
        Ok(file.section(&sections, &self.name).and_then(|section| sections.word(&section, "region")).map(String::from))
    }

    /// The files that may hold secrets, whether they are there or not.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// The credentials of the first file that has something for it, and where that is. Why each file has nothing is
    /// added to `tried`; the error is why the search ends here.
    pub fn credentials(
        &self,
        tried: &mut Vec<String>,
        deadline: Instant,
    ) -> Result<Option<(Credentials, String)>, String> {
        let mut is_there = false;
        for file in &self.files {
            let path = file.path.display();
            match file.look(&self.name, deadline) {
                Look::Found(credentials) => {
                    return Ok(Some((credentials, format!("the profile {} in {path}", self.name))));
                }
                Look::Stopped(why) => return Err(format!("the profile {} in {path} {why}", self.name)),
                Look::NoKeys => {
                    is_there = true;
                    tried.push(format!("{path} has no keys and no credential_process for the profile {}", self.name));
                }
                Look::NoProfile(why) => tried.push(format!("{path} {why}")),
                // The first to be told: where it is closed, the keys are in it.
                Look::NotInGroup => tried.insert(0, NOT_IN_GROUP.into()),
            }
        }
        if self.is_named && !is_there { Err(format!("there is no profile {}", self.name)) } else { Ok(None) }
    }
}

/// What a file has for a profile.
enum Look {
    Found(Credentials),
    /// Something that does not serve, so that nothing further may be tried: the end of a sentence about the profile.
    Stopped(String),
    NoKeys,
    /// The end of a sentence about the file.
    NoProfile(String),
    /// [`OWN_FILE`], which is not for whoever runs this.
    NotInGroup,
}

impl File {
    fn look(&self, profile: &str, deadline: Instant) -> Look {
        let text = match fs::read(&self.path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => return self.unreadable(&error),
        };
        let sections = Sections::of(&text);
        let Some(section) = self.section(&sections, profile) else {
            return Look::NoProfile(format!("has no profile {profile}"));
        };
        if let Some((name, what)) = REFUSED.iter().find(|(name, _)| sections.line(&section, name).is_some()) {
            return Look::Stopped(format!("needs {what} ({name}), which pulse-echo does not do: {REMEDY}"));
        }
        let word = |name: &str| sections.word(&section, name).map(String::from);
        match (credentials_from(Environment::new(&word)), sections.line(&section, "credential_process")) {
            (Ok(Some(credentials)), _) => Look::Found(credentials),
            (Err(missing), _) => Look::Stopped(format!("has no {}", missing.to_ascii_lowercase())),
            (Ok(None), Some(command_line)) => match process::credentials(command_line, deadline) {
                Ok(credentials) => Look::Found(credentials),
                Err(why) => Look::Stopped(format!("has a credential_process that {why}")),
            },
            (Ok(None), None) => Look::NoKeys,
        }
    }

    /// The section of a profile; in a config file `[profile default]` and `[default]` are the same one.
    fn section(&self, sections: &Sections, profile: &str) -> Option<String> {
        let long = format!("profile {profile}");
        let names = match (self.is_config, profile) {
            (true, "default") => vec![long, profile.into()],
            (true, _) => vec![long],
            (false, _) => vec![profile.into()],
        };
        names.into_iter().find(|name| sections.has(name))
    }

    fn unreadable(&self, error: &std::io::Error) -> Look {
        match error.kind() {
            ErrorKind::NotFound => Look::NoProfile("is not there".into()),
            ErrorKind::PermissionDenied if self.path == Path::new(OWN_FILE) => Look::NotInGroup,
            _ => Look::NoProfile(format!("cannot be read ({error})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_file_that_may_not_be_read_names_the_group() {
        let denied = ErrorKind::PermissionDenied.into();
        let look = |path: &str| File { path: path.into(), is_config: false }.unreadable(&denied);
        assert!(matches!(look(OWN_FILE), Look::NotInGroup));
        assert!(NOT_IN_GROUP.ends_with(OWN_FILE) && "ECHO UNKNOWN - ".len() + NOT_IN_GROUP.len() < 80);
        let Look::NoProfile(why) = look("/root/.aws/credentials") else { panic!() };
        assert_eq!(why, "cannot be read (permission denied)");
    }

    #[test]
    fn our_own_file_comes_before_the_one_in_the_home_directory_unless_another_is_named() {
        let paths = |variables: &[(&str, &str)]| -> Vec<String> {
            let variable =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_string());
            Profile::new(None, Environment::new(&variable))
                .files
                .iter()
                .map(|file| file.path.display().to_string())
                .collect()
        };
        assert_eq!(paths(&[("HOME", "/h")]), [OWN_FILE, "/h/.aws/credentials", "/h/.aws/config"]);
        assert_eq!(paths(&[("AWS_SHARED_CREDENTIALS_FILE", "/c"), ("HOME", "/h")]), ["/c", "/h/.aws/config"]);
        assert_eq!(paths(&[("AWS_CONFIG_FILE", "/c")]), [OWN_FILE, "/c"]);
        assert_eq!(paths(&[("HOME", "")]), [OWN_FILE]);
    }
}

//! AWS's shared files, `credentials` and `config`: where they are, and the profile in them.

use std::cell::OnceCell;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::ini::{Entry, Section, Sections, Wrong};
use super::process::split;
use crate::input;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::text::nearest;

/// Where the package keeps this host's credentials.
const OWN_FILE: &str = "/etc/pulse-echo/credentials";

/// What to say to a user who may not read it. It fits a plugin's line of under 80 characters.
pub const NOT_IN_GROUP: &str = "only the group pulse-echo may read /etc/pulse-echo/credentials";

/// The largest file that is read, in bytes.
const SIZE_LIMIT: u64 = 1024 * 1024;

/// What a file is to aws-cli.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    /// The package's own file, of which aws-cli knows nothing. It is written as a credentials file.
    Own,
    /// The credentials file: sections are called `[NAME]`.
    Credentials,
    /// The config file: each section except the default is called `[profile NAME]`.
    Config,
}

/// A file that may hold the profile. It is read when it is needed.
pub struct File {
    /// Its path.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    content: OnceCell<Content>,
}

/// What a file holds.
enum Content {
    Sections(Sections),
    Wrong(Wrong),
    /// It is passed over: the end of a sentence about it.
    Nothing(String),
    /// [`OWN_FILE`], which this user may not read.
    NotInGroup,
}

/// A setting, and the file that has it.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// The file.
    pub file: &'a File,
    /// The setting.
    pub entry: &'a Entry,
}

/// The files of this environment, in the order in which they are searched.
pub fn of(environment: Environment) -> Vec<File> {
    let home = home(environment);
    let named = |variable: &str, name: &str| match environment.get(variable) {
        Some(path) => Some(expanded(&path, home.as_deref(), environment)),
        None => home.as_ref().map(|home| home.join(".aws").join(name)),
    };
    // Whoever names a credentials file wants no other.
    let own = environment.get("AWS_SHARED_CREDENTIALS_FILE").is_none().then(|| PathBuf::from(OWN_FILE));
    let (credentials, config) =
        (named("AWS_SHARED_CREDENTIALS_FILE", "credentials"), named("AWS_CONFIG_FILE", "config"));
    [(own, Kind::Own), (credentials, Kind::Credentials), (config, Kind::Config)]
        .into_iter()
        .filter_map(|(path, kind)| Some(File { path: path?, kind, content: OnceCell::new() }))
        .collect()
}

/// The home directory: `HOME`, else what the system knows of this user, as Python looks for it.
pub fn home(environment: Environment) -> Option<PathBuf> {
    environment.get("HOME").or_else(|| home_of(rustix::process::getuid().as_raw())).map(PathBuf::from)
}

/// The directory of a user in `/etc/passwd`: `name:password:uid:gid:comment:directory:shell`.
fn home_of(uid: u32) -> Option<String> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let user = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| {
        let id: Option<u32> = fields.get(2).and_then(|id| id.parse().ok());
        id == Some(uid)
    })?;
    user.get(5).filter(|home| !home.is_empty()).map(|home| (*home).to_string())
}

/// A path with `~`, `$NAME` and `${NAME}` replaced, as botocore does where no shell did it: in a crontab, in a unit.
fn expanded(path: &str, home: Option<&Path>, environment: Environment) -> PathBuf {
    let mut text = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('$') {
        text.push_str(before);
        let (name, next) = match after.strip_prefix('{').and_then(|after| after.split_once('}')) {
            Some(braced) => braced,
            None => after.split_at(after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len())),
        };
        match environment.get(name) {
            Some(value) => text.push_str(&value),
            None => text.push_str(&rest[before.len()..rest.len() - next.len()]),
        }
        rest = next;
    }
    text.push_str(rest);
    match (text.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => text.into(),
    }
}

/// What is wrong with a file that holds a secret key, if everybody can read it.
pub fn open_to_all(file: &Path) -> Option<String> {
    let mode = fs::metadata(file).ok()?.mode() & 0o7777;
    let name = file.display();
    let what = "everybody on this machine can read the secret key in it";
    (mode & 0o004 != 0).then(|| format!("{name} has mode {mode:o}: {what}: chmod o-rwx {name}"))
}

impl File {
    fn content(&self) -> &Content {
        self.content.get_or_init(|| match input::read(&self.path, SIZE_LIMIT) {
            Ok(bytes) => Sections::read(&bytes).map_or_else(Content::Wrong, Content::Sections),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => Content::Nothing("is not there".into()),
                ErrorKind::PermissionDenied if self.kind == Kind::Own => Content::NotInGroup,
                _ => Content::Nothing(format!("cannot be read ({error})")),
            },
        })
    }

    /// The section of a profile. The error says what is wrong with the file, and in which line.
    pub fn section(&self, profile: &str) -> Result<Option<&Section>, String> {
        match self.content() {
            Content::Sections(sections) => Ok(sections.last(|section| self.is_of(section, profile))),
            Content::Wrong(wrong) => Err(self.at(wrong.line, &wrong.what)),
            Content::Nothing(_) | Content::NotInGroup => Ok(None),
        }
    }

    /// A section of the config file that is called `[KIND NAME]`.
    pub fn other_section(&self, kind: &str, name: &str) -> Option<&Section> {
        let Content::Sections(sections) = self.content() else { return None };
        sections.last(|section| is_called(section, kind, name))
    }

    fn is_of(&self, section: &str, profile: &str) -> bool {
        match self.kind {
            Kind::Own | Kind::Credentials => section == profile,
            Kind::Config if section.starts_with("profile") => is_called(section, "profile", profile),
            Kind::Config => profile == "default" && section == profile,
        }
    }

    /// Adds to `tried` why the file has nothing for the profile.
    pub fn tell_why(&self, profile: &str, tried: &mut Vec<String>) {
        let path = self.path.display();
        match self.content() {
            // The first to be told: this closed file holds the keys.
            Content::NotInGroup => tried.insert(0, NOT_IN_GROUP.into()),
            Content::Nothing(why) => tried.push(format!("{path} {why}")),
            Content::Wrong(wrong) => tried.push(self.at(wrong.line, &wrong.what)),
            Content::Sections(sections) => tried.push(format!("{path} {}", self.lack(sections, profile))),
        }
    }

    /// What the file lacks, with what may have been meant for it: the end of a sentence about the file.
    fn lack(&self, sections: &Sections, profile: &str) -> String {
        if let Some(section) = sections.last(|section| self.is_of(section, profile)) {
            let hint = section.find(|name| name.replace([' ', '_', '-'], "").contains("accesskey"));
            let hint = hint.map_or_else(String::new, |entry| {
                format!(": line {} has {}, where aws_access_key_id is expected", entry.line, entry.name)
            });
            return format!("has no keys and no credential_process for the profile {profile}{hint}");
        }
        let right = self.heading(profile);
        if let Some(section) = sections.last(|section| is_like(section, profile)) {
            let Section { name, line, .. } = section;
            return format!("has no profile {profile}: line {line} has [{name}], which must be [{right}] here");
        }
        let near = nearest(&right, sections.names()).and_then(|near| sections.last(|name| name == near));
        let hint = near.map_or_else(String::new, |section| {
            format!(": line {} has [{}]; is [{right}] meant?", section.line, section.name)
        });
        format!("has no profile {profile}{hint}")
    }

    /// How the section of a profile is called in this file.
    fn heading(&self, profile: &str) -> String {
        let is_long = self.kind == Kind::Config && profile != "default";
        if is_long { format!("profile {profile}") } else { profile.into() }
    }

    /// A sentence about a line of the file.
    pub fn at(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path.display())
    }
}

impl Setting<'_> {
    /// The value on one line. botocore would take a comment behind it, and lines that continue it, for a part of it.
    pub fn word(&self) -> Result<&str, String> {
        let Entry { name, value, line } = self.entry;
        let wrong = |what: &str| Err(self.file.at(*line, &format!("{name} {what}")));
        if value.contains('\n') {
            return wrong("goes on in the next line, which is indented deeper: begin both in the same column");
        }
        let mut behind_blank = value.match_indices(char::is_whitespace).filter_map(|(at, _)| value.get(at + 1..));
        if behind_blank.any(|rest| rest.starts_with(['#', ';'])) {
            return wrong("has a comment behind its value: put the comment on a line of its own");
        }
        let is_quoted = |quote| value.len() > 1 && value.starts_with(quote) && value.ends_with(quote);
        if is_quoted('"') || is_quoted('\'') {
            return wrong("is in quotes, which would be a part of it: remove them");
        }
        Ok(value)
    }
}

/// Whether a section is called `[KIND NAME]`; the name may be in quotes.
fn is_called(section: &str, kind: &str, name: &str) -> bool {
    section.starts_with(kind) && split(section).is_ok_and(|words| words.len() == 2 && words[1] == name)
}

/// Whether a section is the profile's, but for its case, blanks, and the word `profile`.
fn is_like(section: &str, profile: &str) -> bool {
    let section = section.trim();
    let bare = section.strip_prefix("profile ").unwrap_or(section).trim();
    bare.eq_ignore_ascii_case(profile)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(variables: &[(&str, &str)]) -> Vec<String> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into());
        of(Environment::new(&variable)).iter().map(|file| file.path.display().to_string()).collect()
    }

    #[test]
    fn our_own_file_that_may_not_be_read_names_the_group() {
        assert!(NOT_IN_GROUP.ends_with(OWN_FILE) && "ECHO UNKNOWN - ".len() + NOT_IN_GROUP.len() < 80);
    }

    #[test]
    fn our_own_file_comes_before_the_one_in_the_home_directory_unless_another_is_named() {
        assert_eq!(paths(&[("HOME", "/h")]), [OWN_FILE, "/h/.aws/credentials", "/h/.aws/config"]);
        assert_eq!(paths(&[("AWS_SHARED_CREDENTIALS_FILE", "/c"), ("HOME", "/h")]), ["/c", "/h/.aws/config"]);
        assert_eq!(paths(&[("AWS_CONFIG_FILE", "/c"), ("HOME", "/h")]), [OWN_FILE, "/h/.aws/credentials", "/c"]);
    }

    #[test]
    fn without_home_the_users_directory_is_what_the_system_knows() {
        assert_eq!(home_of(0).as_deref(), Some("/root"));
        assert_eq!(home_of(u32::MAX), None);
    }

    #[test]
    fn a_tilde_and_variables_in_a_files_name_are_replaced_where_no_shell_did_it() {
        for (path, expected) in [
            ("~/keys", "/h/keys"),
            ("~", "/h/"),
            ("~root/keys", "~root/keys"),
            ("$D/keys", "/d/keys"),
            ("/x/${D}y$NONE/${NONE}$", "/x//dy$NONE/${NONE}$"),
        ] {
            let files = paths(&[("AWS_SHARED_CREDENTIALS_FILE", path), ("HOME", "/h"), ("D", "/d")]);
            assert_eq!(files[0], expected, "{path}");
        }
    }
}

//! The profile that is asked for, and what aws-cli would do with it.

use std::path::Path;
use std::time::Instant;

use super::Found;
use super::files::{self, File, Kind, Setting};
use super::ini::{Entry, Section};
use super::keys::wrong;
use super::process;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::store::Credentials;

/// What to use instead of the ways to credentials that are refused.
pub const REMEDY: &str = "give pulse-echo a profile of its own, with credential_process = aws configure \
                          export-credentials --profile NAME, of the AWS CLI 2";

/// The variables that name a profile. AWS's tools differ in which comes first.
const VARIABLES: [&str; 2] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];

/// The setting that holds a secret.
const SECRET: &str = "aws_secret_access_key";

/// The variable by which EKS gives a pod an identity.
const WEB_IDENTITY: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";

/// A profile of AWS's shared files.
pub struct Profile {
    name: String,
    /// Whether the command line named it; it then comes before the environment's keys.
    pub is_option: bool,
    /// Whether it was named at all; then it must be there.
    is_named: bool,
    /// Why it is not clear which profile is meant.
    doubt: Option<&'static str>,
    /// The environment asks for a web identity, which comes before aws-cli's files.
    wants_web_identity: bool,
    files: Vec<File>,
}

/// What the files have for the profile, of one source.
struct Source<'a> {
    credentials: Option<(&'a File, &'a Section)>,
    config: Option<(&'a File, &'a Section)>,
}

impl Profile {
    /// The profile `asked_for`, or that of the environment, or `default`.
    pub fn new(asked_for: Option<&str>, environment: Environment) -> Self {
        let named = VARIABLES.map(|variable| environment.get(variable));
        let are_two = asked_for.is_none() && matches!(&named, [Some(one), Some(other)] if one != other);
        let name = asked_for.map(String::from).or_else(|| named.into_iter().flatten().next());
        Self {
            is_option: asked_for.is_some(),
            is_named: name.is_some(),
            doubt: are_two.then_some("AWS_PROFILE and AWS_DEFAULT_PROFILE name two profiles: unset one of them"),
            wants_web_identity: asked_for.is_none() && environment.get(WEB_IDENTITY).is_some(),
            name: name.unwrap_or("default".into()),
            files: files::of(environment),
        }
    }

    /// A setting of the profile, on one line; an empty one counts as unset. The error says what is wrong with it, or
    /// with the file.
    pub fn setting(&self, name: &str) -> Result<Option<String>, String> {
        let Some(setting) = self.find(name)? else { return Ok(None) };
        Ok(Some(setting.word()?.to_string()).filter(|value| !value.is_empty()))
    }

    /// A setting in the block `s3` of the profile.
    pub fn s3_setting(&self, name: &str) -> Result<Option<String>, String> {
        Ok(self.find("s3")?.and_then(|setting| setting.entry.nested(name)).map(String::from))
    }

    /// Refuses S3's transfer acceleration, an address of aws-cli that pulse-echo does not use.
    pub fn is_not_accelerated(&self) -> Result<(), String> {
        let name = "use_accelerate_endpoint";
        match self.find("s3")? {
            Some(Setting { file, entry }) if entry.nested(name).is_some_and(is_true) => Err(file.at(
                entry.line,
                &format!("the block s3 has {name}, which pulse-echo does not do: remove it, or take another profile"),
            )),
            _ => Ok(()),
        }
    }

    /// The address of the S3 service: of the profile's section `services`, else its own.
    pub fn endpoint(&self) -> Result<Option<String>, String> {
        if let Some(services) = self.find("services")? {
            let name = services.word()?;
            let mut configs = self.files.iter().filter(|file| file.kind == Kind::Config);
            let section = configs.find_map(|file| file.other_section("services", name)).ok_or_else(|| {
                services.file.at(services.entry.line, &format!("there is no section [services {name}]: write it"))
            })?;
            let endpoint = section.get("s3").and_then(|s3| s3.nested("endpoint_url")).filter(|url| !url.is_empty());
            if let Some(endpoint) = endpoint {
                return Ok(Some(endpoint.into()));
            }
        }
        self.setting("endpoint_url")
    }

    fn find(&self, name: &str) -> Result<Option<Setting<'_>>, String> {
        self.is_clear()?;
        for file in &self.files {
            if let Some(entry) = file.section(&self.name)?.and_then(|section| section.get(name)) {
                return Ok(Some(Setting { file, entry }));
            }
        }
        Ok(None)
    }

    fn is_clear(&self) -> Result<(), String> {
        self.doubt.map_or(Ok(()), |doubt| Err(doubt.into()))
    }

    /// The files that may hold secrets, whether they exist or not.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// Tests that a profile that the environment names is there. aws-cli stops without it, whatever keys it has.
    pub fn is_there(&self) -> Result<(), String> {
        self.is_clear()?;
        if !self.is_named {
            return Ok(());
        }
        for file in &self.files {
            if file.section(&self.name)?.is_some() {
                return Ok(());
            }
        }
        Err(format!("there is no profile {}", self.name))
    }

    /// The credentials of the profile, where they are, and what is wrong there. It adds to `tried` why a file has none.
    /// The error says why the search ends here.
    pub fn credentials(&self, tried: &mut Vec<String>, deadline: Instant) -> Result<Option<Found>, String> {
        self.is_clear()?;
        // aws-cli does not know our own file, so that it has a search of its own.
        for is_own in [true, false] {
            if self.wants_web_identity && !is_own {
                let what = "asks for a web identity, which pulse-echo does not do";
                return Err(format!("{WEB_IDENTITY} {what}: unset it, and {REMEDY}"));
            }
            let files = || self.files.iter().filter(|file| (file.kind == Kind::Own) == is_own);
            let mut source = Source { credentials: None, config: None };
            for file in files() {
                let section = file.section(&self.name)?.map(|section| (file, section));
                *(if file.kind == Kind::Config { &mut source.config } else { &mut source.credentials }) = section;
            }
            if let Some((credentials, file)) = source.look(&self.name, deadline)? {
                let has_secret = file.section(&self.name)?.is_some_and(|section| section.get(SECRET).is_some());
                return Ok(Some(Found {
                    credentials,
                    source: format!("the profile {} in {}", self.name, file.path.display()),
                    warning: files::open_to_all(&file.path).filter(|_| has_secret),
                    instance: None,
                }));
            }
            files().for_each(|file| file.tell_why(&self.name, tried));
        }
        self.is_there().map(|()| None)
    }
}

/// Whether a switch of aws-cli's is on.
pub fn is_true(value: &str) -> bool {
    value.eq_ignore_ascii_case("true")
}

impl<'a> Source<'a> {
    /// A setting of the two sections together: that of the credentials file counts.
    fn get(&self, name: &str) -> Option<Setting<'a>> {
        let found = |at: Option<(&'a File, &'a Section)>| {
            at.and_then(|(file, section)| section.get(name).map(|entry| Setting { file, entry }))
        };
        found(self.credentials).or_else(|| found(self.config))
    }

    /// Looks for credentials in botocore's order. A way that pulse-echo does not go is refused, rather than taken for
    /// none: what comes after it would be somebody else.
    fn look(&self, profile: &str, deadline: Instant) -> Result<Option<(Credentials, &'a File)>, String> {
        let refuse = |name: &str, what: &str| match self.get(name) {
            Some(Setting { file, entry }) => Err(file.at(
                entry.line,
                &format!("the profile {profile} needs {what} ({name}), which pulse-echo does not do: {REMEDY}"),
            )),
            None => Ok(()),
        };
        if self.get("web_identity_token_file").is_some_and(|setting| !setting.entry.value.is_empty()) {
            refuse("web_identity_token_file", "a web identity")?;
        }
        refuse("role_arn", "a role")?;
        refuse("sso_account_id", "SSO")?;
        refuse("sso_role_name", "SSO")?;
        if let Some(keys) = keys(self.credentials)? {
            return Ok(Some(keys));
        }
        refuse("login_session", "a login session")?;
        if let Some(Setting { file, entry }) = self.get("credential_process") {
            let issued = process::credentials(&entry.value, deadline);
            let wrong =
                |why| file.at(entry.line, &format!("the profile {profile} has a credential_process that {why}"));
            return issued.map(|credentials| Some((credentials, file))).map_err(wrong);
        }
        if let Some(keys) = keys(self.config)? {
            return Ok(Some(keys));
        }
        // aws-cli passes over these without an account. They are half of what SSO needs.
        refuse("sso_session", "SSO")?;
        refuse("sso_start_url", "SSO")?;
        match self.get(SECRET) {
            Some(Setting { file, entry }) => {
                Err(file.at(entry.line, &format!("the profile {profile} has no aws_access_key_id beside this")))
            }
            None => Ok(None),
        }
    }
}

/// The keys of a section, if it has a key's id: then the rest must be there, too.
fn keys<'a>(section: Option<(&'a File, &'a Section)>) -> Result<Option<(Credentials, &'a File)>, String> {
    let Some((file, section)) = section else { return Ok(None) };
    let Some(id) = section.get("aws_access_key_id") else { return Ok(None) };
    let missing = || file.at(id.line, &format!("there is no aws_secret_access_key beside this in [{}]", section.name));
    let secret = section.get(SECRET).ok_or_else(missing)?;
    let word = |entry: &Entry| {
        let value = Setting { file, entry }.word()?.to_string();
        match wrong(&value) {
            None => Ok(value),
            Some(what) => Err(file.at(entry.line, &format!("{} {what}", entry.name))),
        }
    };
    for entry in [id, secret] {
        if entry.value.is_empty() {
            return Err(file.at(entry.line, &format!("{} is empty: write the key behind it, or remove it", entry.name)));
        }
    }
    // botocore's older name comes first.
    let token = section.get("aws_security_token").or_else(|| section.get("aws_session_token"));
    let token = token.map(word).transpose()?.filter(|token| !token.is_empty());
    let (id, secret) = (word(id)?, word(secret)?);
    Ok(Some(match token {
        None => (Credentials::new(id, secret), file),
        Some(token) => (Credentials::new_with_token(id, secret, token), file),
    }))
}

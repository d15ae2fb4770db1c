//! Where things are and who we are: option, then environment, then configuration file, then default.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::de::MapAccess;
use serde_json::Value;

use super::Environment;
use super::args::Arguments;
use super::credentials::{self, Found, Profile};
use crate::http::{self, SystemResolver, Trust};
use crate::json::{self, Unknown, Whole};
use crate::name::Name;
use crate::store::{Credentials, Place, Store};

/// The package's folder.
pub const OWN_FOLDER: &str = "/etc/pulse-echo";

/// Where the configuration is unless told otherwise.
const CONFIG_FILE: &str = "/etc/pulse-echo/config.json";

/// Where the kernel keeps the machine's name.
const HOSTNAME_FILE: &str = "/proc/sys/kernel/hostname";

/// The region that is signed for where an endpoint of one's own has none.
const NO_REGION: &str = "us-east-1";

const TIMEOUT_S: Whole = Whole { unit: "seconds", min: 1, max: 3600 };

/// The configuration file, as it is written.
#[derive(Debug, Default, PartialEq)]
struct Config {
    bucket: Option<String>,
    host: Option<String>,
    region: Option<String>,
    endpoint: Option<String>,
    path_style: Option<bool>,
    timeout_s: Option<u32>,
    ca_file: Option<String>,
}

impl json::Object for Config {
    const WHAT: &'static str = "the configuration";
    const FIELDS: &'static [&'static str] =
        &["bucket", "host", "region", "endpoint", "path_style", "timeout_s", "ca_file"];

    fn read<'de, A: MapAccess<'de>>(&mut self, field: &str, map: &mut A) -> Result<(), A::Error> {
        match field {
            "bucket" => self.bucket = Some(map.next_value()?),
            "host" => self.host = Some(map.next_value()?),
            "region" => self.region = Some(map.next_value()?),
            "endpoint" => self.endpoint = Some(map.next_value()?),
            "path_style" => self.path_style = Some(map.next_value()?),
            "timeout_s" => self.timeout_s = Some(map.next_value_seed(&TIMEOUT_S)?),
            "ca_file" => self.ca_file = Some(map.next_value()?),
            other => unreachable!("{other} is not in FIELDS"),
        }
        Ok(())
    }
}

/// What a command needs to know.
pub struct Settings {
    /// This host's name.
    pub host: Name,
    /// The folder of the configuration: the pulses lie in it.
    pub folder: PathBuf,
    /// Whether the store is AWS's, and so the probe in AWS.
    pub is_aws: bool,
    /// The store; its deadline is `timeout_s` from when the settings were gathered.
    pub store: Store,
}

impl Settings {
    /// Gathers the settings. The error is one sentence that names the setting, its place and the remedy.
    pub fn gather(arguments: &Arguments, environment: Environment) -> Result<Self, String> {
        let sources = Sources::read(arguments, environment)?;
        let place = sources.place()?;
        let is_aws = place.endpoint.is_none();
        let (trust, credentials) = (sources.trust()?, sources.credentials()?.credentials);
        let store = sources.store(&place, &trust, credentials)?;
        Ok(Self { host: sources.host()?, folder: sources.folder(), is_aws, store })
    }
}

/// Where settings come from, to be asked for one at a time.
pub struct Sources<'a> {
    /// The configuration file, whether it is there or not.
    pub file: PathBuf,
    started: Instant,
    arguments: &'a Arguments,
    environment: Environment<'a>,
    config: Config,
}

impl<'a> Sources<'a> {
    /// Reads the configuration file, if there is one.
    pub fn read(arguments: &'a Arguments, environment: Environment<'a>) -> Result<Self, String> {
        let mut sources = Self::without_file(arguments, environment);
        let is_asked_for = arguments.config.is_some() || sources.variable("PULSE_ECHO_CONFIG").is_some();
        sources.config = read_config(&sources.file, is_asked_for)?;
        Ok(sources)
    }

    /// The same as if the configuration file were empty.
    pub fn without_file(arguments: &'a Arguments, environment: Environment<'a>) -> Self {
        let (file, config) = (PathBuf::new(), Config::default());
        let sources = Self { file, started: Instant::now(), arguments, environment, config };
        let file = sources.first(&arguments.config, &["PULSE_ECHO_CONFIG"], &None);
        Self { file: file.map_or_else(|| PathBuf::from(CONFIG_FILE), PathBuf::from), ..sources }
    }

    /// This host's name.
    pub fn host(&self) -> Result<Name, String> {
        host_name(self.first(&self.arguments.host, &["PULSE_ECHO_HOST"], &self.config.host))
    }

    /// The folder of the configuration.
    pub fn folder(&self) -> PathBuf {
        folder_of(&self.file)
    }

    /// The bucket and how to reach it.
    pub fn place(&self) -> Result<Place, String> {
        let (arguments, config) = (self.arguments, &self.config);
        let file = self.file.display();
        let bucket = self
            .first(&arguments.bucket, &["PULSE_ECHO_BUCKET"], &config.bucket)
            .ok_or_else(|| format!("there is no bucket: set \"bucket\" in {file}, PULSE_ECHO_BUCKET or --bucket"))?;
        let endpoint = self.first(&arguments.endpoint, &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"], &config.endpoint);
        let region = match self.first(&arguments.region, &["AWS_REGION", "AWS_DEFAULT_REGION"], &config.region) {
            Some(region) => region,
            None => match self.profile().region()? {
                Some(region) => region,
                None if endpoint.is_some() => NO_REGION.into(),
                None => {
                    return Err(format!("there is no region: set \"region\" in {file}, AWS_REGION or --region"));
                }
            },
        };
        let path_style = if arguments.path_style { Some(true) } else { config.path_style };
        Ok(Place { bucket, region, endpoint, path_style })
    }

    /// Whom to trust.
    pub fn trust(&self) -> Result<Trust, String> {
        match self.first(&self.arguments.ca_file, &["AWS_CA_BUNDLE"], &self.config.ca_file) {
            None => Ok(Trust::built_in()),
            Some(file) => read_trust(&file),
        }
    }

    /// Who we are to the store.
    pub fn credentials(&self) -> Result<Found, String> {
        credentials::find(&self.profile(), self.environment)
    }

    /// The profile of AWS's files.
    pub fn profile(&self) -> Profile {
        Profile::new(self.arguments.profile.as_deref(), self.environment)
    }

    /// The store.
    pub fn store(&self, place: &Place, trust: &Trust, credentials: Credentials) -> Result<Store, String> {
        let timeout = Duration::from_secs(self.arguments.timeout_s.or(self.config.timeout_s).unwrap_or(60).into());
        let agent = http::agent(
            http::config()
                .user_agent(concat!("pulse-echo/", env!("CARGO_PKG_VERSION")))
                // `run` waits up to two seconds between two looks; its connection must live that long, and longer.
                .max_idle_age(Duration::from_secs(60))
                .build(),
            trust,
            SystemResolver::default(),
        );
        Store::new(place, credentials, agent, Arc::new(Timestamp::now), self.started + timeout)
    }

    /// A configuration file that says what options and environment say now: cron has neither.
    pub fn to_configuration(&self) -> Result<String, String> {
        let (arguments, place) = (self.arguments, self.place()?);
        place.check()?;
        self.host()?;
        self.trust()?;
        let host = self.first(&arguments.host, &["PULSE_ECHO_HOST"], &None);
        let ca_file = self.first(&arguments.ca_file, &["AWS_CA_BUNDLE"], &None).map(|file| {
            let whole = std::path::absolute(&file);
            whole.map_or(file, |whole| whole.display().to_string())
        });
        Ok(json::write(&[
            ("bucket", Some(place.bucket.into())),
            ("region", Some(place.region.into())),
            ("endpoint", place.endpoint.map(Value::from)),
            ("path_style", place.path_style.map(Value::from)),
            ("host", host.map(Value::from)),
            ("ca_file", ca_file.map(Value::from)),
            ("timeout_s", arguments.timeout_s.map(Value::from)),
        ]))
    }

    /// Option, then environment, then configuration file.
    fn first(&self, option: &Option<String>, names: &[&str], configured: &Option<String>) -> Option<String> {
        let variable = || names.iter().find_map(|name| self.variable(name));
        option.clone().or_else(variable).or_else(|| configured.clone())
    }

    /// A variable of the environment; an empty one is none.
    fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|value| !value.is_empty())
    }
}

fn read_config(file: &Path, is_asked_for: bool) -> Result<Config, String> {
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_asked_for => return Ok(Config::default()),
        Err(error) => return Err(format!("cannot read the configuration {}: {error}", file.display())),
    };
    json::read(&text, Unknown::Refused).map_err(|error| in_file(file, &error))
}

/// An error in a file, as compilers show it: `FILE:LINE:COLUMN: what is wrong`.
pub fn in_file(file: &Path, error: &json::Error) -> String {
    format!("{}:{}:{}: {}", file.display(), error.line, error.column, error.message)
}

fn read_trust(file: &str) -> Result<Trust, String> {
    let pem = fs::read(file).map_err(|error| format!("cannot read the CA file {file}: {error}"))?;
    Trust::with_pem(&pem).map_err(|error| format!("the CA file {file} cannot be used: {error}"))
}

fn host_name(asked_for: Option<String>) -> Result<Name, String> {
    let remedy = "set \"host\" in the configuration, PULSE_ECHO_HOST or --host";
    let text = match asked_for {
        Some(text) => text,
        None => fs::read_to_string(HOSTNAME_FILE)
            .map_err(|error| format!("cannot read this machine's name from {HOSTNAME_FILE}: {error}; {remedy}"))?,
    };
    let name: Name =
        text.trim_end().parse().map_err(|error| format!("the host's name cannot be used: {error}; {remedy}"))?;
    if name.as_str().eq_ignore_ascii_case("localhost") {
        return Err(format!("the host's name is {name}, which every machine has; {remedy}"));
    }
    Ok(name)
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.into(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_and_what_may_not_enter_a_key_are_refused_with_the_remedy() {
        for (name, why) in [("localhost", "which every machine has"), ("../x", "may not enter a key"), ("", "empty")] {
            let error = host_name(Some(name.into())).unwrap_err();
            assert!(error.contains(why) && error.contains("--host"), "{error}");
        }
        assert_eq!(host_name(Some("web-1\n".into())).unwrap().as_str(), "web-1");
    }

    #[test]
    fn the_pulses_lie_beside_the_configuration() {
        assert_eq!(folder_of(Path::new("/etc/pulse-echo/config.json")), Path::new("/etc/pulse-echo"));
        assert_eq!(folder_of(Path::new("config.json")), Path::new("."));
    }
}

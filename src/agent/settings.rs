//! Where things are and who we are: option, then environment, then configuration file, then default.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::de::MapAccess;

use super::Environment;
use super::args::Arguments;
use super::credentials;
use crate::http::{self, SystemResolver, Trust};
use crate::json::{self, Unknown, Whole};
use crate::name::Name;
use crate::store::{Place, Store};

/// Where the configuration is unless told otherwise.
const CONFIG_FILE: &str = "/etc/pulse-echo/config.json";

/// Where the kernel keeps the machine's name.
const HOSTNAME_FILE: &str = "/proc/sys/kernel/hostname";

/// The region that is signed for where an endpoint of one's own has none.
const NO_REGION: &str = "us-east-1";

const TIMEOUT_S: Whole = Whole { unit: "seconds", min: 1, max: 3600 };

/// The configuration file, as it is written.
#[derive(Debug, Default, PartialEq)]
pub struct Config {
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
        let started = Instant::now();
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let (file, is_asked_for) = match arguments.config.clone().or_else(|| variable("PULSE_ECHO_CONFIG")) {
            Some(file) => (PathBuf::from(file), true),
            None => (PathBuf::from(CONFIG_FILE), false),
        };
        let config = read_config(&file, is_asked_for)?;
        let profile = credentials::Profile::new(arguments.profile.as_deref(), environment);

        let first = |option: &Option<String>, names: &[&str], configured: &Option<String>| {
            option.clone().or_else(|| names.iter().find_map(|name| variable(name))).or_else(|| configured.clone())
        };
        let bucket = first(&arguments.bucket, &["PULSE_ECHO_BUCKET"], &config.bucket).ok_or_else(|| {
            format!("there is no bucket: set \"bucket\" in {}, PULSE_ECHO_BUCKET or --bucket", file.display())
        })?;
        let endpoint = first(&arguments.endpoint, &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"], &config.endpoint);
        let region = match first(&arguments.region, &["AWS_REGION", "AWS_DEFAULT_REGION"], &config.region) {
            Some(region) => region,
            None => match profile.region()? {
                Some(region) => region,
                None if endpoint.is_some() => NO_REGION.into(),
                None => {
                    let file = file.display();
                    return Err(format!("there is no region: set \"region\" in {file}, AWS_REGION or --region"));
                }
            },
        };
        let is_aws = endpoint.is_none();
        let path_style = if arguments.path_style { Some(true) } else { config.path_style };
        let place = Place { bucket, region, endpoint, path_style };
        let host = first(&arguments.host, &["PULSE_ECHO_HOST"], &config.host);
        let trust = match first(&arguments.ca_file, &["AWS_CA_BUNDLE"], &config.ca_file) {
            None => Trust::built_in(),
            Some(file) => read_trust(&file)?,
        };
        let timeout = Duration::from_secs(arguments.timeout_s.or(config.timeout_s).unwrap_or(60).into());
        let agent = http::agent(
            http::config()
                .user_agent(concat!("pulse-echo/", env!("CARGO_PKG_VERSION")))
                // `run` waits up to two seconds between two looks; its connection must live that long, and longer.
                .max_idle_age(Duration::from_secs(60))
                .build(),
            &trust,
            SystemResolver::default(),
        );
        let credentials = credentials::find(&profile, environment)?;
        let store = Store::new(&place, credentials, agent, Arc::new(Timestamp::now), started + timeout)?;
        Ok(Self { host: host_name(host)?, folder: folder_of(&file), is_aws, store })
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

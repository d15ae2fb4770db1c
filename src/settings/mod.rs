//! The settings: from the option, then the environment, then the configuration file, then the default.

pub mod config;
mod host;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::args::Arguments;
use super::credentials::{self, Found, Instance, Profile};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::{self, SystemResolver, Trust};
use pulse_echo_core::name::Name;
use pulse_echo_core::store::{Credentials, Place, Store};

use config::Config;
pub use config::in_file;
pub use host::{passing, warning};

/// The package's folder.
pub const OWN_FOLDER: &str = "/etc/pulse-echo";

/// The default path of the configuration.
const CONFIG_FILE: &str = "/etc/pulse-echo/config.json";

/// The region to sign for, if a custom endpoint comes without one.
const NO_REGION: &str = "us-east-1";

/// The settings of a command.
pub struct Settings {
    /// This host's name.
    pub host: Name,
    /// The folder of the configuration, which also holds the pulses.
    pub folder: PathBuf,
    /// Whether the store is AWS's, and therefore the probe in AWS.
    pub is_aws: bool,
    /// The store. Its deadline is `timeout_s` after the settings were gathered.
    pub store: Store,
}

impl Settings {
    /// Gathers the settings. The error is a sentence that names the setting, its place and the remedy.
    pub fn gather(arguments: &Arguments, environment: Environment) -> Result<Self, String> {
        let sources = Sources::read(arguments, environment)?;
        let store = sources.open_store()?;
        Ok(Self { host: sources.host()?, folder: sources.folder(), is_aws: sources.endpoint().is_none(), store })
    }
}

/// Opens only the store, for an operator's command: this machine's name is not needed. The error is as for
/// [`Settings::gather`].
pub fn store(arguments: &Arguments, environment: Environment) -> Result<Store, String> {
    Sources::read(arguments, environment)?.open_store()
}

/// The sources of settings, to be asked for one setting at a time.
pub struct Sources<'a> {
    /// The path of the configuration file, whether the file exists or not.
    pub file: PathBuf,
    started: Instant,
    arguments: &'a Arguments,
    environment: Environment<'a>,
    config: Config,
}

impl<'a> Sources<'a> {
    /// Reads the configuration file, if it exists.
    pub fn read(arguments: &'a Arguments, environment: Environment<'a>) -> Result<Self, String> {
        let mut sources = Self::without_file(arguments, environment);
        let is_asked_for = arguments.config.is_some() || environment.get("PULSE_ECHO_CONFIG").is_some();
        sources.config = Config::read(&sources.file, is_asked_for)?;
        Ok(sources)
    }

    /// The same, with an empty configuration file.
    pub fn without_file(arguments: &'a Arguments, environment: Environment<'a>) -> Self {
        let (file, config) = (PathBuf::from(CONFIG_FILE), Config::default());
        let mut sources = Self { file, started: Instant::now(), arguments, environment, config };
        if let Some(file) = sources.first(arguments.config.as_ref(), &["PULSE_ECHO_CONFIG"], None) {
            sources.file = file.into();
        }
        sources
    }

    /// This host's name.
    pub fn host(&self) -> Result<Name, String> {
        host::name(self.given_host())
    }

    /// Whether the name is set, and not the machine's own.
    pub fn is_host_given(&self) -> bool {
        self.given_host().is_some()
    }

    fn given_host(&self) -> Option<String> {
        self.first(self.arguments.host.as_ref(), &["PULSE_ECHO_HOST"], self.config.host.as_ref())
    }

    /// The folder of the configuration.
    pub fn folder(&self) -> PathBuf {
        folder_of(&self.file)
    }

    /// The bucket's name.
    pub fn bucket(&self) -> Result<String, String> {
        self.first(self.arguments.bucket.as_ref(), &["PULSE_ECHO_BUCKET"], self.config.bucket.as_ref()).ok_or_else(
            || format!("there is no bucket: set \"bucket\" in {}, PULSE_ECHO_BUCKET or --bucket", self.file.display()),
        )
    }

    /// The address of an S3 service other than AWS's.
    pub fn endpoint(&self) -> Option<String> {
        let names = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];
        self.first(self.arguments.endpoint.as_ref(), &names, self.config.endpoint.as_ref())
    }

    /// The bucket and how to reach it. On an EC2 instance, `instance` knows the region.
    pub fn place(&self, instance: Option<&Instance>) -> Result<Place, String> {
        let (arguments, config) = (self.arguments, &self.config);
        let (bucket, endpoint) = (self.bucket()?, self.endpoint());
        let region = match self.first(
            arguments.region.as_ref(),
            &["AWS_REGION", "AWS_DEFAULT_REGION"],
            config.region.as_ref(),
        ) {
            Some(region) => region,
            None => match (self.profile().region()?, instance) {
                (Some(region), _) => region,
                (None, _) if endpoint.is_some() => NO_REGION.into(),
                (None, Some(instance)) => instance.region()?,
                (None, None) => {
                    let file = self.file.display();
                    return Err(format!("there is no region: set \"region\" in {file}, AWS_REGION or --region"));
                }
            },
        };
        let path_style = if arguments.path_style { Some(true) } else { config.path_style };
        Ok(Place { bucket, region, endpoint, path_style })
    }

    /// The root certificates to trust.
    pub fn trust(&self) -> Result<Trust, String> {
        self.ca_file().map_or_else(|| Ok(Trust::built_in()), |file| read_trust(&file))
    }

    fn ca_file(&self) -> Option<String> {
        self.first(self.arguments.ca_file.as_ref(), &["AWS_CA_BUNDLE"], self.config.ca_file.as_ref())
    }

    /// The credentials for the store.
    pub fn credentials(&self, trust: &Trust) -> Result<Found, String> {
        credentials::find(&self.profile(), self.environment, trust, self.deadline())
    }

    /// The profile of AWS's shared files.
    pub fn profile(&self) -> Profile {
        Profile::new(self.arguments.profile.as_deref(), self.environment)
    }

    /// Opens the store with the place and the credentials of these sources.
    fn open_store(&self) -> Result<Store, String> {
        // Tested before any source of credentials is asked, which may take some time.
        self.bucket()?;
        let trust = self.trust()?;
        let found = self.credentials(&trust)?;
        let place = self.place(found.instance.as_ref())?;
        self.store(&place, &trust, found.credentials)
    }

    /// A client of the store.
    pub fn store(&self, place: &Place, trust: &Trust, credentials: Credentials) -> Result<Store, String> {
        let agent = http::agent(
            http::config()
                .proxy(http::proxy::from_variables(&place.url()?, self.environment)?)
                .user_agent(concat!("pulse-echo/", env!("CARGO_PKG_VERSION")))
                // `run` waits up to two seconds between two looks. Its connection must stay open for longer.
                .max_idle_age(Duration::from_secs(60))
                .build(),
            trust,
            SystemResolver::default(),
        );
        Store::new(place, credentials, agent, Arc::new(Timestamp::now), self.deadline())
    }

    /// Writes the present options and environment as a configuration file, since cron has neither.
    pub fn to_configuration(&self) -> Result<String, String> {
        self.host()?;
        let trust = self.trust()?;
        // If no region is set, the instance that cron runs on may know it.
        let place = self.place(None).or_else(|error| match self.credentials(&trust) {
            Ok(Found { instance: Some(instance), .. }) => self.place(Some(&instance)),
            _ => Err(error),
        })?;
        place.url()?;
        let ca_file = self.ca_file().map(|file| {
            let whole = std::path::absolute(&file);
            whole.map_or(file, |whole| whole.display().to_string())
        });
        let config = Config {
            bucket: Some(place.bucket),
            host: self.given_host(),
            region: Some(place.region),
            endpoint: place.endpoint,
            path_style: place.path_style,
            timeout_s: self.arguments.timeout_s,
            ca_file,
        };
        Ok(config.to_json())
    }

    fn deadline(&self) -> Instant {
        let timeout_s = self.arguments.timeout_s.or(self.config.timeout_s).unwrap_or(60);
        self.started + Duration::from_secs(timeout_s.into())
    }

    /// The value of a setting: option, then environment, then configuration file.
    fn first(&self, option: Option<&String>, names: &[&str], configured: Option<&String>) -> Option<String> {
        option.cloned().or_else(|| self.environment.first(names)).or_else(|| configured.cloned())
    }
}

fn read_trust(file: &str) -> Result<Trust, String> {
    let pem = fs::read(file).map_err(|error| format!("cannot read the CA file {file}: {error}"))?;
    Trust::with_pem(&pem).map_err(|error| format!("the CA file {file} cannot be used: {error}"))
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
    fn the_pulses_lie_beside_the_configuration() {
        assert_eq!(folder_of(Path::new("/etc/pulse-echo/config.json")), Path::new("/etc/pulse-echo"));
        assert_eq!(folder_of(Path::new("config.json")), Path::new("."));
    }
}

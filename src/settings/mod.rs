//! The settings: from the option, then the environment, then the configuration file, then the default.

mod aws_cli;
pub mod config;
mod host;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::args::{Arguments, Check, Command};
use super::credentials::{self, Found, Instance, Profile};
use super::input;
use pulse_echo_core::clock;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::{self, SystemResolver, Trust};
use pulse_echo_core::name::Name;
use pulse_echo_core::store::{Credentials, Place, Store, endpoint};

use config::Config;
pub use config::in_file;
pub use host::{passing, warning};

/// The package's folder.
pub const OWN_FOLDER: &str = "/etc/pulse-echo";

/// The default path of the configuration.
const CONFIG_FILE: &str = "/etc/pulse-echo/config.json";

/// The largest file of root certificates that is read, in bytes.
const CA_FILE_LIMIT: u64 = 16 * 1024 * 1024;

/// The region to sign for, if a custom endpoint comes without one.
const NO_REGION: &str = "us-east-1";

/// The buffers of a connection, in bytes. An answer's head must fit into the first. ureq's own have eight times as
/// much, which it fills with zeros, once more for TLS: two fifths of what a `send` takes.
const INPUT_BUFFER: usize = 16 * 1024;
const OUTPUT_BUFFER: usize = 8 * 1024;

/// How long all requests for a job's pulse may take.
const OF_A_JOB: Duration = Duration::from_secs(10);

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
    /// What is wrong, although it serves: to be told once a day.
    pub warning: Option<String>,
}

impl Settings {
    /// Gathers the settings. The error is a sentence that names the setting, its place and the remedy.
    pub fn gather(arguments: &Arguments, environment: Environment) -> Result<Self, String> {
        let sources = Sources::read(arguments, environment)?;
        let (store, warning) = sources.open_store()?;
        Ok(Self { host: sources.host()?, folder: sources.folder(), is_aws: sources.is_aws(), store, warning })
    }
}

/// Opens only the store, for an operator's command: this machine's name is not needed. The error is as for
/// [`Settings::gather`].
pub fn store(arguments: &Arguments, environment: Environment) -> Result<Store, String> {
    Sources::read(arguments, environment)?.open_store().map(|(store, _)| store)
}

/// The host that a command would look at, as far as that can be told: for its output if it could not start.
pub fn host(arguments: &Arguments, environment: Environment) -> Option<Name> {
    let sources = Sources::read(arguments, environment);
    sources.unwrap_or_else(|_| Sources::without_file(arguments, environment)).host().ok()
}

/// The sources of settings, to be asked for one setting at a time.
pub struct Sources<'a> {
    /// The path of the configuration file, whether the file exists or not.
    pub file: PathBuf,
    started: Instant,
    arguments: &'a Arguments,
    environment: Environment<'a>,
    config: Config,
    profile: Profile,
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
        let profile = Profile::new(arguments.profile.as_deref(), environment);
        let mut sources = Self { file, started: Instant::now(), arguments, environment, config, profile };
        if let Some(file) = sources.first(arguments.config.as_ref(), &["PULSE_ECHO_CONFIG"], None) {
            sources.file = file.into();
        }
        sources
    }

    /// The options that a command needs to read the same settings elsewhere: each with its value, a word each.
    pub fn options(&self) -> Vec<String> {
        let whole = std::path::absolute(&self.file).ok().filter(|file| file != Path::new(CONFIG_FILE));
        let config = whole.map(|file| ["--config".into(), file.display().to_string()]);
        let profile = self.arguments.profile.clone().map(|profile| ["--profile".into(), profile]);
        config.into_iter().chain(profile).flatten().collect()
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

    /// The address of the S3 service; `None` means AWS's for the region.
    pub fn endpoint(&self) -> Result<Option<String>, String> {
        let in_environment = self.environment.first(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
        let in_environment = in_environment.filter(|_| !self.ignores_configured_endpoints());
        let first = self.arguments.endpoint.clone().or(in_environment).or_else(|| self.config.endpoint.clone());
        match first {
            None if !self.ignores_configured_endpoints() => self.profile.endpoint(),
            first => Ok(first),
        }
    }

    /// Whether the store is AWS's, and therefore the probe in AWS.
    pub fn is_aws(&self) -> bool {
        self.endpoint().is_ok_and(|endpoint| endpoint.is_none_or(|url| endpoint::is_aws(&url)))
    }

    /// The bucket and how to reach it. On an EC2 instance, `instance` knows the region.
    pub fn place(&self, instance: Option<&Instance>) -> Result<Place, String> {
        let (arguments, config) = (self.arguments, &self.config);
        let (bucket, endpoint) = (self.bucket()?, self.endpoint()?);
        let given =
            self.first(arguments.region.as_ref(), &["AWS_REGION", "AWS_DEFAULT_REGION"], config.region.as_ref());
        let region = match given {
            Some(region) => region,
            None => match (self.profile.setting("region")?, &endpoint, instance) {
                (Some(region), _, _) => region,
                (None, Some(endpoint), _) => endpoint::region_of(endpoint).unwrap_or(NO_REGION.into()),
                (None, None, Some(instance)) => instance.region()?,
                (None, None, None) => {
                    let file = self.file.display();
                    return Err(format!(
                        "there is no region: give --region or AWS_REGION, or set \"region\" in {file}"
                    ));
                }
            },
        };
        let (region, is_fips) = aws_cli::without_fips(&region);
        let endpoint = endpoint.map_or_else(|| self.variant(&region, is_fips), |given| Ok(Some(given)))?;
        let path_style = match (arguments.path_style, config.path_style) {
            (true, _) => Some(true),
            (false, Some(configured)) => Some(configured),
            (false, None) => self.profile_path_style(),
        };
        Ok(Place { bucket, region, endpoint, path_style })
    }

    /// The root certificates to trust.
    pub fn trust(&self) -> Result<Trust, String> {
        // A store without TLS needs none of it. Another server may, such as a container's endpoint.
        let speaks_tls = self.endpoint()?.is_none_or(|url| !url.trim().to_ascii_lowercase().starts_with("http://"));
        let of_profile = || if speaks_tls { self.profile.setting("ca_bundle") } else { Ok(None) };
        let Some(file) = self.ca_file().map_or_else(of_profile, |file| Ok(Some(file)))? else {
            return Ok(Trust::built_in());
        };
        let trust = Trust::read_later(format!("the CA file {file}"), move || {
            let read = input::read(Path::new(&file), CA_FILE_LIMIT);
            read.map_err(|error| format!("cannot read the CA file {file}: {error}"))
        });
        if speaks_tls {
            trust.test()?;
        }
        Ok(trust)
    }

    fn ca_file(&self) -> Option<String> {
        self.first(self.arguments.ca_file.as_ref(), &["AWS_CA_BUNDLE"], self.config.ca_file.as_ref())
    }

    /// The credentials for the store.
    pub fn credentials(&self, trust: &Trust) -> Result<Found, String> {
        credentials::find(&self.profile, self.environment, trust, self.deadline())
    }

    /// The profile of AWS's shared files.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Opens the store with the place and the credentials of these sources; also what is wrong with them, although they
    /// serve.
    fn open_store(&self) -> Result<(Store, Option<String>), String> {
        // Tested before any source of credentials is asked, which may take some time.
        self.bucket()?;
        if self.endpoint()?.is_some() {
            self.place(None)?.url()?;
        }
        let trust = self.trust()?;
        let found = self.credentials(&trust)?;
        let place = self.place(found.instance.as_ref())?;
        Ok((self.store(&place, &trust, found.credentials)?.persistent(), found.warning))
    }

    /// A client of the store. It does not try for long: `doctor` says at once what is wrong.
    pub fn store(&self, place: &Place, trust: &Trust, credentials: Credentials) -> Result<Store, String> {
        let agent = http::agent(
            http::config()
                .proxy(http::proxy::from_variables(&place.url()?, self.environment)?)
                .user_agent(concat!("pulse-echo/", env!("CARGO_PKG_VERSION")))
                // `run` waits up to two seconds between two looks. Its connection must stay open for longer.
                .max_idle_age(Duration::from_secs(60))
                .input_buffer_size(INPUT_BUFFER)
                // A full buffer would be taken for a closed connection.
                .max_response_header_size(INPUT_BUFFER - 1)
                .output_buffer_size(OUTPUT_BUFFER)
                .build(),
            trust,
            SystemResolver::default(),
        );
        let store = Store::new(place, credentials, agent, Arc::new(clock::now), self.deadline())?;
        let is_of_environment = self.arguments.ca_file.is_none() && self.environment.get("AWS_CA_BUNDLE").is_some();
        let overrides = "AWS_CA_BUNDLE, which is set and comes before ca_file";
        Ok(if is_of_environment { store.with_ca_setting(overrides) } else { store })
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
        let (asked_for, default_s) = match &self.arguments.command {
            Command::Check(Check { timeout, .. }) => (timeout.or(self.arguments.timeout_s), 10),
            _ => (self.arguments.timeout_s, 60),
        };
        let mut timeout = Duration::from_secs(asked_for.or(self.config.timeout_s).unwrap_or(default_s).into());
        if let Command::Exec(_) = self.arguments.command {
            // Whoever waits for the job need not wait for much longer than that.
            timeout = timeout.min(OF_A_JOB);
        }
        // What calls a plugin may end it just then: the answer must be out before.
        let for_requests = if default_s == 10 { timeout * 19 / 20 } else { timeout };
        self.started + for_requests
    }

    /// The value of a setting: option, then environment, then configuration file.
    fn first(&self, option: Option<&String>, names: &[&str], configured: Option<&String>) -> Option<String> {
        option.cloned().or_else(|| self.environment.first(names)).or_else(|| configured.cloned())
    }
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.into(),
        _ => PathBuf::from("."),
    }
}

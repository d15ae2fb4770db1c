//! The bed for tests of the agent: a folder with its files, the embedded S3 with its own clock, and the store's
//! content.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use pulse_echo_core::answer::Echo;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::store::{Condition, Credentials, Store};
use pulse_echo_local::s3::{KeyPair, Options, Server};
use tempfile::TempDir;

use crate::agent::{Ended, KEY, SECRET, TOKEN, agent};
use crate::store::{ACCESS_KEY, BUCKET, Client, SECRET_KEY};

/// An embedded S3 and a folder for the agent's files.
pub struct Bed {
    /// The embedded S3.
    pub server: Server,
    /// The agent's files.
    pub folder: TempDir,
    keys: KeyPair,
    ahead_s: Arc<AtomicI64>,
}

impl Bed {
    /// An empty store whose clock is right.
    pub fn new() -> Self {
        Self::with_clock(0)
    }

    /// A store whose clock is this many seconds ahead.
    pub fn with_clock(ahead_s: i64) -> Self {
        Self::of(KeyPair::new(ACCESS_KEY, SECRET_KEY), "us-east-1", ahead_s)
    }

    /// A store in a region. It accepts the temporary credentials of [`Host::of`](crate::agent::Host::of).
    pub fn temporary(region: &str, ahead_s: i64) -> Self {
        Self::of(KeyPair { session_token: Some(TOKEN.into()), ..KeyPair::new(KEY, SECRET) }, region, ahead_s)
    }

    fn of(keys: KeyPair, region: &str, ahead_s: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ahead_s = Arc::new(AtomicI64::new(ahead_s));
        let ahead = ahead_s.clone();
        let clock = move || {
            let second = Timestamp::now().as_second() + ahead.load(Ordering::SeqCst);
            Timestamp::from_second(second).unwrap()
        };
        let mut options = Options::new(folder.path().join("data"), BUCKET, keys.clone());
        (options.clock, options.region) = (Arc::new(clock), region.into());
        let bed = Self { server: Server::start(options).unwrap(), folder, keys, ahead_s };
        bed.write("config.json", &format!("{{\"bucket\": \"{BUCKET}\", \"host\": \"web-1\"}}"));
        bed
    }

    /// The store's address.
    pub fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// Sets the store's clock this many seconds ahead.
    pub fn set_clock(&self, ahead_s: i64) {
        self.ahead_s.store(ahead_s, Ordering::SeqCst);
    }

    /// Puts an object as an operator would.
    pub fn put(&self, key: &Key, body: &[u8], metadata: &Metadata) {
        self.store().put(key, "", body, metadata, &Condition::Always).unwrap();
    }

    /// Answers the pulse that is there with an echo of 84 ms.
    pub fn answer(&self, id: &CheckId) {
        self.answer_with(id, 200);
    }

    /// As [`Bed::answer`], where the service had this status.
    pub fn answer_with(&self, id: &CheckId, status: u16) {
        let pulse = self.store().get(&Key::pulse(id), 0).unwrap();
        let echo = Echo {
            pulse_id: pulse.metadata.get("pulse-id").cloned(),
            pulse_at: pulse.last_modified,
            instance: pulse.metadata.get("instance").cloned(),
            probed_at: pulse.last_modified,
            status: Some(status),
            latency_ms: Some(84),
            cert_days: None,
        };
        self.put(&Key::echo(id), Echo::BODY, &echo.to_metadata());
    }

    /// Writes a file of the agent's, and its folder.
    pub fn write(&self, name: &str, content: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// The agent with this bed's configuration and credentials, and nothing else in its environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = agent(self.folder.path(), arguments);
        command
            .env("PULSE_ECHO_CONFIG", "config.json")
            .env("AWS_ENDPOINT_URL", self.endpoint())
            .env("AWS_ACCESS_KEY_ID", &self.keys.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &self.keys.secret_key)
            .envs(self.keys.session_token.iter().map(|token| ("AWS_SESSION_TOKEN", token)));
        command
    }

    /// Runs the agent in this bed.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(arguments))
    }

    /// The store, as an operator sees it.
    pub fn store(&self) -> Store {
        let KeyPair { access_key, secret_key, session_token } = &self.keys;
        let credentials = match session_token {
            Some(token) => Credentials::new_with_token(access_key, secret_key, token),
            None => Credentials::new(access_key, secret_key),
        };
        Client { credentials, ..Client::at(&self.endpoint()) }.store()
    }

    /// All keys in the store.
    pub fn keys(&self) -> Vec<String> {
        self.store().list("").flat_map(|page| page.unwrap().entries).map(|entry| entry.key).collect()
    }
}

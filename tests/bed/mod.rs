//! The bed that the agent is tested in: the real binary, a folder with its files, the embedded S3 with its own clock,
//! and what the store then holds.

// Each test file uses its part of it.
#![allow(dead_code)]

// Some tests have the kit, too.
#[allow(clippy::duplicate_mod)]
#[path = "../kit/program.rs"]
mod program;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo_core::answer::Echo;
use pulse_echo_core::http::{self, SystemResolver, Trust};
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::store::{Condition, Credentials, Place, Store};
use pulse_echo_local::s3::{KeyPair, Options, Server};
use tempfile::TempDir;

pub const BUCKET: &str = "pulses";
pub const ACCESS_KEY: &str = "AKIDTESTTESTTESTTEST";
pub const SECRET_KEY: &str = "a-secret-that-must-never-be-seen";

/// An embedded S3 and a folder for the agent's files.
pub struct Bed {
    pub server: Server,
    pub folder: TempDir,
    ahead_s: Arc<AtomicI64>,
}

impl Bed {
    /// An empty store whose clock is right.
    pub fn new() -> Self {
        Self::with_clock(0)
    }

    /// A store whose clock is so many seconds ahead.
    pub fn with_clock(ahead_s: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ahead_s = Arc::new(AtomicI64::new(ahead_s));
        let ahead = ahead_s.clone();
        let clock = move || {
            let second = Timestamp::now().as_second() + ahead.load(Ordering::SeqCst);
            Timestamp::from_second(second).unwrap()
        };
        let options = Options::new(folder.path().join("data"), BUCKET, KeyPair::new(ACCESS_KEY, SECRET_KEY));
        let server = Server::start(Options { clock: Arc::new(clock), ..options }).unwrap();
        let bed = Self { server, folder, ahead_s };
        bed.write("config.json", &format!("{{\"bucket\": \"{BUCKET}\", \"host\": \"web-1\"}}"));
        bed
    }

    /// Sets the store's clock so many seconds ahead.
    pub fn set_clock(&self, ahead_s: i64) {
        self.ahead_s.store(ahead_s, Ordering::SeqCst);
    }

    /// Puts an object as an operator would.
    pub fn put(&self, key: &Key, body: &[u8], metadata: &Metadata) {
        self.store().put(key, "", body, metadata, &Condition::Always).unwrap();
    }

    /// Answers the pulse that is there with an echo of 84 ms.
    pub fn answer(&self, id: &CheckId) {
        let pulse = self.store().get(&Key::pulse(id), 0).unwrap();
        let echo = Echo {
            pulse_id: pulse.metadata.get("pulse-id").cloned(),
            pulse_at: pulse.last_modified,
            instance: pulse.metadata.get("instance").cloned(),
            probed_at: pulse.last_modified,
            status: Some(200),
            latency_ms: Some(84),
            cert_days: None,
        };
        self.put(&Key::echo(id), Echo::BODY, &echo.to_metadata());
    }

    /// Writes a file of the agent's, its folder too.
    pub fn write(&self, name: &str, content: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// The agent with this bed's configuration and right credentials, nothing else in its environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = agent(self.folder.path(), arguments);
        command
            .env("PULSE_ECHO_CONFIG", "config.json")
            .env("AWS_ENDPOINT_URL", self.server.endpoint())
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        command
    }

    /// Runs the agent in this bed.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(arguments))
    }

    /// The store, as an operator sees it.
    pub fn store(&self) -> Store {
        store(&self.server.endpoint())
    }

    /// All keys in the store.
    pub fn keys(&self) -> Vec<String> {
        self.store().list("").flat_map(|page| page.unwrap().entries).map(|entry| entry.key).collect()
    }
}

/// A store at an endpoint, with the bed's keys and the right time.
pub fn store(endpoint: &str) -> Store {
    let place =
        Place { bucket: BUCKET.into(), region: "us-east-1".into(), endpoint: Some(endpoint.into()), path_style: None };
    let agent = http::agent(http::config().build(), &Trust::built_in(), SystemResolver::default());
    let deadline = Instant::now() + Duration::from_secs(60);
    Store::new(&place, Credentials::new(ACCESS_KEY, SECRET_KEY), agent, Arc::new(Timestamp::now), deadline).unwrap()
}

/// A check's id, `HOST` or `HOST/CHECK`.
pub fn id(text: &str) -> CheckId {
    CheckId::from_pulse_key(&format!("pulse/{text}.json")).unwrap()
}

/// The agent's program in a folder, with an empty environment.
pub fn agent(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program::agent());
    command.args(arguments).current_dir(folder).env_clear();
    // Tests ask nobody outside this machine.
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// How a run of the agent ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap();
        Self {
            code: status.code().expect("it ends by itself"),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// Its one line on stderr, with the program's name.
    pub fn complaint(&self) -> &str {
        let line = self.stderr.strip_suffix('\n').unwrap_or_default();
        assert!(line.starts_with("pulse-echo: ") && !line.contains('\n'), "not one line: {self:?}");
        line
    }
}

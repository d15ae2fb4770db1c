//! The bed that the agent is tested in: the real binary, a folder with its files, the embedded S3 with its own clock,
//! and what the store then holds.

// Each test file uses its part of it.
#![allow(dead_code)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo::http::{self, SystemResolver, Trust};
use pulse_echo::store::{Credentials, Place, Store};
use pulse_echo_local::s3::{KeyPair, Options, Server};
use tempfile::TempDir;

pub const BUCKET: &str = "pulses";
pub const ACCESS_KEY: &str = "AKIDTESTTESTTESTTEST";
pub const SECRET_KEY: &str = "a-secret-that-must-never-be-seen";

/// An embedded S3 and a folder for the agent's files.
pub struct Bed {
    pub server: Server,
    pub folder: TempDir,
}

impl Bed {
    /// An empty store whose clock is right.
    pub fn new() -> Self {
        Self::with_clock(0)
    }

    /// A store whose clock is so many seconds ahead.
    pub fn with_clock(ahead_s: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = move || Timestamp::from_second(Timestamp::now().as_second() + ahead_s).unwrap();
        let options = Options::new(folder.path().join("data"), BUCKET, KeyPair::new(ACCESS_KEY, SECRET_KEY));
        let server = Server::start(Options { clock: Arc::new(clock), ..options }).unwrap();
        let bed = Self { server, folder };
        bed.write("config.json", &format!("{{\"bucket\": \"{BUCKET}\", \"host\": \"web-1\"}}"));
        bed
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

/// The agent's program in a folder, with an empty environment.
pub fn agent(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pulse-echo"));
    command.args(arguments).current_dir(folder).env_clear();
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

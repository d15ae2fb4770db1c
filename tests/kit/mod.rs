//! What the tests from outside share: a host to run the agent on, and servers that behave badly.

// Each test file takes what it needs of this.
#![allow(dead_code)]

pub mod program;
pub mod proxy;
pub mod server;
pub mod tls;

use std::fs;
use std::path::PathBuf;
use std::process::{self, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use pulse_echo_local::s3::{KeyPair, Options, Server};
use tempfile::TempDir;

pub const KEY: &str = "AKIAHOST";
/// Whatever is secret has this in it, so that no output can show any of them unseen.
pub const MARK: &str = "s3cr3t";
pub const SECRET: &str = "s3cr3t/key+of=the/host";
pub const TOKEN: &str = "s3cr3t+session/token==";

/// The keys as a program or a service issues them.
pub fn issued(token: &str, expiration: &str) -> String {
    format!(
        "{{\"Version\": 1, \"Code\": \"Success\", \"AccessKeyId\": \"{KEY}\", \"SecretAccessKey\": \"{SECRET}\", \
         \"{token}\": \"{TOKEN}\", \"Expiration\": \"{expiration}\"}}"
    )
}

/// A time at which keys have not expired yet.
pub const LATER: &str = "2090-01-01T00:00:00Z";

/// How the agent is asked to talk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    Plain,
    Verbose,
    Trace,
}

/// Runs a story three times, side by side: as cron does, with `-v`, and with `RUST_LOG=trace`.
pub fn at_every_level(story: impl Fn(Level) + Sync) {
    thread::scope(|scope| {
        for level in [Level::Plain, Level::Verbose, Level::Trace] {
            let story = &story;
            scope.spawn(move || story(level));
        }
    });
}

/// A machine: a home directory with the configuration and one bare pulse in it, and an environment.
pub struct Host {
    pub home: TempDir,
    level: Level,
    environment: Vec<(String, String)>,
}

impl Host {
    /// A host without credentials, whose metadata service refuses connections.
    pub fn bare(level: Level) -> Self {
        let home = TempDir::new().unwrap();
        fs::write(home.path().join("config.json"), "{\"bucket\": \"pulses\", \"host\": \"web-1\", \"timeout_s\": 20}")
            .unwrap();
        fs::write(home.path().join("pulse.json"), "{}").unwrap();
        Self { home, level, environment: Vec::new() }.with("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
    }

    /// A host with keys in its environment that uses the store at `endpoint`.
    pub fn of(level: Level, endpoint: &str) -> Self {
        let host = Self::bare(level).with("AWS_ACCESS_KEY_ID", KEY).with("AWS_SECRET_ACCESS_KEY", SECRET);
        host.with("AWS_SESSION_TOKEN", TOKEN).with("AWS_ENDPOINT_URL", endpoint)
    }

    /// The same host with one more variable.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Writes a file into the home directory.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.home.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        file
    }

    /// Runs the agent and looks for secrets in all that it says.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(program::agent());
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.home.path()).args(arguments);
        command.env("PULSE_ECHO_CONFIG", self.home.path().join("config.json"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        match self.level {
            Level::Plain => {}
            Level::Verbose => drop(command.arg("-v")),
            Level::Trace => drop(command.env("RUST_LOG", "trace")),
        }
        let started = Instant::now();
        let output = within_a_minute(&mut command);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let output = Output {
            code: output.status.code().expect("it was not ended by a signal"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            took: started.elapsed(),
        };
        // The beginning of `user:s3cr3t` in base 64, as a proxy is told it.
        for secret in [MARK, "X-Amz-Signature", "X-Amz-Credential", "dXNlcjpzM2NyM3"] {
            assert!(!output.stdout.contains(secret), "{secret} is shown at {:?}: {}", self.level, output.stdout);
            assert!(!output.stderr.contains(secret), "{secret} is shown at {:?}: {}", self.level, output.stderr);
        }
        output
    }
}

/// A run that hangs is a failed test, not a test that hangs.
fn within_a_minute(command: &mut Command) -> process::Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > until {
            child.kill().unwrap();
            panic!("it hung: {:?}", child.wait_with_output());
        }
        thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().unwrap()
}

/// How a run of the agent ended.
#[derive(Debug)]
pub struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Output {
    /// It ended with this code and complained in these words.
    #[track_caller]
    pub fn assert(&self, code: i32, words: &str) -> &Self {
        assert!(self.code == code && self.stderr.contains(words), "expected {code} and {words:?}: {self:#?}");
        self
    }

    /// It sent its pulse.
    #[track_caller]
    pub fn assert_sent(&self) -> &Self {
        assert!(self.code == 0 && self.stdout.starts_with("sent pulse/web-1.json"), "{self:#?}");
        self
    }

    /// It warned exactly once, in these words.
    #[track_caller]
    pub fn assert_one_warning(&self, words: &str) -> &Self {
        let warnings: Vec<_> = self.stderr.lines().filter(|line| line.contains("warning: ")).collect();
        assert!(warnings.len() == 1 && warnings[0].contains(words), "expected one warning, {words:?}: {self:#?}");
        self
    }
}

/// An S3 server that checks signatures, with the key pair of [`Host::of`], as temporary credentials are checked.
pub struct S3 {
    pub server: Server,
    _data: TempDir,
}

impl S3 {
    /// One whose clock is ahead of ours, in that region.
    pub fn start(ahead: SignedDuration, region: &str) -> Self {
        let data = TempDir::new().unwrap();
        let keys = KeyPair { session_token: Some(TOKEN.into()), ..KeyPair::new(KEY, SECRET) };
        let mut options = Options::new(data.path(), "pulses", keys);
        options.clock = Arc::new(move || Timestamp::now() + ahead);
        options.region = region.into();
        Self { server: Server::start(options).unwrap(), _data: data }
    }

    /// One as it should be.
    pub fn usual() -> Self {
        Self::start(SignedDuration::ZERO, "us-east-1")
    }

    pub fn endpoint(&self) -> String {
        self.server.endpoint()
    }
}

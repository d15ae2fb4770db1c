//! The agent's own program as a process: how to run it, on which host, and its output.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::plain::assert_plain;
use crate::store::MARK;

/// The temporary credentials of [`Host::of`]: the key's id.
pub const KEY: &str = "AKIAHOST";

/// The temporary credentials of [`Host::of`]: the secret.
pub const SECRET: &str = "s3cr3t/key+of=the/host";

/// The temporary credentials of [`Host::of`]: the session token.
pub const TOKEN: &str = "s3cr3t+session/token==";

/// A time at which keys have not expired yet.
pub const LATER: &str = "2090-01-01T00:00:00Z";

/// The `timeout_s` of a [`Host`]'s configuration: a run that has a shorter time ends before this.
pub const OWN_TIMEOUT: Duration = Duration::from_secs(20);

/// The longest time for a run. After it a test fails, rather than hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// This build's own agent, or the program that `PULSE_ECHO_AGENT` names: `make e2e` tests what `make dist` made.
pub fn program() -> OsString {
    env::var_os("PULSE_ECHO_AGENT").unwrap_or_else(|| built("pulse-echo").into())
}

/// The path of a program of this build. Cargo gives a program's path only to the tests of its own package, so this
/// looks in the folder above the tests'.
pub(crate) fn built(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(program.is_file(), "{} is not built: cargo build --workspace", program.display());
    program
}

/// The agent in a folder, with an empty environment.
pub fn agent(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).current_dir(folder).env_clear();
    // Tests must not ask anybody outside this machine.
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// The keys in the JSON that a program or a service issues.
pub fn issued(token: &str, expiration: &str) -> String {
    format!(
        "{{\"Version\": 1, \"Code\": \"Success\", \"AccessKeyId\": \"{KEY}\", \"SecretAccessKey\": \"{SECRET}\", \
         \"{token}\": \"{TOKEN}\", \"Expiration\": \"{expiration}\"}}"
    )
}

/// How much the agent logs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    /// As under cron.
    Plain,
    /// With `-v`.
    Verbose,
    /// With `RUST_LOG=trace`.
    Trace,
}

/// Runs a story at each level, in parallel.
pub fn at_every_level(story: impl Fn(Level) + Sync) {
    thread::scope(|scope| {
        for level in [Level::Plain, Level::Verbose, Level::Trace] {
            let story = &story;
            scope.spawn(move || story(level));
        }
    });
}

/// A machine: a home directory with the configuration and one bare pulse, and an environment.
pub struct Host {
    /// The home directory.
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

    /// A host with temporary credentials in its environment that uses the store at `endpoint`.
    pub fn of(level: Level, endpoint: &str) -> Self {
        let host = Self::bare(level).with("AWS_ACCESS_KEY_ID", KEY).with("AWS_SECRET_ACCESS_KEY", SECRET);
        host.with("AWS_SESSION_TOKEN", TOKEN).with("AWS_ENDPOINT_URL", endpoint)
    }

    /// The same host with one more variable.
    #[must_use]
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

    /// Runs the agent.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = agent(self.home.path(), arguments);
        command.env_remove("AWS_EC2_METADATA_DISABLED").env("PATH", "/usr/bin:/bin").env("HOME", self.home.path());
        command.env("PULSE_ECHO_CONFIG", self.home.path().join("config.json"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        match self.level {
            Level::Plain => {}
            Level::Verbose => drop(command.arg("-v")),
            Level::Trace => drop(command.env("RUST_LOG", "trace")),
        }
        Ended::of(&mut command)
    }
}

/// The result of a program's run.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// Its stdout.
    pub stdout: String,
    /// Its stderr.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

impl Ended {
    /// Runs a program to its end, and looks for secrets and for libraries' words in its output.
    #[track_caller]
    pub fn of(command: &mut Command) -> Self {
        let started = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let read = |pipe: &mut dyn Read| {
            let mut text = String::new();
            pipe.read_to_string(&mut text).unwrap();
            text
        };
        let out = thread::spawn(move || read(&mut out));
        let err = thread::spawn(move || read(&mut err));
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None if started.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(2)),
                None => {
                    child.kill().unwrap();
                    panic!("it hung: {command:?}");
                }
            }
        };
        let (stdout, stderr) = (out.join().unwrap(), err.join().unwrap());
        let code = status.code().unwrap_or_else(|| panic!("{status}: {stderr}"));
        let ended = Self { code, stdout, stderr, took: started.elapsed() };
        // The last is the beginning of `user:s3cr3t` in base 64, as it is sent to a proxy.
        for secret in [MARK, "X-Amz-Signature", "X-Amz-Credential", "dXNlcjpzM2NyM3"] {
            assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "{secret} is shown: {ended:#?}");
        }
        assert_plain(&ended.stdout);
        assert_plain(&ended.stderr);
        ended
    }

    /// Its one line on stderr, with the agent's name.
    #[track_caller]
    pub fn complaint(&self) -> &str {
        let line = self.stderr.strip_suffix('\n').unwrap_or_default();
        assert!(line.starts_with("pulse-echo: ") && !line.contains('\n'), "not one line: {self:?}");
        line
    }

    /// Asserts that it ended with this code and complained in these words.
    #[track_caller]
    pub fn assert(&self, code: i32, words: &str) -> &Self {
        assert!(self.code == code && self.stderr.contains(words), "expected {code} and {words:?}: {self:#?}");
        self
    }

    /// Asserts that it sent the pulse of `web-1`.
    #[track_caller]
    pub fn assert_sent(&self) -> &Self {
        assert!(self.code == 0 && self.stdout.starts_with("sent pulse/web-1.json"), "{self:#?}");
        self
    }

    /// Asserts that it warned exactly once, in these words.
    #[track_caller]
    pub fn assert_one_warning(&self, words: &str) -> &Self {
        let warnings: Vec<_> = self.stderr.lines().filter(|line| line.contains("warning: ")).collect();
        assert!(warnings.len() == 1 && warnings[0].contains(words), "expected one warning, {words:?}: {self:#?}");
        self
    }
}

//! The whole system, and a host with jobs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::answer::{Cause, Echo, Fault};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::job::Job;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::store::Object;
use pulse_echo_local::s3::{KeyPair, Options};
use pulse_echo_local::system::System;
use pulse_echo_testkit::agent::{Ended, agent};
use pulse_echo_testkit::store::{ACCESS_KEY, BUCKET, SECRET_KEY, store};
use tempfile::TempDir;

/// How long a test waits for a thing before it fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A store with its probe, and a host's folder.
pub struct Site {
    pub system: System,
    pub folder: TempDir,
}

impl Site {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeyPair::new(ACCESS_KEY, SECRET_KEY);
        let environment = |name: &str| (name == "PROBE_ALLOW").then(|| "127.0.0.0/8".to_string());
        let options = Options::new(folder.path().join("data"), BUCKET, keys);
        let system = System::start(options, Environment::new(&environment)).unwrap();
        let site = Self { system, folder };
        site.write("config.json", &format!("{{\"bucket\": \"{BUCKET}\", \"host\": \"web-1\"}}"));
        site
    }

    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// What a job has written into the host's folder.
    pub fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.folder.path().join(name)).ok()
    }

    /// The agent on this host; PATH is a login's.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = agent(self.folder.path(), arguments);
        command
            .env("PATH", "/usr/bin:/bin")
            .env("PULSE_ECHO_CONFIG", "config.json")
            .env("AWS_ENDPOINT_URL", self.system.endpoint())
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        command
    }

    #[track_caller]
    pub fn agent(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(arguments))
    }

    /// Runs a script of the shell as the job of the check `job`.
    #[track_caller]
    pub fn exec(&self, script: &str) -> Ended {
        self.agent(&["exec", "--name", "job", "--", "sh", "-c", script])
    }

    /// The command of a shell, for which `$0` is the agent.
    pub fn shell(&self, script: &str) -> Command {
        let own = self.command(&[]);
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(script).arg(own.get_program()).current_dir(self.folder.path()).env_clear();
        command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }

    pub fn get(&self, key: &Key) -> Option<Object> {
        store(&self.system.endpoint()).get(key, 100_000).ok()
    }

    /// The outcome in the pulse of the check `job`.
    #[track_caller]
    pub fn outcome(&self) -> Job {
        let pulse = self.get(&Key::pulse(&check("job"))).expect("a pulse was sent");
        Job::from_metadata(&pulse.metadata).expect("it has an outcome")
    }

    /// The fault that answers the pulse which is there now.
    #[track_caller]
    pub fn fault(&self, name: &str) -> Fault {
        self.answer(name, |site, pulse_id| {
            let fault = Fault::from_json(&site.get(&Key::fault(&check(name)))?.body?).ok()?;
            (fault.pulse_id.as_deref() == Some(pulse_id)).then_some(fault)
        })
    }

    /// The same of an echo.
    #[track_caller]
    pub fn echo(&self, name: &str) -> Echo {
        self.answer(name, |site, pulse_id| {
            let object = site.get(&Key::echo(&check(name)))?;
            let echo = Echo::from_metadata(&object.metadata, object.last_modified);
            (echo.pulse_id.as_deref() == Some(pulse_id)).then_some(echo)
        })
    }

    #[track_caller]
    fn answer<T>(&self, name: &str, look: impl Fn(&Self, &str) -> Option<T>) -> T {
        let pulse = self.get(&Key::pulse(&check(name))).expect("a pulse was sent");
        let mut found = None;
        wait_until(|| {
            found = look(self, &pulse.metadata["pulse-id"]);
            found.is_some()
        });
        found.unwrap()
    }

    /// The reason of the job's fault.
    #[track_caller]
    pub fn reason(&self) -> String {
        let fault = self.fault("job");
        assert_eq!((fault.cause, fault.url), (Cause::Job, None));
        fault.reason
    }
}

pub fn check(name: &str) -> CheckId {
    CheckId::new(&"web-1".parse().unwrap(), Some(&name.parse().unwrap()))
}

/// Waits until it is so.
#[track_caller]
pub fn wait_until(mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "it does not come");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether this signal does nothing to what the tests start, as under nohup(1): a shell cannot trap it then.
pub fn is_ignored(number: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(ignored.trim(), 16).unwrap() >> (number - 1) & 1 == 1
}

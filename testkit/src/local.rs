//! `pulse-echo-local` as a process, as its users meet it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::store::{Condition, Credentials, Place, Store};

use crate::agent::built;
use crate::plain::assert_plain;
use crate::store::{Client, id};

/// The values that the first start prints, by name.
pub type Pasted = BTreeMap<String, String>;

/// The program, with an empty environment. Its output is kept.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(built("pulse-echo-local"));
    command.args(arguments).env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// `serve`, with `data` for its folder.
pub fn serve(data: &Path, arguments: &[&str]) -> Command {
    let mut command = program(&["serve", "--data"]);
    // Allows the probe to reach a service of the test's own.
    command.arg(data).args(arguments).env("PROBE_ALLOW", "127.0.0.0/8");
    command
}

/// Makes `serve` listen on a free port of this machine.
pub const FREE_PORT: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// Parses the lines of a start's stdout.
pub fn pasted(stdout: &str) -> Pasted {
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.into(), value.into())).expect("NAME=value");
    stdout.lines().map(pair).collect()
}

/// A client of the store, from the lines of a first start.
pub fn store(endpoint: &str, pasted: &Pasted) -> Store {
    let usual = Client::at(endpoint);
    let (bucket, region) = (pasted["PULSE_ECHO_BUCKET"].clone(), pasted["AWS_REGION"].clone());
    let place = Place { bucket, region, ..usual.place };
    let credentials = Credentials::new(&pasted["AWS_ACCESS_KEY_ID"], &pasted["AWS_SECRET_ACCESS_KEY"]);
    Client { place, credentials, ..usual }.store()
}

/// A client of the store of a running server with the usual bucket and region, with the operator's keys of its folder.
pub fn operators_store(endpoint: &str, data: &Path) -> Store {
    let keys = fs::read_to_string(data.join("keys")).unwrap();
    let mut pasted: Pasted = keys.lines().filter(|line| line.contains('=')).flat_map(pasted).collect();
    pasted
        .extend([("PULSE_ECHO_BUCKET", "pulse-echo"), ("AWS_REGION", "us-east-1")].map(|(n, v)| (n.into(), v.into())));
    store(endpoint, &pasted)
}

/// Puts a pulse of `web-1`.
pub fn put_pulse(store: &Store, body: &[u8]) {
    store.put(&Key::pulse(&web_1()), "", body, &Metadata::new(), &Condition::Always).unwrap();
}

/// Waits for the echo of `web-1`.
pub fn wait_for_echo(store: &Store) {
    let started = Instant::now();
    while let Err(error) = store.get(&Key::echo(&web_1()), 10) {
        assert!(error.is_missing() && started.elapsed() < Duration::from_secs(20), "{error}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The host of these tests.
pub fn web_1() -> CheckId {
    id("web-1")
}

/// A process, killed if the test ends before it.
pub struct Running {
    /// The process.
    pub child: Child,
    stderr: mpsc::Receiver<String>,
    said: Vec<String>,
}

/// The result of a run.
#[derive(Debug)]
pub struct Ended {
    /// The exit code or the signal that ended it.
    pub status: ExitStatus,
    /// Its stdout.
    pub stdout: String,
    /// Its stderr, without the last line break.
    pub stderr: String,
}

impl Running {
    /// Starts a command.
    pub fn of(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (said, stderr) = mpsc::channel();
        if let Some(lines) = child.stderr.take() {
            let lines = BufReader::new(lines).lines().map_while(Result::ok);
            thread::spawn(move || lines.for_each(|line| drop(said.send(line))));
        }
        Self { child, stderr, said: Vec::new() }
    }

    /// A server of `data` on a free port.
    pub fn server(data: &Path) -> Self {
        Self::of(&mut serve(data, &FREE_PORT))
    }

    /// Waits for this text on stderr. Returns its line.
    #[track_caller]
    pub fn says(&mut self, text: &str) -> String {
        loop {
            let Ok(line) = self.stderr.recv_timeout(Duration::from_secs(20)) else {
                panic!("it does not say {text:?}, but {:?}", self.said);
            };
            assert_plain(&line);
            self.said.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits until it prints where it serves.
    #[track_caller]
    pub fn endpoint(&mut self) -> String {
        let line = self.says(" at http");
        line.split([' ', ',']).find(|word| word.starts_with("http")).unwrap().to_owned()
    }

    /// The most memory that it has had, in KiB.
    pub fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Sends it a signal, such as `-TERM`.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end(mut self) -> Ended {
        let started = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < Duration::from_secs(20), "it does not end");
            thread::sleep(Duration::from_millis(10));
        }
        let mut stdout = String::new();
        if let Some(mut out) = self.child.stdout.take() {
            out.read_to_string(&mut stdout).unwrap();
        }
        let mut said = std::mem::take(&mut self.said);
        said.extend(self.stderr.iter());
        for line in &said {
            assert_plain(line);
        }
        Ended { status: self.child.wait().unwrap(), stdout, stderr: said.join("\n") }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

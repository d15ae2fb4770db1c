//! `pulse-echo-local serve`, as an operator of a small site meets it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo::http::{self, SystemResolver, Trust};
use pulse_echo::name::{CheckId, Key};
use pulse_echo::pulse::Metadata;
use pulse_echo::store::{Condition, Credentials, Place, Store};

fn serve(data: &Path, listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pulse-echo-local"));
    command.args(["serve", "--listen", listen, "--data"]).arg(data).env_clear();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running server, killed if the test ends before it.
struct Running {
    child: Child,
    endpoint: String,
}

impl Running {
    /// Starts it and waits until it says where it serves.
    fn start(data: &Path) -> Self {
        let mut child = serve(data, "127.0.0.1:0").spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        let endpoint = line.split([' ', ',']).find(|word| word.starts_with("http://")).expect(&line).to_string();
        Self { child, endpoint }
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end and gives what it has printed.
    fn end(mut self) -> Output {
        let started = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < Duration::from_secs(20), "it does not end");
            thread::sleep(Duration::from_millis(10));
        }
        let mut stdout = Vec::new();
        self.child.stdout.as_mut().unwrap().read_to_end(&mut stdout).unwrap();
        Output { status: self.child.wait().unwrap(), stdout, stderr: Vec::new() }
    }

    /// Its store, by the lines that its first start printed.
    fn store(&self, pasted: &BTreeMap<String, String>) -> Store {
        let place = Place {
            bucket: pasted["PULSE_ECHO_BUCKET"].clone(),
            region: pasted["AWS_REGION"].clone(),
            endpoint: Some(self.endpoint.clone()),
            path_style: None,
        };
        let credentials = Credentials::new(&pasted["AWS_ACCESS_KEY_ID"], &pasted["AWS_SECRET_ACCESS_KEY"]);
        let agent = http::agent(http::config().build(), &Trust::built_in(), SystemResolver::default());
        let deadline = Instant::now() + Duration::from_secs(60);
        Store::new(&place, credentials, agent, Arc::new(Timestamp::now), deadline).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stdout: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8(stdout.to_vec()).unwrap();
    text.lines()
        .map(|line| line.split_once('=').expect(line))
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

#[test]
fn it_prints_its_keys_once_answers_pulses_and_keeps_all_over_a_kill_and_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");

    let first = Running::start(&data);
    let endpoint = first.endpoint.clone();
    first.signal("-TERM");
    let first = first.end();
    assert!(first.status.success(), "{first:?}");
    let pasted = lines(&first.stdout);
    let names: Vec<_> = pasted.keys().map(String::as_str).collect();
    let all = ["AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "PULSE_ECHO_BUCKET"];
    assert_eq!((names.as_slice(), &pasted["AWS_ENDPOINT_URL"]), (&all[..], &endpoint));

    let second = Running::start(&data);
    let store = second.store(&pasted);
    let id = CheckId::from_pulse_key("pulse/web-1.json").unwrap();
    store.put(&Key::pulse(&id), "", b"{}", &Metadata::new(), &Condition::Always).unwrap();
    let started = Instant::now();
    while let Err(error) = store.get(&Key::echo(&id), 10) {
        assert!(error.is_missing() && started.elapsed() < Duration::from_secs(20), "{error}");
        thread::sleep(Duration::from_millis(10));
    }
    second.signal("-KILL");
    assert_eq!(second.end().stdout, b"", "keys are printed once");

    let third = Running::start(&data);
    let object = third.store(&pasted).get(&Key::echo(&id), 10).unwrap();
    assert_eq!(object.body.as_deref(), Some(&b"ok"[..]));
    third.signal("-INT");
    assert!(third.end().status.success());
}

#[test]
fn a_folder_or_an_address_that_is_in_use_is_named_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let other = tempfile::tempdir().unwrap();
    let address = running.endpoint.trim_start_matches("http://");
    for (data, listen, named) in
        [(folder.path(), "127.0.0.1:0", folder.path().to_str().unwrap()), (other.path(), address, address)]
    {
        let second = serve(data, listen).output().unwrap();
        let complaint = String::from_utf8(second.stderr).unwrap();
        assert_eq!((second.status.code(), complaint.lines().count()), (Some(1), 1), "{complaint}");
        assert!(complaint.starts_with("pulse-echo-local: ") && complaint.contains(named), "{complaint}");
    }
}

//! The agent's own program.

use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::pulse::Sending;
use pulse_echo_lambda::probe::Probe;
use serde_json::json;
use tempfile::TempDir;

use super::{Outcome, ensure, key};
use pulse_echo_testkit::agent::{Ended, agent};
use pulse_echo_testkit::store::{ACCESS_KEY, BUCKET, SECRET_KEY, store};

const PULSE: &[u8] = b"{\"every_s\":  600}\n";

/// The agent's commands, with one pulse and the right keys.
pub struct Host {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Host {
    pub fn new(endpoint: &str, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("pulse.json"), PULSE).unwrap();
        let variables = vec![
            ("PULSE_ECHO_BUCKET", BUCKET.into()),
            ("PULSE_ECHO_HOST", name.into()),
            ("AWS_ENDPOINT_URL", endpoint.into()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.into()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.into()),
        ];
        Self { folder, variables }
    }

    /// The same host with another value of a variable.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(agent(self.folder.path(), arguments).envs(self.variables.iter().cloned()))
    }
}

pub fn send(endpoint: &str) -> Outcome {
    let sent = Host::new(endpoint, "send").run(&["send", "--pulse", "pulse.json"]);
    ensure(sent.code == 0, || format!("{sent:?}"))?;
    let object = store(endpoint).get(&key("pulse/send.json"), 100)?;
    ensure(object.body.as_deref() == Some(PULSE), || format!("it is not byte for byte what was sent: {object:?}"))?;
    let sending = Sending::from_metadata(&object.metadata);
    ensure(sending.pulse_id.is_some(), || format!("the pulse has no pulse-id: {object:?}"))
}

/// The whole chain, with the probe in this process: these servers tell nobody of new objects.
pub fn run(endpoint: &str) -> Outcome {
    let host = Host::new(endpoint, "run");
    let run = thread::scope(|scope| {
        let run = scope.spawn(|| host.run(&["run", "--pulse", "pulse.json", "--wait", "10"]));
        answer(endpoint, "pulse/run.json").map(|()| run.join().unwrap())
    })?;
    ensure(run.code == 0 && run.stdout.starts_with("ECHO OK - run"), || format!("{run:?}"))
}

/// Waits for a pulse and has the probe answer it.
fn answer(endpoint: &str, pulse: &str) -> Outcome {
    let until = Instant::now() + Duration::from_secs(10);
    while let Err(error) = store(endpoint).get(&key(pulse), 0) {
        ensure(error.is_missing() && Instant::now() < until, || error.to_string())?;
        thread::sleep(Duration::from_millis(20));
    }
    let lookup = |name: &str| match name {
        "AWS_ACCESS_KEY_ID" => Some(ACCESS_KEY.into()),
        "AWS_SECRET_ACCESS_KEY" => Some(SECRET_KEY.into()),
        "AWS_REGION" => Some("us-east-1".into()),
        "AWS_ENDPOINT_URL_S3" => Some(endpoint.into()),
        _ => None,
    };
    let record = json!({
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventTime": "2026-11-21T08:27:27.000Z",
        "userIdentity": {},
        "requestParameters": {},
        "responseElements": {},
        "s3": {"bucket": {"name": BUCKET}, "object": {"key": pulse}},
    });
    Probe::read(Environment::new(&lookup), Arc::new(Timestamp::now))?.handle(&json!({"Records": [record]}), until)?;
    Ok(())
}

//! `demo`: the guided walk of a pulse, with the real agent, S3 and probe, on this machine alone.

mod service;

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo::http::{self, SystemResolver, Trust};
use pulse_echo::name::{CheckId, Key};
use pulse_echo::pulse::SIZE_LIMIT;
use pulse_echo::store::{Credentials, Place, Store};
use serde_json::{Value, json};

use crate::keys;
use crate::s3::KeyPair;
use crate::system::System;

pub use service::Service;

const BUCKET: &str = "demo";
const HOST: &str = "web-1";

/// Walks. With `url`, checks that address once; without, breaks and mends a service of its own. The error is one
/// sentence; that the walk did not go as it should is one.
pub fn demo(
    url: Option<&str>,
    body: Option<&str>,
    agent: Option<PathBuf>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(), String> {
    let mut walk = Walk::begin(agent, environment)?;
    match url {
        Some(url) => walk.visit(url, body)?,
        None => walk.break_and_mend()?,
    }
    walk.say("done", "all of it ran on this machine; nothing is left running, nothing is left on the disk");
    Ok(())
}

struct Walk {
    started: Instant,
    agent: PathBuf,
    system: System,
    store: Store,
    keys: KeyPair,
    folder: tempfile::TempDir,
    step: u32,
}

impl Walk {
    fn begin(agent: Option<PathBuf>, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let started = Instant::now();
        let agent = match agent {
            Some(agent) => agent,
            None => beside_us("pulse-echo")?,
        };
        let folder = tempfile::tempdir().map_err(|error| format!("cannot make a folder for the demo: {error}"))?;
        let keys = keys::make().map_err(|error| format!("cannot make keys: {error}"))?;
        let lookup = |name: &str| match name {
            // The demo's service is on this machine, where a probe in AWS may not go.
            "PROBE_ALLOW" => Some("127.0.0.0/8".into()),
            name => environment(name),
        };
        let listen = (Ipv4Addr::LOCALHOST, 0).into();
        let system = System::start(&folder.path().join("data"), listen, BUCKET, &keys, &lookup)?;
        let store = store(&system, &keys)?;
        let mut walk = Self { started, agent, system, store, keys, folder, step: 0 };
        println!("A pulse from a host to S3, the probe's answer, and back; real programs, on this machine alone.");
        walk.next("the local system starts: S3 and, told of each PUT, the probe");
        note(&format!("bucket {BUCKET:?} at {}", walk.system.endpoint()));
        Ok(walk)
    }

    fn break_and_mend(&mut self) -> Result<(), String> {
        let service = Service::start().map_err(|error| format!("cannot start the demo's service: {error}"))?;
        let url = service.url();
        self.next("a small web service starts, and the host gets a pulse that says what to expect of it");
        note(&format!("{url} answers \"ok\""));
        self.configure(&json!({"url": url, "body": "ok", "max_latency_ms": 2000}))?;

        self.next("the agent sends the pulse and waits for the answer to this very pulse");
        self.run(0)?;
        self.show(Key::echo, "the echo's metadata: which pulse it answers, with what status, how fast")?;

        service.breaks();
        self.next("the service breaks: it answers 500 now; the agent asks again");
        self.run(2)?;
        self.show(Key::fault, "the fault: its cause and its reason in one sentence, expected and got")?;

        service.mended();
        self.next("the service is mended; the agent asks once more");
        self.run(0)?;
        self.show(Key::echo, "the echo is newer than the fault: the check is up again")
    }

    fn visit(&mut self, url: &str, body: Option<&str>) -> Result<(), String> {
        let mut pulse = json!({ "url": url });
        if let Some(body) = body {
            pulse["body"] = body.into();
        }
        self.next("the host gets a pulse for the address that you gave");
        self.configure(&pulse)?;
        self.next("the agent sends the pulse and waits for the answer to this very pulse");
        match self.run_any()? {
            0 => self.show(Key::echo, "the echo's metadata: which pulse it answers, with what status, how fast"),
            2 => {
                self.show(Key::fault, "the fault: its cause and its reason in one sentence, expected and got")?;
                Err(format!("{url} did not answer as expected; the chain itself works"))
            }
            _ => Err("the agent got no answer; its line above says why".into()),
        }
    }

    /// Writes what an operator would write on a host.
    fn configure(&self, pulse: &Value) -> Result<(), String> {
        let config = json!({"bucket": BUCKET, "host": HOST, "endpoint": self.system.endpoint(), "region": "us-east-1"});
        for (file, content) in [("config.json", &config), ("pulse.json", pulse)] {
            let path = self.folder.path().join(file);
            fs::write(&path, content.to_string())
                .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            note(&format!("{file:<11} {content}"));
        }
        Ok(())
    }

    /// Runs the agent and expects it to end with `code`.
    fn run(&self, code: i32) -> Result<(), String> {
        match self.run_any()? {
            ended if ended == code => Ok(()),
            ended => Err(format!("the agent ended with exit code {ended}, not {code}")),
        }
    }

    fn run_any(&self) -> Result<i32, String> {
        let output = Command::new(&self.agent)
            .args(["--config", "config.json", "run", "--wait", "30"])
            .current_dir(self.folder.path())
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", &self.keys.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &self.keys.secret_key)
            .output()
            .map_err(|error| format!("cannot run the agent {}: {error}", self.agent.display()))?;
        note("$ pulse-echo --config config.json run --wait 30");
        for text in [&output.stdout, &output.stderr] {
            for line in String::from_utf8_lossy(text).lines() {
                note(line);
            }
        }
        let code = output.status.code().ok_or("the agent was ended by a signal")?;
        note(&format!("exit code {code}"));
        Ok(code)
    }

    /// Shows the newest answer as it lies in the store: the echo's metadata, or the fault's fields.
    fn show(&self, key: fn(&CheckId) -> Key, what_to_see: &str) -> Result<(), String> {
        let key = key(&CheckId::new(&HOST.parse()?, None));
        let object = self.store.get(&key, SIZE_LIMIT).map_err(|error| error.to_string())?;
        let body = String::from_utf8_lossy(object.body.as_deref().unwrap_or_default()).into_owned();
        note(&format!("look at {key}: {what_to_see}"));
        if let Ok(Value::Object(fields)) = serde_json::from_str(&body) {
            fields.iter().for_each(|(name, value)| note(&format!("    {name:<11} {value}")));
        } else {
            note(&format!("    {:<11} {body}", "body"));
            object.metadata.iter().for_each(|(name, value)| note(&format!("    {name:<11} {value}")));
        }
        Ok(())
    }

    fn next(&mut self, text: &str) {
        self.step += 1;
        self.say(&format!("{}.", self.step), text);
    }

    fn say(&self, head: &str, text: &str) {
        println!("\n[{:5.2} s] {head} {text}", self.started.elapsed().as_secs_f64());
    }
}

fn note(text: &str) {
    println!("            {text}");
}

/// The store as an operator with these keys sees it.
fn store(system: &System, keys: &KeyPair) -> Result<Store, String> {
    let place = Place {
        bucket: BUCKET.into(),
        region: "us-east-1".into(),
        endpoint: Some(system.endpoint()),
        path_style: None,
    };
    let credentials = Credentials::new(&keys.access_key, &keys.secret_key);
    let agent = http::agent(http::config().build(), &Trust::built_in(), SystemResolver::default());
    let deadline = Instant::now() + Duration::from_secs(300);
    Store::new(&place, credentials, agent, Arc::new(Timestamp::now), deadline)
}

fn beside_us(name: &str) -> Result<PathBuf, String> {
    let ours = std::env::current_exe().map_err(|error| format!("cannot find this program's own folder: {error}"))?;
    let agent = ours.parent().unwrap_or(Path::new(".")).join(name);
    if agent.is_file() {
        Ok(agent)
    } else {
        Err(format!("there is no agent at {}; build it (make demo does), or name it with --agent", agent.display()))
    }
}

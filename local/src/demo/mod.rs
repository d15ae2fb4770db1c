//! `demo`: the guided walk of a pulse, with the real agent, S3 and probe, on this machine alone.

mod service;

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use jiff::Timestamp;
use pulse_echo::http::{self, SystemResolver, Trust};
use pulse_echo::name::{CheckId, Key};
use pulse_echo::pulse::{SIZE_LIMIT, web_url};
use pulse_echo::store::{Credentials, Place, Store};
use serde_json::{Value, json};

use crate::keys;
use crate::s3::KeyPair;
use crate::system::System;

pub use service::Service;

const BUCKET: &str = "demo";
const HOST: &str = "web-1";

/// What to walk.
#[derive(Args, Default)]
pub struct Options {
    /// Check this address instead of a service of the demo's own
    #[arg(long)]
    pub url: Option<String>,
    /// With --url: the body expected there (default: any, with a status of 2xx)
    #[arg(long, requires = "url")]
    pub body: Option<String>,
    /// The agent's program (default: beside this one)
    #[arg(long, value_name = "FILE")]
    pub agent: Option<PathBuf>,
}

/// Walks. With a URL, checks that address once; without, breaks and mends a service of its own. The error is one
/// sentence; that the walk did not go as it should is one. Once `is_interrupted`, it ends early, and waits for nothing.
pub fn demo(
    options: &Options,
    environment: &dyn Fn(&str) -> Option<String>,
    is_interrupted: &dyn Fn() -> bool,
) -> Result<(), String> {
    if let Some(Err(why)) = options.url.as_deref().map(web_url) {
        return Err(format!("--url: {why}"));
    }
    let agent = match &options.agent {
        Some(agent) if agent.is_file() => agent.clone(),
        Some(agent) => return Err(format!("--agent: there is no program {}", agent.display())),
        None => beside_us("pulse-echo")?,
    };
    let mut walk = Walk::begin(agent, environment, is_interrupted)?;
    let walked = match &options.url {
        Some(url) => walk.visit(url, options.body.as_deref()),
        None => walk.break_and_mend(),
    };
    if is_interrupted() {
        // The probe may still wait for a service, for as long as the pulse lets it.
        walk.system.abandon();
        return Err("interrupted".into());
    }
    walked?;
    walk.say("done", "all of it ran on this machine; nothing is left running, nothing is left on the disk");
    Ok(())
}

struct Walk<'i> {
    started: Instant,
    agent: PathBuf,
    system: System,
    store: Store,
    keys: KeyPair,
    folder: tempfile::TempDir,
    is_interrupted: &'i dyn Fn() -> bool,
    step: u32,
}

impl<'i> Walk<'i> {
    fn begin(
        agent: PathBuf,
        environment: &dyn Fn(&str) -> Option<String>,
        is_interrupted: &'i dyn Fn() -> bool,
    ) -> Result<Self, String> {
        let started = Instant::now();
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
        let mut walk = Self { started, agent, system, store, keys, folder, is_interrupted, step: 0 };
        print("A pulse from a host to S3, the probe's answer, and back; real programs, on this machine alone.");
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
        let cannot = |error: io::Error| format!("cannot run the agent {}: {error}", self.agent.display());
        let said = self.folder.path().join("said");
        let out = File::create(&said).map_err(cannot)?;
        let mut command = Command::new(&self.agent);
        command
            .args(["--config", "config.json", "run", "--wait", "30"])
            .current_dir(self.folder.path())
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", &self.keys.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &self.keys.secret_key)
            .stdout(out.try_clone().map_err(cannot)?)
            .stderr(out);
        let ended = self.to_its_end(&mut command).map_err(cannot)?;
        note("$ pulse-echo --config config.json run --wait 30");
        String::from_utf8_lossy(&fs::read(&said).map_err(cannot)?).lines().for_each(note);
        let code = ended.code().ok_or("the agent was ended by a signal")?;
        note(&format!("exit code {code}"));
        Ok(code)
    }

    /// Runs a program, and ends it when we are interrupted.
    fn to_its_end(&self, command: &mut Command) -> io::Result<ExitStatus> {
        let mut child = command.spawn()?;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if (self.is_interrupted)() {
                child.kill()?;
                return child.wait();
            }
            thread::sleep(Duration::from_millis(5));
        }
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
        print(&format!("\n[{:5.2} s] {head} {text}", self.started.elapsed().as_secs_f64()));
    }
}

fn note(text: &str) {
    print(&format!("            {text}"));
}

/// Whoever does not listen any more is no reason to fail.
fn print(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
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

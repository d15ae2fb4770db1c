//! The stage of the walk: its own local system, a host's folder, and the real agent.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::{self, SystemResolver, Trust};
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::pulse::SIZE_LIMIT;
use pulse_echo_core::status::{self, State, Status};
use pulse_echo_core::store::{Credentials, Place, Store};
use pulse_echo_lambda::rules::Rules;
use serde_json::{Map, Value, json};

use super::page::{Page, ROOM};
use super::web::{Message, Webhook};
use crate::keys;
use crate::s3::{KeyPair, Options};
use crate::system::System;

const BUCKET: &str = "demo";

/// The demo's one host.
pub const HOST: &str = "web-1";

/// How often the loop sweeps here, in seconds: the shortest interval that it accepts.
pub const TICK_S: u32 = 5;

/// How long to wait for a message beyond the time that its cause takes: some sweeps, and a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The stage. Dropping it removes everything.
pub struct Stage<'a> {
    started: Instant,
    agent: PathBuf,
    system: System,
    webhook: Webhook,
    store: Store,
    keys: KeyPair,
    folder: tempfile::TempDir,
    is_interrupted: &'a dyn Fn() -> bool,
    page: Page<'a>,
    step: u32,
}

impl<'a> Stage<'a> {
    /// Sets the stage. Only the probe's settings are taken from the environment: a demo must not write to anybody's
    /// Slack.
    pub fn set(
        agent: PathBuf,
        environment: Environment,
        is_interrupted: &'a dyn Fn() -> bool,
        out: &'a mut dyn Write,
    ) -> Result<Self, String> {
        let started = Instant::now();
        let folder = tempfile::tempdir().map_err(|error| format!("cannot make a folder for the demo: {error}"))?;
        let keys = keys::make();
        let webhook = Webhook::start().map_err(|error| format!("cannot start the demo's webhook: {error}"))?;
        let lookup = |name: &str| match name {
            // The demo's service is on this machine, where a probe in AWS may not connect.
            "PROBE_ALLOW" => Some("127.0.0.0/8".into()),
            "WEBHOOK_URL" => Some(webhook.url()),
            "TICK_S" => Some(TICK_S.to_string()),
            "MIN_INTERVAL_S" => Some("0".into()),
            name if name.starts_with("PROBE_") => environment.get(name),
            _ => None,
        };
        let options = Options::new(folder.path().join("data"), BUCKET, keys.clone());
        let system = System::start(options, Environment::new(&lookup))?;
        let store = store(&system, &keys)?;
        let page = Page::new(out);
        let mut stage = Self { started, agent, system, webhook, store, keys, folder, is_interrupted, page, step: 0 };
        stage.page.print(
            "A pulse from a host to S3, the probe's answer, and what people are told of it;\nreal programs, on this \
             machine alone.",
        );
        stage.next("the local system starts: S3; the probe, told of each PUT; the loop, which sweeps over all checks");
        stage.note(&format!("bucket {BUCKET:?} at {}", stage.system.endpoint()));
        stage.note(&format!(
            "a sweep every {TICK_S} s (usually {} s); what it tells goes to a webhook at {}",
            Rules::default().tick_s,
            stage.webhook.url()
        ));
        Ok(stage)
    }

    /// Ends without waiting, for a process that ends in the next moment.
    pub fn abandon(self) {
        self.system.abandon();
    }

    /// Prints a line of the step's text.
    pub fn note(&mut self, text: &str) {
        self.page.note(text);
    }

    /// Writes the files that an operator writes on a host.
    pub fn configure(&mut self, pulse: &Value) -> Result<(), String> {
        let config = json!({"bucket": BUCKET, "host": HOST, "endpoint": self.system.endpoint()});
        for (file, content) in [("config.json", &config), ("pulse.json", pulse)] {
            let path = self.folder.path().join(file);
            fs::write(&path, content.to_string())
                .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            self.note(&format!("{file}:"));
            self.show_fields(content.as_object());
        }
        Ok(())
    }

    /// Runs the agent with these arguments. It must end with `code`.
    pub fn run(&mut self, arguments: &[&str], code: i32) -> Result<(), String> {
        match self.run_any(arguments)? {
            ended if ended == code => Ok(()),
            ended => Err(format!("the agent ended with exit code {ended}, not {code}")),
        }
    }

    /// Runs the agent, shows its output, and returns its exit code.
    pub fn run_any(&mut self, arguments: &[&str]) -> Result<i32, String> {
        let cannot = |error: io::Error| format!("cannot run the agent {}: {error}", self.agent.display());
        let said = self.folder.path().join("said");
        let out = File::create(&said).map_err(cannot)?;
        let mut command = Command::new(&self.agent);
        command
            .args(["--config", "config.json"])
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", &self.keys.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &self.keys.secret_key)
            .env("COLUMNS", ROOM.to_string())
            .stdout(out.try_clone().map_err(cannot)?)
            .stderr(out);
        let ended = self.to_its_end(&mut command).map_err(cannot)?;
        let said = fs::read(&said).map_err(cannot)?;
        let code = ended.code().ok_or("the agent was ended by a signal")?;
        self.note(&format!("$ pulse-echo --config config.json {}", arguments.join(" ")));
        String::from_utf8_lossy(&said).lines().for_each(|line| self.page.said(line));
        self.note(&format!("exit code {code}"));
        Ok(code)
    }

    /// Runs a program, and ends it if the demo is interrupted.
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

    /// Shows the newest answer in the store: the echo's metadata, or the fault's fields.
    pub fn show(&mut self, key: fn(&CheckId) -> Key, what_to_see: &str) -> Result<(), String> {
        let key = key(&CheckId::new(&HOST.parse()?, None));
        let object = self.store.get(&key, SIZE_LIMIT).map_err(|error| error.to_string())?;
        let body = String::from_utf8_lossy(object.body.as_deref().unwrap_or_default()).into_owned();
        self.note(&format!("look at {key}: {what_to_see}"));
        if let Ok(Value::Object(fields)) = serde_json::from_str(&body) {
            self.show_fields(Some(&fields));
        } else {
            self.page.entry("body", &body);
            object.metadata.iter().for_each(|(name, value)| self.page.entry(name, value));
        }
        Ok(())
    }

    fn show_fields(&mut self, fields: Option<&Map<String, Value>>) {
        fields.into_iter().flatten().for_each(|(name, value)| self.page.entry(name, &value.to_string()));
    }

    /// Waits for the message that the check is in this state, and shows it as people read it. It takes up to `time`
    /// until the check is in this state.
    pub fn hears_of(&mut self, state: &str, time: Duration, text: &str) -> Result<(), String> {
        let begun = Instant::now();
        let message = self.wait_for(state, begun + time + PATIENCE)?;
        self.next(text);
        self.page.message(&message.text);
        Ok(())
    }

    fn wait_for(&self, state: &str, until: Instant) -> Result<Message, String> {
        while !(self.is_interrupted)() {
            // An earlier message has an earlier cause: a slow machine's host may have been silent for a moment.
            match self.webhook.next(Duration::from_millis(20)).filter(|message| message.is_about(state)) {
                Some(message) => return Ok(message),
                None if Instant::now() >= until => {
                    return Err(format!("no message came that {HOST} is {state}; does the loop sweep?"));
                }
                None => {}
            }
        }
        Err("interrupted".into())
    }

    /// Waits until a sweep has found the check in this state.
    pub fn is_swept(&self, state: State) -> Result<(), String> {
        let (until, id) = (Instant::now() + PATIENCE, CheckId::new(&HOST.parse()?, None));
        while !(self.is_interrupted)() {
            match self.store.get(&Key::status(), status::SIZE_LIMIT) {
                Ok(object) => {
                    let status =
                        Status::from_json(&object.body.unwrap_or_default()).map_err(|error| error.to_string())?;
                    if status.checks.get(&id).is_some_and(|record| record.state == state) {
                        return Ok(());
                    }
                }
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error.to_string()),
            }
            if Instant::now() >= until {
                return Err(format!("no sweep found that {HOST} is {state}; does the loop sweep?"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err("interrupted".into())
    }

    /// Starts the next step.
    pub fn next(&mut self, text: &str) {
        self.step += 1;
        self.say(&format!("{}.", self.step), text);
    }

    /// Prints a headline with the time.
    pub fn say(&mut self, head: &str, text: &str) {
        self.page.headline(self.started.elapsed().as_secs_f64(), head, text);
    }
}

/// A client of the store, for an operator with these keys.
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

//! `demo`: a guided walk from a pulse to the messages that people get, with the real agent, S3, probe and loop, on this
//! machine only.

mod page;
mod stage;
mod web;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::url::web_url;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::State;
use serde_json::json;

use stage::{HOST, Stage, TICK_S};

pub use web::Service;

/// How often the demo's host promises a pulse, and how late it may be, in seconds.
const EVERY_S: u32 = 15;
const GRACE_S: u32 = 3;

/// The agent's own test: it sends, and waits for the answer.
const RUN: &[&str] = &["run", "--wait", "30"];

/// The text about the message of an outage.
const ALERT: &str = "the alert has come to the webhook; people read: what, since when, why";

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

/// Walks, and writes each step to `out`. With a URL, it checks that address once. Without, it breaks and mends its own
/// service, and then lets its host fall silent. The error is a sentence, also where a step did not go as it should.
/// Once `is_interrupted`, it ends early and waits for nothing.
pub fn demo(
    options: &Options,
    environment: Environment,
    is_interrupted: &dyn Fn() -> bool,
    out: &mut dyn Write,
) -> Result<(), String> {
    if let Some(Err(why)) = options.url.as_deref().map(web_url) {
        return Err(format!("--url: {why}"));
    }
    let agent = match &options.agent {
        Some(agent) if agent.is_file() => agent.clone(),
        Some(agent) => return Err(format!("--agent: there is no program {}", agent.display())),
        None => beside_us("pulse-echo")?,
    };
    let mut stage = Stage::set(agent, environment, is_interrupted, out)?;
    let walked = match &options.url {
        Some(url) => visit(&mut stage, url, options.body.as_deref()),
        None => break_and_mend(&mut stage).and_then(|()| fall_silent(&mut stage)),
    };
    if is_interrupted() {
        // The probe may still wait for a service, as long as the pulse allows.
        stage.abandon();
        return Err("interrupted".into());
    }
    walked?;
    stage.say("done:", "all of it ran on this machine; nothing is left running, nothing is left on the disk");
    Ok(())
}

fn break_and_mend(stage: &mut Stage) -> Result<(), String> {
    let service = Service::start().map_err(|error| format!("cannot start the demo's service: {error}"))?;
    let url = service.url();
    stage.next("a small web service starts, and the host gets a pulse that says what to expect of it");
    stage.note(&format!("{url} answers \"ok\""));
    stage.configure(&json!({
        "url": url, "body": "ok", "max_latency_ms": 2000, "timeout_s": 5, "every_s": EVERY_S, "grace_s": GRACE_S,
    }))?;

    stage.next("the agent sends the pulse and waits for the answer to this very pulse");
    stage.run(RUN, 0)?;
    stage.show(Key::echo, "the echo's metadata: which pulse it answers, with what status, how fast")?;

    service.breaks();
    stage.next("the service breaks: it answers 500 now; the agent asks again");
    stage.run(RUN, 2)?;
    stage.show(Key::fault, "the fault: its cause and its reason in one sentence, expected and got")?;

    sweep_now(stage)?;
    stage.hears_of("failing", Duration::ZERO, ALERT)?;

    service.mended();
    stage.next("the service is mended; the agent asks once more");
    stage.run(RUN, 0)?;
    stage.show(Key::echo, "the echo is newer than the fault: the check is up again")?;
    sweep_now(stage)?;
    stage.hears_of("up", Duration::ZERO, "the end is told, too: how long it lasted, and what it was")?;

    stage.next("the fleet, as an operator sees it");
    stage.run(&["status"], 0)
}

fn fall_silent(stage: &mut Stage) -> Result<(), String> {
    let limit_s = EVERY_S + GRACE_S;
    stage.next("the host stops sending, as if its power were gone");
    stage.note(&format!(
        "its pulse says every_s {EVERY_S} and grace_s {GRACE_S}, so it is silent after {limit_s} s (usually 15 min); \
         the next sweep tells: wait some {} s",
        limit_s + TICK_S
    ));
    let limit = Duration::from_secs(limit_s.into());
    stage.hears_of("silent", limit, "nobody sent anything, and that is told; look at the host's last words")?;
    stage.next("the operator looks: all checks, and all that is known of this one");
    stage.run(&["status"], 0)?;
    stage.run(&["status", HOST], 0)
}

fn visit(stage: &mut Stage, url: &str, body: Option<&str>) -> Result<(), String> {
    let mut pulse = json!({ "url": url });
    if let Some(body) = body {
        pulse["body"] = body.into();
    }
    stage.next("the host gets a pulse for the address that you gave");
    stage.configure(&pulse)?;
    stage.next("the agent sends the pulse and waits for the answer to this very pulse");
    let found = match stage.run_any(RUN)? {
        0 => {
            stage.show(Key::echo, "the echo's metadata: which pulse it answers, with what status, how fast")?;
            State::Up
        }
        2 => {
            stage.show(Key::fault, "the fault: its cause and its reason in one sentence, expected and got")?;
            State::Failing
        }
        _ => return Err("the agent got no answer; its line above says why".into()),
    };
    sweep_now(stage)?;
    if found == State::Failing {
        stage.hears_of("failing", Duration::ZERO, ALERT)?;
    }
    stage.is_swept(found)?;
    stage.next("the fleet, as an operator sees it");
    stage.run(&["status"], 0)?;
    match found {
        State::Up => Ok(()),
        _ => Err(format!("{url} did not answer as expected; the chain itself works")),
    }
}

fn sweep_now(stage: &mut Stage) -> Result<(), String> {
    stage.next("the loop is told to sweep now, which it would do by itself within seconds");
    stage.run(&["loop", "tick", "--quiet"], 0)
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

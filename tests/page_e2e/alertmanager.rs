//! A check that falls, lasts, changes its cause and comes back, as a real Alertmanager has it.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::{Condition, Store};
use pulse_echo_testkit::local::{FREE_PORT, Running, operators_store, put_pulse, serve};
use pulse_echo_testkit::server::{Reply, Server, answer, read_body, read_head};
use pulse_echo_testkit::store::id;
use pulse_echo_testkit::tally::Tally;
use serde_json::{Value, json};

use crate::prometheus::{Killed, get, post};

/// How long a change may take until Alertmanager has it: a reminder comes after a minute at the earliest.
const PATIENCE: Duration = Duration::from_secs(150);

/// Runs the story of Alertmanager.
pub fn tell(tally: &mut Tally, tools: &Path) {
    tally.run("an outage fires in Alertmanager while it lasts, with its present cause, and is then resolved", || {
        tells_an_outage(&tools.join("usr/bin/prometheus-alertmanager"), &tools.join("usr/bin/amtool"))
    });
}

fn tells_an_outage(program: &Path, amtool: &Path) -> Result<(), String> {
    let data = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let manager = format!("http://127.0.0.1:{port}");
    fs::write(data.path().join("am.yml"), "route: {receiver: none}\nreceivers: [{name: none}]\n").unwrap();
    let started = Command::new(program)
        .current_dir(data.path())
        .args(["--config.file=am.yml", "--storage.path=am", "--cluster.listen-address=", "--log.level=error"])
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _manager = Killed(started.map_err(|error| error.to_string())?);
    wait("it answers", || get(&format!("{manager}/-/ready")).map(drop))?;

    // Each delivery comes twice.
    let twice = manager.clone();
    let relay = Server::new(move |mut stream, _| {
        let head = read_head(&mut stream);
        let body = String::from_utf8(read_body(&mut stream, &head)).unwrap();
        let to = format!("{twice}{}", head.split(' ').nth(1).unwrap_or_default());
        let taken = post(&to, &body).and_then(|()| post(&to, &body));
        let _ = stream.write_all(answer(if taken.is_ok() { 200 } else { 500 }, "").as_bytes());
    });
    let status = Arc::new(AtomicU16::new(200));
    let answers = status.clone();
    let service = Server::replying(move |_| Reply::of(answers.load(Ordering::SeqCst), ""));

    let variables = [("TICK_S", "5"), ("REMIND_S", "60"), ("ALERTMANAGER_URL", &relay.endpoint())];
    let mut local = Running::of(serve(data.path(), &FREE_PORT).envs(variables));
    let endpoint = local.endpoint();
    let store = operators_store(&endpoint, data.path());
    let url = service.url();

    status.store(500, Ordering::SeqCst);
    pulse(&store, &url, 0);
    let failing = json!({"alertname": "PulseEchoDown", "host": "web-1", "check": "web-1", "state": "failing"});
    let with = |cause: &str| {
        let mut labels = failing.clone();
        labels["cause"] = json!(cause);
        labels
    };
    let fires = |labels: &Value| firing(&manager).and_then(|alerts| only(&alerts, labels));
    wait("it fires", || fires(&with("status")))?;
    let ends = |alerts: &[Value]| alerts[0]["endsAt"].as_str().unwrap_or_default().to_string();
    let first = ends(&firing(&manager)?);
    let seen = shown(amtool, &manager)?;
    println!("{seen}");
    if !seen.contains("DOWN: web-1 has been failing since ") || !seen.contains("active") {
        return Err(format!("amtool shows {seen}"));
    }
    wait("a reminder prolongs it", || {
        fires(&with("status"))?;
        let now = ends(&firing(&manager)?);
        if now > first { Ok(()) } else { Err(format!("it ends at {now}")) }
    })?;
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    pulse(&store, &format!("http://{closed}/"), 1);
    wait("the other cause fires, and the first does not", || fires(&with("connect")))?;
    status.store(200, Ordering::SeqCst);
    pulse(&store, &url, 2);
    wait("it is resolved", || match firing(&manager)?.as_slice() {
        [] => Ok(()),
        alerts => Err(format!("{alerts:?}")),
    })?;
    let web = id("web-1");
    store
        .put(&Key::retire(&web), "", b"{}", &Metadata::new(), &Condition::Always)
        .map_err(|error| error.to_string())?;
    store.delete(&Key::pulse(&web), &Condition::Always).map_err(|error| error.to_string())?;
    let gone = json!({"alertname": "PulseEcho", "host": "web-1", "check": "web-1", "state": "gone"});
    wait("that it is gone is told", || fires(&gone))?;
    local.signal("-TERM");
    local.end();
    Ok(())
}

/// Puts a pulse of `web-1` with this URL. Each number makes another pulse.
pub fn pulse(store: &Store, url: &str, number: u32) {
    put_pulse(store, format!("{{\"url\": \"{url}\", \"status\": 200, \"every_s\": {}}}", 600 + number).as_bytes());
}

/// The alerts that fire.
fn firing(manager: &str) -> Result<Vec<Value>, String> {
    let answer = get(&format!("{manager}/api/v2/alerts"))?;
    serde_json::from_str(&answer).map_err(|error| error.to_string())
}

fn only(alerts: &[Value], labels: &Value) -> Result<(), String> {
    match alerts {
        [alert] if alert["labels"] == *labels => Ok(()),
        alerts => Err(format!("{alerts:?}")),
    }
}

/// What Alertmanager's own tool shows people of a check, with the sentence.
fn shown(amtool: &Path, manager: &str) -> Result<String, String> {
    let url = format!("--alertmanager.url={manager}");
    let output = Command::new(amtool).args(["alert", "query", "host=web-1", "--output=extended", &url]).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).map_err(|error| error.to_string())
}

pub fn wait(what: &str, is_so: impl Fn() -> Result<(), String>) -> Result<(), String> {
    let until = Instant::now() + PATIENCE;
    loop {
        match is_so() {
            Ok(()) => return Ok(()),
            Err(why) if Instant::now() > until => return Err(format!("{what}: {why}")),
            Err(_) => thread::sleep(Duration::from_millis(200)),
        }
    }
}

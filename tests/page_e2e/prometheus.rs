//! A check that falls and comes back, as Prometheus sees it.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::http::{self, SystemResolver, Trust};
use pulse_echo_testkit::local::{FREE_PORT, Running, operators_store, put_pulse, serve};
use pulse_echo_testkit::server::{Reply, Server};
use pulse_echo_testkit::tally::Tally;
use serde_json::Value;

/// How long a change may take until Prometheus has it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs all stories of Prometheus.
pub fn watch(tally: &mut Tally, tools: &Path) {
    let (promtool, prometheus) = (tools.join("usr/bin/promtool"), tools.join("usr/bin/prometheus"));
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for arguments in [["check", "rules", "prometheus-rules.yaml"], ["test", "rules", "prometheus-rules.test.yaml"]] {
        tally.run(&format!("promtool {}", arguments.join(" ")), || {
            ended_well(Command::new(&promtool).args(arguments).current_dir(&docs), "")
        });
    }
    tally.run("a check that falls and comes back does so in Prometheus", || {
        falls_and_comes_back(&promtool, &prometheus)
    });
}

fn falls_and_comes_back(promtool: &Path, prometheus: &Path) -> Result<(), String> {
    let is_well = Arc::new(AtomicBool::new(true));
    let answers = is_well.clone();
    let service = Server::replying(move |_| Reply::of(if answers.load(Ordering::SeqCst) { 200 } else { 500 }, ""));
    let data = tempfile::tempdir().unwrap();
    let arguments = [&FREE_PORT[..], &["--page", "127.0.0.1:0"]].concat();
    let mut local = Running::of(serve(data.path(), &arguments).env("TICK_S", "5"));
    let endpoint = local.endpoint();
    let page = local.says("page at http://").split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();
    let store = operators_store(&endpoint, data.path());
    let pulse = |number: u32| {
        let pulse = format!("{{\"url\": \"{}\", \"status\": 200, \"every_s\": {}}}", service.url(), 600 + number);
        put_pulse(&store, pulse.as_bytes());
    };

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    fs::write(
        data.path().join("prometheus.yml"),
        format!(
            "scrape_configs: [{{job_name: pulse-echo, scrape_interval: 1s, scrape_timeout: 1s, static_configs: \
             [{{targets: ['{page}']}}]}}]\n"
        ),
    )
    .unwrap();
    let started = Command::new(prometheus)
        .current_dir(data.path())
        .args(["--config.file=prometheus.yml", "--storage.tsdb.path=tsdb", "--log.level=error"])
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _prometheus = Killed(started.map_err(|error| error.to_string())?);

    let up = "pulse_echo_check_up{host=\"web-1\",check=\"web-1\"}";
    pulse(0);
    wait(port, up, "1")?;
    wait(port, "pulse_echo_hosts_down", "0")?;
    is_well.store(false, Ordering::SeqCst);
    pulse(1);
    wait(port, up, "0")?;
    wait(port, "pulse_echo_hosts_down", "1")?;
    wait(port, "count(pulse_echo_check_state{state=\"failing\"})", "1")?;
    is_well.store(true, Ordering::SeqCst);
    pulse(2);
    wait(port, up, "1")?;
    let changes = query(port, &format!("changes({up}[5m])"))?;
    if changes != "2" {
        return Err(format!("{changes} changes, and not 2"));
    }
    let metrics = get(&format!("http://{page}/metrics"))?;
    ended_well(Command::new(promtool).args(["check", "metrics"]), &metrics)?;
    local.signal("-TERM");
    local.end();
    Ok(())
}

/// A process that ends with its test.
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait(port: u16, expression: &str, value: &str) -> Result<(), String> {
    let until = Instant::now() + PATIENCE;
    loop {
        match query(port, expression) {
            Ok(seen) if seen == value => return Ok(()),
            seen if Instant::now() > until => return Err(format!("{expression} is {seen:?}, and not {value}")),
            _ => thread::sleep(Duration::from_millis(200)),
        }
    }
}

/// The value of an expression with one sample.
fn query(port: u16, expression: &str) -> Result<String, String> {
    let encoded: Vec<_> = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let encoded = encoded.concat();
    let answer = get(&format!("http://127.0.0.1:{port}/api/v1/query?query={encoded}"))?;
    let answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
    answer["data"]["result"][0]["value"][1].as_str().map(String::from).ok_or_else(|| format!("{answer}"))
}

/// What this address answers.
pub fn get(url: &str) -> Result<String, String> {
    let mut answer = agent().get(url).call().map_err(|error| error.to_string())?;
    answer.body_mut().read_to_string().map_err(|error| error.to_string())
}

/// Posts JSON; the error is an answer that is no 2xx.
pub fn post(url: &str, body: &str) -> Result<(), String> {
    let request = agent().post(url).header("content-type", "application/json");
    let answer = request.send(body).map_err(|error| error.to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string()) }
}

fn agent() -> ureq::Agent {
    let config = http::config().timeout_global(Some(Duration::from_secs(10))).build();
    http::agent(config, &Trust::built_in(), SystemResolver::default())
}

/// The error is what the command printed.
fn ended_well(command: &mut Command, input: &str) -> Result<(), String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    child.stdin.take().unwrap().write_all(input.as_bytes()).map_err(|error| error.to_string())?;
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    // `check metrics` ends with 3 where it only has advice; there is to be none.
    if output.status.success() { Ok(()) } else { Err(said.into_owned()) }
}

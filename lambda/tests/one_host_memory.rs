//! A host with 60,000 names of 480 bytes, and a function with little memory: each sweep is a process of its own, which
//! may not have more, and the outages of all other hosts are told.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::status::State;
use pulse_echo_lambda::tick::{Course, Loop};
use pulse_echo_testkit::fleet::{Fleet, time};
use pulse_echo_testkit::server::{Reply, Server};
use pulse_echo_testkit::store::{ACCESS_KEY, BUCKET, SECRET_KEY, id};
use serde_json::json;

/// The second, by the store's clock, at which this process is to sweep.
const SWEEPER: &str = "PULSE_ECHO_TEST_SWEEPS_AT";

/// What the smallest function has.
const MEMORY_MIB: u64 = 128;

/// How many names the host uses.
const NAMES: usize = 60_000;

#[test]
fn sixty_thousand_names_of_one_host_leave_a_small_function_its_memory_and_the_others_their_messages() {
    if let Ok(second) = env::var(SWEEPER) {
        return sweep_here(second.parse().unwrap());
    }
    let (fleet, hook) = (Fleet::new(), Server::replying(|_| Reply::of(200, "")));
    // It sorts in front of all others.
    let name = |n: usize| format!("a-evil/{n:05}{}", "\"".repeat(480 - "a-evil/00000".len()));
    let objects = (0..NAMES).map(|n| (format!("pulse/{}", name(n)), b"{}".to_vec(), BTreeMap::default()));
    fleet.server().fill(objects).unwrap();
    let others = ["a-evil-2", "db-1", "web-1", "zz-db"];
    for host in others {
        fleet.at(0).pulse(host).at(1).echo(host);
    }
    let peaks = [60, 120].map(|second| sweep(&fleet, &hook, second));
    for host in others {
        fleet.at(600).pulse(host).at(601).fault(host, 600);
    }
    let peaks = peaks.into_iter().chain([660, 720].map(|second| sweep(&fleet, &hook, second)));
    assert!(peaks.clone().all(|mib| mib <= MEMORY_MIB / 2), "{:?} MiB", peaks.collect::<Vec<_>>());

    let status = fleet.status();
    assert_eq!(status.outbox, [], "all was taken");
    for host in others {
        let record = &status.checks[&id(host)];
        let told = record.outage.as_ref().and_then(|outage| outage.told.as_ref());
        assert_eq!((record.state, told.map(|told| told.at)), (State::Failing, Some(time(660))), "{host}");
    }
}

/// Sweeps in a process of its own. Returns the most memory that it had, in MiB.
fn sweep(fleet: &Fleet, hook: &Server, second: i64) -> u64 {
    fleet.at(second);
    // What it maps is more than what it uses: the stacks of its threads, for instance.
    let limited = format!("ulimit -v {}; exec \"$0\" --nocapture --exact \"$1\"", 4 * MEMORY_MIB * 1024);
    let this = std::thread::current().name().unwrap().to_string();
    let swept = Command::new("sh")
        .args(["-c", &limited])
        .args([env::current_exe().unwrap().as_os_str(), this.as_ref()])
        .env_clear()
        .envs([(SWEEPER, time(second).as_second().to_string()), ("BUCKET", BUCKET.into())])
        .envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ENDPOINT_URL_S3", fleet.server().endpoint()), ("WEBHOOK_URL", hook.url())])
        // As in the package, whose C library has one heap for all threads.
        .env("MALLOC_ARENA_MAX", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&swept.stdout).into_owned();
    assert!(swept.status.success(), "{said}{}", String::from_utf8_lossy(&swept.stderr));
    let peak = said.lines().find_map(|line| line.strip_prefix("peak: ")).unwrap_or_else(|| panic!("{said}"));
    peak.parse().unwrap()
}

fn sweep_here(second: i64) {
    let now = Arc::new(move || Timestamp::from_second(second).unwrap());
    let the_loop = Loop::read(Environment::new(&|name| env::var(name).ok()), now).unwrap();
    let deadline = Instant::now() + Duration::from_secs(280);
    let summary = the_loop.handle(&json!({"source": "aws.events"}), deadline).answer().unwrap();
    assert_eq!((summary.course, summary.unread), (Course::Swept, 0));
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = peak.trim().trim_end_matches(" kB").trim().parse().unwrap();
    println!("\npeak: {}", kib / 1024);
}

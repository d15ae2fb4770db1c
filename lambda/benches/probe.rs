//! What the probe adds to the time of the service that it watches, and the memory that events of 1, 10 and 100 records
//! take. The probe is alone in its process; store and services are in this one.
//!
//! `cargo bench -p pulse-echo-lambda --bench probe`

use std::io::Write;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use jiff::Timestamp;
use pulse_echo_core::environment::Environment;
use pulse_echo_lambda::probe::Probe;
use pulse_echo_testkit::server::{Server, answer, read_head};
use pulse_echo_testkit::world::{World, event};

/// Says to this program that it is the probe, and how many times it is to answer which keys.
const PART: &str = "PROBE_BENCH";

/// How often an event is answered where time is what counts.
const TIMES: usize = 100;

/// How long the slow service takes.
const SLOW: Duration = Duration::from_millis(50);

fn main() {
    match env::var(PART) {
        Ok(part) => answer_events(&part),
        Err(_) => measure(),
    }
}

fn measure() {
    let world = World::new();
    let small = answer(200, "ok");
    let large = answer(200, &"x".repeat(1 << 20));
    let service = Server::new(move |mut stream, _| {
        let head = read_head(&mut stream);
        if head.starts_with("GET /slow ") {
            thread::sleep(SLOW);
        }
        let _ = stream.write_all(if head.starts_with("GET /large ") { &large } else { &small }.as_bytes());
    });
    let url = |path: &str| format!("http://{}/{path}", service.address);

    world.put("pulse/none.json", "{}", &[]);
    let none = child(&world, TIMES, &["pulse/none.json".into()]);
    println!("no url      {:7.2} ms an event: GET of the pulse and PUT of the echo", none.median_ms);
    for path in ["fast", "slow"] {
        let key = format!("pulse/{path}.json");
        world.put(&key, &format!("{{\"url\": \"{}\", \"body\": \"ok\"}}", url(path)), &[]);
        let (bare, probed) = (bare(&url(path)), child(&world, TIMES, &[key]));
        println!(
            "{path:<11} {:7.2} ms an event, the service alone {bare:.2} ms: {:.2} ms added, {:.2} of them the fetch's",
            probed.median_ms,
            probed.median_ms - bare,
            probed.median_ms - bare - none.median_ms,
        );
    }

    for (path, what) in [("fast", "2 bytes"), ("large", "1 MiB")] {
        for records in [1, 10, 100] {
            let keys: Vec<_> = (0..records).map(|n| format!("pulse/{path}-{n}.json")).collect();
            for key in &keys {
                world.put(key, &format!("{{\"url\": \"{}\", \"contains\": \"k\"}}", url(path)), &[]);
            }
            let seen = child(&world, 1, &keys);
            println!(
                "{records:>3} records of {what:<7} {:7.2} ms, {:6.1} MiB at most, {} threads afterwards",
                seen.median_ms, seen.peak_mib, seen.threads
            );
        }
    }
}

/// What a process that answered events says of itself.
struct Seen {
    median_ms: f64,
    peak_mib: f64,
    threads: u32,
}

/// The same program as a probe, whose environment is this world's.
fn child(world: &World, times: usize, keys: &[String]) -> Seen {
    let part = format!("{times} {}", keys.join(" "));
    let output = Command::new(env::current_exe().unwrap())
        .env_clear()
        .envs(world.environment())
        .env(PART, part)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line = String::from_utf8(output.stdout).unwrap();
    let mut words = line.split_whitespace();
    let mut next = || words.next().unwrap();
    Seen { median_ms: next().parse().unwrap(), peak_mib: next().parse().unwrap(), threads: next().parse().unwrap() }
}

fn answer_events(part: &str) {
    let mut words = part.split(' ');
    let times: usize = words.next().unwrap().parse().unwrap();
    let keys: Vec<_> = words.collect();
    let probe = Probe::read(Environment::new(&|name| env::var(name).ok()), Arc::new(Timestamp::now)).unwrap();
    let event = event(&keys);
    let median_ms = median_ms(times, || {
        let summary = probe.handle(&event, Instant::now() + Duration::from_secs(90)).unwrap();
        assert_eq!(summary.echoes.len() + summary.faults.len(), keys.len(), "{summary:?}");
    });
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let field = |name| -> u32 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    println!("{median_ms} {} {}", f64::from(field("VmHWM:")) / 1024.0, field("Threads:"));
}

/// How long a GET takes that does nothing else.
fn bare(url: &str) -> f64 {
    median_ms(TIMES, || {
        ureq::Agent::new_with_defaults().get(url).call().unwrap().body_mut().read_to_vec().unwrap();
    })
}

fn median_ms(times: usize, mut act: impl FnMut()) -> f64 {
    let mut took: Vec<_> = (0..times)
        .map(|_| {
            let started = Instant::now();
            act();
            started.elapsed()
        })
        .collect();
    took.sort_unstable();
    took[times / 2].as_secs_f64() * 1000.0
}

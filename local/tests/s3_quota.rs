//! A host's own key brings so many objects, and no more: it cannot fill the disk.

use std::fs;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::metadata::Metadata;
use pulse_echo_local::events::{self, Dispatcher};
use pulse_echo_local::s3::{HostKey, KeyPair, Options, Server};
use pulse_echo_testkit::local::{FREE_PORT, Running, program, serve};
use pulse_echo_testkit::raw_client::{Answer, Client, options};
use rusty_s3::{Bucket, Credentials, UrlStyle};
use tempfile::TempDir;

/// How many objects a host may have in a folder here.
const LIMIT: usize = 5;

/// A server, the operator's client, and those of `web-1` and `web-2`.
fn server(dir: &TempDir) -> (Server, Client, [Client; 2]) {
    let options = options(dir);
    let hosts = ["web-1", "web-2"];
    options.keys.set_hosts(hosts.map(|host| {
        let pair = KeyPair::new(host, "its own secret");
        HostKey { host: host.parse().unwrap(), pair, until: None }
    }));
    let server = Server::start(Options { of_host: LIMIT, ..options }).unwrap();
    let operator = Client::of(&server);
    let of_host = |host| Client { credentials: Credentials::new(host, "its own secret"), ..operator.clone() };
    let hosts = hosts.map(of_host);
    (server, operator, hosts)
}

#[track_caller]
fn assert_taken(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[track_caller]
fn assert_full(answer: &Answer, folder: &str) {
    answer.assert_error(403, "QuotaExceeded");
    let sentence = format!("This host has {LIMIT} objects under {folder}/, as many as a host may have");
    assert!(answer.text().contains(&sentence), "{}", answer.text());
}

#[test]
fn a_host_has_so_many_objects_and_overwrites_and_deletes_them_over_a_restart() {
    let dir = TempDir::new().unwrap();
    let (server, operator, [web_1, web_2]) = server(&dir);
    for folder in ["pulse", "retire"] {
        let key = |check: &str| format!("{folder}/web-1{check}.json");
        for check in ["", "/1", "/2", "/3", "/a/4"] {
            assert_taken(&web_1.put(&key(check), b"{}"));
        }
        assert_full(&web_1.put(&key("/5"), b"{}"), folder);
        assert_taken(&web_1.put(&key("/1"), b"{ }"));
        assert_taken(&web_2.put(&format!("{folder}/web-2.json"), b"{}"));
        // The operator is not bound, and what he puts counts.
        assert_taken(&operator.put(&key("/5"), b"{}"));
        for (check, is_full) in [("/3", true), ("/not-there", true), ("/a/4", false)] {
            operator.delete_with(&key(check), &[]);
            assert_eq!(web_1.put(&key("/6"), b"{}").status == 403, is_full, "{check}");
        }
    }
    server.stop();

    let (_server, operator, [web_1, _]) = self::server(&dir);
    assert_full(&web_1.put("pulse/web-1/7.json", b"{}"), "pulse");
    assert_taken(&web_1.put("pulse/web-1/6.json", b"{}"));
    assert_eq!(web_1.delete_with("pulse/web-1/6.json", &[]).status, 204);
    assert_taken(&web_1.put("pulse/web-1/7.json", b"{}"));
    assert_full(&web_1.put("retire/web-1/7.json", b"{}"), "retire");
    assert_eq!(operator.get("pulse/web-1/6.json").status, 404);
}

#[test]
fn a_store_that_already_holds_more_goes_on_to_work() {
    let dir = TempDir::new().unwrap();
    let (server, _operator, [web_1, _]) = server(&dir);
    server.fill((0..30).map(|n| (format!("pulse/web-1/{n}.json"), b"{}".to_vec(), Metadata::new()))).unwrap();
    server.clear(["pulse/web-1/29.json".to_owned()]).unwrap();
    assert_taken(&web_1.put("pulse/web-1/1.json", b"{ }"));
    server.stop();
    let (server, _operator, [web_1, _]) = self::server(&dir);
    assert_full(&web_1.put("pulse/web-1/29.json", b"{}"), "pulse");
    assert_taken(&web_1.put("pulse/web-1/28.json", b"{ }"));
    server.clear((0..25).map(|n| format!("pulse/web-1/{n}.json"))).unwrap();
    assert_taken(&web_1.put("pulse/web-1/29.json", b"{}"));
    assert_full(&web_1.put("pulse/web-1.json", b"{}"), "pulse");
}

#[test]
fn answers_count_since_they_stay_when_their_pulse_is_deleted() {
    for folder in ["echo", "fault"] {
        let dir = TempDir::new().unwrap();
        let (server, _operator, [web_1, _]) = server(&dir);
        server.fill((0..LIMIT).map(|n| (format!("{folder}/web-1/{n}.json"), b"ok".to_vec(), Metadata::new()))).unwrap();
        assert_full(&web_1.put("pulse/web-1/new.json", b"{}"), folder);
        // It would be answered in the place of an older answer.
        assert_taken(&web_1.put("pulse/web-1/0.json", b"{}"));
        assert_taken(&web_1.put("retire/web-1/new.json", b"{}"));
    }
}

#[test]
fn a_host_that_brings_new_pulses_faster_than_they_are_answered_waits() {
    let dir = TempDir::new().unwrap();
    let (server, operator, [web_1, web_2]) = server(&dir);
    let bring = |n: usize| {
        let key = format!("pulse/web-1/{n}.json");
        let answer = web_1.put(&key, b"{}");
        operator.delete_with(&key, &[]);
        answer
    };
    // Nobody answers.
    for n in 0..2 * LIMIT {
        assert_taken(&bring(n));
    }
    bring(100).assert_error(503, "SlowDown");
    assert_taken(&web_2.put("pulse/web-2.json", b"{}"));
    let _answers = Dispatcher::start(&server, events::Options::default(), |_, _, _| Ok(())).unwrap();
    let started = Instant::now();
    while bring(101).status != 200 {
        assert!(started.elapsed() < Duration::from_secs(20), "all are answered, and it still waits");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_nobody_has_answered_before_a_restart_keeps_its_host_waiting_after_it() {
    let dir = TempDir::new().unwrap();
    let (server, operator, [web_1, _]) = server(&dir);
    for n in 0..2 * LIMIT {
        let key = format!("pulse/web-1/{n}.json");
        assert_taken(&web_1.put(&key, b"{}"));
        operator.delete_with(&key, &[]);
    }
    server.stop();

    let (server, _operator, [web_1, _]) = self::server(&dir);
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let wait = move |_, _, _| {
        let _ = gate.lock().unwrap().recv();
        Ok(())
    };
    let answers = Dispatcher::start(&server, events::Options::default(), wait).unwrap();
    // The first may come before the events of the time before are counted.
    let statuses = ["new", "newer"].map(|check| web_1.put(&format!("pulse/web-1/{check}.json"), b"{}").status);
    assert!(statuses.contains(&503), "{statuses:?}");
    drop(open);
    drop(answers);
}

#[test]
fn the_bound_is_twice_checks_per_host_and_the_log_tells_once_each_time_that_it_is_reached() {
    let folder = TempDir::new().unwrap();
    let (data, files) = (folder.path().join("data"), folder.path().join("web-1"));
    let mut server = Running::of(serve(&data, &FREE_PORT).env("CHECKS_PER_HOST", "1"));
    let endpoint = server.endpoint();
    let mut add = program(&["key", "add", "--data"]);
    assert!(add.arg(&data).arg("--to").arg(&files).arg("web-1").status().unwrap().success());
    let text = fs::read_to_string(files.join("credentials")).unwrap();
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = ")).unwrap();
    let credentials = Credentials::new(value("aws_access_key_id"), value("aws_secret_access_key"));
    let bucket = Bucket::new(endpoint.parse().unwrap(), UrlStyle::Path, "pulse-echo", "us-east-1").unwrap();
    let host = Client { bucket, credentials, ..Client::at(&endpoint) };
    let started = Instant::now();
    while host.put("pulse/web-1.json", b"{}").status != 200 {
        assert!(started.elapsed() < Duration::from_secs(20), "its key is not known");
        thread::sleep(Duration::from_millis(20));
    }
    assert_taken(&host.put("pulse/web-1/db.json", b"{}"));
    for n in 0..4 {
        host.put(&format!("pulse/web-1/{n}.json"), b"{}").assert_error(403, "QuotaExceeded");
    }
    // With room again, and full once more.
    assert_eq!(host.delete_with("pulse/web-1/db.json", &[]).status, 204);
    assert_taken(&host.put("pulse/web-1/db.json", b"{}"));
    host.put("pulse/web-1/disk.json", b"{}").assert_error(403, "QuotaExceeded");
    server.signal("-TERM");
    let said = server.end().stderr;
    let told: Vec<_> = said.lines().filter(|line| line.contains("web-1 has 2 objects under pulse/")).collect();
    assert!(told.len() == 2 && told[0].contains("or raise CHECKS_PER_HOST"), "{said}");
}

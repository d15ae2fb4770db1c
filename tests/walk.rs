//! The walk of a pulse as its users meet it: the real agent, the embedded S3, the probe, a web service.

use std::process::Stdio;
use std::time::{Duration, Instant};

use pulse_echo_core::answer::{Cause, Echo, Fault};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::store::{Condition, Object, Store};
use pulse_echo_local::demo::Service;
use pulse_echo_local::s3::{KeyPair, Options};
use pulse_echo_local::system::System;
use pulse_echo_testkit::agent::{Ended, agent};
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::server::{Server, answer};
use pulse_echo_testkit::store::{ACCESS_KEY, BUCKET, SECRET_KEY, store};
use tempfile::TempDir;

/// The whole system and a host.
struct Site {
    system: System,
    folder: TempDir,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeyPair::new(ACCESS_KEY, SECRET_KEY);
        let environment = |name: &str| (name == "PROBE_ALLOW").then(|| "127.0.0.0/8".to_string());
        let options = Options::new(folder.path().join("data"), BUCKET, keys);
        let system = System::start(options, Environment::new(&environment)).unwrap();
        Self { system, folder }
    }

    fn agent(&self, arguments: &[&str]) -> Ended {
        Ended::of(
            agent(self.folder.path(), arguments)
                .env("PULSE_ECHO_BUCKET", BUCKET)
                .env("PULSE_ECHO_HOST", "web-1")
                .env("AWS_ENDPOINT_URL", self.system.endpoint())
                .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
                .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        )
    }

    fn pulse(&self, content: &str) {
        std::fs::write(self.folder.path().join("pulse.json"), content).unwrap();
    }

    fn store(&self) -> Store {
        store(&self.system.endpoint())
    }

    fn get(&self, key: &Key) -> Object {
        self.store().get(key, 100_000).unwrap()
    }

    /// Looks again and again until the object is there.
    fn wait_for(&self, key: &Key) -> Object {
        let started = Instant::now();
        loop {
            match self.store().get(key, 100_000) {
                Ok(object) => return object,
                Err(error) if error.is_missing() && started.elapsed() < Duration::from_secs(20) => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn web_1() -> CheckId {
    CheckId::new(&"web-1".parse().unwrap(), None)
}

#[test]
fn a_pulse_gets_its_echo_a_broken_service_its_fault_and_a_mended_one_its_echo_again() {
    let (site, service) = (Site::new(), Service::start().unwrap());
    let content = format!("{{\"url\":  \"{}\",\n \"body\": \"ok\"}}\n", service.url());
    site.pulse(&content);

    let run = site.agent(&["run", "--pulse", "pulse.json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert!(
        run.stdout.starts_with("ECHO OK - web-1 answered in ") && run.stdout.contains(" with status 200 | rtt=0."),
        "{run:?}"
    );
    let pulse = site.get(&Key::pulse(&web_1()));
    assert_eq!(pulse.body.unwrap(), content.as_bytes(), "byte for byte as the operator wrote it");
    let object = site.get(&Key::echo(&web_1()));
    let echo = Echo::from_metadata(&object.metadata, object.last_modified);
    assert_eq!(object.body.as_deref(), Some(Echo::BODY));
    assert_eq!(echo.pulse_id.as_ref(), pulse.metadata.get("pulse-id"));
    assert_eq!((echo.pulse_at, echo.status), (pulse.last_modified, Some(200)));

    service.breaks();
    let run = site.agent(&["run", "--pulse", "pulse.json"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stdout.starts_with("ECHO CRITICAL - web-1: ") && run.stdout.contains("expected \"ok\""), "{run:?}");
    let fault = Fault::from_json(&site.get(&Key::fault(&web_1())).body.unwrap()).unwrap();
    assert_eq!((fault.cause, fault.status), (Cause::Body, Some(500)));
    assert_eq!(fault.pulse_id.as_ref(), site.get(&Key::pulse(&web_1())).metadata.get("pulse-id"));

    service.mended();
    let run = site.agent(&["run", "--pulse", "pulse.json"]);
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn all_pulses_of_a_host_go_out_and_the_worst_answer_comes_first() {
    let (site, service) = (Site::new(), Service::start().unwrap());
    std::fs::create_dir(site.folder.path().join("pulses.d")).unwrap();
    std::fs::write(site.folder.path().join("config.json"), "{}").unwrap();
    site.pulse("{}");
    let bad = format!("{{\"url\": \"{}\", \"contains\": \"ready\"}}", service.url());
    std::fs::write(site.folder.path().join("pulses.d/db.json"), bad).unwrap();

    let run = site.agent(&["--config", "config.json", "run"]);
    assert_eq!(run.code, 2, "{run:?}");
    let line = run.stdout;
    assert!(line.starts_with("ECHO CRITICAL - web-1/db: the body does not contain \"ready\""), "{line}");
    assert!(line.contains(" (also 1 OK) | rtt=0.") && line.contains(" rtt_db=0."), "{line}");
    let below: Vec<_> = line.lines().skip(1).collect();
    assert!(below[0].starts_with("CRITICAL: web-1/db: the body does not contain \"ready\""), "{line}");
    assert_eq!(below[1..], ["OK: web-1: the pulse arrived"], "{line}");
}

#[test]
fn send_tells_what_it_sent_and_quiet_says_nothing() {
    let site = Site::new();
    site.pulse("{}");
    let sent = site.agent(&["send", "--pulse", "pulse.json"]);
    assert!(sent.stdout.starts_with("sent pulse/web-1.json to bucket pulses in "), "{sent:?}");
    let sent = site.agent(&["send", "--pulse=pulse.json", "--name=db", "-q"]);
    assert_eq!((sent.code, sent.stdout.as_str(), sent.stderr.as_str()), (0, "", ""), "{sent:?}");
    let db = CheckId::new(&"web-1".parse().unwrap(), Some(&"db".parse().unwrap()));
    let echo = site.wait_for(&Key::echo(&db));
    assert_eq!(echo.metadata.get("status"), None, "nothing was fetched: {echo:?}");
}

#[test]
fn a_pulse_put_by_hand_is_answered_too_and_a_wrong_one_with_the_fault_invalid_pulse() {
    let site = Site::new();
    let by_hand = |key: &str, body: &[u8]| {
        let id = CheckId::from_pulse_key(key).unwrap();
        site.store().put(&Key::pulse(&id), "", body, &Metadata::new(), &Condition::Always).unwrap();
        id
    };
    let id = by_hand("pulse/my servers/a+b", b"{}");
    assert_eq!(site.wait_for(&Key::echo(&id)).body.as_deref(), Some(&b"ok"[..]));
    for body in [&b"{\"url\": 5}"[..], b"hello", b"", &vec![b' '; 64 * 1024 + 1]] {
        let id = by_hand(&format!("pulse/wrong-{}.json", body.len()), body);
        let fault = Fault::from_json(&site.wait_for(&Key::fault(&id)).body.unwrap()).unwrap();
        assert_eq!(fault.cause, Cause::InvalidPulse, "{fault:?}");
    }
}

#[test]
fn an_error_that_has_the_text_passes_and_run_warns_of_its_status() {
    let site = Site::new();
    let service = Server::answering(&[&answer(503, "ok, but busy")]);
    site.pulse(&format!("{{\"url\": \"{}\", \"contains\": \"ok\"}}", service.url()));
    let run = site.agent(&["run", "--pulse", "pulse.json"]);
    assert!(run.code == 0 && run.stdout.contains(" with status 503"), "{run:?}");
    assert!(run.stderr.contains("web-1 passes though its status is 503: "), "{run:?}");
    site.pulse(&format!("{{\"url\": \"{}\", \"contains\": \"ok\", \"status\": 503}}", service.url()));
    let run = site.agent(&["run", "--pulse", "pulse.json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
}

#[test]
fn without_a_probe_run_says_so_when_its_time_is_up() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    let run = bed.run(&["run", "--wait", "1"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(
        run.stdout.starts_with("ECHO UNKNOWN - web-1: no answer within ")
            && run.stdout.contains("is the probe deployed"),
        "{run:?}"
    );
    assert_eq!(bed.keys(), ["pulse/web-1.json"]);
}

#[test]
fn run_waits_for_the_pulse_that_replaced_its_own() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    let run = bed.command(&["run", "--wait", "30"]).stdout(Stdio::piped()).spawn().unwrap();
    let store = bed.store();
    let ours = loop {
        match store.get(&Key::pulse(&web_1()), 100) {
            Ok(pulse) => break pulse.metadata["pulse-id"].clone(),
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    // Cron's pulse, and the probe's answer to it. No other answer will come.
    let other = "0".repeat(32);
    assert_ne!(ours, other);
    let metadata = Metadata::from([("pulse-id".to_string(), other.clone())]);
    store.put(&Key::pulse(&web_1()), "", b"{}", &metadata, &Condition::Always).unwrap();
    let pulse_at = store.get(&Key::pulse(&web_1()), 100).unwrap().last_modified;
    let echo = Echo {
        pulse_id: Some(other),
        pulse_at,
        instance: None,
        probed_at: pulse_at,
        status: None,
        latency_ms: None,
        cert_days: None,
    };
    store.put(&Key::echo(&web_1()), "", Echo::BODY, &echo.to_metadata(), &Condition::Always).unwrap();
    let output = run.wait_with_output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(line.starts_with("ECHO OK - web-1: the pulse arrived"), "{line}");
}

#[test]
fn a_check_that_is_not_answered_does_not_keep_the_others_waiting() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    bed.write("pulses.d/db.json", "{}");
    let run = bed.command(&["run", "--wait", "2"]).stdout(Stdio::piped()).spawn().unwrap();
    let (store, db) = (bed.store(), CheckId::new(&"web-1".parse().unwrap(), Some(&"db".parse().unwrap())));
    let pulse = loop {
        match store.get(&Key::pulse(&db), 100) {
            Ok(pulse) => break pulse,
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let echo = Echo {
        pulse_id: pulse.metadata.get("pulse-id").cloned(),
        pulse_at: pulse.last_modified,
        instance: None,
        probed_at: pulse.last_modified,
        status: None,
        latency_ms: None,
        cert_days: None,
    };
    store.put(&Key::echo(&db), "", Echo::BODY, &echo.to_metadata(), &Condition::Always).unwrap();
    let output = run.wait_with_output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(line.starts_with("ECHO UNKNOWN - web-1: no answer within 2."), "{line}");
    assert!(line.contains("web-1/db: the pulse arrived") || line.contains("(also 1 OK)"), "{line}");
}

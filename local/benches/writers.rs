//! How many PUTs of a pulse's size a second a server takes from 100 writers, each on a connection of its own: ours as a
//! process, over http and over TLS, beside other S3 servers that run already.
//!
//! `cargo bench -p pulse-echo-local --bench writers -- s3s-fs=http://127.0.0.1:9000`; the others take the tests' pair
//! of keys. Ours answers when the object is on the disk, which not all do.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::http::{self, SystemResolver, Trust};
use pulse_echo_testkit::local::{FREE_PORT, Running, pasted, serve};
use pulse_echo_testkit::store::{ACCESS_KEY, BUCKET, SECRET_KEY};
use pulse_echo_testkit::tls::Ca;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use tempfile::TempDir;
use ureq::Agent;

const WRITERS: usize = 100;
const ROUNDS: usize = 5;
/// How long each server is written to in a round.
const TIME: Duration = Duration::from_secs(3);
const LIFE: Duration = Duration::from_secs(300);
const PULSE: &[u8] = br#"{"url": "http://127.0.0.1/health", "body": "ok"}"#;

struct Target {
    name: String,
    client: Client,
    server: Option<Running>,
}

/// What a writer needs.
struct Client {
    bucket: Bucket,
    credentials: Credentials,
    trust: Trust,
}

impl Target {
    /// Our own server, as its users run it.
    fn ours(name: &str, data: &Path, tls: Option<(&Ca, &Path)>) -> Self {
        let mut arguments: Vec<String> =
            FREE_PORT.iter().chain(&["--bucket", BUCKET]).map(|&word| word.into()).collect();
        let mut trust = Trust::built_in();
        if let Some((ca, folder)) = tls {
            let (certificate, key) = ca.pem_of(&["127.0.0.1"]);
            for (option, file, text) in [("--tls-cert", "server.pem", certificate), ("--tls-key", "server.key", key)] {
                let file = folder.join(file);
                fs::write(&file, text).unwrap();
                arguments.extend([option.to_owned(), file.display().to_string()]);
            }
            trust = Trust::with_pem(ca.pem().as_bytes()).unwrap();
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut server = Running::of(&mut serve(data, &arguments));
        let endpoint = server.endpoint();
        let keys = fs::read_to_string(data.join("keys")).unwrap();
        let keys = pasted(&keys.lines().filter(|line| line.starts_with("AWS_")).collect::<Vec<_>>().join("\n"));
        let credentials = Credentials::new(&*keys["AWS_ACCESS_KEY_ID"], &*keys["AWS_SECRET_ACCESS_KEY"]);
        let client = Client { bucket: bucket(&endpoint), credentials, trust };
        Self { name: name.into(), client, server: Some(server) }
    }

    /// Another server, `NAME=URL`.
    fn other(words: &str) -> Self {
        let (name, endpoint) = words.split_once('=').expect("NAME=URL");
        let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY);
        let bucket = bucket(endpoint);
        let made = bucket.create_bucket(&credentials).sign(LIFE);
        http::agent(http::config().build(), &Trust::built_in(), SystemResolver::default())
            .put(made.as_str())
            .send_empty()
            .unwrap();
        let client = Client { bucket, credentials, trust: Trust::built_in() };
        Self { name: name.into(), client, server: None }
    }
}

impl Client {
    /// How many PUTs a second it takes.
    fn a_second(&self) -> f64 {
        let taken = AtomicUsize::new(0);
        let start = Instant::now();
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let taken = &taken;
                let agent = http::agent(http::config().build(), &self.trust, SystemResolver::default());
                scope.spawn(move || {
                    while start.elapsed() < TIME {
                        self.put(&agent, writer);
                        taken.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        f64::from(u32::try_from(taken.into_inner()).unwrap()) / start.elapsed().as_secs_f64()
    }

    fn put(&self, agent: &Agent, writer: usize) {
        // Below `echo/`, so that ours probes nothing meanwhile.
        let url = self.bucket.put_object(Some(&self.credentials), &format!("echo/host-{writer}.json")).sign(LIFE);
        let mut answer = agent.put(url.as_str()).send(PULSE).unwrap();
        assert_eq!(answer.status(), 200);
        answer.body_mut().read_to_vec().unwrap();
    }
}

fn bucket(endpoint: &str) -> Bucket {
    Bucket::new(endpoint.parse().unwrap(), UrlStyle::Path, BUCKET, "us-east-1").unwrap()
}

fn main() {
    let ca = Ca::new("bench");
    let [plain, secure, files] = [(); 3].map(|()| TempDir::new().unwrap());
    let mut targets = vec![
        Target::ours("ours, http", plain.path(), None),
        Target::ours("ours, TLS", secure.path(), Some((&ca, files.path()))),
    ];
    targets.extend(std::env::args().skip(1).filter(|word| word.contains('=')).map(|words| Target::other(&words)));
    let mut figures = vec![Vec::new(); targets.len()];
    for _ in 0..ROUNDS {
        for (target, figures) in targets.iter().zip(&mut figures) {
            figures.push(target.client.a_second());
        }
    }
    let median = |figures: &mut Vec<f64>| {
        figures.sort_by(f64::total_cmp);
        figures[ROUNDS / 2]
    };
    let medians: Vec<_> = figures.iter_mut().map(median).collect();
    for (target, a_second) in targets.iter().zip(&medians) {
        let peak = target.server.as_ref().map(|server| format!("; peak {} MiB", server.peak_kib() >> 10));
        println!(
            "{:<12} {a_second:7.0} PUTs a second from {WRITERS} writers: {:.2} of ours over http{}",
            target.name,
            a_second / medians[0],
            peak.unwrap_or_default(),
        );
    }
}

//! What a sweep costs as the fleet grows: time, CPU, the memory of the process that sweeps, and requests.
//!
//! `cargo bench -p pulse-echo-local --bench sweep`, or with other sizes after `--`. The loop's own handler runs in a
//! separate process, as on Lambda: one process for all sweeps of a fleet, which is what Lambda does with a function
//! that is used each minute. It uses the embedded S3 over HTTP, through a proxy that counts, and two channels.

mod front;
mod sweeper;

use std::collections::BTreeMap;
use std::env;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use front::{Front, Requests};
use jiff::Timestamp;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_local::s3::{KeyPair, Options, Server};
use sweeper::{Cost, Sweeper};
use tempfile::TempDir;

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const BUCKET: &str = "bench";
const DAY: i64 = 24 * 3600;

/// How much memory each of a hundred thousand checks may take: 128 MB in all is the target.
const TARGET_KIB: u64 = 128_000_000 / 1024;

fn main() {
    if env::var_os(sweeper::CHILD).is_some() {
        return sweeper::serve();
    }
    let mut sizes: Vec<usize> = env::args().filter_map(|arg| arg.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = SIZES.into();
    }
    println!("{HEAD}");
    let stories: Vec<_> = sizes.iter().map(|&size| (size, story(size))).collect();
    #[allow(clippy::cast_precision_loss)]
    let each = |cost: &Cost, size: usize| cost.cpu_ms as f64 / size as f64;
    if let ([(small, first), ..], [.., (large, last)]) = (&stories[..], &stories[..])
        && small < large
    {
        for (case, cost) in last {
            let ratio = each(cost, *large) / each(&first[case], *small);
            println!("{case}: a check of {large} costs {ratio:.2} times the CPU of one of {small}");
        }
    }
    for (size, costs) in stories {
        let peak = costs.values().map(|cost| cost.peak_kib).max().unwrap_or(0);
        let is = if peak <= TARGET_KIB { "within" } else { "over" };
        println!("{size} checks: {} MB at most, {is} 128 MB", peak * 1024 / 1_000_000);
    }
}

const HEAD: &str =
    "  checks  sweep                  ms   CPU ms  peak MB  LIST     GET  PUT  status kB  posts  largest B  unread";

/// A fleet's life: it appears, stays, goes down, comes back, falls silent, comes back, and vanishes.
fn story(size: usize) -> BTreeMap<&'static str, Cost> {
    let dir = TempDir::new().unwrap();
    let clock = Arc::new(AtomicI64::new(Timestamp::now().as_second()));
    let beginning = clock.load(Ordering::SeqCst);
    let mut options = Options::new(dir.path(), BUCKET, KeyPair::new("AK", "SK"));
    let of_store = clock.clone();
    options.clock = Arc::new(move || Timestamp::from_second(of_store.load(Ordering::SeqCst)).unwrap());
    let server = Server::start(options).unwrap();
    let front = Front::before(server.address());
    let posts = Receiver::start();
    let mut sweeper = Sweeper::start(&front.endpoint(), &posts.url, BUCKET);

    let at = |second: i64| clock.store(beginning + second, Ordering::SeqCst);
    let put = |folder: &str, body: &dyn Fn(usize) -> Vec<u8>, metadata: &Metadata| {
        let object = |n| (format!("{folder}/host-{n:06}.json"), body(n), metadata.clone());
        server.fill((0..size).map(object)).unwrap();
    };
    let pulses = || put("pulse", &|n| format!("{{\"url\": \"https://host-{n:06}/\"}}").into(), &words());
    let echoes = || put("echo", &|_| b"ok".into(), &Metadata::new());
    let faults = |pulse: i64| {
        let pulse_at = Timestamp::from_second(beginning + pulse).unwrap();
        let reason = "status 503, expected 200: the server said that it is overloaded, and when to come again";
        let fault = |n| {
            format!(
                "{{\"reason\":\"{reason}\",\"cause\":\"status\",\"expected\":\"200\",\"got\":\"503\",\"status\":503,\
                 \"pulse_at\":\"{pulse_at}\",\"url\":\"https://host-{n:06}/\"}}"
            )
        };
        put("fault", &|n| fault(n).into(), &Metadata::new());
    };

    let mut costs = BTreeMap::new();
    let mut sweep = |case: &'static str| {
        front.requests.take();
        posts.take();
        let cost = sweeper.sweep(clock.load(Ordering::SeqCst));
        print(size, case, &cost, &front.requests.take(), &posts.take());
        if !case.is_empty() {
            costs.insert(case, cost);
        }
    };
    at(0);
    pulses();
    at(1);
    echoes();
    at(60);
    sweep("all new");
    at(120);
    sweep("nothing changed");
    at(600);
    pulses();
    at(601);
    echoes();
    at(660);
    sweep("newer pulses, written");
    at(1_200);
    pulses();
    at(1_201);
    faults(1_200);
    at(1_260);
    sweep("all failing");
    at(1_800);
    pulses();
    at(1_801);
    echoes();
    at(1_860);
    sweep("all up again");
    for second in (1_920..2_700).step_by(60) {
        at(second);
        sweep("");
    }
    at(2_701);
    sweep("all silent");
    at(2_760);
    sweep("still silent");
    at(2_800);
    pulses();
    at(2_801);
    echoes();
    at(2_820);
    sweep("all back");
    server.clear((0..size).map(|n| format!("pulse/host-{n:06}.json"))).unwrap();
    at(2_880);
    sweep("all missing");
    at(2_940);
    sweep("all vanished");
    at(2_940 + DAY);
    sweep("all gone, a day later");
    costs
}

/// The vitals in a pulse.
fn words() -> Metadata {
    let words = [
        ("pulse-id", "6e1f0a7c43d94b5a8e2f7d1c90b3a645"),
        ("sent-at", "2026-11-21T08:27:27Z"),
        ("agent", "pulse-echo/0.1.0"),
        ("instance", "f1d2d2f924e986ac86fdf7b36c94bcdf"),
        ("uptime-s", "3542400"),
        ("load1", "48.00"),
        ("mem-available-kb", "15804112"),
        ("disk-free-pct", "0"),
    ];
    words.map(|(name, value)| (name.to_string(), value.to_string())).into()
}

fn print(size: usize, case: &str, cost: &Cost, requests: &Requests, posts: &[usize]) {
    if case.is_empty() {
        return;
    }
    let Cost { ms, cpu_ms, peak_kib, unread } = cost;
    let peak = peak_kib * 1024 / 1_000_000;
    let Requests { list, get, put, status } = requests;
    let (status, largest) = (status / 1_000, posts.iter().max().unwrap_or(&0));
    let posts = posts.len();
    println!(
        "{size:>8}  {case:<21} {ms:>6} {cpu_ms:>8} {peak:>8} {list:>5} {get:>7} {put:>4} {status:>10} {posts:>6} \
         {largest:>10} {unread:>7}"
    );
}

/// Receives what both channels send, and notes the size of each message in bytes.
struct Receiver {
    url: String,
    sizes: Arc<Mutex<Vec<usize>>>,
}

impl Receiver {
    fn start() -> Self {
        let server = tiny_http::Server::http("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", server.server_addr());
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let noted = sizes.clone();
        thread::spawn(move || {
            for request in server.incoming_requests() {
                noted.lock().unwrap().push(request.body_length().unwrap());
                request.respond(tiny_http::Response::from_string("ok")).unwrap();
            }
        });
        Self { url, sizes }
    }

    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.sizes.lock().unwrap())
    }
}

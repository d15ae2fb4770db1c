//! What a page of LIST costs over HTTP as the bucket grows, how many PUTs a second are taken, and how long a start
//! takes.
//!
//! `cargo bench -p pulse-echo-local --bench list`

use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo_local::s3::{KeyPair, Options, Server};
use rusty_s3::actions::{ListObjectsV2, S3Action};
use rusty_s3::{Bucket, Credentials, UrlStyle};
use tempfile::TempDir;
use ureq::Agent;

const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
const WRITERS: u32 = 64;
const ROUNDS: u32 = 5;
const LIFE: Duration = Duration::from_secs(300);

fn main() {
    let mut costs = Vec::new();
    for size in SIZES {
        let dir = TempDir::new().unwrap();
        let options = Options::new(dir.path(), "bench", KeyPair::new("key", "secret"));
        let server = Server::start(options.clone()).unwrap();
        let bucket = Bucket::new(server.endpoint().parse().unwrap(), UrlStyle::Path, "bench", "us-east-1").unwrap();
        let credentials = Credentials::new("key", "secret");

        let start = Instant::now();
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (bucket, credentials) = (&bucket, &credentials);
                scope.spawn(move || fill(bucket, credentials, (0..size).filter(move |n| n % WRITERS == writer)));
            }
        });
        let a_second = f64::from(size) / start.elapsed().as_secs_f64();

        let start = Instant::now();
        let pages: u32 = (0..ROUNDS).map(|_| list(&bucket, &credentials, size)).sum();
        let cost = start.elapsed().as_secs_f64() * 1e3 / f64::from(pages);
        println!("{size:>7} keys: {cost:6.2} ms a page of 1,000; filled at {a_second:.0} PUTs a second");
        costs.push(cost);

        server.stop();
        let bytes = std::fs::metadata(dir.path().join("objects.redb")).unwrap().len();
        let start = Instant::now();
        Server::start(options).unwrap();
        println!("         its file of {} MiB is opened again in {:?}", bytes >> 20, start.elapsed());
    }
    println!("a page costs {:.2} times as much in the largest bucket as in the smallest", costs[2] / costs[0]);
}

fn fill(bucket: &Bucket, credentials: &Credentials, numbers: impl Iterator<Item = u32>) {
    let agent = Agent::new_with_defaults();
    for n in numbers {
        let url = bucket.put_object(Some(credentials), &format!("echo/host-{n}.json")).sign(LIFE);
        agent.put(url.as_str()).send(&b"ok"[..]).unwrap();
    }
}

/// Lists everything. Returns how many pages it took.
fn list(bucket: &Bucket, credentials: &Credentials, size: u32) -> u32 {
    let agent = Agent::new_with_defaults();
    let (mut pages, mut found, mut token) = (0, 0, None);
    loop {
        let mut action = ListObjectsV2::new(bucket, Some(credentials));
        if let Some(token) = token {
            action.with_continuation_token(token);
        }
        let url = action.sign_with_time(LIFE, &Timestamp::now());
        let text = agent.get(url.as_str()).call().unwrap().body_mut().read_to_string().unwrap();
        let page = ListObjectsV2::parse_response(&text).unwrap();
        pages += 1;
        found += u32::try_from(page.contents.len()).unwrap();
        token = page.next_continuation_token;
        if token.is_none() {
            assert_eq!(found, size);
            return pages;
        }
    }
}

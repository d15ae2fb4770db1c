//! The server killed at its work, again and again: each answered PUT is there, and each pulse gets its answer.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_testkit::local::{FREE_PORT, Running, pasted, serve};
use pulse_echo_testkit::raw_client::{Client, at_once, next};
use pulse_echo_testkit::store::BUCKET;
use rusty_s3::Credentials;
use tempfile::TempDir;

const WRITERS: usize = 100;
const KILLS: usize = 20;

/// A server, and a client with the operator's pair.
fn start(data: &Path) -> (Running, Client) {
    let mut server = Running::of(&mut serve(data, &[&FREE_PORT[..], &["--bucket", BUCKET]].concat()));
    let endpoint = server.endpoint();
    let keys = fs::read_to_string(data.join("keys")).unwrap();
    let keys = pasted(&keys.lines().filter(|line| line.starts_with("AWS_")).collect::<Vec<_>>().join("\n"));
    let credentials = Credentials::new(&*keys["AWS_ACCESS_KEY_ID"], &*keys["AWS_SECRET_ACCESS_KEY"]);
    let client = Client { credentials, ..Client::at(&endpoint) };
    (server, client)
}

/// The keys below a folder of the bucket, without the folder.
fn below(client: &Client, folder: &str) -> BTreeSet<String> {
    let (mut keys, mut token) = (BTreeSet::new(), None);
    loop {
        let mut parameters = vec![("prefix", folder)];
        parameters.extend(token.as_deref().map(|token| ("continuation-token", token)));
        let page = client.list(&parameters);
        keys.extend(page.contents.iter().map(|object| object.key.replacen(folder, "", 1)));
        match page.next_continuation_token {
            Some(next) => token = Some(next),
            None => return keys,
        }
    }
}

#[test]
fn twenty_kills_under_a_hundred_writers_lose_no_answered_put_and_leave_no_pulse_without_its_answer() {
    let folder = TempDir::new().unwrap();
    let mut answered = BTreeSet::new();
    for round in 0..KILLS {
        let (server, client) = start(folder.path());
        let killed = Arc::new(AtomicBool::new(false));
        let (tell, told) = mpsc::channel();
        let is_killed = killed.clone();
        let writers = thread::spawn(move || {
            at_once(WRITERS, move |writer| {
                // A connection of its own, as each host has.
                let client = Client { agent: Client::at(client.bucket.base_url().as_str()).agent, ..client.clone() };
                let mut answered = Vec::new();
                for n in 0.. {
                    let name = format!("host-{writer}/check-{round}-{n}.json");
                    match client.try_put(&format!("pulse/{name}"), b"{}") {
                        Ok(200) => answered.push(name),
                        Ok(status) => panic!("status {status}"),
                        Err(_) => break,
                    }
                    let _ = tell.send(());
                }
                assert!(is_killed.load(Ordering::SeqCst), "a PUT failed before the kill");
                answered
            })
        });
        (0..WRITERS).for_each(|_| next(&told));
        killed.store(true, Ordering::SeqCst);
        server.signal("-KILL");
        server.end();
        answered.extend(writers.join().unwrap().into_iter().flatten());
    }
    assert!(answered.len() >= KILLS * WRITERS);

    let (_server, client) = start(folder.path());
    let pulses = below(&client, "pulse/");
    let lost: Vec<_> = answered.difference(&pulses).collect();
    assert!(lost.is_empty(), "{} answered PUTs are lost, such as {:?}", lost.len(), lost[0]);
    let (mut silent, mut since) = (usize::MAX, Instant::now());
    while silent > 0 {
        let echoes = below(&client, "echo/");
        // A PUT whose answer was cut off may have been made: then it has its echo, too.
        let now_silent = pulses.difference(&echoes).count();
        if now_silent < silent {
            (silent, since) = (now_silent, Instant::now());
        }
        assert!(since.elapsed() < Duration::from_secs(60), "{silent} of {} pulses get no answer", pulses.len());
        thread::sleep(Duration::from_millis(100));
    }
}

//! Answered changes survive whatever happens to the process. A file that is not a store is left alone.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use pulse_echo_local::events::{self, Dispatcher};
use pulse_echo_local::s3::{KeyPair, Options, Server};
use pulse_echo_testkit::raw_client::{Client, KEY, SECRET, at_once, next, options, server};
use pulse_echo_testkit::store::BUCKET;
use redb::{Database, ReadableDatabase, TableDefinition};
use tempfile::TempDir;

/// The folder that a child process serves.
const CHILD_DIR: &str = "PULSE_ECHO_TEST_CHILD_DIR";

fn start(dir: &Path) -> std::io::Result<Server> {
    Server::start(Options::new(dir, BUCKET, KeyPair::new(KEY, SECRET)))
}

#[test]
#[ignore = "this is the child process of another test"]
fn child_server() {
    let server = start(Path::new(&env::var(CHILD_DIR).unwrap())).unwrap();
    println!("\nendpoint {}", server.endpoint());
    loop {
        thread::park();
    }
}

/// This test program again, as a server that can be killed, and its endpoint.
fn child(dir: &Path) -> (std::process::Child, String) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "child_server", "--ignored", "--nocapture"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let endpoint = lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("endpoint ")?.to_owned()));
    (child, endpoint.expect("the child did not start"))
}

#[test]
fn a_restart_keeps_everything() {
    let (server, dir) = server();
    let client = Client::of(&server);
    let put = client.put_with("pulse/a", b"{}", &[("x-amz-meta-a", "1"), ("content-type", "text/x")]);
    let modified = client.get("pulse/a").header("last-modified").to_owned();
    client.put("gone", b"");
    client.delete_with("gone", &[]);
    server.stop();

    let server = Server::start(options(&dir)).unwrap();
    let client = Client::of(&server);
    let get = client.get("pulse/a");
    assert_eq!((get.text().as_str(), get.header("etag")), ("{}", put.header("etag")));
    assert_eq!((get.header("x-amz-meta-a"), get.header("content-type")), ("1", "text/x"));
    assert_eq!(get.header("last-modified"), modified);
    assert_eq!(client.list(&[]).contents.len(), 1);
}

#[test]
fn a_killed_server_has_lost_no_answered_put_and_no_event() {
    for round in 0..3 {
        let dir = TempDir::new().unwrap();
        let (mut process, endpoint) = child(dir.path());
        let killed = Arc::new(AtomicBool::new(false));
        let is_killed = killed.clone();
        let (tell, told) = mpsc::channel();
        let writers = thread::spawn(move || {
            at_once(8, move |i| {
                let client = Client::at(&endpoint);
                let mut answered = Vec::new();
                for n in 0.. {
                    let (key, body) = (format!("pulse/{i}/{n}"), format!("{round} {i} {n}").repeat(1 + n % 700));
                    match client.try_put(&key, body.as_bytes()) {
                        Ok(200) => answered.push((key, body)),
                        Ok(status) => panic!("status {status}"),
                        Err(_) => break,
                    }
                    let _ = tell.send(());
                }
                assert!(is_killed.load(Ordering::SeqCst), "a PUT failed before the kill");
                answered
            })
        });
        (0..300).for_each(|_| next(&told));
        killed.store(true, Ordering::SeqCst);
        // SIGKILL.
        process.kill().unwrap();
        process.wait().unwrap();
        let answered: Vec<_> = writers.join().unwrap().into_iter().flatten().collect();
        assert!(answered.len() >= 300);

        let server = start(dir.path()).unwrap();
        let client = Client::of(&server);
        for (key, body) in &answered {
            assert!(client.get(key).body == body.as_bytes(), "{key} is lost");
        }
        let (tell, told) = mpsc::channel();
        let _dispatcher = Dispatcher::start(&server, events::Options::default(), move |_, event, _| {
            let key = event["Records"][0]["s3"]["object"]["key"].as_str().unwrap().to_owned();
            tell.send(key).map_err(|e| e.to_string().into())
        });
        let mut untold: BTreeSet<_> = answered.into_iter().map(|(key, _)| key).collect();
        while !untold.is_empty() {
            untold.remove(&next(&told));
        }
    }
}

#[test]
fn a_second_server_on_the_same_directory_is_told_so() {
    let dir = TempDir::new().unwrap();
    let (mut process, _) = child(dir.path());
    let error = start(dir.path()).err().unwrap().to_string();
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(error.ends_with("objects.redb is in use by another process"), "{error}");
    assert!(start(dir.path()).is_ok());
}

#[test]
fn what_is_no_store_is_an_error_and_stays_as_it_is() {
    let (server, dir) = server();
    let client = Client::of(&server);
    (0..50).for_each(|n| assert_eq!(client.put(&format!("k{n}"), &[7; 3000]).status, 200));
    server.stop();
    let good = fs::read(dir.path().join("objects.redb")).unwrap();
    let noise: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut overwritten = good.clone();
    overwritten[..4096].copy_from_slice(&noise[..4096]);
    let half = good[..good.len() / 2].to_vec();
    let mut flipped = good;
    let body = flipped.windows(100).position(|bytes| bytes == [7; 100]).unwrap();
    flipped[body] = 8;
    let cases = [
        ("text", b"hello\n".to_vec()),
        ("noise", noise),
        ("overwritten", overwritten),
        ("half", half),
        ("flipped", flipped),
        ("nothing", Vec::new()),
    ];
    for (name, content) in cases {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("objects.redb");
        fs::write(&path, &content).unwrap();
        let error = start(dir.path()).err().unwrap_or_else(|| panic!("{name} was taken for a store")).to_string();
        assert!(error.starts_with("cannot open the object store ") && error.lines().count() == 1, "{name}: {error}");
        let lost =
            if name == "nothing" { "it is empty, so its content is lost" } else { "it is damaged, or no object store" };
        let remedy = "put a copy of it back, or move it away to begin with an empty store; the keys beside it stay";
        assert!(error.ends_with(&format!("/objects.redb: {lost}: {remedy}")), "{name}: {error}");
        // redb may note in the first page that the file needs a repair. That must not let it in the second time.
        let data = |bytes: &[u8]| bytes.get(4096..).map(<[u8]>::to_vec);
        assert!(data(&fs::read(&path).unwrap()) == data(&content), "{name} was changed");
        assert!(start(dir.path()).is_err(), "{name} was taken for a store the second time");
    }
}

#[test]
fn a_redb_file_of_another_program_is_not_taken_over() {
    const THEIRS: TableDefinition<'_, u64, u64> = TableDefinition::new("theirs");
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("objects.redb");
    let db = Database::create(&path).unwrap();
    let write = db.begin_write().unwrap();
    write.open_table(THEIRS).unwrap().insert(1, 2).unwrap();
    write.commit().unwrap();
    drop(db);
    let error = start(dir.path()).err().unwrap().to_string();
    assert!(error.ends_with("it is a redb file, but no object store"), "{error}");
    let tables: Vec<_> = Database::open(&path).unwrap().begin_read().unwrap().list_tables().unwrap().collect();
    assert_eq!(tables.len(), 1);
}

#[test]
fn a_stopped_server_finishes_what_it_has_begun() {
    let (server, dir) = server();
    let client = Client::of(&server);
    let (tell, told) = mpsc::channel();
    let writers = thread::spawn(move || {
        at_once(4, move |i| {
            let mut answered = 0;
            while client.try_put(&format!("{i}/{answered}"), &vec![1; 100_000]).is_ok_and(|status| status == 200) {
                answered += 1;
                let _ = tell.send(());
            }
            answered
        })
    });
    (0..20).for_each(|_| next(&told));
    server.stop();
    let answered: usize = writers.join().unwrap().iter().sum();
    let server = Server::start(options(&dir)).unwrap();
    let there = Client::of(&server).list(&[]).contents.len();
    // No PUT was interrupted between its transaction and its answer.
    assert_eq!(there, answered);
}

#[test]
fn of_two_first_starts_in_one_folder_one_has_the_store_and_the_other_says_so() {
    for _ in 0..10 {
        let dir = TempDir::new().unwrap();
        let (options, start) = (options(&dir), Arc::new(Barrier::new(2)));
        let mut servers = at_once(2, move |_| {
            start.wait();
            Server::start(options.clone()).map_err(|error| error.to_string())
        });
        let refused: Vec<_> = servers.extract_if(.., |server| server.is_err()).collect();
        let why = refused.into_iter().next().unwrap().err().unwrap();
        assert!(why.contains("is in use by another process"), "{why}");
        let server = servers.pop().unwrap().unwrap();
        assert_eq!(Client::of(&server).put("k", b"1").status, 200);
        server.stop();
        let files: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["objects.redb"]);
    }
}

//! One host's slow URLs are nobody else's trouble.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::Condition;
use pulse_echo_local::events::{Dispatcher, Lane, Options, Trouble};
use pulse_echo_local::s3::Server;
use pulse_echo_testkit::local::{FREE_PORT, Running, operators_store, serve};
use pulse_echo_testkit::raw_client::{Client, next, options, server};
use pulse_echo_testkit::store::id;

/// A pulse whose URL somebody fetches.
const FETCHES: &[u8] = br#"{"url": "https://example.com/"}"#;

#[test]
fn a_host_has_eight_handlers_at_most_and_what_fetches_nothing_has_its_own() {
    let (server, _dir) = server();
    let (sender, told) = mpsc::channel();
    let (release, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let busy = Arc::new(AtomicUsize::new(0));
    let count = busy.clone();
    let few = Options { concurrency: 16, ..Options::default() };
    let _dispatcher = Dispatcher::start(&server, few, move |_, event, _| {
        let key = event["Records"][0]["s3"]["object"]["key"].as_str().unwrap().to_owned();
        if key.starts_with("pulse/busy/") {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = wait.lock().unwrap().recv();
        }
        sender.send(key).map_err(|error| error.to_string().into())
    });
    let client = Client::of(&server);
    (0..100).for_each(|n| assert_eq!(client.put(&format!("pulse/busy/{n}.json"), FETCHES).status, 200));
    for (key, body) in [
        ("pulse/other.json", FETCHES),
        ("pulse/busy.json", &b"{}"[..]),
        ("pulse/other/job.json", b"not JSON"),
        ("loop/Update.lambda", b""),
    ] {
        client.put(key, body);
        assert_eq!(next(&told), key);
    }
    assert_eq!(busy.load(Ordering::SeqCst), 8);
    drop(release);
    (0..100).for_each(|_| assert!(next(&told).starts_with("pulse/busy/")));
}

#[test]
fn a_pulse_waits_in_the_lane_of_what_was_put_and_is_given_back_if_it_has_a_url_by_now() {
    let (server, _dir) = server();
    let (sender, told) = mpsc::channel();
    let _dispatcher = Dispatcher::start(&server, Options::default(), move |lane, event, _| {
        let key = event["Records"][0]["s3"]["object"]["key"].as_str().unwrap().to_owned();
        let is_given_back = lane == Lane::Arrival && key == "pulse/changed.json";
        sender.send((lane, key)).unwrap();
        if is_given_back { Err(Trouble::HasUrl) } else { Ok(()) }
    });
    let client = Client::of(&server);
    let long = [FETCHES, &b" ".repeat(64 << 10)].concat();
    for (key, body, lanes) in [
        ("pulse/a.json", FETCHES, &[Lane::Fetch][..]),
        ("pulse/a.json", b"{}", &[Lane::Arrival]),
        ("pulse/a.json", &long, &[Lane::Arrival]),
        ("loop/Update.lambda", FETCHES, &[Lane::Loop]),
        ("pulse/changed.json", b"{}", &[Lane::Arrival, Lane::Fetch]),
    ] {
        assert_eq!(client.put(key, body).status, 200);
        for lane in lanes {
            assert_eq!(next(&told), (*lane, key.to_owned()));
        }
    }
}

#[test]
fn of_one_key_only_the_newest_event_waits() {
    let (server, dir) = server();
    let (sender, told) = mpsc::channel();
    let (release, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let one = Options { concurrency: 1, ..Options::default() };
    let dispatcher = Dispatcher::start(&server, one, move |_, event, _| {
        let object = &event["Records"][0]["s3"]["object"];
        sender.send((object["key"].as_str().unwrap().to_owned(), object["size"].as_u64().unwrap())).unwrap();
        let _ = wait.lock().unwrap().recv();
        Ok(())
    });
    let client = Client::of(&server);
    client.put("pulse/first.json", b"{}");
    assert_eq!(next(&told), ("pulse/first.json".to_owned(), 2));
    for n in 0..20 {
        assert_eq!(client.put("pulse/same.json", format!("{{{}}}", " ".repeat(n)).as_bytes()).status, 200);
    }
    client.put("pulse/last.json", b"{}");
    drop(release);
    assert_eq!(next(&told), ("pulse/same.json".to_owned(), 21));
    assert_eq!(next(&told), ("pulse/last.json".to_owned(), 2));
    // None of the others comes later.
    dispatcher.unwrap().stop();
    server.stop();
    let server = Server::start(options(&dir)).unwrap();
    let (sender, told) = mpsc::channel();
    let _dispatcher = Dispatcher::start(&server, Options::default(), move |_, event, _| {
        let key = event["Records"][0]["s3"]["object"]["key"].as_str().unwrap().to_owned();
        sender.send(key).map_err(|error| error.to_string().into())
    });
    Client::of(&server).put("pulse/next.json", b"{}");
    assert_eq!(next(&told), "pulse/next.json");
}

#[test]
fn a_host_is_answered_while_256_pulses_of_another_wait_for_a_dead_server() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::of(&mut serve(folder.path(), &FREE_PORT));
    let endpoint = server.endpoint();
    let store = operators_store(&endpoint, folder.path());
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let living = TcpListener::bind("127.0.0.1:0").unwrap();
    let put = |id: &str, listener: &TcpListener| {
        let pulse = format!("{{\"url\": \"http://{}/\", \"timeout_s\": 60}}", listener.local_addr().unwrap());
        let id = pulse_echo_testkit::store::id(id);
        store.put(&Key::pulse(&id), "", pulse.as_bytes(), &Metadata::new(), &Condition::Always).unwrap();
    };
    (0..256).for_each(|n| put(&format!("slow/{n}"), &dead));
    put("quick", &living);
    thread::spawn(move || {
        let (mut stream, _) = living.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    });
    // Each of the slow ones is given up after a minute. None is before the other host's echo is there.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while store.get(&Key::echo(&id("quick")), 10).is_err() {
        assert!(std::time::Instant::now() < until, "no echo");
        thread::sleep(std::time::Duration::from_millis(10));
    }
    let faults: Vec<_> = (0..256).filter(|n| store.get(&Key::fault(&id(&format!("slow/{n}"))), 10).is_ok()).collect();
    assert_eq!(faults, [] as [usize; 0]);
    server.signal("-KILL");
    server.end();
}

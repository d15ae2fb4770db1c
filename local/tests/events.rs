//! The dispatcher delivers an event for each new object, as S3 and Lambda would.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_local::events::{Dispatcher, Options};
use pulse_echo_local::s3::Server;
use pulse_echo_testkit::raw_client::{Client, HandClock, at_once, next, options, server};
use pulse_echo_testkit::store::BUCKET;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Retries at once, for tests that fail on purpose.
fn hasty() -> Options {
    Options { retries: vec![Duration::from_millis(10), Duration::from_millis(20)], ..Options::default() }
}

/// A dispatcher that passes on the events that it gets.
fn listen(server: &Server) -> (Dispatcher, mpsc::Receiver<(Value, Instant)>) {
    let (sender, receiver) = mpsc::channel();
    let dispatcher = Dispatcher::start(server, Options::default(), move |_, event, deadline| {
        sender.send((event, deadline)).map_err(|e| e.to_string().into())
    });
    (dispatcher.unwrap(), receiver)
}

fn key_of(event: &Value) -> String {
    event["Records"][0]["s3"]["object"]["key"].as_str().unwrap().to_owned()
}

#[test]
fn an_event_is_what_s3_sends() {
    let dir = TempDir::new().unwrap();
    let hands = HandClock::at("2026-11-21T08:09:10.123456Z");
    let mut options = options(&dir);
    options.clock = hands.clock();
    options.region = "us-east-1".to_owned();
    let server = Server::start(options).unwrap();
    let (_dispatcher, events) = listen(&server);
    let client = Client { clock: hands.clock(), ..Client::of(&server) };
    let put = client.put("pulse/a b+c/é&=~*.json", b"{}");
    let (event, _) = next(&events);
    let id = put.header("x-amz-request-id");
    assert_eq!(
        event,
        json!({ "Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-east-1",
            "eventTime": "2026-11-21T08:09:10.123Z",
            "eventName": "ObjectCreated:Put",
            "userIdentity": { "principalId": "AWS:local" },
            "requestParameters": { "sourceIPAddress": "127.0.0.1" },
            "responseElements": { "x-amz-request-id": id, "x-amz-id-2": id },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "probe",
                "bucket": {
                    "name": BUCKET,
                    "ownerIdentity": { "principalId": "local" },
                    "arn": "arn:aws:s3:::pulses",
                },
                "object": {
                    "key": "pulse/a+b%2Bc/%C3%A9%26%3D%7E*.json",
                    "size": 2,
                    "eTag": "99914b932bd37a50b983c5e7c90ae93b",
                    "sequencer": "000000000000000001",
                },
            },
        }] })
    );
}

#[test]
fn only_pulses_and_control_files_are_told_of_each_with_its_time_limit() {
    let (server, _dir) = server();
    let (_dispatcher, events) = listen(&server);
    let client = Client::of(&server);
    for key in ["echo/a", "pulse/a", "loop/Update.json", "loop/Start.lambda", "pulses", "x/loop/Stop.lambda"] {
        assert_eq!(client.put(key, b"").status, 200);
    }
    assert_eq!(client.put_with("pulse/a", b"", &[("if-none-match", "*")]).status, 412);
    client.delete_with("pulse/a", &[]);
    client.put("pulse/last", b"");
    let mut told = Vec::new();
    while told.last().is_none_or(|(key, _)| key != "pulse/last") {
        let (event, deadline) = next(&events);
        told.push((key_of(&event), (deadline - Instant::now()).as_secs_f64().round()));
    }
    told.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [("loop/Start.lambda", 60.0), ("pulse/a", 90.0), ("pulse/last", 90.0)];
    assert_eq!(told, expected.map(|(key, seconds)| (key.to_owned(), seconds)));
}

#[test]
fn a_handler_may_ask_the_very_server_that_told_it() {
    let (server, _dir) = server();
    let (sender, seen) = mpsc::channel();
    let client = Client::of(&server);
    let reader = Mutex::new(client.clone());
    let _dispatcher = Dispatcher::start(&server, Options::default(), move |_, event, _| {
        let client = reader.lock().unwrap().clone();
        client.put(&key_of(&event).replacen("pulse", "echo", 1), client.get(&key_of(&event)).text().as_bytes());
        sender.send(client.get("echo/a").text()).map_err(|e| e.to_string().into())
    });
    client.put("pulse/a", b"hello");
    assert_eq!(next(&seen), "hello");
}

#[test]
fn an_event_from_before_a_restart_is_told_of_after_it() {
    let (server, dir) = server();
    let client = Client::of(&server);
    client.put("pulse/early", b"");
    server.stop();
    let server = Server::start(options(&dir)).unwrap();
    let (dispatcher, events) = listen(&server);
    assert_eq!(key_of(&next(&events).0), "pulse/early");
    dispatcher.stop();
    server.stop();

    // It was dealt with, so it does not come again: the next event is the first.
    let server = Server::start(options(&dir)).unwrap();
    let (_dispatcher, events) = listen(&server);
    Client::of(&server).put("pulse/next", b"");
    assert_eq!(key_of(&next(&events).0), "pulse/next");
}

#[test]
fn an_event_whose_handler_did_not_finish_comes_again() {
    let (server, dir) = server();
    let (sender, started) = mpsc::channel();
    let options_now = Options { stop_grace: Duration::from_millis(50), ..Options::default() };
    let dispatcher = Dispatcher::start(&server, options_now, move |_, event, _| {
        sender.send(key_of(&event)).unwrap();
        thread::sleep(Duration::from_secs(3600));
        Ok(())
    });
    Client::of(&server).put("pulse/long", b"");
    assert_eq!(next(&started), "pulse/long");
    let before = Instant::now();
    dispatcher.unwrap().stop();
    assert!(before.elapsed() < Duration::from_secs(60), "it is not waited for");
    server.stop();
    let server = Server::start(options(&dir)).unwrap();
    let (_dispatcher, events) = listen(&server);
    assert_eq!(key_of(&next(&events).0), "pulse/long");
}

#[test]
fn stopping_waits_for_the_handlers_under_way() {
    let (server, _dir) = server();
    let (sender, started) = mpsc::channel();
    let finished = Arc::new(AtomicUsize::new(0));
    let count = finished.clone();
    let dispatcher = Dispatcher::start(&server, Options::default(), move |_, _, _| {
        sender.send(()).unwrap();
        thread::sleep(Duration::from_millis(300));
        count.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    Client::of(&server).put("pulse/a", b"");
    next(&started);
    dispatcher.unwrap().stop();
    assert_eq!(finished.load(Ordering::SeqCst), 1);
}

#[test]
fn a_failed_event_is_tried_three_times_and_then_dropped() {
    let (server, dir) = server();
    let (sender, tries) = mpsc::channel();
    let dispatcher = Dispatcher::start(&server, hasty(), move |_, event, _| {
        sender.send((key_of(&event), Instant::now())).unwrap();
        if key_of(&event) == "pulse/panics" { panic!("on purpose") } else { Err("on purpose".to_owned().into()) }
    })
    .unwrap();
    let client = Client::of(&server);
    for key in ["pulse/fails", "pulse/panics"] {
        client.put(key, b"");
        let times: Vec<_> = (0..3).map(|_| next(&tries)).collect();
        assert!(times.iter().all(|(told, _)| told == key), "{times:?}");
        assert!(times[1].1 - times[0].1 >= Duration::from_millis(10));
        assert!(times[2].1 - times[1].1 >= Duration::from_millis(20));
    }
    dispatcher.stop();
    assert!(tries.try_recv().is_err());
    server.stop();
    let server = Server::start(options(&dir)).unwrap();
    let (_dispatcher, events) = listen(&server);
    Client::of(&server).put("pulse/next", b"");
    assert_eq!(key_of(&next(&events).0), "pulse/next");
}

#[test]
fn a_retry_that_waits_holds_up_nothing_else() {
    let (server, _dir) = server();
    let (sender, told) = mpsc::channel();
    let slow = Options { retries: vec![Duration::from_secs(3600)], concurrency: 1, ..Options::default() };
    let _dispatcher = Dispatcher::start(&server, slow, move |_, event, _| {
        sender.send(key_of(&event)).unwrap();
        if key_of(&event) == "pulse/bad" { Err("on purpose".to_owned().into()) } else { Ok(()) }
    });
    let client = Client::of(&server);
    for key in ["pulse/bad", "pulse/good", "loop/Start.lambda"] {
        client.put(key, b"");
        assert_eq!(next(&told), key);
    }
}

#[test]
fn as_many_handlers_run_at_once_as_may_and_every_key_is_told_of() {
    let (server, _dir) = server();
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (sender, told) = mpsc::channel();
    let (now, high) = (running.clone(), most.clone());
    let five = Options { concurrency: 5, ..Options::default() };
    let _dispatcher = Dispatcher::start(&server, five, move |_, event, _| {
        high.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(20));
        now.fetch_sub(1, Ordering::SeqCst);
        let sequencer = event["Records"][0]["s3"]["object"]["sequencer"].as_str().unwrap().to_owned();
        sender.send(sequencer).map_err(|e| e.to_string().into())
    });
    let client = Client::of(&server);
    at_once(10, move |host| {
        (0..10).for_each(|n| assert_eq!(client.put(&format!("pulse/{host}/{n}.json"), b"").status, 200));
    });
    let mut sequencers: Vec<_> = (0..100).map(|_| next(&told)).collect();
    sequencers.sort();
    sequencers.dedup();
    assert_eq!((sequencers.len(), most.load(Ordering::SeqCst)), (100, 5));
}

//! What the functions answer to each kind of event, and in time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::{Clock, Condition};
use pulse_echo_testkit::gate::Gate;
use pulse_echo_testkit::runtime::{Invocation, Lambda};
use pulse_echo_testkit::world::{Service, World, event};
use serde_json::{Value, json};

use crate::{batch, start, start_with};

/// The event of a rule with a schedule, and that of Scheduler, as AWS documents them.
const SCHEDULES: [&str; 2] = [
    r#"{"version":"0","id":"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa","detail-type":"Scheduled Event",
        "source":"aws.events","account":"123456789012","time":"2015-10-08T16:53:06Z","region":"us-east-1",
        "resources":["arn:aws:events:us-east-1:123456789012:rule/my-scheduled-rule"],"detail":{}}"#,
    r#"{"version":"0","id":"37666ae6-48cf-4285-b4c6-a3320b38824a","detail-type":"Scheduled Event",
        "source":"aws.scheduler","account":"123456789012","time":"2024-06-13T12:30:00Z","region":"us-east-2",
        "resources":["arn:aws:scheduler:us-east-2:123456789012:schedule/default/loop"],"detail":"{}"}"#,
];

fn note(message: &str) -> Value {
    json!({"Records": [{"EventVersion": "1.0", "EventSource": "aws:sns", "Sns": {
        "Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:123456789012:pulses", "Message": message,
    }}]})
}

fn envelope(message: &str) -> String {
    note(message)["Records"][0]["Sns"].to_string()
}

/// The course that an answer tells.
fn course((kind, body): &(String, Value)) -> &str {
    assert_eq!(kind, "response", "{body}");
    body["course"].as_str().unwrap()
}

#[test]
fn an_event_comes_in_and_its_echo_is_in_the_store() {
    for handler in ["probe", "index.checkEcho"] {
        let (lambda, world, service) = (Lambda::new(), World::new(), Service::new());
        let running = start(&lambda, &world, handler);
        world.put("pulse/web-1.json", &service.pulse("\"body\": \"ok\""), &[]);
        world.put("pulse/web-2.json", &service.pulse("\"body\": \"\\u001b[2J\""), &[]);

        let (kind, body) = lambda.invoke(event(&["pulse/web-1.json", "pulse/web-2.json", "pulse/%0A"]));
        assert_eq!(kind, "response");
        assert_eq!(body["echoes"], json!(["web-1"]));
        assert_eq!((&body["faults"][0]["id"], &body["faults"][0]["cause"]), (&json!("web-2"), &json!("body")));
        assert_eq!((&body["missing"], &body["skipped"]), (&json!([]), &json!(1)));
        assert_eq!(body.get("batchItemFailures"), None, "that is for queues");
        assert!(world.echo("web-1").is_some() && world.fault("web-2").is_some());

        let log = running.log();
        assert_eq!(log.lines().count(), 2, "a good echo is worth no line: {log}");
        assert!(log.contains("web-2: fault, body: body differs at byte 0"), "{log}");
        assert!(log.contains("skipped the key pulse/%0A: ") && !log.contains('\u{1b}'), "{log}");
    }
}

#[test]
fn a_pulse_comes_over_a_topic_a_queue_and_a_topic_in_a_queue() {
    let (lambda, world, service) = (Lambda::new(), World::new(), Service::new());
    let _running = start(&lambda, &world, "probe");
    let came = event(&["pulse/web-1.json"]).to_string();
    world.put("pulse/web-1.json", &service.pulse("\"body\": \"ok\""), &[]);
    for event in [note(&came), batch(std::slice::from_ref(&came)), batch(&[envelope(&came)])] {
        let (kind, body) = lambda.invoke(event.clone());
        assert_eq!((kind.as_str(), &body["echoes"]), ("response", &json!(["web-1"])), "{event}");
    }
    // What is no pulse fails: the note as a whole, the message alone.
    let (kind, body) = lambda.invoke(note("hello"));
    assert_eq!((kind.as_str(), &body["errorType"]), ("error", &json!("UnexpectedEvent")));
    let (kind, body) = lambda.invoke(batch(&["hello".into(), came]));
    assert_eq!((kind.as_str(), &body["echoes"]), ("response", &json!(["web-1"])));
    assert_eq!(body["batchItemFailures"], json!([{"itemIdentifier": "m-0"}]));
}

#[test]
fn what_fails_is_an_error_with_its_type_and_the_next_event_is_taken() {
    let (lambda, world) = (Lambda::new(), World::new());
    let running = start(&lambda, &world, "probe");
    let (kind, body) = lambda.invoke(json!({"key1": "value1"}));
    assert_eq!((kind.as_str(), &body["errorType"]), ("error", &json!("UnexpectedEvent")));
    assert!(body["errorMessage"].as_str().unwrap().ends_with("but what came is an object with \"key1\""), "{body}");

    let mut foreign = event(&["pulse/web-1.json"]);
    foreign["Records"][0]["s3"]["bucket"]["name"] = json!("others");
    let (kind, body) = lambda.invoke(foreign);
    assert_eq!((kind.as_str(), &body["errorType"]), ("error", &json!("BucketMismatch")));

    let (kind, _) = lambda.invoke(json!({"Event": "s3:TestEvent", "Bucket": "pulses"}));
    assert_eq!(kind, "response");
    let log = running.log();
    let words: Vec<_> = log.lines().map(|line| line.split(": ").nth(2).unwrap()).collect();
    assert_eq!(words, ["UnexpectedEvent", "BucketMismatch"], "one line each: {log}");
}

#[test]
fn each_kind_of_event_has_the_loop_look() {
    let (lambda, world) = (Lambda::new(), World::new());
    let _running = start_with(&lambda, &world, "checkResult", &[("MIN_INTERVAL_S", "0")]);
    for schedule in SCHEDULES {
        assert_eq!(course(&lambda.invoke(serde_json::from_str(schedule).unwrap())), "swept");
    }
    let update = event(&["loop/Update.lambda"]);
    for event in [
        update.clone(),
        note("hello"),
        note(&update.to_string()),
        batch(&["hello".into()]),
        batch(&[envelope("hello")]),
        json!({"key1": "value1"}),
    ] {
        assert_eq!(course(&lambda.invoke(event.clone())), "swept", "{event}");
    }
    for event in [event(&["loop/Update.json"]), json!({"Event": "s3:TestEvent"})] {
        assert_eq!(course(&lambda.invoke(event.clone())), "nothing", "{event}");
    }
    let mut removed = update;
    removed["Records"][0]["eventName"] = json!("ObjectRemoved:Delete");
    assert_eq!(course(&lambda.invoke(removed)), "nothing");
    for foreign in [json!({"Records": [{"eventSource": "aws:kinesis"}]}), json!({"source": "aws.s3"})] {
        let (kind, body) = lambda.invoke(foreign);
        assert_eq!((kind.as_str(), &body["errorType"]), ("error", &json!("UnexpectedEvent")));
    }
}

#[test]
fn of_ten_messages_the_torn_tick_fails_alone_and_the_rest_is_one_look() {
    let (lambda, world) = (Lambda::new(), World::new());
    let _running = start(&lambda, &world, "loop");
    let mut bodies = vec!["hello".to_string(); 10];
    bodies[4] = "{\"tick\": \"seven\", \"version\": 1}".into();
    let (kind, body) = lambda.invoke(batch(&bodies));
    assert_eq!((kind.as_str(), &body["course"]), ("response", &json!("swept")));
    assert_eq!(body["batchItemFailures"], json!([{"itemIdentifier": "m-4"}]));
    let (_, body) = lambda.invoke(batch(&["hello".into()]));
    assert_eq!((&body["course"], &body["batchItemFailures"]), (&json!("too-soon"), &json!([])));
    let mut nameless = batch(&bodies);
    nameless["Records"][4]["messageId"] = json!(null);
    let (kind, body) = lambda.invoke(nameless);
    assert_eq!((kind.as_str(), &body["errorType"]), ("error", &json!("UnexpectedEvent")), "{body}");
}

#[test]
fn with_300_ms_left_both_end_by_themselves_and_say_so() {
    let (world, service) = (World::new(), Service::new());
    world.put("pulse/web-1.json", &service.pulse_to_hold(), &[]);
    let schedule = || serde_json::from_str(SCHEDULES[1]).unwrap();
    for (handler, event) in [("probe", event(&["pulse/web-1.json"])), ("loop", schedule())] {
        let lambda = Lambda::new();
        let _running = start(&lambda, &world, handler);
        // It has started, and its time does not begin before.
        lambda.invoke(json!({"Event": "s3:TestEvent"}));
        let begun = Instant::now();
        let (kind, body) = lambda.give(Invocation { time: Duration::from_millis(300), ..Invocation::new(event) });
        assert!(begun.elapsed() < Duration::from_millis(300), "{handler}: {:?}", begun.elapsed());
        assert_eq!((kind.as_str(), &body["errorType"]), ("error", &json!("OutOfTime")), "{handler}");
        assert!(body["errorMessage"].as_str().unwrap().contains("give the function more time"), "{body}");
    }
}

#[test]
fn a_service_that_hangs_costs_the_probe_no_more_than_its_time() {
    let (lambda, world, service) = (Lambda::new(), World::new(), Service::new());
    let _running = start(&lambda, &world, "probe");
    world.put("pulse/web-1.json", &service.pulse_to_hold(), &[]);
    let invocation = Invocation { time: Duration::from_secs(6), ..Invocation::new(event(&["pulse/web-1.json"])) };
    let begun = Instant::now();
    let (kind, body) = lambda.give(invocation);
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    assert_eq!((kind.as_str(), &body["errorType"]), ("error", &json!("OutOfTime")));
}

#[test]
fn lambdas_own_retry_has_the_same_id_and_is_another_invocation() {
    let minutes = Arc::new(AtomicU64::new(0));
    let (began, passed) = (Timestamp::now(), minutes.clone());
    let clock: Clock = Arc::new(move || began + Duration::from_secs(60 * passed.load(Ordering::SeqCst)));
    let (lambda, world) = (Lambda::new(), World::with_clock(clock));
    let _running = start(&lambda, &world, "loop");
    let mut writes = BTreeSet::new();
    for minute in 0..3 {
        minutes.store(minute, Ordering::SeqCst);
        let invocation = Invocation { id: "the-same".into(), ..Invocation::new(json!({})) };
        assert_eq!(course(&lambda.give(invocation)), "swept");
        let mark = world.store.get(&Key::mark(), 1 << 16).unwrap().body.unwrap();
        writes.extend(Mark::from_json(&mark).unwrap().by);
    }
    assert_eq!(writes.len(), 3, "each write has a name of its own, by which a lost answer is told: {writes:?}");
}

#[test]
fn while_the_loop_is_stopped_neither_the_stop_nor_a_schedule_sweeps() {
    let (lambda, world) = (Lambda::new(), World::new());
    let _running = start_with(&lambda, &world, "loop", &[("MIN_INTERVAL_S", "0")]);
    let put = |key: &Key| {
        world.store.put(key, "text/plain", b"", &Metadata::new(), &Condition::Always).unwrap();
    };
    put(&Key::loop_stop());
    assert_eq!(course(&lambda.invoke(event(&["loop/Stop.lambda"]))), "stopped");
    assert_eq!(course(&lambda.invoke(serde_json::from_str(SCHEDULES[0]).unwrap())), "stopped");
}

#[test]
fn the_stores_connection_is_closed_between_two_events_and_no_try_is_lost() {
    let (lambda, world, service) = (Lambda::new(), World::new(), Service::new());
    let gate = Gate::to(world.s3.address());
    world.put("pulse/web-1.json", &service.pulse("\"body\": \"ok\""), &[]);
    let more = [("AWS_ENDPOINT_URL", gate.endpoint()), ("AWS_LAMBDA_LOG_LEVEL", "DEBUG".into())];
    let more: Vec<_> = more.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let running = start_with(&lambda, &world, "probe", &more);
    for connections in 1..=2 {
        let (kind, body) = lambda.invoke(event(&["pulse/web-1.json"]));
        assert_eq!((kind.as_str(), &body["echoes"]), ("response", &json!(["web-1"])), "{body}");
        assert_eq!(gate.connections(), connections);
        gate.close();
    }
    let log = running.log();
    assert!(log.matches("web-1: echo, ").count() == 2 && !log.contains("trying again"), "{log}");
}

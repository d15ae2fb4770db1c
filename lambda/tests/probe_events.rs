//! The probe from one event to the next: batches of a queue, and connections that were idle between two events.

use std::io::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use pulse_echo_lambda::error::{Error, Kind};
use pulse_echo_lambda::probe::{Probe, Summary};
use pulse_echo_testkit::gate::Gate;
use pulse_echo_testkit::server::{Server, answer, read_head};
use pulse_echo_testkit::world::{Service, World, event};
use serde_json::{Value, json};

fn handle(probe: &Probe, event: &Value) -> Result<Summary, Error> {
    probe.handle(event, Instant::now() + Duration::from_secs(90))
}

#[test]
fn connections_that_were_idle_by_the_clock_on_the_wall_are_not_used_again() {
    let (world, service) = (World::new(), Service::new());
    let gate = Gate::to(world.s3.address());
    world.put("pulse/web-1.json", &service.pulse("\"body\": \"ok\""), &[]);
    let ahead = Arc::new(AtomicI64::new(0));
    let clock = ahead.clone();
    let clock = Arc::new(move || Timestamp::now() + SignedDuration::from_secs(clock.load(Ordering::SeqCst)));
    let probe = world.probe_by(&[("AWS_ENDPOINT_URL", &gate.endpoint())], clock);
    let event = event(&["pulse/web-1.json"]);
    handle(&probe, &event).unwrap();
    handle(&probe, &event).unwrap();
    assert_eq!(gate.connections(), 1, "one after the other they share a connection");

    // The sandbox is frozen, and nobody hears that the connection is gone.
    gate.let_die();
    ahead.store(6, Ordering::SeqCst);
    let begun = Instant::now();
    probe.handle(&event, begun + Duration::from_secs(20)).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(3), "a try was in vain: {:?}", begun.elapsed());
    assert_eq!(gate.connections(), 2);
}

#[test]
fn a_store_that_fails_at_once_is_to_blame_though_another_record_takes_until_the_end() {
    let world = World::new();
    // It refuses one pulse, and never answers the request for the other.
    let (stalls, stalled) = mpsc::channel::<()>();
    let stalled = Mutex::new(stalled);
    let store = Server::new(move |mut stream, _| {
        if read_head(&mut stream).contains("/pulse/web-2.json") {
            let _ = stalled.lock().unwrap().recv();
        }
        let _ = stream.write_all(answer(403, "").as_bytes());
    });
    let probe = world.probe_with(&[("AWS_ENDPOINT_URL", &format!("http://{}", store.address))]);
    let deadline = Instant::now() + Duration::from_secs(4);
    let error = probe.handle(&event(&["pulse/web-1.json", "pulse/web-2.json"]), deadline).unwrap_err();
    drop(stalls);
    let (first, second) = error.message.split_once("; web-2: ").unwrap();
    assert!(error.kind == Kind::StoreFailed && first.starts_with("web-1: cannot get "), "{error}");
    assert!(second.starts_with("the time of the invocation is over: "), "{error}");
}

#[test]
fn of_a_batch_of_messages_only_those_that_failed_are_named() {
    let (world, service) = (World::new(), Service::new());
    for id in ["web-1", "web-2"] {
        world.put(&format!("pulse/{id}.json"), &service.pulse("\"body\": \"ok\""), &[]);
    }
    let mut foreign = event(&["pulse/web-1.json"]);
    foreign["Records"][0]["s3"]["bucket"]["name"] = json!("others");
    let envelope = json!({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:123456789012:pulses",
        "Message": event(&["pulse/web-2.json"]).to_string()});
    let bodies = [event(&["pulse/web-1.json"]), foreign, envelope, json!("no event"), json!({"Event": "s3:TestEvent"})];
    let message = |(number, body): (usize, &Value)| {
        let (id, body) = (format!("m-{number}"), body.to_string());
        json!({"eventSource": "aws:sqs", "messageId": id, "body": body})
    };
    let mut batch = json!({"Records": bodies.iter().enumerate().map(message).collect::<Vec<_>>()});
    let summary = json!(handle(&world.probe(), &batch).unwrap());
    assert_eq!(summary["echoes"], json!(["web-1", "web-2"]));
    let failures = json!([{"itemIdentifier": "m-3"}, {"itemIdentifier": "m-1"}]);
    assert_eq!(summary["batchItemFailures"], failures);

    // One that succeeds needs no id; one that fails without an id cannot be named.
    batch["Records"][0].as_object_mut().unwrap().remove("messageId");
    assert_eq!(json!(handle(&world.probe(), &batch).unwrap())["batchItemFailures"], failures);
    batch["Records"][1]["messageId"] = json!("");
    let error = handle(&world.probe(), &batch).unwrap_err();
    let message = error.message;
    assert!(message.starts_with("a message without a messageId failed: "), "{message}");
}

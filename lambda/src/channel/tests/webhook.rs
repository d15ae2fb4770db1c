use std::collections::BTreeSet;

use boon::{Compiler, Schemas};
use hmac::{Hmac, KeyInit, Mac};
use pulse_echo_core::status::{Changes, Hosts};
use serde_json::{Value, json};
use sha2::Sha256;

use super::*;
use pulse_echo_testkit::server::answer;

/// The requests that the webhook gets for these entries, each POST checked against the schema.
fn posted(entries: &[Entry], variables: &[(&str, &str)]) -> Vec<(Received, Value)> {
    let (server, told) = recording(&answer(204, ""));
    let url = server.url();
    let variables: Vec<_> = variables.iter().copied().chain([("WEBHOOK_URL", url.as_str())]).collect();
    assert_eq!(channel_of(&variables).send(entries, soon()), Outcome::Taken);
    let post = |received: Received| {
        let object = serde_json::from_str(&received.body).unwrap();
        assert_valid(&object);
        (received, object)
    };
    told.try_iter().map(post).collect()
}

fn assert_valid(object: &Value) {
    let schema = serde_json::from_str(include_str!("../../../../docs/webhook.schema.json")).unwrap();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.enable_format_assertions();
    compiler.add_resource("webhook", schema).unwrap();
    let schema = compiler.compile("webhook", &mut schemas).unwrap();
    schemas.validate(object, schema).unwrap_or_else(|error| panic!("{error:#}\n{object:#}"));
}

#[test]
fn everything_that_can_be_told_is_as_the_schema_says() {
    let [(received, object)] = posted(&everything(), &[]).try_into().ok().unwrap();
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert!(received.header("user-agent").unwrap().starts_with("pulse-echo-loop/"));
    assert_eq!(received.header("x-signature"), None);
    assert_eq!(received.body.lines().count(), 1);
    assert_eq!(object["events"].as_array().unwrap().len(), everything().len());
}

#[test]
fn the_schema_refuses_what_is_not_sent() {
    let [(_, object)] = posted(&[fact(Fact::Down(silent("web-1")))], &[]).try_into().ok().unwrap();
    for (field, value) in
        [("kind", json!("up")), ("since", json!("yesterday")), ("check", Value::Null), ("new", json!(1))]
    {
        let mut other = object.clone();
        other["events"][0][field] = value;
        assert!(std::panic::catch_unwind(|| assert_valid(&other)).is_err(), "{field}");
    }
}

#[test]
fn an_event_is_flat_and_keeps_its_id() {
    let entries = [Entry { id: "00ff".into(), ..fact(Fact::Down(failing("web-1/db"))) }];
    let [(_, object)] = posted(&entries, &[]).try_into().ok().unwrap();
    let mut event = object["events"][0].clone();
    assert_eq!(event["text"], words::line(&entries[0]));
    event["text"] = Value::Null;
    let expected = json!({
        "id": "00ff", "at": "2026-11-21T08:30:00Z", "text": null, "kind": "down", "check": "web-1/db", "host": "web-1",
        "state": "failing", "cause": "body", "since": "2026-11-21T08:28:00Z", "pulse": "2026-11-21T08:28:00Z",
        "reason": "body differs at byte 2: expected \"ok\", got \"ok\\n\" (only trailing white space differs)",
        "limit_s": 900, "echo": "2026-11-21T08:18:00Z", "others": 3, "other_hosts": 2,
    });
    assert_eq!(event, expected);
    assert_eq!(object["text"], words::message(&entries, 16_000, str::to_string));
}

#[test]
fn with_a_secret_the_body_is_signed() {
    let [(received, _)] = posted(&[fact(Fact::Test)], &[("WEBHOOK_SECRET", "Jefe")]).try_into().ok().unwrap();
    let hex = received.header("x-signature").unwrap().strip_prefix("sha256=").unwrap();
    let signature: Vec<_> = (0..64).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    let mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap().chain_update(&received.body);
    mac.verify_slice(&signature).unwrap();
}

#[test]
fn more_than_200_come_in_several_posts_and_what_was_taken_counts() {
    let (server, told) = recording(&answer(200, ""));
    let webhook = channel_of(&[("WEBHOOK_URL", &server.url())]);
    assert_eq!(webhook.send(&many(401), soon()), Outcome::Taken);
    let sizes: Vec<_> = told
        .try_iter()
        .map(|received| serde_json::from_str::<Value>(&received.body).unwrap()["events"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [200, 200, 1]);

    let server = Server::answering(&[&answer(200, ""), &answer(500, "")]);
    let webhook = channel_of(&[("WEBHOOK_URL", &server.url())]);
    let why = "127.0.0.1: status 500".into();
    assert_eq!(webhook.send(&many(401), soon()), Outcome::NotTaken { taken: 200, after: None, why });
    assert_eq!(server.connections(), 2);
}

#[test]
fn names_of_480_quotes_are_cut_into_posts_that_receivers_take() {
    let (server, told) = recording(&answer(200, ""));
    let webhook = channel_of(&[("WEBHOOK_URL", &server.url())]);
    let name = |n: usize| format!("web/{n:03}{}", "\"".repeat(470));
    let entries: Vec<_> = (0..200).map(|n| fact(Fact::Down(failing(&name(n))))).collect();
    assert_eq!(webhook.send(&entries, soon()), Outcome::Taken);
    let bodies: Vec<_> = told.try_iter().map(|received| received.body).collect();
    assert!(bodies.len() > 1 && bodies.iter().all(|body| body.len() < 256 * 1024), "{}", bodies.len());
    let events = |body: &String| serde_json::from_str::<Value>(body).unwrap()["events"].as_array().unwrap().len();
    assert_eq!(bodies.iter().map(events).sum::<usize>(), 200);
}

#[test]
fn no_host_of_a_large_summary_is_lost_and_no_post_is_too_large() {
    let (server, told) = recording(&answer(200, ""));
    let webhook = channel_of(&[("WEBHOOK_URL", &server.url())]);
    let hosts = (0..20_000).map(|n| (format!("host-{n:05}"), Changes { failing: 1, ..Changes::default() })).collect();
    let mut summary = Counts::default();
    summary.add(&What::Fact(Fact::Counted { hosts: Hosts(hosts) }));
    assert_eq!(webhook.send(&[entry(What::Summary(summary))], soon()), Outcome::Taken);
    let (mut hosts, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for received in told.try_iter() {
        assert!(received.body.len() < 256 * 1024, "{}", received.body.len());
        let object: Value = serde_json::from_str(&received.body).unwrap();
        assert_valid(&object);
        for event in object["events"].as_array().unwrap() {
            assert!(ids.insert(event["id"].to_string()));
            hosts.extend(event["by_host"].as_array().unwrap().iter().map(|host| host["host"].to_string()));
        }
    }
    assert_eq!(hosts.len(), 20_000);
}

#[test]
fn a_post_that_is_refused_for_good_is_halved_until_one_event_is() {
    let (tell, told) = mpsc::channel();
    let server = Server::new(move |mut stream, _| {
        let body = receive(&mut stream).body;
        // Before the answer: the test looks once it has the last one.
        tell.send(serde_json::from_str::<Value>(&body).unwrap()["events"].as_array().unwrap().len()).unwrap();
        let _ = stream.write_all(answer(if body.contains("web-37/") { 413 } else { 200 }, "").as_bytes());
    });
    let webhook = channel_of(&[("WEBHOOK_URL", &server.url())]);
    let why = "127.0.0.1: status 413".into();
    assert_eq!(webhook.send(&many(60), soon()), Outcome::Refused { taken: 37, why });
    let sizes: Vec<_> = told.try_iter().collect();
    assert_eq!((sizes[0], sizes[1]), (60, 30));
    assert_eq!(sizes.last(), Some(&1));
}

use serde_json::Value;

use super::*;
use pulse_echo_core::status::{Changes, Hosts};
use pulse_echo_testkit::server::answer;

const KEY: (&str, &str) = ("PAGERDUTY_KEY", "R0UT1NGKEY");

fn pagerduty(url: &str) -> Box<dyn Channel> {
    channel_of(&[KEY, ("PAGERDUTY_URL", url), ("BUCKET", "my-pulses")])
}

/// The events that `PagerDuty` gets for these entries.
fn events(entries: &[Entry]) -> Vec<Value> {
    let (server, told) = recording(&answer(202, "{\"status\":\"success\",\"message\":\"Event processed\"}"));
    assert_eq!(pagerduty(&server.url()).send(entries, soon()), Outcome::Taken);
    told.try_iter().map(|received| checked(&received)).collect()
}

/// A request, held against what `PagerDuty` documents of its Events API v2.
fn checked(received: &Received) -> Value {
    assert!(received.head.starts_with("POST /v2/enqueue HTTP/1.1"), "{}", received.head);
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert!(received.body.len() < 512 * 1024, "{}", received.body.len());
    let event: Value = serde_json::from_str(&received.body).unwrap();
    let text = |pointer: &str| {
        event.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}: {event:#}"))
    };
    assert_eq!(text("/routing_key"), KEY.1);
    assert!(["trigger", "resolve"].contains(&text("/event_action")));
    assert!((1..=255).contains(&text("/dedup_key").len()), "{event:#}");
    assert!((1..=1_024).contains(&text("/payload/summary").chars().count()), "{event:#}");
    assert!(!text("/payload/source").is_empty());
    assert!(["critical", "error", "warning", "info"].contains(&text("/payload/severity")));
    assert!(Time::from_rfc3339(text("/payload/timestamp")).is_some());
    event
}

/// What happens to which incident.
fn acts(events: &[Value]) -> Vec<(&str, &str)> {
    events.iter().map(|event| (event["event_action"].as_str().unwrap(), event["dedup_key"].as_str().unwrap())).collect()
}

const WEB_1: &str = "pulse-echo/my-pulses/web-1/2026-11-21T08:28:00Z";

#[test]
fn a_host_is_one_incident_from_the_first_of_its_checks_that_is_down_to_the_last() {
    let down = |check: &str| in_outage(Fact::Down(failing(check)), 28, false);
    let ends = |check: &str, is_last| in_outage(up(check), 28, is_last);
    assert_eq!(acts(&events(&[down("web-1/http")])), [("trigger", WEB_1)]);
    assert_eq!(acts(&events(&[down("web-1/db"), down("web-1/smtp")])), [("trigger", WEB_1)], "one event");
    assert_eq!(acts(&events(&[ends("web-1/http", false)])), [("trigger", WEB_1)], "others are still down");
    assert_eq!(acts(&events(&[ends("web-1/db", true)])), [("resolve", WEB_1)]);
    let gone = Fact::Gone { check: id("web-1"), pulse: time(0), since: Some(time(28)), retired: true };
    assert_eq!(acts(&events(&[in_outage(gone, 28, true)])), [("resolve", WEB_1)]);
}

#[test]
fn an_outage_that_is_over_before_it_was_told_is_resolved_at_once() {
    let whole = Entry { what: What::Whole(up("web-1")), ..in_outage(up("web-1"), 28, true) };
    assert_eq!(acts(&events(&[whole])), [("trigger", WEB_1), ("resolve", WEB_1)]);
}

#[test]
fn people_read_what_is_down_and_why_and_a_wave_is_a_line_of_each() {
    let wave = Fact::ManyDown {
        down: 5,
        of: 8,
        hosts: 5,
        of_hosts: 8,
        state: State::Silent,
        cause: None,
        alike: 5,
        alike_hosts: 5,
    };
    let (silent, failing) = (Fact::Down(silent("web-1")), Fact::Down(failing("web-2/http")));
    let told = events(&[fact(wave.clone()), in_outage(silent, 28, false), in_outage(failing, 28, false)]);
    let payloads: Vec<_> = told.iter().map(|event| &event["payload"]).collect();
    assert_eq!(payloads.len(), 2, "{payloads:#?}");
    assert!(payloads[0]["summary"].as_str().unwrap().starts_with("DOWN: web-1 has been silent since "));
    assert_eq!((payloads[0]["severity"].as_str(), payloads[0]["class"].as_str()), (Some("critical"), Some("silent")));
    assert_eq!((payloads[1]["severity"].as_str(), payloads[1]["class"].as_str()), (Some("error"), Some("body")));
    assert_eq!(payloads[1]["source"], "web-2");
    for payload in payloads {
        let line = payload["custom_details"]["many_down"].as_str().unwrap();
        assert!(line.starts_with("MANY DOWN: 5 of 8 hosts went down"), "{line}");
        assert!(payload["custom_details"]["message"].as_str().unwrap().contains("More: `pulse-echo status web-"));
    }
    assert_eq!(events(&[fact(wave)]).len(), 2, "alone it is told, and over");
}

#[test]
fn trouble_of_our_own_is_an_incident_until_its_end_and_a_test_is_over_at_once() {
    let acts_of = |fact_: Fact| {
        let told = events(&[fact(fact_)]);
        acts(&told).into_iter().map(|(act, key)| format!("{act} {key}")).collect::<Vec<_>>()
    };
    let stopped = "pulse-echo/my-pulses/stopped/";
    assert_eq!(acts_of(Fact::Stopped { at: time(0) }), [format!("trigger {stopped}")]);
    assert_eq!(acts_of(Fact::Started { stopped: time(0) }), [format!("resolve {stopped}")]);
    let own = "pulse-echo/my-pulses/5a0c49d1e0f1b2a3";
    assert_eq!(acts_of(Fact::Test), [format!("trigger {own}"), format!("resolve {own}")]);
    assert_eq!(acts_of(Fact::StatusMissing { swept: time(0) }), [format!("trigger {own}")], "somebody must look");
    assert_eq!(acts_of(Fact::New { check: id("web-1") }).len(), 2);
}

#[test]
fn everything_that_can_be_told_is_as_pagerduty_documents_it() {
    for entry in everything() {
        assert!(!events(std::slice::from_ref(&entry)).is_empty(), "{entry:?}");
    }
}

#[test]
fn hostile_names_and_very_many_checks_stay_within_bounds() {
    let name = "\"<&'\\".repeat(80);
    let mut down = failing(&format!("{name}/db"));
    down.reason = Some("\u{202e}\"".repeat(100));
    assert_eq!(events(&[in_outage(Fact::Down(down), 28, false)]).len(), 1);
    let of_one =
        (0..1_000).map(|n| in_outage(Fact::Down(failing(&format!("web-1/{n}{}", "&".repeat(300)))), 28, false));
    assert_eq!(events(&of_one.collect::<Vec<_>>()).len(), 1);
    let hosts = (0..5_000).map(|n| (format!("host-{n}"), Changes { silent: 1, ..Changes::default() })).collect();
    assert_eq!(events(&[fact(Fact::Counted { hosts: Hosts(hosts) })]).len(), 1);
}

#[test]
fn what_was_taken_before_a_refusal_is_known_and_the_reason_is_told() {
    let (tell, told) = mpsc::channel();
    let server = Server::new(move |mut stream, _| {
        let body = receive(&mut stream).body;
        let said = "{\"status\":\"invalid event\",\"message\":\"Event object is invalid\",\"errors\":[\"bad\"]}";
        let is_bad = body.contains("web-3/");
        // Before the answer: what comes after it may come after the end.
        tell.send(()).unwrap();
        let _ = stream.write_all(answer(if is_bad { 400 } else { 202 }, if is_bad { said } else { "" }).as_bytes());
    });
    let entries: Vec<_> = ["web-1", "web-2/a", "web-3/a", "web-2/b", "web-4"]
        .map(|check| in_outage(Fact::Down(failing(check)), 28, false))
        .into();
    let outcome = pagerduty(&server.url()).send(&entries, soon());
    let why = "127.0.0.1: status 400: Event object is invalid bad".into();
    assert_eq!(outcome, Outcome::Refused { taken: 2, why });
    assert_eq!(told.try_iter().count(), 3, "each host once, in order");
}

#[test]
fn a_wave_is_not_taken_before_an_incident_has_its_line() {
    let wave = everything().into_iter().find(|entry| matches!(entry.what, What::Fact(Fact::ManyDown { .. }))).unwrap();
    let server = Server::answering(&[&answer(500, "")]);
    let entries = [fact(Fact::Test), wave, in_outage(Fact::Down(failing("web-1")), 28, false)];
    let outcome = pagerduty(&server.url()).send(&entries[1..], soon());
    assert!(matches!(outcome, Outcome::NotTaken { taken: 0, .. }), "{outcome:?}");
}

#[test]
fn a_key_that_cannot_be_one_is_refused_and_not_shown() {
    for key in ["SECRET key", "", "SECRET/é"] {
        match channels_of(&[("PAGERDUTY_KEY", key)]) {
            Ok(channels) => assert!(key.is_empty() && channels.is_empty(), "{key}"),
            Err(why) => assert!(why.starts_with("PAGERDUTY_KEY cannot be used: ") && !why.contains("SECRET"), "{why}"),
        }
    }
}

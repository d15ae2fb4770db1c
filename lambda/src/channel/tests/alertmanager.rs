use pulse_echo_core::status::Still;
use serde_json::{Value, json};

use super::*;
use pulse_echo_testkit::server::answer;

fn alertmanager(url: &str) -> Box<dyn Channel> {
    channel_of(&[("ALERTMANAGER_URL", url)])
}

/// The posts that Alertmanager gets for these entries, with this time on its clock.
fn posts(entries: &[Entry], clock: Option<&str>) -> Vec<Value> {
    let date = clock.map(|date| format!("date: {date}\r\n")).unwrap_or_default();
    let (server, told) = recording(&format!("HTTP/1.1 200 OK\r\n{date}content-length: 0\r\n\r\n"));
    assert_eq!(alertmanager(&format!("{}prefix/", server.url())).send(entries, soon()), Outcome::Taken);
    told.try_iter().map(|received| checked(&received)).collect()
}

/// A request, held against Alertmanager's description of its API v2 and what it checks of alerts.
fn checked(received: &Received) -> Value {
    assert!(received.head.starts_with("POST /prefix/api/v2/alerts HTTP/1.1"), "{}", received.head);
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert!(received.body.len() < 256 * 1024, "{}", received.body.len());
    let alerts: Value = serde_json::from_str(&received.body).unwrap();
    for alert in alerts.as_array().unwrap() {
        let time = |name: &str| alert.get(name).map(|time| Time::from_rfc3339(time.as_str().unwrap()).unwrap());
        assert!(time("startsAt") <= time("endsAt"), "{alert:#}");
        for part in ["labels", "annotations"] {
            let named = alert[part].as_object().unwrap();
            assert!(!named.is_empty() && named.values().all(Value::is_string), "{alert:#}");
            let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(named.keys().all(|name| is_name(name)), "{alert:#}");
        }
        assert!(!alert["labels"]["alertname"].as_str().unwrap().is_empty());
    }
    alerts
}

/// The alerts of one post: state, cause, beginning and end.
fn alerts(entries: &[Entry]) -> Vec<Value> {
    let [alerts] = posts(entries, None).try_into().unwrap();
    let brief = |alert: &Value| {
        let at = |name: &str| alert[name].as_str().map(|at| at[11..16].to_string());
        json!([alert["labels"]["state"], alert["labels"]["cause"], at("startsAt"), at("endsAt")])
    };
    alerts.as_array().unwrap().iter().map(brief).collect()
}

#[test]
fn a_check_that_is_down_fires_until_an_hour_after_the_next_reminder() {
    let [post] = posts(&[in_outage(Fact::Down(failing("web-1/http")), 28, false)], None).try_into().unwrap();
    let of_check = json!({"host": "web-1", "check": "web-1/http", "state": "failing", "cause": "body"});
    let mut labels = json!({"alertname": "PulseEchoDown"});
    labels.as_object_mut().unwrap().extend(of_check.as_object().unwrap().clone());
    assert_eq!(post[0]["labels"], labels);
    let summary = post[0]["annotations"]["summary"].as_str().unwrap();
    assert!(summary.starts_with("DOWN: web-1/http has been failing since "), "{summary}");
    assert_eq!(
        (&post[0]["startsAt"], &post[0]["endsAt"]),
        (&json!("2026-11-21T08:28:00Z"), &json!("2026-11-21T13:30:00Z"))
    );
    assert_eq!(
        alerts(&[in_outage(Fact::Down(silent("web-1")), 28, false)]),
        [json!(["silent", null, "08:29", "13:30"])]
    );
}

#[test]
fn another_cause_is_another_alert_and_the_one_before_ends() {
    let mut entry = in_outage(
        Fact::StillDown {
            down: Down { since: time(12), ..silent("web-1") },
            told: time(12),
            changed: true,
            back: false,
        },
        12,
        false,
    );
    entry.course.as_mut().unwrap().causes = vec!["body".into()];
    assert_eq!(
        alerts(&[entry]),
        [json!(["failing", "body", "08:12", "08:30"]), json!(["silent", null, "08:12", "13:30"])]
    );
}

#[test]
fn an_end_ends_the_alerts_of_all_causes() {
    let mut entry = in_outage(up("web-1"), 8, true);
    entry.course.as_mut().unwrap().causes = vec!["silent".into(), "dns".into()];
    let ended = [
        json!(["failing", "status", "08:08", "08:29"]),
        json!(["silent", null, "08:08", "08:29"]),
        json!(["failing", "dns", "08:08", "08:29"]),
    ];
    assert_eq!(alerts(&[entry.clone()]), ended);
    let whole = Entry { what: What::Whole(up("web-1")), ..entry.clone() };
    assert_eq!(alerts(&[whole]), ended, "and one that was not told never fires");
    let gone = Fact::Gone { check: id("web-1"), pulse: time(0), since: Some(time(8)), retired: true };
    let gone = Entry { what: What::Fact(gone), ..entry };
    assert_eq!(alerts(&[gone])[2], json!(["gone", null, "08:30", "09:30"]), "it is told for an hour");
}

#[test]
fn an_end_that_is_to_come_by_the_receivers_clock_is_told_again_by_that_clock() {
    let entries = [in_outage(up("web-1"), 8, true), in_outage(Fact::Down(failing("web-2")), 28, false)];
    let told = posts(&entries, Some("Sat, 21 Nov 2026 08:20:00 GMT"));
    assert_eq!(told.len(), 2);
    assert_eq!((told[1].as_array().unwrap().len(), &told[1][0]["endsAt"]), (1, &json!("2026-11-21T08:20:00Z")));
    assert_eq!((&told[1][0]["labels"], told[1][0].get("startsAt")), (&told[0][0]["labels"], None));
    assert_eq!(posts(&entries, Some("Sat, 21 Nov 2026 08:31:00 GMT")).len(), 1);
}

#[test]
fn trouble_of_our_own_has_the_labels_of_its_end() {
    let one = |of: Fact| {
        let [post] = posts(&[fact(of)], None).try_into().unwrap();
        (post[0]["labels"].clone(), post[0]["endsAt"].as_str().unwrap().to_string())
    };
    let channel = "slack".to_string();
    let (begins, ends) =
        one(Fact::ChannelFails { channel: channel.clone(), since: time(14), why: "status 500".into() });
    assert_eq!(begins, json!({"alertname": "PulseEcho", "kind": "channel-fails", "channel": "slack"}));
    assert_eq!(ends, "2026-11-28T08:30:00Z");
    let (labels, ends) = one(Fact::ChannelWorks { channel, since: time(14), until: time(30) });
    assert_eq!((labels, ends.as_str()), (begins, "2026-11-21T08:30:00Z"));
    assert_eq!(one(Fact::Test).1, "2026-11-21T09:30:00Z");
}

#[test]
fn everything_that_can_be_told_is_an_alert_and_hostile_names_stay_what_they_are() {
    for entry in everything() {
        assert_eq!(posts(std::slice::from_ref(&entry), None).len(), 1, "{entry:?}");
    }
    let name = "\"{{ .Labels }}<script>&'\\".repeat(20);
    let [post] = posts(&[in_outage(Fact::Down(failing(&name)), 28, false)], None).try_into().unwrap();
    assert_eq!(post[0]["labels"]["host"], name);
    let up = Fact::Up {
        check: id("web-1"),
        since: time(8),
        until: time(29),
        was: State::Silent,
        cause: None,
        reason: None,
        steady: None,
        still: Some(Still { checks: 1, some: ids(&["web-1/db"]) }),
        ack: None,
    };
    assert_eq!(alerts(&[in_outage(up, 8, false)]), [json!(["silent", null, "08:08", "08:29"])]);
}

#[test]
fn very_many_alerts_go_in_several_posts() {
    let many: Vec<_> =
        (0..1_000).map(|n| in_outage(Fact::Down(failing(&format!("web-{n}{}", "x".repeat(200)))), 28, false)).collect();
    let told = posts(&many, None);
    assert!(told.len() >= 5, "{}", told.len());
    assert_eq!(told.iter().map(|post| post.as_array().unwrap().len()).sum::<usize>(), 1_000);
}

#[test]
fn what_alertmanager_says_of_an_alert_that_it_refuses_is_told() {
    let server = Server::answering(&[&answer(400, "\"start time must be before end time\"\n")]);
    let outcome = alertmanager(&server.url()).send(&[fact(Fact::Test)], soon());
    let why = "127.0.0.1: status 400: start time must be before end time".into();
    assert_eq!(outcome, Outcome::Refused { taken: 0, why });
}

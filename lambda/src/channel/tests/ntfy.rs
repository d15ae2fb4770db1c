use serde_json::Value;

use super::*;
use pulse_echo_testkit::server::answer;

/// The request that ntfy gets for these entries, held against what it documents of publishing JSON.
fn published(entries: &[Entry], more: &[(&str, &str)]) -> (Received, Value) {
    let (server, told) = recording(&answer(200, "{\"id\":\"x\",\"event\":\"message\"}"));
    let url = format!("{}my-alerts", server.url());
    let variables: Vec<_> = more.iter().copied().chain([("NTFY_URL", url.as_str())]).collect();
    assert_eq!(channel_of(&variables).send(entries, soon()), Outcome::Taken);
    let received = told.recv().unwrap();
    assert!(received.head.starts_with("POST / HTTP/1.1"), "{}", received.head);
    assert!(received.body.len() < 8_192, "{}", received.body.len());
    let message: Value = serde_json::from_str(&received.body).unwrap();
    assert_eq!(message["topic"], "my-alerts");
    assert!((1..=4_096).contains(&message["message"].as_str().unwrap().len()), "{message:#}");
    assert!((1..=5).contains(&message["priority"].as_u64().unwrap()), "{message:#}");
    assert!(message["tags"].as_array().unwrap().iter().all(Value::is_string), "{message:#}");
    let sequence = message["sequence_id"].as_str().unwrap();
    assert!((1..=64).contains(&sequence.len()) && sequence.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    (received, message)
}

#[test]
fn a_phone_shows_what_is_down_and_why_and_how_bad_it_is() {
    let (received, message) = published(&[fact(Fact::Down(failing("web-1/http")))], &[]);
    assert_eq!((&message["title"], message.get("click")), (&"DOWN web-1/http".into(), None));
    assert!(message["message"].as_str().unwrap().starts_with("DOWN: web-1/http has been failing since "));
    assert_eq!((received.header("authorization"), &message["tags"][0]), (None, &"rotating_light".into()));
    let still = Fact::StillDown { down: failing("web-1"), told: time(0), changed: false, back: false };
    let wave = everything().into_iter().find(|entry| matches!(entry.what, What::Fact(Fact::ManyDown { .. }))).unwrap();
    for (entries, priority, tag) in [
        (vec![fact(Fact::Down(silent("web-1")))], 4, "rotating_light"),
        (vec![wave, fact(Fact::Down(silent("web-1")))], 5, "rotating_light"),
        (vec![fact(still.clone())], 3, "rotating_light"),
        (vec![fact(still), fact(Fact::Down(silent("web-2")))], 4, "rotating_light"),
        (vec![fact(up("web-1"))], 3, "white_check_mark"),
        (vec![fact(up("web-1")), fact(Fact::Test)], 3, "white_check_mark"),
        (vec![fact(Fact::Stopped { at: time(0) })], 4, "warning"),
        (vec![fact(Fact::Test)], 2, "information_source"),
    ] {
        let (_, message) = published(&entries, &[]);
        assert_eq!(
            (message["priority"].as_u64(), message["tags"][0].as_str()),
            (Some(priority), Some(tag)),
            "{message:#}"
        );
    }
}

#[test]
fn a_token_proves_who_we_are_and_a_tap_opens_the_page() {
    let more = [("NTFY_TOKEN", "tk_SECRET"), ("NTFY_CLICK", "https://status.example/?a=b")];
    let (received, message) = published(&[fact(Fact::Test)], &more);
    assert_eq!(received.header("authorization"), Some("Bearer tk_SECRET"));
    assert_eq!(message["click"], "https://status.example/?a=b");
}

#[test]
fn the_same_message_again_has_the_same_name() {
    let name = |entries: &[Entry]| published(entries, &[]).1["sequence_id"].clone();
    let other = Entry { id: "00ff".into(), ..fact(Fact::Test) };
    assert_eq!(name(&[fact(Fact::Test)]), name(&[fact(Fact::Test)]));
    assert_ne!(name(&[fact(Fact::Test)]), name(&[fact(Fact::Test), other.clone()]));
    assert_ne!(name(&[fact(Fact::Test)]), name(&[other]));
}

#[test]
fn everything_that_can_be_told_fits_and_so_do_hostile_names() {
    for entry in everything() {
        published(&[entry], &[]);
    }
    let hostile = |n: usize| {
        let reason = Some("\\\"\u{1b}".repeat(80));
        fact(Fact::Down(Down { reason, ..failing(&format!("{n}{}", "\\\"".repeat(200))) }))
    };
    let (_, message) = published(&(0..1_000).map(hostile).collect::<Vec<_>>(), &[]);
    assert!(message["message"].as_str().unwrap().lines().count() > 3, "{message:#}");
}

#[test]
fn an_address_without_a_topic_and_a_token_with_a_blank_are_refused_and_not_shown() {
    for (name, value) in [
        ("NTFY_URL", "https://ntfy.example/"),
        ("NTFY_URL", "https://ntfy.example/SECRET.topic"),
        ("NTFY_TOKEN", "SECRET token"),
        ("NTFY_CLICK", "SECRET"),
    ] {
        let variables = [(name, value), ("NTFY_URL", "https://ntfy.example/topic")];
        let why = channels_of(&variables).err().unwrap();
        assert!(why.starts_with(&format!("{name} cannot be used: ")) && !why.contains("SECRET"), "{why}");
    }
}

#[test]
fn what_ntfy_says_of_a_refusal_is_told() {
    let said = r#"{"code":40301,"http":403,"error":"forbidden","link":"https://ntfy.sh/docs/publish/#authentication"}"#;
    let server = Server::answering(&[&answer(403, said)]);
    let outcome = channel_of(&[("NTFY_URL", &format!("{}topic", server.url()))]).send(&[fact(Fact::Test)], soon());
    let why = "127.0.0.1: status 403: forbidden".into();
    assert_eq!(outcome, Outcome::NotTaken { taken: 0, after: None, why });
}

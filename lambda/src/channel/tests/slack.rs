use serde_json::Value;

use super::*;
use pulse_echo_testkit::server::answer;

fn slack(url: &str) -> Box<dyn Channel> {
    channel_of(&[("SLACK_URL", url)])
}

/// The payload that Slack gets for these entries.
fn payload(entries: &[Entry]) -> Value {
    let (server, told) = recording(&answer(200, "ok"));
    assert_eq!(slack(&server.url()).send(entries, soon()), Outcome::Taken);
    assert_eq!(server.connections(), 1);
    let received = told.recv().unwrap();
    assert!(received.head.starts_with("POST / HTTP/1.1"), "{}", received.head);
    assert_eq!(received.header("content-type"), Some("application/x-www-form-urlencoded"));
    serde_json::from_str(&fields(&received.body)["payload"]).unwrap()
}

#[test]
fn slack_gets_the_origins_fields() {
    let payload = payload(&[fact(Fact::Test)]);
    assert_eq!(payload["channel"], "#medical-check");
    assert_eq!(payload["username"], "medic");
    assert_eq!(payload["icon_emoji"], ":exclamation:");
    assert!(payload["text"].as_str().unwrap().starts_with("TEST: "));
}

#[test]
fn a_bar_shows_how_bad_it_is_and_good_news_has_no_exclamation_mark() {
    for (entries, icon, colour) in [
        (vec![fact(Fact::Down(failing("web-1")))], ":exclamation:", "#d00000"),
        (vec![fact(up("web-1")), fact(Fact::Down(failing("db")))], ":exclamation:", "#d00000"),
        (vec![fact(Fact::Stopped { at: time(0) })], ":exclamation:", "#daa038"),
        (vec![fact(up("web-1"))], ":white_check_mark:", "#2eb886"),
        (vec![entry(What::Whole(up("web-1")))], ":white_check_mark:", "#2eb886"),
        (vec![fact(Fact::Started { stopped: time(0) })], ":white_check_mark:", "#2eb886"),
        (vec![fact(Fact::Test)], ":exclamation:", "#9e9e9e"),
    ] {
        let payload = payload(&entries);
        assert_eq!((&payload["icon_emoji"], &payload["attachments"][0]["color"]), (&icon.into(), &colour.into()));
        assert!(!payload["text"].as_str().unwrap().is_empty());
        assert!(!payload["attachments"][0]["text"].as_str().unwrap().is_empty());
    }
    let foot = payload(&[fact(up("web-1"))])["attachments"][0]["text"].clone();
    assert_eq!(foot, "More: `pulse-echo status web-1`");
}

#[test]
fn another_channel_and_user_can_be_set() {
    let (server, told) = recording(&answer(200, "ok"));
    let slack = channel_of(&[("SLACK_URL", &server.url()), ("SLACK_CHANNEL", "#ops"), ("SLACK_USER", "nurse & co")]);
    assert_eq!(slack.send(&[fact(Fact::Test)], soon()), Outcome::Taken);
    let payload: Value = serde_json::from_str(&fields(&told.recv().unwrap().body)["payload"]).unwrap();
    assert_eq!((payload["channel"].as_str(), payload["username"].as_str()), (Some("#ops"), Some("nurse & co")));
}

#[test]
fn a_name_or_a_body_that_calls_the_whole_channel_rings_nobody() {
    let mut down = failing("<!channel>&<@U1>");
    down.reason = Some("got \"<!here> <http://evil.example|ok>\n*DOWN* db-1\"".into());
    let text = payload(&[
        fact(Fact::Down(down)),
        fact(Fact::Vanished { checks: 1, of: 1, hosts: 1, of_hosts: 1, some: ids(&["<!everyone>"]) }),
    ]);
    let text = text["text"].as_str().unwrap();
    assert!(!text.contains(['<', '>']), "{text}");
    assert!(text.contains("&lt;!channel&gt;&amp;&lt;@U1&gt; has been failing"), "{text}");
    assert!(text.contains("&lt;!everyone&gt;"), "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn an_address_that_a_stranger_wrote_is_no_link() {
    let mut down = failing("web-1");
    down.reason = Some("the body is \"see https://evil.example/login\"".into());
    let text = payload(&[fact(Fact::Down(down))]);
    let text = text["text"].as_str().unwrap();
    assert!(!text.contains("://") && text.contains("https:\u{2060}//evil.example/login"), "{text}");
}

#[test]
fn a_thousand_names_stay_within_one_message_of_slack() {
    let mut worst = many(1000);
    for (number, entry) in worst.iter_mut().enumerate() {
        let name = format!("{number}{}", "&".repeat(400));
        let reason = Some("&".repeat(256));
        entry.what = What::Fact(Fact::Down(Down { reason, ..failing(&name) }));
    }
    for entries in [many(1000), worst] {
        let payload = payload(&entries);
        let text = payload["text"].as_str().unwrap();
        assert!(text.chars().count() < 4_000 && text.lines().count() <= 18, "{}: {text}", text.len());
        let lines = text.lines().filter(|line| line.starts_with("DOWN: ")).count();
        assert!(lines > 0 && text.contains(&format!("Without a line: DOWN {} hosts: ", 1000 - lines)), "{text}");
    }
}

#[test]
fn slacks_word_for_what_is_wrong_is_logged_and_a_page_that_may_repeat_the_address_is_not() {
    let not_taken = |status, why: &str| Outcome::NotTaken {
        taken: 0,
        after: None,
        why: format!("127.0.0.1: status {status}{why}"),
    };
    // It would refuse that again.
    let refused = |why: &str| Outcome::Refused { taken: 0, why: format!("127.0.0.1: status 404{why}") };
    for (status, body, outcome) in [
        (404, "channel_not_found", refused(": channel_not_found")),
        (403, "invalid_token", not_taken(403, ": invalid_token")),
        (404, "The requested URL /services/T0/SECRET was not found", refused("")),
        (500, "", not_taken(500, "")),
    ] {
        let server = Server::answering(&[&answer(status, body)]);
        let url = format!("{}services/T0/SECRET", server.url());
        assert_eq!(slack(&url).send(&[fact(Fact::Test)], soon()), outcome);
    }
}

/// What the makers of receivers for Slack's messages document that these answer.
#[test]
fn any_2xx_is_taken_whatever_it_says() {
    for (status, said) in [
        // Mattermost, Discord with `wait`
        (200, "ok"),
        // Rocket.Chat
        (200, "{\"success\":true}"),
        // Zulip, by its own API and by that for Slack's messages
        (200, "{\"result\":\"success\",\"msg\":\"\"}"),
        (200, "{\"ok\":true}"),
        // Google Chat, Teams' workflows, gateways of one's own
        (200, ""),
        (201, "created"),
        (202, ""),
        (204, ""),
    ] {
        let server = Server::answering(&[&answer(status, said)]);
        assert_eq!(slack(&server.url()).send(&[fact(Fact::Test)], soon()), Outcome::Taken, "{status} {said}");
        assert_eq!(server.connections(), 1);
    }
}

/// The refusals that they document.
#[test]
fn a_receivers_own_reason_is_told_without_addresses() {
    for (status, said, reason) in [
        (
            400,
            "{\"id\":\"web.incoming_webhook.text.app_error\",\"message\":\"No text\",\"status_code\":400}",
            ": No text",
        ),
        (
            400,
            "{\"success\":false,\"error\":\"Invalid integration id or token provided.\"}",
            ": Invalid integration id or token provided.",
        ),
        (401, "{\"result\":\"error\",\"msg\":\"Invalid API key\",\"code\":\"INVALID_API_KEY\"}", ": Invalid API key"),
        (404, "{\"ok\":false,\"error\":\"no_team\"}", ": no_team"),
        (404, "{\"message\":\"no hook at /hooks/SECRET here\"}", ": no hook at … here"),
        (404, "{\"message\":{\"SECRET\":1}}", ""),
        (404, "[\"SECRET\"]", ""),
    ] {
        let server = Server::answering(&[&answer(status, said)]);
        let why = format!("127.0.0.1: status {status}{reason}");
        let outcome = match status {
            401 => Outcome::NotTaken { taken: 0, after: None, why },
            _ => Outcome::Refused { taken: 0, why },
        };
        assert_eq!(slack(&server.url()).send(&[fact(Fact::Test)], soon()), outcome, "{said}");
    }
}

#[test]
fn a_2xx_whose_body_never_ends_is_taken() {
    let server = Server::new(|mut stream, _| {
        receive(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok");
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(slack(&server.url()).send(&[fact(Fact::Test)], soon()), Outcome::Taken);
}

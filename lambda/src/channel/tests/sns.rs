use serde_json::{Value, json};

use super::*;
use pulse_echo_testkit::server::answer;
use pulse_echo_testkit::signature::authorization;

const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:alerts";
const TOKEN: (&str, &str) = ("AWS_SESSION_TOKEN", "TOKEN/+=");

fn sns(url: &str, more: &[(&str, &str)]) -> Box<dyn Channel> {
    let variables = [
        ("ALERT_TOPIC_ARN", TOPIC),
        ("AWS_ENDPOINT_URL_SNS", url),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1/"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    ];
    channel_of(&[&variables, more].concat())
}

/// The request that SNS gets for these entries.
fn published(entries: &[Entry], more: &[(&str, &str)]) -> Received {
    let (server, told) = recording(&answer(200, "<PublishResponse><MessageId>1</MessageId></PublishResponse>"));
    assert_eq!(sns(&server.url(), more).send(entries, soon()), Outcome::Taken);
    assert_eq!(server.connections(), 1);
    told.recv().unwrap()
}

/// The outcome of a message that SNS answers with this error.
fn refused(status: u16, code: &str, message: &str) -> Outcome {
    let body = format!("<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>");
    sns(&Server::answering(&[&answer(status, &body)]).url(), &[]).send(&[fact(Fact::Test)], soon())
}

fn not_taken(why: &str) -> Outcome {
    Outcome::NotTaken { taken: 0, after: None, why: format!("127.0.0.1: {why}") }
}

fn attributes(received: &Received) -> BTreeMap<String, Value> {
    let fields = fields(&received.body);
    let field = |number: u32, rest: &str| fields.get(&format!("MessageAttributes.entry.{number}.{rest}"));
    let attribute = |number| {
        assert_eq!(field(number, "Value.DataType")?, "String.Array");
        let values = serde_json::from_str(field(number, "Value.StringValue")?).unwrap();
        Some((field(number, "Name")?.clone(), values))
    };
    (1..=10).map_while(attribute).collect()
}

#[test]
fn a_message_is_published_with_subject_text_and_attributes_to_filter_by() {
    let entries = [fact(Fact::Down(failing("web-1/http"))), fact(Fact::Down(silent("db-1"))), fact(up("web-1/x"))];
    let received = published(&entries, &[]);
    let fields = fields(&received.body);
    let field = |name: &str| fields[name].as_str();
    assert_eq!((field("Action"), field("Version"), field("TopicArn")), ("Publish", "2010-03-31", TOPIC));
    assert_eq!(field("Subject"), "pulse-echo: DOWN 2 hosts: db-1 (silent), web-1/http (body). UP 1 host: web-1/x");
    assert_eq!(field("Message"), words::message(&entries, 16_000, str::to_string));
    let expected = [
        ("cause", json!(["body", "status"])),
        ("host", json!(["db-1", "web-1"])),
        ("state", json!(["failing", "silent", "up"])),
    ];
    assert_eq!(attributes(&received), expected.map(|(name, values)| (name.to_string(), values)).into());
}

#[test]
fn what_is_about_no_host_can_be_filtered_by_its_kind() {
    let received = published(&[fact(Fact::Stopped { at: time(30) })], &[]);
    assert_eq!(attributes(&received), [("state".to_string(), json!(["stopped"]))].into());
}

#[test]
fn all_hosts_of_a_message_can_be_filtered_by_and_it_stays_below_the_limit_of_sns() {
    let long: Vec<_> =
        (0..200).map(|number| fact(Fact::Down(failing(&format!("{}{number}", "x".repeat(490)))))).collect();
    let received = published(&long, &[]);
    assert_eq!(attributes(&received)["host"].as_array().unwrap().len(), 200);
    assert!(received.body.len() < 256 * 1024, "{}", received.body.len());
}

#[test]
fn the_signature_is_what_awss_description_of_it_says() {
    for more in [&[][..], &[TOKEN]] {
        let received = published(&[fact(Fact::Down(failing("Käse/a b+c%")))], more);
        assert_eq!(received.header("x-amz-date"), Some("20261121T083000Z"));
        assert_eq!(received.header("x-amz-security-token"), more.first().map(|(_, token)| *token));
        let signed = if more.is_empty() {
            "content-type;host;x-amz-date"
        } else {
            "content-type;host;x-amz-date;x-amz-security-token"
        };
        let pair = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let expected = authorization(&received.head, received.body.as_bytes(), pair, "eu-central-1/sns").unwrap();
        assert!(expected.contains(&format!("SignedHeaders={signed},")), "{expected}");
        assert_eq!(received.header("authorization"), Some(expected.as_str()));
    }
}

#[test]
fn why_sns_refuses_is_told_apart() {
    for (status, code, message, why) in [
        (429, "Throttled", "Rate exceeded", "status 429: throttled (Throttled)"),
        (400, "Throttling", "Rate exceeded", "status 400: throttled (Throttling)"),
        (404, "NotFound", "Topic does not exist", "status 404: NotFound: Topic does not exist"),
        (403, "AuthorizationError", "User is not authorized", "status 403: AuthorizationError: User is not authorized"),
        (500, "InternalFailure", "", "status 500: InternalFailure"),
    ] {
        assert_eq!(refused(status, code, message), not_taken(why));
    }
}

#[test]
fn what_sns_repeats_of_the_request_is_not_shown() {
    let message =
        "The request signature does not match.\n\nThe Canonical String should have been\nx-amz-security-token:TOKEN";
    let why = "status 403: SignatureDoesNotMatch: The request signature does not match.";
    assert_eq!(refused(403, "SignatureDoesNotMatch", message), not_taken(why));
}

#[test]
fn a_wrong_clock_of_ours_is_mended_by_that_of_sns() {
    let (tell, told) = mpsc::channel();
    let server = Server::new(move |mut stream, number| {
        tell.send(receive(&mut stream)).unwrap();
        let (status, date) = if number == 0 { (403, "Sat, 21 Nov 2026 10:30:00 GMT") } else { (200, "") };
        let answer = format!("HTTP/1.1 {status} X\r\ndate: {date}\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).unwrap();
    });
    assert_eq!(sns(&server.url(), &[]).send(&[fact(Fact::Test)], soon()), Outcome::Taken);
    let dates: Vec<_> = told.try_iter().map(|received| received.header("x-amz-date").unwrap().to_string()).collect();
    assert_eq!(dates, ["20261121T083000Z", "20261121T103000Z"]);
}

//! Receivers that are dead, slow, dripping or busy, or that cut the connection.

use std::net::TcpListener;
use std::thread;

use super::*;
use pulse_echo_testkit::server::{answer, redirect, until_closed};
use pulse_echo_testkit::tls::{in_days, self_signed, until};

const SHORT: Duration = Duration::from_millis(400);

/// A send that takes this long has not kept to [`SHORT`].
const LONG: Duration = Duration::from_secs(20);

/// Each channel, with its receiver at `url`.
fn each(url: &str) -> Vec<Box<dyn Channel>> {
    channels_of(&[
        ("SLACK_URL", url),
        ("WEBHOOK_URL", url),
        ("ALERT_TOPIC_ARN", "arn:aws:sns:eu-central-1:123456789012:alerts"),
        ("PAGERDUTY_KEY", "R0UT1NGKEY"),
        ("PAGERDUTY_URL", url),
        ("ALERTMANAGER_URL", url),
        ("NTFY_URL", &format!("{url}topic")),
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "SECRET"),
    ])
    .unwrap()
}

/// The outcome of a message over each channel, within [`SHORT`].
fn outcomes(url: &str) -> Vec<(&'static str, Outcome)> {
    let send = |channel: Box<dyn Channel>| {
        let started = Instant::now();
        let outcome = channel.send(&[fact(Fact::Test)], started + SHORT);
        assert!(started.elapsed() < LONG, "{} took {:?}", channel.name(), started.elapsed());
        (channel.name(), outcome)
    };
    each(url).into_iter().map(send).collect()
}

fn ambiguous(why: &str) -> Outcome {
    Outcome::Ambiguous { taken: 0, why: format!("127.0.0.1: {why}") }
}

fn not_taken(after: Option<Duration>, why: &str) -> Outcome {
    Outcome::NotTaken { taken: 0, after, why: format!("127.0.0.1: {why}") }
}

/// A server that reads each request, writes `beginning`, and then single bytes without end.
fn dripping(beginning: &'static str) -> Server {
    Server::new(move |mut stream, _| {
        receive(&mut stream);
        let _ = stream.write_all(beginning.as_bytes());
        while stream.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    })
}

#[test]
fn a_receiver_that_is_not_trusted_surely_took_nothing() {
    let server = self_signed(&until(in_days(90)));
    let why = "localhost: the certificate is self-signed; PROBE_CA_BUNDLE can name it as trusted";
    for (name, outcome) in outcomes(&format!("https://localhost:{}/", server.port())) {
        assert_eq!(outcome, Outcome::NotTaken { taken: 0, after: None, why: why.into() }, "{name}");
    }
}

#[test]
fn what_never_left_us_is_surely_not_taken() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (name, outcome) in outcomes(&format!("http://{closed}/")) {
        assert_eq!(outcome, not_taken(None, "the connection was refused"), "{name}");
    }
    for (name, outcome) in outcomes("http://nosuch.invalid/") {
        assert!(matches!(outcome, Outcome::NotTaken { taken: 0, after: None, .. }), "{name}: {outcome:?}");
    }
}

#[test]
fn a_receiver_that_never_speaks_tls_surely_took_nothing() {
    let silent = Server::new(|stream, _| until_closed(stream));
    for (name, outcome) in outcomes(&format!("https://{}/", silent.address)) {
        assert_eq!(outcome, not_taken(None, "no connection in time"), "{name}");
    }
}

#[test]
fn a_slow_receiver_is_left_by_the_deadline_and_may_have_taken_it() {
    let slow = Server::new(|mut stream, _| {
        receive(&mut stream);
        until_closed(stream);
    });
    for server in [slow, dripping("HTTP/1.1 200 OK\r\nx: ")] {
        for (name, outcome) in outcomes(&server.url()) {
            assert_eq!(outcome, ambiguous("no whole answer in time"), "{name}");
        }
    }
}

#[test]
fn a_dripping_body_is_not_waited_for() {
    for (name, outcome) in outcomes(&dripping("HTTP/1.1 200 OK\r\n\r\no").url()) {
        assert_eq!(outcome, Outcome::Taken, "{name}");
    }
    for (name, outcome) in outcomes(&dripping("HTTP/1.1 500 X\r\n\r\n").url()) {
        assert_eq!(outcome, not_taken(None, "status 500"), "{name}");
    }
}

#[test]
fn a_connection_that_is_cut_after_the_request_leaves_it_open_whether_it_was_taken() {
    for part in ["", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\ncontent-le"] {
        let server = Server::new(move |mut stream, _| {
            receive(&mut stream);
            stream.write_all(part.as_bytes()).unwrap();
        });
        for (name, outcome) in outcomes(&server.url()) {
            assert_eq!(
                outcome,
                ambiguous("the connection was closed before the answer was complete"),
                "{name}: {part}"
            );
        }
        assert_eq!(server.connections(), 6);
    }
}

#[test]
fn a_gateway_that_waited_in_vain_does_not_know_either() {
    for (status, is_known) in [(500, true), (502, false), (503, true), (504, false)] {
        for (name, outcome) in outcomes(&Server::answering(&[&answer(status, "")]).url()) {
            let why = format!("status {status}");
            assert_eq!(outcome, if is_known { not_taken(None, &why) } else { ambiguous(&why) }, "{name}");
        }
    }
}

#[test]
fn a_busy_receiver_says_when_to_come_again() {
    let date = "date: Sat, 21 Nov 2026 08:00:00 GMT\r\n";
    for (headers, after) in [
        ("retry-after: 30\r\n".into(), Some(30)),
        ("retry-after: 0\r\n".into(), Some(0)),
        (format!("{date}retry-after: Sat, 21 Nov 2026 08:02:00 GMT\r\n"), Some(120)),
        (format!("{date}retry-after: Sat, 21 Nov 2026 07:00:00 GMT\r\n"), Some(0)),
        ("retry-after: Sat, 21 Nov 2026 08:02:00 GMT\r\n".into(), None),
        (format!("{date}retry-after: soon\r\n"), None),
        ("retry-after: -1\r\n".into(), None),
        ("retry-after: 99999999999\r\n".into(), Some(99_999_999_999)),
        (String::new(), None),
    ] {
        let busy = Server::answering(&[&format!("HTTP/1.1 429 X\r\n{headers}content-length: 0\r\n\r\n")]);
        for (name, outcome) in outcomes(&busy.url()) {
            assert_eq!(outcome, not_taken(after.map(Duration::from_secs), "status 429"), "{name}: {headers}");
        }
    }
}

#[test]
fn a_redirect_is_not_followed_and_its_aim_not_shown() {
    let other = Server::answering(&[&answer(200, "ok")]);
    let server = Server::answering(&[&redirect(&format!("{}SECRET", other.url()))]);
    for (name, outcome) in outcomes(&server.url()) {
        let why = "status 302: a redirect is not followed; set the address that it leads to";
        assert_eq!(outcome, not_taken(None, why), "{name}");
    }
    assert_eq!((server.connections(), other.connections()), (6, 0));
}

#[test]
fn past_the_deadline_nothing_is_sent() {
    let server = Server::answering(&[&answer(200, "ok")]);
    for channel in each(&server.url()) {
        let outcome = channel.send(&[fact(Fact::Test)], Instant::now());
        assert_eq!(outcome, not_taken(None, "no time was left to send"), "{}", channel.name());
    }
    assert_eq!(server.connections(), 0);
}

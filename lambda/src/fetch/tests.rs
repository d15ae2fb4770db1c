mod alone;
mod answers;
mod bundles;
mod certificates;
mod distrust;
mod guard;
mod hostile;
mod manners;

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;

use jiff::Timestamp;
use pulse_echo_core::json::Unknown;
use pulse_echo_testkit::plain::assert_plain;
use pulse_echo_testkit::server::{Server, answer, read_head, redirect, until_closed};

use super::*;

/// The default `timeout_s` of a pulse: a check with less time ends before this.
const PULSES_OWN: Duration = Duration::from_secs(10);

/// The web for a probe that may connect to this machine's 127.0.0.0/8, with these variables added.
fn web_with(variables: &[(&str, &str)]) -> Web {
    web_by(variables, Arc::new(SystemResolver::default()))
}

/// As [`web_with`], but names are resolved by `resolver`.
fn web_by(variables: &[(&str, &str)], resolver: Arc<dyn Resolver>) -> Web {
    let value = |name: &str| variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| *value);
    let allow = value("PROBE_ALLOW").unwrap_or("127.0.0.0/8");
    let filter = IpFilter::read(allow, value("PROBE_PORTS").unwrap_or_default()).unwrap();
    let bundle = value("PROBE_CA_BUNDLE").map(|path| fs::read(path).unwrap());
    let trust = bundle.map_or(Trust::built_in(), |pem| Trust::with_pem(&pem).unwrap());
    Web::with_resolver(&trust, "a-probe/1 (a health check)".into(), filter, resolver)
}

fn web() -> Web {
    web_with(&[])
}

/// Checks `url` for a pulse with these fields added, within this time.
fn check_within(time: Duration, web: &Web, url: &str, fields: &str) -> Checked {
    let comma = if fields.is_empty() { "" } else { "," };
    let text = format!("{{\"url\": {}{comma} {fields}}}", serde_json::to_string(url).unwrap());
    let pulse = Pulse::parse(text.as_bytes(), Unknown::Refused).unwrap();
    web.check(&pulse, pulse.url.as_ref().unwrap(), Time::of(Timestamp::now()), Instant::now() + time)
}

fn check(url: &str, fields: &str) -> Checked {
    check_within(Duration::from_secs(20), &web(), url, fields)
}

/// Checks with too little time for a second try.
fn check_once(url: &str, fields: &str) -> Checked {
    check_within(PAUSE + LEAST / 2, &web(), url, fields)
}

fn miss(checked: Checked) -> (Cause, String) {
    let miss = checked.verdict.expect_err("it is not as expected");
    assert!(miss.reason.len() <= 256, "{}", miss.reason);
    assert_plain(&miss.reason);
    (miss.cause, miss.reason)
}

#[test]
fn a_good_answer_passes_with_its_status_and_latency() {
    let server = Server::answering(&[&answer(201, "ok")]);
    let checked = check(&server.url(), "\"body\": \"ok\"");
    assert_eq!((checked.verdict, checked.status), (Ok(()), Some(201)));
    assert!(checked.latency_ms.unwrap() < 5000);
    assert_eq!(server.connections(), 1);
}

#[test]
fn the_request_names_us_and_carries_nothing_else() {
    let (tell, told) = mpsc::channel();
    let server = Server::new(move |mut stream, _| {
        tell.send(read_head(&mut stream)).unwrap();
        stream.write_all(answer(200, "").as_bytes()).unwrap();
    });
    check(&format!("{}a?b=c#d", server.url()), "").verdict.unwrap();
    let head = told.recv().unwrap().to_lowercase();
    let mut lines: Vec<_> = head.trim_end().lines().collect();
    lines.sort_unstable();
    let host = format!("host: {}", server.address);
    assert_eq!(lines, ["accept: */*", "get /a?b=c http/1.1", &host, "user-agent: a-probe/1 (a health check)"]);
}

#[test]
fn a_5xx_is_tried_once_more_and_the_second_answer_counts() {
    let server = Server::answering(&[&answer(503, "starting"), &answer(200, "ok")]);
    assert_eq!(check(&server.url(), "\"body\": \"ok\"").verdict, Ok(()));
    assert_eq!(server.connections(), 2);

    let server = Server::answering(&[&answer(503, ""), &answer(500, "")]);
    assert_eq!(miss(check(&server.url(), "")), (Cause::Status, "status 500, expected 2xx".into()));
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_5xx_that_is_expected_or_has_no_time_left_is_not_tried_again() {
    let server = Server::answering(&[&answer(503, "down")]);
    assert_eq!(check(&server.url(), "\"body\": \"down\"").verdict, Ok(()));
    assert_eq!(check(&server.url(), "\"status\": 503").verdict, Ok(()));
    assert_eq!(miss(check(&server.url(), "\"status\": 503, \"body\": \"up\"")).0, Cause::Body);
    assert_eq!(miss(check_once(&server.url(), "")).0, Cause::Status);
    assert_eq!(server.connections(), 4);
}

#[test]
fn what_is_wrong_but_well_said_is_not_tried_again() {
    let server = Server::answering(&[&answer(404, "")]);
    assert_eq!(miss(check(&server.url(), "")), (Cause::Status, "status 404, expected 2xx".into()));
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_refused_connection_is_tried_once_more() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let started = Instant::now();
    let (cause, reason) = miss(check(&format!("http://{closed}/"), ""));
    assert_eq!((cause, reason), (Cause::Connect, format!("cannot connect to {closed}: the connection was refused")));
    assert!(started.elapsed() >= PAUSE);
}

#[test]
fn a_name_that_does_not_resolve_is_named() {
    // A machine without a name server needs some time to say so.
    let time = Duration::from_secs(60);
    let (cause, reason) = miss(check_within(time, &web(), "http://nosuch.invalid/", ""));
    assert_eq!(cause, Cause::Dns);
    assert!(reason.starts_with("the name nosuch.invalid does not resolve: "), "{reason}");
}

#[test]
fn a_server_that_hangs_is_given_up_in_time_wherever_it_hangs() {
    let silent = Server::new(|stream, _| until_closed(stream));
    let headless = Server::new(|mut stream, _| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").unwrap();
        until_closed(stream);
    });
    let unfinished = Server::new(|mut stream, _| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok").unwrap();
        until_closed(stream);
    });
    let time = Duration::from_millis(300);
    for (server, scheme, status) in
        [(&silent, "http", None), (&silent, "https", None), (&headless, "http", None), (&unfinished, "http", Some(200))]
    {
        let started = Instant::now();
        let url = format!("{scheme}://{}/", server.address);
        let checked = check_within(time, &web(), &url, "\"contains\": \"y\"");
        assert!((time..PULSES_OWN).contains(&started.elapsed()), "{url} took {:?}", started.elapsed());
        assert_eq!(checked.status, status);
        let (cause, reason) = miss(checked);
        let whole = if status.is_some() { "whole " } else { "" };
        let aside = if status.is_some() { " (only its status 200 and header)" } else { "" };
        assert_eq!((cause, reason), (Cause::Timeout, format!("no {whole}answer within 10 s from {url}{aside}")));
    }
}

#[test]
fn an_endless_body_is_read_as_far_as_needed() {
    let endless = Server::new(|mut stream, _| {
        read_head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nok");
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    assert_eq!(check(&endless.url(), "").verdict, Ok(()));
    assert_eq!(check(&endless.url(), "\"contains\": \"okx\"").verdict, Ok(()));
    assert_eq!(miss(check(&endless.url(), "\"max_latency_ms\": 19999")).0, Cause::Latency);
    let (_, reason) = miss(check(&endless.url(), "\"contains\": \"ready\""));
    assert!(reason.ends_with("(searched 1,048,576 bytes, all that is read)"), "{reason}");
    let (_, reason) = miss(check(&endless.url(), "\"body\": \"ok\""));
    assert!(reason.starts_with("body differs at byte 2: expected \"ok\", got \"okxxxx"), "{reason}");
}

#[test]
fn a_connection_that_breaks_or_speaks_no_http_is_said_to() {
    let closed = "the connection was closed before the answer was complete";
    for (answer, why) in [
        ("", closed),
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", closed),
        ("HTTP/1.1 200 OK\r\nx", closed),
        ("SSH-2.0-OpenSSH_9.6\r\n\r\n", "the answer is not HTTP"),
        ("ok", "the answer is not HTTP"),
    ] {
        let server = Server::answering(&[answer]);
        let (cause, reason) = miss(check_once(&server.url(), "\"body\": \"ok\""));
        assert_eq!(cause, Cause::Connect, "{answer:?}: {reason}");
        let begin = format!("no whole answer from {}: {why}", server.address);
        assert!(reason.starts_with(&begin), "{answer:?}: {reason}");
    }
}

#[test]
fn redirects_are_followed_as_far_as_the_pulse_allows() {
    let end = Server::answering(&[&answer(200, "ok")]);
    let server = Server::answering(&[&redirect("/next?a=b"), &redirect("../up"), &redirect(&end.url())]);
    assert_eq!(check(&server.url(), "\"body\": \"ok\", \"redirects\": 3").verdict, Ok(()));
    assert_eq!((server.connections(), end.connections()), (3, 1));
}

#[test]
fn a_redirect_that_leads_too_far_or_is_not_to_be_followed_is_named() {
    let server = Server::answering(&[&redirect("/again")]);
    let cases = [
        ("", "status 302 (redirects to /again; set \"redirects\" to follow), expected 2xx", 1),
        (
            "\"redirects\": 5",
            "status 302 (redirects on to /again; \"redirects\" allows 5), expected no further redirect",
            6,
        ),
        (
            "\"status\": 200, \"body\": \"ok\", \"redirects\": 1",
            "status 302 (redirects on to /again; \"redirects\" allows 1), expected 200",
            2,
        ),
    ];
    for (fields, reason, requests) in cases {
        let before = server.connections();
        assert_eq!(miss(check(&server.url(), fields)), (Cause::Status, reason.into()));
        assert_eq!(server.connections() - before, requests);
    }
    let nowhere = Server::answering(&[&answer(301, "")]);
    let (_, reason) = miss(check(&nowhere.url(), "\"redirects\": 5"));
    assert_eq!(reason, "status 301 (a redirect without a Location), expected 2xx");
}

#[test]
fn a_redirect_to_where_the_probe_does_not_go_is_blocked() {
    for (location, reason) in [
        (
            "ftp://example.com/x",
            "a redirect to ftp://example.com/x is not followed: its scheme is \"ftp\"; only http and https are fetched",
        ),
        (
            "file:///etc/passwd",
            "a redirect to file:///etc/passwd is not followed: its scheme is \"file\"; only http and https are fetched",
        ),
        (
            "http://me:secret@example.com/",
            "a redirect to http://example.com/ is not followed: it has credentials in it; none are sent",
        ),
    ] {
        let server = Server::answering(&[&redirect(location)]);
        let checked = check(&server.url(), "\"redirects\": 5");
        assert_eq!(checked.status, Some(302));
        assert_eq!(miss(checked), (Cause::Blocked, reason.into()));
    }
    let server = Server::answering(&[&redirect("http://[")]);
    let (cause, reason) = miss(check(&server.url(), "\"redirects\": 1"));
    let expected = "a redirect to http://[ cannot be followed: its host is no IPv6 address; write it such as \
                    http://[2001:db8::1]/";
    assert_eq!((cause, reason.as_str()), (Cause::Status, expected));
}

#[test]
fn credentials_and_the_query_of_a_redirect_are_never_shown() {
    for (location, fields) in [
        ("https://me:secret@a.example/x", ""),
        ("//secret@a.example/x", "\"status\": 200"),
        ("https://me:secret@a.example:0x/", ""),
        ("https://me:secret@a.example:0x/", "\"redirects\": 1"),
        ("ftp://secret:x@a.example/", "\"redirects\": 1"),
        ("http://:secret@a.example/", "\"redirects\": 1"),
        ("https://a.example/x?token=secret", ""),
        ("https://a.example:0x/?secret", "\"redirects\": 1"),
        ("ftp://a.example/?secret", "\"redirects\": 1"),
    ] {
        let server = Server::answering(&[&redirect(location)]);
        let miss = check(&server.url(), fields).verdict.unwrap_err();
        assert!(miss.reason.contains("a.example"), "{location}: {}", miss.reason);
        assert!(!format!("{miss:?}").contains("secret"), "{location}: {miss:?}");
    }
}

#[test]
fn latency_counts_all_hops_to_the_last_byte() {
    let slow = Server::new(|mut stream, _| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no").unwrap();
        thread::sleep(Duration::from_millis(60));
        stream.write_all(b"k").unwrap();
    });
    let server = Server::answering(&[&redirect(&slow.url())]);
    let checked = check(&server.url(), "\"redirects\": 1, \"max_latency_ms\": 50");
    assert!(checked.latency_ms.unwrap() >= 60);
    let expected = format!("answered after {} ms, allowed are 50 ms", checked.latency_ms.unwrap());
    assert_eq!(miss(checked), (Cause::Latency, expected));
    // To judge the status alone, it does not wait for the body.
    assert_eq!(check(&slow.url(), "\"status\": 200").verdict, Ok(()));
}

/// A port that answers no connection: its queue is full.
fn dead_at(address: SocketAddr) -> (TcpListener, Vec<TcpStream>) {
    let listener = TcpListener::bind(address).unwrap();
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(500)).ok();
    let queue = std::iter::from_fn(connect).take(20_000).collect();
    assert_eq!(connect().map(drop), None, "its queue has no end");
    (listener, queue)
}

#[test]
fn latency_is_that_of_the_connection_that_worked() {
    let server = Server::answering(&[&answer(200, "ok")]);
    let port = server.port();
    let _dead = dead_at(([127, 0, 0, 2], port).into());
    let web = web_by(&[], guard::Names::new(&[&["127.0.0.2", "127.0.0.1"]]));
    let started = Instant::now();
    let checked = check_within(PULSES_OWN, &web, &format!("http://two.example:{port}/"), "");
    assert_eq!(checked.verdict, Ok(()));
    // The dead address had its head start, and its time does not count.
    let latency = Duration::from_millis(checked.latency_ms.unwrap());
    assert!(latency + Duration::from_millis(240) < started.elapsed(), "{latency:?} of {:?}", started.elapsed());
}

//! Servers that are malicious or broken: each becomes a fault that says so, in time.

use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::NextTimeout;

use super::*;
use pulse_echo_testkit::tls::{Ca, https_by, in_days, until};

/// How long a check may take here. A slow server sends something every fiftieth of it.
const TIME: Duration = Duration::from_secs(1);

/// A server that begins its answer with one text and repeats another for as long as the client listens.
fn endless(begin: &str, more: &str, pause: Duration) -> Server {
    let (begin, more) = (begin.to_string(), more.to_string());
    Server::new(move |mut stream, _| {
        read_head(&mut stream);
        let _ = stream.write_all(begin.as_bytes());
        go_on(&mut stream, &more, pause);
    })
}

fn go_on(stream: &mut TcpStream, more: &str, pause: Duration) {
    while stream.write_all(more.as_bytes()).is_ok() {
        thread::sleep(pause);
    }
}

/// Checks in [`TIME`], and asserts that it took no longer.
fn check_in_time(web: &Web, url: &str, fields: &str) -> Checked {
    let started = Instant::now();
    let checked = check_within(TIME, web, url, fields);
    assert!(started.elapsed() < PULSES_OWN, "{url} took {:?}", started.elapsed());
    checked
}

#[test]
fn a_server_that_never_comes_to_an_end_slowly_is_given_up_in_time() {
    let (header, chunked) = ("HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    for (begin, more) in [
        ("", "\r\n"),
        ("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
        (header, "x: y\r\n"),
        ("HTTP/1.1 200 OK\r\nx: ", "x"),
        ("HTTP/1.1 200 OK\r\n\r\n", "x"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", "x"),
        (chunked, "1\r\nx\r\n"),
        (&format!("{chunked}1;"), "x"),
        (&format!("{chunked}ffff\r\n"), "x"),
        (&format!("{chunked}0\r\n"), "x: y\r\n"),
    ] {
        let server = endless(begin, more, TIME / 50);
        let (cause, reason) = miss(check_in_time(&web(), &server.url(), "\"contains\": \"ok\""));
        assert_eq!(cause, Cause::Timeout, "{begin:?} {more:?}: {reason}");
    }
}

#[test]
fn a_server_that_never_comes_to_an_end_fast_is_read_up_to_a_limit() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let gzip = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n";
    let all_that_is_read = "(searched 1,048,576 bytes, all that is read";
    for (begin, more, cause, end) in [
        ("", "<html>".repeat(99), Cause::Connect, "the answer is not HTTP/1.1: "),
        ("HTTP/1.1 200 OK\r\nx: ", "x".repeat(999), Cause::Connect, "the answer's header is too large"),
        ("HTTP/1.1 200 OK\r\n", "x: y\r\n".repeat(99), Cause::Connect, "the answer's header is too large"),
        (&format!("{chunked}0\r\n"), "x: y\r\n".repeat(99), Cause::Connect, "headers after its body"),
        ("HTTP/1.1 200 OK\r\n\r\n", "x".repeat(999), Cause::Body, all_that_is_read),
        (chunked, "1\r\nx\r\n".repeat(99), Cause::Body, all_that_is_read),
        // What is not gzip is read as it is.
        (gzip, "\0".repeat(999), Cause::Body, all_that_is_read),
    ] {
        let server = endless(begin, &more, Duration::ZERO);
        let checked = check_within(PAUSE * 10, &web(), &server.url(), "\"contains\": \"ok\"");
        let (got, reason) = miss(checked);
        assert_eq!(got, cause, "{begin:?}: {reason}");
        assert!(reason.contains(end), "{begin:?}: {reason}");
    }
}

#[test]
fn an_answer_that_contradicts_itself_is_no_answer() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok", Some("closed before the answer was complete")),
        ("HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\nok", Some("Content-Length is no number: \"-2\"")),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nok", Some("closed before the answer was complete")),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nok", Some("closed before the answer was complete")),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nok\r\n", Some("is no chunk's size")),
        ("HTTP/1.1 1000 OK\r\n\r\nok", Some("the answer is not HTTP")),
        ("HTTP/1.1 20 OK\r\n\r\nok", Some("the answer is not HTTP")),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Some("the answer is not HTTP")),
        ("<html>ok</html>", Some("the answer is not HTTP")),
        ("\0", Some("the answer is not HTTP")),
        // Bytes beyond the announced length belong to another answer.
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 500 X\r\n\r\n", None),
        ("HTTP/1.0 200 OK\r\n\r\nok", None),
    ] {
        let server = Server::answering(&[answer]);
        let checked = check_in_time(&web(), &server.url(), "\"body\": \"ok\"");
        match expected {
            None => assert_eq!(checked.verdict, Ok(()), "{answer:?}"),
            Some(why) => {
                let (cause, reason) = miss(checked);
                assert!(cause == Cause::Connect && reason.contains(why), "{answer:?}: {cause}: {reason}");
            }
        }
    }
}

#[test]
fn a_half_closed_connection_still_brings_its_answer() {
    let server = Server::new(|mut stream, _| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nok").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        until_closed(stream);
    });
    assert_eq!(check_in_time(&web(), &server.url(), "\"body\": \"ok\"").verdict, Ok(()));
    let deaf = Server::new(|mut stream, _| {
        stream.shutdown(Shutdown::Read).unwrap();
        go_on(&mut stream, "", TIME / 50);
    });
    assert_eq!(miss(check_in_time(&web(), &deaf.url(), "")).0, Cause::Timeout);
}

#[test]
fn the_body_of_a_redirect_that_is_followed_is_not_read() {
    let end = Server::answering(&[&answer(200, "ok")]);
    let begin = format!("HTTP/1.1 302 Found\r\nlocation: {}\r\n\r\n", end.url());
    let server = endless(&begin, &"x".repeat(999), Duration::ZERO);
    let checked = check_in_time(&web(), &server.url(), "\"body\": \"ok\", \"redirects\": 1");
    assert_eq!(checked.verdict, Ok(()));
}

#[test]
fn a_drip_within_tls_is_given_up_in_time() {
    let hello = Server::new(|mut stream, _| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"\x16\x03\x03\x3f\xff\x02\0\x3f\xfb\x03\x03");
        go_on(&mut stream, "x", TIME / 50);
    });
    let url = format!("https://{}/", hello.address);
    assert_eq!(miss(check_in_time(&web(), &url, "")).0, Cause::Timeout);

    // One TLS record, a byte at a time.
    let ours = Ca::new("ours");
    let server = https_by(&until(in_days(9)), &[&ours], |tls, mut tcp| {
        tls.writer().write_all(answer(200, &"x".repeat(9000)).as_bytes()).unwrap();
        let mut record = Vec::new();
        tls.write_tls(&mut record).unwrap();
        for byte in record {
            if tcp.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(TIME / 50);
        }
    });
    let url = format!("https://localhost:{}/", server.address.port());
    let (cause, reason) = miss(check_in_time(&certificates::web_that_trusts(&ours), &url, "\"contains\": \"ok\""));
    assert_eq!(cause, Cause::Timeout, "{reason}");
}

/// A name server that does not answer for a while. It counts who waits for it, now and at most.
#[derive(Debug, Default)]
struct Mute {
    waiting: AtomicUsize,
    most: AtomicUsize,
}

impl Resolver for Mute {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let waiting = self.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(waiting, Ordering::SeqCst);
        thread::sleep(TIME);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        Err(Error::HostNotFound)
    }
}

#[test]
fn a_name_server_that_does_not_answer_is_a_fault_in_time_and_holds_few_threads() {
    let mute = Arc::new(Mute::default());
    let web = web_by(&[], mute.clone());
    let reason = "the name web.example does not resolve: no answer from the name server in time";
    let check = || check_within(TIME / 10, &web, "http://web.example/", "");
    thread::scope(|scope| {
        let checks: Vec<_> = (0..100).map(|_| scope.spawn(check)).collect();
        for check in checks {
            assert_eq!(miss(check.join().unwrap()), (Cause::Dns, reason.into()));
        }
    });
    assert_eq!(mute.most.load(Ordering::SeqCst), lookup::AT_ONCE);
    // The rest got no place, so they did not even begin to wait. The system ends the others.
    let end = Instant::now() + TIME * 20;
    while mute.waiting.load(Ordering::SeqCst) > 0 {
        assert!(Instant::now() < end, "look-ups are left behind");
        thread::sleep(TIME / 50);
    }
}

#[test]
fn the_query_of_an_address_that_does_not_answer_is_not_shown() {
    let silent = Server::new(|mut stream, _| {
        read_head(&mut stream);
        until_closed(stream);
    });
    let (cause, reason) = miss(check_in_time(&web(), &format!("{}health?token=secret", silent.url()), ""));
    assert_eq!(cause, Cause::Timeout);
    assert!(reason.ends_with("/health?…"), "{reason}");
}

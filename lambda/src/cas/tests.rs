//! Lost answers: the first try's connection breaks, and the second try hears that the condition does not hold.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo_core::http::{self, SystemResolver, Trust};
use pulse_echo_core::store::{Credentials, Place};

use super::*;
use pulse_echo_testkit::server::{Server, read_head};

const OURS: &[u8] = b"{\"swept\":1,\"by\":\"ours\"}";

/// The result of writing [`OURS`] on `condition`, if the answer is lost and the object then is `there`, an `ETag` and a
/// body.
fn written(condition: &Condition, there: Option<(&str, &[u8])>) -> Result<Written, String> {
    let failed = |status: u16, code: &str| {
        let body = format!("<Error><Code>{code}</Code></Error>").into_bytes();
        (format!("{status} X\r\n"), body)
    };
    let (head, body) = match there {
        Some((etag, body)) => {
            let date = "Sun, 06 Nov 1994 08:49:37 GMT";
            (format!("200 X\r\netag: {etag}\r\nlast-modified: {date}\r\ndate: {date}\r\n"), body.to_vec())
        }
        None => failed(404, "NoSuchKey"),
    };
    let precondition = failed(412, "PreconditionFailed");
    let server = Server::new(move |mut stream, number| {
        let is_put = read_head(&mut stream).starts_with("PUT");
        if number == 0 {
            return;
        }
        let (head, body) = if is_put { &precondition } else { &(head.clone(), body.clone()) };
        let head = format!("HTTP/1.1 {head}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
        let _ = stream.write_all(&[head.as_bytes(), body].concat());
    });
    let place = Place {
        bucket: "pulses".into(),
        region: "eu-central-1".into(),
        endpoint: Some(server.url()),
        path_style: Some(true),
    };
    let config = http::config().max_idle_connections(0).build();
    let agent = http::agent(config, &Trust::built_in(), SystemResolver::default());
    let (until, clock) = (Instant::now() + Duration::from_secs(60), Arc::new(Timestamp::now));
    let store = Store::new(&place, Credentials::new("AK", "SK"), agent, clock, until).unwrap();
    write(&store, &Key::mark(), &OURS, condition)
}

fn is(etag: &str) -> Condition {
    Condition::IfMatch(etag.into())
}

#[test]
fn who_reads_back_its_own_write_has_won() {
    assert_eq!(written(&is("\"old\""), Some(("\"new\"", OURS))), Ok(Written::Won(is("\"new\""))));
    assert_eq!(written(&Condition::IfAbsent, Some(("\"new\"", OURS))), Ok(Written::Won(is("\"new\""))));
}

#[test]
fn a_write_that_differs_by_its_by_alone_is_anothers() {
    let theirs = b"{\"swept\":1,\"by\":\"them\"}";
    assert_eq!(written(&is("\"old\""), Some(("\"new\"", theirs))), Ok(Written::Lost));
    assert_eq!(written(&is("\"old\""), Some(("\"new\"", &b"x".repeat(9_000)))), Ok(Written::Lost));
    assert_eq!(written(&is("\"old\""), None), Ok(Written::Lost), "somebody has removed it");
}

#[test]
fn an_object_that_is_still_what_it_was_was_written_by_nobody() {
    for (condition, there) in [(is("\"old\""), Some(("\"old\"", &b"{}"[..]))), (Condition::IfAbsent, None)] {
        let written = written(&condition, there).unwrap();
        assert!(matches!(&written, Written::Unwritten(why) if why.contains("put loop/Update.json")), "{written:?}");
    }
}

use pulse_echo_core::json::Unknown;

use super::*;

fn pulse(fields: &str) -> Pulse {
    Pulse::parse(format!("{{\"url\": \"https://a/\", {fields}}}").as_bytes(), Unknown::Refused).unwrap()
}

fn seen(status: u16, body: &[u8]) -> Seen {
    Seen {
        host: "example.com:443".into(),
        status,
        redirect: Redirect::None,
        body: body.to_vec(),
        whole: true,
        packed: None,
        latency: Duration::from_millis(84),
        trusted_until: None,
    }
}

fn time(text: &str) -> Time {
    Time::from_rfc3339(text).unwrap()
}

fn judged(pulse: &Pulse, seen: &Seen) -> Result<(), Miss> {
    compare(pulse, seen, time("2026-11-21T08:00:00Z"))
}

fn to(location: &str) -> Redirect {
    Redirect::To(location.into())
}

fn reason(fields: &str, seen: &Seen) -> String {
    judged(&pulse(fields), seen).unwrap_err().reason
}

#[test]
fn what_is_as_expected_passes() {
    let moved = Seen { redirect: to("/b"), ..seen(301, b"ok") };
    for (fields, seen) in [
        ("\"body\": \"ok\"", seen(200, b"ok")),
        // As in the origin: with an expected body any status passes, and a redirect is an answer.
        ("\"body\": \"ok\"", seen(500, b"ok")),
        ("\"body\": \"ok\"", moved.clone()),
        ("\"contains\": \"k\"", seen(404, b"ok")),
        ("\"body\": \"\"", seen(204, b"")),
        ("\"redirects\": 0", seen(204, b"")),
        ("\"status\": 503", seen(503, b"")),
        ("\"status\": [200, 301]", moved.clone()),
        ("\"status\": 301, \"redirects\": 1", moved),
        ("\"max_latency_ms\": 84", seen(200, b"")),
        ("\"body\": \"K\u{e4}se\"", seen(200, b"K\xc3\xa4se")),
    ] {
        assert_eq!(judged(&pulse(fields), &seen), Ok(()), "{fields} {seen:?}");
    }
}

#[test]
fn a_status_beyond_http_is_no_answer_even_with_the_expected_body() {
    for fields in ["\"body\": \"ok\"", "\"contains\": \"k\""] {
        assert_eq!(judged(&pulse(fields), &seen(599, b"ok")), Ok(()));
        let reason = reason(fields, &seen(600, b"ok"));
        assert_eq!(reason, "status 600, expected one of 100 to 599");
    }
}

#[test]
fn a_body_that_is_longer_than_what_is_read_is_not_complete_in_time() {
    let longer = Seen { whole: false, ..seen(200, &vec![b'x'; READ_LIMIT]) };
    let reason = reason("\"max_latency_ms\": 500", &longer);
    assert!(
        reason.starts_with("the body has over 1,048,576 bytes, all that is read, so when the answer was complete"),
        "{reason}"
    );
}

#[test]
fn a_compression_that_nobody_asked_for_is_named() {
    let packed = Seen { packed: Some("br".into()), ..seen(200, b"\x0b\x00\x80ok\x03") };
    for fields in ["\"body\": \"ok\"", "\"contains\": \"okay\""] {
        let reason = reason(fields, &packed);
        assert!(reason.contains("compressed (br), which nobody asked for"), "{reason}");
    }
}

#[test]
fn a_reason_shows_what_was_seen_and_what_was_expected() {
    let cut = Seen { whole: false, ..seen(200, &vec![b'x'; READ_LIMIT]) };
    let moved = Seen { redirect: to("https://b/"), ..seen(301, b"moved") };
    let nowhere = Seen { redirect: Redirect::Nowhere, ..seen(302, b"") };
    for (fields, seen, expected) in [
        ("\"status\": 200", seen(503, b""), "status 503, expected 200"),
        ("\"status\": [200, 204]", seen(404, b""), "status 404, expected 200 or 204"),
        ("\"redirects\": 0", seen(404, b""), "status 404, expected 2xx"),
        (
            "\"status\": 200",
            moved.clone(),
            "status 301 (redirects to https://b/; set \"redirects\" to follow), expected 200",
        ),
        (
            "\"redirects\": 2",
            moved.clone(),
            "status 301 (redirects on to https://b/; \"redirects\" allows 2), expected no further redirect",
        ),
        ("\"redirects\": 1", nowhere, "status 302 (a redirect without a Location), expected 2xx"),
        (
            "\"body\": \"ok\"",
            seen(200, b"ok\n"),
            "body differs at byte 2: expected \"ok\", got \"ok\\n\" (only trailing white space differs)",
        ),
        (
            "\"body\": \"a\\nb\\n\"",
            seen(200, b"a\r\nb\r\n"),
            "body differs at byte 1: expected \"a\\nb\\n\", got \"a\\r\\nb\\r\\n\" (only the line ends differ, \
             CRLF and LF)",
        ),
        (
            "\"body\": \"ok\"",
            seen(200, b"\xef\xbb\xbfok"),
            "body differs at byte 0: expected \"ok\", got \"\\u{feff}ok\" (only a byte order mark in front differs)",
        ),
        (
            "\"body\": \"ok\"",
            seen(200, b" ok "),
            "body differs at byte 0: expected \"ok\", got \" ok \" (only white space at the ends differs)",
        ),
        (
            "\"body\": \"ok\"",
            seen(200, b"OK"),
            "body differs at byte 0: expected \"ok\", got \"OK\" (only upper and lower case differ)",
        ),
        ("\"body\": \"ok\"", seen(200, b"o\xff"), "body differs at byte 1: expected \"ok\", got \"o\\xff\""),
        ("\"body\": \"ok\"", seen(200, b""), "the body is empty, expected \"ok\""),
        (
            "\"body\": \"ok\"",
            seen(503, b"no"),
            "status 503, and the body differs at byte 0: expected \"ok\", got \"no\"",
        ),
        ("\"body\": \"ok\"", seen(503, b""), "status 503, and the body is empty, expected \"ok\""),
        (
            "\"contains\": \"ready\"",
            seen(503, b"no"),
            "status 503, and the body does not contain \"ready\" (searched 2 bytes)",
        ),
        (
            "\"body\": \"ok\"",
            moved,
            "status 301 (a redirect: set \"redirects\" to follow), and the body differs at byte 0: expected \"ok\", \
             got \"moved\"",
        ),
        ("\"contains\": \"ready\"", seen(200, b"not yet"), "the body does not contain \"ready\" (searched 7 bytes)"),
        (
            "\"contains\": \"ready\"",
            cut,
            "the body does not contain \"ready\" (searched 1,048,576 bytes, all that is read)",
        ),
        ("\"max_latency_ms\": 50", seen(200, b""), "answered after 84 ms, allowed are 50 ms"),
    ] {
        assert_eq!(reason(fields, &seen), expected);
    }
}

#[test]
fn a_body_that_was_not_read_to_its_end_is_not_said_to_differ_in_its_end_only() {
    let cut = Seen { whole: false, ..seen(200, b"ok\n") };
    assert!(!reason("\"body\": \"ok\"", &cut).contains("only"));
}

#[test]
fn the_status_is_judged_first_then_the_body_the_certificate_and_the_latency() {
    let all = "\"status\": 200, \"body\": \"ok\", \"contains\": \"k\", \"min_cert_days\": 1, \"max_latency_ms\": 1";
    let all = pulse(all);
    let cause = |seen| judged(&all, &seen).unwrap_err().cause;
    assert_eq!(cause(seen(500, b"no")), Cause::Status);
    assert_eq!(cause(seen(200, b"no")), Cause::Body);
    assert_eq!(cause(seen(200, b"ok")), Cause::Cert);
    let trusted_until = Some(time("2027-01-01T00:00:00Z"));
    assert_eq!(cause(Seen { trusted_until, ..seen(200, b"ok") }), Cause::Latency);
}

#[test]
fn a_certificate_must_be_valid_for_whole_days_to_the_second() {
    let judged = |until: Option<&str>| {
        let seen = Seen { trusted_until: until.map(time), ..seen(200, b"") };
        judged(&pulse("\"min_cert_days\": 14"), &seen).map_err(|miss| (miss.cause, miss.reason))
    };
    assert_eq!(judged(Some("2026-12-05T08:00:00Z")), Ok(()));
    let short = |until: &str, left: &str| {
        let reason = format!(
            "the certificate of example.com:443 is valid until {until}, {left} more; expected at least 14 days"
        );
        Err((Cause::Cert, reason))
    };
    for (until, left) in [
        ("2026-12-05T07:59:59Z", "13 days"),
        ("2026-11-23T07:59:59Z", "1 day"),
        ("2026-11-21T08:00:00Z", "0 days"),
        ("2026-11-21T07:59:59Z", "-1 days"),
    ] {
        assert_eq!(judged(Some(until)), short(until, left));
    }
    let plain = "example.com:443, where the redirects end, has no certificate: it is http; expected at least 14 days";
    assert_eq!(judged(None), Err((Cause::Cert, plain.into())));
}

#[test]
fn a_long_body_is_shown_around_the_first_difference() {
    let text = |middle: &str| format!("{}{middle}{}", "a".repeat(3000), "z".repeat(3000));
    let miss = judged(&pulse(&format!("\"body\": {:?}", text("X"))), &seen(200, text("Y").as_bytes())).unwrap_err();
    let around = |c: char| format!("\"…{}{c}{}…\"", "a".repeat(16), "z".repeat(31));
    let expected = format!("body differs at byte 3000: expected {}, got {}", around('X'), around('Y'));
    assert_eq!(miss.reason, expected);
    assert!(miss.got.unwrap().contains("aaaYzzz"));
}

#[test]
fn a_reason_keeps_its_sense_within_a_faults_256_bytes_however_long_its_parts() {
    let long = "\u{1b}".repeat(60_000);
    let codes = (100..=599).filter(|&code| code != 302).map(|code: u16| code.to_string()).collect::<Vec<_>>().join(",");
    let moved = Seen { redirect: to(&long), ..seen(302, long.as_bytes()) };
    for (fields, end) in [
        (format!("\"body\": \"{}\"", "x".repeat(60_000)), "…\""),
        (format!("\"body\": {}", serde_json::to_string(&long.replace('\u{1b}', "\r\n")).unwrap()), "…\""),
        (format!("\"contains\": \"{}\"", "\\u001b".repeat(9_000) + "x"), " bytes)"),
        (format!("\"status\": [{codes}]"), "or 599"),
        (format!("\"status\": [{codes}], \"redirects\": 5"), "or 599"),
        ("\"status\": 302, \"min_cert_days\": 3650".into(), "3650 days"),
    ] {
        let reason = reason(&fields, &Seen { host: "x".repeat(253), ..moved.clone() });
        assert!(reason.len() <= 256 && reason.ends_with(end), "{} bytes: {reason}", reason.len());
    }
}

#[test]
fn no_more_is_read_than_the_expectation_needs() {
    for (fields, status, needed) in [
        ("\"redirects\": 0", 200, Need::Nothing),
        ("\"status\": 200", 200, Need::Nothing),
        ("\"status\": 200, \"body\": \"ok\"", 503, Need::Nothing),
        ("\"body\": \"ok\"", 503, Need::UpTo(2 + 256)),
        ("\"body\": \"ok\", \"contains\": \"k\", \"max_latency_ms\": 5", 200, Need::UpTo(2 + 256)),
        ("\"contains\": \"k\"", 200, Need::Until("k")),
        ("\"contains\": \"k\", \"max_latency_ms\": 5", 200, Need::UpTo(READ_LIMIT)),
        ("\"max_latency_ms\": 5", 200, Need::UpTo(READ_LIMIT)),
        ("\"max_latency_ms\": 5", 404, Need::Nothing),
    ] {
        assert_eq!(need(&pulse(fields), status, &Redirect::None), needed, "{fields} {status}");
    }
    let following = pulse("\"body\": \"ok\", \"redirects\": 1");
    assert_eq!(need(&following, 302, &to("/b")), Need::Nothing);
}

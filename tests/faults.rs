//! Faults of networks and of S3 itself, against real sockets: each is told apart, ends in time with the right code, and
//! shows no secret at any level.

use std::fs;
use std::time::Duration;

use pulse_echo_testkit::agent::{Ended, Host, Level, OWN_TIMEOUT, SECRET, TOKEN, at_every_level};
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::server::{Reply, Server, date};
use pulse_echo_testkit::tls::Ca;

#[test]
fn a_store_that_is_busy_for_a_moment_is_asked_again() {
    at_every_level(|level| {
        for fault in
            [Reply::slow_down(), Reply::of(408, ""), Reply::of(500, ""), Reply::Closed, Reply::Reset, Reply::Truncated]
        {
            let server = Server::scripted(&[fault.clone(), Reply::ok()]);
            Host::of(level, &server.endpoint()).run(&["send"]).assert_sent();
            assert_eq!(server.heads().len(), 2, "{fault:?}");
        }
    });
}

#[test]
fn each_fault_that_stays_is_told_apart_when_the_time_is_up() {
    at_every_level(|level| {
        for (fault, words) in [
            (Reply::slow_down(), "HTTP 503 SlowDown (Please reduce your request rate), tried "),
            (Reply::s3_error(500, "InternalError", "We encountered an internal error."), "HTTP 500 InternalError"),
            (Reply::of(502, "<html>"), " times; the store, or a proxy before it, is busy or in trouble"),
            (Reply::Reset, "the connection was reset before the answer was complete, tried "),
            (Reply::Closed, "the connection was closed before the answer was complete, tried "),
            (Reply::Truncated, "the connection was closed before the answer was complete, tried "),
        ] {
            let server = Server::scripted(&[fault]);
            let output = Host::of(level, &server.endpoint()).run(&["send", "--timeout-s=2"]);
            output.assert(1, words).assert(1, "cannot put pulse/web-1.json in bucket \"pulses\" at http://127.0.0.1");
            assert!(server.heads().len() >= 2, "{words}");
        }
    });
}

#[test]
fn an_answer_whose_header_does_not_fit_is_told_at_once() {
    at_every_level(|level| {
        for (bytes, fits) in [(15_000, true), (16_384, false), (17_000, false), (200_000, false)] {
            let server = Server::scripted(&[Reply::ok().with("x-large", "x".repeat(bytes))]);
            let output = Host::of(level, &server.endpoint()).run(&["send"]);
            if fits {
                output.assert_sent();
            } else {
                let words = ": the answer's header is too large; check that the endpoint is an S3 service\n";
                output.assert(1, words);
            }
            assert_eq!(server.heads().len(), 1, "{bytes}: it would not be smaller another time");
        }
    });
}

#[test]
fn a_store_that_is_away_for_a_while_is_tried_until_it_is_back() {
    at_every_level(|level| {
        let server = Server::scripted(&[vec![Reply::slow_down(); 5], vec![Reply::ok()]].concat());
        Host::of(level, &server.endpoint()).run(&["send", "--timeout-s=3600"]).assert_sent();
        assert_eq!(server.heads().len(), 6);
    });
}

#[test]
fn a_hundred_pulses_that_cannot_be_sent_are_a_sum_and_end_at_the_answer_that_settles_it() {
    let bed = Bed::new();
    for n in 0..100 {
        bed.write(&format!("pulses.d/c{n:03}.json"), "{}");
    }
    let send =
        |server: &Server| Ended::of(bed.command(&["send", "--timeout-s=2"]).env("AWS_ENDPOINT_URL", server.endpoint()));
    for settles in [
        Reply::s3_error(404, "NoSuchBucket", "x"),
        Reply::s3_error(403, "InvalidAccessKeyId", "x"),
        Reply::s3_error(403, "SignatureDoesNotMatch", "x"),
        Reply::s3_error(400, "ExpiredToken", "x"),
        Reply::Junk,
        Reply::of(200, "<html>").with("x", "no S3"),
    ] {
        let server = Server::scripted(std::slice::from_ref(&settles));
        let ended = send(&server);
        assert_eq!(
            (ended.code, server.heads().len(), ended.stderr.lines().count()),
            (1, 1, 1),
            "{settles:?}: {ended:#?}"
        );
        assert!(ended.complaint().ends_with("; 99 more pulses were not sent for this reason"), "{ended:#?}");
    }
    // One key may be denied and the next one not.
    let server = Server::scripted(&[Reply::s3_error(403, "AccessDenied", "Access Denied").with("date", date(0))]);
    let denied = send(&server);
    assert_eq!((denied.code, server.heads().len(), denied.stderr.lines().count()), (1, 100, 1), "{denied:#?}");
    assert!(denied.complaint().contains("put pulse/web-1/c000.json"), "{denied:#?}");
}

#[test]
fn of_a_hundred_files_that_are_refused_ten_are_named_and_the_others_counted() {
    let bed = Bed::new();
    for n in 0..100 {
        bed.write(&format!("pulses.d/c{n:03}.json"), "{");
    }
    let sent = bed.run(&["send"]);
    assert_eq!((sent.code, sent.stderr.lines().count()), (2, 11), "{sent:#?}");
    assert!(sent.stderr.ends_with("pulse-echo: 90 more pulse files are refused\n"), "{sent:#?}");
}

#[test]
fn a_warning_that_changed_nothing_is_mailed_with_one_run_of_the_day() {
    let bed = Bed::with_clock(1_000);
    let warned = |every_s: u32| {
        bed.write("pulse.json", &format!("{{\"every_s\": {every_s}, \"timeout_s\": 1}}"));
        let sent = bed.run(&["send", "-q"]);
        assert_eq!((sent.code, sent.stdout.as_str()), (0, ""), "{sent:#?}");
        sent.stderr
    };
    assert!(warned(86_400).contains("signed with the store's time instead"), "its only run of the day");
    let since_midnight = || jiff::Timestamp::now().as_second().rem_euclid(86_400);
    let before = since_midnight();
    let warning = warned(15);
    // Within the first seconds of a day it is due.
    assert!(warning.is_empty() || before < 16 || since_midnight() < 16, "{warning}");
    let asked = bed.run(&["send", "-v"]);
    assert!(asked.stderr.contains("signed with the store's time instead"), "{asked:#?}");
}

#[test]
fn an_answer_that_repeats_the_signed_url_or_the_keys_is_not_shown_with_them() {
    at_every_level(|level| {
        let message = format!(
            "for http://s3/pulses/x?X-Amz-Credential=a&amp;X-Amz-Signature=0123 and X-Amz-Signature=4567 by {SECRET} \
             with {TOKEN} no"
        );
        let server = Server::scripted(&[Reply::s3_error(400, "Odd", &message)]);
        let output = Host::of(level, &server.endpoint()).run(&["send"]);
        output.assert(1, "HTTP 400 Odd (for http://s3/pulses/x?… and … by … with … no)");
    });
}

#[test]
fn a_refusal_for_good_is_not_tried_again() {
    at_every_level(|level| {
        for (fault, words) in [
            (Reply::s3_error(404, "NoSuchBucket", "The bucket is not there."), "HTTP 404 NoSuchBucket"),
            (
                Reply::s3_error(403, "AccessDenied", "Access Denied").with("date", date(0)),
                "policy of these credentials",
            ),
            (Reply::s3_error(403, "SignatureDoesNotMatch", "x"), "the secret access key does not belong"),
            (Reply::s3_error(400, "ExpiredToken", "x"), "get new temporary credentials"),
            (Reply::Junk, "the answer is not HTTP"),
            (Reply::of(301, "moved").with("location", "http://127.0.0.1:1/x"), "HTTP 301"),
        ] {
            let server = Server::scripted(&[fault]);
            Host::of(level, &server.endpoint()).run(&["send"]).assert(1, words);
            assert_eq!(server.heads().len(), 1, "{words}");
        }
    });
}

#[test]
fn a_store_that_says_when_to_come_back_is_asked_then_and_not_before() {
    at_every_level(|level| {
        for value in [|| "2".to_string(), || date(2)] {
            let busy = Reply::of(429, "").with("retry-after", value()).with("date", date(0));
            let server = Server::scripted(&[busy, Reply::ok()]);
            let output = Host::of(level, &server.endpoint()).run(&["send"]);
            output.assert_sent();
            assert!(output.took >= Duration::from_secs(2), "{output:#?}");
        }
    });
}

#[test]
fn a_store_that_wants_longer_than_there_is_time_is_not_waited_for() {
    at_every_level(|level| {
        for value in ["3600", "18446744073709551615"] {
            let server = Server::scripted(&[Reply::of(429, "").with("retry-after", value)]);
            let output = Host::of(level, &server.endpoint()).run(&["send"]);
            output.assert(1, "HTTP 429");
            assert!(output.took < OWN_TIMEOUT && server.heads().len() == 1, "{output:#?}");
        }
    });
}

#[test]
fn a_proxy_that_says_an_hour_is_asked_again_since_the_store_may_be_back_in_seconds() {
    let away = || Reply::of(503, "<html>maintenance").with("retry-after", "3600");
    let server = Server::scripted(&[away(), away(), Reply::ok()]);
    Host::of(Level::Plain, &server.endpoint()).run(&["send"]).assert_sent();
}

#[test]
fn a_store_that_hangs_costs_no_more_than_the_deadline() {
    at_every_level(|level| {
        let server = Server::scripted(&[Reply::Silence]);
        let output = Host::of(level, &server.endpoint()).run(&["send", "--timeout-s=2"]);
        output.assert(1, "no whole answer in time");
        assert!(output.took >= Duration::from_millis(1500) && output.took < OWN_TIMEOUT, "{output:#?}");
    });
}

#[test]
fn a_store_that_hangs_once_leaves_time_for_another_try() {
    at_every_level(|level| {
        let server = Server::scripted(&[Reply::Silence, Reply::ok()]);
        let output = Host::of(level, &server.endpoint()).run(&["send", "--timeout-s=10"]);
        output.assert_sent();
        assert_eq!(server.heads().len(), 2, "{output:#?}");
    });
}

#[test]
fn a_port_where_nobody_listens_and_a_name_that_is_none_are_told_apart() {
    at_every_level(|level| {
        let refused = Host::of(level, "http://127.0.0.1:1").run(&["send", "--timeout-s=2"]);
        refused.assert(1, "the connection was refused, tried ").assert(1, " times; check the endpoint");
        let unknown = Host::of(level, "http://no-such-host.invalid").run(&["send", "--timeout-s=2"]);
        unknown.assert(1, "the name no-such-host.invalid does not resolve");
    });
}

#[test]
fn a_plugins_answer_to_every_fault_is_unknown() {
    at_every_level(|level| {
        let output = Host::of(level, "http://127.0.0.1:1").run(&["run", "--wait=1", "--timeout-s=2"]);
        assert!(
            output.code == 3 && output.stdout.starts_with("ECHO UNKNOWN - web-1: the connection was refused"),
            "{output:#?}"
        );
    });
}

#[test]
fn a_certificate_that_cannot_be_trusted_is_told_apart_and_not_tried_again() {
    let (ours, anew, theirs) = (Ca::new("ours"), Ca::new("ours"), Ca::new("theirs"));
    at_every_level(|level| {
        for (certificate, words) in [
            (theirs.server("localhost", 2090), "the certificate's issuer \"theirs\" is not trusted"),
            (anew.server("localhost", 2090), "not signed by the trusted CA that has its issuer's name"),
            (ours.server("s3.example.com", 2090), "the certificate is not for localhost, but for s3.example.com"),
            (ours.server("localhost", 2020), "the certificate expired on 2020-12-31T00:00:00Z"),
        ] {
            let server = Server::with_tls(certificate, |_| Reply::ok());
            let host = Host::of(level, &format!("https://localhost:{}", server.port()));
            let ca = host.write("ca.pem", &ours.pem());
            let output = host.run(&["send", "--ca-file", ca.to_str().unwrap()]);
            output.assert(1, words).assert(1, "a private CA goes into ca_file");
            assert!(!output.stderr.contains("tried") && server.heads().is_empty(), "{output:#?}");
        }
    });
}

#[test]
fn a_private_ca_is_trusted_where_it_is_named() {
    let ca = Ca::new("ours");
    at_every_level(|level| {
        let server = Server::with_tls(ca.server("localhost", 2090), |_| Reply::ok());
        let host = Host::of(level, &format!("https://localhost:{}", server.port()));
        let file = host.write("ca.pem", &ca.pem());
        host.with("AWS_CA_BUNDLE", file.to_str().unwrap()).run(&["send"]).assert_sent();
    });
}

#[test]
fn a_server_that_never_speaks_tls_costs_no_more_than_the_deadline() {
    at_every_level(|level| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let output = Host::of(level, &format!("https://localhost:{port}")).run(&["send", "--timeout-s=2"]);
        output.assert(1, "no whole answer in time");
        assert!(output.took < OWN_TIMEOUT, "{output:#?}");
    });
}

#[test]
fn no_pulse_is_lost_when_many_hosts_come_at_once() {
    let s3 = Bed::temporary("us-east-1", 0);
    let host = Host::of(Level::Plain, &s3.endpoint());
    std::thread::scope(|scope| {
        for name in 0..200 {
            let host = &host;
            scope.spawn(move || {
                let output = host.run(&["send", "--quiet", &format!("--host=web-{name}")]);
                assert!(output.code == 0 && output.stderr.is_empty(), "{output:#?}");
            });
        }
    });
    assert!(fs::read_dir(host.home.path()).unwrap().count() == 2, "nothing was left behind");
}

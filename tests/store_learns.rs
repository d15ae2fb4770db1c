//! What the store's client learns from refusals (its clock, its region), and what it says of writes whose answer was
//! lost.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::store::Condition;
use pulse_echo_testkit::agent::{Host, Level, at_every_level};
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::server::{Reply, Server, date};
use pulse_echo_testkit::store::store;

const EXPIRED: (&str, &str) = ("AccessDenied", "Request has expired");
const EARLY: (&str, &str) = ("AccessDenied", "Request is not yet valid");

/// A pulse a day: each run is the one of its day, in which warnings are told.
const DAILY: &str = "{\"every_s\": 86400}";

/// A host whose runs tell their warnings.
fn daily(level: Level, endpoint: &str) -> Host {
    let host = Host::of(level, endpoint);
    host.write("pulse.json", DAILY);
    host
}

#[test]
fn a_clock_that_is_wrong_by_less_than_a_day_gets_through_with_one_warning() {
    // Answers are in whole seconds, so the difference is not exact to the second.
    for (ahead, words) in [(86_375, "behind the store's"), (-86_375, "ahead of the store's")] {
        let s3 = Bed::temporary("us-east-1", ahead);
        at_every_level(|level| {
            let host = daily(level, &s3.endpoint());
            for check in ["db", "web"] {
                host.write(&format!("pulses.d/{check}.json"), DAILY);
            }
            let output = host.run(&["send"]);
            output.assert_sent().assert_one_warning("this machine's clock is 23 h 59 min ").assert_one_warning(words);
            assert_eq!(output.stdout.lines().count(), 3, "{output:#?}");
        });
    }
}

#[test]
fn without_tls_no_request_is_signed_for_a_day_that_anybody_on_the_way_may_have_written() {
    for ahead in [2 * 86_400, -2 * 86_400] {
        let s3 = Bed::temporary("us-east-1", ahead);
        at_every_level(|level| {
            let output = daily(level, &s3.endpoint()).run(&["send"]);
            output
                .assert(1, "HTTP 403")
                .assert(1, " d")
                .assert(1, "this machine's clock is ")
                .assert(1, "set it, and keep it set");
        });
        s3.set_clock(0);
        assert_eq!(s3.keys(), [] as [&str; 0]);
    }
}

#[test]
fn a_refusal_that_the_clock_does_not_explain_is_signed_once_more_and_no_more() {
    at_every_level(|level| {
        for ((code, message), seconds) in [(EXPIRED, 7200), (EARLY, -7200), (("AccessDenied", "Access Denied"), 31)] {
            let denied = Reply::s3_error(403, code, message).with("date", date(seconds));
            let server = Server::scripted(&[denied]);
            let output = daily(level, &server.endpoint()).run(&["send"]);
            output.assert(1, "HTTP 403 AccessDenied").assert_one_warning("this machine's clock is");
            assert_eq!(server.heads().len(), 2, "{message}");
        }
        // Within half a minute, the clock is not to blame.
        let denied = Reply::s3_error(403, "AccessDenied", "Access Denied").with("date", date(-28));
        let server = Server::scripted(&[denied]);
        let output = daily(level, &server.endpoint()).run(&["send"]);
        output.assert(1, "HTTP 403 AccessDenied");
        assert!(server.heads().len() == 1 && !output.stderr.contains("WARN"), "{output:#?}");
    });
}

#[test]
fn a_bucket_in_another_region_is_followed_there_with_one_warning() {
    let s3 = Bed::temporary("eu-west-1", 0);
    at_every_level(|level| {
        let host = daily(level, &s3.endpoint()).with("AWS_REGION", "eu-central-1");
        host.write("pulses.d/db.json", DAILY);
        host.run(&["send"]).assert_sent().assert_one_warning("the bucket pulses is in eu-west-1, not in eu-central-1");
    });
}

#[test]
fn a_redirect_to_another_region_is_followed_once() {
    at_every_level(|level| {
        for status in [301, 307] {
            let moved = Reply::s3_error(status, "PermanentRedirect", "x").with("x-amz-bucket-region", "eu-west-1");
            let server = Server::scripted(&[moved, Reply::ok()]);
            daily(level, &server.endpoint()).run(&["send"]).assert_sent().assert_one_warning("is in eu-west-1");
            assert!(server.heads()[1].contains("%2Feu-west-1%2Fs3"), "{:?}", server.heads());
        }
        let hop = |region| Reply::s3_error(301, "PermanentRedirect", "x").with("x-amz-bucket-region", region);
        let server = Server::scripted(&[hop("eu-west-1"), hop("eu-west-2")]);
        let output = daily(level, &server.endpoint()).run(&["send"]);
        output.assert(1, "the bucket is in another region: correct the region");
        assert_eq!(server.heads().len(), 2);
        let server = Server::scripted(&[hop("evil.example/")]);
        daily(level, &server.endpoint()).run(&["send"]).assert(1, "HTTP 301 PermanentRedirect");
        assert_eq!(server.heads().len(), 1);
    });
}

fn key() -> Key {
    Key::pulse(&CheckId::new(&"web-1".parse().unwrap(), None))
}

#[test]
fn a_condition_that_fails_after_a_lost_answer_is_in_doubt_and_otherwise_it_is_not() {
    let failed = Reply::s3_error(412, "PreconditionFailed", "x");
    for (replies, in_doubt) in [
        (vec![failed.clone()], false),
        (vec![Reply::slow_down(), failed.clone()], false),
        (vec![Reply::Closed, failed.clone()], true),
        (vec![Reply::of(500, ""), Reply::slow_down(), failed.clone()], true),
    ] {
        let server = Server::scripted(&replies);
        let error =
            store(&server.endpoint()).put(&key(), "a/b", b"x", &Metadata::default(), &Condition::IfAbsent).unwrap_err();
        assert_eq!((error.is_in_doubt(), error.is_precondition()), (in_doubt, !in_doubt), "{replies:?}: {error}");
        assert_eq!(server.heads().len(), replies.len(), "{replies:?}");
        assert_eq!(error.to_string().contains("an earlier try may have been what changed it"), in_doubt, "{error}");
    }
}

#[test]
fn a_conflict_with_another_conditional_write_is_tried_again() {
    let server = Server::scripted(&[Reply::s3_error(409, "ConditionalRequestConflict", "x"), Reply::ok()]);
    let condition = Condition::IfMatch("\"e\"".into());
    assert_eq!(
        store(&server.endpoint()).put(&key(), "a/b", b"x", &Metadata::default(), &condition).unwrap().etag,
        "\"e\""
    );
    assert!(server.heads().iter().all(|head| head.contains("if-match: \"e\"")), "{:?}", server.heads());
}

#[test]
fn a_body_that_is_cut_off_is_fetched_again() {
    let whole = Reply::of(200, "whole").with("last-modified", date(0)).with("date", date(0));
    let server = Server::scripted(&[Reply::Truncated, whole]);
    assert_eq!(store(&server.endpoint()).get(&key(), 100).unwrap().body.as_deref(), Some(b"whole".as_slice()));
}

#[test]
fn what_is_learnt_of_the_clock_is_kept_and_told() {
    let behind = 7200;
    let server = Server::replying(move |head| {
        let hour = (Timestamp::now() - SignedDuration::from_secs(behind)).strftime("X-Amz-Date=%Y%m%dT%H");
        let reply = if head.contains(&hour.to_string()) { Reply::ok() } else { Reply::s3_error(403, EARLY.0, EARLY.1) };
        reply.with("date", date(-behind))
    });
    let store = store(&server.endpoint());
    assert_eq!(store.skew_s(), None);
    for _ in 0..2 {
        let taken = store.put(&key(), "a/b", b"x", &Metadata::default(), &Condition::Always).unwrap();
        for skew in [taken.skew_s, store.until(Instant::now()).skew_s()] {
            assert!((7198.0..7202.0).contains(&skew.unwrap()), "{skew:?}");
        }
    }
    assert_eq!(server.heads().len(), 3, "the second was signed well at once");
}

#[test]
fn a_list_is_signed_page_by_page() {
    let bed = Bed::temporary("eu-west-1", 7200);
    let store = bed.store();
    for n in 0..1001 {
        let key = Key::pulse(&CheckId::from_pulse_key(&format!("pulse/a+b/{n:04} &.json")).unwrap());
        store.put(&key, "a/b", b"{}", &Metadata::default(), &Condition::Always).unwrap();
    }
    let pages: Vec<_> = store.list("pulse/a+b/").collect::<Result<_, _>>().unwrap();
    assert_eq!(pages.iter().map(|page| page.entries.len()).collect::<Vec<_>>(), [1000, 1]);
    assert_eq!(pages[1].entries[0].key, "pulse/a+b/1000 &.json");
}

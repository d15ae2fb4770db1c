mod older;

use std::time::Duration;

use super::*;
use crate::answer::Cause;

fn time(minute: i64) -> Time {
    Time::from_second(1_795_248_000 + 60 * minute)
}

fn id(text: &str) -> CheckId {
    text.to_string().try_into().unwrap()
}

/// A typical check: up, answered, never down.
fn up() -> Record {
    let etag = "\"0123456789abcdef0123456789abcdef\"".into();
    Record {
        state: State::Up,
        since: time(0),
        limits: Some(Limits { etag, every_s: 600, limit_s: 900, faults_in_row: None }),
        echo: Some(time(1)),
        ..Record::new(time(1))
    }
}

fn failing(told: Told) -> Record {
    Record {
        state: State::Failing,
        fault: Some(Box::new(SeenFault {
            at: time(2),
            etag: "\"f\"".into(),
            pulse_at: Some(time(2)),
            cause: Some(Cause::Body),
            reason: Some("body differs".into()),
        })),
        unread: Some(time(1)),
        turn: Some(Turn { since: time(1), refused: true }),
        in_row: 1,
        waiting: Some(time(2)),
        missing: Some(Missing { since: time(3), with_many: true }),
        outage: Some(Box::new(Outage { since: time(2), noticed: time(3), muted: Some(time(4)), told: Some(told) })),
        over: Some(Box::new(Gap { from: time(0), until: time(1) })),
        telling: Some(Box::new(Telling {
            down: vec![time(2)],
            flaps: Some(Flaps { changed: time(2), wait_s: 900, silence: true }),
            held: Some(Box::new(Ended {
                since: Some(time(1)),
                until: time(2),
                was: State::Failing,
                cause: Some(Cause::Body),
                reason: Some("body differs".into()),
                ack: Some(Acknowledged { by: Some("alice@ops".into()), reason: None }),
                to: Some(["slack".to_string()].into()),
                host_since: Some(time(1)),
                causes: vec!["status".into()],
            })),
        })),
        retired: true,
        history: vec![Change { at: time(2), state: State::Failing, cause: Some(Cause::Body) }],
        ..up()
    }
}

#[expect(clippy::too_many_lines, reason = "each field once")]
pub(super) fn full() -> Status {
    let down = Down {
        check: id("web-1/db.json"),
        since: time(2),
        state: State::Failing,
        pulse: time(2),
        limit_s: Some(900),
        cause: Some(Cause::Body),
        reason: Some("body differs".into()),
        echo: Some(time(1)),
        words: [("load1".to_string(), "48".to_string())].into(),
        others: 3,
        other_hosts: 1,
        state_since: Some(time(2)),
        began: Some(State::Silent),
        flaps: true,
    };
    let message = |fact| Message {
        id: "00ff".into(),
        at: time(3),
        owed: ["slack".to_string(), "sns".to_string()].into(),
        waits: true,
        whole: ["sns".to_string()].into(),
        host_since: Some(time(1)),
        causes: vec!["status".into()],
        fact,
    };
    let told = Told {
        at: time(3),
        next: time(243),
        step_s: 14_400,
        causes: vec!["body".into()],
        changed: Some(time(3)),
        back: true,
        anyway: true,
        to: Some(["slack".to_string()].into()),
        host_since: Some(time(1)),
    };
    let back_off = BackOff {
        failures: 2,
        until: time(5),
        since: Some(time(1)),
        why: "status 500".into(),
        told: Some(time(3)),
        worked: Some(time(4)),
        refused: 1,
    };
    Status {
        stopped: Some(time(0)),
        lease: Some(Lease { by: "request-1".into(), until: time(4) }),
        channels: [("slack".to_string(), back_off)].into(),
        gaps: vec![Gap { from: time(-60), until: time(-30) }],
        many_down: Some(time(2)),
        many_told: Some(ManyTold { hosts: 5, causes: vec!["silent".into()] }),
        vanished: Some(Vanished { since: time(1), checks: 4, hosts: 3, told_hosts: 3 }),
        noise: [("web-1".to_string(), vec![time(1), time(2)])].into(),
        unanswered: Some(Unanswered {
            since: time(1),
            checks: 2,
            hosts: 1,
            told_hosts: 1,
            none_since: None,
            told: Some(told.clone()),
        }),
        crowded: [("web-3".to_string(), Crowded { since: time(1), over: Some(time(2)) })].into(),
        mutes: [(
            id("web-2.json"),
            Muted { etag: "\"m\"".into(), at: time(0), for_s: 600, reason: None, listed: None },
        )]
        .into(),
        acks: [(
            id("web-1/db.json"),
            Acked {
                etag: "\"a\"".into(),
                at: time(3),
                outage: Some(time(2)),
                word: Acknowledged { by: Some("alice@ops".into()), reason: Some("new disks".into()) },
            },
        )]
        .into(),
        unfiled: Some(Unfiled {
            outages: vec![UnfiledOutage {
                check: id("web-1.json"),
                first: time(0),
                outage: PastOutage {
                    from: time(1),
                    until: time(2),
                    state: State::Failing,
                    cause: Some(Cause::Body),
                    reason: Some("body differs".into()),
                    muted: true,
                },
            }],
            dark: vec![Gap { from: time(0), until: time(9) }],
            begins: Some(time(0)),
            dropped: 3,
            unusable: Some("\"u\"".into()),
        }),
        outbox: vec![
            message(Fact::Down(down.clone())),
            message(Fact::StillDown { down, told: time(3), changed: true, back: true }),
            message(Fact::Vanished { checks: 2, of: 2, hosts: 2, of_hosts: 2, some: vec![id("web-1.json")] }),
            message(Fact::Counted {
                hosts: Hosts([("web-9".to_string(), Changes { silent: 1, ..Changes::default() })].into()),
            }),
            message(Fact::Test),
        ],
        checks: [(id("web-1/db.json"), failing(told)), (id("web-1.json"), up())].into(),
        ..Status::new(time(3))
    }
}

#[test]
fn a_status_comes_back_as_it_was_written() {
    let json = full().to_json();
    assert_eq!(Status::from_json(&json).unwrap(), full());
    assert_eq!(Status::from_json(&Status::new(time(0)).to_json()).unwrap(), Status::new(time(0)));
}

#[test]
fn checks_are_in_the_stores_key_order() {
    let mut status = Status::new(time(0));
    for text in ["web.json", "web-1.json", "web/a.json", "Web.json", "käse.json"] {
        status.checks.insert(id(text), up());
    }
    let json = String::from_utf8(status.to_json()).unwrap();
    let place = |text: &str| json.find(&format!("{text:?}:")).unwrap();
    let places = ["Web.json", "käse.json", "web-1.json", "web.json", "web/a.json"].map(place);
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn a_check_that_was_never_down_takes_at_most_300_bytes() {
    let with = |checks: &[&str]| {
        let mut status = Status::new(time(0));
        status.checks = checks.iter().map(|text| (id(text), up())).collect();
        status.to_json().len()
    };
    let longest_of_dns = format!("{}.json", "x".repeat(63));
    assert!(with(&[&longest_of_dns]) - with(&[]) <= 300, "{}", with(&[&longest_of_dns]) - with(&[]));
}

#[test]
fn a_newer_format_is_told_apart_from_an_unreadable_one() {
    let newer = Status::from_json(b"{\"version\": 2, \"checks\": [\"quite another form\"]}").unwrap_err();
    assert_eq!(newer, Unusable::Newer { file: "status.json", version: 2, known: 1 });
    assert!(newer.to_string().contains("of version 2, and this program knows 1"), "{newer}");
    let json = full().to_json();
    for text in [&b""[..], b"{}", b"null", b"{\"version\": 1}", b"{\"version\": \"1\"}", &json[..json.len() / 2]] {
        assert!(matches!(Status::from_json(text), Err(Unusable::Unreadable { .. })), "{text:?}");
    }
}

#[test]
fn one_bad_record_or_message_does_not_stop_the_rest() {
    let json = String::from_utf8(full().to_json()).unwrap();
    let json =
        json.replacen("{\"state\":\"up\"", "{\"state\":\"moon\"", 1).replacen("\"kind\":\"test\"", "\"kind\":7", 1);
    let json = json.replacen("\"checks\":{", "\"checks\":{\"../a\":{},\"a/\":3,", 1);
    let status = Status::from_json(json.as_bytes()).unwrap();
    assert_eq!(status.checks.keys().map(CheckId::as_str).collect::<Vec<_>>(), ["web-1/db.json"]);
    assert_eq!(status.outbox, full().outbox[..4]);
}

#[test]
fn fields_that_are_not_known_are_ignored() {
    let json = String::from_utf8(full().to_json()).unwrap().replace("{\"state\":", "{\"new\":[1],\"state\":");
    assert_eq!(Status::from_json(json.as_bytes()).unwrap(), full());
}

#[test]
fn late_is_between_the_interval_and_the_limit() {
    let record = up();
    for (age_s, late) in [(600, false), (601, true), (900, true), (901, false)] {
        assert_eq!(record.is_late(record.pulse + Duration::from_secs(age_s)), late, "{age_s}");
    }
}

#[test]
fn the_lists_of_a_record_that_was_read_take_no_more_room_than_they_need() {
    let status = Status::from_json(&full().to_json()).unwrap();
    let mut lists = 0;
    for record in status.checks.values() {
        assert_eq!(record.history.capacity(), record.history.len());
        let told = record.outage.iter().filter_map(|outage| outage.told.as_ref());
        lists += told.inspect(|told| assert_eq!(told.causes.capacity(), told.causes.len())).count();
        let telling = record.telling.iter();
        lists += telling.inspect(|telling| assert_eq!(telling.down.capacity(), telling.down.len())).count();
    }
    assert!(lists > 0);
}

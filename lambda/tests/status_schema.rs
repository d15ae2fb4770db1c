//! `docs/status.schema.json` says what `status.json` is: no more, and no less. What the sweeps of the other tests write
//! is held against it by their fleet.

use std::collections::BTreeSet;

use pulse_echo_core::answer::Cause;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::status::{
    Acked, Acknowledged, Ahead, BackOff, Change, Changes, Crowded, Down, Ended, Fact, FirstSeen, Flaps, Gap, Hosts,
    Lease, Limits, ManyTold, Message, Missing, Muted, Outage, PastOutage, Record, SeenFault, SetBack, State, Status,
    Still, Telling, Told, Turn, Unanswered, Unfiled, UnfiledOutage, Vanished,
};
use pulse_echo_testkit::fleet::{Fleet, time};
use pulse_echo_testkit::schema::{misfit, schema};
use pulse_echo_testkit::store::id;
use serde_json::{Value, json};

/// A status with all that one may hold.
fn everything() -> Status {
    let told = Told {
        at: time(3),
        next: time(14_403),
        step_s: 14_400,
        causes: vec!["body".into()],
        changed: Some(time(3)),
        back: true,
        anyway: true,
        to: Some(["slack".to_string()].into()),
        host_since: Some(time(1)),
    };
    let first_seen = Some(FirstSeen { listed: time(9), counts: time(3) });
    let failing = Record {
        state: State::Failing,
        since: time(2),
        limits: Some(limits()),
        echo: Some(time(1)),
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
        ahead: Some(Box::new(Ahead { pulse: first_seen, echo: first_seen, fault: first_seen, note: first_seen })),
        outage: Some(Box::new(Outage {
            since: time(2),
            noticed: time(3),
            muted: Some(time(4)),
            told: Some(told.clone()),
        })),
        over: Some(Box::new(Gap { from: time(0), until: time(1) })),
        telling: Some(Box::new(Telling {
            down: vec![time(2)],
            flaps: Some(Flaps { changed: time(2), wait_s: 900, silence: true }),
            held: Some(Box::new(held())),
        })),
        retired: true,
        history: vec![Change { at: time(2), state: State::Failing, cause: Some(Cause::Body) }],
        ..Record::new(time(2))
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
    let reason = Some("down for repair".to_string());
    let back_off = BackOff {
        since: Some(time(1)),
        why: "status 500".into(),
        told: Some(time(3)),
        worked: Some(time(4)),
        refused: 1,
        ..BackOff::new(2, time(5))
    };
    Status {
        stopped: Some(time(0)),
        lease: Some(Lease { by: "request-1".into(), until: time(4) }),
        channels: [("slack".to_string(), back_off)].into(),
        gaps: vec![Gap { from: time(-60), until: time(-30) }],
        many_down: Some(time(2)),
        many_told: Some(ManyTold { hosts: 5, causes: vec!["silent".into()] }),
        vanished: Some(Vanished { since: time(1), checks: 4, hosts: 3, told_hosts: 3 }),
        noise: [("web-1".to_string(), vec![time(1)])].into(),
        unanswered: Some(Unanswered {
            since: time(1),
            checks: 2,
            hosts: 1,
            told_hosts: 1,
            none_since: Some(time(3)),
            told: Some(told),
        }),
        set_back: Some(SetBack { told: time(1), last: time(2) }),
        crowded: [("web-3".to_string(), Crowded { since: time(1), over: Some(time(2)) })].into(),
        unfiled: Some(unfiled()),
        mutes: [(id("web-2"), Muted { etag: "\"m\"".into(), at: time(0), for_s: 600, reason, listed: Some(time(9)) })]
            .into(),
        acks: [(id("web-1/db"), Acked { etag: "\"a\"".into(), at: time(3), outage: Some(time(2)), word: word() })]
            .into(),
        outbox: facts().into_iter().map(message).collect(),
        checks: [(id("web-1/db"), failing), (id("web-1"), Record::new(time(0)))].into(),
        ..Status::new(time(3))
    }
}

fn held() -> Ended {
    Ended {
        since: Some(time(1)),
        until: time(2),
        was: State::Failing,
        cause: Some(Cause::Body),
        reason: Some("body differs".into()),
        ack: Some(word()),
        to: Some(["slack".to_string()].into()),
        host_since: Some(time(1)),
        causes: vec!["status".into()],
    }
}

fn word() -> Acknowledged {
    Acknowledged { by: Some("alice@ops-1".into()), reason: Some("disk ordered".into()) }
}

fn unfiled() -> Unfiled {
    Unfiled {
        outages: vec![UnfiledOutage {
            check: id("web-1"),
            first: time(0),
            outage: PastOutage {
                from: time(0),
                until: time(1),
                state: State::Failing,
                cause: Some(Cause::Body),
                reason: Some("body differs".into()),
                muted: true,
            },
        }],
        dark: vec![Gap { from: time(-60), until: time(-30) }],
        begins: Some(time(0)),
        dropped: 1,
        unusable: Some("\"u\"".into()),
    }
}

fn limits() -> Limits {
    Limits { etag: "\"0123456789abcdef0123456789abcdef\"".into(), every_s: 600, limit_s: 900, faults_in_row: Some(3) }
}

/// One of each kind, with all that it may say. The match has no other arm: a new kind does not compile before it is
/// here.
fn facts() -> Vec<Fact> {
    let names = ["uptime-s", "load1", "mem-available-kb", "disk-free-pct", "disk-at", "sent-at", "agent"];
    let words: Metadata = names.map(|name| (name.to_string(), "48".to_string())).into();
    let (check, since, some, reason) = (id("web-1/db"), time(2), vec![id("web-1")], Some("body differs".to_string()));
    let (cause, state, until) = (Some(Cause::Body), State::Failing, time(9));
    let down = Down {
        check: check.clone(),
        since,
        state,
        pulse: since,
        limit_s: Some(900),
        cause,
        reason: reason.clone(),
        echo: Some(time(1)),
        words,
        others: 3,
        other_hosts: 1,
        state_since: Some(time(4)),
        began: Some(State::Silent),
        flaps: true,
    };
    let facts = vec![
        Fact::Down(down.clone()),
        Fact::StillDown { down, told: since, changed: true, back: true },
        Fact::Up {
            check: check.clone(),
            since,
            until,
            was: state,
            cause,
            reason: reason.clone(),
            steady: Some(until),
            still: Some(Still { checks: 1, some: some.clone() }),
            ack: Some(word()),
        },
        Fact::Gone { check: check.clone(), pulse: since, since: Some(since), retired: true },
        Fact::New { check },
        Fact::ManyDown { down: 12, of: 40, hosts: 6, of_hosts: 20, state, cause, alike: 11, alike_hosts: 5 },
        Fact::Vanished { checks: 2, of: 2, hosts: 2, of_hosts: 2, some: some.clone() },
        Fact::Found { since, until, checks: 4, hosts: 3 },
        Fact::Unanswered { since, checks: 2, hosts: 1, some: some.clone(), told: Some(since) },
        Fact::Answered { since, until, checks: 2, hosts: 1 },
        Fact::Gap { from: since, until, quiet_until: Some(until), spared: 1, hosts: 1, some },
        Fact::Stopped { at: since },
        Fact::Started { stopped: since },
        Fact::StatusUnreadable { copy: "status-bad-2026-11-21T08:30:00Z.json".into(), why: "it is empty".into() },
        Fact::StatusMissing { swept: since },
        Fact::StatusUnusable { why: "it is too large".into() },
        Fact::HistoryTrouble { why: "it is gone".into() },
        Fact::ChannelFails { channel: "slack".into(), since, why: "status 500".into() },
        Fact::ChannelWorks { channel: "slack".into(), since, until },
        Fact::Refused { what: "down".into(), about: Some("web-1/db".into()), why: "status 413".into() },
        Fact::Crowded { host: "web-1".into(), names: 60_000, most: 500 },
        Fact::Uncrowded { host: "web-1".into(), since, until },
        Fact::SetBack { ahead: until, by_s: 7_200, checks: 1, hosts: 1, some: vec![id("web-1")] },
        Fact::Counted { hosts: Hosts([("web-1".to_string(), all_changes())].into()) },
        Fact::Untaken { kinds: vec!["gone".into()], checks: 1, hosts: 1, some: vec![id("web-1")] },
        Fact::Test,
    ];
    let kind = |fact: &Fact| match fact {
        Fact::Down(_) => 0,
        Fact::StillDown { .. } => 1,
        Fact::Up { .. } => 2,
        Fact::Gone { .. } => 3,
        Fact::New { .. } => 4,
        Fact::ManyDown { .. } => 5,
        Fact::Vanished { .. } => 6,
        Fact::Found { .. } => 7,
        Fact::Unanswered { .. } => 8,
        Fact::Answered { .. } => 9,
        Fact::Gap { .. } => 10,
        Fact::Stopped { .. } => 11,
        Fact::Started { .. } => 12,
        Fact::StatusUnreadable { .. } => 13,
        Fact::StatusMissing { .. } => 14,
        Fact::StatusUnusable { .. } => 15,
        Fact::HistoryTrouble { .. } => 16,
        Fact::ChannelFails { .. } => 17,
        Fact::ChannelWorks { .. } => 18,
        Fact::Refused { .. } => 19,
        Fact::Crowded { .. } => 20,
        Fact::Uncrowded { .. } => 21,
        Fact::SetBack { .. } => 22,
        Fact::Counted { .. } => 23,
        Fact::Untaken { .. } => 24,
        Fact::Test => 25,
    };
    assert!(facts.iter().map(kind).eq(0..26), "each kind once");
    facts
}

fn all_changes() -> Changes {
    Changes { silent: 1, failing: 2, still_down: 3, up: 4, were_down: 5, gone: 6, new: 7 }
}

fn as_json(status: &Status) -> Value {
    serde_json::from_slice(&status.to_json()).unwrap()
}

/// The names of all fields of a value; what is kept by a name of somebody else's is passed through.
fn fields(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| fields(value, names)),
        Value::Object(object) => {
            for (name, value) in object {
                names.insert(name.clone());
                match (name.as_str(), value) {
                    ("words", _) => {}
                    // `checks` is also a number, in facts.
                    ("checks" | "mutes" | "acks" | "channels" | "crowded" | "noise", Value::Object(entries)) => {
                        entries.values().for_each(|value| fields(value, names));
                    }
                    _ => fields(value, names),
                }
            }
        }
        _ => {}
    }
}

/// The names of all properties that a schema describes.
fn properties(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Array(schemas) => schemas.iter().for_each(|schema| properties(schema, names)),
        Value::Object(object) => {
            for (keyword, schema) in object {
                match (keyword.as_str(), schema) {
                    ("properties" | "$defs", Value::Object(described)) => {
                        names.extend(described.keys().filter(|_| keyword == "properties").cloned());
                        described.values().for_each(|schema| properties(schema, names));
                    }
                    _ => properties(schema, names),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn everything_that_a_status_may_hold_is_in_the_schema_and_nothing_else() {
    let status = as_json(&everything());
    assert_eq!(misfit(&status), None);
    let (mut held, mut described) = (BTreeSet::new(), BTreeSet::new());
    fields(&status, &mut held);
    properties(&schema(), &mut described);
    assert_eq!(held, described);
    assert_eq!(misfit(&as_json(&Status::new(time(0)))), None, "and all that may be left out is left out");
}

#[test]
fn the_schema_refuses_what_no_sweep_writes() {
    for (place, value) in [
        ("/version", json!(2)),
        ("/written", json!("yesterday")),
        ("/written", json!("2026-11-21T08:27:27+01:00")),
        ("/new", json!(1)),
        ("/gaps", json!([])),
        ("/checks/web-1.json/state", json!("late")),
        ("/checks/web-1.json/late", json!(true)),
        ("/checks/web-1.json/in_row", json!(0)),
        ("/checks/web-1~1db.json/history/0/state", json!(null)),
        ("/checks/web-1~1db.json/fault/cause", json!("weather")),
        ("/checks/web-1~1db.json/missing/with_many", json!(false)),
        ("/outbox/0/fact/kind", json!("up")),
        ("/outbox/0/fact/words", json!({"instance": "00ff"})),
        ("/outbox/0/owed", json!([])),
        ("/outbox/1/fact/down/until", json!("2026-11-21T08:27:27Z")),
    ] {
        let mut status = as_json(&everything());
        let (parent, name) = place.rsplit_once('/').unwrap();
        let parent = status.pointer_mut(parent).unwrap_or_else(|| panic!("{place}"));
        match parent {
            Value::Array(values) => values[name.parse::<usize>().unwrap()] = value.clone(),
            parent => parent[name] = value.clone(),
        }
        assert!(misfit(&status).is_some(), "{place}: {value}");
    }
}

#[test]
fn a_check_that_was_never_down_takes_at_most_330_bytes_though_its_names_are_long() {
    // A name of DNS has 63 characters at most; a pulse may have come just before the sweep.
    let host = "x".repeat(63);
    let check = format!("{host}/postgresql-replication-lag");
    for (long, waits) in [(&host, true), (&check, false)] {
        let size = |checks: &[&str]| {
            let fleet = Fleet::new();
            for check in checks {
                fleet.pulse(check).echo(check);
            }
            fleet.at(60).sweep().unwrap();
            for check in checks.iter().filter(|_| waits) {
                fleet.at(600).pulse(check);
            }
            // Ten minutes after the first one, this is written.
            fleet.at(660).sweep().unwrap();
            let status = fleet.status();
            let is_so = |record: &Record| record.state == State::Up && record.waiting.is_some() == waits;
            assert!(status.checks.len() == checks.len() && status.checks.values().all(is_so), "{status:#?}");
            status.to_json().len()
        };
        let bytes = size(&["web-1", long]) - size(&["web-1"]);
        assert!(bytes <= 330, "{long}: {bytes}");
    }
}

#[test]
fn what_lies_in_the_store_while_messages_are_owed_is_as_the_schema_says() {
    let fleet = Fleet::new();
    fleet.pulse("web-1").echo("web-1").at(1).fault("web-1", 0).at(2).sweep().unwrap();
    assert_eq!(fleet.words(), ["failing web-1"]);
    fleet.sweep_until(880);
    *fleet.hook.answer.lock().unwrap() =
        Some(pulse_echo_lambda::outbox::entry::Outcome::NotTaken { taken: 0, after: None, why: "HTTP 500".into() });
    fleet.sweep_until(940);
    let status = as_json(&fleet.status());
    assert_eq!(misfit(&status), None);
    assert_eq!(status["outbox"][0]["fact"]["kind"], "still-down", "for another cause");
    assert!(status["channels"]["hook"]["failures"] == 1 && status["lease"] == Value::Null);
}

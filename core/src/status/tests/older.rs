//! An older loop over a newer status, and back: it reads what it knows, drops the rest, and loses no record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::*;

/// What a loop knows that knows no hosts. As with every loop, a field that it does not know is dropped.
#[derive(Serialize, Deserialize)]
struct Older {
    version: u32,
    written: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stopped: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease: Option<Lease>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    channels: BTreeMap<String, OlderBackOff>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<Gap>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    many_down: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unanswered: Option<OlderUnanswered>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    mutes: BTreeMap<CheckId, Muted>,
    #[serde(default)]
    outbox: Vec<Value>,
    checks: BTreeMap<CheckId, OlderRecord>,
}

#[derive(Serialize, Deserialize)]
struct OlderBackOff {
    failures: u32,
    until: Time,
}

#[derive(Serialize, Deserialize)]
struct OlderUnanswered {
    since: Time,
    checks: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<OlderTold>,
}

#[derive(Serialize, Deserialize)]
struct OlderTold {
    at: Time,
    next: Time,
    step_s: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct OlderRecord {
    state: State,
    since: Time,
    pulse: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limits: Option<OlderLimits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    echo: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<SeenFault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unread: Option<Time>,
    #[serde(default)]
    in_row: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waiting: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    missing: Option<Missing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outage: Option<OlderOutage>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    history: Vec<Change>,
}

#[derive(Serialize, Deserialize)]
struct OlderLimits {
    etag: String,
    every_s: u64,
    limit_s: u64,
}

#[derive(Serialize, Deserialize)]
struct OlderOutage {
    since: Time,
    noticed: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<OlderTold>,
}

#[test]
fn an_older_loop_loses_no_record_and_what_it_drops_is_as_if_it_had_never_been() {
    let newer = full();
    let read: Older = serde_json::from_slice(&newer.to_json()).unwrap();
    assert_eq!((read.checks.len(), read.outbox.len()), (newer.checks.len(), newer.outbox.len()));
    let back = Status::from_json(&serde_json::to_vec(&read).unwrap()).unwrap();
    let plain =
        |told: &Told| Told { changed: None, back: false, anyway: false, to: None, host_since: None, ..told.clone() };
    for (id, record) in &newer.checks {
        let outage = record
            .outage
            .as_deref()
            .map(|outage| Outage { told: outage.told.as_ref().map(plain), muted: None, ..outage.clone() })
            .map(Box::new);
        let limits = record.limits.clone().map(|limits| Limits { faults_in_row: None, ..limits });
        let known = Record { first: None, over: None, limits, outage, ..record.clone() };
        let known = Record { telling: None, retired: false, turn: None, ..known };
        assert_eq!(back.checks[id], known, "{id}");
    }
    assert_eq!((back.many_down, back.many_told.is_none()), (newer.many_down, true));
    assert_eq!(back.unfiled, None, "the next loop that knows a history begins anew");
    assert_eq!((back.vanished, back.noise.len()), (None, 0));
    let unanswered = back.unanswered.unwrap();
    assert_eq!((unanswered.checks, unanswered.hosts, unanswered.told_hosts), (2, 0, 0));
    assert_eq!(back.outbox, newer.outbox, "a message that an older loop cannot read is left out, as a bad one is");
    assert_eq!(
        (back.mutes, back.gaps, back.lease, back.stopped),
        (newer.mutes, newer.gaps, newer.lease, newer.stopped)
    );
}

/// What a loop without hosts wrote, word for word.
const WRITTEN: &str = r#"{"version":1,"written":"2026-11-21T08:03:00Z","many_down":"2026-11-21T08:02:00Z","unanswered":
{"since":"2026-11-21T08:01:00Z","checks":2},"outbox":[{"id":"00ff","at":"2026-11-21T08:03:00Z","owed":["slack"],"fact":
{"kind":"many-down","down":12,"of":40,"state":"silent","alike":12}},{"id":"0100","at":"2026-11-21T08:03:00Z","owed":
["slack"],"fact":{"kind":"down","check":"web-1.json","since":"2026-11-21T08:02:00Z","state":"silent","pulse":
"2026-11-21T07:47:00Z","others":3}},{"id":"0101","at":"2026-11-21T08:03:00Z","owed":["slack"],"fact":{"kind":"gap",
"from":"2026-11-21T07:00:00Z","until":"2026-11-21T08:00:00Z","spared":0,"some":[]}}],"checks":{"web-1.json":{"state":
"silent","since":"2026-11-21T08:02:00Z","pulse":"2026-11-21T07:47:00Z","outage":{"since":"2026-11-21T08:02:00Z",
"noticed":"2026-11-21T08:03:00Z","told":{"at":"2026-11-21T08:03:00Z","next":"2026-11-21T12:03:00Z",
"step_s":14400,"causes":
["silent"]}}}}}"#;

#[test]
fn what_an_older_loop_wrote_is_read_whole() {
    let status = Status::from_json(WRITTEN.as_bytes()).unwrap();
    assert_eq!((status.checks.len(), status.outbox.len()), (1, 3));
    assert!(matches!(status.outbox[0].fact, Fact::ManyDown { down: 12, hosts: 0, .. }));
    assert!(matches!(status.outbox[2].fact, Fact::Gap { quiet_until: None, hosts: 0, .. }));
    let record = status.checks.values().next().unwrap();
    assert_eq!((record.telling.as_ref(), record.retired), (None, false));
}

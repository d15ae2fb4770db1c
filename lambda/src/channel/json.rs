//! An entry for programs: one flat object. `docs/webhook.schema.json` says what each field means.

use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Down, Fact, State};
use serde_json::{Map, Value, json};

use super::words;
use crate::outbox::entry::{Count, Counts, Entry, What};

/// The text of an event that has nothing but more hosts of the summary before it.
pub(super) const MORE_HOSTS: &str = "More hosts of the summary before.";

/// How many bytes the hosts of one event take at most: an event must fit in a request.
const HOSTS_ROOM: usize = 100 * 1024;

/// The entry's fields. An unknown value is left out. Checks have the names that people know.
pub(super) fn event(entry: &Entry) -> Map<String, Value> {
    let mut event = match &entry.what {
        What::Fact(fact) => of_fact(fact),
        What::Whole(end) => {
            let mut event = of_fact(end);
            event["kind"] = json!("was-down");
            event
        }
        What::Summary(summary) => of_summary(summary),
    };
    event["id"] = json!(entry.id);
    event["at"] = json!(entry.at);
    event["text"] = json!(words::line(entry));
    let Value::Object(mut event) = event else { unreachable!("each kind of event is an object") };
    event.retain(|_, value| !value.is_null());
    event
}

/// The entry's events as JSON: one, but for a summary of very many hosts, whose hosts are shared out.
pub(super) fn events(entry: &Entry) -> Vec<String> {
    let first = json!(event(entry)).to_string();
    let What::Summary(Counts { hosts, .. }) = &entry.what else { return vec![first] };
    // As text at once: a hundred thousand hosts as values would be large.
    let mut parts = vec![String::new()];
    for (host, changes) in &hosts.0 {
        let mut of_host = json!(changes);
        of_host["host"] = json!(host);
        let of_host = of_host.to_string();
        if parts.last().is_some_and(|part| part.len() + of_host.len() > HOSTS_ROOM) {
            parts.push(String::new());
        }
        let part = parts.last_mut().expect("there is one");
        if !part.is_empty() {
            part.push(',');
        }
        part.push_str(&of_host);
    }
    let event = |(number, part): (usize, String)| {
        let event = match number {
            1 => first.clone(),
            _ => json!({"kind": "summary", "id": format!("{}-{number}", entry.id), "at": entry.at, "text": MORE_HOSTS})
                .to_string(),
        };
        let open = event.strip_suffix('}').unwrap_or(&event);
        if part.is_empty() { event } else { format!("{open},\"by_host\":[{part}]}}") }
    };
    (1..).zip(parts).map(event).collect()
}

/// How many bytes an entry takes at most in the first post that has it.
pub(super) fn size(entry: &Entry) -> usize {
    let hosts = if matches!(entry.what, What::Summary(_)) { HOSTS_ROOM } else { 0 };
    json!(event(entry)).to_string().len() + 1 + hosts
}

fn of_fact(fact: &Fact) -> Value {
    match fact {
        Fact::Down(down) => of_down("down", down),
        Fact::StillDown { down, told, changed, back } => {
            let mut event = of_down("still-down", down);
            event["back"] = json!(back.then_some(true));
            event["told"] = json!(told);
            event["changed"] = json!(changed);
            event
        }
        Fact::Up { check, since, until, was, cause, reason, steady, still, ack } => json!({
            "kind": "up", "check": check.to_string(), "host": check.host(), "state": State::Up, "since": since,
            "until": until, "was": was, "cause": cause, "reason": reason, "steady": steady,
            "still_down": still.as_ref().map(|still| json!({"checks": still.checks, "some": names(&still.some)})),
            "ack": ack,
        }),
        Fact::Gone { check, pulse, since, retired } => json!({
            "kind": "gone", "check": check.to_string(), "host": check.host(), "state": State::Gone, "pulse": pulse,
            "since": since, "retired": retired.then_some(true),
        }),
        Fact::New { check } => json!({"kind": "new", "check": check.to_string(), "host": check.host()}),
        Fact::ManyDown { down, of, hosts, of_hosts, state, cause, alike, alike_hosts } => json!({
            "kind": "many-down", "checks": down, "of": of, "hosts": hosts, "of_hosts": of_hosts, "state": state,
            "cause": cause, "alike": alike, "alike_hosts": alike_hosts,
        }),
        Fact::Vanished { checks, of, hosts, of_hosts, some } => json!({
            "kind": "vanished", "checks": checks, "of": of, "hosts": hosts, "of_hosts": of_hosts, "some": names(some),
        }),
        Fact::Found { since, until, checks, hosts } => {
            json!({"kind": "found", "since": since, "until": until, "checks": checks, "hosts": hosts})
        }
        Fact::Unanswered { since, checks, hosts, some, told } => json!({
            "kind": "unanswered", "state": State::Unanswered, "since": since, "checks": checks, "hosts": hosts,
            "some": names(some), "told": told,
        }),
        Fact::Answered { since, until, checks, hosts } => {
            json!({"kind": "answered", "since": since, "until": until, "checks": checks, "hosts": hosts})
        }
        Fact::Gap { from, until, quiet_until, spared, hosts, some } => json!({
            "kind": "gap", "since": from, "until": until, "quiet_until": quiet_until, "checks": spared, "hosts": hosts,
            "some": names(some),
        }),
        Fact::Stopped { at } => json!({"kind": "stopped", "since": at}),
        Fact::Started { stopped } => json!({"kind": "started", "since": stopped}),
        Fact::StatusUnreadable { copy, why } => json!({"kind": "status-unreadable", "copy": copy, "reason": why}),
        Fact::StatusMissing { swept } => json!({"kind": "status-missing", "since": swept}),
        Fact::HistoryTrouble { why } => json!({"kind": "history-trouble", "reason": why}),
        Fact::StatusUnusable { why } => json!({"kind": "status-unusable", "reason": why}),
        Fact::ChannelFails { channel, since, why } => {
            json!({"kind": "channel-fails", "channel": channel, "since": since, "reason": why})
        }
        Fact::ChannelWorks { channel, since, until } => {
            json!({"kind": "channel-works", "channel": channel, "since": since, "until": until})
        }
        Fact::Refused { what, about, why } => {
            json!({"kind": "refused", "what": what, "about": about, "reason": why})
        }
        Fact::Crowded { host, names, most } => {
            json!({"kind": "crowded", "host": host, "checks": names, "most": most})
        }
        Fact::Uncrowded { host, since, until } => {
            json!({"kind": "uncrowded", "host": host, "since": since, "until": until})
        }
        Fact::SetBack { ahead, by_s, checks, hosts, some } => json!({
            "kind": "set-back", "ahead": ahead, "by_s": by_s, "checks": checks, "hosts": hosts, "some": names(some),
        }),
        Fact::Counted { hosts } => json!({"kind": "counted", "hosts": hosts.0}),
        Fact::Test => json!({"kind": "test"}),
    }
}

fn of_down(kind: &str, down: &Down) -> Value {
    json!({
        "kind": kind, "check": down.check.to_string(), "host": down.check.host(), "state": down.state,
        "cause": down.cause, "reason": down.reason, "since": down.since, "pulse": down.pulse, "limit_s": down.limit_s,
        "echo": down.echo, "last_words": words::last_words(&down.words), "others": down.others,
        "other_hosts": down.other_hosts, "state_since": down.state_since, "began": down.began,
        "flaps": down.flaps.then_some(true),
    })
}

fn of_summary(summary: &Counts) -> Value {
    let of = |count: &Count| (count.checks > 0).then(|| json!({"checks": count.checks, "some": names(&count.some)}));
    let down: Map<_, _> =
        summary.down.iter().filter_map(|(state, count)| Some((state.to_string(), of(count)?))).collect();
    json!({
        "kind": "summary", "hosts": (!summary.hosts.0.is_empty()).then_some(summary.hosts.0.len()),
        "down": (!down.is_empty()).then_some(down), "still_down": of(&summary.still_down),
        "up": of(&summary.up), "were_down": of(&summary.were_down), "gone": of(&summary.gone),
        "new": of(&summary.new),
    })
}

fn names(ids: &[CheckId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

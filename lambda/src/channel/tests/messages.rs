//! All kinds of messages, as people read them: `docs/messages.md` holds the texts that are really sent.

use std::fmt::Write;

use serde_json::Value;

use super::*;
use pulse_echo_testkit::server::answer;

/// Messages, by what they show.
pub(super) fn messages() -> Vec<(&'static str, Vec<Entry>)> {
    let mut several: Vec<_> = ["web-1", "web-1/db", "web-1/http"].map(|id| fact(Fact::Down(silent(id)))).into();
    several.push(fact(Fact::Down(failing("web-2/http"))));
    several.push(fact(up("web-3")));
    let mut in_one_rack = vec![fact(many_down(State::Silent, None))];
    in_one_rack
        .extend((10..128).map(|number| fact(Fact::Down(Down { others: 117, ..silent(&format!("web-{number}")) }))));
    vec![
        ("A service answers something else", vec![fact(Fact::Down(failing("web-1/http")))]),
        ("A host is silent", vec![fact(Fact::Down(Down { others: 0, ..silent("web-1") }))]),
        ("A host with several checks, and others, in one sweep", several),
        ("A reminder", vec![fact(still_down(Cause::Status, "status 503, expected 2xx", false))]),
        (
            "Another cause",
            vec![fact(still_down(Cause::Connect, "cannot connect to 192.0.2.7:443: the connection was refused", true))],
        ),
        ("Up again", vec![fact(up("web-1/http"))]),
        ("An outage that was over before it was told", vec![entry(What::Whole(up("web-1/http")))]),
        ("Retired while it was down", vec![fact(gone(Some(time(-60))))]),
        ("Retired while it was well", vec![fact(gone(None))]),
        ("Retired before its outage was told", vec![entry(What::Whole(gone(Some(time(-60)))))]),
        ("Many at once", in_one_rack),
        ("Many with one cause", vec![fact(many_down(State::Failing, Some(Cause::Dns)))]),
        ("Too many for a line each", vec![entry(What::Summary(summary()))]),
        (
            "Pulses are no longer there",
            vec![fact(Fact::Vanished { checks: 12, of: 12, some: ids(&["web-1", "web-2"]) })],
        ),
        ("Our probe is in trouble", vec![fact(unanswered(None))]),
        ("It still is", vec![fact(unanswered(Some(time(0))))]),
        ("It is not any more", vec![fact(Fact::Answered { since: time(-40), until: time(30), checks: 42 })]),
        (
            "The store was away",
            vec![fact(Fact::Gap { from: time(-150), until: time(29), spared: 1, some: ids(&["web-1"]) })],
        ),
        ("The loop is stopped", vec![fact(Fact::Stopped { at: time(30) })]),
        ("It runs again", vec![fact(Fact::Started { stopped: time(-90) })]),
        ("What was known is lost", vec![fact(status_unreadable())]),
        ("A test", vec![fact(Fact::Test)]),
    ]
}

/// One entry of each kind, without the optional fields.
pub(super) fn everything() -> Vec<Entry> {
    let bare = Down { limit_s: None, cause: None, reason: None, echo: None, ..failing("Käse/a b") };
    let unanswered = Down { state: State::Unanswered, ..silent("web-9") };
    let mut all = vec![fact(Fact::Down(bare)), fact(Fact::Down(unanswered))];
    all.extend(messages().into_iter().filter(|(_, entries)| entries.len() < 100).flat_map(|(_, entries)| entries));
    all
}

fn still_down(cause: Cause, reason: &str, changed: bool) -> Fact {
    let down =
        Down { since: time(-210), cause: Some(cause), reason: Some(reason.into()), others: 1, ..failing("web-1/http") };
    Fact::StillDown { down, told: time(-210), changed }
}

fn gone(since: Option<Time>) -> Fact {
    Fact::Gone { check: id("web-1"), pulse: time(-75), since }
}

fn many_down(state: State, cause: Option<Cause>) -> Fact {
    Fact::ManyDown { down: 118, of: 400, state, cause, alike: 118 }
}

fn unanswered(told: Option<Time>) -> Fact {
    Fact::Unanswered { since: time(-40), checks: 42, some: ids(&["web-1", "web-2/http"]), told }
}

fn summary() -> Counts {
    let count = |checks, some: &[&str]| Count { checks, some: ids(some) };
    Counts {
        down: [(State::Failing, count(3, &["a", "b", "c"])), (State::Silent, count(1_200, &["web-1", "web-2"]))].into(),
        up: count(1, &["web-7"]),
        ..Counts::default()
    }
}

fn status_unreadable() -> Fact {
    let copy = "status-bad-2026-11-21T08:30:00Z.json".into();
    Fact::StatusUnreadable { copy, why: "the text ends within a string (line 1, column 4096)".into() }
}

#[test]
fn people_read_what_the_documentation_shows() {
    let (server, told) = recording(&answer(200, "ok"));
    let slack = channel_of(&[("SLACK_URL", &server.url())]);
    let mut shown = String::from(
        "# Messages as they arrive\n\nWhat the channels really send, as people read it; a test keeps this page true. \
         Slack shows it, e-mails\nfrom SNS hold it, and a webhook has it as `text`.\n",
    );
    for (title, entries) in messages() {
        assert_eq!(slack.send(&entries, soon()), Outcome::Taken);
        let payload: Value = serde_json::from_str(&fields(&told.recv().unwrap().body)["payload"]).unwrap();
        let text = payload["text"].as_str().unwrap().replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let subject = words::subject(&entries);
        write!(shown, "\n## {title}\n\nSubject: {subject}\n\n```text\n{text}\n```\n").unwrap();
    }
    let documented = include_str!("../../../../docs/messages.md");
    assert!(shown == documented, "docs/messages.md should be:\n{shown}");
}

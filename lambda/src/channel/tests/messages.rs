//! All kinds of messages, as people read them: `docs/messages.md` holds the texts that are really sent.

use std::fmt::Write;

use serde_json::Value;

use super::*;
use crate::expect::compare_job;
use pulse_echo_core::job::{End, Job};
use pulse_echo_core::status::{Acknowledged, Changes, Hosts, Still};
use pulse_echo_testkit::server::answer;

/// Messages, by what they show.
pub(super) fn messages() -> Vec<(&'static str, Vec<Entry>)> {
    let mut all = of_checks();
    all.extend(of_hosts());
    all.extend(of_many());
    all.extend(of_us());
    all
}

fn of_checks() -> Vec<(&'static str, Vec<Entry>)> {
    vec![
        ("A service answers something else", vec![fact(Fact::Down(failing("web-1/http")))]),
        ("Another status code, and another body", vec![fact(Fact::Down(with_code()))]),
        ("A job fails", vec![fact(Fact::Down(of_job(End::Exit(3), None, 12_345)))]),
        ("A job hangs", vec![fact(Fact::Down(of_job(End::Signal(15), Some(7_200), 7_200_100)))]),
        ("A disk fills", vec![fact(Fact::Down(full()))]),
        ("A host is silent", vec![fact(Fact::Down(Down { others: 0, other_hosts: 0, ..silent("web-1") }))]),
        ("A reminder", vec![fact(reminder())]),
        ("Another cause", vec![fact(another_cause())]),
        ("A check that fails falls silent", vec![fact(silent_after_failing("web-1"))]),
        ("It sends again, and still fails", vec![fact(back())]),
        ("Up again", vec![fact(up("web-1/http"))]),
        ("Up again, and somebody had acknowledged it", vec![fact(acked("web-1/http"))]),
        ("Up again, but not all of the host", vec![fact(up_but("web-1/http", &["web-1/db", "web-1/smtp"]))]),
        ("An outage that was over before it was told", vec![entry(What::Whole(up("web-1/http")))]),
        ("Down for the third time within an hour", vec![fact(Fact::Down(Down { flaps: true, ..failing("web-1/db") }))]),
        ("It does not flap any more", vec![fact(steady())]),
        ("Retired on purpose", vec![fact(gone("web-1", None, true))]),
        ("Its pulse was removed while it was down", vec![fact(gone("web-1", Some(time(-60)), false))]),
        ("Its pulse was removed while it was well", vec![fact(gone("web-1", None, false))]),
        ("Retired before its outage was told", vec![entry(What::Whole(gone("web-1", Some(time(-60)), false)))]),
        ("A new check, with `TELL_NEW`", vec![fact(Fact::New { check: id("web-9") })]),
    ]
}

fn of_hosts() -> Vec<(&'static str, Vec<Entry>)> {
    let mut several: Vec<_> = ["web-1", "web-1/db", "web-1/http"].map(|id| fact(Fact::Down(silent(id)))).into();
    several.push(fact(Fact::Down(failing("web-2/http"))));
    several.push(fact(up("web-3")));
    let reasons =
        [("db", "the body is empty, expected \"ok\""), ("http", "status 503, and the body differs at byte 0")];
    let reasons = reasons.map(|(check, reason)| {
        fact(Fact::Down(Down { reason: Some(reason.into()), ..failing(&format!("web-1/{check}")) }))
    });
    let mut large: Vec<_> = (1..=280).map(|n| fact(Fact::Down(silent(&format!("big-1/{n:03}"))))).collect();
    large.extend((281..=300).map(|n| fact(silent_after_failing(&format!("big-1/{n}")))));
    let mut noisy: Vec<_> = (1..=16).map(|n| fact(Fact::Down(failing(&format!("a-noisy/{n:02}"))))).collect();
    noisy.extend((17..=20).map(|n| fact(up(&format!("a-noisy/{n}")))));
    noisy.push(fact(Fact::Down(silent("zz-db"))));
    let mut but_one = vec![fact(up_but("web-1", &["web-1/db"]))];
    but_one.extend(["web-1/http", "web-1/smtp"].map(|check| fact(up(check))));
    let retired = (1..=12).map(|n| fact(gone(&format!("web-7/{n:02}"), None, true)));
    vec![
        ("A host with several checks, and others, in one sweep", several),
        ("A host whose checks fail for different reasons", reasons.into()),
        ("A host of 300 checks falls silent; some of them failed before", large),
        ("A host that changes a lot, and a quiet one that dies", noisy),
        ("A host comes up, but for one check", but_one),
        ("A host is retired", retired.collect()),
        (
            "New hosts, with `TELL_NEW`",
            ["web-8", "web-9", "web-9/db"].map(|check| fact(Fact::New { check: id(check) })).into(),
        ),
    ]
}

fn of_many() -> Vec<(&'static str, Vec<Entry>)> {
    let others = |down: Down| Down { others: 117, other_hosts: 117, ..down };
    let mut in_one_rack = vec![fact(many_down(State::Silent, None, 118))];
    in_one_rack.extend((10..128).map(|number| fact(Fact::Down(others(silent(&format!("web-{number}")))))));
    let mut wave = vec![fact(wave_of(12, 12, State::Silent))];
    wave.push(fact(up("web-77")));
    wave.extend((10..22).map(|number| fact(silent_after_failing(&format!("web-{number}")))));
    vec![
        ("Many at once", in_one_rack),
        ("Many with one cause", vec![fact(many_down(State::Failing, Some(Cause::Dns), 118))]),
        ("Many for different reasons", vec![fact(many_down(State::Failing, Some(Cause::Status), 60))]),
        ("All that failed are silent now, and one host comes up", wave),
        ("Too many for a line each", vec![entry(What::Summary(summary()))]),
        ("Pulses are no longer there", vec![fact(vanished())]),
        ("They are there again", vec![fact(Fact::Found { since: time(-90), until: time(30), checks: 12, hosts: 4 })]),
    ]
}

fn of_us() -> Vec<(&'static str, Vec<Entry>)> {
    vec![
        ("Our probe is in trouble", vec![fact(unanswered(None))]),
        ("It still is", vec![fact(unanswered(Some(time(0))))]),
        ("It is not any more", vec![fact(Fact::Answered { since: time(-40), until: time(30), checks: 42, hosts: 9 })]),
        ("The store was away", vec![fact(gap(Some(time(29)), 1))]),
        ("The store was away, and no check missed a pulse through it", vec![fact(gap(Some(time(-100)), 0))]),
        ("The loop was away", vec![fact(gap(None, 0))]),
        ("The loop is stopped", vec![fact(Fact::Stopped { at: time(30) })]),
        ("It runs again", vec![fact(Fact::Started { stopped: time(-90) })]),
        (
            "It runs again, and a host is down",
            vec![fact(Fact::Started { stopped: time(-90) }), fact(Fact::Down(silent("db")))],
        ),
        ("What was known is lost", vec![fact(status_unreadable())]),
        ("What was known is gone", vec![fact(Fact::StatusMissing { swept: time(29) })]),
        ("A newer loop has written `status.json`", vec![fact(Fact::StatusUnusable { why: NEWER.into() })]),
        ("The history is gone", vec![fact(Fact::HistoryTrouble { why: HISTORY_GONE.into() })]),
        ("The store's clock was set back", vec![fact(set_back())]),
        ("A host has too many checks", vec![fact(crowded())]),
        (
            "It has no more than are watched",
            vec![fact(Fact::Uncrowded { host: "web-1".into(), since: time(-90), until: time(-30) })],
        ),
        (
            "A channel takes nothing; another one tells it",
            vec![fact(Fact::ChannelFails { channel: "slack".into(), since: time(14), why: "status 404".into() })],
        ),
        (
            "It takes messages again",
            vec![fact(Fact::ChannelWorks { channel: "slack".into(), since: time(14), until: time(30) })],
        ),
        (
            "In place of a message that this channel refused five times",
            vec![fact(Fact::Refused {
                what: "down".into(),
                about: Some("web-1/db".into()),
                why: "alerts.example: status 413".into(),
            })],
        ),
        ("A test", vec![fact(Fact::Test)]),
        ("A test, where nobody is told of some checks", vec![fact(Fact::Test), fact(untaken())]),
    ]
}

const NEWER: &str = "status.json is of version 2, and this program knows 1 at most: use a newer one";

fn untaken() -> Fact {
    Fact::Untaken { kinds: vec!["gone".into()], checks: 3, hosts: 2, some: ids(&["db-1", "db-1/disk", "mail"]) }
}

fn set_back() -> Fact {
    let some = (1..=10).map(|number| id(&format!("web-{number:02}"))).collect();
    Fact::SetBack { ahead: time(150), by_s: 7_200, checks: 42, hosts: 42, some }
}

fn crowded() -> Fact {
    Fact::Crowded { host: "web-1".into(), names: 1_000, most: 500 }
}

/// One entry of each kind, without the optional fields.
pub(super) fn everything() -> Vec<Entry> {
    let bare = Down { limit_s: None, cause: None, reason: None, echo: None, ..failing("Käse/a b") };
    let unanswered = Down { state: State::Unanswered, ..silent("web-9") };
    let mut all = vec![fact(Fact::Down(bare)), fact(Fact::Down(unanswered))];
    all.extend(messages().into_iter().filter(|(_, entries)| entries.len() < 10).flat_map(|(_, entries)| entries));
    all
}

fn with_code() -> Down {
    let reason = "status 503, and the body differs at byte 0: expected \"ok\", got \"<html>\"";
    Down { reason: Some(reason.into()), ..failing("web-1/http") }
}

/// As the probe tells it.
fn of_job(end: End, timeout_s: Option<u32>, ms: u64) -> Down {
    let tail = Some("dumping orders\npg_dump: error: could not write: No space left on device".into());
    let miss = compare_job(&Job { end, timeout_s, ms: Some(ms), tail }).unwrap_err();
    let (cause, reason) = (Some(miss.cause), Some(miss.reason));
    Down { cause, reason, others: 0, other_hosts: 0, ..failing("web-1/backup") }
}

fn full() -> Down {
    let (cause, reason) = (Some(Cause::Vitals), Some("disk 4 % free on /var (limit 10 %)".into()));
    Down { cause, reason, others: 0, other_hosts: 0, ..failing("web-1") }
}

fn still_down(cause: Cause, reason: &str, changed: bool) -> Fact {
    let down = Down {
        since: time(-210),
        cause: Some(cause),
        reason: Some(reason.into()),
        others: 1,
        other_hosts: 0,
        ..failing("web-1/http")
    };
    Fact::StillDown { down, told: time(-210), changed, back: false }
}

pub(super) fn reminder() -> Fact {
    still_down(Cause::Status, "status 503, expected 2xx", false)
}

pub(super) fn another_cause() -> Fact {
    still_down(Cause::Connect, "cannot connect to 192.0.2.7:443: the connection was refused", true)
}

fn silent_after_failing(check: &str) -> Fact {
    let down = Down { since: time(12), state_since: Some(time(29)), began: Some(State::Failing), ..silent(check) };
    Fact::StillDown { down, told: time(12), changed: true, back: false }
}

fn back() -> Fact {
    let down = Down { since: time(-30), state_since: Some(time(28)), ..failing("web-1/http") };
    Fact::StillDown { down, told: time(-30), changed: true, back: true }
}

fn up_but(check: &str, still: &[&str]) -> Fact {
    let Fact::Up { check, since, until, was, cause, reason, steady, ack, .. } = up(check) else { unreachable!() };
    let still = Some(Still { checks: still.len(), some: ids(still) });
    Fact::Up { check, since, until, was, cause, reason, steady, still, ack }
}

fn steady() -> Fact {
    let Fact::Up { check, since, until, was, cause, reason, still, ack, .. } = up("web-1/db") else { unreachable!() };
    let ago = |time: Time| Time::from_second(time.as_second() - 7_200);
    Fact::Up { check, since: ago(since), until: ago(until), was, cause, reason, steady: Some(time(-31)), still, ack }
}

pub(super) fn acked(check: &str) -> Fact {
    let Fact::Up { check, since, until, was, cause, reason, steady, still, .. } = up(check) else { unreachable!() };
    let ack = Some(Acknowledged { by: Some("alice@ops-1".into()), reason: Some("disk ordered".into()) });
    Fact::Up { check, since, until, was, cause, reason, steady, still, ack }
}

fn gone(check: &str, since: Option<Time>, retired: bool) -> Fact {
    Fact::Gone { check: id(check), pulse: time(-75), since, retired }
}

fn many_down(state: State, cause: Option<Cause>, alike: usize) -> Fact {
    let (hosts, of_hosts, alike_hosts) = (118, 400, alike);
    Fact::ManyDown { down: 118, of: 400, hosts, of_hosts, state, cause, alike, alike_hosts }
}

fn wave_of(hosts: usize, of_hosts: usize, state: State) -> Fact {
    Fact::ManyDown { down: hosts, of: 60, hosts, of_hosts, state, cause: None, alike: hosts, alike_hosts: hosts }
}

fn vanished() -> Fact {
    Fact::Vanished { checks: 12, of: 12, hosts: 4, of_hosts: 4, some: ids(&["web-1", "web-2"]) }
}

fn gap(quiet_until: Option<Time>, spared: usize) -> Fact {
    let some = ids(&["web-1"][..spared]);
    Fact::Gap { from: time(-150), until: time(29), quiet_until, spared, hosts: spared, some }
}

fn unanswered(told: Option<Time>) -> Fact {
    Fact::Unanswered { since: time(-40), checks: 42, hosts: 9, some: ids(&["web-1", "web-2/http"]), told }
}

fn summary() -> Counts {
    let count = |checks, some: &[&str]| Count { checks, some: ids(some) };
    let (failing, silent) = (count(3, &["a", "b", "c"]), count(1_200, &["web-1/0001", "web-2/0001"]));
    let of_hosts = [("a", 1), ("b", 1), ("c", 1), ("web-1", 600), ("web-2", 600), ("web-7", 1), ("web-8", 2)];
    let changes = |(host, failing): (&str, u32)| (host.to_string(), Changes { failing, ..Changes::default() });
    Counts {
        down: [(State::Failing, failing), (State::Silent, silent)].into(),
        up: count(1, &["web-7"]),
        new: count(2, &["web-8"]),
        hosts: Hosts(of_hosts.map(changes).into()),
        ..Counts::default()
    }
}

/// As `sweep::history` says it.
const HISTORY_GONE: &str = "history.json is gone, so it begins anew: the outages that were over are not known any \
                            more. If nobody removed it on purpose, look who did";

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
         Slack shows it, e-mails\nfrom SNS and by SMTP hold it, and a webhook has it as `text`.\n",
    );
    for (title, entries) in messages() {
        assert_eq!(slack.send(&entries, soon()), Outcome::Taken);
        let payload: Value = serde_json::from_str(&fields(&told.recv().unwrap().body)["payload"]).unwrap();
        let foot = payload["attachments"][0]["text"].as_str().unwrap();
        // What has one line alone has our name beside the bar.
        let foot = if foot == "pulse-echo" { String::new() } else { format!("\n{foot}") };
        let text = format!("{}{foot}", payload["text"].as_str().unwrap());
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let subject = words::subject(&entries);
        write!(shown, "\n## {title}\n\nSubject: {subject}\n\n```text\n{text}\n```\n").unwrap();
    }
    for (receiver, variables) in [
        ("PagerDuty gets", [("PAGERDUTY_KEY", "R0UT1NGKEY"), ("PAGERDUTY_URL", &*server.url())]),
        ("Alertmanager gets", [("ALERTMANAGER_URL", &server.url()), ("", "")]),
        ("ntfy gets", [("NTFY_URL", &format!("{}my-alerts", server.url())), ("", "")]),
    ] {
        let channel = channel_of(&[&variables[..], &[("BUCKET", "my-pulses")]].concat());
        let entries = [in_outage(Fact::Down(failing("web-1/http")), 28, false)];
        assert_eq!(channel.send(&entries, soon()), Outcome::Taken);
        let body: Value = serde_json::from_str(&told.recv().unwrap().body).unwrap();
        write!(shown, "\n## What {receiver} of a service that answers something else\n\n```json\n{body:#}\n```\n")
            .unwrap();
    }
    let outage = [in_outage(Fact::Down(failing("web-1/http")), 28, false)];
    let mail = super::smtp::mails(&outage)[0].text.replace("\r\n", "\n");
    write!(shown, "\n## The mail of a service that answers something else\n\n```text\n{mail}```\n").unwrap();
    let documented = include_str!("../../../../docs/messages.md");
    assert!(shown == documented, "docs/messages.md should be:\n{shown}");
}

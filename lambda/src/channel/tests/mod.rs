//! Channels against real sockets, and what arrives.

mod alertmanager;
mod heartbeat;
mod hostile;
mod messages;
mod ntfy;
mod pagerduty;
mod proxies;
mod settings;
mod slack;
mod smtp;
mod smtp_trouble;
mod sns;
mod trouble;
mod webhook;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use jiff::Timestamp;
use pulse_echo_core::answer::Cause;
use pulse_echo_core::clock::Time;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Down, Fact, State};

use super::*;
use crate::outbox::entry::*;
use messages::everything;
use pulse_echo_testkit::server::{Server, header, read_body, read_head};

/// The time `minute` minutes after 2026-11-21 08:00 UTC.
pub(super) fn time(minute: i64) -> Time {
    Time::from_second(1_795_248_000 + 60 * minute)
}

pub(super) fn id(text: &str) -> CheckId {
    CheckId::from_pulse_key(&format!("pulse/{text}.json")).unwrap()
}

pub(super) fn ids(texts: &[&str]) -> Vec<CheckId> {
    texts.iter().map(|text| id(text)).collect()
}

/// An entry of a sweep at 08:30.
pub(super) fn entry(what: What) -> Entry {
    Entry { id: "5a0c49d1e0f1b2a3".into(), at: time(30), what, course: None }
}

pub(super) fn fact(fact: Fact) -> Entry {
    entry(What::Fact(fact))
}

/// A fact of an outage whose host went down at this minute; the last of it, if it ends that.
pub(super) fn in_outage(of: Fact, host_since: i64, is_last: bool) -> Entry {
    let next = (!is_last).then(|| time(270));
    let course = Course { host_since: time(host_since), is_last, next, causes: Vec::new() };
    Entry { course: Some(course), ..fact(of) }
}

/// A check that has been failing since 08:28.
pub(super) fn failing(check: &str) -> Down {
    Down {
        check: id(check),
        since: time(28),
        state: State::Failing,
        pulse: time(28),
        limit_s: Some(900),
        cause: Some(Cause::Body),
        reason: Some(
            "body differs at byte 2: expected \"ok\", got \"ok\\n\" (only trailing white space differs)".into(),
        ),
        echo: Some(time(18)),
        words: BTreeMap::new(),
        others: 3,
        other_hosts: 2,
        state_since: None,
        began: None,
        flaps: false,
    }
}

/// A check that has been silent since 08:29.
pub(super) fn silent(check: &str) -> Down {
    let words = [("uptime-s", "3545000"), ("load1", "48.07"), ("disk-free-pct", "0")];
    Down {
        since: time(29),
        state: State::Silent,
        pulse: time(14),
        cause: None,
        reason: None,
        echo: Some(time(14)),
        words: words.map(|(name, value)| (name.to_string(), value.to_string())).into(),
        ..failing(check)
    }
}

pub(super) fn up(check: &str) -> Fact {
    Fact::Up {
        check: id(check),
        since: time(8),
        until: time(29),
        was: State::Failing,
        cause: Some(Cause::Status),
        reason: Some("status 500, expected 2xx".into()),
        steady: None,
        still: None,
        ack: None,
    }
}

/// `count` different checks that are down.
pub(super) fn many(count: usize) -> Vec<Entry> {
    (0..count)
        .map(|number| Entry { id: format!("id{number}"), ..fact(Fact::Down(failing(&format!("web-{number}/http")))) })
        .collect()
}

/// The channels that these variables ask for.
fn channels_of(variables: &[(&str, &str)]) -> Result<Vec<Box<dyn Channel>>, String> {
    with_means(variables, channels)
}

fn with_means<T>(variables: &[(&str, &str)], make: impl Fn(&Means) -> T) -> T {
    let lookup =
        |name: &str| variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_string());
    let now = Timestamp::from_second(time(30).as_second()).unwrap();
    make(&Means { environment: Environment::new(&lookup), trust: &Trust::built_in(), clock: Arc::new(move || now) })
}

/// The one channel that these variables ask for.
fn channel_of(variables: &[(&str, &str)]) -> Box<dyn Channel> {
    let mut channels = channels_of(variables).unwrap();
    assert_eq!(channels.len(), 1);
    channels.remove(0)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// A request as it arrived.
struct Received {
    head: String,
    body: String,
}

impl Received {
    fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

/// A server that gives this answer to each request, and the requests that it got.
fn recording(answer: &str) -> (Server, Receiver<Received>) {
    let (tell, told) = mpsc::channel();
    let answer = answer.to_string();
    let server = Server::new(move |mut stream, _| {
        tell.send(receive(&mut stream)).unwrap();
        let _ = stream.write_all(answer.as_bytes());
    });
    (server, told)
}

fn receive(stream: &mut impl Read) -> Received {
    let head = read_head(stream);
    let body = String::from_utf8(read_body(stream, &head)).unwrap();
    Received { head, body }
}

/// The fields of a form.
fn fields(form: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

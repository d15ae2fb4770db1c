//! What becomes of entries in `PagerDuty`: the entries of one outage of a host are one story, with one key.

use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Fact, State};
use pulse_echo_core::text::line;
use serde_json::{Value, json};

use super::super::mood::{self, Mood};
use super::super::words::{self, check, down};
use super::super::{digest, in_words};
use crate::outbox::entry::{Entry, What};

/// The longest key, in bytes.
const KEY_ROOM: usize = 255;

/// The longest title of an incident, in bytes; `PagerDuty` allows 1,024 characters.
const TITLE_ROOM: usize = 1_000;

/// An incident begins, or goes on.
const TRIGGER: &str = "trigger";

/// An incident is over.
const RESOLVE: &str = "resolve";

/// Events with one key.
pub(super) struct Story {
    /// The place of its first entry.
    pub(super) first: usize,
    /// The key by which `PagerDuty` knows the incident.
    pub(super) key: String,
    /// What happens to the incident.
    pub(super) actions: &'static [&'static str],
    /// Whether it tells that many hosts went down.
    pub(super) has_wave: bool,
    /// What people read.
    pub(super) payload: Value,
}

/// The entries of one incident.
struct Group<'a> {
    first: usize,
    key: String,
    entries: Vec<&'a Entry>,
}

/// The stories of these entries, in the order of their first entries. That many hosts went down is a line of each host
/// that went down, and a story of its own only if it comes alone.
pub(super) fn stories(entries: &[Entry], scope: &str) -> Vec<Story> {
    let wave = entries.iter().find(|entry| is_wave(entry));
    let mut groups: Vec<Group> = Vec::new();
    let is_alone = entries.iter().all(is_wave);
    for (first, entry) in entries.iter().enumerate().filter(|(_, entry)| is_alone || !is_wave(entry)) {
        let key = key(entry, scope);
        match groups.iter_mut().find(|group| group.key == key) {
            Some(group) => group.entries.push(entry),
            None => groups.push(Group { first, key, entries: vec![entry] }),
        }
    }
    groups.into_iter().map(|group| story(group, wave)).collect()
}

/// Whether an entry says that many hosts went down.
pub(super) fn is_wave(entry: &Entry) -> bool {
    matches!(entry.what, What::Fact(Fact::ManyDown { .. }))
}

fn story(Group { first, key, entries }: Group, wave: Option<&Entry>) -> Story {
    let own: Vec<Entry> = entries.iter().map(|entry| (*entry).clone()).collect();
    let wave = wave.filter(|_| mood::of(&own) == Mood::Bad && !own.iter().any(is_wave));
    let whole = in_words(&own);
    let title = whole.lines().next().unwrap_or_default();
    let newest = own.iter().map(|entry| entry.at).max().unwrap_or(own[0].at);
    let host = own.iter().find_map(|entry| check(entry)).map(CheckId::host);
    let mut details = json!({"message": whole});
    if let Some(wave) = wave {
        details["many_down"] = json!(words::line(wave));
    }
    let payload = json!({
        "summary": line(title, TITLE_ROOM),
        "source": host.map_or_else(|| "pulse-echo".to_string(), |host| line(host, KEY_ROOM)),
        "severity": severity(&own),
        "timestamp": newest,
        "component": "pulse-echo",
        "class": class(&own),
        "custom_details": details,
    });
    Story { first, key, actions: actions(&own), has_wave: wave.is_some() || own.iter().any(is_wave), payload }
}

/// The key of the incident that an entry belongs to.
fn key(entry: &Entry, scope: &str) -> String {
    let key = match (&entry.what, check(entry), &entry.course) {
        (_, Some(check), Some(course)) => format!("{}/{}", check.host(), course.host_since),
        (What::Fact(fact), None, _) => match lasting(fact) {
            Some((name, of, _)) => format!("{name}/{of}"),
            None => entry.id.clone(),
        },
        _ => entry.id.clone(),
    };
    let key = format!("pulse-echo/{scope}/{key}");
    match key.len() {
        0..=KEY_ROOM => key,
        _ => format!("pulse-echo/{}", digest::of([key.as_str()])),
    }
}

/// Of trouble of our own that lasts: its name, of what it is, and whether it is over.
fn lasting(fact: &Fact) -> Option<(&'static str, &str, bool)> {
    Some(match fact {
        Fact::Unanswered { .. } => ("unanswered", "", false),
        Fact::Answered { .. } => ("unanswered", "", true),
        Fact::Vanished { .. } => ("vanished", "", false),
        Fact::Found { .. } => ("vanished", "", true),
        Fact::Stopped { .. } => ("stopped", "", false),
        Fact::Started { .. } => ("stopped", "", true),
        Fact::ChannelFails { channel, .. } => ("channel", channel, false),
        Fact::ChannelWorks { channel, .. } => ("channel", channel, true),
        Fact::Crowded { host, .. } => ("crowded", host, false),
        Fact::Uncrowded { host, .. } => ("crowded", host, true),
        _ => return None,
    })
}

/// What happens to the incident. One that is over before it was told is resolved at once; so is news that nobody has to
/// do anything about.
fn actions(entries: &[Entry]) -> &'static [&'static str] {
    let is_over = entries.iter().any(|entry| entry.course.as_ref().is_some_and(|course| course.is_last));
    let is_told = |entry: &Entry| matches!(&entry.what, What::Fact(fact) if fact.ends().is_some());
    match &entries[0].what {
        _ if is_over && entries.iter().any(is_told) => &[RESOLVE],
        _ if is_over => &[TRIGGER, RESOLVE],
        What::Fact(fact) if entries[0].course.is_none() => match lasting(fact) {
            Some((.., true)) => &[RESOLVE],
            None if is_news(fact) => &[TRIGGER, RESOLVE],
            _ => &[TRIGGER],
        },
        _ => &[TRIGGER],
    }
}

/// Whether a fact about many or about us leaves nothing to do.
fn is_news(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Gone { .. }
            | Fact::New { .. }
            | Fact::Gap { .. }
            | Fact::ManyDown { .. }
            | Fact::Untaken { .. }
            | Fact::Test
    )
}

fn severity(entries: &[Entry]) -> &'static str {
    let is_silent = |entry: &Entry| down(entry).is_some_and(|down| down.state == State::Silent) || is_wave(entry);
    match mood::of(entries) {
        Mood::Bad if entries.iter().any(is_silent) => "critical",
        Mood::Bad => "error",
        Mood::Trouble => "warning",
        Mood::Good | Mood::Neutral => "info",
    }
}

/// The kind of trouble: the state of a check that is down, or its cause.
fn class(entries: &[Entry]) -> Option<String> {
    entries.iter().find_map(down).map(|down| match down.cause {
        Some(cause) => cause.to_string(),
        None => down.state.to_string(),
    })
}

//! Alertmanager, by its API v2: an alert for each check that is down and each of its causes. An alert ends by itself an
//! hour after the reminder that should have come, so that none outlives us; each reminder prolongs it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Down, Fact, State};
use serde_json::{Value, json};

use super::parts::{PART, in_parts};
use super::{Channel, Made, Means, in_words, said, words};
use crate::outbox::entry::{Course, Entry, Outcome, What};
use crate::web::{Address, Missed, Web};

const HOUR: Duration = Duration::from_secs(3600);

/// The longest time between two reminders, and an hour.
const DAY: Duration = Duration::from_secs(25 * 3600);

/// How long trouble of our own lasts at most, if its end is never told.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// The cause, in the list of those that were told, of a check that was silent.
const SILENT: &str = "silent";

struct Alertmanager {
    web: Web,
    url: Address,
}

/// An alert as it is posted.
struct Alert {
    labels: BTreeMap<&'static str, String>,
    /// `None`: it began when it ends.
    starts: Option<Time>,
    ends: Time,
    is_over: bool,
    summary: String,
}

/// The channel for `ALERTMANAGER_URL`, such as `http://alertmanager:9093`; a path before `/api/v2` may stand in it.
pub(super) fn channel(means: &Means) -> Made {
    let Some(base) = Address::read(means.environment, "ALERTMANAGER_URL")? else {
        return Ok(None);
    };
    let url = base.below("api/v2/alerts");
    let web = Web::to(&url, means.trust, means.environment);
    Ok(Some(Box::new(Alertmanager { web, url })))
}

impl Channel for Alertmanager {
    fn name(&self) -> &'static str {
        "alertmanager"
    }

    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome {
        let size = |entry: &Entry| alerts(entry).iter().map(|alert| alert.to_json().to_string().len() + 1).sum();
        in_parts(entries, PART, size, |part| self.post(part, deadline))
    }

    fn forgets(&self) -> bool {
        true
    }

    fn sums_up(&self) -> bool {
        false
    }
}

impl Alertmanager {
    fn post(&self, entries: &[Entry], deadline: Instant) -> Result<(), Missed> {
        let alerts: Vec<_> = entries.iter().flat_map(alerts).collect();
        let Some(clock) = self.post_alerts(&alerts, deadline)? else { return Ok(()) };
        // An end that is still to come by the receiver's clock would count as no end.
        let mut over: Vec<_> = alerts.into_iter().filter(|alert| alert.is_over && alert.ends > clock).collect();
        if over.is_empty() {
            return Ok(());
        }
        for alert in &mut over {
            (alert.starts, alert.ends) = (None, clock);
        }
        self.post_alerts(&over, deadline).map(drop)
    }

    /// Posts these alerts. Returns the time on the receiver's clock.
    fn post_alerts(&self, alerts: &[Alert], deadline: Instant) -> Result<Option<Time>, Missed> {
        let body = alerts.iter().map(Alert::to_json).collect::<Value>().to_string();
        let headers = [("content-type", "application/json")];
        let answer = self.web.post(&self.url, &headers, body.as_bytes(), deadline)?;
        let clock = answer.date();
        said::taken(answer).map(|()| clock)
    }
}

impl Alert {
    fn to_json(&self) -> Value {
        let Self { labels, starts, ends, summary, .. } = self;
        let mut alert = json!({"labels": labels, "endsAt": ends, "annotations": {"summary": summary}});
        if let Some(starts) = starts {
            // What begins after its end is refused.
            alert["startsAt"] = json!(starts.min(ends));
        }
        alert
    }
}

/// The alerts that tell an entry.
fn alerts(entry: &Entry) -> Vec<Alert> {
    let summary = words::line(entry);
    let course = entry.course.as_ref();
    match &entry.what {
        What::Fact(Fact::Down(down) | Fact::StillDown { down, .. }) => firing(entry, down, course, &summary),
        What::Fact(Fact::Up { check, since, until, was, cause, .. })
        | What::Whole(Fact::Up { check, since, until, was, cause, .. }) => {
            let last = of_check(check, *was, cause.map(|cause| cause.to_string()));
            let others = others(check, course);
            std::iter::once(last).chain(others).map(|labels| over(labels, Some(*since), *until, &summary)).collect()
        }
        What::Fact(Fact::Gone { check, since, .. }) | What::Whole(Fact::Gone { check, since, .. }) => {
            let mut alerts: Vec<_> =
                others(check, course).map(|labels| over(labels, *since, entry.at, &summary)).collect();
            alerts.push(of_the_moment(of_check(check, State::Gone, None), entry, summary));
            alerts
        }
        What::Fact(fact) | What::Whole(fact) => vec![of_us(fact, entry, summary)],
        What::Summary(_) => vec![of_the_moment(named("many-changes"), entry, in_words(std::slice::from_ref(entry)))],
    }
}

/// The alert of a check that is down, and the end of those for its former causes.
fn firing(entry: &Entry, down: &Down, course: Option<&Course>, summary: &str) -> Vec<Alert> {
    let ends = course.and_then(|course| course.next).map_or(entry.at + DAY, |next| next.max(entry.at) + HOUR);
    let labels = of_check(&down.check, down.state, down.cause.map(|cause| cause.to_string()));
    let before = others(&down.check, course).filter(|before| *before != labels);
    let mut alerts: Vec<_> = before.map(|before| over(before, Some(down.since), entry.at, summary)).collect();
    alerts.push(Alert { labels, starts: Some(down.since), ends, is_over: false, summary: summary.into() });
    alerts
}

/// The labels of the alerts for the causes that an outage was told with before.
fn others<'a>(
    check: &'a CheckId,
    course: Option<&'a Course>,
) -> impl Iterator<Item = BTreeMap<&'static str, String>> + 'a {
    course.into_iter().flat_map(|course| &course.causes).map(|cause| match cause.as_str() {
        SILENT => of_check(check, State::Silent, None),
        cause => of_check(check, State::Failing, Some(cause.into())),
    })
}

/// The labels by which Alertmanager knows the alert of a check.
fn of_check(check: &CheckId, state: State, cause: Option<String>) -> BTreeMap<&'static str, String> {
    let mut labels = BTreeMap::from([
        ("alertname", "PulseEchoDown".to_string()),
        ("host", check.host().to_string()),
        ("check", check.to_string()),
        ("state", state.to_string()),
    ]);
    if matches!(state, State::Gone | State::New) {
        labels.insert("alertname", "PulseEcho".into());
    }
    labels.extend(cause.filter(|_| state == State::Failing).map(|cause| ("cause", cause)));
    labels
}

fn named(kind: &str) -> BTreeMap<&'static str, String> {
    BTreeMap::from([("alertname", "PulseEcho".to_string()), ("kind", kind.to_string())])
}

fn over(labels: BTreeMap<&'static str, String>, starts: Option<Time>, ends: Time, summary: &str) -> Alert {
    Alert { labels, starts, ends, is_over: true, summary: summary.into() }
}

/// An alert of something that does not last.
fn of_the_moment(labels: BTreeMap<&'static str, String>, entry: &Entry, summary: String) -> Alert {
    Alert { labels, starts: Some(entry.at), ends: entry.at + HOUR, is_over: false, summary }
}

/// The alert of a fact about many or about us. What lasts has the labels of its end.
fn of_us(fact: &Fact, entry: &Entry, summary: String) -> Alert {
    let kind = match fact {
        Fact::New { check } => return of_the_moment(of_check(check, State::New, None), entry, summary),
        Fact::Unanswered { .. } | Fact::Answered { .. } => "unanswered",
        Fact::Vanished { .. } | Fact::Found { .. } => "vanished",
        Fact::Stopped { .. } | Fact::Started { .. } => "stopped",
        Fact::ChannelFails { .. } | Fact::ChannelWorks { .. } => "channel-fails",
        Fact::Crowded { .. } | Fact::Uncrowded { .. } => "crowded",
        Fact::ManyDown { .. } => "many-down",
        Fact::Gap { .. } => "gap",
        Fact::StatusUnreadable { .. } | Fact::StatusMissing { .. } => "status-lost",
        Fact::StatusUnusable { .. } => "status-unusable",
        Fact::HistoryTrouble { .. } => "history-trouble",
        Fact::Refused { .. } => "refused",
        Fact::SetBack { .. } => "set-back",
        Fact::Counted { .. } => "many-changes",
        Fact::Untaken { .. } => "untaken",
        Fact::Test => "test",
        Fact::Down(_) | Fact::StillDown { .. } | Fact::Up { .. } | Fact::Gone { .. } => "check",
    };
    let mut labels = named(kind);
    match fact {
        Fact::ChannelFails { channel, .. } | Fact::ChannelWorks { channel, .. } => {
            labels.insert("channel", channel.clone());
        }
        Fact::Crowded { host, .. } | Fact::Uncrowded { host, .. } => {
            labels.insert("host", host.clone());
        }
        _ => {}
    }
    match fact {
        Fact::Answered { since, .. }
        | Fact::Found { since, .. }
        | Fact::ChannelWorks { since, .. }
        | Fact::Uncrowded { since, .. }
        | Fact::Started { stopped: since } => over(labels, Some(*since), entry.at, &summary),
        Fact::Unanswered { .. }
        | Fact::Vanished { .. }
        | Fact::Stopped { .. }
        | Fact::ChannelFails { .. }
        | Fact::Crowded { .. } => {
            Alert { labels, starts: Some(entry.at), ends: entry.at + WEEK, is_over: false, summary }
        }
        _ => of_the_moment(labels, entry, summary),
    }
}

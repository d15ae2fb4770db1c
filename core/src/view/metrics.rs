//! The fleet as metrics.

use std::collections::{BTreeMap, BTreeSet};

use super::Row;
use crate::clock::Time;
use crate::mark::Mark;
use crate::prometheus::Metrics;
use crate::status::State;

/// The fleet's metrics, but for the [age](sweep_age) of the last sweep, which grows. `owed` has the channels of each
/// message that is owed.
#[allow(clippy::cast_precision_loss)]
pub fn metrics<'a>(rows: &[Row], owed: impl Iterator<Item = &'a BTreeSet<String>>, mark: &'a Mark) -> Metrics {
    let mut metrics = Metrics::default();
    let mut down: BTreeSet<&str> = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for row in rows {
        let (check, state) = (row.id.to_string(), row.record.state);
        // Two keys may be shown alike, and a sample that comes twice would make the whole text invalid. The worse check
        // comes first.
        if !seen.insert(check.clone()) {
            continue;
        }
        let labels = [("host", row.id.host()), ("check", &*check), ("state", &*state.to_string())];
        match state {
            State::Up => metrics.family("check_up", UP).add(&labels[..2], 1.0),
            state if state.is_down() => metrics.family("check_up", UP).add(&labels[..2], 0.0),
            _ => {}
        }
        metrics.family("check_state", STATE).add(&labels, 1.0);
        if row.mute.is_some() {
            metrics.family("check_muted", MUTED).add(&labels[..2], 1.0);
        }
        if row.is_told_down() {
            down.insert(row.id.host());
        }
    }
    metrics.family("hosts_down", HOSTS_DOWN).add(&[], down.len() as f64);
    let known = mark.channels.iter().flatten();
    let mut channels: BTreeMap<&str, usize> = known.map(|channel| (channel.as_str(), 0)).collect();
    for channel in owed.flatten() {
        *channels.entry(channel).or_default() += 1;
    }
    for (channel, owed) in channels {
        metrics.family("messages_owed", OWED).add(&[("channel", channel)], owed as f64);
    }
    metrics
}

/// The age of the last sweep, as a metric; none if the mark knows of no sweep.
#[allow(clippy::cast_precision_loss)]
pub fn sweep_age(mark: &Mark, now: Time) -> Metrics {
    let mut metrics = Metrics::default();
    if let Some(swept) = mark.swept {
        metrics.family("sweep_age_seconds", SWEEP_AGE).add(&[], swept.age(now).as_secs() as f64);
    }
    metrics
}

const UP: &str = "Whether the check is up: 1, or 0 if it is down. A check that is new or gone has none.";
const STATE: &str = "1 for the state that the check is in: up, failing, silent, unanswered, new or gone.";
const MUTED: &str = "1 while an operator has muted the check.";
const HOSTS_DOWN: &str = "How many hosts have a check that is down and not muted.";
const SWEEP_AGE: &str = "How many seconds ago the loop looked at all checks.";
const OWED: &str = "How many messages the channel has not taken yet.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::CheckId;
    use crate::status::{Muted, Record, StatusOf};
    use crate::view::worst_first;

    fn id(key: &str) -> CheckId {
        key.to_string().try_into().unwrap()
    }

    #[test]
    fn each_check_has_its_state_and_a_host_is_down_once_and_not_while_it_is_muted() {
        let at = Time::from_second;
        let is = |state| Record { state, ..Record::new(at(0)) };
        let mut status: StatusOf<BTreeSet<String>> = StatusOf::new(at(60));
        status.checks = [
            ("a.json", is(State::Up)),
            ("b.json", is(State::Silent)),
            ("b/\"d\\b\".json", is(State::Failing)),
            ("c.json", is(State::Failing)),
            ("d.json", is(State::New)),
            // It is shown as the check `b`.
            ("b", is(State::Up)),
        ]
        .map(|(key, record)| (id(key), record))
        .into();
        status.mutes =
            [(id("c.json"), Muted { etag: "m".into(), at: at(0), for_s: 600, reason: None, listed: None })].into();
        status.outbox = vec![["slack".to_string(), "sns".to_string()].into(), ["slack".to_string()].into()];
        let mark = Mark {
            swept: Some(at(48)),
            channels: Some(["slack", "sns", "webhook"].map(String::from).into()),
            ..Mark::default()
        };
        let rows = worst_first(&status, at(60));
        let text = metrics(&rows, status.outbox.iter(), &mark).text() + &sweep_age(&mark, at(60)).text();
        let samples: BTreeSet<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let expected = [
            r#"pulse_echo_check_muted{host="c",check="c"} 1"#,
            r#"pulse_echo_check_state{host="a",check="a",state="up"} 1"#,
            r#"pulse_echo_check_state{host="b",check="b",state="silent"} 1"#,
            r#"pulse_echo_check_state{host="b",check="b/\"d\\b\"",state="failing"} 1"#,
            r#"pulse_echo_check_state{host="c",check="c",state="failing"} 1"#,
            r#"pulse_echo_check_state{host="d",check="d",state="new"} 1"#,
            r#"pulse_echo_check_up{host="a",check="a"} 1"#,
            r#"pulse_echo_check_up{host="b",check="b"} 0"#,
            r#"pulse_echo_check_up{host="b",check="b/\"d\\b\""} 0"#,
            r#"pulse_echo_check_up{host="c",check="c"} 0"#,
            "pulse_echo_hosts_down 1",
            r#"pulse_echo_messages_owed{channel="slack"} 2"#,
            r#"pulse_echo_messages_owed{channel="sns"} 1"#,
            r#"pulse_echo_messages_owed{channel="webhook"} 0"#,
            "pulse_echo_sweep_age_seconds 12",
        ];
        assert_eq!(samples, expected.into());
        assert_eq!(text.matches("# HELP ").count(), 6);
        assert_eq!(text.matches("# TYPE ").count(), 6);
    }
}

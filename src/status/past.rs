//! A check's past on its page: its uptime and its last outages.

use serde_json::{Value, json};

use crate::history::words;
use pulse_echo_core::clock::Time;
use pulse_echo_core::history::{Dark, History, Timeline, WINDOWS};
use pulse_echo_core::status::PastOutage;
use pulse_echo_core::view::Row;
use pulse_echo_core::words::duration;

/// How many outages are shown.
const SHOWN: usize = 5;

/// The lines, each with its label. Without a history, why there is none.
pub fn lines(row: &Row, history: &Result<History, String>, now: Time) -> Vec<(&'static str, String)> {
    let history = match history {
        Ok(history) => history,
        Err(why) => return vec![("uptime", format!("not known: {why}"))],
    };
    let dark = Dark::of(history);
    let timeline = Timeline::of(row.id, Some(row.record), history, &dark);
    let uptimes = WINDOWS.map(|days| {
        let window = if days == 1 { "24 h".into() } else { format!("{days} d") };
        format!("{window} {}", timeline.of_last(days, now))
    });
    let mut lines = vec![("uptime", uptimes.join(", "))];
    for outage in timeline.outages().take(SHOWN) {
        let label = if lines.len() == 1 { "was down" } else { "" };
        let PastOutage { from, until, state, cause, reason, muted } = outage;
        let why = words(*state, *cause, reason.as_deref(), *muted);
        lines.push((label, format!("{from}  for {}, {why}", duration(from.age(*until)))));
    }
    lines
}

/// The uptimes for other programs: `[{"days": 1, "time_s": 86400, "down_s": 0}, …]`; null without a history.
pub fn json(row: &Row, history: &Result<History, String>, now: Time) -> Value {
    let Ok(history) = history else { return Value::Null };
    let dark = Dark::of(history);
    let timeline = Timeline::of(row.id, Some(row.record), history, &dark);
    let uptime = |days| {
        let uptime = timeline.of_last(days, now);
        json!({ "days": days, "time_s": uptime.time_s, "down_s": uptime.down_s })
    };
    WINDOWS.map(uptime).to_vec().into()
}

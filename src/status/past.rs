//! A check's past on its page: its uptime and its last outages.

use serde_json::{Value, json};

use pulse_echo_core::clock::Time;
use pulse_echo_core::history::{Dark, History, Timeline, WINDOWS, window};
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
    let uptimes = WINDOWS.map(|days| format!("{} {}", window(days), timeline.of_last(days, now)));
    let mut lines = vec![("uptime", uptimes.join(", "))];
    for outage in timeline.outages().take(SHOWN) {
        let label = if lines.len() == 1 { "was down" } else { "" };
        let lasted = duration(outage.from.age(outage.until));
        lines.push((label, format!("{}  for {lasted}, {}", outage.from, outage.why())));
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

//! The rows as JSON, for other programs.

use serde_json::{Value, json};

use super::summary::Watch;
use crate::fleet::{Fleet, channels_in_trouble};
use pulse_echo_core::status::Muted;
use pulse_echo_core::view::{Row, count};

/// `{"now": …, "written": …, "loop": {"trouble": …, "mark": …}, "shown": …, "down": …, "checks": [{"check": …, "state":
/// …, "late": …, …}, …]}`, the worst first; with a list of hosts, `missing` names those of it without a check. Times
/// are RFC 3339; an unknown value is null.
pub fn json(fleet: &Fleet, watch: &Watch, rows: &[Row], missing: Option<&[String]>) -> Value {
    let trouble = watch.is_trouble().then(|| watch.outcome.sentence());
    let mark = watch.mark.as_ref().map(|(mark, _)| mark);
    let mut json = json!({
        "now": fleet.now,
        "written": fleet.status.written,
        "loop": { "trouble": trouble, "mark": mark },
        "channels": channels_in_trouble(fleet),
        "shown": rows.len(),
        "down": count(rows, |row| row.record.state.is_down()),
        "checks": rows.iter().map(|row| check(row, fleet)).collect::<Vec<_>>(),
    });
    if let Some(missing) = missing {
        json["missing"] = missing.into();
    }
    json
}

fn check(row: &Row, fleet: &Fleet) -> Value {
    let record = row.record;
    let limits = record.limits.as_ref().map(|limits| json!({ "every_s": limits.every_s, "limit_s": limits.limit_s }));
    json!({
        "check": row.id.to_string(),
        "state": record.state,
        "late": row.is_late,
        "since": record.since,
        "for_s": row.lasts(fleet.now).as_secs(),
        "text": row.text(fleet.now),
        "cause": record.cause(),
        "pulse": row.pulse_at(),
        "echo": record.echo,
        "fault": record.fault.as_ref().map(|fault| fault.at),
        "limits": limits,
        "muted_until": row.mute.map(Muted::until),
        "ack": row.ack.map(|ack| json!({ "at": ack.at, "by": ack.word.by, "reason": ack.word.reason })),
        "changes": record.history,
    })
}

//! The rows as JSON, for other programs.

use serde_json::{Value, json};

use super::row::Row;
use super::summary::{Watch, count};
use crate::fleet::Fleet;
use pulse_echo_core::status::Muted;

/// `{"now": …, "written": …, "loop": {"trouble": …, "mark": …}, "shown": …, "down": …, "checks": [{"check": …, "state":
/// …, "late": …, …}, …]}`, the worst first. Times are RFC 3339; what is not known is null.
pub fn json(fleet: &Fleet, watch: &Watch, rows: &[Row]) -> Value {
    let trouble = watch.is_trouble().then(|| watch.outcome.sentence());
    let mark = watch.mark.as_ref().map(|(mark, _)| mark);
    json!({
        "now": fleet.now,
        "written": fleet.status.written,
        "loop": { "trouble": trouble, "mark": mark },
        "shown": rows.len(),
        "down": count(rows, |row| row.record.state.is_down()),
        "checks": rows.iter().map(|row| check(row, fleet)).collect::<Vec<_>>(),
    })
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
        "changes": record.history,
    })
}

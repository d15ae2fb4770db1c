//! The page of one check: all that is known of it.

use super::table::coloured;
use crate::fleet::Fleet;
use crate::terminal::Terminal;
use pulse_echo_core::clock::Time;
use pulse_echo_core::status::{Change, Outage, State};
use pulse_echo_core::text::printable;
use pulse_echo_core::view::Row;
use pulse_echo_core::words;

/// The width of the labels.
const LABELS: usize = 12;

/// When the answers came that are in the store now, as far as that was looked up. The record may be ten minutes older.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers {
    /// The echo.
    pub echo: Option<Time>,
    /// The fault.
    pub fault: Option<Time>,
}

/// Renders the check's page, without a final line break. `past` are the lines of its past, each with its label.
pub fn of(
    row: &Row,
    answers: Answers,
    fleet: &Fleet,
    past: Vec<(&'static str, String)>,
    terminal: &Terminal,
) -> String {
    let (record, now) = (row.record, fleet.now);
    let time = |at: Time| format!("{at}, {} ago", words::duration(at.age(now)));
    let word = row.word();
    // The state's own time: how long it is down is the outage's.
    let lasts = words::duration(if row.is_late { row.lasts(now) } else { record.since.age(now) });
    let head = format!("{} has been {} for {lasts}", row.id, coloured(row, &word, terminal));
    let limits = record.limits.as_ref().map(|limits| {
        let in_row = limits.faults_in_row.filter(|faults| *faults > 1);
        format!(
            "a pulse every {} is promised; silent after {}{}",
            words::duration(limits.every()),
            words::duration(limits.limit()),
            in_row.map_or_else(String::new, |faults| format!("; down after {faults} faults in a row"))
        )
    });
    let mute = row.mute.map(|mute| {
        let reason = mute.reason.as_deref().unwrap_or("no reason given");
        format!("until {}, {} more: {reason}", mute.until(), words::duration(now.age(mute.until())))
    });
    // Of one that is gone no more is kept than since when.
    let is_kept = record.state != State::Gone;
    // The store's times may be ahead of its own clock by now; then those of the record are right.
    let latest = |now_there: Option<Time>, known: Option<Time>| now_there.filter(|at| !at.is_ahead(now)).max(known);
    let missing = record.missing.map(|missing| format!("since {}: retired, unless it comes back", missing.since));
    let facts = [
        ("why", (record.state == State::Failing).then(|| row.reason())),
        ("since", Some(time(record.since))),
        ("last pulse", Some(time(row.pulse_at()))),
        ("its host", row.newest.as_ref().map(|newest| words::vitals(&newest.vitals)).filter(|words| !words.is_empty())),
        ("no pulse", missing),
        ("last echo", latest(answers.echo, record.echo).map(time).or(is_kept.then(|| "there never was one".into()))),
        ("last fault", latest(answers.fault, record.fault.as_ref().map(|fault| fault.at)).map(time)),
        ("limits", limits.or(is_kept.then(|| "not read yet".into()))),
        ("outage", record.outage.as_deref().map(|outage| told(outage, row.ack.is_some(), now))),
        ("ack", row.ack.map(|ack| format!("{}, {}", time(ack.at), ack.word.clause()))),
        ("mute", Some(mute.unwrap_or("none".into()))),
    ];
    let line = |label: &str, text: &str| {
        let label = format!("  {label:<LABELS$}");
        terminal.wrapped(&label, &printable(text), label.len())
    };
    let past = past.into_iter().map(|(label, fact)| (label, Some(fact)));
    let facts = facts.into_iter().chain(past).filter_map(|(label, fact)| Some(line(label, &fact?)));
    let changes = record.history.iter().rev().enumerate();
    let changes = changes.map(|(at, change)| line(if at == 0 { "changes" } else { "" }, &words_of(change)));
    let never = record.history.is_empty().then(|| line("changes", "none: it was never down"));
    [head].into_iter().chain(facts).chain(changes).chain(never).collect::<Vec<_>>().join("\n")
}

fn told(outage: &Outage, is_acked: bool, now: Time) -> String {
    match &outage.told {
        Some(told) if is_acked => format!("since {}, told at {}; no reminders", outage.since, told.at),
        Some(told) if told.next > now => {
            format!("since {}, told at {}; the next reminder is at {}", outage.since, told.at, told.next)
        }
        Some(told) => format!("since {}, told at {}; a reminder is due", outage.since, told.at),
        None => format!("since {}, not told", outage.since),
    }
}

fn words_of(change: &Change) -> String {
    let cause = change.cause.map_or_else(String::new, |cause| format!(" ({cause})"));
    format!("{}  {}{cause}", change.at, change.state)
}

//! `status`: the fleet at the last sweep, the worst first; or everything about one check.
//!
//! All that is shown comes from one list of rows, the library's `view`. The table (`table`), the page of one check
//! (`page`) and JSON (`json`) show it in three ways; the metrics are the library's, too.

mod expected;
mod json;
mod link;
mod page;
mod past;
mod selection;
mod summary;
mod table;
#[cfg(test)]
mod tests;

use std::path::Path;

use super::args::{Arguments, Selection, Status};
use super::exit::Exit;
use super::export;
use super::fleet::Fleet;
use super::history;
use super::look;
use super::operator::with_store;
use super::output::{complain, print, print_json};
use super::target::{Target, Unknown, meant, stands_for};
use super::terminal::Terminal;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::pulse::{SIZE_LIMIT, Sending};
use pulse_echo_core::status::State;
use pulse_echo_core::store::Store;
use pulse_echo_core::text::of_io;
use pulse_echo_core::view::{Newest, Row, metrics, sweep_age, worst_first};

use summary::Watch;

/// How many pulses are read for the last words of silent hosts: each is a request.
const PULSES_READ: usize = 10;

/// Runs `status`.
pub fn command(arguments: &Arguments, options: &Status, environment: Environment) -> Exit {
    attempt(arguments, options, environment).unwrap_or_else(|message| {
        complain(&message);
        Exit::Usage
    })
}

/// The error is a mistake in usage.
fn attempt(arguments: &Arguments, options: &Status, environment: Environment) -> Result<Exit, String> {
    let target = meant(options.target.as_ref(), arguments.host.as_deref())?;
    let first = |of: &[(&'static str, bool)]| of.iter().find(|(_, is_given)| *is_given).map(|(what, _)| *what);
    let chosen = first(&[("an ID", target.is_some()), ("--state", options.state.is_some()), ("--json", options.json)]);
    if options.link || options.for_s.is_some() {
        let other = first(&[("--prom", options.prom.is_some()), ("--expect", options.expect.is_some())]);
        let life = match (options.link, chosen.or(other)) {
            (false, _) => return Err("--for goes with --link".into()),
            (true, Some(other)) => return Err(format!("--link is of the whole page: leave out {other}")),
            (true, None) => link::life(options.for_s)?,
        };
        return Ok(with_store(arguments, environment, |store| link::show(store, life)));
    }
    let expected = options.expect.as_deref().map(expected::read).transpose()?;
    match (&options.prom, chosen) {
        (Some(_), Some(other)) => Err(format!("--prom writes the whole fleet: leave out {other}")),
        (Some(file), None) => {
            Ok(with_store(arguments, environment, |store| write_metrics(store, file, expected.as_deref())))
        }
        (None, _) => Ok(with_store(arguments, environment, |store| {
            let wanted = Wanted { target, state: options.state, expected, as_json: options.json };
            show(store, wanted, &Terminal::of_stdout(environment))
        })),
    }
}

/// What is to be shown.
struct Wanted {
    target: Option<Target>,
    state: Option<Selection>,
    /// The hosts that are expected to have a check.
    expected: Option<Vec<String>>,
    as_json: bool,
}

/// Writes the fleet's metrics to a file, or to stdout. Then it is an error if a host is not there that is expected.
fn write_metrics(store: &Store, file: &str, expected: Option<&[String]>) -> Result<(), String> {
    let fleet = Fleet::read(store)?;
    let (mark, now) = look::mark(store)
        .map_err(|error| error.to_string())?
        .there()
        .ok_or_else(|| "the loop has no mark yet, or it may not be read: see pulse-echo loop show".to_string())?;
    let owed = fleet.status.outbox.iter().map(|message| &message.owed);
    let rows = worst_first(&fleet.status, fleet.now);
    let text = metrics(&rows, owed, &mark).text() + &sweep_age(&mark, now).text();
    if matches!(file, "-" | "/dev/stdout") {
        print(text.trim_end());
    } else {
        let written = export::write_prometheus(Path::new(file), &text);
        written.map_err(|error| format!("cannot write the metrics to {file}: {}", of_io(&error)))?;
    }
    expected.map_or(Ok(()), |expected| expected::all_there(&expected::missing(expected, &fleet)))
}

fn show(store: &Store, wanted: Wanted, terminal: &Terminal) -> Result<(), String> {
    let Wanted { target, state, expected, as_json } = wanted;
    let fleet = Fleet::read(store)?;
    let watch = Watch::look(store);
    let rows = worst_first(&fleet.status, fleet.now);
    let summary = summary::lines(&fleet, &rows, &watch);
    let missing = expected.as_deref().map(|expected| expected::missing(expected, &fleet));
    let id = target.as_ref().map(|target| target.among(Some(&fleet.status)));
    if let Some(unknown) = id.as_ref().and_then(|id| Unknown::find(id, &fleet.status)) {
        return Err(unknown.to_string());
    }
    let is_wanted = |row: &Row| {
        id.as_ref().is_none_or(|id| stands_for(id, row.id)) && state.is_none_or(|selection| selection.includes(row))
    };
    let mut wanted: Vec<_> = rows.into_iter().filter(is_wanted).collect();
    let is_worth_it = |row: &&mut Row| row.record.state == State::Silent || Some(row.id) == id.as_ref();
    for row in wanted.iter_mut().filter(is_worth_it).take(PULSES_READ) {
        if let Some(newest) = newest(store, row.id) {
            row.see(newest);
        }
    }
    let is_one = |row: &Row| Some(row.id) == id.as_ref();
    let history = wanted.iter().any(is_one).then(|| history::read(store, &fleet));
    if as_json {
        let mut json = json::json(&fleet, &watch, &wanted, missing.as_deref());
        if let Some((row, history)) = wanted.iter().find(|row| is_one(row)).zip(history.as_ref()) {
            json["uptime"] = past::json(row, history, fleet.now);
        }
        print_json(&json);
    } else {
        for (at, line) in summary.iter().enumerate() {
            let line = terminal.wrapped("", line, 2);
            print(&if at == 0 && watch.is_trouble() { terminal.red(&line) } else { line });
        }
        let (page, others): (Vec<_>, Vec<_>) = wanted.into_iter().partition(is_one);
        for row in &page {
            let past = history.as_ref().map(|history| past::lines(row, history, fleet.now)).unwrap_or_default();
            print(&format!("\n{}", page::of(row, answers(store, row.id), &fleet, past, terminal)));
        }
        if !others.is_empty() {
            print(&format!("\n{}", table::of(&others, fleet.now, terminal)));
        }
    }
    missing.map_or(Ok(()), |missing| expected::all_there(&missing))
}

/// All lines that `status` can show of a fleet, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub fn shown(
    status: pulse_echo_core::status::StatusOf<super::fleet::Owed>,
    mark: pulse_echo_core::mark::Mark,
    width: usize,
) -> Vec<String> {
    let terminal = Terminal { width: Some(width.max(20)), has_colours: false };
    let fleet = Fleet { now: status.written, status };
    let mark = look::Look::There((mark, fleet.now));
    let watch = Watch { outcome: super::verdict::judge_loop(mark.clone()), mark: mark.there() };
    let rows = worst_first(&fleet.status, fleet.now);
    let pages = rows.iter().map(|row| page::of(row, page::Answers::default(), &fleet, Vec::new(), &terminal));
    let texts = pages.chain([table::of(&rows, fleet.now, &terminal)]).chain(summary::lines(&fleet, &rows, &watch));
    texts.flat_map(|text| text.split('\n').map(String::from).collect::<Vec<_>>()).collect()
}

/// The pulse in the store; `None` if it cannot be read, which is not an error.
/// When its answers came that are in the store now.
fn answers(store: &Store, id: &CheckId) -> page::Answers {
    let at = |key: Key| Some(look::look(store, &key, SIZE_LIMIT).ok()?.there()?.last_modified);
    page::Answers { echo: at(Key::echo(id)), fault: at(Key::fault(id)) }
}

fn newest(store: &Store, id: &CheckId) -> Option<Newest> {
    let pulse = look::look(store, &Key::pulse(id), SIZE_LIMIT).ok()?.there()?;
    Some(Newest { at: pulse.last_modified, vitals: Sending::from_metadata(&pulse.metadata).vitals })
}

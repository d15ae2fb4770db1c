//! `status`: the fleet as the last sweep left it, the worst first; or all that is known of one check.
//!
//! What is shown of a check is one list of rows (`row`); the table (`table`), the page of one check (`page`) and JSON
//! (`json`) are three ways to show it.

mod json;
mod page;
mod row;
mod selection;
mod summary;
mod table;
#[cfg(test)]
mod tests;

use super::args::{Arguments, Status};
use super::exit::Exit;
use super::fleet::Fleet;
use super::look;
use super::operator::with_store;
use super::output::{print, print_json};
use super::target::{Unknown, checks_of};
use super::terminal::Terminal;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::pulse::{SIZE_LIMIT, Sending};
use pulse_echo_core::status::State;
use pulse_echo_core::store::Store;

use row::{Newest, Row};
use summary::Watch;

/// How many pulses are read, for the last words of silent hosts: each is a request.
const PULSES_READ: usize = 10;

/// Runs `status`.
pub fn command(arguments: &Arguments, options: &Status, environment: Environment) -> Exit {
    with_store(arguments, environment, |store| show(store, options, &Terminal::of_stdout(environment)))
}

fn show(store: &Store, options: &Status, terminal: &Terminal) -> Result<(), String> {
    let fleet = Fleet::read(store)?;
    let watch = Watch::look(store);
    let rows = row::worst_first(&fleet);
    let summary = summary::lines(&fleet, &rows, &watch);
    let id = options.target.as_ref().map(|target| target.among(Some(&fleet.status)));
    if let Some(unknown) = id.as_ref().and_then(|id| Unknown::find(id, &fleet.status)) {
        return Err(unknown.to_string());
    }
    let of_id: Option<Vec<&CheckId>> = id.as_ref().map(|id| checks_of(id, &fleet.status).collect());
    let is_wanted = |row: &Row| {
        of_id.as_ref().is_none_or(|ids| ids.contains(&row.id))
            && options.state.is_none_or(|selection| selection.includes(row))
    };
    let mut wanted: Vec<_> = rows.into_iter().filter(is_wanted).collect();
    let is_worth_it = |row: &&mut Row| row.record.state == State::Silent || Some(row.id) == id.as_ref();
    for row in wanted.iter_mut().filter(is_worth_it).take(PULSES_READ) {
        if let Some(newest) = newest(store, row.id) {
            row.see(newest);
        }
    }
    if options.json {
        print_json(&json::json(&fleet, &watch, &wanted));
        return Ok(());
    }
    for (at, line) in summary.iter().enumerate() {
        let line = terminal.wrapped("", line, 2);
        print(&if at == 0 && watch.is_trouble() { terminal.red(&line) } else { line });
    }
    let (page, others): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|row| Some(row.id) == id.as_ref());
    for row in &page {
        print(&format!("\n{}", page::of(row, &fleet, terminal)));
    }
    if !others.is_empty() {
        print(&format!("\n{}", table::of(&others, fleet.now, terminal)));
    }
    Ok(())
}

/// All lines of all that is ever shown of a fleet, for the fuzzer.
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
    let rows = row::worst_first(&fleet);
    let pages = rows.iter().map(|row| page::of(row, &fleet, &terminal));
    let texts = pages.chain([table::of(&rows, fleet.now, &terminal)]).chain(summary::lines(&fleet, &rows, &watch));
    texts.flat_map(|text| text.split('\n').map(String::from).collect::<Vec<_>>()).collect()
}

/// The pulse in the store; `None` if it cannot be read, which is not an error.
fn newest(store: &Store, id: &CheckId) -> Option<Newest> {
    let pulse = look::look(store, &Key::pulse(id), SIZE_LIMIT).ok()?.there()?;
    Some(Newest { at: pulse.last_modified, vitals: Sending::from_metadata(&pulse.metadata).vitals })
}

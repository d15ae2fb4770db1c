//! A whole history: read line by line, then sorted by time.

use std::collections::HashMap;
use std::io::{BufRead, Cursor, Read};

use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};
use pulse_echo_core::clock::Time;
use pulse_echo_core::json::{self, Object, Unknown};
use pulse_echo_core::name::CheckId;
use pulse_echo_core::text::nearest;

use super::row::{Row, What};

/// A recorded history of some checks.
pub struct List {
    /// The checks, in key order.
    pub(super) checks: Vec<CheckId>,
    /// The events, the oldest first.
    pub(super) events: Vec<Event>,
    /// When the first event happened.
    pub(super) from: Time,
    /// When the history ends.
    pub(super) until: Time,
}

/// An event: something that happened to the store.
pub(super) struct Event {
    pub(super) at: Time,
    /// The index of the check in `checks`.
    pub(super) check: usize,
    pub(super) what: What,
}

impl List {
    /// Reads a history until its last line, or `until`; later lines are left out. The error is a sentence that names
    /// the line.
    pub fn read(input: impl BufRead, until: Option<Time>) -> Result<Self, String> {
        let mut found = Found::default();
        let (first, skipped, input) = first_line(input)?;
        let input = Cursor::new(first.clone()).chain(input);
        let begins = first.trim_ascii_start();
        if begins.strip_prefix(BOM).unwrap_or(begins).trim_ascii_start().starts_with(b"{") {
            json_lines(input, skipped, &mut found)?;
        } else {
            csv(input, skipped, &mut found)?;
        }
        found.in_order(until)
    }

    /// Whether it has neither echoes nor faults.
    pub(super) fn is_without_answers(&self) -> bool {
        !self.events.iter().any(|event| matches!(event.what, What::Echo | What::Fault(_)))
    }
}

/// The byte order mark that some programs write first.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The first line that is not blank, how many lines came before it, and the rest.
fn first_line<R: BufRead>(mut input: R) -> Result<(Vec<u8>, u64, R), String> {
    for skipped in 0.. {
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line).map_err(|error| format!("it cannot be read: {error}"))?;
        if line.is_empty() {
            break;
        }
        if !line.trim_ascii().is_empty() {
            return Ok((line, skipped, input));
        }
    }
    Err(format!("there is nothing in it; it begins with a header, {}, or with a JSON object", Row::FIELDS.join(",")))
}

fn json_lines(input: impl BufRead, skipped: u64, found: &mut Found) -> Result<(), String> {
    for (number, line) in (skipped + 1..).zip(input.split(b'\n')) {
        let at_line = |why: &dyn std::fmt::Display| format!("line {number}: {why}");
        let line = line.map_err(|error| at_line(&format_args!("it cannot be read: {error}")))?;
        let line = line.strip_prefix(BOM).unwrap_or(&line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        let row: Row = json::read(line, Unknown::Refused).map_err(|error| at_line(&error.message))?;
        found.take(row).map_err(|why| at_line(&why))?;
    }
    Ok(())
}

fn csv(input: impl Read, skipped: u64, found: &mut Found) -> Result<(), String> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(input);
    let header = reader.headers().map_err(|error| csv_error(error, skipped))?;
    let header = columns(header).map_err(|why| format!("line {}: {why}", skipped + 1))?;
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| csv_error(error, skipped))? {
        let mut row = Row::default();
        header.iter().zip(&record).for_each(|(field, text)| row.set(field, text.to_owned()));
        let line = record.position().map_or(0, csv::Position::line) + skipped;
        found.take(row).map_err(|why| format!("line {line}: {why}"))?;
    }
    Ok(())
}

/// The header's names. All must be known, and the required names must be there.
fn columns(header: &StringRecord) -> Result<Vec<&'static str>, String> {
    let known = Row::FIELDS;
    let column = |name: &str| {
        known.iter().copied().find(|field| *field == name).ok_or_else(|| match nearest(name, known.iter().copied()) {
            Some(near) => format!("{name:?} is not a column; did you mean {near:?}?"),
            None => format!("{name:?} is not a column; there are {}, with commas between them", known.join(", ")),
        })
    };
    let columns = header.iter().map(column).collect::<Result<Vec<_>, _>>()?;
    if let Some(twice) = columns.iter().enumerate().find(|(at, name)| columns[..*at].contains(name)) {
        return Err(format!("the column {} is there twice", twice.1));
    }
    match ["time", "kind", "check"].into_iter().find(|needed| !columns.contains(needed)) {
        Some(missing) => Err(format!("the column {missing} is missing; time, kind and check are needed")),
        None => Ok(columns),
    }
}

fn csv_error(error: csv::Error, skipped: u64) -> String {
    let line = error.position().map_or(0, csv::Position::line) + skipped;
    match error.into_kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("line {line}: it has {len} fields, and the header {expected_len}; quote a field with a comma in it")
        }
        ErrorKind::Utf8 { .. } => format!("line {line}: it is no UTF-8; save the file as UTF-8"),
        ErrorKind::Io(error) => format!("it cannot be read: {error}"),
        other => format!("line {line}: it is no CSV: {other:?}"),
    }
}

/// The part of the history that was read so far.
#[derive(Default)]
struct Found {
    /// Each check's number, in order of first appearance.
    numbers: HashMap<CheckId, usize>,
    events: Vec<Event>,
}

impl Found {
    fn take(&mut self, row: Row) -> Result<(), String> {
        let (at, check, what) = row.read()?;
        let next = self.numbers.len();
        let check = *self.numbers.entry(check).or_insert(next);
        self.events.push(Event { at, check, what });
        Ok(())
    }

    fn in_order(self, until: Option<Time>) -> Result<List, String> {
        let mut checks: Vec<_> = self.numbers.into_iter().collect();
        checks.sort_unstable();
        let mut places = vec![0; checks.len()];
        checks.iter().enumerate().for_each(|(place, &(_, number))| places[number] = place);
        let mut events = self.events;
        for event in &mut events {
            event.check = places[event.check];
        }
        // If two events are in the same second, the later line is later.
        events.sort_by_key(|event| event.at);
        if let Some(until) = until {
            events.truncate(events.partition_point(|event| event.at <= until));
        }
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Err("nothing happens in it; a line such as 2026-11-21T08:27:27Z,pulse,web-1 must follow".into());
        };
        let (from, until) = (first.at, until.unwrap_or(last.at));
        Ok(List { checks: checks.into_iter().map(|(id, _)| id).collect(), events, from, until })
    }
}

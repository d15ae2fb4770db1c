//! `--expect FILE`: which hosts of a list have no check. A host that never sent a pulse is missed by no sweep.

use std::collections::BTreeSet;
use std::io::Read;
use std::{fs, io};

use crate::fleet::Fleet;
use pulse_echo_core::name::Name;
use pulse_echo_core::status::State;
use pulse_echo_core::text::of_io;

/// The largest list, in bytes: a hundred thousand hosts and more.
const SIZE_LIMIT: u64 = 16 * 1024 * 1024;

/// How many missing hosts the sentence names.
const NAMED: usize = 20;

/// Reads the list: a host in each line; what is behind `#` is for people. The error names file and line.
pub fn read(file: &str) -> Result<Vec<String>, String> {
    let unreadable = |error: io::Error| format!("cannot read the list of hosts {file}: {}", of_io(&error));
    let source: Box<dyn Read> =
        if file == "-" { Box::new(io::stdin()) } else { Box::new(fs::File::open(file).map_err(unreadable)?) };
    let mut text = String::new();
    source.take(SIZE_LIMIT).read_to_string(&mut text).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => format!("the list of hosts {file} is no text: it is not UTF-8"),
        _ => unreadable(error),
    })?;
    let mut hosts = Vec::new();
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let host = line.split('#').next().unwrap_or_default().trim();
        if !host.is_empty() {
            let name: Name = host.parse().map_err(|why| format!("{file}:{}: {why}", at + 1))?;
            hosts.push(name.as_str().to_string());
        }
    }
    if hosts.is_empty() {
        return Err(format!("{file} names no host: write one in each line"));
    }
    Ok(hosts)
}

/// The expected hosts without a check, in the list's order. A host whose checks are all gone has none.
pub fn missing(expected: &[String], fleet: &Fleet) -> Vec<String> {
    let there = fleet.status.checks.iter().filter(|(_, record)| record.state != State::Gone);
    let mut named: BTreeSet<_> = there.map(|(id, _)| id.host()).collect();
    expected.iter().filter(|host| named.insert(host)).cloned().collect()
}

/// The error is a sentence that names who is missing.
pub fn all_there(missing: &[String]) -> Result<(), String> {
    let mut names = missing.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if let Some(more) = missing.len().checked_sub(NAMED).filter(|more| *more > 0) {
        names = format!("{names} and {more} more");
    }
    match missing.len() {
        0 => Ok(()),
        1 => Err(format!("1 expected host has no check: {names}; does its cron run pulse-echo send?")),
        many => Err(format!("{many} expected hosts have no check: {names}; does their cron run pulse-echo send?")),
    }
}

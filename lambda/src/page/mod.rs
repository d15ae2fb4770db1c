//! `status.html`: the fleet as people look at it, in one file that needs nothing else.
//!
//! `choose` takes from the status what is shown, so that a page can be made while the status is changed. `document`
//! puts the parts together: `banner`, `down`, `hosts` with their `bars`, `outages`. `past` reads what is known of the
//! past. `html` makes strangers' texts safe.

mod banner;
mod bars;
mod choose;
mod document;
mod down;
mod hosts;
mod html;
mod outages;
mod past;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::AddAssign;

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Acked, Muted, Record, Unfiled};
use pulse_echo_core::view::Row;

pub use past::Past;

/// How the page is served and stored.
pub const CONTENT_TYPE: &str = "text/html; charset=utf-8";

/// How many checks are listed, the worst first.
const CHECKS: usize = 2_000;

/// How many of them may be of one host, so that none takes the place of the others.
const CHECKS_OF_HOST: usize = 100;

/// How many bytes the hosts may take that are only counted.
const REST: usize = 100_000;

/// How many bytes a page has at most. What does not fit is counted by host.
const BYTES: usize = 1_300_000;

/// What a page shows, but for the past.
pub struct Page {
    as_of: Time,
    tick_s: u32,
    stopped: Option<Time>,
    /// How many checks are in which state, in a line.
    counts: String,
    hosts: HostCounts,
    /// The worst first.
    listed: Vec<Listed>,
    rest: Rest,
    unfiled: Option<Unfiled>,
}

/// How many hosts there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct HostCounts {
    all: usize,
    /// Those with a check that is down and not muted.
    down: usize,
    /// Of the others those with a check that is down and muted.
    muted: usize,
    /// Those of which every check is up.
    up: usize,
}

/// A check that is listed.
struct Listed {
    id: CheckId,
    record: Record,
    is_late: bool,
    mute: Option<Muted>,
    ack: Option<Acked>,
}

/// The checks that are not listed, by host. A host with a listed check is among `hosts`, and so are the first by name:
/// more than there is room for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rest {
    hosts: BTreeMap<String, Count>,
    /// How many other hosts there are, and their checks.
    others: usize,
    of_others: Count,
}

/// How many checks, and how many of them are down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    checks: usize,
    down: usize,
}

impl Listed {
    fn row(&self) -> Row<'_> {
        let (mute, ack) = (self.mute.as_ref(), self.ack.as_ref());
        Row { id: &self.id, record: &self.record, is_late: self.is_late, mute, ack, newest: None }
    }
}

impl Rest {
    /// Adds a check that was to be listed.
    fn add(&mut self, row: &Row) {
        self.hosts.entry(row.id.host().into()).or_default().add(row);
    }
}

impl Count {
    fn add(&mut self, row: &Row) {
        self.checks += 1;
        self.down += usize::from(row.record.state.is_down());
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, more: Self) {
        self.checks += more.checks;
        self.down += more.down;
    }
}

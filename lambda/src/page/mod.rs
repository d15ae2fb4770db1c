//! `status.html`: the fleet as people look at it, in one file that needs nothing else.
//!
//! `choose` takes from the status what is shown, so that a page can be made while the status is changed. `document`
//! puts the parts together: `banner`, `down`, `hosts` with their `bars`, `outages`. `html` makes strangers' texts safe.

mod banner;
mod bars;
mod choose;
mod document;
mod down;
mod hosts;
mod html;
mod outages;
#[cfg(test)]
mod tests;

use pulse_echo_core::clock::Time;
use pulse_echo_core::history::History;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Acked, Muted, Record, Unfiled};
use pulse_echo_core::view::Row;

/// How the page is served and stored.
pub const CONTENT_TYPE: &str = "text/html; charset=utf-8";

/// How many checks are listed, the worst first.
const CHECKS: usize = 2_000;

/// How many of them may be of one host, so that none takes the place of the others.
const CHECKS_OF_HOST: usize = 100;

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

impl Page {
    /// What is known of the past where there is no history yet.
    pub fn history_not_begun(&self) -> History {
        History::not_begun(self.unfiled.as_ref(), self.as_of)
    }
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

/// The checks that are not listed: of each host how many, and how many of these are down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rest(std::collections::BTreeMap<String, (usize, usize)>);

impl Listed {
    fn row(&self) -> Row<'_> {
        let (mute, ack) = (self.mute.as_ref(), self.ack.as_ref());
        Row { id: &self.id, record: &self.record, is_late: self.is_late, mute, ack, newest: None }
    }
}

impl Rest {
    fn add(&mut self, row: &Row) {
        let (checks, down) = self.0.entry(row.id.host().into()).or_default();
        *checks += 1;
        *down += usize::from(row.record.state.is_down());
    }
}

//! The last outages that are over.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::fmt::Write;

use pulse_echo_core::clock::Time;
use pulse_echo_core::history::History;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::PastOutage;
use pulse_echo_core::words::{duration, when};

use super::Page;
use super::html::{escaped, link};

/// How many outages are shown.
const SHOWN: usize = 40;

impl Page {
    /// The section; nothing where no outage is known.
    pub(super) fn outages(&self, history: &History) -> String {
        let listed: HashSet<&str> = self.listed.iter().map(|listed| listed.id.host()).collect();
        let mut rows = String::new();
        for (check, outage) in newest(history) {
            let (host, id) = (check.host(), check.to_string());
            let name = if listed.contains(host) { link(host, &id) } else { escaped(&id) };
            let _ = write!(
                rows,
                "<tr><td>{}</td><td>{}</td><td>{name}</td><td>{}</td></tr>",
                when(outage.from),
                duration(outage.from.age(outage.until)),
                escaped(&outage.why())
            );
        }
        if rows.is_empty() {
            return String::new();
        }
        format!(
            "<section><h2>Last outages</h2><table class=\"o\"><thead><tr><th scope=\"col\">Began</th>\
             <th scope=\"col\">Lasted</th><th scope=\"col\">Check</th><th scope=\"col\">Why</th></tr></thead>\
             <tbody>{rows}</tbody></table></section>"
        )
    }
}

/// The newest outages of all checks, by when they began.
fn newest(history: &History) -> Vec<(&CheckId, &PastOutage)> {
    let mut heap: BinaryHeap<Reverse<(Time, usize, usize)>> = BinaryHeap::new();
    for (at, past) in history.checks.values().enumerate() {
        for (number, outage) in past.outages.iter().enumerate().rev().take(SHOWN) {
            if heap.len() == SHOWN && heap.peek().is_some_and(|Reverse((oldest, ..))| outage.from <= *oldest) {
                break;
            }
            heap.push(Reverse((outage.from, at, number)));
            if heap.len() > SHOWN {
                heap.pop();
            }
        }
    }
    let checks: Vec<_> = history.checks.iter().collect();
    let newest = heap.into_sorted_vec();
    newest.into_iter().map(|Reverse((_, at, number))| (checks[at].0, &checks[at].1.outages[number])).collect()
}

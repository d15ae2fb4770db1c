//! What is known of the past. The bars need all of the checks that are listed; of the others only the newest outages
//! are shown. No more is kept, so that a large fleet's history takes little memory.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;

use pulse_echo_core::clock::Time;
use pulse_echo_core::history::{self, Dark, History};
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{PastOutage, Unfiled};

use super::Page;

/// How many outages are shown.
const SHOWN: usize = 40;

/// What a page shows of the past.
pub struct Past {
    /// Of the checks that are listed, and of those with something unfiled.
    pub(super) history: History,
    pub(super) dark: Dark,
    pub(super) newest: Newest,
}

/// The newest outages of all checks, by when they began.
#[derive(Default)]
pub(super) struct Newest(BTreeMap<(Time, CheckId), PastOutage>);

impl Page {
    /// Reads of a history what the page shows. The error is for nobody: [`History::from_json`] tells what is wrong.
    pub fn past(&self, mut reader: impl Read) -> serde_json::Result<Past> {
        let unfiled = self.unfiled.iter().flat_map(|unfiled| &unfiled.outages).map(|outage| &outage.check);
        let whole: HashSet<&CheckId> = self.listed.iter().map(|listed| &listed.id).chain(unfiled).collect();
        let mut newest = Newest::default();
        let history = History::part_of(&mut reader, &mut |id, past| {
            let is_whole = whole.contains(id);
            if !is_whole {
                newest.add(id, past);
            }
            is_whole
        })?;
        Ok(Past::new(history, newest, self.unfiled.as_ref()))
    }

    /// The past where there is no history yet.
    pub fn past_not_begun(&self) -> Past {
        let unfiled = self.unfiled.as_ref();
        Past::new(History::not_begun(unfiled, self.as_of), Newest::default(), unfiled)
    }
}

impl Past {
    /// The past of these checks with what is unfiled, and the newest outages of the others.
    fn new(mut history: History, mut newest: Newest, unfiled: Option<&Unfiled>) -> Self {
        if let Some(unfiled) = unfiled {
            history.file(unfiled);
        }
        for (id, past) in &history.checks {
            newest.add(id, past);
        }
        let dark = Dark::of(&history);
        Self { history, dark, newest }
    }
}

impl Newest {
    fn add(&mut self, id: &CheckId, past: &history::Past) {
        for outage in past.outages.iter().rev() {
            let oldest = self.0.keys().next().filter(|_| self.0.len() == SHOWN);
            if oldest.is_some_and(|(from, of)| (outage.from, id) < (*from, of)) {
                break;
            }
            self.0.insert((outage.from, id.clone()), outage.clone());
            if self.0.len() > SHOWN {
                self.0.pop_first();
            }
        }
    }

    /// The outages, the newest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&CheckId, &PastOutage)> {
        self.0.iter().rev().map(|((_, id), outage)| (id, outage))
    }
}

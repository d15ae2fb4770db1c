//! What the store removes by itself, as the bucket's lifecycle does on AWS.

use jiff::{SignedDuration, Timestamp};

use super::{Change, Condition, Query, Refusal, Store};

/// The folders of answers and notes. A pulse stays, however old it is: its host is silent.
const FOLDERS: [&str; 3] = ["echo/", "fault/", "retire/"];

/// How long they are kept. `status.json` has what is to be known of older ones.
const KEPT: SignedDuration = SignedDuration::from_hours(35 * 24);

/// How many keys are read at once.
const PAGE: usize = 1_000;

impl Store {
    /// Removes the answers and notes that are older than 35 days at `now`. Returns how many these were.
    pub(crate) fn expire(&self, now: Timestamp) -> Result<usize, redb::Error> {
        let Ok(limit) = now.checked_sub(KEPT) else { return Ok(0) };
        let mut removed = 0;
        for prefix in FOLDERS {
            let mut query = Query { prefix, delimiter: None, from: Vec::new(), limit: PAGE };
            loop {
                let page = self.list(&query)?;
                let old = page.objects.into_iter().filter(|(_, summary)| summary.last_modified < limit);
                // One that was put anew in between stays.
                let removals = old.map(|(key, _)| self.ask(key, Condition::Before(limit), Change::Delete));
                let answers: Vec<_> = removals.collect();
                for answer in answers {
                    match answer.blocking_recv().unwrap_or(Err(Refusal::Broken)) {
                        Ok(()) => removed += 1,
                        // The writer has logged that it cannot write; the next time will do.
                        Err(Refusal::Broken) => return Ok(removed),
                        Err(_) => {}
                    }
                }
                let Some(from) = page.next else { break };
                query.from = from;
            }
        }
        Ok(removed)
    }
}

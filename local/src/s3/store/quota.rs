//! How many objects each host has: a host's own key must not fill the disk.
//!
//! Hosts are counted when they bring something new, by reading their keys once, and by each change from then on. So
//! the start of a large store takes no longer, and a file of any age is counted as it is.

use std::collections::{HashMap, HashSet};

use redb::{Error, ReadableTable};

use super::change::Refusal;
use super::list::past_prefix;

/// The folders that a host fills by a pulse: a new one brings its answers, which stay when it is deleted.
const OF_PULSES: &[&str] = &["pulse", "echo", "fault"];
/// The folders that a host fills by a note.
const OF_NOTES: &[&str] = &["retire"];

pub(super) struct Quota {
    /// How many objects a host may have in each folder.
    limit: usize,
    /// The objects of those that were counted, by [`place`].
    counts: HashMap<String, usize>,
    /// The events of each host that nobody has handled yet. No host is here with none.
    waiting: HashMap<String, usize>,
    /// The places of which the log tells that they are full, until half of them is free again.
    told: HashSet<String>,
}

impl Quota {
    pub(super) fn of(limit: usize) -> Self {
        Self { limit, counts: HashMap::new(), waiting: HashMap::new(), told: HashSet::new() }
    }

    /// Why a host may not put this object, which is not there yet.
    pub(super) fn refusal(
        &mut self,
        listing: &impl ReadableTable<&'static [u8], (u128, u64, i64)>,
        key: &str,
    ) -> Result<Option<Refusal>, Error> {
        let Some((folder, host)) = owner(key) else { return Ok(None) };
        // The handlers are behind with it: it deletes pulses and brings others faster than it is answered.
        if self.waiting.get(host).is_some_and(|events| *events >= 2 * self.limit) {
            return Ok(Some(Refusal::TooFast));
        }
        let rest = &key[folder.len()..];
        let folders = [OF_PULSES, OF_NOTES].into_iter().find(|folders| folders.contains(&folder)).unwrap_or_default();
        for &folder in folders {
            let is_full = self.count(listing, &format!("{folder}/{host}"))? >= self.limit;
            // An answer that is there is overwritten.
            if is_full && listing.get(format!("{folder}{rest}").as_bytes())?.is_none() {
                self.tell(folder, host);
                return Ok(Some(Refusal::TooMany { folder, limit: self.limit }));
            }
        }
        Ok(None)
    }

    /// Counts an object that was not there.
    pub(super) fn added(&mut self, key: &str) {
        if let Some(count) = place(key).and_then(|place| self.counts.get_mut(place)) {
            *count += 1;
        }
    }

    /// Counts an object that was there.
    pub(super) fn removed(&mut self, key: &str) {
        let Some(place) = place(key) else { return };
        if let Some(count) = self.counts.get_mut(place) {
            *count = count.saturating_sub(1);
            if *count <= self.limit / 2 {
                self.told.remove(place);
            }
        }
    }

    /// Counts an event that is to be handled.
    pub(super) fn waits(&mut self, key: &str) {
        if let Some((_, host)) = owner(key) {
            *self.waiting.entry(host.to_owned()).or_default() += 1;
        }
    }

    /// Counts an event that is dealt with.
    pub(super) fn handled(&mut self, key: &str) {
        let Some((_, host)) = owner(key) else { return };
        if let Some(events) = self.waiting.get_mut(host) {
            *events -= 1;
            if *events == 0 {
                self.waiting.remove(host);
            }
        }
    }

    /// Begins anew with these events. What was counted of a transaction that failed is wrong.
    pub(super) fn begin<'k>(&mut self, waiting: impl Iterator<Item = &'k str>) {
        self.counts.clear();
        self.waiting.clear();
        waiting.for_each(|key| self.waits(key));
    }

    fn count(
        &mut self,
        listing: &impl ReadableTable<&'static [u8], (u128, u64, i64)>,
        place: &str,
    ) -> Result<usize, Error> {
        if let Some(count) = self.counts.get(place) {
            return Ok(*count);
        }
        let own = listing.get(format!("{place}.json").as_bytes())?.is_some();
        let (first, end) = (format!("{place}/"), past_prefix(&format!("{place}/")));
        let mut count = usize::from(own);
        for row in listing.range::<&[u8]>(first.as_bytes()..end.as_slice())? {
            row?;
            count += 1;
        }
        self.counts.insert(place.to_owned(), count);
        Ok(count)
    }

    /// Once, until it had room again: the host may try again and again.
    fn tell(&mut self, folder: &str, host: &str) {
        let limit = self.limit;
        if self.told.insert(format!("{folder}/{host}")) {
            log::warn!(
                "{host} has {limit} objects under {folder}/, as many as a host may have: its new ones are refused \
                 until you delete those that are no longer needed (answers and notes go by themselves after 35 days), \
                 or raise CHECKS_PER_HOST"
            );
        }
    }
}

/// The folder and the host of a key of hosts, `FOLDER/HOST.json` or `FOLDER/HOST/…`.
fn owner(key: &str) -> Option<(&str, &str)> {
    let (folder, rest) = key.split_once('/')?;
    if !OF_PULSES.iter().chain(OF_NOTES).any(|of_hosts| *of_hosts == folder) {
        return None;
    }
    let host = rest.split_once('/').map_or_else(|| rest.strip_suffix(".json"), |(host, _)| Some(host))?;
    Some((folder, host))
}

/// The beginning of all keys that a host has in the folder of this key, `FOLDER/HOST`.
fn place(key: &str) -> Option<&str> {
    let (folder, host) = owner(key)?;
    Some(&key[..folder.len() + 1 + host.len()])
}

//! What the history gives up, so that it does not grow for ever and no host takes the place of the others.

use std::collections::{BTreeMap, BinaryHeap};
use std::io;

use serde::Serialize;

use super::{Day, History, Past};
use crate::clock::Time;
use crate::name::CheckId;

/// How many outages of a host are kept.
const OUTAGES_OF_HOST: usize = 1_000;

/// How many days of a host are kept: each counts once for each of its checks.
const DAYS_OF_HOST: usize = 4_000;

/// For how many days the past of a check that has gone is kept.
const GONE_DAYS: i64 = 90;

impl History {
    /// Gives up what is too much, the oldest first: of checks that have gone, of each host, and in all where it would
    /// have more than `most` bytes. Then the host with most gives up.
    pub fn bound(&mut self, is_gone: impl Fn(&CheckId) -> bool, now: Time, most: usize) {
        let kept_from = Day::of(now).plus(1 - GONE_DAYS);
        self.checks.retain(|id, past| !is_gone(id) || past.keep_from(kept_from));
        let mut hosts: BTreeMap<&str, Vec<&mut Past>> = BTreeMap::new();
        for (id, past) in &mut self.checks {
            hosts.entry(id.host()).or_default().push(past);
        }
        for pasts in hosts.values_mut() {
            let outages: usize = pasts.iter().map(|past| past.outages.len()).sum();
            for _ in OUTAGES_OF_HOST..outages {
                drop_oldest_outage(pasts);
            }
            let days: usize = pasts.iter().map(|past| past.days.len()).sum();
            for _ in DAYS_OF_HOST..days {
                drop_oldest_day(pasts);
            }
        }
        let size = size(self);
        if size > most {
            self.shrink(size - most);
        }
    }

    /// Has the host with most give up its oldest, again until `surplus` bytes are gone.
    fn shrink(&mut self, surplus: usize) {
        let mut hosts: BTreeMap<&str, (usize, Vec<&mut Past>)> = BTreeMap::new();
        for (id, past) in &mut self.checks {
            let (bytes, pasts) = hosts.entry(id.host()).or_default();
            *bytes += size(past);
            pasts.push(past);
        }
        let mut largest: BinaryHeap<_> = hosts.iter().map(|(host, (bytes, _))| (*bytes, *host)).collect();
        let mut surplus = surplus;
        while let Some((bytes, host)) = largest.pop().filter(|_| surplus > 0) {
            let Some((_, pasts)) = hosts.get_mut(host) else { continue };
            let given = drop_oldest(pasts);
            surplus = surplus.saturating_sub(given);
            if given > 0 {
                largest.push((bytes.saturating_sub(given), host));
            }
        }
        self.checks.retain(|_, past| !past.is_empty());
    }
}

impl Past {
    /// Keeps what is not older than this day. Returns whether anything is left.
    fn keep_from(&mut self, day: Day) -> bool {
        self.outages.retain(|outage| Day::of(outage.until) >= day);
        self.days = self.days.split_off(&day);
        !self.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.outages.is_empty() && self.days.is_empty()
    }

    fn oldest_outage(&self) -> Option<Time> {
        self.outages.first().map(|outage| outage.from)
    }

    fn oldest_day(&self) -> Option<Time> {
        self.days.keys().next().map(|day| day.begins())
    }
}

fn drop_oldest_outage(pasts: &mut [&mut Past]) -> usize {
    let oldest = pasts.iter_mut().filter(|past| !past.outages.is_empty()).min_by_key(|past| past.oldest_outage());
    oldest.map_or(0, |past| size(&past.outages.remove(0)))
}

fn drop_oldest_day(pasts: &mut [&mut Past]) -> usize {
    let oldest = pasts.iter_mut().filter(|past| !past.days.is_empty()).min_by_key(|past| past.oldest_day());
    oldest.and_then(|past| past.days.pop_first()).map_or(0, |(day, downtime)| size(&day) + size(&downtime) + 1)
}

/// Drops the oldest outage or day of a host. Returns how many bytes that saves; 0 if there is none left. The last one
/// of a check saves the check's own text too, once it is left out.
fn drop_oldest(pasts: &mut [&mut Past]) -> usize {
    let outage = pasts.iter().filter_map(|past| past.oldest_outage()).min();
    let day = pasts.iter().filter_map(|past| past.oldest_day()).min();
    match (outage, day) {
        (Some(outage), Some(day)) if day < outage => drop_oldest_day(pasts),
        (None, _) => drop_oldest_day(pasts),
        (Some(_), _) => drop_oldest_outage(pasts),
    }
}

/// How many bytes this takes as JSON.
fn size(value: &impl Serialize) -> usize {
    struct Counter(usize);

    impl io::Write for Counter {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0 += text.len();
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, value).expect("it is plain data, and counting does not fail");
    counter.0
}

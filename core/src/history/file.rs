//! What is put into the history.

use std::collections::BTreeMap;

use super::day::DAY_S;
use super::{DARK, DAYS, Day, Downtime, History, OUTAGES, Past};
use crate::clock::Time;
use crate::status::{Entry, Gap, PastOutage, Unfiled, UnfiledOutage};

impl Entry for Past {
    const WHAT: &'static str = "history.json: the past";
}

impl History {
    /// Puts in what is not there yet. To file the same again does no harm, also when it is no longer listed.
    pub fn file(&mut self, unfiled: &Unfiled) {
        for gap in &unfiled.dark {
            self.darken(*gap);
        }
        for UnfiledOutage { check, first, outage } in &unfiled.outages {
            match self.checks.get_mut(check) {
                Some(past) if outage.from <= past.filed => {}
                Some(past) => past.add(outage),
                None => {
                    let mut past =
                        Past { since: *first, filed: outage.from, outages: Vec::new(), days: BTreeMap::new() };
                    past.add(outage);
                    self.checks.insert(check.clone(), past);
                }
            }
        }
    }

    /// Strikes off what was filed.
    #[cfg(feature = "memory")]
    pub fn strike_off(&self, unfiled: &mut Unfiled) {
        unfiled.outages.retain(|outage| !self.has(outage));
        unfiled.dark.retain(|gap| !self.has_dark(gap));
        (unfiled.begins, unfiled.unusable) = (None, None);
        if unfiled.outages.is_empty() {
            unfiled.dropped = 0;
        }
    }

    /// Whether nothing of this is left to be filed.
    #[cfg(feature = "memory")]
    pub fn has_all(&self, unfiled: &Unfiled) -> bool {
        unfiled.outages.iter().all(|outage| self.has(outage)) && unfiled.dark.iter().all(|gap| self.has_dark(gap))
    }

    #[cfg(feature = "memory")]
    fn has(&self, outage: &UnfiledOutage) -> bool {
        self.checks.get(&outage.check).is_some_and(|past| outage.outage.from <= past.filed)
    }

    #[cfg(feature = "memory")]
    fn has_dark(&self, gap: &Gap) -> bool {
        self.dark.last().is_some_and(|last| gap.until <= last.until)
    }

    fn darken(&mut self, gap: Gap) {
        match self.dark.last_mut() {
            Some(last) if gap.until <= last.until => {}
            Some(last) if gap.from <= last.until => last.until = gap.until,
            _ => self.dark.push(gap),
        }
        keep_newest(&mut self.dark, DARK);
    }

    /// Cuts times that are ahead of `now` to it: the store's clock was set back.
    #[cfg(feature = "memory")]
    pub fn cut_ahead(&mut self, now: Time) {
        let cut = |time: &mut Time| {
            if time.is_ahead(now) {
                *time = now;
            }
        };
        cut(&mut self.since);
        for gap in &mut self.dark {
            cut(&mut gap.from);
            cut(&mut gap.until);
        }
        for past in self.checks.values_mut() {
            cut(&mut past.filed);
            for outage in &mut past.outages {
                cut(&mut outage.from);
                cut(&mut outage.until);
            }
        }
    }
}

impl Past {
    fn add(&mut self, outage: &PastOutage) {
        self.filed = outage.from;
        if outage.counts() {
            self.count(outage.from, outage.until);
        }
        self.outages.push(outage.clone());
        keep_newest(&mut self.outages, OUTAGES);
    }

    /// Adds to each day its seconds, and the outage to the day on which it began.
    fn count(&mut self, from: Time, until: Time) {
        let (first, last) = (Day::of(from), Day::of(until.max(from)));
        let days = i64::try_from(DAYS).unwrap_or(i64::MAX);
        let mut day = first.max(last.plus(1 - days));
        while day <= last {
            let down_s = overlap((from, until), (day.begins(), day.plus(1).begins()));
            if down_s > 0 || day == first {
                let downtime: &mut Downtime = self.days.entry(day).or_default();
                let most = u32::try_from(DAY_S).unwrap_or(u32::MAX);
                downtime.down_s = downtime.down_s.saturating_add(u32::try_from(down_s).unwrap_or(most)).min(most);
                downtime.outages = downtime.outages.saturating_add(u32::from(day == first));
            }
            day = day.plus(1);
        }
        // Who only reads may have some days more: the code for it takes KBs.
        #[cfg(feature = "memory")]
        while self.days.len() > DAYS {
            self.days.pop_first();
        }
    }
}

/// How many seconds two times have in common.
pub(super) fn overlap((a_from, a_until): (Time, Time), (b_from, b_until): (Time, Time)) -> u64 {
    a_from.max(b_from).age(a_until.min(b_until)).as_secs()
}

fn keep_newest<T>(list: &mut Vec<T>, most: usize) {
    list.drain(..list.len().saturating_sub(most));
}

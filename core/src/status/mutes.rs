//! The mutes, and which of them are of a check: its own, its host's, and those whose pattern fits it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::StatusOf;
use crate::clock::Time;
use crate::name::CheckId;
use crate::pattern::Pattern;

/// A mute that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Muted {
    /// The object's `ETag`, quotes included.
    pub etag: String,
    /// When the store took it.
    pub at: Time,
    /// For how many seconds from then; 0 if the mute could not be read.
    pub for_s: u32,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its `LastModified`, if that was ahead of the store's clock. Then `at` is when a sweep first saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<Time>,
}

impl Muted {
    /// When it ends.
    pub fn until(&self) -> Time {
        self.at + std::time::Duration::from_secs(self.for_s.into())
    }
}

/// The mutes of a status, to be asked of many checks. Most fleets have no mute, and hardly any has a pattern.
pub struct Mutes<'a> {
    all: &'a BTreeMap<CheckId, Muted>,
    patterns: Vec<(Pattern, &'a CheckId, &'a Muted)>,
}

impl<M> StatusOf<M> {
    /// The mutes, by check.
    pub fn mutes(&self) -> Mutes<'_> {
        let patterns = self.mutes.iter().filter_map(|(id, mute)| Some((Pattern::of(id)?, id, mute))).collect();
        Mutes { all: &self.mutes, patterns }
    }
}

impl<'a> Mutes<'a> {
    /// The mutes of a check, over or not, each with the id or the pattern that it is of.
    pub fn of(&self, check: &CheckId) -> impl Iterator<Item = (&'a CheckId, &'a Muted)> {
        if self.all.is_empty() {
            return Vec::new().into_iter();
        }
        let host = check.default_of_host();
        let own = self.all.get_key_value(check);
        let of_host = self.all.get_key_value(&host).filter(|_| host != *check);
        // A key put by hand may hold a `*`. It is its own mute, and not found twice.
        let fitting =
            self.patterns.iter().filter(|(pattern, id, _)| *id != check && **id != host && pattern.fits(check));
        own.into_iter().chain(of_host).chain(fitting.map(|(_, id, mute)| (*id, *mute))).collect::<Vec<_>>().into_iter()
    }

    /// Until when mutes of the check cover it from this time on, one after the other without a break.
    pub fn reach(&self, check: &CheckId, from: Time) -> Time {
        if self.all.is_empty() {
            return from;
        }
        let (mutes, mut covered) = (self.of(check).map(|(_, mute)| mute).collect::<Vec<_>>(), from);
        loop {
            let next = mutes.iter().filter(|mute| mute.at <= covered).map(|mute| mute.until()).max();
            match next.filter(|next| *next > covered) {
                None => return covered,
                Some(next) => covered = next,
            }
        }
    }

    /// Whether no message is sent about the check at `now`.
    pub fn cover(&self, check: &CheckId, now: Time) -> bool {
        !self.all.is_empty() && self.of(check).any(|(_, mute)| now < mute.until())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Status;

    fn id(key: &str) -> CheckId {
        key.to_string().try_into().unwrap()
    }

    fn status(mutes: &[&str]) -> Status {
        let mute = || Muted { etag: "m".into(), at: Time::from_second(0), for_s: 600, reason: None, listed: None };
        Status { mutes: mutes.iter().map(|key| (id(key), mute())).collect(), ..Status::new(Time::from_second(0)) }
    }

    #[test]
    fn a_check_is_muted_by_its_own_mute_by_its_hosts_and_by_a_pattern_until_its_last_second() {
        let status = status(&["web-2.json", "web-3/db.json", "mail-*.json", "*/cert.json"]);
        for (check, muted) in [
            ("web-2.json", true),
            ("web-2/db.json", true),
            ("web-20.json", false),
            ("web-3.json", false),
            ("web-3/db.json", true),
            ("mail-7.json", true),
            ("mail-7/queue.json", true),
            ("mail.json", false),
            ("web-9/cert.json", true),
            ("cert.json", false),
        ] {
            assert_eq!(status.mutes().cover(&id(check), Time::from_second(599)), muted, "{check}");
            assert!(!status.mutes().cover(&id(check), Time::from_second(600)), "{check}");
        }
    }

    #[test]
    fn mutes_reach_from_one_to_the_next_if_nothing_is_between_them() {
        let at = Time::from_second;
        let mute = |begins, for_s| Muted { etag: "m".into(), at: at(begins), for_s, reason: None, listed: None };
        for (second, reached) in [(599, 1_199), (600, 1_200), (601, 600)] {
            let mutes = [("web.json", mute(0, 600)), ("web/db.json", mute(second, 600))];
            let mutes = mutes.into_iter().map(|(key, mute)| (id(key), mute)).collect();
            let status = Status { mutes, ..Status::new(at(0)) };
            let reach = |from| status.mutes().reach(&id("web/db.json"), at(from));
            assert_eq!((reach(0), reach(-1), reach(5_000)), (at(reached), at(-1), at(5_000)), "{second}");
        }
    }

    #[test]
    fn each_mute_of_a_check_is_found_once() {
        let status = status(&["a*.json", "a*/b.json", "a1.json", "a1/b.json", "z.json"]);
        let mutes = status.mutes();
        let found = |check: &str| mutes.of(&id(check)).map(|(id, _)| id.to_string()).collect::<Vec<_>>();
        assert_eq!(found("a1/b.json"), ["a1/b", "a1", "a*", "a*/b"]);
        assert_eq!(found("a1.json"), ["a1", "a*"]);
        assert_eq!(found("a*.json"), ["a*"]);
        assert_eq!(found("b.json"), [] as [&str; 0]);
    }
}

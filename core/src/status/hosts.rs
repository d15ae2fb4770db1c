//! Changes of checks, counted by host: what is kept of messages where there are too many.
//!
//! A hundred thousand hosts fit in half a megabyte: hosts with the same counts stand together, and each name shows only
//! where it differs from the name before.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::is_zero;

/// The longest beginning that a name shares with the name before, in bytes: one character tells it.
const SHARED: usize = 74;

/// The character that tells that nothing is shared.
const NOTHING: u8 = b'0';

/// What changed, by host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(pub BTreeMap<String, Changes>);

/// How many checks of a host changed, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Changes {
    /// Went down and were silent.
    #[serde(skip_serializing_if = "is_zero")]
    pub silent: u32,
    /// Went down and were failing, or were unanswered by then.
    #[serde(skip_serializing_if = "is_zero")]
    pub failing: u32,
    /// Were still down.
    #[serde(skip_serializing_if = "is_zero")]
    pub still_down: u32,
    /// Were up again.
    #[serde(skip_serializing_if = "is_zero")]
    pub up: u32,
    /// Were down and up again before anything of it was told.
    #[serde(skip_serializing_if = "is_zero")]
    pub were_down: u32,
    /// Were gone.
    #[serde(skip_serializing_if = "is_zero")]
    pub gone: u32,
    /// Were new.
    #[serde(skip_serializing_if = "is_zero")]
    pub new: u32,
}

impl Hosts {
    /// The counts of this host.
    pub fn of(&mut self, host: &str) -> &mut Changes {
        if !self.0.contains_key(host) {
            self.0.insert(host.into(), Changes::default());
        }
        self.0.get_mut(host).expect("it is there now")
    }

    /// Adds the counts of others.
    pub fn add(&mut self, others: &Self) {
        for (host, changes) in &others.0 {
            self.of(host).add(changes);
        }
    }

    /// The hosts, those first that changed least: a host with very many changes hides no other.
    pub fn least_first(&self) -> Vec<&str> {
        let mut hosts: Vec<_> = self.0.iter().collect();
        // Stable: otherwise in key order.
        hosts.sort_by_key(|(_, changes)| changes.sum());
        hosts.into_iter().map(|(host, _)| host.as_str()).collect()
    }

    /// The sum over all hosts.
    pub fn sum(&self) -> Changes {
        let mut sum = Changes::default();
        self.0.values().for_each(|changes| sum.add(changes));
        sum
    }
}

impl Changes {
    /// How many changes there are.
    pub fn sum(&self) -> u32 {
        let Self { silent, failing, still_down, up, were_down, gone, new } = self;
        silent + failing + still_down + up + were_down + gone + new
    }

    /// Adds the counts of others.
    pub fn add(&mut self, others: &Self) {
        let Self { silent, failing, still_down, up, were_down, gone, new } = others;
        self.silent += silent;
        self.failing += failing;
        self.still_down += still_down;
        self.up += up;
        self.were_down += were_down;
        self.gone += gone;
        self.new += new;
    }
}

/// Hosts with the same counts, as they are stored.
#[derive(Serialize, Deserialize)]
struct Group {
    changes: Changes,
    /// The names in order, each behind the character that tells how much of the name before it begins with, with `/`
    /// between them: no host's name has one.
    names: String,
}

impl Serialize for Hosts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut groups: BTreeMap<Changes, Vec<&str>> = BTreeMap::new();
        for (host, changes) in &self.0 {
            groups.entry(*changes).or_default().push(host);
        }
        let group = |(changes, names): (Changes, Vec<&str>)| Group { changes, names: shortened(&names) };
        serializer.collect_seq(groups.into_iter().map(group))
    }
}

impl<'de> Deserialize<'de> for Hosts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut hosts = Self::default();
        for Group { changes, names } in Vec::<Group>::deserialize(deserializer)? {
            for host in whole(&names).ok_or_else(|| D::Error::custom("the names of hosts are torn"))? {
                hosts.of(&host).add(&changes);
            }
        }
        Ok(hosts)
    }
}

fn shortened(names: &[&str]) -> String {
    let (mut text, mut before) = (String::new(), "");
    for name in names {
        if !text.is_empty() {
            text.push('/');
        }
        let alike = name.char_indices().zip(before.chars()).take_while(|((_, a), b)| a == b).last();
        let alike = alike.map_or(0, |((at, c), _)| at + c.len_utf8());
        let shared = name.floor_char_boundary(alike.min(SHARED));
        text.push(char::from(NOTHING + u8::try_from(shared).expect("it is at most 74")));
        text.push_str(&name[shared..]);
        before = name;
    }
    text
}

/// The names again; `None` if this is nothing that we wrote.
fn whole(text: &str) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for part in text.split('/') {
        let shared = usize::from(part.bytes().next()?.checked_sub(NOTHING)?);
        let before = names.last().map_or("", String::as_str).get(..shared)?;
        names.push(format!("{before}{}", part.get(1..)?));
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(failing: u32) -> Changes {
        Changes { failing, ..Changes::default() }
    }

    fn round(hosts: &Hosts) -> String {
        let text = serde_json::to_string(hosts).unwrap();
        assert_eq!(serde_json::from_str::<Hosts>(&text).unwrap(), *hosts, "{text}");
        text
    }

    #[test]
    fn names_come_back_whatever_they_share() {
        let long = "x".repeat(300);
        let names = [
            "a",
            "ab",
            "abc",
            "b",
            "kä",
            "käse",
            "日本",
            "日曜",
            "\"quoted\"",
            &long,
            &format!("{long}1"),
            "web-1.json",
        ];
        let hosts = names.iter().zip(1..).map(|(name, n)| ((*name).to_string(), failing(n % 3))).collect();
        round(&Hosts(hosts));
        round(&Hosts::default());
    }

    #[test]
    fn a_hundred_thousand_hosts_fit_in_half_a_megabyte() {
        let hosts = Hosts((0..100_000).map(|n| (format!("host-{n:06}.example.com"), failing(1))).collect());
        assert!(round(&hosts).len() > 100_000);
        let hosts = Hosts((0..100_000).map(|n| (format!("host-{n:06}"), failing(1))).collect());
        let text = round(&hosts);
        assert!(text.len() < 500_000, "{} bytes", text.len());
        assert!(text.starts_with("[{\"changes\":{\"failing\":1},\"names\":\"0host-000000/:1/:2/"), "{}", &text[..80]);
    }

    #[test]
    fn what_is_torn_is_an_error_and_no_panic() {
        for names in ["", "9x", "0ä/1b", "0a//0b", "/", "ä"] {
            let text = format!("[{{\"changes\":{{\"up\":1}},\"names\":\"{names}\"}}]");
            assert!(serde_json::from_str::<Hosts>(&text).is_err(), "{names}");
        }
    }

    #[test]
    fn counts_are_added_host_by_host() {
        let mut all = Hosts([("a".to_string(), failing(1))].into());
        all.add(&Hosts([("a".to_string(), failing(2)), ("b".to_string(), failing(3))].into()));
        all.of("b").up += 1;
        assert_eq!((all.0["a"], all.0["b"]), (failing(3), Changes { failing: 3, up: 1, ..Changes::default() }));
        assert_eq!(all.sum(), Changes { failing: 6, up: 1, ..Changes::default() });
    }
}

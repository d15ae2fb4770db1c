//! What is told of hosts with more names than are watched.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::status::{Crowded, Fact};

use super::{Teller, noise};

/// For how long a host must have had no more names than are watched until that is told: somebody who makes and removes
/// names must not be able to fill a channel.
const CALM: Duration = Duration::from_secs(3600);

impl Teller<'_> {
    /// Tells which hosts have too many names, and which have not any more. `seen` are those that have now, and how many
    /// pulses of each were seen. A noisy host waits with that, too. Whether `known` is worth writing.
    pub fn tell_crowded(
        &mut self,
        known: &mut BTreeMap<String, Crowded>,
        noise: &mut BTreeMap<String, Vec<Time>>,
        seen: &BTreeMap<String, usize>,
    ) -> bool {
        let before = known.clone();
        let (held, mut told) = (noise::held(noise, self.now), BTreeSet::new());
        for (host, &names) in seen {
            if let Some(crowded) = known.get_mut(host) {
                crowded.over = None;
            } else if !held.contains(host) {
                told.insert(host.clone());
                known.insert(host.clone(), Crowded { since: self.now, over: None });
                self.tell(Fact::Crowded { host: host.clone(), names, most: self.rules.checks_per_host });
            }
        }
        let now = self.now;
        known.retain(|host, crowded| {
            if seen.contains_key(host) {
                return true;
            }
            let (since, until) = (crowded.since, *crowded.over.get_or_insert(now));
            let is_over = until.age(now) >= CALM && !held.contains(host);
            if is_over {
                told.insert(host.clone());
                self.tell(Fact::Uncrowded { host: host.clone(), since, until });
            }
            !is_over
        });
        noise::note(noise, told, now);
        *known != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    /// The facts of a sweep at this second that sees these hosts with too many names.
    fn sweep(known: &mut BTreeMap<String, Crowded>, second: i64, hosts: &[&str]) -> (Vec<Fact>, bool) {
        sweep_amid(&mut BTreeMap::new(), known, second, hosts)
    }

    fn sweep_amid(
        noise: &mut BTreeMap<String, Vec<Time>>,
        known: &mut BTreeMap<String, Crowded>,
        second: i64,
        hosts: &[&str],
    ) -> (Vec<Fact>, bool) {
        let (rules, channels) = (Rules::default(), ["slack".to_string()].into());
        let now = Time::from_second(second);
        let mut new_id = String::new;
        let mut teller = Teller { now, rules: &rules, channels: &channels, new_id: &mut new_id, messages: vec![] };
        let seen = hosts.iter().map(|host| ((*host).to_string(), 1_000)).collect();
        let changed = teller.tell_crowded(known, noise, &seen);
        (teller.messages.into_iter().map(|message| message.fact).collect(), changed)
    }

    #[test]
    fn the_beginning_is_told_at_once_and_the_end_when_it_has_lasted_for_an_hour() {
        let mut known = BTreeMap::new();
        let (host, at) = ("web-1".to_string(), Time::from_second);
        let begins = Fact::Crowded { host: host.clone(), names: 1_000, most: 500 };
        assert_eq!(sweep(&mut known, 0, &["web-1"]), (vec![begins], true));
        assert_eq!(sweep(&mut known, 60, &["web-1"]), (vec![], false));
        assert_eq!(sweep(&mut known, 120, &[]), (vec![], true));
        assert_eq!(sweep(&mut known, 3_000, &["web-1"]), (vec![], true), "too many again");
        assert_eq!(sweep(&mut known, 3_060, &[]), (vec![], true));
        assert_eq!(sweep(&mut known, 3_060 + 3_599, &[]), (vec![], false));
        let over = Fact::Uncrowded { host, since: at(0), until: at(3_060) };
        assert_eq!(sweep(&mut known, 3_060 + 3_600, &[]), (vec![over], true));
        assert!(known.is_empty());
        assert_eq!(sweep(&mut known, 9_000, &[]), (vec![], false));
    }
    #[test]
    fn a_noisy_host_waits_with_that_too_and_it_counts_as_noise() {
        let (mut noise, mut known) = (BTreeMap::new(), BTreeMap::new());
        noise.insert("web-1".to_string(), (0..10).map(Time::from_second).collect());
        assert_eq!(sweep_amid(&mut noise, &mut known, 60, &["db", "web-1"]).0.len(), 1, "of db");
        assert_eq!(noise["db"], [Time::from_second(60)]);
        assert_eq!(sweep_amid(&mut noise, &mut known, 9 + 900, &["db", "web-1"]).0.len(), 1, "of web-1");
        assert_eq!(noise["web-1"].last(), Some(&Time::from_second(9 + 900)));
        noise.insert("web-1".to_string(), (4_500..4_510).map(Time::from_second).collect());
        sweep_amid(&mut noise, &mut known, 1_000, &["db"]);
        assert_eq!(sweep_amid(&mut noise, &mut known, 4_600, &["db"]).0, [], "its end waits, too");
        assert_eq!(sweep_amid(&mut noise, &mut known, 4_509 + 900, &["db"]).0.len(), 1);
    }
}

//! What is told of hosts with more names than are watched.

use std::collections::BTreeMap;
use std::time::Duration;

use pulse_echo_core::status::{Crowded, Fact};

use super::Teller;

/// For how long a host must have had no more names than are watched until that is told: somebody who makes and removes
/// names must not be able to fill a channel.
const CALM: Duration = Duration::from_secs(3600);

impl Teller<'_> {
    /// Tells which hosts have too many names, and which have not any more. `seen` are those that have now, and how many
    /// pulses of each were seen. Whether `known` is worth writing.
    pub fn tell_crowded(&mut self, known: &mut BTreeMap<String, Crowded>, seen: &BTreeMap<String, usize>) -> bool {
        let before = known.clone();
        for (host, &names) in seen {
            if let Some(crowded) = known.get_mut(host) {
                crowded.over = None;
            } else {
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
            let is_over = until.age(now) >= CALM;
            if is_over {
                self.tell(Fact::Uncrowded { host: host.clone(), since, until });
            }
            !is_over
        });
        *known != before
    }
}

#[cfg(test)]
mod tests {
    use pulse_echo_core::clock::Time;

    use super::*;
    use crate::rules::Rules;

    /// The facts of a sweep at this second that sees these hosts with too many names.
    fn sweep(known: &mut BTreeMap<String, Crowded>, second: i64, hosts: &[&str]) -> (Vec<Fact>, bool) {
        let (rules, channels) = (Rules::default(), ["slack".to_string()].into());
        let now = Time::from_second(second);
        let mut new_id = String::new;
        let mut teller = Teller { now, rules: &rules, channels: &channels, new_id: &mut new_id, messages: vec![] };
        let seen = hosts.iter().map(|host| ((*host).to_string(), 1_000)).collect();
        let changed = teller.tell_crowded(known, &seen);
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
}

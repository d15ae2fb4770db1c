//! A noisy host: one that had a line in ten messages within an hour has at most one each quarter of an hour. Meanwhile
//! it is held as by a mute.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pulse_echo_core::clock::Time;

use super::entry::ENTRIES;

/// How many messages within [`HOUR`] make a host noisy.
const NOISY: usize = 10;

/// See [`NOISY`]. The two minutes more keep the first day, too, within 240 lines.
const HOUR: Duration = Duration::from_secs(3600 + 120);

/// How long a noisy host is held after each line.
const HELD: Duration = Duration::from_secs(15 * 60);

/// Forgets what was told longer than an hour ago. Returns the hosts of which nothing may be told at `now`.
pub fn held(noise: &mut BTreeMap<String, Vec<Time>>, now: Time) -> BTreeSet<String> {
    noise.retain(|_, told| {
        told.retain(|told| told.age(now) <= HOUR);
        !told.is_empty()
    });
    let is_held = |told: &[Time]| told.len() >= NOISY && told.last().is_some_and(|last| last.age(now) < HELD);
    noise.iter().filter(|(_, told)| is_held(told)).map(|(host, _)| host.clone()).collect()
}

/// Notes the hosts that are told of at `now`; twice is once, since a sweep is a message. What happens to very many
/// hosts at once is no host's noise.
pub fn note(noise: &mut BTreeMap<String, Vec<Time>>, hosts: BTreeSet<String>, now: Time) {
    if hosts.len() > ENTRIES {
        return;
    }
    for host in hosts {
        let told = noise.entry(host).or_default();
        if told.last() == Some(&now) {
            continue;
        }
        if told.len() == NOISY {
            told.remove(0);
        }
        told.push(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time::from_second(1_795_248_000 + second)
    }

    /// How often a host is told of that has something to tell in each sweep.
    fn told(tick_s: i64, seconds: i64) -> Vec<i64> {
        let (mut noise, mut told) = (BTreeMap::new(), Vec::new());
        for second in (0..seconds).step_by(usize::try_from(tick_s).unwrap()) {
            if held(&mut noise, at(second)).is_empty() {
                note(&mut noise, ["web-1".to_string()].into(), at(second));
                told.push(second);
            }
            assert!(noise["web-1"].len() <= NOISY);
        }
        told
    }

    #[test]
    fn the_eleventh_line_within_an_hour_waits_for_a_quarter_of_an_hour() {
        let minutes: Vec<_> = told(60, 7_200).into_iter().map(|second| second / 60).collect();
        let first = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 24, 39, 54];
        assert_eq!(minutes[..first.len()], first);
        assert_eq!(minutes[13], 66, "of the ten before it, the oldest is more than an hour old");
    }

    #[test]
    fn a_host_that_always_has_something_to_tell_is_told_of_240_times_a_day_at_most() {
        for tick_s in [5, 60, 300] {
            let day = told(tick_s, 86_400).len();
            assert!((150..=240).contains(&day), "{day} with a sweep each {tick_s} s");
        }
    }

    #[test]
    fn a_host_that_is_quiet_is_forgotten_and_another_is_never_held() {
        let mut noise = [("web-1".to_string(), (0..10).map(at).collect())].into();
        assert_eq!(held(&mut noise, at(10)), ["web-1".to_string()].into());
        note(&mut noise, ["db".to_string()].into(), at(10));
        assert_eq!(held(&mut noise, at(20)), ["web-1".to_string()].into());
        assert_eq!(held(&mut noise, at(9 + 900)), BTreeSet::new());
        assert_eq!(held(&mut noise, at(3_800)), BTreeSet::new());
        assert_eq!(noise, BTreeMap::new());
    }

    #[test]
    fn a_wave_over_very_many_hosts_is_nobodys_noise() {
        let mut noise = BTreeMap::new();
        note(&mut noise, (0..=ENTRIES).map(|host| host.to_string()).collect(), at(0));
        assert_eq!(noise, BTreeMap::new());
    }
}

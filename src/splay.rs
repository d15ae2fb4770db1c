//! Spreads a fleet whose cron fires everywhere at once. Each host keeps its own delay.

use std::thread;
use std::time::Duration;

use pulse_echo_core::crypto::sha256;
use pulse_echo_core::name::Name;

/// Waits for this host's share of `splay_s` seconds.
pub fn wait(host: &Name, splay_s: u32) {
    let share = Duration::from_millis(share(host.as_str(), u64::from(splay_s) * 1000));
    log::debug!("waiting {:.1} s, the share of {host} of {splay_s} s", share.as_secs_f64());
    thread::sleep(share);
}

/// A number from 0 to just below `below`, determined by `name` and spread evenly over names.
fn share(name: &str, below: u64) -> u64 {
    let digest = sha256(name.as_bytes());
    let (first, _) = digest.split_first_chunk().expect("SHA-256 has 32 bytes");
    let share = u128::from(u64::from_be_bytes(*first)) * u128::from(below);
    u64::try_from(share >> 64).expect("it is below `below`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_hosts_spread_evenly_over_two_minutes() {
        let mut seconds = [0; 120];
        for n in 0..10_000 {
            let millis = share(&format!("web-{n}"), 120_000);
            seconds[usize::try_from(millis / 1000).unwrap()] += 1;
        }
        let share = 10_000 / 120;
        assert!(seconds.iter().all(|&hosts| hosts > 0 && hosts <= 2 * share), "{seconds:?}");
    }

    #[test]
    fn each_host_keeps_its_own_rhythm_in_every_version() {
        // The first 16 hex digits of `printf web-1 | sha256sum`, times 120,000, over 2^64.
        assert_eq!(share("web-1", 120_000), 92_083);
        assert_ne!(share("web-1", 120_000), share("web-2", 120_000));
        assert_eq!(share("web-1", 0), 0);
    }
}

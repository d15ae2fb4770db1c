//! Times, sizes and vitals in words. The agent, the messages and the page all use these words.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Time;
use crate::vitals::{VitalLimits, Vitals};

/// Shows a length of time: `212 s`, `16 min`, `4 h 10 min`, `2 d 4 h`, `41 d`. It cuts off, and does not round, where a
/// smaller unit no longer matters.
pub fn duration(time: Duration) -> String {
    let s = time.as_secs();
    let two = |large: u64, unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {small_unit}"),
    };
    match s {
        0..300 => format!("{s} s"),
        300..3_600 => format!("{} min", s / 60),
        3_600..86_400 => two(s / 3_600, "h", s / 60 % 60, "min"),
        86_400..864_000 => two(s / 86_400, "d", s / 3_600 % 24, "h"),
        _ => format!("{} d", grouped(usize::try_from(s / 86_400).unwrap_or(usize::MAX))),
    }
}

/// Shows a time to the minute: `2026-11-21 08:27 UTC`.
pub fn when(time: Time) -> String {
    match Timestamp::from_second(time.as_second()) {
        Ok(timestamp) => format!("{} UTC", timestamp.strftime("%Y-%m-%d %H:%M")),
        Err(_) => time.to_string(),
    }
}

/// Says since when the loop is stopped, and how it goes on.
pub fn stopped(at: Time) -> String {
    format!("nothing has been watched since {}. To go on: `pulse-echo loop start`.", when(at))
}

/// Shows a number in groups of three digits: `1,048,576`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Shows a host's vitals, such as `up 41 d, load 48, 12 MiB of memory free, disk 0 % free`. It leaves out a vital that
/// the host did not send, so the text may be empty. Sizes are powers of 1,024.
pub fn vitals(vitals: &Vitals) -> String {
    let parts = [
        vitals.uptime_s.map(|s| format!("up {}", duration(Duration::from_secs(s)))),
        vitals.load1.map(|load| if load < 10.0 { format!("load {load:.2}") } else { format!("load {load:.0}") }),
        vitals.mem_available_kb.map(memory),
        vitals.disk_free_pct.map(|percent| match &vitals.disk_at {
            Some(at) => disk(percent, at),
            None => format!("disk {percent} % free"),
        }),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The vitals that are beyond these limits, each with its limit: `disk 4 % free on /var` and `10 %`. A vital that the
/// host did not send is not beyond any.
pub fn beyond(vitals: &Vitals, limits: &VitalLimits) -> Vec<(String, String)> {
    let mut beyond = Vec::new();
    if let (Some(percent), Some(min)) = (vitals.disk_free_pct, limits.min_disk_free_pct)
        && u32::from(percent) < min
    {
        beyond.push((disk(percent, vitals.disk_at.as_deref().unwrap_or("/")), format!("{min} %")));
    }
    if let (Some(kb), Some(min)) = (vitals.mem_available_kb, limits.min_mem_available_mib)
        && kb / 1024 < min.into()
    {
        beyond.push((memory(kb), format!("{min} MiB")));
    }
    if let (Some(load), Some(max)) = (vitals.load1, limits.max_load1)
        && load > max.into()
    {
        beyond.push((format!("load {load:.2}"), max.to_string()));
    }
    beyond
}

/// The clause about a vital that is beyond its limit: `disk 4 % free on /var (limit 10 %)`.
pub fn is_beyond((vital, limit): &(String, String)) -> String {
    format!("{vital} (limit {limit})")
}

fn memory(kb: u64) -> String {
    format!("{} MiB of memory free", kb / 1024)
}

fn disk(percent: u8, at: &str) -> String {
    format!("disk {percent} % free on {at}")
}

/// Says who acknowledged an outage, and why: `acknowledged by alice@ops (new disks are on their way)`.
pub fn acknowledged(by: Option<&str>, reason: Option<&str>) -> String {
    let by = by.map_or_else(String::new, |by| format!(" by {by}"));
    let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
    format!("acknowledged{by}{reason}")
}

/// Says on which side of the store's clock this machine's clock is, `skew_s` seconds ahead of it. The sentence goes on
/// with `the store's`.
pub fn side(skew_s: f64) -> &'static str {
    if skew_s > 0.0 { "ahead of" } else { "behind" }
}

/// The clause that says how far the clock is off: `this machine's clock is 75 s behind the store's`.
pub fn skew(skew_s: f64) -> String {
    let off = duration(Duration::from_secs_f64(skew_s.abs()));
    format!("this machine's clock is {off} {} the store's", side(skew_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_two_units_at_most() {
        for (s, text) in [
            (0, "0 s"),
            (299, "299 s"),
            (300, "5 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (15_000, "4 h 10 min"),
            (86_399, "23 h 59 min"),
            (86_400, "1 d"),
            (187_200, "2 d 4 h"),
            (41 * 86_400 + 3_600, "41 d"),
            (1_200 * 86_400, "1,200 d"),
        ] {
            assert_eq!(duration(Duration::from_secs(s)), text);
        }
    }

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!([7, 999, 1000, 1_048_576].map(grouped), ["7", "999", "1,000", "1,048,576"]);
    }

    #[test]
    fn a_host_says_only_what_it_knows() {
        let all = Vitals {
            uptime_s: Some(3_542_400),
            load1: Some(48.12),
            mem_available_kb: Some(12_345),
            disk_free_pct: Some(0),
            disk_at: None,
        };
        assert_eq!(vitals(&all), "up 41 d, load 48, 12 MiB of memory free, disk 0 % free");
        let elsewhere = Vitals { disk_free_pct: Some(4), disk_at: Some("/var".into()), ..Vitals::default() };
        assert_eq!(vitals(&elsewhere), "disk 4 % free on /var");
        assert_eq!(vitals(&Vitals { load1: Some(0.5), ..Vitals::default() }), "load 0.50");
        assert_eq!(vitals(&Vitals::default()), "");
    }

    #[test]
    fn a_vital_at_its_limit_is_within_it_and_the_next_value_is_beyond() {
        let limits = VitalLimits { min_disk_free_pct: Some(10), min_mem_available_mib: Some(100), max_load1: Some(8) };
        let said = |vitals: &Vitals| beyond(vitals, &limits).iter().map(is_beyond).collect::<Vec<_>>();
        let at_the_limit =
            Vitals { disk_free_pct: Some(10), mem_available_kb: Some(102_400), load1: Some(8.0), ..Vitals::default() };
        assert_eq!(said(&at_the_limit), [] as [String; 0]);
        let past_it = Vitals {
            disk_free_pct: Some(9),
            disk_at: Some("/var".into()),
            mem_available_kb: Some(102_399),
            load1: Some(8.01),
            ..Vitals::default()
        };
        let all =
            ["disk 9 % free on /var (limit 10 %)", "99 MiB of memory free (limit 100 MiB)", "load 8.01 (limit 8)"];
        assert_eq!(said(&past_it), all);
        assert_eq!(said(&Vitals { disk_free_pct: Some(0), ..Vitals::default() }), ["disk 0 % free on / (limit 10 %)"]);
        // What is not known is not beyond a limit, and what has no limit neither.
        assert_eq!(said(&Vitals::default()), [] as [String; 0]);
        assert!(beyond(&past_it, &VitalLimits::default()).is_empty());
    }

    #[test]
    fn an_acknowledgement_says_what_it_knows() {
        assert_eq!(acknowledged(Some("alice@ops"), Some("new disks")), "acknowledged by alice@ops (new disks)");
        assert_eq!(acknowledged(None, None), "acknowledged");
    }

    #[test]
    fn a_clock_is_ahead_or_behind() {
        assert_eq!(skew(75.4), "this machine's clock is 75 s ahead of the store's");
        assert_eq!(skew(-86_400.0), "this machine's clock is 1 d behind the store's");
    }

    #[test]
    fn a_time_names_its_day_and_its_zone() {
        assert_eq!(when(Time::from_rfc3339("2026-11-21T08:27:59Z").unwrap()), "2026-11-21 08:27 UTC");
        assert_eq!(when(Time::from_second(i64::MAX)), format!("@{}", i64::MAX));
    }
}

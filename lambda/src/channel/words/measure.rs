//! Times, lengths of time, names and vitals, as people read them.

use std::time::Duration;

use jiff::Timestamp;
use pulse_echo_core::clock::Time;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::CheckId;

use crate::text::{grouped, line};

/// How much of a name is shown, in bytes.
const NAME_ROOM: usize = 128;

/// How much of a name is shown in a list of them, in bytes.
const LISTED_ROOM: usize = 64;

/// `2026-11-21 08:27 UTC`.
pub(super) fn when(time: Time) -> String {
    match Timestamp::from_second(time.as_second()) {
        Ok(timestamp) => format!("{} UTC", timestamp.strftime("%Y-%m-%d %H:%M")),
        Err(_) => time.to_string(),
    }
}

/// `45 s`, `16 min`, `4 h 10 min`, `2 d 4 h`, `41 d`: what is too small to matter is cut off.
pub fn how_long(time: Duration) -> String {
    let s = time.as_secs();
    let two = |large: u64, unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {small_unit}"),
    };
    match s {
        0..60 => format!("{s} s"),
        60..3_600 => format!("{} min", s / 60),
        3_600..86_400 => two(s / 3_600, "h", s / 60 % 60, "min"),
        86_400..864_000 => two(s / 86_400, "d", s / 3_600 % 24, "h"),
        _ => format!("{} d", grouped(usize::try_from(s / 86_400).unwrap_or(usize::MAX))),
    }
}

/// `1 check`, `1,200 checks`.
pub(super) fn checks(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} check{plural}", grouped(count))
}

/// A check's name, cut if it is very long.
pub(super) fn name(id: &CheckId) -> String {
    line(&id.to_string(), NAME_ROOM)
}

/// The first names of `count` checks, and how many more there are.
pub(super) fn names<'a>(count: usize, some: impl IntoIterator<Item = &'a CheckId>) -> String {
    let some: Vec<_> = some.into_iter().map(|id| line(&id.to_string(), LISTED_ROOM)).collect();
    match count.saturating_sub(some.len()) {
        0 => some.join(", "),
        more => format!("{} and {} more", some.join(", "), grouped(more)),
    }
}

/// The command that does `verb` to a check, fit to be pasted into a shell: whoever may put a pulse chooses its name.
pub(super) fn command(verb: &str, id: &CheckId) -> String {
    let id = id.to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    // A leading dash would be an option, and quotes do not help against that.
    if id.len() > NAME_ROOM || id.starts_with('-') {
        format!("`pulse-echo {verb} ID`")
    } else if id.chars().all(is_plain) {
        format!("`pulse-echo {verb} {id}`")
    } else {
        format!("`pulse-echo {verb} '{}'`", id.replace('\'', "'\\''"))
    }
}

/// The last words of a host, `up 41 d, load 48, 12 MB of memory and 0 % of disk free`; none if it left none that are
/// numbers.
pub(in crate::channel) fn last_words(metadata: &Metadata) -> Option<String> {
    let number =
        |name: &str| metadata.get(name)?.parse::<f64>().ok().filter(|n| n.is_finite() && (0.0..1e15).contains(n));
    let vitals = [
        number("uptime-s").map(|s| format!("up {}", how_long(Duration::from_secs_f64(s)))),
        number("load1").map(|load| if load < 10.0 { format!("load {load:.2}") } else { format!("load {load:.0}") }),
        number("mem-available-kb").map(|kb| format!("{:.0} MB of memory free", kb / 1024.0)),
        number("disk-free-pct").map(|percent| format!("disk {percent:.0} % free")),
    ];
    let vitals: Vec<_> = vitals.into_iter().flatten().collect();
    (!vitals.is_empty()).then(|| vitals.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> CheckId {
        CheckId::from_pulse_key(&format!("pulse/{text}")).unwrap()
    }

    #[test]
    fn a_length_of_time_has_two_units_at_most() {
        for (s, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (15_000, "4 h 10 min"),
            (86_399, "23 h 59 min"),
            (86_400, "1 d"),
            (187_200, "2 d 4 h"),
            (41 * 86_400 + 3_600, "41 d"),
        ] {
            assert_eq!(how_long(Duration::from_secs(s)), text);
        }
    }

    #[test]
    fn a_time_names_its_day_and_its_zone() {
        assert_eq!(when(Time::from_rfc3339("2026-11-21T08:27:59Z").unwrap()), "2026-11-21 08:27 UTC");
        assert_eq!(when(Time::from_second(i64::MAX)), format!("@{}", i64::MAX));
    }

    #[test]
    fn a_command_that_is_pasted_into_a_shell_runs_nothing_else() {
        for (key, text) in [
            ("web-1/db.json", "`pulse-echo status web-1/db`"),
            ("web-1/$(reboot).json", "`pulse-echo status 'web-1/$(reboot)'`"),
            ("a;reboot", "`pulse-echo status 'a;reboot'`"),
            ("a'; reboot #", "`pulse-echo status 'a'\\''; reboot #'`"),
            ("--help", "`pulse-echo status ID`"),
        ] {
            assert_eq!(command("status", &id(key)), text);
        }
        assert_eq!(command("status", &id(&"x".repeat(129))), "`pulse-echo status ID`");
    }

    #[test]
    fn last_words_are_numbers_or_nothing() {
        let words = |pairs: &[(&str, &str)]| {
            last_words(&pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
        };
        let all = [("uptime-s", "3542400"), ("load1", "48.12"), ("mem-available-kb", "12345"), ("disk-free-pct", "0")];
        assert_eq!(words(&all).unwrap(), "up 41 d, load 48, 12 MB of memory free, disk 0 % free");
        assert_eq!(words(&[("load1", "0.5"), ("uptime-s", "-1")]).unwrap(), "load 0.50");
        let foreign = [("load1", "<!channel>"), ("uptime-s", "inf"), ("disk-free-pct", "NaN"), ("agent", "x")];
        assert_eq!(words(&foreign), None);
    }
}

//! A length of time, as operators write it: `90s`, `30m`, `2h`, `1d`, `1h30m`.

use pulse_echo_core::json::Whole;
use pulse_echo_core::mute::FOR_S;

/// The units with their seconds, the largest first.
const UNITS: [(char, u32); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Parses a duration of a mute's range, in seconds. The error is a clause that says what would be right.
pub fn parse(text: &str) -> Result<u32, String> {
    parse_within(text, &FOR_S)
}

/// The same of another range of seconds.
pub fn parse_within(text: &str, range: &Whole) -> Result<u32, String> {
    let wrong = || format!("{text:?} is not a time such as 90s, 30m, 2h, 1d or 1h30m");
    let mut sum = 0_u64;
    let mut left = text;
    while !left.is_empty() || text.is_empty() {
        let end = left.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, rest) = left.split_at(end);
        let (_, unit_s) = UNITS.into_iter().find(|&(unit, _)| rest.starts_with(unit)).ok_or_else(wrong)?;
        let number: u64 = number.parse().map_err(|_| wrong())?;
        sum = sum.saturating_add(number.saturating_mul(unit_s.into()));
        left = &rest[1..];
    }
    match u32::try_from(sum) {
        Ok(seconds) if (range.min..=range.max).contains(&seconds) => Ok(seconds),
        _ => Err(format!("{text:?} is out of range: it may be from {} to {}", show(range.min), show(range.max))),
    }
}

/// Writes a duration as [`parse`] reads it.
pub fn show(seconds: u32) -> String {
    if seconds == 0 {
        return "0s".into();
    }
    let mut left = seconds;
    let mut parts = Vec::new();
    for (unit, unit_s) in UNITS {
        if left >= unit_s {
            parts.push(format!("{}{unit}", left / unit_s));
            left %= unit_s;
        }
    }
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_alone_and_together_and_written_the_same() {
        for (text, seconds) in [
            ("1s", 1),
            ("90s", 90),
            ("30m", 1_800),
            ("2h", 7_200),
            ("1d", 86_400),
            ("1h30m", 5_400),
            ("366d", 31_622_400),
        ] {
            assert_eq!(parse(text), Ok(seconds), "{text}");
            assert_eq!(parse(&show(seconds)), Ok(seconds));
        }
        assert_eq!(show(90), "1m30s");
    }

    #[test]
    fn what_is_no_time_is_refused_with_one_that_is() {
        for text in ["", "2", "h", "2x", "2h30", "-2h", "2 h", "1.5h", "2H", "１h", "99999999999999999999s"] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("such as 90s, 30m, 2h, 1d or 1h30m"), "{text}: {error}");
        }
    }

    #[test]
    fn each_option_has_its_own_bounds() {
        let range = Whole { unit: "seconds", min: 0, max: 60 };
        assert_eq!([parse_within("0s", &range), parse_within("1m", &range)], [Ok(0), Ok(60)]);
        assert!(parse_within("61s", &range).unwrap_err().contains("it may be from 0s to 1m"));
    }

    #[test]
    fn a_time_beyond_the_bounds_is_refused_with_the_bounds() {
        for text in ["0s", "366d1s", "18446744073709551615d"] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("it may be from 1s to 366d"), "{text}: {error}");
        }
    }
}

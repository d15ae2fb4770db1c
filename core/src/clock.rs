//! The store's clock: the only time that decisions are made by.
//!
//! `LastModified` and the `Date` of answers come from one clock, the store's, in whole seconds. No rule compares it
//! with the clock of a host or of a function.

use std::fmt;
use std::ops::Add;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::tz::Offset;
use jiff::{Timestamp, civil};
use serde::{Deserialize, Serialize};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How far a time may be ahead of *now*: objects are put while lists are read, and a store may be several machines.
const AHEAD: Duration = Duration::from_secs(60);

/// A second of the store's clock, counted from 1970. Written as RFC 3339 (`2026-11-21T08:27:27Z`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Time(i64);

impl Time {
    /// The second that contains `timestamp`.
    pub fn of(timestamp: Timestamp) -> Self {
        Self(timestamp.as_second())
    }

    /// The second that contains the time of so long after the beginning of 1970. A time beyond the calendar becomes the
    /// calendar's end.
    pub fn since_1970(time: Duration) -> Self {
        let second = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Self::of(Timestamp::from_second(second).unwrap_or(Timestamp::MAX))
    }

    /// Parses an HTTP date, as in `Date` and `Last-Modified`: `Sat, 21 Nov 2026 08:27:27 GMT`.
    pub fn from_http_date(date: &str) -> Option<Self> {
        let [_, day, month, year, time, "GMT"] = date.split(' ').collect::<Vec<_>>()[..] else { return None };
        let month = 1 + MONTHS.iter().position(|&name| name == month)?;
        // One parser for both forms: a second parser is 7 KB.
        Self::from_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z"))
    }

    /// Parses RFC 3339, as in LIST and our own formats. Fractions of a second are cut off.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let (time, rest) = text.split_at_checked("1970-01-01T00:00:00".len())?;
        let marks: Vec<_> = time.char_indices().filter(|(_, c)| !c.is_ascii_digit()).collect();
        let [(4, '-'), (7, '-'), (10, 'T' | 't' | ' '), (13, ':'), (16, ':')] = marks[..] else { return None };
        let number = |at: usize| time[at..at + 2].parse().ok();
        let year = time[..4].parse().ok()?;
        // A leap second counts with the second before it.
        let second = if time.ends_with(":60") { 59 } else { number(17)? };
        let second = second_of(year, [number(5)?, number(8)?, number(11)?, number(14)?, second])?;
        let zone = match rest.strip_prefix('.') {
            Some(fraction) if fraction.starts_with(|c: char| c.is_ascii_digit()) => {
                fraction.trim_start_matches(|c: char| c.is_ascii_digit())
            }
            _ => rest,
        };
        Some(Self(second - offset_s(zone)?))
    }

    /// The time `second` seconds after 1970.
    pub const fn from_second(second: i64) -> Self {
        Self(second)
    }

    /// Seconds since 1970.
    pub fn as_second(self) -> i64 {
        self.0
    }

    /// The age at `now` of something from this time; 0 if the time is in the future.
    pub fn age(self, now: Self) -> Duration {
        Duration::from_secs(u64::try_from(now.0.saturating_sub(self.0)).unwrap_or(0))
    }

    /// Whether the time is so far ahead of *now* that the store's clock has been set back since.
    pub fn is_ahead(self, now: Self) -> bool {
        now.age(self) > AHEAD
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    /// Adds a duration. Fractions of a second are cut off.
    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(later.as_secs()))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(time) = Timestamp::from_second(self.0).ok().map(|at| Offset::UTC.to_datetime(at)) else {
            return write!(f, "@{}", self.0);
        };
        let (year, month, day) = (time.year(), time.month(), time.day());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// The time by this machine's clock. jiff's own function would keep the texts of all its errors: 40 KB.
pub fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (second, nanosecond) = (i64::try_from(since_1970.as_secs()), i32::try_from(since_1970.subsec_nanos()));
    Timestamp::new(second.unwrap_or(i64::MAX), nanosecond.unwrap_or(0)).unwrap_or(Timestamp::MAX)
}

/// The seconds since 1970 at a month, a day, an hour, a minute and a second of a year, in UTC.
pub(crate) fn second_of(year: i16, [month, day, hour, minute, second]: [i8; 5]) -> Option<i64> {
    let time = civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    Some(time.duration_since(civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0)).as_secs())
}

/// The seconds of an offset from UTC: `Z`, `+01:00`, `-0530`, `+01`.
fn offset_s(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = zone[1..].replace(':', "");
    let (hours, minutes) = digits.split_at_checked(2).filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
    let minutes = if minutes.is_empty() { "00" } else { minutes };
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::from_rfc3339(&text).ok_or_else(|| format!("{text:?} is not a time such as 2026-11-21T08:27:27Z"))
    }
}

impl From<Time> for String {
    fn from(time: Time) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_date_and_an_rfc_3339_one_are_the_same_second() {
        let http = Time::from_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(Some(http), Time::from_rfc3339("1994-11-06T08:49:37.999Z"));
        assert_eq!(http.as_second(), 784_111_777);
        assert_eq!(http.to_string(), "1994-11-06T08:49:37Z");
    }

    #[test]
    fn times_are_written_and_read_as_jiff_does() {
        for second in (-3..40).map(|n| n * 86_399 * 367 + n).chain([0, 951_782_400, 4_107_542_399, 253_402_207_200]) {
            let theirs = Timestamp::from_second(second).unwrap().to_string();
            assert_eq!(Time(second).to_string(), theirs);
            assert_eq!(Time::from_rfc3339(&theirs), Some(Time(second)));
        }
        for text in [
            "2026-11-21T08:27:27+00:00",
            "2026-11-21t08:27:27.5z",
            "2026-11-21 08:27:27.123456789-05:30",
            "2026-11-21T08:27:27+0130",
            "2026-11-21T08:27:27-01",
            "2016-12-31T23:59:60Z",
            "2024-02-29T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2026-11-21T08:27:27",
            "2026-11-21T08:27:27.Z",
            "2026-11-21T08:27:27+1",
            "2026-11-21T08:27:27+01:60",
            "2026-11-21T08:27:61Z",
            "2026-11-21T24:00:00Z",
            "2026-13-21T08:27:27Z",
            "2026-11-21T08:27:27Zx",
            "2026-11-21T08:27:2éZ",
            "+026-11-21T08:27:27Z",
            "2026-11-21T08:27:27+é1",
            "2026-11-21T08:27:+7Z",
        ] {
            assert_eq!(Time::from_rfc3339(text), text.parse().ok().map(Time::of), "{text}");
        }
    }

    #[test]
    fn what_comes_from_the_future_has_age_zero() {
        let (early, late) = (Time(100), Time(160));
        assert_eq!(early.age(late), Duration::from_secs(60));
        assert_eq!(late.age(early), Duration::ZERO);
    }

    #[test]
    fn a_time_is_ahead_if_it_is_over_a_minute_from_now() {
        let now = Time(1_000);
        for (second, ahead) in [(i64::MIN, false), (1_000, false), (1_060, false), (1_061, true), (i64::MAX, true)] {
            assert_eq!(Time(second).is_ahead(now), ahead, "{second}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "yesterday",
            "1994-11-06",
            "Sun, 06 Nov 1994 25:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
        ] {
            assert_eq!(Time::from_http_date(text), None, "{text}");
            assert_eq!(Time::from_rfc3339(text), None, "{text}");
        }
    }
}

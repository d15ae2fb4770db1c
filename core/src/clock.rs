//! The store's clock: the only time that decisions are made by.
//!
//! `LastModified` and the `Date` of answers come from one clock, the store's, in whole seconds. No rule compares it
//! with the clock of a host or of a function.

use std::fmt;
use std::ops::Add;
use std::time::Duration;

use jiff::Timestamp;
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
    pub fn from_rfc3339(date: &str) -> Option<Self> {
        date.parse().ok().map(Self::of)
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
        match Timestamp::from_second(self.0) {
            Ok(timestamp) => timestamp.fmt(f),
            Err(_) => write!(f, "@{}", self.0),
        }
    }
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

//! A day of the history, by UTC.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Time;

/// How many seconds a day has.
pub(super) const DAY_S: i64 = 24 * 3600;

/// A day by UTC, counted from 1970. Written as `2026-11-28`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(i64);

impl Day {
    /// The day that contains this time.
    pub fn of(time: Time) -> Self {
        Self(time.as_second().div_euclid(DAY_S))
    }

    /// Its first second.
    pub fn begins(self) -> Time {
        Time::from_second(self.0.saturating_mul(DAY_S))
    }

    /// The day so many days later, or earlier.
    #[must_use]
    pub fn plus(self, days: i64) -> Self {
        Self(self.0.saturating_add(days))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.begins().to_string();
        f.write_str(time.split('T').next().unwrap_or_default())
    }
}

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let time = Time::from_rfc3339(&format!("{text}T00:00:00Z"));
        time.map(Self::of).ok_or_else(|| format!("{text:?} is not a day such as 2026-11-28"))
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

//! When a crontab's line fires, and the longest time between two runs.

use std::time::Duration;

use super::daemon::Dialect;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MINUTES_A_DAY: u32 = 24 * 60;

/// When a line fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Times {
    /// By the five fields of a crontab.
    Fields(Fields),
    /// After each such time.
    Every(Duration),
    /// Only when the machine starts.
    Boot,
    /// At times that are not compared: this expression.
    Unknown(String),
}

/// The five fields. The bit of each value that fits is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// One of the two fields for days begins with `*`: then both must fit, else one of them is enough.
    both_days: bool,
}

impl Times {
    /// Parses `@hourly`; `None` if cron does not know the word.
    pub fn of_word(word: &str) -> Option<Self> {
        let fields = match word {
            "@reboot" => return Some(Self::Boot),
            "@yearly" | "@annually" => ["0", "0", "1", "1", "*"],
            "@monthly" => ["0", "0", "1", "*", "*"],
            "@weekly" => ["0", "0", "*", "*", "0"],
            "@daily" | "@midnight" => ["0", "0", "*", "*", "*"],
            "@hourly" => ["0", "*", "*", "*", "*"],
            _ => return None,
        };
        Self::of_fields(fields, Dialect::Debian).ok()
    }

    /// Parses minute, hour, day of the month, month and day of the week. The error names the bad field.
    pub fn of_fields(fields: [&str; 5], dialect: Dialect) -> Result<Self, String> {
        let [minute, hour, day, month, weekday] = fields;
        let read = |what: &str, text: &str, range: (u32, u32), names: &[&str]| {
            field(text, range, names, dialect).ok_or_else(|| format!("{text:?} is no {what}"))
        };
        Ok(Self::Fields(Fields {
            minutes: read("minute", minute, (0, 59), &[])?,
            hours: read("hour", hour, (0, 23), &[])?,
            days: read("day of the month", day, (1, 31), &[])?,
            months: read("month", month, (1, 12), &MONTHS)?,
            weekdays: read("day of the week", weekday, (0, 7), &WEEKDAYS)?,
            both_days: day.starts_with('*') || weekday.starts_with('*'),
        }))
    }
}

impl Fields {
    fn fits_day(&self, month: u32, day: u32, weekday: u32) -> bool {
        let has = |bits: u64, value: u32| bits >> value & 1 == 1;
        // Sunday is both 0 and 7.
        let weekday = has(self.weekdays, weekday) || (weekday == 0 && has(self.weekdays, 7));
        let day = has(self.days, day);
        has(self.months, month) && if self.both_days { day && weekday } else { day || weekday }
    }

    fn fits_minute(&self, minute: u32) -> bool {
        self.hours >> (minute / 60) & 1 == 1 && self.minutes >> (minute % 60) & 1 == 1
    }
}

/// The longest time between two runs, if all these lines run; `None` if they never run, or only when the machine
/// starts.
pub fn longest_gap<'a>(times: impl Iterator<Item = &'a Times>) -> Option<Duration> {
    let (mut fields, mut shortest) = (Vec::new(), None);
    for times in times {
        match times {
            Times::Fields(of_line) => fields.push(of_line),
            Times::Every(every) => shortest = Some(shortest.map_or(*every, |known: Duration| known.min(*every))),
            Times::Boot | Times::Unknown(_) => {}
        }
    }
    let by_fields = gap_of_fields(&fields).map(|minutes| Duration::from_secs(u64::from(minutes) * 60));
    [by_fields, shortest].into_iter().flatten().min()
}

/// In minutes, within two years of which one is a leap year.
fn gap_of_fields(lines: &[&Fields]) -> Option<u32> {
    let (mut last, mut longest) = (None, None);
    let mut day_number = 0;
    for year in [2027, 2028] {
        for month in 1..=12 {
            for day in 1..=days_in(year, month) {
                // The first of January 2027 is a Friday.
                let weekday = (day_number + 5) % 7;
                let of_day: Vec<_> = lines.iter().filter(|line| line.fits_day(month, day, weekday)).collect();
                if !of_day.is_empty() {
                    for minute in (0..MINUTES_A_DAY).filter(|&minute| of_day.iter().any(|l| l.fits_minute(minute))) {
                        let at = day_number * MINUTES_A_DAY + minute;
                        longest = longest.max(last.replace(at).map(|last| at - last));
                    }
                }
                day_number += 1;
            }
        }
    }
    // What comes once in two years comes again after as long a time, or longer.
    longest.or(last.map(|_| day_number * MINUTES_A_DAY))
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year == 2028 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A field: ranges with commas between them.
fn field(text: &str, range: (u32, u32), names: &[&str], dialect: Dialect) -> Option<u64> {
    let (mut bits, mut rest) = (0, text);
    loop {
        let (of_range, after) = one_range(rest, range, names, dialect)?;
        bits |= of_range;
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Some(bits),
            // Debian's cron passes over what follows a range.
            None => return (dialect == Dialect::Debian).then_some(bits),
        }
    }
}

/// `*`, `NUMBER`, `NUMBER-NUMBER`, each but the second with `/STEP`; cronie also knows `NUMBER~NUMBER`, a random
/// number.
fn one_range<'a>(text: &'a str, (low, high): (u32, u32), names: &[&str], dialect: Dialect) -> Option<(u64, &'a str)> {
    let (from, mut to, mut rest) = if let Some(rest) = text.strip_prefix('*') {
        (low, high, rest)
    } else if let Some(rest) = text.strip_prefix('~').filter(|_| dialect != Dialect::Debian) {
        return Some((1 << low, rest.trim_start_matches(|c: char| c.is_ascii_digit())));
    } else {
        let (from, rest) = number(text, low, names)?;
        if let Some(rest) = rest.strip_prefix('~').filter(|_| dialect != Dialect::Debian) {
            return is_in(from, low, high)
                .then_some((1 << from, rest.trim_start_matches(|c: char| c.is_ascii_digit())));
        }
        match rest.strip_prefix('-') {
            Some(rest) => {
                let (to, rest) = number(rest, low, names)?;
                (from, to, rest)
            }
            None if rest.starts_with('/') => return None,
            None => return is_in(from, low, high).then_some((1 << from, rest)),
        }
    };
    let mut step = 1;
    if let Some(after) = rest.strip_prefix('/') {
        (step, rest) = number(after, 0, &[])?;
    }
    if dialect != Dialect::Debian && to == 0 && from > to {
        to = 7;
    }
    if step == 0 || !is_in(from, low, high) || !is_in(to, low, high) {
        return None;
    }
    let step = usize::try_from(step).ok()?;
    Some(((from..=to).step_by(step).fold(0, |bits, value| bits | 1 << value), rest))
}

fn is_in(value: u32, low: u32, high: u32) -> bool {
    (low..=high).contains(&value)
}

/// A number or a name; names count from `low`.
fn number<'a>(text: &'a str, low: u32, names: &[&str]) -> Option<(u32, &'a str)> {
    let (word, rest) = text.split_at(text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len()));
    match names.iter().position(|name| name.eq_ignore_ascii_case(word)) {
        Some(at) => Some((low + u32::try_from(at).ok()?, rest)),
        None => Some((word.parse().ok()?, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(lines: &[&str]) -> Option<u64> {
        let times = |line: &&str| {
            let fields: Vec<_> = line.split(' ').collect();
            Times::of_word(line)
                .unwrap_or_else(|| Times::of_fields(fields.try_into().unwrap(), Dialect::Debian).unwrap())
        };
        let times: Vec<_> = lines.iter().map(times).collect();
        longest_gap(times.iter()).map(|gap| gap.as_secs() / 60)
    }

    #[test]
    fn the_longest_time_between_two_runs() {
        const DAY: u64 = 24 * 60;
        for (lines, minutes) in [
            (&["* * * * *"][..], Some(1)),
            (&["*/10 * * * *"], Some(10)),
            (&["5-59/10 * * * *"], Some(10)),
            (&["3,13,23,33,43,53 * * * *"], Some(10)),
            (&["*/7 * * * *"], Some(7)),
            (&["0 * * * *", "30 * * * *"], Some(30)),
            (&["@hourly"], Some(60)),
            (&["*/10 8-17 * * *"], Some(14 * 60 + 10)),
            (&["*/10 * * * mon-fri"], Some(2 * DAY + 10)),
            (&["@daily"], Some(DAY)),
            (&["0 0 * * 7"], Some(7 * DAY)),
            (&["0 0 1 * *"], Some(31 * DAY)),
            // One of the two is enough: each Monday, and the 13th.
            (&["0 0 13 * 1"], Some(7 * DAY)),
            // As in cron: with a star in one of them, both must fit.
            (&["0 0 */2 * 1"], Some(21 * DAY)),
            (&["0 0 29 2 *"], Some(731 * DAY)),
            (&["0 0 31 2 *"], None),
            (&["@reboot"], None),
            (&["@reboot", "@hourly"], Some(60)),
        ] {
            assert_eq!(gap(lines), minutes, "{lines:?}");
        }
    }

    #[test]
    fn fields_are_refused_as_cron_refuses_them() {
        let read = |text, dialect| field(text, (0, 59), &[], dialect).is_some();
        for (text, debian, cronie) in [
            ("*/10", true, true),
            ("1-5,7", true, true),
            ("1/20", false, false),
            ("*/0", false, false),
            ("60", false, false),
            ("5-64/30", false, false),
            ("", false, false),
            ("x", false, false),
            ("-5", false, false),
            // Debian's cron takes what comes after the range for nothing.
            ("*x", true, false),
            ("*/10x", false, false),
            ("0~59", true, true),
            ("~", false, true),
        ] {
            assert_eq!((read(text, Dialect::Debian), read(text, Dialect::Cronie)), (debian, cronie), "{text:?}");
        }
        let weekday = |text| field(text, (0, 7), &WEEKDAYS, Dialect::Debian);
        assert_eq!(weekday("Sun,tue"), Some(0b101));
        assert_eq!(weekday("noday"), None);
        assert_eq!(field("Jan", (1, 12), &MONTHS, Dialect::Debian), Some(0b10));
    }
}

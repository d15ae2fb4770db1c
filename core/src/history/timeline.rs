//! A check's past as people see it: its uptime, its days, its outages.
//!
//! The uptime of a window is 1 − the seconds of its outages ÷ its seconds. The window begins at the earliest with the
//! check's first pulse, and with the history. Dark times are taken from both. An outage that an operator's mute covered
//! does not count, nor does one that was trouble of our own. The outage that lasts counts like the others.

use std::fmt;

use super::day::DAY_S;
use super::{Day, Downtime, History, Past};
use crate::clock::Time;
use crate::name::CheckId;
use crate::status::{PastOutage, Record, State};

/// The windows whose uptime is shown, the shortest first, in days.
pub const WINDOWS: [u32; 4] = [1, 7, 30, 90];

/// The name of a window of so many days: `24 h`, `7 d`.
pub fn window(days: u32) -> String {
    if days == 1 { "24 h".into() } else { format!("{days} d") }
}

/// The dark times, to be asked of many checks.
pub struct Dark {
    /// Each one's beginning and end, and how many seconds are dark before it.
    gaps: Vec<(Time, Time, u64)>,
}

impl Dark {
    /// The dark times of a history.
    pub fn of(history: &History) -> Self {
        let mut gaps: Vec<(Time, Time, u64)> = Vec::new();
        let mut before = 0;
        for gap in &history.dark {
            // Whoever has written into the file by hand need not have kept their order.
            let from = gaps.last().map_or(gap.from, |(_, until, _)| gap.from.max(*until));
            if from < gap.until {
                gaps.push((from, gap.until, before));
                before += from.age(gap.until).as_secs();
            }
        }
        Self { gaps }
    }

    /// How many seconds are dark between these times.
    pub fn seconds(&self, from: Time, until: Time) -> u64 {
        self.before(until).saturating_sub(self.before(from))
    }

    /// How many seconds are dark before this time.
    fn before(&self, time: Time) -> u64 {
        let begun = self.gaps.partition_point(|(from, ..)| *from < time);
        self.gaps[..begun].last().map_or(0, |(from, until, before)| before + from.age(time.min(*until)).as_secs())
    }
}

/// The outage that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// When it began.
    pub from: Time,
    /// Whether it counts as downtime so far.
    pub counts: bool,
}

/// How long a check was down within a time, without what was dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uptime {
    /// How many seconds are known of it.
    pub time_s: u64,
    /// In how many of them it was down.
    pub down_s: u64,
}

impl Uptime {
    /// In hundredths of a percent, rounded down; `None` if nothing is known.
    pub fn hundredths(&self) -> Option<u64> {
        let up = u128::from(self.time_s.saturating_sub(self.down_s));
        let share = (up * 10_000).checked_div(u128::from(self.time_s))?;
        u64::try_from(share).ok()
    }
}

impl fmt::Display for Uptime {
    /// `99.98 %`, `100 %`; `-` if nothing is known. 100 % means no second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hundredths() {
            None => f.write_str("-"),
            Some(10_000) => f.write_str("100 %"),
            Some(share) => write!(f, "{}.{:02} %", share / 100, share % 100),
        }
    }
}

/// A day of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayOf {
    /// Which day.
    pub day: Day,
    /// How long the check was down on it. Its `time_s` is 0 where nothing is known, and where all of it is dark.
    pub uptime: Uptime,
    /// For how many of its seconds no sweep was completed, since the check is known.
    pub dark_s: u64,
    /// How many outages began on it, the one that lasts included.
    pub outages: u32,
}

/// All that uptime depends on, of one check.
pub struct Timeline<'a> {
    /// The newest outages that are over, the oldest first.
    outages: &'a [PastOutage],
    past: Option<&'a Past>,
    lasting: Option<Lasting>,
    /// What is known begins with this.
    begins: Time,
    dark: &'a Dark,
    /// The downtime of each day of which the outages are no longer listed, and the end of that.
    before: Vec<(Day, u64)>,
    listed_from: Option<Time>,
}

impl<'a> Timeline<'a> {
    /// The timeline of a check. What is unfiled is to be [filed](History::file) in `history` before. `dark` is of
    /// `history`; `record` is missing if the check has gone.
    pub fn of(id: &CheckId, record: Option<&Record>, history: &'a History, dark: &'a Dark) -> Self {
        let past = history.checks.get(id);
        let first = record.and_then(|record| record.first).or_else(|| Some(past?.since));
        let lasting = record.and_then(lasting);
        Self::new(past, lasting, first.map_or(history.since, |first| first.max(history.since)), dark)
    }

    /// The timeline of which all is known since `begins`.
    pub fn new(past: Option<&'a Past>, lasting: Option<Lasting>, begins: Time, dark: &'a Dark) -> Self {
        let outages = past.map_or(&[][..], |past| &past.outages);
        let listed_from = outages.first().map(|outage| outage.from);
        let mut timeline = Self { outages, past, lasting, begins, dark, before: Vec::new(), listed_from };
        for (&day, downtime) in past.into_iter().flat_map(|past| &past.days) {
            if listed_from.is_none_or(|from| day <= Day::of(from)) {
                let listed = timeline.listed(day.begins(), day.plus(1).begins());
                let rest = u64::from(downtime.down_s).saturating_sub(listed);
                timeline.before.extend((rest > 0).then_some((day, rest)));
            }
        }
        timeline
    }

    /// The uptime between two times: of what is known of them.
    pub fn uptime(&self, from: Time, until: Time) -> Uptime {
        let from = from.max(self.begins);
        let time_s = self.light(from, until);
        let listed: u64 = self.within(from, until).map(|(from, until)| self.light(from, until)).sum();
        let lasting = self.lasting.filter(|lasting| lasting.counts);
        let lasting = lasting.map_or(0, |lasting| self.light(lasting.from.max(from), until));
        Uptime { time_s, down_s: (listed + lasting + self.unlisted(from, until)).min(time_s) }
    }

    /// The uptime of so many days until `now`.
    pub fn of_last(&self, days: u32, now: Time) -> Uptime {
        self.uptime(Time::from_second(now.as_second().saturating_sub(DAY_S * i64::from(days))), now)
    }

    /// So many days until `now`, today last.
    pub fn days(&self, count: u32, now: Time) -> impl Iterator<Item = DayOf> {
        let today = Day::of(now);
        (1 - i64::from(count)..=0).map(move |at| self.day(today.plus(at), now))
    }

    fn day(&self, day: Day, now: Time) -> DayOf {
        let (from, until) = (day.begins(), day.plus(1).begins().min(now));
        let begun = self.past.and_then(|past| past.days.get(&day)).map_or(0, |&Downtime { outages, .. }| outages);
        let lasts = self.lasting.is_some_and(|lasting| lasting.counts && Day::of(lasting.from) == day);
        DayOf {
            day,
            uptime: self.uptime(from, until),
            dark_s: self.dark.seconds(from.max(self.begins).min(until), until),
            outages: begun.saturating_add(lasts.into()),
        }
    }

    /// The outages that are over, the newest first.
    pub fn outages(&self) -> impl Iterator<Item = &'a PastOutage> {
        self.outages.iter().rev()
    }

    /// The seconds between two times that are not dark.
    fn light(&self, from: Time, until: Time) -> u64 {
        from.age(until).as_secs().saturating_sub(self.dark.seconds(from.min(until), until))
    }

    /// The parts of the listed outages that are between two times and count.
    fn within(&self, from: Time, until: Time) -> impl Iterator<Item = (Time, Time)> {
        let counting = self.outages.iter().filter(|outage| outage.counts());
        counting
            .map(move |outage| (outage.from.max(from), outage.until.min(until)))
            .filter(|(from, until)| from < until)
    }

    /// How many seconds of the listed outages are between two times.
    fn listed(&self, from: Time, until: Time) -> u64 {
        self.within(from, until).map(|(from, until)| from.age(until).as_secs()).sum()
    }

    /// The downtime between two times of which the outages are no longer listed: of each day in proportion.
    fn unlisted(&self, from: Time, until: Time) -> u64 {
        let of_day = |&(day, rest): &(Day, u64)| {
            let (begins, ends) = (day.begins().max(self.begins), day.plus(1).begins());
            let ends = self.listed_from.map_or(ends, |listed| listed.min(ends));
            let whole = begins.age(ends).as_secs();
            let within = self.light(from.max(begins), until.min(ends));
            (rest * within).div_ceil(whole.max(1)).min(within)
        };
        self.before.iter().map(of_day).sum()
    }
}

fn lasting(record: &Record) -> Option<Lasting> {
    let outage = record.outage.as_deref()?;
    Some(Lasting { from: outage.since, counts: outage.muted.is_none() && record.state != State::Unanswered })
}

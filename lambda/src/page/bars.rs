//! The last 90 days of a check as bars: how a day was is told by colour, by height, and, unless it was good, in words.

use std::fmt::Write;
use std::time::Duration;

use jiff::Timestamp;
use pulse_echo_core::clock::Time;
use pulse_echo_core::history::{Day, DayOf, Timeline};
use pulse_echo_core::words::duration;

/// How many days are shown.
const DAYS: u32 = 90;

/// How many bars of a check with an outage have a text each, the newest. The others share one.
const MOST_TEXTS: usize = 8;

/// A day that was not watched for so many seconds is shown as dark, unless the check was down on it.
const DARK_S: u64 = 3600;

/// How a day was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Was {
    /// Nothing is known of it.
    Unknown,
    /// Up, as far as it was watched.
    Good,
    /// Down for less than a twentieth of it.
    SomeDown,
    /// Down for longer.
    MuchDown,
    /// Not watched.
    Dark,
}

/// Days in a row that are one text.
#[derive(Clone, Copy, Debug)]
struct Run {
    was: Was,
    /// The place of its first day, counted from the oldest.
    at: u32,
    days: u32,
    first: Day,
    last: Day,
    down_s: u64,
    dark_s: u64,
    outages: u32,
}

impl Was {
    fn of(day: &DayOf) -> Self {
        let (time_s, down_s) = (day.uptime.time_s, day.uptime.down_s);
        match down_s {
            0 if time_s == 0 && day.dark_s == 0 => Self::Unknown,
            0 if time_s == 0 || day.dark_s >= DARK_S => Self::Dark,
            0 if day.outages == 0 => Self::Good,
            down_s if down_s * 20 < time_s => Self::SomeDown,
            _ => Self::MuchDown,
        }
    }

    fn is_down(self) -> bool {
        matches!(self, Self::SomeDown | Self::MuchDown)
    }

    /// The class of its bar, and the middle of the bar's height.
    fn drawn(self) -> (&'static str, u32) {
        match self {
            Self::Dark => (" class=\"p0\"", 17),
            Self::SomeDown => (" class=\"p1\"", 12),
            Self::MuchDown => (" class=\"p2\"", 10),
            Self::Unknown | Self::Good => ("", 14),
        }
    }
}

/// The bars until `now`, today's last. A day is 4 units wide, a quarter of it empty: by the stroke's dashes.
pub(super) fn svg(timeline: &Timeline, now: Time) -> String {
    let runs = runs(timeline, now);
    let mut svg = String::from("<svg viewBox=\"0 0 360 20\" preserveAspectRatio=\"none\">");
    draw(&mut svg, Was::Good, runs.iter().filter(|run| run.was == Was::Good), None);
    let down = runs.iter().filter(|run| run.was.is_down()).count();
    let mut left = down.saturating_sub(MOST_TEXTS);
    let mut old: Vec<Run> = Vec::new();
    for run in &runs {
        match run.was {
            Was::Unknown | Was::Good => {}
            _ if run.was.is_down() && left > 0 => {
                left -= 1;
                old.push(*run);
            }
            _ => draw(&mut svg, run.was, [run], Some(&text(run))),
        }
    }
    for was in [Was::SomeDown, Was::MuchDown] {
        let these: Vec<_> = old.iter().filter(|run| run.was == was).collect();
        if let (Some(first), Some(last)) = (these.first(), these.last()) {
            let down_s = these.iter().map(|run| run.down_s).sum();
            let (first, last, days) = (label(first.first), label(last.last), these.len());
            let text = format!("{first} to {last}: down on {days} days, for {} in all", length(down_s));
            draw(&mut svg, was, these, Some(&text));
        }
    }
    svg + "</svg>"
}

fn runs(timeline: &Timeline, now: Time) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (at, day) in (0..).zip(timeline.days(DAYS, now)) {
        let was = Was::of(&day);
        let (down_s, dark_s) = (day.uptime.down_s, day.dark_s);
        match runs.last_mut().filter(|run| run.was == was && !was.is_down()) {
            Some(run) => {
                run.days += 1;
                run.last = day.day;
                run.dark_s += dark_s;
            }
            None => {
                runs.push(Run {
                    was,
                    at,
                    days: 1,
                    first: day.day,
                    last: day.day,
                    down_s,
                    dark_s,
                    outages: day.outages,
                });
            }
        }
    }
    runs
}

fn draw<'a>(svg: &mut String, was: Was, runs: impl IntoIterator<Item = &'a Run>, text: Option<&str>) {
    let (class, middle) = was.drawn();
    let mut path = String::new();
    for run in runs {
        let _ = write!(path, "M{} {middle}h{}", 4 * run.at, 4 * run.days);
    }
    let _ = match text {
        _ if path.is_empty() => Ok(()),
        None => write!(svg, "<path{class} d=\"{path}\"/>"),
        Some(text) => write!(svg, "<path{class} role=\"img\" d=\"{path}\"><title>{text}</title></path>"),
    };
}

/// `28 Nov: down for 12 min, 1 outage`
fn text(run: &Run) -> String {
    let days = if run.days == 1 { label(run.first) } else { format!("{} to {}", label(run.first), label(run.last)) };
    let dark = || format!("not watched for {}", length(run.dark_s));
    if !run.was.is_down() {
        return format!("{days}: {}", dark());
    }
    let outages = match run.outages {
        0 => String::new(),
        1 => ", 1 outage".into(),
        outages => format!(", {outages} outages"),
    };
    let dark = if run.dark_s > 0 { format!("; {}", dark()) } else { String::new() };
    format!("{days}: down for {}{outages}{dark}", length(run.down_s))
}

fn length(seconds: u64) -> String {
    duration(Duration::from_secs(seconds))
}

/// `28 Nov`
fn label(day: Day) -> String {
    let begins = Timestamp::from_second(day.begins().as_second());
    begins.map_or_else(|_| day.to_string(), |begins| begins.strftime("%-d %b").to_string())
}

/// What the bars mean.
pub(super) fn legend() -> String {
    let one = |was: Was, text: &str| {
        let (class, middle) = was.drawn();
        format!(
            "<li><svg viewBox=\"0 0 12 20\" aria-hidden=\"true\"><path{class} d=\"M0 {middle}h12\"/></svg>{text}</li>"
        )
    };
    format!(
        "<ul class=\"k2\">{}{}{}{}</ul>",
        one(Was::Good, "up all day"),
        one(Was::SomeDown, "down for less than a twentieth of the day"),
        one(Was::MuchDown, "down for longer"),
        one(Was::Dark, "not watched")
    )
}

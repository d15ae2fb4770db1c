//! Judges what the store tells apart from the checks: whether the loop is alive, and whether the clock is right.

use std::time::Duration;

use crate::look::Look;
use crate::outcome::{Figure, Measure, Outcome, Severity, Subject};
use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::name::Key;
use pulse_echo_core::words;

/// How far the clocks may differ, in seconds. Signatures are valid for 300.
const SKEW_LIMIT_S: f64 = 60.0;

/// How long messages to people may wait, in seconds.
const OWED_LIMIT_S: u64 = 900;

/// Judges the loop by its mark and when that was looked at. One that is not there decides nothing.
pub fn judge_loop(mark: Look<(Mark, Time)>) -> Outcome {
    let is = |severity, text| Outcome::new(Subject::Loop, severity, text);
    let (mark, now) = match mark {
        Look::There(there) => there,
        Look::Missing => {
            return is(Severity::Ok, "the loop has no mark yet".into())
                .remedy("is the loop deployed? Its first sweep leaves one");
        }
        Look::Denied => {
            return is(Severity::Ok, "the loop has no mark, or it may not be read".into())
                .remedy(format!("is the loop deployed? The policy must allow s3:GetObject on {}", Key::mark()));
        }
    };
    if let Some(stopped) = mark.stopped {
        return is(Severity::Warning, format!("the loop has been stopped since {stopped}: nobody is told of anything"))
            .remedy("an operator starts it: pulse-echo loop start");
    }
    let Some(swept) = mark.swept else {
        return is(Severity::Ok, "the loop has not swept yet".into()).remedy("look again in a minute");
    };
    if swept.is_ahead(now) {
        let by = words::duration(now.age(swept));
        let text =
            format!("the loop's last sweep is of {swept}, {by} ahead of the store's clock: it has not swept since");
        return is(Severity::Warning, text).remedy("look at the clock of the store, and at the loop's log");
    }
    let age = swept.age(now);
    if age > mark.stale_after() {
        return is(Severity::Warning, format!("the loop last swept {} ago", words::duration(age)))
            .remedy("look at the loop's log, its schedule and its queue");
    }
    if let Some(owed_s) = mark.owed_s.filter(|owed_s| *owed_s >= OWED_LIMIT_S) {
        let waited = words::duration(Duration::from_secs(owed_s));
        return is(Severity::Warning, format!("messages have waited for {waited}: a channel does not take them"))
            .remedy("look at the loop's log; an operator sees which channel: pulse-echo status");
    }
    is(Severity::Ok, String::new())
}

/// Judges this machine's clock: how many seconds it is ahead of the store's.
pub fn judge_clock(skew_s: f64) -> Outcome {
    let figure = Figure { of: Measure::Skew, seconds: skew_s, digits: 1, warning: Some(SKEW_LIMIT_S), critical: None };
    let outcome = if skew_s.abs() > SKEW_LIMIT_S {
        Outcome::new(Subject::Clock, Severity::Warning, words::skew(skew_s)).remedy("set it, and keep it set (NTP)")
    } else {
        Outcome::new(Subject::Clock, Severity::Ok, "")
    };
    Outcome { figures: vec![figure], ..outcome }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The time `seconds` before the look, which is 1,000,000 s after 1970.
    fn ago(seconds: i64) -> Time {
        Time::of(jiff::Timestamp::from_second(NOW - seconds).unwrap())
    }

    const NOW: i64 = 1_000_000;

    #[test]
    fn the_loop_is_stopped_or_stale_by_its_mark_and_none_decides_nothing() {
        use Severity::{Ok, Warning};
        let mark = |swept: Option<i64>, tick_s: Option<u32>, stopped: Option<i64>| {
            let mark = Mark { swept: swept.map(ago), tick_s, stopped: stopped.map(ago), ..Mark::default() };
            Look::There((mark, ago(0)))
        };
        for (mark, severity, text) in [
            (mark(Some(300), Some(60), None), Ok, ""),
            (mark(Some(301), Some(60), None), Warning, "the loop last swept 5 min ago"),
            (mark(Some(301), None, None), Warning, "the loop last swept 5 min ago"),
            // Three ticks, if they are longer.
            (mark(Some(301), Some(101), None), Ok, ""),
            (mark(Some(303), Some(101), None), Ok, ""),
            (mark(Some(304), Some(101), None), Warning, "the loop last swept 5 min ago"),
            (mark(Some(5), Some(60), Some(NOW)), Warning, "the loop has been stopped since 1970-01-01T00:00:00Z"),
            (mark(None, None, None), Ok, "the loop has not swept yet"),
            (Look::Missing, Ok, "the loop has no mark yet"),
            (Look::Denied, Ok, "the loop has no mark, or it may not be read"),
        ] {
            let outcome = judge_loop(mark);
            assert_eq!(outcome.severity, severity, "{outcome:?}");
            assert!(outcome.text.starts_with(text) && outcome.text.is_empty() == text.is_empty(), "{outcome:?}");
        }
    }

    #[test]
    fn a_sweep_of_a_time_to_come_is_no_sign_of_life() {
        let judged = |swept_ago| {
            let mark = Mark { swept: Some(ago(swept_ago)), ..Mark::default() };
            judge_loop(Look::There((mark, ago(0))))
        };
        assert_eq!(judged(-60).severity, Severity::Ok);
        let ahead = judged(-7_200);
        assert_eq!(ahead.severity, Severity::Warning);
        assert!(ahead.text.contains("1970-01-12T15:46:40Z, 2 h ahead of the store's clock"), "{}", ahead.text);
    }

    #[test]
    fn messages_that_wait_for_a_quarter_of_an_hour_are_a_warning_unless_the_loop_has_worse() {
        let judged = |mark| judge_loop(Look::There((mark, ago(0))));
        let owes = |owed_s| Mark { swept: Some(ago(5)), owed_s, ..Mark::default() };
        for well in [None, Some(899)] {
            assert_eq!(judged(owes(well)).severity, Severity::Ok);
        }
        let late = judged(owes(Some(1_500)));
        assert_eq!(late.severity, Severity::Warning);
        assert_eq!(late.text, "messages have waited for 25 min: a channel does not take them");
        let stale = judged(Mark { swept: Some(ago(900)), ..owes(Some(1_500)) });
        assert_eq!(stale.text, "the loop last swept 15 min ago");
    }

    #[test]
    fn a_clock_may_be_60_seconds_off_to_either_side() {
        for (skew_s, text) in [
            (60.0, ""),
            (-60.0, ""),
            (60.5, "this machine's clock is 60 s ahead of the store's"),
            (-75.2, "this machine's clock is 75 s behind the store's"),
            (31_536_000.0, "this machine's clock is 365 d ahead of the store's"),
        ] {
            let outcome = judge_clock(skew_s);
            assert_eq!(outcome.text, text);
            assert_eq!(outcome.severity == Severity::Ok, text.is_empty());
        }
    }
}

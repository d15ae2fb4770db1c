//! What is told once a day: a warning that changes nothing. cron mails each line of each run, and the agent keeps no
//! state, so the time itself decides.

use std::time::Duration;

use jiff::Timestamp;

/// Whether the run at `now` is the one of its day, if there is a run every `every`: it falls within that time after
/// midnight UTC.
pub fn is_due(now: Timestamp, every: Duration) -> bool {
    let since_midnight = now.as_second().rem_euclid(86_400);
    u64::try_from(since_midnight).is_ok_and(|second| second < every.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of a day's runs warn, the first being at this second after a midnight.
    fn warnings(first: i64, every_s: i64) -> usize {
        let every = Duration::from_secs(every_s.unsigned_abs());
        let runs = (0..).map(|n| first + n * every_s).take_while(|&second| second < 86_400);
        let midnight = 1_795_219_200;
        runs.filter(|second| is_due(Timestamp::from_second(midnight + second).unwrap(), every)).count()
    }

    #[test]
    fn one_run_of_a_day_is_due_whenever_in_its_interval_it_comes() {
        for first in [0, 1, 92, 599] {
            assert_eq!(warnings(first, 600), 1, "{first}");
        }
        assert_eq!((warnings(59, 60), warnings(3_599, 3_600)), (1, 1));
    }

    #[test]
    fn a_run_a_day_or_less_is_always_due() {
        for every_s in [86_400, 7 * 86_400] {
            assert_eq!(warnings(86_399, every_s), 1, "{every_s}");
        }
    }
}

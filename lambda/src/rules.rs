//! The loop's settings: what the operator may set of its rules.

use pulse_echo_core::environment::Environment;
use pulse_echo_core::mark::stale_after;
use std::time::Duration;

/// The loop's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// `TICK_S`, 5 to 900: how often the loop means to sweep, in seconds.
    pub tick_s: u32,
    /// `MIN_INTERVAL_S`, 0 to 900: nothing is swept within so many seconds of the last sweep; see
    /// [`Rules::min_interval`].
    pub min_interval_s: u32,
    /// `REMIND_S`, 60 to 2,678,400: after how many seconds an outage is told again; each time twice as many, up to a
    /// day.
    pub remind_s: u32,
    /// `FAULTS_IN_ROW`, 1 to 100: how many distinct pulses in a row must fail before that is an outage.
    pub faults_in_row: u32,
    /// `CHECKS_PER_HOST`, 1 to 10,000: how many records a host may have. Of its names twice as many are read.
    pub checks_per_host: usize,
    /// `TELL_NEW`, `on` or `off`: whether a new check is told.
    pub tell_new: bool,
    /// `STATUS_PAGE`, `on` or `off`: whether the page, `status.html`, is written.
    pub status_page: bool,
    /// How many bytes `history.json` may have: a tenth of `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, which Lambda sets in
    /// mebibytes; without it 64 MB.
    pub history_size: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            tick_s: 60,
            min_interval_s: 30,
            remind_s: 4 * 3600,
            faults_in_row: 1,
            checks_per_host: 500,
            tell_new: false,
            status_page: false,
            history_size: 64_000_000,
        }
    }
}

impl Rules {
    /// Reads the rules by `lookup`, which gives a variable's value; an empty one is none. The error names the variable
    /// and its range.
    pub fn read(environment: Environment) -> Result<Self, String> {
        let number = |name: &str, default: u32, min: u32, max: u32| match environment.get(name) {
            None => Ok(default),
            Some(text) => match text.parse() {
                Ok(number) if (min..=max).contains(&number) => Ok(number),
                _ => Err(format!("{name} is {text:?}: it must be a whole number from {min} to {max}")),
            },
        };
        let switch = |name: &str| match environment.get(name).as_deref() {
            None | Some("off") => Ok(false),
            Some("on") => Ok(true),
            Some(other) => Err(format!("{name} is {other:?}: it must be on or off")),
        };
        let default = Self::default();
        let memory = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").and_then(|mib| mib.parse::<usize>().ok());
        Ok(Self {
            tell_new: switch("TELL_NEW")?,
            status_page: switch("STATUS_PAGE")?,
            history_size: memory.map_or(default.history_size, |mib| mib.saturating_mul(1024 * 1024 / 10)),
            tick_s: number("TICK_S", default.tick_s, 5, 900)?,
            min_interval_s: number("MIN_INTERVAL_S", default.min_interval_s, 0, 900)?,
            remind_s: number("REMIND_S", default.remind_s, 60, 31 * 24 * 3600)?,
            faults_in_row: number("FAULTS_IN_ROW", default.faults_in_row, 1, 100)?,
            checks_per_host: number("CHECKS_PER_HOST", 500, 1, 10_000)? as usize,
        })
    }

    /// Nothing is swept within this time of the last sweep: never more than half of `TICK_S`, so that no tick is lost.
    pub fn min_interval(&self) -> Duration {
        Duration::from_secs(self.min_interval_s.min(self.tick_s / 2).into())
    }

    /// Without a completed sweep for longer than this, the loop was away.
    pub fn away_after(&self) -> Duration {
        stale_after(self.tick_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, value: &'static str) -> Result<Rules, String> {
        Rules::read(Environment::new(&|asked| (asked == name).then(|| value.into())))
    }

    #[test]
    fn what_is_not_set_or_empty_is_the_default() {
        assert_eq!(read("", ""), Ok(Rules::default()));
        assert_eq!(read("TICK_S", ""), Ok(Rules::default()));
    }

    #[test]
    fn both_ends_of_each_range_are_inside_and_the_next_number_is_outside() {
        for (name, inside, outside) in [
            ("TICK_S", ["5", "900"], ["4", "901"]),
            ("MIN_INTERVAL_S", ["0", "900"], ["-1", "901"]),
            ("REMIND_S", ["60", "2678400"], ["59", "2678401"]),
            ("FAULTS_IN_ROW", ["1", "100"], ["0", "101"]),
            ("CHECKS_PER_HOST", ["1", "10000"], ["0", "10001"]),
        ] {
            for value in inside {
                assert!(read(name, value).is_ok(), "{name} = {value}");
            }
            for value in outside.into_iter().chain(["soon", "1.5"]) {
                let error = read(name, value).unwrap_err();
                assert!(error.starts_with(&format!("{name} is {value:?}: ")), "{error}");
            }
        }
    }

    #[test]
    fn a_new_check_is_told_and_the_page_written_if_that_is_on_and_any_other_word_is_refused() {
        assert!(read("STATUS_PAGE", "on").unwrap().status_page && !read("STATUS_PAGE", "").unwrap().status_page);
        assert_eq!(read("STATUS_PAGE", "1").unwrap_err(), "STATUS_PAGE is \"1\": it must be on or off");
        assert!(read("TELL_NEW", "on").unwrap().tell_new);
        assert!(!read("TELL_NEW", "off").unwrap().tell_new && !read("TELL_NEW", "").unwrap().tell_new);
        assert_eq!(read("TELL_NEW", "yes").unwrap_err(), "TELL_NEW is \"yes\": it must be on or off");
    }

    #[test]
    fn the_history_may_have_a_tenth_of_the_functions_memory() {
        assert_eq!(read("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256").unwrap().history_size, 26_843_392);
        assert_eq!(read("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "much").unwrap().history_size, 64_000_000);
    }

    #[test]
    fn the_least_interval_never_swallows_a_tick() {
        assert_eq!(Rules::default().min_interval(), Duration::from_secs(30));
        assert_eq!(read("TICK_S", "5").unwrap().min_interval(), Duration::from_secs(2));
        assert_eq!(read("MIN_INTERVAL_S", "900").unwrap().min_interval(), Duration::from_secs(30));
    }

    #[test]
    fn the_loop_was_away_after_three_ticks_and_five_minutes_at_least() {
        assert_eq!(Rules::default().away_after(), Duration::from_secs(300));
        assert_eq!(read("TICK_S", "600").unwrap().away_after(), Duration::from_secs(1_800));
    }
}

//! The loop, watched: are sweeps completed in time?

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pulse_echo_core::words::duration;
use pulse_echo_lambda::tick::{Course, Loop, Report};
use serde_json::Value;

/// How long no completed sweep may be missed, whatever the tick is.
const USUAL_LIMIT: Duration = Duration::from_secs(5 * 60);

/// The loop, with its health.
pub struct Sweeper {
    the_loop: Loop,
    health: Health,
}

impl Sweeper {
    /// Watches a loop from now on.
    pub fn new(the_loop: Loop) -> Self {
        let health = Health::new(the_loop.tick(), Instant::now());
        Self { the_loop, health }
    }

    /// How often it means to sweep.
    pub fn tick(&self) -> Duration {
        self.the_loop.tick()
    }

    /// Does what an event asks for, until `deadline`, and logs what it came to.
    pub fn handle(&self, event: &Value, deadline: Instant) -> Result<(), String> {
        let report = self.the_loop.handle(event, deadline);
        self.health.record(&report, Instant::now());
        report.log();
        report.answer().map(drop).map_err(|error| error.to_string())
    }

    /// Whether sweeps are completed in time.
    pub fn health(&self) -> &Health {
        &self.health
    }
}

/// Whether sweeps are completed in time.
pub struct Health {
    limit: Duration,
    seen: Mutex<Seen>,
}

/// What was seen of the sweeps.
struct Seen {
    started: Instant,
    /// When the last sweep was completed.
    swept: Option<Instant>,
    is_stopped: bool,
    /// What went wrong with the last sweep that was not completed.
    trouble: Option<String>,
}

impl Health {
    fn new(tick: Duration, started: Instant) -> Self {
        let seen = Seen { started, swept: None, is_stopped: false, trouble: None };
        Self { limit: USUAL_LIMIT.max(3 * tick), seen: Mutex::new(seen) }
    }

    fn record(&self, report: &Report, now: Instant) {
        let mut seen = self.seen();
        match report.course {
            Course::Swept => {
                seen.swept = Some(now);
                seen.is_stopped = false;
                seen.trouble = None;
            }
            Course::Stopped => seen.is_stopped = true,
            Course::Failed => seen.trouble = report.errors.first().map(ToString::to_string),
            // Neither a sweep nor a failed one.
            Course::Nothing | Course::Old | Course::Fresh | Course::TooSoon | Course::Lost => {}
        }
    }

    /// A sentence that says how it is; an error if sweeps are not completed in time.
    pub fn verdict(&self, now: Instant) -> Result<String, String> {
        let seen = self.seen();
        if seen.is_stopped {
            return Err("the loop is stopped: nobody is told of anything until `pulse-echo loop start`".to_owned());
        }
        let age = now.saturating_duration_since(seen.swept.unwrap_or(seen.started));
        let shown = duration(Duration::from_secs(age.as_secs()));
        if age > self.limit {
            let why = seen.trouble.as_ref().map_or_else(String::new, |trouble| format!(": {trouble}"));
            return Err(format!("no sweep was completed for {shown}{why}"));
        }
        Ok(match seen.swept {
            Some(_) => format!("ok: the last sweep was completed {shown} ago"),
            None => format!("ok: started {shown} ago, before the first sweep"),
        })
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use pulse_echo_lambda::error::{Error, Kind};

    use super::*;

    fn report(course: Course) -> Report {
        Report { course, ..Report::default() }
    }

    #[test]
    fn it_is_well_while_sweeps_are_completed_in_time() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let health = Health::new(Duration::from_secs(60), start);
        assert_eq!(health.verdict(at(300)), Ok("ok: started 5 min ago, before the first sweep".to_owned()));
        assert_eq!(health.verdict(at(301)), Err("no sweep was completed for 5 min".to_owned()));
        health.record(&report(Course::Swept), at(360));
        assert_eq!(health.verdict(at(372)), Ok("ok: the last sweep was completed 12 s ago".to_owned()));
        let failed = Report::of(Error::new(Kind::StoreFailed, "the disk is full"));
        health.record(&failed, at(420));
        health.record(&report(Course::TooSoon), at(421));
        assert!(health.verdict(at(660)).is_ok(), "one failed sweep is not the end");
        let late = health.verdict(at(661)).unwrap_err();
        assert_eq!(late, "no sweep was completed for 5 min: the disk is full");
        health.record(&report(Course::Swept), at(700));
        assert!(health.verdict(at(700)).is_ok());
    }

    #[test]
    fn a_slow_tick_has_more_time_and_a_stopped_loop_is_not_well() {
        let start = Instant::now();
        let health = Health::new(Duration::from_secs(900), start);
        assert!(health.verdict(start + Duration::from_secs(2700)).is_ok());
        assert!(health.verdict(start + Duration::from_secs(2701)).is_err());
        health.record(&report(Course::Stopped), start);
        assert!(health.verdict(start).unwrap_err().starts_with("the loop is stopped"));
        health.record(&report(Course::Swept), start);
        assert!(health.verdict(start).is_ok());
    }
}

//! A job's outcome: how the command ended that the agent ran. It is metadata of the job's pulse.

use crate::metadata::{Metadata, decoded, encoded, number, present};

/// How many bytes of a job's output its pulse tells.
pub const TAIL_LIMIT: usize = 200;

/// The highest number of a signal.
const SIGNAL_LIMIT: u8 = 64;

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// `job-exit`: by itself, with this code.
    Exit(u8),
    /// `job-signal`: by this signal.
    Signal(u8),
}

/// A job's outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// How it ended.
    pub end: End,
    /// `job-timeout-s`: the time limit, in seconds, that it has not kept; `None` if it ended by itself.
    pub timeout_s: Option<u32>,
    /// `job-ms`: how long it ran, in milliseconds; `None` if it did not start.
    pub ms: Option<u64>,
    /// `job-tail`: the end of its output, at most 200 bytes, without secrets.
    pub tail: Option<String>,
}

impl Job {
    /// Whether it did what it was to do.
    pub fn is_good(&self) -> bool {
        self.end == End::Exit(0) && self.timeout_s.is_none()
    }

    /// The metadata to put.
    pub fn to_metadata(&self) -> Metadata {
        let (exit, signal) = match self.end {
            End::Exit(code) => (Some(code), None),
            End::Signal(number) => (None, Some(number)),
        };
        let tail = self.tail.as_deref().map(|tail| encoded(last(tail), usize::MAX));
        present([
            ("job-exit", exit.map(|code| code.to_string())),
            ("job-signal", signal.map(|number| number.to_string())),
            ("job-timeout-s", self.timeout_s.map(|s| s.to_string())),
            ("job-ms", self.ms.map(|ms| ms.to_string())),
            ("job-tail", tail.filter(|tail| !tail.is_empty())),
        ])
    }

    /// Reads metadata that anybody may have put: a value of the wrong form counts as missing. `None` if they tell of no
    /// job's end.
    pub fn from_metadata(metadata: &Metadata) -> Option<Self> {
        let exit = number(metadata, "job-exit").map(End::Exit);
        let signal = || number(metadata, "job-signal").filter(|n| (1..=SIGNAL_LIMIT).contains(n)).map(End::Signal);
        let tail = metadata.get("job-tail").map(|text| decoded(text));
        Some(Self {
            end: exit.or_else(signal)?,
            timeout_s: number(metadata, "job-timeout-s"),
            ms: number(metadata, "job-ms"),
            tail: tail.map(|tail| last(&tail).to_string()).filter(|tail| !tail.is_empty()),
        })
    }
}

/// The last bytes that are told, on a character boundary.
fn last(tail: &str) -> &str {
    &tail[tail.ceil_char_boundary(tail.len().saturating_sub(TAIL_LIMIT))..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(end: End, tail: Option<&str>) -> Job {
        Job { end, timeout_s: None, ms: Some(12_345), tail: tail.map(String::from) }
    }

    #[test]
    fn an_outcome_comes_back_from_its_metadata() {
        let hung = Job { timeout_s: Some(7_200), ..job(End::Signal(15), Some("é: 50 % of \"x\"\nthe end")) };
        let metadata = hung.to_metadata();
        assert_eq!(metadata["job-tail"], "%C3%A9%3A%2050%20%25%20of%20%22x%22%0Athe%20end");
        assert_eq!((metadata["job-signal"].as_str(), metadata.get("job-exit")), ("15", None));
        for job in [hung, job(End::Exit(0), None), Job { ms: None, ..job(End::Exit(127), Some("gone")) }] {
            assert_eq!(Job::from_metadata(&job.to_metadata()), Some(job));
        }
        assert_eq!(job(End::Exit(1), Some("")).to_metadata().get("job-tail"), None);
    }

    #[test]
    fn only_a_job_that_ended_in_time_with_0_is_good() {
        assert!(job(End::Exit(0), None).is_good());
        for end in [End::Exit(1), End::Exit(255), End::Signal(15)] {
            assert!(!job(end, None).is_good(), "{end:?}");
        }
        assert!(!Job { timeout_s: Some(1), ..job(End::Exit(0), None) }.is_good(), "it was told to end, and did");
    }

    #[test]
    fn the_longest_tail_is_cut_at_its_beginning_and_leaves_room_for_the_rest() {
        let metadata = job(End::Exit(1), Some(&format!("x{}", "é".repeat(150)))).to_metadata();
        assert_eq!(metadata["job-tail"], "%C3%A9".repeat(100));
        let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(bytes < 700, "{bytes}");
        let whole = format!("{}é", "x".repeat(300));
        assert_eq!(
            Job::from_metadata(&job(End::Exit(1), Some(&whole)).to_metadata()).unwrap().tail.unwrap().len(),
            200
        );
    }

    #[test]
    fn foreign_metadata_are_not_believed() {
        for (name, value) in [("job-exit", "256"), ("job-exit", "-1"), ("job-signal", "0"), ("job-signal", "65")] {
            assert_eq!(Job::from_metadata(&[(name.to_string(), value.to_string())].into()), None, "{name}: {value}");
        }
        let foreign = [("job-exit", "1"), ("job-ms", "soon"), ("job-timeout-s", ""), ("job-tail", "%ff%zz")];
        let foreign = foreign.map(|(name, value)| (name.to_string(), value.to_string())).into();
        let read = Job::from_metadata(&foreign).unwrap();
        assert_eq!((read.ms, read.timeout_s, read.tail.as_deref()), (None, None, Some("\u{fffd}%zz")));
        let long = [("job-exit", "1".to_string()), ("job-tail", format!("{}end", "x".repeat(300)))];
        let long = Job::from_metadata(&long.map(|(name, value)| (name.to_string(), value)).into()).unwrap();
        assert_eq!(long.tail.unwrap(), format!("{}end", "x".repeat(197)));
    }
}

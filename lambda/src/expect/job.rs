//! Judges a job by the outcome that the agent tells.

use std::time::Duration;

use pulse_echo_core::answer::Cause;
use pulse_echo_core::job::{End, Job};
use pulse_echo_core::text::line;
use pulse_echo_core::words::duration;

use super::{FIELD_ROOM, Miss, REASON_ROOM};

/// The signals that end jobs, as `kill -l` calls them.
const SIGNALS: [(u8, &str); 14] = [
    (1, "HUP"),
    (2, "INT"),
    (3, "QUIT"),
    (4, "ILL"),
    (6, "ABRT"),
    (7, "BUS"),
    (8, "FPE"),
    (9, "KILL"),
    (11, "SEGV"),
    (13, "PIPE"),
    (14, "ALRM"),
    (15, "TERM"),
    (24, "XCPU"),
    (25, "XFSZ"),
];

/// Says what is wrong with a job that failed: how it ended, after what time, and its last words.
pub(crate) fn compare(job: &Job) -> Result<(), Miss> {
    if job.is_good() {
        return Ok(());
    }
    let ended = match job.end {
        End::Exit(code) => format!("exit code {code}"),
        End::Signal(number) => signal(number),
    };
    let after = job.ms.map_or_else(String::new, |ms| format!(" after {}", short(ms)));
    let what = match (job.timeout_s, job.end) {
        (Some(limit), _) => {
            let limit = duration(Duration::from_secs(limit.into()));
            format!("the job did not end within {limit} (--timeout) and was stopped{after}: {ended}")
        }
        (None, End::Exit(126 | 127)) if job.ms.is_none() => format!("the job could not be started: {ended}"),
        (None, End::Exit(_)) => format!("the job failed with {ended}{after}"),
        (None, End::Signal(_)) => format!("the job was ended by {ended}{after}"),
    };
    let said = job.tail.as_deref().map(|tail| tail.lines().collect::<Vec<_>>().join(" / "));
    let reason = match &said {
        Some(said) => {
            let begins = format!("{what}; its last words: ");
            let room = REASON_ROOM.saturating_sub(begins.len());
            begins + &end_of(&line(said, usize::MAX), room)
        }
        None => what,
    };
    let got = said.map_or_else(|| ended.clone(), |said| format!("{ended}: {said}"));
    let (expected, got) = (Some("exit code 0".into()), Some(line(&got, FIELD_ROOM)));
    Err(Miss { cause: Cause::Job, reason, expected, got })
}

fn signal(number: u8) -> String {
    match SIGNALS.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => format!("signal {number} ({name})"),
        None => format!("signal {number}"),
    }
}

/// A job may take less than a second.
fn short(ms: u64) -> String {
    if ms < 1_000 { format!("{ms} ms") } else { duration(Duration::from_millis(ms)) }
}

/// The end of a text: there a program says why it gives up.
fn end_of(text: &str, room: usize) -> String {
    if text.len() <= room {
        return text.into();
    }
    let from = text.ceil_char_boundary(text.len() - room.saturating_sub('…'.len_utf8()));
    format!("…{}", &text[from..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn miss(end: End, timeout_s: Option<u32>, ms: Option<u64>, tail: &str) -> Miss {
        let tail = Some(tail.to_string()).filter(|tail| !tail.is_empty());
        compare(&Job { end, timeout_s, ms, tail }).unwrap_err()
    }

    #[test]
    fn a_reason_says_how_the_job_ended_after_what_time_and_its_last_words() {
        for (end, timeout_s, ms, tail, reason) in [
            (
                End::Exit(3),
                None,
                Some(12_345),
                "dump: disk full\ngiving up",
                "the job failed with exit code 3 after 12 s; its last words: dump: disk full / giving up",
            ),
            (End::Exit(1), None, Some(40), "", "the job failed with exit code 1 after 40 ms"),
            (End::Signal(9), None, Some(15_000_000), "", "the job was ended by signal 9 (KILL) after 4 h 10 min"),
            (End::Signal(40), None, Some(1_000), "", "the job was ended by signal 40 after 1 s"),
            (
                End::Signal(15),
                Some(7_200),
                Some(7_200_100),
                "waiting for the lock",
                "the job did not end within 2 h (--timeout) and was stopped after 2 h: signal 15 (TERM); its last \
                 words: waiting for the lock",
            ),
            (
                End::Exit(0),
                Some(60),
                Some(61_000),
                "",
                "the job did not end within 60 s (--timeout) and was stopped after 61 s: exit code 0",
            ),
            (
                End::Exit(127),
                None,
                None,
                "/opt/gone: no such file or directory",
                "the job could not be started: exit code 127; its last words: /opt/gone: no such file or directory",
            ),
        ] {
            assert_eq!(miss(end, timeout_s, ms, tail).reason, reason);
        }
        assert_eq!(compare(&Job { end: End::Exit(0), timeout_s: None, ms: Some(1), tail: Some("x".into()) }), Ok(()));
    }

    #[test]
    fn what_a_job_said_last_stays_and_cannot_act() {
        let long = miss(End::Exit(1), None, Some(1_000), &format!("{}the very end", "é".repeat(90)));
        assert!(long.reason.len() <= REASON_ROOM && long.reason.ends_with("the very end"), "{long:?}");
        let wide = miss(End::Exit(1), None, Some(1_000), &format!("{}end", "\u{1b}".repeat(190)));
        assert!(wide.reason.len() <= REASON_ROOM && wide.reason.ends_with("end"), "{wide:?}");
        assert!(wide.reason.contains("words: …") && !wide.reason.contains('\u{1b}'), "{wide:?}");
        assert!(!wide.got.unwrap().contains('\u{1b}'));
    }

    #[test]
    fn another_miss_is_named_behind_the_jobs() {
        let other =
            Miss { cause: Cause::InvalidPulse, reason: "the pulse is invalid".into(), expected: None, got: None };
        let both = miss(End::Exit(3), None, Some(12_000), "").and(Some(other.clone()));
        assert_eq!(both.cause, Cause::Job);
        assert_eq!(both.reason, "the job failed with exit code 3 after 12 s; also: the pulse is invalid");
        let long = Miss { reason: "x".repeat(300), ..other };
        let cut = miss(End::Exit(3), None, Some(12_000), &"y".repeat(200)).and(Some(long)).reason;
        assert!(cut.len() <= REASON_ROOM && cut.contains("the job failed") && cut.contains("; also: x"), "{cut}");
    }
}

//! Whether what runs keeps the promise of the pulses.

use std::path::Path;
use std::time::Duration;

use super::times::{Times, longest_gap};
use super::{Job, Task};
use crate::duration;
use crate::pulses::PulseFile;
use pulse_echo_core::words;

/// Where the promise of a pulse and the times of the jobs do not fit: each with its remedy.
pub fn misfits(jobs: &[Job], files: &[PulseFile]) -> Vec<String> {
    let mut found: Vec<String> = files.iter().filter_map(|file| of_pulse(jobs, file)).collect();
    found.extend(jobs.iter().filter_map(of_splay));
    found
}

/// A pulse must be sent at least as often as it promises.
fn of_pulse(jobs: &[Job], file: &PulseFile) -> Option<String> {
    let sends = |job: &&Job| match &job.task {
        Task::Send(send) => !file.is_job && send.pulse.as_ref().is_none_or(|sent| Path::new(sent) == file.path),
        Task::Exec(exec) => file.is_job && file.id.shown().ends_with(&format!("/{}", exec.name)),
    };
    let of_file: Vec<_> = jobs.iter().filter(sends).collect();
    let (path, promised) = (file.path.display(), u64::from(file.pulse.every_s));
    let Some(by) = of_file.first().map(|job| &job.by) else {
        if file.is_job {
            let name = file.path.file_stem().unwrap_or_default().display();
            let remedy = "write a line with the job behind it, or take the file away";
            return Some(format!("nothing runs pulse-echo exec --name {name}, which {path} is for: {remedy}"));
        }
        // That nothing sends at all is told already.
        let sends_others = jobs.iter().any(|job| job.task.send().is_some());
        return sends_others
            .then(|| format!("no line sends {path}: leave --pulse out of the line, or write a line for this file"));
    };
    if of_file.iter().any(|job| matches!(job.times, Times::Unknown(_))) {
        return None;
    }
    let promise = if file.is_job && !file.path.exists() {
        let of_options = "without --every it promises one a day";
        let given = of_file.iter().find_map(|job| job.task.exec()?.every);
        given.map_or_else(|| of_options.into(), |_| format!("its --every promises one every {promised} s"))
    } else {
        format!("the pulse {path} promises one every {promised} s (every_s)")
    };
    match longest_gap(of_file.iter().map(|job| &job.times)).map(|gap| gap.as_secs()) {
        None => Some(format!("{by} sends only when the machine starts, or never, but {promise}: give the line times")),
        Some(gap) if gap > promised => {
            let gap_in_words = words::duration(Duration::from_secs(gap));
            let remedy = if file.is_job && !file.path.exists() {
                format!("give it --every {}", duration::show(u32::try_from(gap).unwrap_or(u32::MAX)))
            } else {
                remedy(gap, promised)
            };
            Some(format!("{by} lets {gap_in_words} pass between two pulses, but {promise}: {remedy}"))
        }
        Some(_) => None,
    }
}

/// What to write into the pulse, or into the line.
fn remedy(gap: u64, promised: u64) -> String {
    let minutes = promised / 60;
    let oftener = match minutes {
        0 => "send by a loop or a timer of systemd, since cron starts nothing more often than each minute".into(),
        1 => "let the line begin with * * * * *".into(),
        2..60 => format!("let the line begin with */{} * * * *", largest_divisor(minutes)),
        _ => "let the line run more often".into(),
    };
    // The longest that a pulse may promise.
    if gap <= 32 * 86_400 { format!("set \"every_s\" to {gap}, or {oftener}") } else { oftener }
}

/// The largest divisor of an hour that is not over `minutes`: `*/7` would leave four minutes at the end of the hour.
fn largest_divisor(minutes: u64) -> u64 {
    (1..=minutes).rev().find(|step| 60 % step == 0).unwrap_or(1)
}

/// A wait that is longer than the time between two runs lets the runs overlap.
fn of_splay(job: &Job) -> Option<String> {
    let gap = longest_gap(std::iter::once(&job.times))?.as_secs();
    let splay = u64::from(job.task.send()?.splay);
    (splay >= gap).then(|| {
        let by = &job.by;
        format!(
            "{by} runs each {gap} s, and --splay {splay} may wait for longer than that: give at most --splay {}",
            gap / 2
        )
    })
}

#[cfg(test)]
mod tests {
    use super::remedy;

    #[test]
    fn the_remedy_is_a_number_for_the_pulse_or_a_line_that_cron_can_keep() {
        for (gap, promised, what) in [
            (600, 60, "set \"every_s\" to 600, or let the line begin with * * * * *"),
            (600, 420, "set \"every_s\" to 600, or let the line begin with */6 * * * *"),
            (86_400, 7200, "set \"every_s\" to 86400, or let the line run more often"),
            (33 * 86_400, 86_400, "let the line run more often"),
            (600, 30, "set \"every_s\" to 600, or send by a loop or a timer of systemd, since cron starts nothing"),
        ] {
            assert!(remedy(gap, promised).starts_with(what), "{gap} {promised}: {}", remedy(gap, promised));
        }
    }
}

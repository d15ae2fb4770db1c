//! `loop`: controls the loop. Each command puts the object for it; `show` reads the mark.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::args::{Arguments, Loop, LoopCommand};
use super::exit::Exit;
use super::fleet::{Fleet, channels_in_trouble, told_over};
use super::look::{self, Look};
use super::operator::with_store;
use super::output::{print, print_json};
use super::terminal::Terminal;
use super::verdict;
use pulse_echo_core::clock::Time;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::pulse::SIZE_LIMIT;
use pulse_echo_core::store::{Condition, Store};
use pulse_echo_core::words;

/// Runs `loop`.
pub fn command(arguments: &Arguments, options: &Loop, environment: Environment) -> Exit {
    let said = |text: Result<String, String>| {
        let text = text?;
        if !arguments.quiet {
            print(&text);
        }
        Ok(())
    };
    with_store(arguments, environment, |store| match &options.command {
        LoopCommand::Start(_) => said(start(store)),
        LoopCommand::Stop(_) => said(stop(store)),
        LoopCommand::Tick(_) => said(tick(store)),
        LoopCommand::Test(_) => said(test(store)),
        LoopCommand::Show(options) => show(store, options.json, &Terminal::of_stdout(environment)),
    })
}

/// When the loop notices an object that was put.
const SOON: &str = "within seconds, or with its next schedule, a minute later";

fn start(store: &Store) -> Result<String, String> {
    let before = mark(store)?;
    put(store, &Key::loop_start())?;
    if !is_newest_word(store)? {
        // If a start and a stop fall into one second, the stop wins.
        thread::sleep(Duration::from_secs(1));
        put(store, &Key::loop_start())?;
    }
    Ok(match before {
        Look::There((Mark { stopped: Some(since), .. }, _)) => {
            format!("started: the loop, stopped since {since}, sweeps again {SOON}, and tells so on every channel")
        }
        Look::There(_) => format!("started: by its mark the loop was not stopped; it sweeps {SOON}"),
        Look::Missing | Look::Denied => {
            format!("started: the loop sweeps {SOON}, if it is deployed: it has no mark yet")
        }
    })
}

/// Whether the start is newer than any stop.
fn is_newest_word(store: &Store) -> Result<bool, String> {
    let at = |key: &Key| match look::look(store, key, SIZE_LIMIT) {
        Ok(object) => Ok(object.there().map(|object| object.last_modified)),
        Err(error) => Err(error.to_string()),
    };
    let start = at(&Key::loop_start())?;
    Ok(at(&Key::loop_stop())? < start && at(&Key::loop_lock())? < start)
}

fn stop(store: &Store) -> Result<String, String> {
    let before = mark(store)?;
    put(store, &Key::loop_stop())?;
    Ok(match before {
        Look::There((Mark { stopped: Some(since), .. }, _)) => {
            format!("stopped: the loop was stopped already, since {since}; pulse-echo loop start ends that")
        }
        _ => format!(
            "stopped: {SOON} the loop tells so on every channel, and then nothing is watched until pulse-echo loop \
             start"
        ),
    })
}

fn tick(store: &Store) -> Result<String, String> {
    let before = mark(store)?;
    put(store, &Key::loop_update())?;
    Ok(match before {
        Look::There((Mark { stopped: Some(since), .. }, _)) => format!(
            "asked for a sweep, but there will be none: the loop has been stopped since {since}; pulse-echo loop start \
             ends that"
        ),
        _ => format!(
            "asked for a sweep: it comes {SOON}, unless the last one is under half a minute old; see pulse-echo loop \
             show"
        ),
    })
}

fn test(store: &Store) -> Result<String, String> {
    let channels = mark(store)?.there().and_then(|(mark, _)| mark.channels);
    let over = match channels {
        Some(channels) if channels.is_empty() => {
            return Err(
                "the loop has no channel, so it tells nobody anything; set one, such as the loop's SLACK_URL; \
                        docs/alerts.md has all"
                    .into(),
            );
        }
        Some(channels) => channels.into_iter().collect::<Vec<_>>().join(", "),
        None => "every channel that it has".into(),
    };
    put(store, &Key::loop_test())?;
    Ok(format!("asked for a test message: it comes over {over} within a minute, whether the loop is stopped or not"))
}

fn put(store: &Store, key: &Key) -> Result<(), String> {
    let put = store.put(key, "text/plain", b"", &Metadata::new(), &Condition::Always);
    put.map(drop).map_err(|error| error.to_string())
}

fn mark(store: &Store) -> Result<Look<(Mark, Time)>, String> {
    look::mark(store).map_err(|error| error.to_string())
}

fn show(store: &Store, as_json: bool, terminal: &Terminal) -> Result<(), String> {
    let mark = mark(store)?;
    let outcome = verdict::judge_loop(mark.clone());
    let Look::There((mark, now)) = mark else { return Err(outcome.sentence()) };
    let is_stale = mark.swept.is_some_and(|swept| swept.age(now) > mark.stale_after() || swept.is_ahead(now));
    if as_json {
        let state = match (mark.stopped, is_stale) {
            (Some(_), _) => "stopped",
            (None, true) => "stale",
            (None, false) => "running",
        };
        let age_s = mark.swept.map(|swept| swept.age(now).as_secs());
        let driver = if mark.ticked.is_some() { "queue" } else { "schedule" };
        let step_age_s = mark.ticked.map(|ticked| ticked.age(now).as_secs());
        print_json(&json!({
            "state": state, "now": now, "swept_age_s": age_s, "driver": driver, "step_age_s": step_age_s, "mark": mark,
        }));
        return Ok(());
    }
    if outcome.text.is_empty() {
        print("the loop runs");
    } else {
        print(&terminal.wrapped("", &outcome.sentence(), 2));
    }
    // A channel's trouble stands in another object, which a host may not read.
    let channels = Fleet::read(store).map_or_else(|_| Vec::new(), |fleet| channels_in_trouble(&fleet));
    for line in lines(&mark, now).iter().chain(&channels) {
        print(&terminal.wrapped("", line, 2));
    }
    Ok(())
}

/// The mark in words.
fn lines(mark: &Mark, now: Time) -> Vec<String> {
    let swept = mark.swept.map(|swept| {
        let took = mark.took_ms.map_or_else(String::new, |ms| format!(", which took {ms} ms"));
        if swept.is_ahead(now) {
            return format!("last sweep: at {swept}, {} to come{took}", words::duration(now.age(swept)));
        }
        format!("last sweep: {} ago, at {swept}{took}", words::duration(swept.age(now)))
    });
    // Only a chain of ticks has steps; the number of the next tick and the newest start are noted in any case.
    let driver = match (mark.ticked, mark.tick) {
        (Some(ticked), Some(tick)) => {
            let ago = words::duration(ticked.age(now));
            format!("driven by its queue: tick {tick} is the next, and the last step was {ago} ago")
        }
        _ => "driven by its schedule".to_string(),
    };
    let every = mark.tick_s.map(|tick_s| format!("sweeps every {tick_s} s, {driver}"));
    let started = mark.started.filter(|_| mark.ticked.is_some());
    let started = started.map(|started| format!("this chain of ticks began at {started}"));
    [swept, every, started, told_over(mark)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_shown_in_words_as_far_as_it_says_something() {
        let (start, now) = (Time::from_second(1_795_248_000), Time::from_second(1_795_249_232));
        let mark = Mark {
            tick: Some(7),
            tick_s: Some(60),
            ticked: Some(Time::from_second(1_795_249_201)),
            started: Some(start),
            swept: Some(Time::from_second(1_795_249_200)),
            took_ms: Some(420),
            ..Mark::default()
        };
        assert_eq!(
            lines(&mark, now),
            [
                "last sweep: 32 s ago, at 2026-11-21T08:20:00Z, which took 420 ms",
                "sweeps every 60 s, driven by its queue: tick 7 is the next, and the last step was 31 s ago",
                "this chain of ticks began at 2026-11-21T08:00:00Z",
            ]
        );
        let by_schedule = Mark { ticked: None, ..mark };
        let every = ["sweeps every 60 s, driven by its schedule"];
        assert_eq!(lines(&by_schedule, now)[1..], every, "though a tick and a start are noted");
        assert_eq!(lines(&Mark::default(), now), [] as [&str; 0]);
    }
}

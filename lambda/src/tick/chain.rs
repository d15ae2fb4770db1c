//! The chain of ticks: what a message of the queue says, which number comes next, and when it is due.

use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;
use serde_json::{Value, json};

/// The newest version of a tick that is known here.
const VERSION: u64 = 1;

/// How long after its note in the mark a purge may begin.
pub const PURGE_BEGINS: Duration = Duration::from_secs(5);

/// How long the call that purges may take.
pub const PURGE_TAKES: Duration = Duration::from_secs(5);

/// How long after its note a purge may eat what is sent: it begins, the call is made, and then it eats for 60 s, by
/// SQS's documentation.
pub const PURGE: Duration = PURGE_BEGINS.saturating_add(PURGE_TAKES).saturating_add(Duration::from_secs(60));

/// What a message of the queue says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The tick of this number.
    Tick(u64),
    /// It says that it is a tick but cannot be read, and why. It must fail, so that it ends in the dead-letter queue.
    Torn(String),
    /// Anything else: it asks for a sweep.
    Nudge,
}

impl Message {
    /// Reads the body of a message.
    pub fn read(body: &str) -> Self {
        let Ok(Value::Object(fields)) = serde_json::from_str(body) else { return Self::Nudge };
        let Some(tick) = fields.get("tick") else { return Self::Nudge };
        match (tick.as_u64(), fields.get("version").map(Value::as_u64)) {
            (None, _) => Self::Torn(format!("its tick is {tick}, which is not a number of a tick")),
            (_, Some(None)) => Self::Torn("its version is not a number".into()),
            (_, Some(Some(version))) if version > VERSION => {
                Self::Torn(format!("it is of version {version}, and this program knows {VERSION} at most"))
            }
            (Some(tick), _) => Self::Tick(tick),
        }
    }
}

/// The body of the message that is the tick of this number.
pub fn body(tick: u64) -> String {
    json!({"tick": tick, "version": VERSION}).to_string()
}

/// The number that follows on what the mark says. Without a number there it is the store's time in seconds: a chain
/// takes at least that long for each number, so those before a mark that was removed are below it. `now` is the newest
/// time that was heard, since a slow look may be older than such a chain.
pub fn next(mark: Option<&Mark>, now: Time) -> u64 {
    let follows = mark.and_then(|mark| mark.tick).and_then(|tick| tick.checked_add(1));
    follows.unwrap_or_else(|| u64::try_from(now.as_second()).unwrap_or(0))
}

/// For how many seconds a tick that is sent at `now` is delayed: for `wait_s`, and to the end of a purge, which would
/// eat it.
pub fn delay_s(wait_s: u32, purged: Option<Time>, now: Time) -> u32 {
    let purged = purged.filter(|purged| !purged.is_ahead(now));
    let left = purged.map_or(Duration::ZERO, |purged| PURGE.saturating_sub(purged.age(now)));
    wait_s.max(u32::try_from(left.as_secs()).expect("a purge is short"))
}

/// Without a step for this long a chain is dead.
pub fn dead_after(tick_s: u32) -> Duration {
    Duration::from_secs(2 * u64::from(tick_s) + 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time::from_second(second)
    }

    #[test]
    fn a_tick_is_read_as_it_is_written() {
        assert_eq!(body(7), "{\"tick\":7,\"version\":1}");
        for tick in [0, 7, u64::MAX] {
            assert_eq!(Message::read(&body(tick)), Message::Tick(tick));
        }
        assert_eq!(Message::read("{\"tick\": 7}"), Message::Tick(7), "fields may be missing");
        assert_eq!(Message::read("{\"tick\": 7, \"version\": 1, \"moon\": {}}"), Message::Tick(7), "or be unknown");
    }

    #[test]
    fn a_tick_without_a_number_or_of_a_newer_version_is_torn() {
        for body in [
            "{\"tick\": \"7\", \"version\": 1}",
            "{\"tick\": -7, \"version\": 1}",
            "{\"tick\": 7.5}",
            "{\"tick\": 1e30}",
            "{\"tick\": null}",
            "{\"tick\": 7, \"version\": 2}",
            "{\"tick\": 7, \"version\": \"1\"}",
        ] {
            assert!(matches!(Message::read(body), Message::Torn(_)), "{body}");
        }
    }

    #[test]
    fn everything_else_is_a_nudge() {
        for body in ["", "tick", "{\"tick\": 7", "[7]", "7", "null", "{\"Type\": \"Notification\", \"Message\": \"x\"}"]
        {
            assert_eq!(Message::read(body), Message::Nudge, "{body}");
        }
    }

    #[test]
    fn numbers_go_on_from_the_mark_and_begin_at_the_stores_time() {
        let mark = |tick| Mark { tick, ..Mark::default() };
        assert_eq!(next(Some(&mark(Some(7))), at(100)), 8);
        assert_eq!(next(Some(&mark(None)), at(100)), 100);
        assert_eq!(next(Some(&mark(Some(u64::MAX))), at(100)), 100);
        assert_eq!(next(None, at(100)), 100);
    }

    #[test]
    fn a_tick_waits_for_the_end_of_a_purge() {
        assert_eq!(delay_s(0, None, at(100)), 0);
        assert_eq!(delay_s(60, None, at(100)), 60);
        assert_eq!(delay_s(0, Some(at(100)), at(100)), 70);
        assert_eq!(delay_s(5, Some(at(100)), at(130)), 40);
        assert_eq!(delay_s(60, Some(at(100)), at(130)), 60);
        assert_eq!(delay_s(0, Some(at(100)), at(170)), 0);
        assert_eq!(delay_s(0, Some(at(9_999)), at(100)), 0, "the store's clock was ahead");
    }
}

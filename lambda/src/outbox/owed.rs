//! How long what is owed has waited.

use pulse_echo_core::clock::Time;
use pulse_echo_core::status::{Message, Mutes, Status};

/// A message that has waited for less than this many seconds is no trouble yet.
pub(super) const TROUBLE_S: u64 = 900;

/// For how many seconds the oldest message that is due at `now` has waited; none if nothing is due. A message that is
/// muted, or waits for last words, is not due; a channel that is left alone for a while makes no difference.
pub fn oldest_due_s(status: &Status, now: Time) -> Option<u64> {
    let mutes = status.mutes();
    let due = status.outbox.iter().filter_map(|message| due_since(&mutes, message, now));
    due.map(|since| since.age(now).as_secs()).max()
}

/// The same for what this channel owes.
pub fn oldest_due_of(status: &Status, channel: &str, now: Time) -> Option<u64> {
    let mutes = status.mutes();
    let owed = status.outbox.iter().filter(|message| message.owed.contains(channel));
    owed.filter_map(|message| due_since(&mutes, message, now)).map(|since| since.age(now).as_secs()).max()
}

/// What the mark says of it: nothing until it is trouble.
pub fn for_the_mark(oldest_due_s: Option<u64>) -> Option<u64> {
    oldest_due_s.filter(|waited_s| *waited_s >= TROUBLE_S)
}

/// Since when a message is due: since it was appended, or since the mute ended that held it.
fn due_since(mutes: &Mutes, message: &Message, now: Time) -> Option<Time> {
    if message.owed.is_empty() || (message.waits && message.at == now) {
        return None;
    }
    let Some(check) = message.fact.check() else { return Some(message.at) };
    let held = mutes.of(check).map(|(_, mute)| mute).filter(|mute| mute.until() > message.at);
    held.map(|mute| (mute.until() <= now).then(|| mute.until()))
        .try_fold(message.at, |since, end| Some(since.max(end?)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pulse_echo_core::name::CheckId;
    use pulse_echo_core::status::{Fact, Muted};

    use super::*;

    fn at(second: i64) -> Time {
        Time::from_second(second)
    }

    fn id(text: &str) -> CheckId {
        CheckId::from_pulse_key(&format!("pulse/{text}.json")).unwrap()
    }

    /// A message of this time about a check, and a test message a minute younger.
    fn status(second: i64) -> Status {
        let owed: BTreeSet<_> = ["slack".to_string()].into();
        let message = |second: i64, fact| Message::new(second.to_string(), at(second), owed.clone(), fact);
        let gone = Fact::Gone { check: id("web-1/db"), pulse: at(0), since: None, retired: false };
        Status { outbox: vec![message(second, gone), message(second + 60, Fact::Test)], ..Status::new(at(0)) }
    }

    fn mute(status: &mut Status, check: &str, from: i64, for_s: u32) {
        status.mutes.insert(id(check), Muted { etag: "e".into(), at: at(from), for_s, reason: None, listed: None });
    }

    #[test]
    fn the_oldest_counts_and_the_mark_keeps_silent_for_a_quarter_of_an_hour() {
        assert_eq!(oldest_due_s(&Status::new(at(0)), at(9)), None);
        let status = status(100);
        assert_eq!((oldest_due_s(&status, at(100)), oldest_due_s(&status, at(999))), (Some(0), Some(899)));
        assert_eq!((for_the_mark(Some(899)), for_the_mark(Some(900)), for_the_mark(None)), (None, Some(900), None));
    }

    #[test]
    fn what_is_muted_is_not_due_and_waits_only_from_the_mutes_end() {
        for check in ["web-1/db", "web-1"] {
            let mut status = status(100);
            mute(&mut status, check, 50, 1_000);
            assert_eq!(oldest_due_s(&status, at(1_049)), Some(889), "the test message");
            assert_eq!(oldest_due_s(&status, at(1_200)), Some(1_040));
            status.outbox.pop();
            assert_eq!(oldest_due_s(&status, at(1_049)), None);
            assert_eq!(oldest_due_s(&status, at(1_200)), Some(150));
        }
        let mut status = status(100);
        mute(&mut status, "web-1", 0, 100);
        assert_eq!(oldest_due_s(&status, at(1_200)), Some(1_100), "a mute that was over before");
    }

    #[test]
    fn a_message_that_waits_for_last_words_is_not_due_in_its_own_sweep() {
        let mut status = status(100);
        status.outbox.truncate(1);
        status.outbox[0].waits = true;
        assert_eq!((oldest_due_s(&status, at(100)), oldest_due_s(&status, at(160))), (None, Some(60)));
    }
}

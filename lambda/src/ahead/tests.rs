//! What is ahead of the store's clock, check by check and in the status.

use pulse_echo_core::answer::Cause;
use pulse_echo_core::status::{
    Acked, Acknowledged, BackOff, Crowded, Ended, Fact, Flaps, Gap, Message, Missing, Outage, SeenFault, State, Status,
    Telling, Told, Turn, Unanswered,
};

use super::*;
use crate::verdict::Listed;

const NOW: i64 = 1_795_248_000;

fn at(second: i64) -> Time {
    Time::from_second(NOW + second)
}

fn id(name: &str) -> CheckId {
    format!("{name}.json").try_into().unwrap()
}

fn listed(second: i64) -> Listed {
    Listed { at: at(second), etag: "e".into() }
}

/// What is listed of a check: pulse, echo, fault.
fn seen(pulse: i64, echo: Option<i64>, fault: Option<i64>) -> Observation {
    Observation { pulse: Some(listed(pulse)), echo: echo.map(at), fault: fault.map(listed), ..Observation::default() }
}

/// The times with which the objects count in a sweep at this second, counted from then; the record is brought up.
fn counted(record: &mut Record, mut seen: Observation, now: i64) -> [Option<i64>; 3] {
    let mut mender = Mender::new(at(now));
    mender.check(&id("web"), Some(record), &mut seen);
    record.ahead = seen.ahead;
    let since = |time: Time| time.as_second() - NOW - now;
    [seen.pulse.map(|pulse| pulse.at), seen.echo, seen.fault.map(|fault| fault.at)].map(|time| time.map(since))
}

#[test]
fn what_is_not_ahead_stays_as_it_is() {
    let mut record = Record { echo: Some(at(-50)), ..Record::new(at(60)) };
    let before = record.clone();
    assert_eq!(counted(&mut record, seen(60, Some(-50), Some(59)), 0), [Some(60), Some(-50), Some(59)]);
    assert_eq!(record, before);
}

#[test]
fn an_object_that_is_ahead_counts_from_when_it_was_first_seen_until_another_takes_its_place() {
    let mut record = Record::new(at(-600));
    assert_eq!(counted(&mut record, seen(7_200, None, None), 0), [Some(0), None, None]);
    for later in [60, 900, 7_150, 7_200, 9_000] {
        assert_eq!(counted(&mut record, seen(7_200, None, None), later)[0], Some(-later), "{later}");
    }
    assert_eq!(counted(&mut record, seen(9_050, None, None), 9_060)[0], Some(-10));
    assert_eq!(record.ahead, None);
}

#[test]
fn the_order_of_a_checks_objects_stays() {
    // An older echo must not outweigh the fault that came after it, as a tie would.
    let mut record = Record::new(at(-600));
    assert_eq!(counted(&mut record, seen(7_800, Some(7_201), Some(7_801)), 0), [Some(-1), Some(-2), Some(0)]);
    // Nor where the record alone remembers one of them.
    let fault = SeenFault { at: at(7_801), etag: "f".into(), pulse_at: Some(at(7_800)), cause: None, reason: None };
    let mut record = Record { echo: Some(at(7_201)), fault: Some(Box::new(fault)), ..Record::new(at(7_800)) };
    assert_eq!(counted(&mut record, seen(7_800, None, None), 0)[0], Some(-1));
    let fault = record.fault.as_ref().unwrap();
    assert_eq!((record.echo, record.pulse, fault.at), (Some(at(-2)), at(-1), at(0)));
    assert_eq!(fault.pulse_at, Some(record.pulse));
}

#[test]
fn a_tie_stays_a_tie() {
    let mut record = Record::new(at(-600));
    assert_eq!(counted(&mut record, seen(7_200, Some(7_200), Some(7_200)), 0), [Some(0); 3]);
}

#[test]
fn what_came_after_a_second_step_back_is_newer_than_what_was_seen_before_it() {
    let mut record = Record::new(at(-600));
    // First seen at 0; then a fault with the right time; then the clock goes back by a year.
    counted(&mut record, seen(7_200, Some(7_201), None), 0);
    assert_eq!(counted(&mut record, seen(7_200, Some(7_201), Some(100)), 110)[2], Some(-10));
    let year = 31_536_000;
    let [pulse, echo, fault] = counted(&mut record, seen(7_200, Some(7_201), Some(100)), 200 - year);
    assert!(pulse < echo && echo < fault && fault == Some(0), "{pulse:?} {echo:?} {fault:?}");
}

#[test]
fn a_check_is_told_once_and_only_what_is_new() {
    let mut mender = Mender::new(at(0));
    let (mut record, mut old, mut new) = (Record::new(at(-9)), seen(300, None, None), seen(61, None, None));
    mender.check(&id("web"), Some(&mut record), &mut old);
    record.ahead = old.ahead;
    mender.check(&id("db"), None, &mut new);
    assert_eq!((mender.furthest, mender.checks), (Some(at(300)), vec![id("web"), id("db")]));
    let mut mender = Mender::new(at(10));
    mender.check(&id("web"), Some(&mut record), &mut seen(300, None, None));
    assert_eq!((mender.furthest, mender.checks), (None, vec![]));
}

#[test]
fn a_check_that_may_be_hidden_keeps_what_is_known_and_has_no_time_that_is_ahead() {
    let mut record = Record::new(at(7_200));
    let mut hidden = Observation { is_hidden: true, ..Observation::default() };
    Mender::new(at(0)).check(&id("web"), Some(&mut record), &mut hidden);
    assert_eq!((record.pulse, record.since), (at(0), at(0)));
}

/// A record with every time that there is, all of them this far ahead.
fn record_ahead(second: i64) -> Record {
    let time = at(second);
    let told = Told {
        at: time,
        next: time + std::time::Duration::from_secs(14_400),
        step_s: 14_400,
        causes: vec![],
        changed: Some(time),
        back: false,
        anyway: false,
    };
    let fault = SeenFault { at: time, etag: "f".into(), pulse_at: Some(time), cause: None, reason: None };
    let (was, cause) = (State::Failing, Some(Cause::Body));
    let held = Ended { since: Some(time), until: time, was, cause, reason: None, ack: None };
    Record {
        echo: Some(time),
        fault: Some(Box::new(fault)),
        unread: Some(time),
        turn: Some(Turn { since: time, refused: false }),
        waiting: Some(time),
        missing: Some(Missing { since: time, with_many: true }),
        outage: Some(Box::new(Outage { since: time, noticed: time, muted: None, told: Some(told) })),
        telling: Some(Box::new(Telling {
            down: vec![at(-60), time],
            flaps: Some(Flaps { changed: time, wait_s: 900, silence: false }),
            held: Some(Box::new(held)),
        })),
        history: vec![pulse_echo_core::status::Change { at: time, state: State::Failing, cause: None }],
        ..Record::new(time)
    }
}

/// The times in what is written.
fn times(written: &serde_json::Value) -> Vec<Time> {
    match written {
        serde_json::Value::String(text) => Time::from_rfc3339(text).into_iter().collect(),
        serde_json::Value::Array(parts) => parts.iter().flat_map(times).collect(),
        serde_json::Value::Object(fields) => fields.values().flat_map(times).collect(),
        _ => vec![],
    }
}

#[test]
fn no_time_of_a_record_stays_ahead_but_the_next_reminder_by_one_step() {
    let mut record = record_ahead(31_536_000);
    assert_eq!(counted(&mut record, Observation::default(), 0), [None; 3]);
    let reminder = at(14_400);
    let ahead: Vec<_> =
        times(&serde_json::to_value(&record).unwrap()).into_iter().filter(|time| *time > at(0)).collect();
    assert_eq!(ahead, [reminder]);
    assert_eq!(record.telling.unwrap().down, [at(-60)]);
}

#[test]
fn no_time_of_the_status_stays_ahead() {
    let ahead = at(7_200);
    let mut status = Status::new(ahead);
    let back_off = BackOff { since: Some(ahead), told: Some(ahead), worked: Some(ahead), ..BackOff::new(3, at(7_260)) };
    status.channels.insert("slack".into(), back_off);
    status.stopped = Some(ahead);
    status.gaps.push(Gap { from: at(-900), until: ahead });
    status.many_down = Some(ahead);
    status.noise.insert("web".into(), vec![ahead; 10]);
    status.noise.insert("db".into(), vec![at(-60), ahead]);
    let (since, none_since) = (ahead, Some(ahead));
    status.unanswered = Some(Unanswered { since, checks: 1, hosts: 1, told_hosts: 1, none_since, told: None });
    status.crowded.insert("web".into(), Crowded { since, over: Some(ahead) });
    let muted = Muted { etag: "m".into(), at: ahead, for_s: 60, reason: None, listed: None };
    status.mutes.insert(id("web"), muted);
    let word = Acknowledged::default();
    status.acks.insert(id("web"), Acked { etag: "a".into(), at: ahead, outage: Some(ahead), word });
    let gone = Fact::Gone { check: id("web"), pulse: ahead, since: Some(ahead), retired: false };
    status.outbox.push(Message::new("1".into(), ahead, ["slack".to_string()].into(), gone));
    let mut mender = Mender::new(at(0));
    mender.status(&mut status);
    let times = times(&serde_json::to_value(&status).unwrap());
    assert!(times.iter().all(|time| *time <= at(0)), "{times:?}");
    assert_eq!(mender.furthest, Some(ahead));
    assert_eq!(status.channels["slack"].until, at(0), "messages do not wait for two hours");
    assert!(status.gaps.is_empty(), "no check is spared until then");
    assert_eq!(status.noise, [("db".to_string(), vec![at(-60)])].into(), "no host is held for that");
}

#[test]
fn a_back_off_is_over_if_it_is_longer_than_any_or_the_clock_was_set_back() {
    for (written, until, after) in [(0, 86_400, 86_400), (0, 86_401, 0), (60, 3_600, 3_600), (61, 30, 0), (61, -5, -5)]
    {
        let mut status = Status::new(at(written));
        status.channels.insert("slack".into(), BackOff::new(1, at(until)));
        Mender::new(at(0)).status(&mut status);
        assert_eq!(status.channels["slack"].until, at(after), "{written} {until}");
    }
}

#[test]
fn a_mute_that_is_ahead_counts_from_when_it_was_first_seen_and_put_again_it_begins_again() {
    let mute = |second| Muted { etag: "m".into(), at: at(second), for_s: 3_600, reason: None, listed: None };
    let mut muted = mute(7_200);
    let brought_up = |muted: &mut Muted, listed, now| {
        Mender::new(at(now)).mute(muted, at(listed));
        muted.at
    };
    assert_eq!(brought_up(&mut muted, 7_200, 0), at(0));
    assert_eq!(brought_up(&mut muted, 7_200, 3_000), at(0));
    assert_eq!(brought_up(&mut muted, 7_200, 8_000), at(0), "the clock has reached it");
    assert_eq!(brought_up(&mut muted, 8_100, 8_200), at(8_100));
    assert_eq!(muted, mute(8_100));
}

use pulse_echo_core::mark::StatusTold;

use super::*;

fn at(second: i64) -> Time {
    Time::from_second(2_000_000_000 + second)
}

const BY_QUEUE: Pace = Pace { tick_s: 60, min_interval: Duration::from_secs(30), has_queue: true };
const BY_SCHEDULE: Pace = Pace { has_queue: false, ..BY_QUEUE };

/// A store without any control file, at this second.
fn seen(now: i64, mark: Option<&Mark>) -> Seen<'_> {
    Seen { now: at(now), start: None, stop: None, lock: None, mark }
}

/// The mark of a chain at tick 7 that moved at this second.
fn mark(ticked: i64) -> Mark {
    Mark { tick: Some(7), ticked: Some(at(ticked)), swept: Some(at(ticked)), ..Mark::default() }
}

fn tick(number: u64) -> Asked {
    Asked { ticks: vec![number], ..Asked::default() }
}

fn schedule() -> Asked {
    Asked { schedule: true, ..Asked::default() }
}

fn sweep() -> Asked {
    Asked { sweep: true, ..Asked::default() }
}

#[test]
fn a_stop_or_a_lock_that_is_not_older_than_the_start_stops() {
    let stop_at = |start: Option<i64>, stop: Option<i64>, lock: Option<(i64, Option<i64>)>| {
        let lock = lock.map(|(put, stop)| Lock { at: at(put), stop: stop.map(at) });
        stopped(&Seen { start: start.map(at), stop: stop.map(at), lock, ..seen(1_000, None) })
    };
    assert_eq!(stop_at(None, None, None), None, "a new deployment runs");
    assert_eq!(stop_at(Some(10), None, None), None);
    assert_eq!(stop_at(None, Some(10), None), Some(at(10)));
    assert_eq!(stop_at(Some(10), Some(10), None), Some(at(10)), "a tie is a stop");
    assert_eq!(stop_at(Some(11), Some(10), None), None);
    assert_eq!(stop_at(Some(10), None, Some((10, None))), Some(at(10)), "a lock put by hand counts with its own time");
    assert_eq!(stop_at(Some(11), None, Some((10, None))), None);
    assert_eq!(stop_at(Some(10), None, Some((20, Some(9)))), None, "one of ours counts with its stop");
    assert_eq!(stop_at(Some(10), None, Some((20, Some(10)))), Some(at(10)));
    assert_eq!(stop_at(Some(10), Some(5), Some((20, None))), Some(at(20)));
}

/// Looks again and again, as each invocation does, and keeps the mark.
fn looks(mark: &mut Option<Mark>, now: i64, start: Option<i64>, stop: Option<i64>) -> bool {
    let seen = Seen { start: start.map(at), stop: stop.map(at), ..seen(now, mark.as_ref()) };
    let decision = decide(&seen, &schedule(), &BY_SCHEDULE);
    *mark = Some(decision.mark(&seen, &BY_SCHEDULE, &News::default(), at(now)));
    decision.stopped.is_some()
}

#[test]
fn while_the_stores_clock_was_ahead_the_newer_is_the_one_that_the_mark_does_not_know() {
    // A stop put by a clock that was an hour ahead; the start after it has the right time, and is older by that.
    let mut mark = None;
    assert!(!looks(&mut mark, 10, Some(5), None));
    assert!(looks(&mut mark, 20, Some(5), Some(3_620)));
    assert!(!looks(&mut mark, 30, Some(25), Some(3_620)));
    for now in [90, 3_600, 3_620, 9_000] {
        assert!(!looks(&mut mark, now, Some(25), Some(3_620)), "at {now}: it stays started");
    }
    assert!(looks(&mut mark, 9_060, Some(25), Some(9_050)));

    // The other way round.
    let mut mark = None;
    assert!(looks(&mut mark, 10, None, Some(5)));
    assert!(!looks(&mut mark, 20, Some(3_620), Some(5)));
    assert!(!looks(&mut mark, 25, Some(3_620), Some(5)));
    for now in [40, 90, 3_600, 3_620, 9_000] {
        assert!(looks(&mut mark, now, Some(3_620), Some(30)), "at {now}: it stays stopped");
    }
    assert!(!looks(&mut mark, 9_060, Some(9_050), Some(30)));
}

#[test]
fn our_lock_of_a_stop_that_is_over_does_not_count_though_its_time_is_ahead() {
    let lock = Some(Lock { at: at(3_621), stop: Some(at(3_620)) });
    let mark = Mark { stopped: Some(at(3_620)), started: Some(at(5)), ..mark(0) };
    let seen = Seen { start: Some(at(25)), stop: Some(at(3_620)), lock, ..seen(30, Some(&mark)) };
    let decision = decide(&seen, &sweep(), &BY_QUEUE);
    assert_eq!((decision.stopped, decision.lock, decision.step), (None, LockDuty::Remove, Some(Step::Begin)));
}

#[test]
fn a_lock_put_by_hand_whose_time_is_ahead_counts_as_a_stop_does() {
    let looks = |mark: &mut Option<Mark>, now, start: i64, lock: i64| {
        let lock = Some(Lock { at: at(lock), stop: None });
        let seen = Seen { start: Some(at(start)), lock, ..seen(now, mark.as_ref()) };
        let decision = decide(&seen, &schedule(), &BY_SCHEDULE);
        *mark = Some(decision.mark(&seen, &BY_SCHEDULE, &News::default(), at(now)));
        decision.stopped.is_some()
    };
    // The lock's time is ahead, that of the start after it is right.
    let mut mark = Some(Mark { started: Some(at(5)), ..mark(0) });
    assert!(looks(&mut mark, 20, 5, 3_620));
    for now in [30, 90, 3_600, 3_620, 9_000] {
        assert!(!looks(&mut mark, now, 25, 3_620), "at {now}: it stays started");
    }
    assert!(looks(&mut mark, 9_060, 25, 9_050), "another lock");

    // The start's time is ahead, that of the lock after it is right.
    let mut mark = Some(Mark { started: Some(at(3_620)), ..self::mark(0) });
    for now in [40, 90, 3_600] {
        assert!(looks(&mut mark, now, 3_620, 30), "at {now}: it stays stopped");
    }
    assert!(!looks(&mut mark, 9_060, 9_050, 30));
}

#[test]
fn a_start_ends_a_stop_and_a_lock_of_an_hour_to_come_both_and_for_good() {
    let looks = |mark: &mut Option<Mark>, now, start: Option<i64>, stop: i64| {
        let lock = Some(Lock { at: at(3_700), stop: None });
        let seen = Seen { start: start.map(at), stop: Some(at(stop)), lock, ..seen(now, mark.as_ref()) };
        let decision = decide(&seen, &schedule(), &BY_SCHEDULE);
        *mark = Some(decision.mark(&seen, &BY_SCHEDULE, &News::default(), at(now)));
        decision.stopped.is_some()
    };
    // The mark names the stop; of the lock behind it it says nothing.
    for stop in [3_620, 10] {
        let mut mark = None;
        assert!(looks(&mut mark, 20, None, stop));
        for now in [30, 90, 3_630, 3_710, 9_000] {
            assert!(!looks(&mut mark, now, Some(25), stop), "at {now}: it stays started");
        }
        assert!(looks(&mut mark, 9_060, Some(25), 9_050), "another stop");
    }
}

#[test]
fn the_note_of_a_purge_that_is_ahead_is_dropped() {
    let purged = |at_: i64| {
        let mark = Mark { purged: Some(at(at_)), ..mark(0) };
        let seen = seen(10, Some(&mark));
        decide(&seen, &sweep(), &BY_QUEUE).mark(&seen, &BY_QUEUE, &News::default(), at(10)).purged
    };
    assert_eq!([purged(5), purged(70), purged(71)], [Some(at(5)), Some(at(70)), None]);
}

#[test]
fn where_a_time_is_ahead_a_lock_that_may_count_is_read() {
    let mark = Mark { started: Some(at(3_620)), ..mark(0) };
    let lock = Some(Lock { at: at(30), stop: None });
    assert!(needs_lock(&Seen { start: Some(at(3_620)), lock, ..seen(40, Some(&mark)) }), "it may be of an old stop");
}

#[test]
fn a_lock_put_by_hand_that_the_mark_knows_is_not_read_again() {
    let mark = Mark { stopped: Some(at(11)), ..mark(0) };
    let lock = Some(Lock { at: at(11), stop: None });
    assert!(!needs_lock(&Seen { lock, ..seen(1_000, Some(&mark)) }));
    assert!(needs_lock(&Seen { start: Some(at(20)), lock, ..seen(1_000, Some(&mark)) }), "it may be ours to remove");
}

#[test]
fn what_another_version_has_noted_stays_in_the_mark() {
    let told = Some(StatusTold { etag: "e".into(), channels: ["hook".to_string()].into() });
    let mark = Mark { told: told.clone(), ..mark(0) };
    let seen = seen(100, Some(&mark));
    let news = News { owed: Some(Owed::default()), ..News::default() };
    assert_eq!(decide(&seen, &sweep(), &BY_QUEUE).mark(&seen, &BY_QUEUE, &news, at(101)).told, told);
}

#[test]
fn the_mark_alone_ends_old_ticks_and_looks_of_the_schedule_at_a_live_chain() {
    let (alive, stopped) = (mark(1_000), Mark { stopped: Some(at(1_000)), ..mark(1_000) });
    let glance = |asked: &Asked, mark, now| glance(asked, &BY_QUEUE, mark, at(now));
    assert_eq!(glance(&tick(7), Some(&alive), 1_060), Glance::Look);
    assert_eq!(glance(&Asked { ticks: vec![5, 7], ..Asked::default() }, Some(&alive), 1_060), Glance::Look);
    for (number, mark) in [(6, Some(&alive)), (8, Some(&alive)), (7, None)] {
        assert_eq!(glance(&tick(number), mark, 1_060), Glance::Old, "{number}");
    }
    assert_eq!(glance(&schedule(), Some(&alive), 1_179), Glance::Fresh);
    assert_eq!(glance(&schedule(), Some(&alive), 1_180), Glance::Look, "2 × 60 s + 60 s");
    assert_eq!(glance(&schedule(), Some(&stopped), 1_001), Glance::Look);
    assert_eq!(glance(&schedule(), None, 1_000), Glance::Look);
    assert_eq!(glance(&schedule(), Some(&alive), 900), Glance::Look, "its time is ahead");
    assert_eq!(glance(&sweep(), Some(&alive), 1_001), Glance::Look);
    assert_eq!(super::glance(&schedule(), &BY_SCHEDULE, Some(&alive), at(1_001)), Glance::Look);
}

#[test]
fn a_step_during_a_purge_counts_until_the_purge_is_over() {
    let mark = Mark { purged: Some(at(980)), ..mark(1_000) };
    let glance = |now| glance(&schedule(), &BY_QUEUE, Some(&mark), at(now));
    assert_eq!([glance(1_049), glance(1_050)], [Glance::Fresh, Glance::Look], "70 s after the purge was noted");
    assert_eq!(decide(&seen(1_050, Some(&mark)), &schedule(), &BY_QUEUE).step, Some(Step::Revive));
    let later = Mark { ticked: Some(at(1_050)), ..mark.clone() };
    assert_eq!(super::glance(&schedule(), &BY_QUEUE, Some(&later), at(1_060)), Glance::Fresh);
}

#[test]
fn each_step_has_its_cause() {
    let step = |asked: &Asked, mark, now| decide(&seen(now, mark), asked, &BY_QUEUE).step;
    let alive = mark(1_000);
    assert_eq!(step(&tick(7), Some(&alive), 1_060), Some(Step::Continue));
    assert_eq!(step(&tick(6), Some(&alive), 1_060), None);
    assert_eq!(step(&sweep(), Some(&alive), 9_000), None, "only the schedule revives");
    assert_eq!(step(&schedule(), Some(&alive), 1_179), None);
    assert_eq!(step(&schedule(), Some(&alive), 1_180), Some(Step::Revive));
    assert_eq!(step(&schedule(), None, 1_000), Some(Step::Revive));
    let swept = Mark { ticked: None, ..alive.clone() };
    assert_eq!(step(&schedule(), Some(&swept), 1_001), Some(Step::Revive), "no queue has driven it before");
    let stopped = Mark { stopped: Some(at(900)), ..alive.clone() };
    for asked in [tick(7), sweep(), schedule()] {
        assert_eq!(step(&asked, Some(&stopped), 1_001), Some(Step::Begin), "{asked:?}");
    }
    let start = |started| {
        let mark = Mark { started, ..alive.clone() };
        decide(&Seen { start: Some(at(950)), ..seen(1_001, Some(&mark)) }, &sweep(), &BY_QUEUE).step
    };
    assert_eq!([start(None), start(Some(at(900))), start(Some(at(950)))], [Some(Step::Begin), Some(Step::Begin), None]);
}

#[test]
fn without_a_queue_there_is_no_step_and_the_schedule_sweeps() {
    let stopped = Mark { stopped: Some(at(900)), ..mark(1_000) };
    for asked in [tick(7), sweep(), schedule()] {
        let decision = decide(&seen(1_060, Some(&stopped)), &asked, &BY_SCHEDULE);
        assert_eq!((decision.sweep, decision.step), (true, None), "{asked:?}");
    }
    let seen = seen(1_060, Some(&stopped));
    let mark = decide(&seen, &sweep(), &BY_SCHEDULE).mark(&seen, &BY_SCHEDULE, &News::default(), at(1_061));
    assert_eq!((mark.tick, mark.ticked), (Some(7), None));
}

#[test]
fn nothing_is_swept_within_the_least_interval_but_the_chain_goes_on() {
    let mark = mark(1_000);
    for (now, sweeps) in [(970, true), (971, false), (1_029, false), (1_030, true)] {
        let decision = decide(&seen(now, Some(&mark)), &tick(7), &BY_QUEUE);
        assert_eq!((decision.sweep, decision.step), (sweeps, Some(Step::Continue)), "{now}");
    }
    assert!(!decide(&seen(2_000, Some(&mark)), &Asked { test: true, ..Asked::default() }, &BY_QUEUE).sweep);
}

#[test]
fn while_stopped_nothing_is_swept_or_stepped_and_a_missing_lock_is_put() {
    let mark = mark(1_000);
    for asked in [tick(7), sweep(), schedule()] {
        let stop = Seen { stop: Some(at(1_010)), ..seen(9_000, Some(&mark)) };
        let expected = Decision { stopped: Some(at(1_010)), sweep: false, step: None, lock: LockDuty::Put };
        assert_eq!(decide(&stop, &asked, &BY_QUEUE), expected, "{asked:?}");
        let locked = Seen { lock: Some(Lock { at: at(1_011), stop: None }), ..stop };
        assert_eq!(decide(&locked, &asked, &BY_QUEUE).lock, LockDuty::Leave, "{asked:?}");
    }
}

#[test]
fn a_lock_is_read_only_where_its_content_decides_something() {
    let lock = |put| Some(Lock { at: at(put), stop: None });
    let (running, stopped) = (mark(1_000), Mark { stopped: Some(at(5)), ..mark(1_000) });
    let looked = |start: Option<i64>, stop: Option<i64>, put, mark| {
        needs_lock(&Seen { start: start.map(at), stop: stop.map(at), lock: lock(put), ..seen(1_000, Some(mark)) })
    };
    assert!(!looked(None, Some(10), 11, &running), "the stop decides");
    assert!(looked(None, None, 11, &running));
    assert!(looked(Some(10), None, 11, &running));
    assert!(!looked(Some(20), Some(10), 11, &running), "it is old, and was left when the loop started");
    assert!(looked(Some(20), Some(10), 11, &stopped), "now it starts: a lock of ours is removed");
}

#[test]
fn the_mark_says_what_was_decided_and_what_has_happened() {
    let before = Mark { stopped: Some(at(900)), purged: Some(at(901)), owed_s: Some(950), ..mark(800) };
    let seen = Seen { start: Some(at(950)), stop: Some(at(900)), ..seen(960, Some(&before)) };
    let decision = decide(&seen, &sweep(), &BY_QUEUE);
    let owed = Owed { owed_s: None, channels: ["slack".to_string()].into() };
    let news = News { swept: Some((at(960), 420)), owed: Some(owed), ..News::default() };
    let expected = Mark {
        version: 1,
        tick: Some(8),
        tick_s: Some(60),
        ticked: Some(at(962)),
        started: Some(at(950)),
        purged: Some(at(901)),
        swept: Some(at(960)),
        took_ms: Some(420),
        channels: Some(["slack".to_string()].into()),
        ..Mark::default()
    };
    assert_eq!(decision.mark(&seen, &BY_QUEUE, &news, at(962)), expected);
}

#[test]
fn a_slow_sweep_does_not_take_back_what_a_faster_one_has_noted() {
    let swept = |noted: i64| {
        let mark = Mark { swept: Some(at(noted)), ..mark(0) };
        let seen = seen(950, Some(&mark));
        let news = News { swept: Some((at(950), 9)), ..News::default() };
        decide(&seen, &sweep(), &BY_QUEUE).mark(&seen, &BY_QUEUE, &news, at(990)).swept
    };
    assert_eq!(swept(900), Some(at(950)));
    assert_eq!(swept(980), Some(at(980)));
    assert_eq!(swept(5_000), Some(at(950)), "a time that is ahead is of a clock that was wrong");
}

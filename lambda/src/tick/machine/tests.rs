use std::time::Duration;

use pulse_echo_core::mark::StatusTold;

use super::*;
use crate::tick::decide::Step;

const BY_QUEUE: Pace = Pace { tick_s: 60, min_interval: Duration::from_secs(30), has_queue: true };

fn at(second: i64) -> Time {
    Time::from_second(2_000_000_000 + second)
}

/// A store and a queue where nothing else happens. Their time stands still.
struct World {
    now: i64,
    start: Option<i64>,
    stop: Option<i64>,
    lock: Option<Listed>,
    mark: KeptMark,
    /// What is answered instead, once, to the first operation that begins with this word.
    instead: Vec<(&'static str, Answer)>,
    sends: bool,
    files: bool,
}

impl World {
    /// A chain at tick 7 that moved a minute ago.
    fn new() -> Self {
        let mark = Mark {
            version: 1,
            tick: Some(7),
            tick_s: Some(60),
            ticked: Some(at(940)),
            swept: Some(at(940)),
            by: Some("b".into()),
            ..Mark::default()
        };
        Self {
            now: 1_000,
            start: None,
            stop: None,
            lock: None,
            mark: KeptMark { mark: Some(mark), etag: Some("e".into()) },
            instead: Vec::new(),
            sends: false,
            files: false,
        }
    }

    fn do_it(&mut self, operation: &Operation) -> Answer {
        let (now, word) = (at(self.now), word(operation));
        if let Some(place) = self.instead.iter().position(|(instead, _)| word.starts_with(instead)) {
            return self.instead.remove(place).1;
        }
        match operation {
            Operation::GetMark => Answer::Mark(Box::new(MarkRead { mark: self.mark.clone(), now })),
            Operation::Look | Operation::ListControl => Answer::Control(Control {
                now,
                start: self.start.map(at),
                stop: self.stop.map(at),
                lock: self.lock.clone(),
                mark: self.mark.etag.clone(),
            }),
            Operation::GetLock => {
                Answer::Lock(self.lock.as_ref().map(|lock| LockRead { etag: lock.etag.clone(), stop: Some(at(1)) }))
            }
            Operation::PutLock { .. } => {
                self.lock = Some(Listed { at: now, etag: "l".into() });
                Answer::Wrote(Wrote::Taken { now })
            }
            Operation::PutMark { mark, etag, .. } if *etag == self.mark.etag => {
                self.mark = KeptMark { mark: Some((**mark).clone()), etag: mark.by.clone() };
                Answer::Wrote(Wrote::Taken { now })
            }
            Operation::PutMark { .. } => Answer::Wrote(Wrote::Refused),
            Operation::Record(_) => Answer::Recorded(Recorded {
                heard: now,
                is_lost: false,
                sends: self.sends,
                files: self.files,
                took_ms: 420,
                owed: None,
            }),
            Operation::DeleteLock { .. }
            | Operation::Send { .. }
            | Operation::Purge
            | Operation::Deliver(_)
            | Operation::File => Answer::Done,
            Operation::TellUnusable => Answer::Told(None),
        }
    }

    /// Plays an invocation: what it did, in a word each, and what it came to.
    fn play(&mut self, asked: Asked) -> (Vec<String>, Report) {
        self.play_at(asked, BY_QUEUE)
    }

    fn play_at(&mut self, asked: Asked, pace: Pace) -> (Vec<String>, Report) {
        let mut count = 0;
        let mut machine = Machine::new(asked, pace, || {
            count += 1;
            format!("id-{count}")
        });
        let (mut words, mut next) = (Vec::new(), machine.start());
        loop {
            match next {
                Next::Done(report) => return (words, report),
                Next::Do(operation) => {
                    words.push(word(&operation));
                    next = machine.answer(self.do_it(&operation));
                }
            }
        }
    }

    fn said(&self) -> &Mark {
        self.mark.mark.as_ref().unwrap()
    }
}

fn word(operation: &Operation) -> String {
    match operation {
        Operation::GetMark => "GET mark".into(),
        Operation::Look => "GET status, LIST".into(),
        Operation::ListControl => "LIST".into(),
        Operation::GetLock => "GET lock".into(),
        Operation::DeleteLock { etag } => format!("DELETE lock {etag}"),
        Operation::Record(Record { sweep: true, .. }) => "sweep".into(),
        Operation::Record(_) => "record".into(),
        Operation::PutLock { .. } => "PUT lock".into(),
        Operation::PutMark { .. } => "PUT mark".into(),
        Operation::Send { tick, delay_s } => format!("send {tick} in {delay_s} s"),
        Operation::Purge => "purge".into(),
        Operation::Deliver(_) => "deliver".into(),
        Operation::File => "file".into(),
        Operation::TellUnusable => "tell".into(),
    }
}

fn tick(number: u64) -> Asked {
    Asked { ticks: vec![number], ..Asked::default() }
}

fn schedule() -> Asked {
    Asked { schedule: true, ..Asked::default() }
}

fn failed() -> Answer {
    Answer::Failed("HTTP 503".to_string().into())
}

#[test]
fn a_tick_costs_one_list_two_gets_one_put_and_one_send() {
    let mut world = World::new();
    let (words, report) = world.play(tick(7));
    assert_eq!(words, ["GET mark", "GET status, LIST", "sweep", "PUT mark", "send 8 in 60 s"]);
    assert_eq!((report.course, report.step, report.is_sent), (Course::Swept, Some((Step::Continue, 8)), true));
    let mark = world.said();
    assert_eq!((mark.tick, mark.ticked, mark.swept), (Some(8), Some(at(1_000)), Some(at(1_000))));
}

#[test]
fn an_old_tick_and_a_look_of_the_schedule_at_a_live_chain_cost_one_get() {
    for (asked, course) in [(tick(6), Course::Old), (schedule(), Course::Fresh)] {
        let (words, report) = World::new().play(asked);
        assert_eq!((words, report.course), (vec!["GET mark".to_string()], course));
    }
}

#[test]
fn a_dead_chain_is_revived_at_once_and_its_tick_sweeps() {
    let mut world = World { now: 1_120, ..World::new() };
    assert_eq!(world.play(schedule()).0, ["GET mark", "GET status, LIST", "record", "PUT mark", "send 8 in 0 s"]);
}

#[test]
fn without_a_queue_the_mark_is_read_only_if_it_is_listed() {
    let pace = Pace { has_queue: false, ..BY_QUEUE };
    let mut world = World::new();
    assert_eq!(world.play_at(schedule(), pace).0, ["GET status, LIST", "GET mark", "sweep", "PUT mark"]);
    let mut world = World { mark: KeptMark::default(), ..World::new() };
    assert_eq!(world.play_at(schedule(), pace).0, ["GET status, LIST", "sweep", "PUT mark"]);
    assert_eq!(world.said().tick, Some(2_000_001_000));
}

#[test]
fn who_puts_the_lock_notes_the_purge_then_purges_and_a_stopped_minute_writes_nothing() {
    let mut world = World { stop: Some(990), ..World::new() };
    let (words, report) = world.play(tick(7));
    assert_eq!(words, ["GET mark", "GET status, LIST", "record", "PUT lock", "PUT mark", "purge"]);
    assert_eq!((report.stopped, report.is_purged), (Some(at(990)), true));
    assert_eq!((world.said().stopped, world.said().purged), (Some(at(990)), Some(at(1_000))));
    assert_eq!(world.play(schedule()).0, ["GET mark", "GET status, LIST", "record"]);

    world.start = Some(1_001);
    world.now = 1_010;
    let asked = Asked { sweep: true, ..Asked::default() };
    let (words, report) = world.play(asked);
    let begins = ["GET status, LIST", "GET mark", "GET lock", "DELETE lock l", "sweep", "PUT mark", "send 8 in 60 s"];
    assert_eq!((&words[..], report.step), (&begins.map(String::from)[..], Some((Step::Begin, 8))));
}

#[test]
fn an_answer_that_does_not_tell_purges_nothing() {
    let mut world = World { stop: Some(990), ..World::new() };
    world.instead = vec![("PUT lock", Answer::Wrote(Wrote::InDoubt))];
    assert_eq!(world.play(tick(7)).0, ["GET mark", "GET status, LIST", "record", "PUT lock", "PUT mark"]);
    assert_eq!(world.said().purged, None);
}

#[test]
fn a_purge_that_comes_too_long_after_its_note_is_left_out() {
    for (taken, is_purged) in [(1_004, true), (1_005, false)] {
        let mut world = World { stop: Some(990), ..World::new() };
        world.instead = vec![("PUT mark", Answer::Wrote(Wrote::Taken { now: at(taken) }))];
        assert_eq!(world.play(tick(7)).1.is_purged, is_purged, "noted at 1000, taken at {taken}");
    }
    // What the lock took is known before the note.
    let mut world = World { stop: Some(990), ..World::new() };
    world.instead = vec![("PUT lock", Answer::Wrote(Wrote::Taken { now: at(1_020) }))];
    let (words, _) = world.play(tick(7));
    assert_eq!((words.last().map(String::as_str), world.said().purged), (Some("purge"), Some(at(1_020))));
}

#[test]
fn a_sweep_that_fails_goes_on_with_the_number_without_swept() {
    for answer in [
        failed(),
        Answer::Recorded(Recorded {
            heard: at(1_000),
            is_lost: true,
            sends: false,
            files: false,
            took_ms: 1,
            owed: None,
        }),
    ] {
        let mut world = World { instead: vec![("sweep", answer)], ..World::new() };
        let (words, report) = world.play(tick(7));
        assert_eq!(words, ["GET mark", "GET status, LIST", "sweep", "PUT mark", "send 8 in 60 s"]);
        assert!(report.sweep_failed && !report.fails_ticks(), "{report:?}");
        assert_eq!((world.said().tick, world.said().swept), (Some(8), Some(at(940))));
    }
}

#[test]
fn a_tick_is_sent_until_it_is_surely_taken_or_time_is_out_and_messages_come_after_it() {
    let mut world = World { sends: true, ..World::new() };
    world.instead = vec![("send", failed()), ("send", failed())];
    let (words, report) = world.play(tick(7));
    assert_eq!(words[3..], ["PUT mark", "send 8 in 60 s", "send 8 in 60 s", "send 8 in 60 s", "deliver"]);
    assert!(report.is_sent && report.errors.is_empty());

    let mut world = World { sends: true, ..World::new() };
    world.instead =
        vec![("send", failed()), ("send", Answer::OutOfTime("the queue does not answer".to_string().into()))];
    let (words, report) = world.play(tick(7));
    assert_eq!(words[3..], ["PUT mark", "send 8 in 60 s", "send 8 in 60 s", "deliver"]);
    assert!(!report.is_sent && report.errors[0].message == "the queue does not answer");
    assert!(!report.fails_ticks(), "its number has gone by");
}

#[test]
fn what_has_ended_is_filed_after_all_else_and_whatever_became_of_it() {
    for (instead, failures) in [(vec![], 0), (vec![("deliver", failed())], 1), (vec![("PUT mark", failed())], 1)] {
        let is_written = instead.first().is_none_or(|(word, _)| *word == "deliver");
        let mut world = World { sends: true, files: true, instead, ..World::new() };
        let (words, report) = world.play(tick(7));
        assert_eq!(words[words.len() - 2..], ["deliver", "file"], "{words:?}");
        assert_eq!((report.errors.len(), words.contains(&"send 8 in 60 s".into())), (failures, is_written));
    }
    let mut world = World { files: true, instead: vec![("file", failed())], ..World::new() };
    let (words, report) = world.play(tick(7));
    assert_eq!((words.last().map(String::as_str), report.errors.len()), (Some("file"), 0));
}

#[test]
fn a_write_whose_answer_is_lost_is_read_back_and_won_by_its_name() {
    let mut world = World::new();
    world.instead = vec![("PUT mark", Answer::Wrote(Wrote::InDoubt))];
    let (words, report) = world.play(tick(7));
    let again = ["PUT mark", "GET mark", "LIST", "PUT mark", "send 8 in 60 s"];
    assert_eq!((&words[3..], report.step), (&again.map(String::from)[..], Some((Step::Continue, 8))), "not taken");

    // The first write is taken after all, later than it was read back.
    let mut world = World::new();
    let mark = Mark { tick: Some(8), by: Some("id-2".into()), ..world.said().clone() };
    world.instead = vec![
        ("PUT mark", Answer::Wrote(Wrote::InDoubt)),
        ("GET mark", Answer::Mark(Box::new(MarkRead { mark: world.mark.clone(), now: at(1_000) }))),
        ("PUT mark", Answer::Wrote(Wrote::Refused)),
        ("GET mark", Answer::Mark(Box::new(MarkRead { mark: world.mark.clone(), now: at(1_000) }))),
        (
            "GET mark",
            Answer::Mark(Box::new(MarkRead {
                mark: KeptMark { mark: Some(mark), etag: Some("f".into()) },
                now: at(1_000),
            })),
        ),
    ];
    let (words, report) = world.play(tick(7));
    assert_eq!(words[3..], ["PUT mark", "GET mark", "LIST", "PUT mark", "GET mark", "send 8 in 60 s"]);
    assert_eq!(report.step, Some((Step::Continue, 8)));
}

#[test]
fn a_sweep_whose_number_has_gone_on_writes_swept_alone() {
    let mut world = World::new();
    let read = MarkRead { mark: world.mark.clone(), now: at(1_000) };
    world.mark.mark.as_mut().unwrap().tick = Some(9);
    world.mark.etag = Some("f".into());
    let control = Control { now: at(1_000), mark: read.mark.etag.clone(), ..Control::default() };
    world.instead = vec![("GET mark", Answer::Mark(Box::new(read))), ("GET status", Answer::Control(control))];
    let (words, report) = world.play(tick(7));
    assert_eq!(words[2..], ["sweep", "PUT mark", "GET mark", "LIST", "PUT mark"]);
    assert_eq!((report.step, report.course), (None, Course::Swept));
    assert_eq!((world.said().tick, world.said().swept), (Some(9), Some(at(1_000))));
}

#[test]
fn a_mark_that_cannot_be_written_keeps_back_no_message_and_the_tick_comes_again() {
    let mut world = World { sends: true, instead: vec![("PUT mark", failed())], ..World::new() };
    let (words, report) = world.play(tick(7));
    assert_eq!(words[3..], ["PUT mark", "deliver"]);
    assert!(report.fails_ticks(), "{report:?}");
}

#[test]
fn what_cannot_be_read_decides_nothing() {
    for (breaks, words) in [("GET mark", 1), ("GET status", 2)] {
        let mut world = World { instead: vec![(breaks, failed())], ..World::new() };
        let (did, report) = world.play(tick(7));
        assert_eq!((did.len(), report.course), (words, Course::Failed), "{did:?}");
        assert!(report.fails_ticks());
    }
}

#[test]
fn who_finds_the_mark_changed_each_time_gives_up() {
    let mut world = World::new();
    world.instead = (0..20).map(|_| ("PUT mark", Answer::Wrote(Wrote::Refused))).collect();
    let (words, report) = world.play(tick(7));
    assert_eq!(words.iter().filter(|word| *word == "PUT mark").count(), 6);
    assert!(report.fails_ticks() && report.errors.len() == 1, "{report:?}");
}

#[test]
fn a_lock_that_was_put_while_somebody_started_the_loop_is_taken_away_and_nothing_is_purged() {
    let mut world = World { stop: Some(990), ..World::new() };
    world.instead = vec![
        ("PUT mark", Answer::Wrote(Wrote::Refused)),
        ("LIST", {
            let lock = Some(Listed { at: at(1_000), etag: "l".into() });
            let mark = world.mark.etag.clone();
            Answer::Control(Control { now: at(1_000), start: Some(at(991)), stop: Some(at(990)), lock, mark })
        }),
    ];
    let (words, report) = world.play(tick(7));
    let after = ["PUT lock", "PUT mark", "GET mark", "LIST", "GET lock", "DELETE lock l", "PUT mark", "send 8 in 0 s"];
    assert_eq!(words[3..], after);
    assert_eq!((report.stopped, report.is_purged), (None, false));
    assert_eq!(world.said().purged, None);
}

#[test]
fn that_a_status_must_not_be_used_is_told_last_and_noted_in_the_mark_as_it_is_by_then() {
    let newer = || Answer::Failed(Error::new(Kind::StatusNewer, "version 2"));
    let told = StatusTold { etag: "s".into(), channels: ["hook".to_string()].into() };
    let mut world = World::new();
    world.instead = vec![("sweep", newer()), ("tell", Answer::Told(Some(told.clone())))];
    let (words, report) = world.play(tick(7));
    let told_last = ["GET mark", "GET status, LIST", "sweep", "PUT mark", "send 8 in 60 s", "tell"];
    assert_eq!(words, [&told_last[..], &["LIST", "GET mark", "PUT mark"]].concat());
    assert_eq!((report.course, report.step, report.errors.len()), (Course::Failed, Some((Step::Continue, 8)), 1));
    assert_eq!((world.said().tick, &world.said().told), (Some(8), &Some(told)));

    let mut world = World::new();
    world.instead = vec![("sweep", newer())];
    assert_eq!(world.play(tick(7)).0, told_last, "nobody new has taken it");
    let mut world = World::new();
    world.instead = vec![("sweep", failed())];
    assert_eq!(world.play(tick(7)).0, told_last[..5], "the store was in trouble");
}

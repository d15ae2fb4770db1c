//! The sweep on a real store: what it makes of what lies there, and what people are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::mark::Mark;
use pulse_echo_core::mute::Mute;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::{Fact, State};
use pulse_echo_core::store::Condition;
use pulse_echo_lambda::channel::Channel;
use pulse_echo_lambda::error::Kind;
use pulse_echo_lambda::outbox::entry::{Entry, Outcome, What};
use pulse_echo_lambda::tick::Course;
use pulse_echo_testkit::fleet::{Fleet, put_event, time};
use pulse_echo_testkit::store::id;
use pulse_echo_testkit::wire::Hook;
use serde_json::json;

const NOTHING: [&str; 0] = [];

#[test]
fn from_the_first_pulse_to_the_last_word() {
    let fleet = Fleet::new();
    fleet.pulse("web-1");
    let summary = fleet.at(5).sweep().unwrap();
    assert_eq!((summary.course, summary.checks), (Course::Swept, 1));
    assert_eq!(fleet.state("web-1"), State::New);
    fleet.echo("web-1").at(65).sweep().unwrap();
    assert_eq!((fleet.state("web-1"), fleet.words()), (State::Up, vec![]));

    fleet.sweep_until(600);
    fleet.pulse("web-1").at(602).fault("web-1", 600).at(660).sweep().unwrap();
    let told = fleet.told();
    let [What::Fact(Fact::Down(down))] = &told[..] else { panic!("{told:?}") };
    assert_eq!((down.since, down.state, down.echo), (time(602), State::Failing, Some(time(5))));
    assert_eq!(down.reason.as_deref(), Some("status 500, expected 200 (600)"));

    fleet.sweep_until(1_200);
    fleet.pulse("web-1").at(1_201).echo("web-1").at(1_260).sweep().unwrap();
    let told = fleet.told();
    let [What::Fact(Fact::Up { since, until, was: State::Failing, .. })] = &told[..] else { panic!("{told:?}") };
    assert_eq!((*since, *until), (time(602), time(1_201)));

    fleet.sweep_until(2_100);
    assert_eq!(fleet.words(), NOTHING);
    fleet.sweep_until(2_160);
    let told = fleet.told();
    let [What::Fact(Fact::Down(down))] = &told[..] else { panic!("{told:?}") };
    assert_eq!((down.since, down.state, down.pulse), (time(2_100), State::Silent, time(1_200)));
    let words: Vec<_> = down.words.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(words, ["load1=48.00", "uptime-s=3542400"], "its last words");

    fleet.remove(&Key::pulse(&id("web-1")));
    fleet.at(2_220).sweep().unwrap();
    fleet.at(2_280).sweep().unwrap();
    assert_eq!(fleet.words(), ["gone web-1"]);
    assert_eq!(fleet.status().lease, None);
    assert_eq!((fleet.mark().swept, fleet.mark().stopped), (Some(time(2_280)), None));
}

#[test]
fn of_a_machine_that_sends_under_another_name_the_old_names_silence_tells_the_new_one() {
    let fleet = Fleet::new();
    let send = |host: &str, machine: &str| {
        let metadata = [("instance".to_string(), machine.to_string())].into();
        let key = Key::pulse(&id(host));
        fleet.store().put(&key, "application/json", b"{}", &metadata, &Condition::Always).unwrap();
        fleet.echo(host);
    };
    fleet.at(5);
    send("web-1", "00aa");
    send("old", "00bb");
    fleet.at(60).sweep().unwrap();
    fleet.sweep_until(600);
    send("old", "00aa");
    send("another", "00cc");
    send("web-7", "00aa");
    fleet.sweep_until(905);
    assert_eq!(fleet.words(), NOTHING);
    fleet.at(965).sweep().unwrap();
    let told = fleet.told();
    let [What::Fact(Fact::Down(down))] = &told[..] else { panic!("{told:?}") };
    let words: Vec<_> = down.words.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!((down.check.to_string(), words), ("web-1".into(), vec!["now-as=web-7".to_string()]));
}

#[test]
fn a_stop_is_a_fact_of_the_store_and_told_once() {
    let fleet = Fleet::new();
    fleet.pulse("web-1").at(1).echo("web-1").at(60).sweep().unwrap();
    fleet.at(70).put(&Key::loop_stop(), b"");
    let summary = fleet.at(71).invoke(&put_event(&Key::loop_stop())).unwrap();
    assert_eq!(summary.course, Course::Stopped, "though a sweep is hardly over");
    assert_eq!((fleet.words(), fleet.mark().stopped), (vec!["stopped".to_string()], Some(time(70))));
    assert_eq!(fleet.keys("loop/"), ["loop/Loop.lock", "loop/Stop.lambda", "loop/Update.json"]);
    for event in [json!({}), put_event(&Key::loop_update()), put_event(&Key::loop_stop())] {
        assert_eq!(fleet.at(3_000).invoke(&event).unwrap().course, Course::Stopped);
    }
    assert_eq!((fleet.words(), fleet.mark().swept), (vec![], Some(time(60))));

    fleet.at(3_001).put(&Key::loop_start(), b"");
    fleet.put(&Key::loop_stop(), b"");
    assert_eq!(fleet.sweep().unwrap().course, Course::Stopped, "a tie is a stop");
    fleet.at(3_002).put(&Key::loop_start(), b"");
    assert_eq!(fleet.at(3_003).invoke(&put_event(&Key::loop_start())).unwrap().course, Course::Swept);
    assert_eq!(fleet.words()[0], "started");
    assert_eq!(fleet.keys("loop/"), ["loop/Start.lambda", "loop/Stop.lambda", "loop/Update.json"]);
    assert_eq!(fleet.mark().stopped, None);
}

#[test]
fn our_lock_counts_with_its_stop_and_one_put_by_hand_with_its_own_time() {
    let fleet = Fleet::new();
    fleet.put(&Key::loop_lock(), b"maintenance");
    assert_eq!(fleet.at(5).sweep().unwrap().course, Course::Stopped);
    assert_eq!(fleet.mark().stopped, Some(time(0)));
    fleet.remove(&Key::loop_lock());
    assert_eq!(fleet.at(60).sweep().unwrap().course, Course::Swept);
    assert_eq!(fleet.words(), ["stopped", "started"]);
    // Stopped at 100, which nobody saw before the start of 110; a slow sweep puts its lock at 120.
    let lock = format!("{{\"stop\": \"{}\"}}", time(100));
    fleet.at(110).put(&Key::loop_start(), b"");
    fleet.at(120).put(&Key::loop_lock(), lock.as_bytes());
    assert_eq!(fleet.at(130).sweep().unwrap().course, Course::Swept);
    assert_eq!(fleet.keys("loop/"), ["loop/Start.lambda", "loop/Update.json"], "the old lock is removed");
    fleet.at(200).put(&Key::loop_lock(), b"");
    assert_eq!(fleet.at(201).sweep().unwrap().course, Course::Stopped);
}

#[test]
fn what_is_owed_is_delivered_though_the_loop_is_stopped() {
    let fleet = Fleet::new();
    fleet.pulse("web-1").at(1).fault("web-1", 0);
    *fleet.hook.answer.lock().unwrap() = Some(Outcome::NotTaken { taken: 0, after: None, why: "HTTP 500".into() });
    assert_eq!(fleet.at(5).sweep().unwrap().taken["hook"], 0);
    *fleet.hook.answer.lock().unwrap() = None;
    fleet.at(10).put(&Key::loop_stop(), b"");
    fleet.at(11).sweep().unwrap();
    assert_eq!(fleet.words(), NOTHING, "the channel is left alone for a while");
    fleet.at(60).sweep().unwrap();
    assert_eq!(fleet.words(), ["failing web-1", "stopped"]);
}

#[test]
fn who_asks_for_a_test_has_a_channel_tried_at_once_that_was_left_alone() {
    let fleet = Fleet::new();
    fleet.pulse("web-1").at(1).fault("web-1", 0);
    *fleet.hook.answer.lock().unwrap() = Some(Outcome::NotTaken { taken: 0, after: None, why: "HTTP 500".into() });
    fleet.at(2).sweep().unwrap();
    *fleet.hook.answer.lock().unwrap() = None;
    fleet.at(12).invoke(&put_event(&Key::loop_test())).unwrap();
    assert_eq!(fleet.words(), ["failing web-1", "test"]);
}

#[test]
fn nothing_is_swept_within_the_least_interval() {
    let fleet = Fleet::new();
    for (second, course) in [(0, Course::Swept), (29, Course::TooSoon), (30, Course::Swept), (59, Course::TooSoon)] {
        assert_eq!(fleet.at(second).sweep().unwrap().course, course, "{second}");
    }
}

#[test]
fn a_test_message_goes_out_stopped_or_not_and_sweeps_nothing() {
    let fleet = Fleet::new();
    fleet.pulse("web-1");
    assert_eq!(fleet.invoke(&put_event(&Key::loop_test())).unwrap().course, Course::TooSoon);
    assert_eq!((fleet.words(), fleet.status().checks.len()), (vec!["test".to_string()], 0));
    fleet.at(10).put(&Key::loop_stop(), b"");
    fleet.at(11).invoke(&put_event(&Key::loop_test())).unwrap();
    assert_eq!(fleet.words(), ["stopped", "test"]);
}

#[test]
fn what_the_loop_puts_itself_does_not_wake_it() {
    let fleet = Fleet::new();
    assert_eq!(fleet.invoke(&put_event(&Key::mark())).unwrap().course, Course::Nothing);
    assert_eq!(fleet.wire.count(""), 0);
}

#[test]
fn a_mute_holds_what_is_told_and_may_be_put_again() {
    let fleet = Fleet::new();
    let mute = |for_s| Mute { for_s, reason: Some("new disks".into()), by: None }.to_json();
    fleet.put(&Key::mute(&id("web-1")), &mute(600));
    fleet.at(1).pulse("web-1/db").at(2).fault("web-1/db", 1).at(3).sweep().unwrap();
    assert_eq!((fleet.state("web-1/db"), fleet.words()), (State::Failing, vec![]));
    // The same body has the same ETag.
    fleet.sweep_until(500);
    fleet.put(&Key::mute(&id("web-1")), &mute(600));
    fleet.sweep_until(1_099);
    assert_eq!(fleet.words(), NOTHING);
    fleet.sweep_until(1_100);
    fleet.sweep_until(1_130);
    assert_eq!(fleet.words(), ["silent web-1/db"]);
    fleet.put(&Key::mute(&id("web-1")), b"2h");
    assert_eq!(fleet.at(1_160).sweep().unwrap().unread, 0, "what is no mute mutes nothing");
}

#[test]
fn a_mute_that_cannot_be_read_mutes_until_it_is() {
    let fleet = Fleet::new();
    fleet.put(&Key::mute(&id("web-1")), b"{\"for_s\": 1}");
    fleet.at(10).pulse("web-1").at(11).fault("web-1", 10);
    *fleet.wire.fails.lock().unwrap() = Some("GET /pulses/mute/");
    assert_eq!(fleet.at(12).sweep().unwrap().unread, 1);
    assert_eq!(fleet.words(), NOTHING);
    *fleet.wire.fails.lock().unwrap() = None;
    fleet.at(60).sweep().unwrap();
    assert_eq!(fleet.words(), ["failing web-1"]);
}

#[test]
fn what_cannot_be_read_waits_for_the_next_sweep_and_spares_the_rest() {
    let fleet = Fleet::new();
    fleet.pulse("a").pulse("b").pulse("c").at(1).fault("a", 0).fault("b", 0).echo("c");
    *fleet.wire.fails.lock().unwrap() = Some("GET /pulses/fault/a.json");
    assert_eq!(fleet.at(2).sweep().unwrap().unread, 1);
    assert_eq!(fleet.words(), ["failing b"]);
    fleet.at(62).sweep().unwrap();
    assert_eq!(fleet.words(), ["failing a"], "in the sweep after, read or not");
    // The words of who falls silent cannot be had: they are waited for in one sweep only.
    *fleet.wire.fails.lock().unwrap() = Some("GET /pulses/pulse/c.json");
    fleet.sweep_until(900);
    fleet.words();
    fleet.sweep_until(960);
    assert!(!fleet.words().contains(&"silent c".into()));
    fleet.sweep_until(1_020);
    assert_eq!(fleet.words(), ["silent c"]);
}

#[test]
fn a_status_that_cannot_be_read_is_copied_aside_and_told_once() {
    let fleet = Fleet::new();
    fleet.pulse("web-1").at(1).echo("web-1");
    fleet.at(10).put(&Key::status(), b"{\"version\": 1, \"checks\": {");
    fleet.at(20).sweep().unwrap();
    let told = fleet.told();
    let [What::Fact(Fact::StatusUnreadable { copy, why })] = &told[..] else { panic!("{told:?}") };
    assert_eq!(copy, Key::status_bad(time(10)).as_str());
    assert!(why.contains("the text ends within"), "{why}");
    assert_eq!(
        fleet.store().get(&Key::status_bad(time(10)), 100).unwrap().body.unwrap(),
        b"{\"version\": 1, \"checks\": {"
    );
    assert_eq!(fleet.state("web-1"), State::Up);
    fleet.at(80).sweep().unwrap();
    assert_eq!(fleet.words(), NOTHING);
}

#[test]
fn a_status_of_a_newer_format_is_never_overwritten() {
    let fleet = Fleet::new();
    fleet.put(&Key::status(), b"{\"version\": 2}");
    let error = fleet.at(10).sweep().unwrap_err();
    assert!(error.kind == Kind::StatusNewer && error.message.contains("of version 2"), "{error}");
    assert_eq!(fleet.store().get(&Key::status(), 100).unwrap().body.unwrap(), b"{\"version\": 2}");
}

#[test]
fn a_status_is_written_on_a_change_or_every_ten_minutes() {
    let fleet = Fleet::new();
    fleet.pulse("web-1").at(1).echo("web-1");
    let mut writes = Vec::new();
    for second in (5..1_400).step_by(60) {
        let before = fleet.wire.count("PUT /pulses/status.json");
        fleet.at(second - 2).pulse("web-1").at(second - 1).echo("web-1").at(second).sweep().unwrap();
        if fleet.wire.count("PUT /pulses/status.json") > before {
            writes.push(second);
        }
    }
    assert_eq!(writes, [5, 605, 1_205]);
    let per_sweep = ["GET /pulses/status.json", "GET /pulses/?", "PUT /pulses/loop/Update.json"];
    assert_eq!(per_sweep.map(|request| fleet.wire.count(request)), [24, 24, 24], "one of each in a sweep");
    assert_eq!(fleet.wire.count("GET /pulses/echo/") + fleet.wire.count("GET /pulses/pulse/"), 1, "its limits, once");
}

#[test]
fn a_gap_of_the_store_itself_spares_who_was_due_in_it() {
    let fleet = Fleet::new();
    for host in ["a", "b", "c"] {
        fleet.at(0).pulse(host).at(1).echo(host);
    }
    fleet.at(60).sweep().unwrap();
    // Away for an hour; then a is back first, and b and c with their next pulses.
    fleet.at(3_660).pulse("a").at(3_661).echo("a").at(3_662).sweep().unwrap();
    assert_eq!(fleet.words(), ["gap"]);
    fleet.at(3_900).pulse("b").at(3_901).echo("b").sweep_until(4_260);
    assert_eq!(fleet.words(), NOTHING);
    fleet.at(4_261).pulse("a").at(4_320).sweep().unwrap();
    assert_eq!(fleet.words(), ["silent c"]);
}

/// A channel that does as its name says.
struct Other {
    name: &'static str,
    /// How many slow channels have begun to send.
    slow: Arc<AtomicUsize>,
    hook: Hook,
}

impl Channel for Other {
    fn name(&self) -> &'static str {
        self.name
    }

    fn send(&self, _: &[Entry], deadline: Instant) -> Outcome {
        match self.name {
            "dead" => Outcome::NotTaken { taken: 0, after: None, why: "the connection was refused".into() },
            "busy" => {
                let after = Some(Duration::from_secs(300));
                Outcome::NotTaken { taken: 0, after, why: "HTTP 429".into() }
            }
            "slow" | "slower" => {
                // A panic would be caught and count as no answer, which is expected here: `Taken` has the test fail.
                if deadline.saturating_duration_since(Instant::now()) > Duration::from_secs(20) {
                    return Outcome::Taken;
                }
                self.slow.fetch_add(1, Ordering::SeqCst);
                // Until the other slow channel has begun and the good one is done: so nobody waits for this one.
                while self.slow.load(Ordering::SeqCst) < 2 || self.hook.told.lock().unwrap().is_empty() {
                    if Instant::now() >= deadline {
                        return Outcome::Taken;
                    }
                    thread::sleep(Duration::from_millis(5));
                }
                Outcome::Ambiguous { taken: 0, why: "no answer in time".into() }
            }
            _ => panic!("it panics"),
        }
    }
}

#[test]
fn a_dead_a_slow_a_busy_and_a_panicking_channel_do_not_delay_the_others() {
    let fleet = Fleet::new();
    fleet.pulse("web-1").at(1).fault("web-1", 0).at(2);
    let (slow, names) = (Arc::new(AtomicUsize::new(0)), ["dead", "busy", "slow", "slower", "mad"]);
    let other = |name| Box::new(Other { name, slow: slow.clone(), hook: fleet.hook.clone() });
    let mut channels: Vec<_> = names.map(|name| other(name) as Box<dyn Channel>).into();
    channels.push(Box::new(fleet.hook.clone()));
    fleet.invoke_over(&channels, &json!({}), Duration::from_secs(30)).unwrap();
    assert_eq!(fleet.words(), ["failing web-1"]);
    let status = fleet.status();
    let owed: Vec<_> = status.outbox[0].owed.iter().map(String::as_str).collect();
    assert_eq!((owed, status.lease.as_ref()), (vec!["busy", "dead", "mad", "slow", "slower"], None));
    let waits = |name: &str| time(2).age(status.channels[name].until).as_secs();
    assert!((30..=36).contains(&waits("dead")) && (300..=306).contains(&waits("busy")), "{:?}", status.channels);
}

#[test]
fn a_mark_that_cannot_be_read_begins_anew() {
    let fleet = Fleet::new();
    fleet.put(&Key::mark(), b"not a mark");
    assert_eq!(fleet.at(10).sweep().unwrap().course, Course::Swept);
    assert_eq!(fleet.mark().swept, Some(time(10)));
}

#[test]
fn a_mark_that_another_loop_changes_meanwhile_keeps_what_it_wrote() {
    for is_there in [false, true] {
        let fleet = Fleet::new();
        if is_there {
            fleet.at(10).sweep().unwrap();
        }
        let theirs = Mark { tick: Some(7), ..Mark::default() };
        fleet.another_puts("PUT /pulses/loop/Update.json", &Key::mark(), &theirs.to_json());
        let before = fleet.wire.count("PUT /pulses/loop/Update.json");
        assert_eq!(fleet.at(70).sweep().unwrap().course, Course::Swept);
        assert_eq!(fleet.wire.count("PUT /pulses/loop/Update.json") - before, 2, "refused, and then on theirs");
        assert_eq!((fleet.mark().tick, fleet.mark().swept), (Some(7), Some(time(70))), "{is_there}");
    }
}

#[test]
fn a_lock_that_an_operator_puts_while_ours_is_removed_stays() {
    let fleet = Fleet::new();
    fleet.put(&Key::loop_lock(), format!("{{\"stop\": \"{}\"}}", time(0)).as_bytes());
    fleet.at(10).put(&Key::loop_start(), b"");
    fleet.at(20).another_puts("DELETE /pulses/loop/Loop.lock", &Key::loop_lock(), b"maintenance");
    assert_eq!(fleet.sweep().unwrap().course, Course::Swept);
    assert_eq!(fleet.at(60).sweep().unwrap().course, Course::Stopped);
    assert_eq!(fleet.mark().stopped, Some(time(20)));
}

#[test]
fn a_lock_that_was_put_by_hand_is_left_alone_and_counts_no_longer() {
    let fleet = Fleet::new();
    fleet.put(&Key::loop_lock(), b"");
    assert_eq!(fleet.at(5).sweep().unwrap().course, Course::Stopped);
    fleet.at(10).put(&Key::loop_start(), b"");
    assert_eq!(fleet.at(20).sweep().unwrap().course, Course::Swept);
    assert_eq!(fleet.keys("loop/"), ["loop/Loop.lock", "loop/Start.lambda", "loop/Update.json"]);
    let before = fleet.wire.count("");
    assert_eq!(fleet.at(80).sweep().unwrap().course, Course::Swept);
    assert_eq!(fleet.wire.count("") - before, 4, "it is not read each time");
}

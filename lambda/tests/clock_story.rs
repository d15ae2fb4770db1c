//! A store whose clock was ahead and is set right, over the embedded S3: what is told, and when. Seconds are those of
//! the right clock.

use pulse_echo_core::mute::Mute;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::State;
use pulse_echo_lambda::outbox::entry::Outcome;
use pulse_echo_testkit::fleet::{Fleet, put_event, time};
use pulse_echo_testkit::store::id;

const HOURS: i64 = 7_200;
const YEAR: i64 = 31_536_000;

/// A pulse of a host, and its echo.
fn answered(fleet: &Fleet, host: &str) {
    fleet.pulse(host).echo(host);
}

/// A fleet that swept while its clock was ahead by so much, and then was set right, at second 0.
fn was_ahead(by: i64) -> Fleet {
    let fleet = Fleet::new();
    fleet.at(by - 120);
    for host in ["web-1", "web-2", "web-3"] {
        answered(&fleet, host);
    }
    fleet.at(by - 60).sweep().unwrap();
    fleet.at(by - 20).pulse("web-3").fault("web-3", by - 20);
    fleet.at(by - 10).sweep().unwrap();
    assert_eq!(fleet.words(), ["failing web-3"]);
    fleet.at(0);
    fleet
}

#[test]
fn after_two_hours_or_a_year_it_is_told_once_and_a_silence_and_a_fault_are_told_in_time() {
    for by in [HOURS, YEAR] {
        let fleet = was_ahead(by);
        fleet.at(30).sweep().unwrap();
        assert_eq!(fleet.words(), ["set-back"], "what was failing is, and nothing else is new");
        assert_eq!(fleet.state("web-3"), State::Failing);
        for second in [100, 700, 1_300] {
            fleet.sweep_until(second);
            answered(&fleet, "web-1");
            // web-3 is repaired, web-1 breaks.
            answered(&fleet, "web-3");
            assert_eq!(fleet.state("web-3"), if second == 100 { State::Failing } else { State::Up });
        }
        assert_eq!(fleet.words(), ["up web-3", "silent web-2"], "web-2 has sent nothing since the clock was set right");
        fleet.at(1_310).pulse("web-1").fault("web-1", 1_310);
        fleet.at(1_340).sweep().unwrap();
        assert_eq!(fleet.words(), ["failing web-1"]);
        fleet.at(1_350).pulse("web-2").echo("web-2").at(1_400).sweep().unwrap();
        assert_eq!(fleet.words(), ["up web-2"]);
    }
}

#[test]
fn a_silence_counts_from_when_the_clock_was_set_right_also_once_the_old_time_has_come() {
    let fleet = was_ahead(HOURS);
    fleet.sweep_until(920);
    assert_eq!(fleet.words(), ["set-back"]);
    fleet.sweep_until(980);
    assert_eq!(fleet.state("web-2"), State::Silent);
    fleet.told();
    fleet.sweep_until(HOURS + 200);
    assert_eq!(
        [fleet.state("web-1"), fleet.state("web-2")],
        [State::Silent; 2],
        "their pulses are new by their time alone"
    );
    assert_eq!(fleet.words(), [] as [&str; 0]);
}

#[test]
fn a_clock_that_goes_to_and_fro_is_told_again_only_after_an_hour() {
    let fleet = Fleet::new();
    let tells = |fleet: &Fleet| fleet.words().iter().filter(|word| *word == "set-back").count();
    let step_back_at = |second: i64| {
        fleet.at(second + 600);
        answered(&fleet, "web-1");
        fleet.sweep().unwrap();
        fleet.at(second + 60).sweep().unwrap();
        answered(&fleet, "web-1");
    };
    let mut told = vec![];
    for second in [0, 1_500, 3_000, 8_000] {
        step_back_at(second);
        told.push(tells(&fleet));
    }
    assert_eq!(told, [1, 0, 0, 1]);
}

#[test]
fn a_step_forward_is_told_as_time_without_sweeps_and_hosts_get_time_for_the_next_pulse() {
    let fleet = Fleet::new();
    answered(&fleet, "web-1");
    answered(&fleet, "web-2");
    fleet.sweep_until(60);
    fleet.at(HOURS).sweep().unwrap();
    assert_eq!(fleet.words(), ["gap"]);
    fleet.sweep_until(HOURS + 540);
    answered(&fleet, "web-1");
    fleet.sweep_until(HOURS + 720);
    assert_eq!(fleet.words(), ["silent web-2"]);
}

#[test]
fn a_mute_of_then_lasts_as_long_as_it_was_meant_to() {
    let fleet = was_ahead(HOURS);
    let mute = Mute { for_s: 1_800, ..Mute::default() };
    fleet.at(HOURS).put(&Key::mute(&id("web-2")), &mute.to_json());
    fleet.sweep().unwrap();
    fleet.at(30).sweep().unwrap();
    fleet.told();
    fleet.sweep_until(1_800);
    assert!(!fleet.words().contains(&"silent web-2".into()), "it is muted");
    fleet.sweep_until(1_890);
    assert_eq!(fleet.words(), ["silent web-2"]);
}

#[test]
fn a_start_after_a_stop_of_then_starts_and_a_stop_after_it_stops() {
    let fleet = was_ahead(HOURS);
    let put = |key: Key| {
        fleet.put(&key, b"");
        fleet.invoke(&put_event(&key)).unwrap().stopped
    };
    // The clock is wrong once more: a stop, and a lock by hand.
    fleet.at(HOURS);
    fleet.put(&Key::loop_lock(), b"");
    assert_eq!(put(Key::loop_stop()), Some(time(HOURS)));
    fleet.at(60).sweep().unwrap();
    assert_eq!(fleet.mark().stopped, Some(time(HOURS)));
    assert_eq!(put(Key::loop_start()), None);
    for second in [120, 180, 240] {
        assert_eq!(fleet.at(second).sweep().unwrap().stopped, None, "it stays started at {second}");
    }
    fleet.at(300);
    assert_eq!(put(Key::loop_stop()), Some(time(300)));
    assert_eq!(fleet.at(360).sweep().unwrap().stopped, Some(time(300)));
}

#[test]
fn what_is_owed_to_a_channel_that_was_left_alone_then_is_sent_at_once() {
    let fleet = Fleet::new();
    fleet.at(HOURS - 600);
    answered(&fleet, "web-1");
    fleet.sweep().unwrap();
    fleet.at(HOURS - 580).pulse("web-1").fault("web-1", HOURS - 580);
    let fails = Outcome::NotTaken { taken: 0, after: None, why: "it rains".into() };
    *fleet.hook.answer.lock().unwrap() = Some(fails);
    fleet.at(HOURS - 540).sweep().unwrap();
    assert!(fleet.status().channels["hook"].until > time(HOURS - 540));
    *fleet.hook.answer.lock().unwrap() = None;
    fleet.at(30).sweep().unwrap();
    assert_eq!(fleet.words(), ["failing web-1", "set-back"]);
    assert!(fleet.status().lease.is_none());
}

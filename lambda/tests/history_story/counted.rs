//! What is filed counts as downtime, but for what a mute covered and what is dark.

use pulse_echo_core::history::{Dark, Timeline, Uptime};
use pulse_echo_core::name::Key;
use pulse_echo_core::status::Gap;
use pulse_echo_testkit::fleet::{Fleet, time};
use serde_json::json;

use super::{fleet, id, outages};

/// What happens in a fleet at some time.
type Act = Box<dyn Fn(&Fleet)>;

#[test]
fn what_an_operators_mute_covered_from_beginning_to_end_does_not_count_however_often_it_was_put() {
    for (mutes, is_muted) in [
        (&[(90, 600)][..], true),
        // It began too late, or ended too early; put again in time, it covers all.
        (&[(101, 600)], false),
        (&[(90, 60)], false),
        (&[(90, 60), (140, 600)], true),
        (&[(90, 60), (160, 600)], false),
        (&[(90, 129)], false),
        (&[(90, 130)], true),
    ] {
        let fleet = Fleet::new();
        fleet.pulse("a").at(1).echo("a").at(60).sweep().unwrap();
        let mut acts: Vec<(i64, Act)> = vec![
            (
                100,
                Box::new(|fleet: &Fleet| {
                    fleet.fault("a", 0);
                }),
            ),
            (
                219,
                Box::new(|fleet: &Fleet| {
                    fleet.pulse("a");
                }),
            ),
            (
                220,
                Box::new(|fleet: &Fleet| {
                    fleet.echo("a");
                }),
            ),
        ];
        for &(at, for_s) in mutes {
            let mute = json!({ "for_s": for_s }).to_string();
            acts.push((at, Box::new(move |fleet: &Fleet| fleet.put(&Key::mute(&id("a")), mute.as_bytes()))));
        }
        acts.extend([120, 180, 240].map(|at| {
            let sweep: Act = Box::new(|fleet: &Fleet| drop(fleet.sweep().unwrap()));
            (at, sweep)
        }));
        acts.sort_by_key(|(at, _)| *at);
        for (at, act) in &acts {
            act(fleet.at(*at));
        }
        let history = fleet.history().unwrap();
        let past = &history.checks[&id("a")];
        assert_eq!((past.outages.len(), past.outages[0].muted), (1, is_muted), "{mutes:?}");
        assert_eq!(past.days.len(), usize::from(!is_muted));
        let dark = Dark::of(&history);
        let uptime = Timeline::of(&id("a"), None, &history, &dark).uptime(time(0), time(240));
        assert_eq!(uptime, Uptime { time_s: 180, down_s: if is_muted { 0 } else { 120 } }, "{mutes:?}");
    }
}

#[test]
fn a_mute_that_was_ended_during_an_outage_does_not_cover_it() {
    let (fleet, mute) = (Fleet::new(), Key::mute(&id("a")));
    fleet.pulse("a").at(1).echo("a").at(60).sweep().unwrap();
    fleet.at(90).put(&mute, b"{\"for_s\": 600}");
    fleet.at(100).fault("a", 0).at(120).sweep().unwrap();
    fleet.at(150).remove(&mute);
    fleet.at(180).sweep().unwrap();
    fleet.at(219).pulse("a").at(220).echo("a").at(240).sweep().unwrap();
    let past = &fleet.history().unwrap().checks[&id("a")];
    assert!(!past.outages[0].muted);
    assert_eq!(past.days.values().map(|day| day.down_s).sum::<u32>(), 120);
}

#[test]
fn a_stop_and_a_gap_are_dark_from_the_last_sweep_to_the_next_and_a_short_one_is_not() {
    let mut fleet = fleet();
    fleet.rules.tick_s = 60;
    fleet.sweep().unwrap();
    // 300 s without a sweep are no gap, one second more is.
    fleet.at(540).sweep().unwrap();
    fleet.at(841).pulse("a").echo("a").at(841).sweep().unwrap();
    fleet.at(850).put(&Key::loop_stop(), b"");
    fleet.at(900).sweep().unwrap();
    fleet.at(1_700).put(&Key::loop_start(), b"");
    fleet.at(1_800).pulse("a").echo("a").sweep().unwrap();
    fleet.at(1_860).sweep().unwrap();
    let dark = fleet.history().unwrap().dark;
    assert_eq!(dark, [Gap { from: time(540), until: time(1_800) }], "two that touch are one");
}

#[test]
fn a_retired_checks_outage_ends_with_the_sweep_that_finds_it_gone() {
    let fleet = Fleet::new();
    fleet.pulse("a").pulse("b").at(1).fault("a", 0).echo("b").at(60).sweep().unwrap();
    fleet.remove(&Key::pulse(&id("a")));
    fleet.at(120).sweep().unwrap();
    fleet.at(180).sweep().unwrap();
    assert_eq!(outages(&fleet, "a"), [(1, 180)]);
}

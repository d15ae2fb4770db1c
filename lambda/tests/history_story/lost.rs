//! A history that is lost, spoilt, too new, too large, or put back by hand; and what is too much.

use pulse_echo_core::history::History;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::{Fact, PastOutage, State, Unfiled, UnfiledOutage};
use pulse_echo_lambda::outbox::entry::What;
use pulse_echo_testkit::fleet::{Fleet, time};

use super::{fleet, id, outages};

/// What was told of the history since the last call.
fn trouble(fleet: &Fleet) -> Vec<String> {
    let told = fleet.told().into_iter().filter_map(|what| match what {
        What::Fact(Fact::HistoryTrouble { why }) => Some(why),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_history_that_was_deleted_or_spoilt_is_told_once_and_begins_anew_with_what_waits() {
    for spoilt in [None, Some(&b"{\"version\": 1"[..])] {
        let fleet = fleet();
        fleet.sweep().unwrap();
        fleet.at(300).sweep().unwrap();
        assert_eq!(trouble(&fleet), [""; 0]);
        match spoilt {
            None => fleet.remove(&Key::history()),
            Some(text) => fleet.put(&Key::history(), text),
        }
        fleet.at(1_000).fault("a", 219).at(1_020).sweep().unwrap();
        assert_eq!(trouble(&fleet), [""; 0], "nobody has looked");
        fleet.at(1_099).pulse("a").at(1_100).echo("a");
        fleet.sweep_until(1_400);
        let told = trouble(&fleet);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].starts_with("history.json is gone"), spoilt.is_none(), "{told:?}");
        let copies = fleet.keys("history-bad-");
        assert_eq!(copies.len(), usize::from(spoilt.is_some()), "{copies:?}");
        assert!(copies.iter().all(|copy| told[0].contains(copy.as_str())), "{told:?}: {copies:?}");
        assert_eq!((outages(&fleet, "a"), fleet.history().unwrap().since), (vec![(1_000, 1_100)], time(1_000)));
    }
}

#[test]
fn a_newer_history_and_one_that_is_too_large_are_told_once_and_never_overwritten() {
    let large = vec![b' '; 3_000];
    for unusable in [&b"{\"version\": 2, \"checks\": 7}"[..], &large] {
        let mut fleet = fleet();
        fleet.rules.history_size = 1_000;
        fleet.put(&Key::history(), unusable);
        fleet.sweep().unwrap();
        fleet.at(300);
        fleet.sweep_until(600);
        let told = trouble(&fleet);
        assert_eq!(told.len(), 1, "{told:?}");
        let there = fleet.store().get(&Key::history(), 9_999).unwrap().body.unwrap();
        assert_eq!(there, unusable);
        assert_eq!(fleet.status().unfiled.unwrap().outages.len(), 1, "it waits");
        // Mended by hand, all that waited is filed.
        fleet.put(&Key::history(), &History::new(time(0)).to_json());
        fleet.at(660).sweep().unwrap();
        assert_eq!(outages(&fleet, "a"), [(100, 220)]);
    }
}

#[test]
fn a_history_that_was_put_back_by_hand_has_nothing_twice() {
    let fleet = fleet();
    fleet.sweep().unwrap();
    let old = fleet.history().unwrap();
    fleet.at(300).sweep().unwrap();
    fleet.at(1_000).fault("a", 219).at(1_020).sweep().unwrap();
    fleet.at(1_099).pulse("a").at(1_100).echo("a").at(1_110).sweep().unwrap();
    assert_eq!(outages(&fleet, "a"), [(100, 220), (1_000, 1_100)]);
    fleet.put(&Key::history(), &old.to_json());
    fleet.at(1_170).sweep().unwrap();
    assert_eq!(outages(&fleet, "a"), [(100, 220), (1_000, 1_100)], "it still waited");
    // A status that is put back, or lost, is another matter: what is down is told anew, the history is untouched.
    let history = fleet.history().unwrap();
    fleet.remove(&Key::status());
    fleet.at(1_230);
    fleet.sweep_until(1_500);
    assert_eq!(fleet.history().unwrap(), history);
}

#[test]
fn too_many_that_wait_are_dropped_which_is_told_once() {
    let mut fleet = Fleet::new();
    fleet.rules.tick_s = 900;
    *fleet.wire.fails.lock().unwrap() = Some("PUT /pulses/history.json");
    fleet.pulse("a").at(1).echo("a").at(60).sweep().unwrap();
    // What 5,000 outages would have left.
    let mut status = fleet.status();
    let outage = |n: i64| UnfiledOutage {
        check: id("b"),
        first: time(-90_000),
        outage: PastOutage {
            from: time(10 * n - 90_000),
            until: time(10 * n - 89_995),
            state: State::Silent,
            cause: None,
            reason: None,
            muted: false,
        },
    };
    status.unfiled.as_mut().unwrap().outages = (0..5_000).map(outage).collect();
    fleet.put(&Key::status(), &status.to_json());
    for (round, told) in [(1, 1), (2, 0)] {
        let begins = 1_000 * round;
        fleet.at(begins).fault("a", 0).at(begins + 60).sweep().unwrap();
        fleet.at(begins + 99).pulse("a").at(begins + 100).echo("a").at(begins + 120).sweep().unwrap();
        assert_eq!(trouble(&fleet).len(), told, "{round}");
    }
    *fleet.wire.fails.lock().unwrap() = None;
    fleet.at(2_180).sweep().unwrap();
    fleet.at(2_240).sweep().unwrap();
    assert_eq!(fleet.status().unfiled, Some(Unfiled::default()));
    let past = &fleet.history().unwrap().checks[&id("b")];
    assert_eq!((past.outages.len(), past.days.values().map(|day| day.outages).sum::<u32>()), (50, 5_000));
}

//! What only all checks together show.

use super::*;
use crate::verdict::wave::{Wave, wave};
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{SeenFault, Told};

fn id(text: &str) -> CheckId {
    format!("{text}.json").try_into().unwrap()
}

fn record(state: State, since: i64, missing: bool) -> Record {
    let missing = missing.then(|| Missing { since: at(since), with_many: false });
    Record { state, since: at(since), missing, ..Record::new(at(0)) }
}

/// Some checks, each with its record, whether there is a pulse now, and its note.
type Fleet = Vec<(CheckId, Record, bool, Option<Time>)>;

fn vanish(fleet: &Fleet) -> bool {
    let observation = |has_pulse: bool, retired| Observation {
        pulse: has_pulse.then(|| Listed { at: at(0), etag: "p".into() }),
        retired,
        ..Observation::default()
    };
    let seen: Vec<_> = fleet.iter().map(|(_, _, has_pulse, note)| observation(*has_pulse, *note)).collect();
    let seen = fleet.iter().zip(&seen).map(|((id, record, ..), seen)| (id, Some(record), seen));
    many::vanish_with_many(seen, at(1_000))
}

/// Hosts of three checks each: `vanished` of them miss one pulse again, and `stay` miss none.
fn hosts(vanished: usize, stay: usize) -> Fleet {
    let check = |(host, number): (usize, usize)| {
        let misses = host < vanished && number == 1;
        (id(&format!("h{host}/{number}")), record(State::Up, 0, misses), !misses, None)
    };
    (0..vanished + stay).flat_map(|host| (0..3).map(move |number| (host, number))).map(check).collect()
}

#[test]
fn hosts_vanish_when_they_are_three_and_a_quarter_or_all_of_two_or_more() {
    for (vanished, stay, together) in
        [(0, 5, false), (1, 0, false), (2, 0, true), (2, 1, false), (3, 9, true), (3, 10, false), (12, 36, true)]
    {
        assert_eq!(vanish(&hosts(vanished, stay)), together, "{vanished} of {}", vanished + stay);
    }
    assert!(!vanish(&Vec::new()));
}

#[test]
fn a_host_that_loses_many_checks_is_one_host_and_has_not_vanished_with_others() {
    let mut fleet = hosts(0, 26);
    fleet.extend((0..12).map(|number| (id(&format!("big/{number}")), record(State::Up, 0, true), false, None)));
    assert!(!vanish(&fleet), "12 of 90 checks, but one of 27 hosts");
    let alone: Fleet = fleet.split_off(78);
    assert!(!vanish(&alone), "all checks of the only host");
}

#[test]
fn who_was_gone_just_before_counts_and_who_left_on_purpose_counts_on_neither_side() {
    let gone =
        |host: &str, since, retired| (id(host), Record { retired, ..record(State::Gone, since, false) }, false, None);
    let with = |more: Vec<(CheckId, Record, bool, Option<Time>)>| {
        let mut fleet = hosts(2, 8);
        fleet.extend(more);
        vanish(&fleet)
    };
    assert!(!with(vec![]));
    assert!(with(vec![gone("a", 100, false)]), "one more is just gone");
    assert!(!with(vec![gone("a", 99, false)]), "not if that is over 15 minutes ago");
    assert!(!with(vec![gone("a", 100, true)]), "nor if a note says why");
    let noted = |host: &str, note| (id(host), record(State::Up, 0, true), false, Some(at(note)));
    assert!(!with(vec![noted("b", 0)]) && with(vec![noted("b", -1)]));
    let mut two = hosts(2, 0);
    two.push(noted("c", 0));
    assert!(vanish(&two), "all but the host that is retired");
}

/// A check that is down, and told so this many seconds after the beginning; a new cause was told at `changed`.
fn down(check: &str, cause: Option<Cause>, told: i64, changed: Option<i64>) -> (CheckId, Record, bool) {
    let state = if cause.is_some() { State::Failing } else { State::Silent };
    let fault = Box::new(SeenFault { at: at(0), etag: "f".into(), pulse_at: None, cause, reason: None });
    let told = Told {
        at: at(told),
        next: at(told),
        step_s: 60,
        causes: vec![],
        changed: changed.map(at),
        back: false,
        anyway: false,
        to: None,
        host_since: None,
    };
    let outage = Some(Box::new(Outage { since: at(0), noticed: at(0), muted: None, told: Some(told) }));
    (id(check), Record { outage, fault: Some(fault), ..record(state, 0, false) }, false)
}

fn up(check: &str) -> (CheckId, Record, bool) {
    (id(check), record(State::Up, 0, false), false)
}

/// The wave a thousand seconds after the beginning.
fn found(checks: &[(CheckId, Record, bool)]) -> Option<Wave> {
    wave(&checks.iter().map(|(id, record, is_muted)| (id, record, *is_muted)), at(1_000)).1
}

#[test]
fn many_hosts_are_down_when_five_and_a_quarter_went_down_within_a_quarter_of_an_hour() {
    let many = |just: usize, before: usize, changed: usize, stay: usize| {
        let just = (0..just).map(|n| down(&format!("just{n}"), None, 100, None));
        let before = (0..before).map(|n| down(&format!("before{n}"), None, 99, None));
        let changed = (0..changed).map(|n| down(&format!("changed{n}"), None, 0, Some(100)));
        let stay = (0..stay).flat_map(|n| [up(&format!("up{n}")), up(&format!("up{n}/db"))]);
        found(&just.chain(before).chain(changed).chain(stay).collect::<Vec<_>>())
            .map(|wave| (wave.hosts, wave.of_hosts))
    };
    assert_eq!(many(5, 0, 0, 15), Some((5, 20)));
    assert_eq!(many(5, 0, 0, 16), None);
    assert_eq!(many(4, 1, 0, 0), None, "one went down before");
    assert_eq!(many(4, 0, 1, 0), Some((5, 5)), "a new cause counts as the beginning");
}

#[test]
fn a_host_counts_once_with_the_cause_of_most_of_its_checks() {
    let mut checks: Vec<_> = (0..4).map(|n| down(&format!("h{n}"), Some(Cause::Dns), 100, None)).collect();
    // A host of 15 checks is one host, and no wave.
    checks.extend((0..15).map(|n| down(&format!("big/{n}"), Some(Cause::Tls), 100, None)));
    assert_eq!(found(&checks[..3]).map(|wave| wave.hosts), None);
    assert_eq!(found(&checks[4..]), None);
    let wave = found(&checks).unwrap();
    assert_eq!((wave.hosts, wave.checks, wave.of), (5, 19, 19));
    assert_eq!((wave.why, wave.alike_hosts, wave.alike), ((State::Failing, Some(Cause::Dns)), 4, 4));
    // Of the same host, more are silent now, one of them for a day.
    checks.extend((0..16).map(|n| down(&format!("big/s{n}"), None, -86_400, None)));
    let wave = found(&checks).unwrap();
    assert_eq!((wave.hosts, wave.alike_hosts, wave.why.1), (5, 4, Some(Cause::Dns)));
}

#[test]
fn of_several_causes_of_as_many_hosts_silent_leads_and_then_the_first_by_name() {
    let two = |causes: [Option<Cause>; 2]| {
        let checks: Vec<_> = (0..6).map(|n| down(&format!("h{n}"), causes[n % 2], 100, None)).collect();
        found(&checks).unwrap().why
    };
    assert_eq!(two([Some(Cause::Connect), None]), (State::Silent, None));
    assert_eq!(two([Some(Cause::Status), Some(Cause::Connect)]), (State::Failing, Some(Cause::Connect)));
}

#[test]
fn a_host_whose_checks_are_all_muted_counts_on_neither_side() {
    let mut checks: Vec<_> = (0..5).map(|n| down(&format!("h{n}"), None, 100, None)).collect();
    checks.extend((0..16).map(|n| (up(&format!("up{n}")).0, up("x").1, n == 0)));
    assert_eq!(found(&checks).map(|wave| (wave.hosts, wave.of_hosts)), Some((5, 20)));
    checks[0].2 = true;
    assert_eq!(found(&checks), None);
    checks.push(up("up0/db"));
    checks[0].2 = false;
    assert_eq!(found(&checks), None, "of a host with one check that is not muted, that check counts");
}

#[test]
fn a_gap_is_a_long_time_without_a_sweep_in_which_no_pulse_came() {
    let gap = |swept: Option<i64>, pulses: &[i64], now: i64| {
        let pulses = pulses.iter().map(|&second| at(second));
        many::gap(swept.map(at), pulses, at(now), &Rules::default())
    };
    assert_eq!(gap(Some(0), &[-5, 0], 300), None);
    assert_eq!(gap(Some(0), &[-5, 0], 301), Some(Gap { from: at(0), until: at(301) }));
    assert_eq!(gap(None, &[], 10_000), None, "a new deployment");
    assert_eq!(gap(Some(0), &[200, 3_599], 3_600), None, "the store was there: only we were away");
    let back = Some(Gap { from: at(0), until: at(3_590) });
    assert_eq!(gap(Some(0), &[-5, 3_590, 3_599], 3_600), back, "pulses came again before the first sweep did");
    let after_a_pulse = Some(Gap { from: at(120), until: at(3_590) });
    assert_eq!(gap(Some(0), &[40, 120, 3_590], 3_600), after_a_pulse, "pulses came before the store was away");
    assert_eq!(gap(Some(0), &[121, 3_590], 3_600), None);
}

//! What is told of many, and of us.

use pulse_echo_core::status::{ManyTold, Unanswered};

use super::*;
use crate::verdict::wave::{Wave, Why};

fn tell(second: i64, act: impl FnOnce(&mut Teller)) -> Vec<Fact> {
    let (channels, rules) = (["sns".to_string()].into(), Rules::default());
    let mut new_id = || "id".to_string();
    let now = at(second);
    let mut teller = Teller { now, rules: &rules, channels: &channels, new_id: &mut new_id, messages: vec![] };
    act(&mut teller);
    teller.messages.into_iter().map(|message| message.fact).collect()
}

#[test]
fn each_stop_and_each_start_is_told_once() {
    let mut known = None;
    for (stopped, told) in [
        (None, vec![]),
        (Some(at(5)), vec![Fact::Stopped { at: at(5) }]),
        (Some(at(5)), vec![]),
        (Some(at(9)), vec![]),
        (None, vec![Fact::Started { stopped: at(9) }]),
        (None, vec![]),
    ] {
        assert_eq!(tell(10, |teller| teller.tell_stopped(&mut known, stopped)), told);
        assert_eq!(known, stopped);
    }
}

/// Checks that are unanswered since this second, and whether each is muted.
fn unanswered(known: &mut Option<Unanswered>, second: i64, checks: &[(&str, bool)]) -> Vec<Fact> {
    let ids: Vec<_> = checks.iter().map(|(check, _)| id(check)).collect();
    let record = down(State::Unanswered, 100);
    let checks: Vec<_> = ids.iter().zip(checks).map(|(id, (_, is_muted))| (id, &record, *is_muted)).collect();
    tell(second, |teller| teller.tell_unanswered(known, &checks))
}

#[test]
fn unanswered_is_one_message_about_us_told_again_after_a_while_and_when_the_hosts_have_doubled() {
    let mut known = None;
    assert_eq!(unanswered(&mut known, 300, &[("a", true)]), []);
    let first = unanswered(&mut known, 300, &[("a", true), ("b", false), ("b/db", false)]);
    let some = vec![id("b"), id("b/db")];
    assert_eq!(first, [Fact::Unanswered { since: at(100), checks: 2, hosts: 1, some, told: None }]);
    assert_eq!(unanswered(&mut known, 360, &[("b", false), ("b/c", false), ("b/d", false)]), [], "of the same host");
    let again = unanswered(&mut known, 420, &[("b", false), ("c", false)]);
    assert!(matches!(again[..], [Fact::Unanswered { hosts: 2, told: Some(_), .. }]), "{again:?}");
    assert_eq!(unanswered(&mut known, 480, &[("b", false), ("c", false), ("d", false)]), []);
    assert_eq!(unanswered(&mut known, 540, &[("b", false), ("c", false), ("d", false), ("e", false)]).len(), 1);
    let again = unanswered(&mut known, 300 + 4 * 3600, &[("b", false)]);
    assert!(matches!(&again[..], [Fact::Unanswered { told: Some(first), checks: 1, .. }] if *first == at(300)));
}

#[test]
fn unanswered_is_over_and_told_so_when_no_check_was_for_a_quarter_of_an_hour() {
    let mut known = None;
    unanswered(&mut known, 300, &[("a", false), ("b", false)]);
    assert_eq!(unanswered(&mut known, 360, &[]), []);
    assert_eq!(unanswered(&mut known, 1_259, &[]), []);
    assert_eq!(unanswered(&mut known, 1_260, &[("a", false)]), [], "it is the same trouble");
    assert_eq!(unanswered(&mut known, 1_320, &[]), []);
    let over = unanswered(&mut known, 1_320 + 900, &[]);
    assert_eq!(over, [Fact::Answered { since: at(100), until: at(1_320), checks: 2, hosts: 2 }]);
    assert_eq!(unanswered(&mut known, 20_060, &[]), []);
}

#[test]
fn of_an_unanswered_that_a_loop_without_hosts_told_nothing_is_told_again_at_once() {
    let mut known = None;
    unanswered(&mut known, 300, &[("a", false)]);
    known.as_mut().unwrap().told_hosts = 0;
    assert_eq!(unanswered(&mut known, 360, &[("a", false), ("b", false)]), []);
    assert_eq!(unanswered(&mut known, 420, &["a", "b", "c", "d"].map(|host| (host, false))).len(), 1);
}

#[test]
fn vanished_hosts_are_told_once_again_when_they_have_doubled_and_when_none_is_missing() {
    let mut known = None;
    let mut vanished = |second: i64, hosts: usize, is_muted: bool| {
        let ids: Vec<_> = (0..hosts).map(|host| id(&format!("h{host}"))).collect();
        let missing: Vec<_> = ids.iter().map(|id| (id, is_muted)).collect();
        tell(second, |teller| teller.tell_vanished(&mut known, &missing, || (20, 10)))
    };
    assert_eq!(vanished(0, 3, true), []);
    let told = vanished(60, 3, false);
    assert!(
        matches!(&told[..], [Fact::Vanished { checks: 3, of: 20, hosts: 3, of_hosts: 10, some }] if some.len() == 3),
        "{told:?}"
    );
    assert_eq!(vanished(120, 5, false), []);
    assert!(matches!(vanished(180, 6, false)[..], [Fact::Vanished { hosts: 6, .. }]));
    assert_eq!(vanished(240, 1, false), []);
    let found = vanished(300, 0, false);
    assert_eq!(found, [Fact::Found { since: at(60), until: at(300), checks: 6, hosts: 6 }]);
    assert_eq!(vanished(360, 0, false), []);
}

/// A wave of so many hosts with one cause.
fn wave(hosts: usize, why: Why) -> Wave {
    Wave { hosts, of_hosts: 40, checks: hosts, of: 40, why, alike_hosts: hosts, alike: hosts }
}

/// Whom a message tells that tells a host down.
fn to(tells_down: bool) -> BTreeSet<String> {
    tells_down.then(|| "slack".to_string()).into_iter().collect()
}

const FAILING: Why = (State::Failing, Some(Cause::Status));
const SILENT: Why = (State::Silent, None);

#[test]
fn a_wave_is_told_once_again_when_it_has_doubled_and_when_a_new_cause_leads() {
    let mut status = Status::new(at(0));
    let mut told = |second: i64, left: usize, wave: Option<Wave>, tells_down: bool| {
        let facts = tell(second, |teller| teller.tell_many_down(&mut status, (left, wave.as_ref()), to(tells_down)));
        let hosts = facts.into_iter().map(|fact| if let Fact::ManyDown { hosts, .. } = fact { hosts } else { 0 });
        (
            hosts.collect::<Vec<_>>(),
            status.many_down.map(pulse_echo_core::clock::Time::as_second),
            status.many_told.clone(),
        )
    };
    let note =
        |hosts, causes: &[&str]| Some(ManyTold { hosts, causes: causes.iter().map(ToString::to_string).collect() });
    let second = |second: i64| Some(at(second).as_second());
    assert_eq!(told(0, 12, Some(wave(12, FAILING)), false), (vec![], None, None), "a first line is of a message");
    assert_eq!(told(60, 12, Some(wave(12, FAILING)), true), (vec![12], second(60), note(12, &["status"])));
    assert_eq!(told(120, 23, Some(wave(23, FAILING)), true).0, [] as [usize; 0]);
    assert_eq!(told(180, 24, Some(wave(24, FAILING)), true).0, [24]);
    assert_eq!(told(240, 24, Some(wave(24, SILENT)), true), (vec![24], second(240), note(24, &["status", "silent"])));
    assert_eq!(told(300, 24, Some(wave(24, FAILING)), true).0, [] as [usize; 0], "it was told before");
    assert_eq!(told(360, 13, Some(wave(13, FAILING)), true).0, [] as [usize; 0]);
    assert_eq!(told(420, 12, Some(wave(12, FAILING)), false), (vec![], None, None), "half are left: it is forgotten");
    assert_eq!(told(480, 12, Some(wave(12, FAILING)), true).0, [12]);
    assert_eq!(told(540, 7, None, false).2, note(12, &["status"]), "more than half are left, if they are not many");
    assert_eq!(told(600, 12, Some(wave(12, FAILING)), true).0, [] as [usize; 0], "so it is the same wave");
    assert_eq!(told(660, 6, None, false), (vec![], None, None));
}

#[test]
fn a_wave_that_a_loop_without_hosts_has_told_is_not_told_again() {
    let mut status = Status { many_down: Some(at(0)), ..Status::new(at(0)) };
    let mut told = |hosts: usize| {
        tell(60, |teller| teller.tell_many_down(&mut status, (hosts, Some(&wave(hosts, SILENT))), to(true))).len()
    };
    assert_eq!([told(12), told(12), told(24)], [0, 0, 1]);
}

#[test]
fn without_a_channel_nothing_is_kept() {
    let (channels, rules) = (Audiences::default(), Rules::default());
    let mut new_id = || unreachable!("no id is needed");
    let mut teller = Teller { now: at(0), rules: &rules, channels: &channels, new_id: &mut new_id, messages: vec![] };
    teller.tell(Fact::Test);
    assert_eq!(teller.messages, []);
}

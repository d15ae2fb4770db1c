//! Who is told of what, from the beginning of an outage to its end.

use pulse_echo_core::environment::Environment;

use super::*;
use crate::outbox::attempt::due_each;
use crate::outbox::audience::Audience;
use crate::outbox::entry::Course;

/// Slack, which takes everything, and a pager with these patterns and states.
fn channels(only: &'static str, states: &'static str) -> Audiences {
    let lookup = |name: &str| match name {
        "PAGER_ONLY" => Some(only.to_string()),
        "PAGER_STATES" => Some(states.to_string()),
        _ => None,
    };
    let pager = Audience::read(Environment::new(&lookup), "PAGER", false).unwrap();
    [("slack".to_string(), Audience::default()), ("pager".to_string(), pager)].into_iter().collect()
}

/// A host with two checks, `web` and `web/db`.
fn web() -> Fleet {
    let host_of = |check| if check == 0 { "web.json".into() } else { "web/db.json".into() };
    Fleet { host_of, ..Fleet::of(vec![Objects::answered(0); 2]) }
}

/// What each message of this sweep says, and who owes it.
fn told(messages: &[Message]) -> Vec<String> {
    let kind = |fact: &Fact| match fact {
        Fact::Down(_) => "down",
        Fact::StillDown { .. } => "still",
        Fact::Up { .. } => "up",
        Fact::Gone { .. } => "gone",
        Fact::ManyDown { .. } => "many",
        _ => "other",
    };
    let of = |fact: &Fact| fact.check().map_or_else(String::new, |check| format!(" {check}"));
    let to = |message: &Message| message.owed.iter().cloned().collect::<Vec<_>>().join("+");
    messages.iter().map(|message| format!("{}{}: {}", kind(&message.fact), of(&message.fact), to(message))).collect()
}

/// What a channel is sent of these messages, by the status of their sweep.
fn courses(fleet: &mut Fleet, channel: &str, messages: &[Message], second: i64) -> Vec<Course> {
    fleet.status.outbox = messages.to_vec();
    let attempt = due_each(&fleet.status, channel, at(second));
    fleet.status.outbox.clear();
    attempt.into_iter().flat_map(|attempt| attempt.entries).filter_map(|entry| entry.course).collect()
}

#[test]
fn a_hosts_outage_lasts_for_each_channel_until_the_last_check_that_it_was_told_of_is_up() {
    let (mut fleet, channels) = (web(), channels("*/db", ""));
    fleet.sweep_for(&channels, 0, 2);
    fleet.checks[1] = Objects::failed(600);
    let began = fleet.sweep_for(&channels, 542, 602);
    assert_eq!(told(&began), ["down web/db: pager+slack"]);
    fleet.checks[0] = Objects::failed(900);
    let more = fleet.sweep_for(&channels, 842, 902);
    assert_eq!(told(&more), ["down web: slack"]);
    let host_since = courses(&mut fleet, "slack", &began, 602)[0].host_since;
    let second = courses(&mut fleet, "slack", &more, 902).remove(0);
    assert_eq!((second.host_since, second.is_last), (host_since, false), "the host is down already");
    assert_eq!(second.next, Some(at(902 + 4 * 3_600)));

    fleet.checks[1] = Objects::answered(1_200);
    let ends = fleet.sweep_for(&channels, 1_142, 1_202);
    assert_eq!(told(&ends), ["up web/db: pager+slack"]);
    let is_last = |fleet: &mut Fleet, channel, messages: &[Message], second| {
        let course = courses(fleet, channel, messages, second).remove(0);
        (course.host_since, course.is_last)
    };
    assert_eq!(is_last(&mut fleet, "pager", &ends, 1_202), (host_since, true), "it knows of no other");
    assert_eq!(is_last(&mut fleet, "slack", &ends, 1_202), (host_since, false));
    // A check that goes down meanwhile belongs to the outage that lasts.
    fleet.checks[1] = Objects::failed(1_500);
    let again = fleet.sweep_for(&channels, 1_442, 1_502);
    assert_eq!(is_last(&mut fleet, "pager", &again, 1_502), (host_since, false));
    fleet.checks = vec![Objects::answered(1_800); 2];
    let ends = fleet.sweep_for(&channels, 1_742, 1_802);
    assert_eq!(told(&ends), ["up web: slack", "up web/db: pager+slack"]);
    assert!(courses(&mut fleet, "slack", &ends, 1_802).iter().all(|course| course.is_last));
    fleet.checks[0] = Objects::failed(2_100);
    let new = fleet.sweep_for(&channels, 2_042, 2_102);
    assert!(courses(&mut fleet, "slack", &new, 2_102)[0].host_since > host_since, "a new outage");
}

#[test]
fn the_end_goes_to_whom_the_beginning_went_though_the_settings_have_changed() {
    let mut fleet = web();
    fleet.checks.truncate(1);
    fleet.sweep_for(&channels("", ""), 0, 2);
    fleet.checks[0] = Objects::failed(600);
    assert_eq!(told(&fleet.sweep_for(&channels("", ""), 542, 602)), ["down web: pager+slack"]);
    fleet.checks[0] = Objects::answered(1_200);
    assert_eq!(told(&fleet.sweep_for(&channels("db-*", ""), 1_142, 1_202)), ["up web: pager+slack"]);
    fleet.checks[0] = Objects::failed(1_800);
    assert_eq!(told(&fleet.sweep_for(&channels("db-*", ""), 1_742, 1_802)), ["down web: slack"]);
    fleet.checks[0] = Objects::answered(2_400);
    assert_eq!(told(&fleet.sweep_for(&channels("", ""), 2_342, 2_402)), ["up web: slack"]);
}

#[test]
fn who_takes_reminders_alone_is_told_of_what_lasts_and_of_its_end() {
    let (mut fleet, channels) = (web(), channels("", "reminder,up"));
    fleet.sweep_for(&channels, 0, 2);
    fleet.checks[0] = Objects::failed(600);
    assert_eq!(told(&fleet.sweep_for(&channels, 542, 602)), ["down web: slack"]);
    fleet.checks = vec![Objects::failed(14_400), Objects::answered(14_400)];
    fleet.sweep_for(&channels, 14_342, 14_402);
    fleet.checks = vec![Objects::failed(15_002), Objects::answered(15_002)];
    assert_eq!(told(&fleet.sweep_for(&channels, 14_942, 15_004)), ["still web: pager+slack"]);
    fleet.checks = vec![Objects::answered(15_602); 2];
    assert_eq!(told(&fleet.sweep_for(&channels, 15_542, 15_604)), ["up web: pager+slack"]);
}

#[test]
fn that_many_went_down_is_told_to_those_who_are_told_a_host_down() {
    let mut fleet = Fleet::of(vec![Objects::answered(0); 8]);
    let channels = channels("h07", "");
    fleet.sweep_for(&channels, 0, 2);
    fleet.checks[..6].fill(Objects::failed(600));
    let messages = fleet.sweep_for(&channels, 542, 602);
    assert_eq!((told(&messages)[0].as_str(), messages.len()), ("many: slack", 7));
}

//! What becomes of the outbox where channels do not take it.

use pulse_echo_core::status::{Message, Muted};

use super::super::growth::{MESSAGES, count_all, keep_small};
use super::super::settle::settle;
use super::*;

/// A message of this second that these channels owe.
fn message(number: usize, second: i64, owed: &[&str], fact: Fact) -> Message {
    Message::new(format!("{number}-{second}"), at(second), owed.iter().map(ToString::to_string).collect(), fact)
}

fn went_down(check: &str, since: i64) -> Fact {
    let record = down(State::Failing, since);
    let change = Change { id: &id(check), before: None, is_muted: false, is_held: false, ack: None };
    Fact::Down(super::super::down(&change, &record, at(since)))
}

fn came_up(check: &str, since: i64, until: i64) -> Fact {
    let (steady, still) = (None, None);
    Fact::Up {
        check: id(check),
        since: at(since),
        until: at(until),
        was: State::Failing,
        cause: None,
        reason: None,
        steady,
        still,
        ack: None,
    }
}

fn keep(status: &mut Status, second: i64) {
    let mut count = 0;
    keep_small(status, at(second), &mut || {
        count += 1;
        format!("counted-{second}-{count}")
    });
}

#[test]
fn begin_and_end_are_joined_for_each_channel_that_was_told_nothing_of_it() {
    let mut status = Status::new(at(0));
    status.outbox = vec![
        message(1, 0, &["slack"], went_down("web-1", 0)),
        message(2, 60, &["slack", "sns"], came_up("web-1", 0, 50)),
        message(3, 60, &["slack", "sns"], went_down("web-2", 10)),
    ];
    keep(&mut status, 60);
    let ids: Vec<_> = status.outbox.iter().map(|message| message.id.as_str()).collect();
    assert_eq!(ids, ["2-60", "3-60"]);
    assert_eq!(status.outbox[0].whole, ["slack".to_string()].into());
    // Slack is told the whole outage, SNS, which was told its beginning, its end alone.
    let first = |channel: &str| due(&status, channel, at(60)).unwrap().entries.remove(0).what;
    assert!(matches!(first("slack"), What::Whole(_)));
    assert!(matches!(first("sns"), What::Fact(Fact::Up { .. })));
}

#[test]
fn an_end_that_came_while_somebody_else_was_sending_is_joined_in_the_next_sweep() {
    let mut status = Status::new(at(0));
    status.outbox = vec![
        message(1, 0, &["slack"], went_down("web-1", 0)),
        message(2, 60, &["slack"], came_up("web-1", 0, 50)),
        message(3, 120, &["slack"], went_down("web-2", 110)),
    ];
    // At second 60 a lease ran, so nothing was joined.
    keep(&mut status, 120);
    let ids: Vec<_> = status.outbox.iter().map(|message| message.id.as_str()).collect();
    assert_eq!(ids, ["2-60", "3-120"]);
    assert_eq!(status.outbox[0].whole, ["slack".to_string()].into());
}

#[test]
fn a_channel_that_takes_nothing_does_not_let_the_outbox_grow_and_no_host_is_lost() {
    let mut status = Status::new(at(0));
    for second in (0..100).map(|round| 60 * round) {
        for host in 0..1_000 {
            let check = format!("web-{host}/{second}");
            status.outbox.push(message(host, second, &["slack"], went_down(&check, second)));
        }
        keep(&mut status, second);
        assert!(status.outbox.len() <= MESSAGES, "{}", status.outbox.len());
    }
    assert!(status.to_json().len() < 5_000_000);
    let attempt = due(&status, "slack", at(10_000)).unwrap();
    let [Entry { what: What::Summary(summary), .. }] = &attempt.entries[..] else { panic!("{:?}", attempt.entries) };
    assert_eq!((summary.hosts.0.len(), summary.down[&State::Failing].checks), (1_000, 100_000));
    assert!(summary.hosts.0.values().all(|changes| changes.failing == 100));
    settle(&mut status, "slack", &attempt, &Outcome::Taken, at(10_000), "new");
    assert_eq!(status.outbox, []);
}

#[test]
fn what_a_mute_holds_is_not_counted_with_what_is_told() {
    let mut status = Status::new(at(0));
    status.mutes.insert(id("held"), Muted { etag: "m".into(), at: at(0), for_s: 600, reason: None, listed: None });
    status.outbox.push(message(0, 0, &["slack"], came_up("held", 0, 0)));
    status.outbox.extend((1..=MESSAGES).map(|n| message(n, 0, &["slack"], went_down(&format!("web-{n}"), 0))));
    keep(&mut status, 0);
    assert_eq!(status.outbox.len(), 2);
    assert_eq!(status.outbox[0].id, "0-0");
}

#[test]
fn a_channel_that_takes_its_messages_keeps_their_reasons_while_another_does_not() {
    let mut status = Status::new(at(0));
    let all = (0..MESSAGES).map(|n| message(n, 0, &["slack"], went_down(&format!("web-{n}"), 0)));
    status.outbox = all.collect();
    status.outbox.push(message(MESSAGES, 60, &["slack", "sns"], went_down("db", 60)));
    keep(&mut status, 60);
    let of_sns: Vec<_> = status.outbox.iter().filter(|message| message.owed.contains("sns")).collect();
    assert!(matches!(&of_sns[..], [Message { fact: Fact::Down(_), .. }]));
    assert_eq!(status.outbox.len(), 2);
}

#[test]
fn a_sweep_with_thousands_of_changes_keeps_counts_and_what_is_told_of_many() {
    let mut messages = vec![message(0, 0, &["slack"], Fact::Test)];
    let mut new_id = || "new".to_string();
    for n in 0..12_000 {
        messages.push(message(n, 0, &["slack"], went_down(&format!("web-{}", n % 7_000), 0)));
        count_all(&mut messages, &mut new_id);
        assert!(messages.len() <= MESSAGES + 1);
    }
    let counted = messages.iter().filter_map(|message| match &message.fact {
        Fact::Counted { hosts } => Some(hosts.sum().failing),
        Fact::Down(_) => Some(1),
        _ => None,
    });
    assert_eq!(counted.sum::<u32>(), 12_000);
    assert!(messages.iter().any(|message| message.fact == Fact::Test));
}

#[test]
fn an_entry_that_is_refused_five_times_is_replaced_by_a_plain_line_and_what_is_behind_it_arrives() {
    let mut status = Status::new(at(0));
    status.outbox = vec![
        message(1, 0, &["slack", "sns"], went_down("web-1/\"\"\"", 0)),
        message(2, 0, &["slack", "sns"], went_down("web-2", 0)),
    ];
    let refused = Outcome::Refused { taken: 0, why: "HTTP 413".into() };
    let mut now = 0;
    for round in 1..=5 {
        let attempt = due(&status, "slack", at(now)).unwrap();
        // The others would go in vain behind it.
        assert_eq!(attempt.entries.len(), if round == 1 { 2 } else { 1 });
        settle(&mut status, "slack", &attempt, &refused, at(now), "plain");
        assert_eq!(at(now).age(status.channels["slack"].until).as_secs(), 30, "time does not mend it");
        now += 30;
    }
    let attempt = due(&status, "slack", at(now)).unwrap();
    let expected = Fact::Refused { what: "down".into(), about: Some("web-1/\"\"\"".into()), why: "HTTP 413".into() };
    assert_eq!((attempt.entries.len(), &attempt.entries[0].what), (2, &What::Fact(expected)));
    assert_eq!(due(&status, "sns", at(now)).unwrap().entries.len(), 2, "the other channel is told it as it is");

    // A channel that refuses even that refuses everything: nothing more is lost, and it is left alone for longer.
    for _ in 0..12 {
        let attempt = due(&status, "slack", status.channels["slack"].until).unwrap();
        settle(&mut status, "slack", &attempt, &refused, at(now), "again");
    }
    assert_eq!(status.outbox.iter().filter(|message| message.owed.contains("slack")).count(), 2);
    assert_eq!(at(now).age(status.channels["slack"].until).as_secs(), 3_600);
}

#[test]
fn an_entry_that_is_taken_after_all_ends_the_count_of_refusals() {
    let mut status = Status::new(at(0));
    status.outbox = (1..=3).map(|n| message(n, 0, &["slack"], went_down(&format!("web-{n}"), 0))).collect();
    for _ in 0..4 {
        let attempt = due(&status, "slack", at(9_000)).unwrap();
        settle(&mut status, "slack", &attempt, &Outcome::Refused { taken: 0, why: "HTTP 400".into() }, at(0), "new");
    }
    let attempt = due(&status, "slack", at(9_000)).unwrap();
    settle(&mut status, "slack", &attempt, &Outcome::Taken, at(9_000), "new");
    assert!(status.channels.is_empty());
    assert_eq!(due(&status, "slack", at(9_000)).unwrap().entries.len(), 2);
}

/// The facts that a look at this second adds about channels.
fn trouble(status: &mut Status, second: i64) -> Vec<(Fact, Vec<String>)> {
    let (rules, mut new_id) = (Rules::default(), || "t".to_string());
    let channels = ["slack".to_string(), "sns".to_string()].into();
    let mut teller =
        Teller { now: at(second), rules: &rules, channels: &channels, new_id: &mut new_id, messages: vec![] };
    teller.tell_trouble(status);
    let messages = teller.take_messages();
    messages.into_iter().map(|message| (message.fact, message.owed.into_iter().collect())).collect()
}

#[test]
fn a_channel_that_takes_nothing_for_a_quarter_of_an_hour_is_told_over_the_others_and_so_is_its_end() {
    let mut status = Status::new(at(0));
    status.outbox = vec![message(1, 0, &["slack"], went_down("web-1", 0))];
    let attempt = due(&status, "slack", at(0)).unwrap();
    let vain = Outcome::NotTaken { taken: 0, after: None, why: "HTTP 500".into() };
    settle(&mut status, "slack", &attempt, &vain, at(0), "new");
    settle(&mut status, "slack", &attempt, &vain, at(600), "new");
    assert_eq!(trouble(&mut status, 899), []);
    let (channel, since, others) = ("slack".to_string(), at(0), vec!["sns".to_string()]);
    let fails = Fact::ChannelFails { channel: channel.clone(), since, why: "HTTP 500".into() };
    assert_eq!(trouble(&mut status, 900), [(fails, others.clone())]);
    assert_eq!(trouble(&mut status, 960), [], "once");
    settle(&mut status, "slack", &attempt, &Outcome::Taken, at(1_000), "new");
    let works = Fact::ChannelWorks { channel, since, until: at(1_000) };
    assert_eq!(trouble(&mut status, 1_060), [(works, others)]);
    assert_eq!((trouble(&mut status, 1_120), status.channels.len()), (vec![], 0));
}

#[test]
fn a_channel_that_owes_nothing_or_takes_some_is_in_no_trouble() {
    let mut status = Status::new(at(0));
    status.outbox = (1..=9).map(|n| message(n, 0, &["slack"], went_down(&format!("web-{n}"), 0))).collect();
    let some = Outcome::NotTaken { taken: 1, after: None, why: "HTTP 500".into() };
    for second in (0..=1_200).step_by(300) {
        let attempt = due(&status, "slack", at(second)).unwrap();
        settle(&mut status, "slack", &attempt, &some, at(second), "new");
        assert_eq!(trouble(&mut status, second), [], "{second}");
    }
    status.outbox.clear();
    assert_eq!(trouble(&mut status, 9_000), []);
}

use pulse_echo_core::answer::Cause;
use pulse_echo_core::status::{BackOff, Lease, Limits, Muted, SeenFault, Status};

use super::attempt::{Attempt, any_due, due, end_lease, may_send, settle};
use super::*;
use crate::outbox::entry::{ENTRIES, Outcome, What};

fn at(second: i64) -> Time {
    Time::from_second(1_795_248_000 + second)
}

fn id(text: &str) -> CheckId {
    format!("{text}.json").try_into().unwrap()
}

fn up(second: i64) -> Record {
    let limits = Some(Limits { etag: "p".into(), every_s: 600, limit_s: 900, faults_in_row: None });
    Record { state: State::Up, since: at(second), echo: Some(at(second)), limits, ..Record::new(at(second)) }
}

fn down(state: State, since: i64) -> Record {
    let outage = Some(Box::new(Outage { since: at(since), noticed: at(since), told: None }));
    Record { state, since: at(since), outage, ..up(0) }
}

fn failing(since: i64, cause: Option<Cause>) -> Record {
    let reason = cause.map(|cause| format!("{cause} it is"));
    let fault = Some(Box::new(SeenFault { at: at(since), etag: "f".into(), pulse_at: None, cause, reason }));
    Record { fault, in_row: 1, ..down(State::Failing, since) }
}

/// One check over several sweeps, with two channels.
struct Story {
    before: Option<Record>,
    is_muted: bool,
    rules: Rules,
    status: Status,
    ids: u32,
}

impl Story {
    fn new() -> Self {
        Self { before: None, is_muted: false, rules: Rules::default(), status: Status::new(at(0)), ids: 0 }
    }

    /// The messages of a sweep that finds the check in this state. An outage that was told goes on.
    fn sweep(&mut self, second: i64, mut after: Record) -> Vec<Fact> {
        if let (Some(lasting), Some(new)) = (self.before.as_ref().and_then(|r| r.outage.clone()), &mut after.outage) {
            *new = lasting;
        }
        let channels = ["slack".to_string(), "sns".to_string()].into();
        let mut new_id = || {
            self.ids += 1;
            format!("{:04}", self.ids)
        };
        let now = at(second);
        let mut teller = Teller { now, rules: &self.rules, channels: &channels, new_id: &mut new_id, messages: vec![] };
        let (is_muted, id) = (self.is_muted, id("web-1"));
        teller.tell_check(&Change { id: &id, before: self.before.as_ref(), is_muted, others: 2 }, &mut after);
        let messages = teller.messages;
        let facts = messages.iter().map(|message| message.fact.clone()).collect();
        self.status.outbox.extend(messages);
        self.before = Some(after);
        facts
    }

    fn attempt(&self, channel: &str, second: i64) -> Vec<(What, Vec<String>)> {
        let attempt = due(&self.status, channel, at(second)).unwrap_or(Attempt { entries: vec![], tells: vec![] });
        attempt.entries.into_iter().map(|entry| entry.what).zip(attempt.tells).collect()
    }

    fn take_all(&mut self, channel: &str, second: i64) {
        let attempt = due(&self.status, channel, at(second)).expect("it owes something");
        settle(&mut self.status, channel, &attempt, &Outcome::Taken, at(second));
    }
}

fn kinds(facts: &[Fact]) -> Vec<&'static str> {
    let kind = |fact: &Fact| match fact {
        Fact::Down(_) => "down",
        Fact::StillDown { changed: false, .. } => "still",
        Fact::StillDown { changed: true, .. } => "changed",
        Fact::Up { .. } => "up",
        Fact::Gone { .. } => "gone",
        _ => "other",
    };
    facts.iter().map(kind).collect()
}

#[test]
fn an_outage_is_told_once_with_what_was_seen_and_its_end_with_how_long() {
    let mut story = Story::new();
    assert_eq!(story.sweep(2, up(1)), []);
    let told = story.sweep(702, failing(700, Some(Cause::Status)));
    let [Fact::Down(down)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((down.since, down.state, down.cause, down.others), (at(700), State::Failing, Some(Cause::Status), 2));
    assert_eq!((down.reason.as_deref(), down.limit_s, down.echo), (Some("status it is"), Some(900), Some(at(0))));
    assert_eq!(story.sweep(762, failing(700, Some(Cause::Status))), []);
    let told = story.sweep(822, up(800));
    let (cause, reason) = (Some(Cause::Status), Some("status it is".into()));
    let (check, since, until, was) = (id("web-1"), at(700), at(800), State::Failing);
    assert_eq!(told, [Fact::Up { check, since, until, was, cause, reason, steady: None, still: None }]);
    assert_eq!(story.sweep(882, up(800)), []);
}

#[test]
fn reminders_come_after_four_hours_then_twice_as_late_up_to_a_day() {
    let mut story = Story::new();
    story.sweep(0, down(State::Silent, 0));
    let mut hours = Vec::new();
    for minute in 1..=(5 * 24 * 60) {
        let told = story.sweep(60 * minute, down(State::Silent, 0));
        if !told.is_empty() {
            assert_eq!(kinds(&told), ["still"]);
            hours.push(minute / 60);
        }
    }
    assert_eq!(hours, [4, 12, 28, 52, 76, 100]);
    let mut seldom = Story::new();
    seldom.rules.remind_s = 2 * 86_400;
    seldom.sweep(0, down(State::Silent, 0));
    for (day, told) in [(1, 0), (2, 1), (3, 0), (4, 1)] {
        assert_eq!(seldom.sweep(86_400 * day, down(State::Silent, 0)).len(), told, "day {day}");
    }
}

#[test]
fn a_new_cause_is_told_at_once_and_each_only_once() {
    let mut story = Story::new();
    let mut told = |second, record| kinds(&story.sweep(second, record)).join(" ");
    assert_eq!(told(0, failing(0, Some(Cause::Status))), "down");
    assert_eq!(told(60, failing(0, Some(Cause::Dns))), "changed");
    assert_eq!(told(120, failing(0, Some(Cause::Status))), "", "it was told before");
    assert_eq!(told(180, down(State::Silent, 0)), "changed");
    assert_eq!(told(240, down(State::Unanswered, 0)), "", "that is about us");
    assert_eq!(told(300, down(State::Silent, 0)), "");
}

#[test]
fn a_cause_that_is_read_later_is_no_new_one() {
    let mut story = Story::new();
    assert_eq!(kinds(&story.sweep(0, failing(0, None))), ["down"]);
    assert_eq!(story.sweep(60, failing(0, Some(Cause::Dns))), []);
    assert_eq!(kinds(&story.sweep(120, failing(0, Some(Cause::Tls)))), ["changed"]);
}

#[test]
fn an_outage_within_a_mute_is_never_told() {
    let mut story = Story::new();
    story.is_muted = true;
    assert_eq!(story.sweep(0, down(State::Silent, 0)), []);
    assert_eq!(story.sweep(20_000, down(State::Silent, 0)), [], "nor is it told again");
    assert_eq!(story.sweep(20_060, up(20_050)), []);
    story.is_muted = false;
    assert_eq!(story.sweep(20_120, up(20_050)), []);
}

#[test]
fn an_outage_that_outlasts_its_mute_is_told_then() {
    let mut story = Story::new();
    story.is_muted = true;
    story.sweep(0, down(State::Silent, 0));
    story.is_muted = false;
    let told = story.sweep(60, down(State::Silent, 0));
    assert!(matches!(&told[..], [Fact::Down(down)] if down.since == at(0)), "{told:?}");
    assert_eq!(kinds(&story.sweep(120, up(110))), ["up"]);
}

#[test]
fn the_end_of_an_outage_told_before_a_mute_is_held_until_its_end_and_no_new_outage_replaces_it() {
    let mut story = Story::new();
    story.sweep(0, failing(0, Some(Cause::Dns)));
    story.take_all("slack", 0);
    let mute = Muted { etag: "m".into(), at: at(10), for_s: 590, reason: None };
    story.status.mutes.insert(id("web-1"), mute);
    story.is_muted = true;
    assert_eq!(kinds(&story.sweep(60, up(50))), ["up"], "appended at once");
    assert_eq!(story.sweep(120, failing(110, Some(Cause::Dns))), []);
    assert!(
        story.attempt("slack", 599).is_empty()
            && story.attempt("sns", 599).is_empty()
            && !any_due(&story.status, at(599))
    );
    story.is_muted = false;
    assert_eq!(kinds(&story.sweep(600, failing(110, Some(Cause::Dns)))), ["down"]);
    let slack = story.attempt("slack", 600);
    assert!(matches!(&slack[..], [(What::Fact(Fact::Up { .. }), _), (What::Fact(Fact::Down(_)), _)]), "{slack:?}");
    let sns = story.attempt("sns", 600);
    assert!(matches!(&sns[..], [(What::Whole(Fact::Up { .. }), _), (What::Fact(Fact::Down(_)), _)]), "{sns:?}");
}

#[test]
fn gone_closes_a_told_outage_and_is_told_once() {
    let gone = |second| Record { state: State::Gone, since: at(second), ..Record::new(at(0)) };
    let mut story = Story::new();
    story.sweep(0, down(State::Silent, 0));
    let told = story.sweep(60, gone(60));
    assert_eq!(told, [Fact::Gone { check: id("web-1"), pulse: at(0), since: Some(at(0)), retired: false }]);
    assert_eq!(story.sweep(120, gone(60)), []);
    // Muted: told only if it ends what was told.
    for (before, told) in [(up(0), 0), (down(State::Silent, 0), 0)] {
        let mut story = Story::new();
        story.is_muted = true;
        story.sweep(0, before);
        assert_eq!(story.sweep(60, gone(60)).len(), told);
    }
}

#[test]
fn who_owes_both_tells_down_and_end_as_one_under_the_ends_id() {
    let mut story = Story::new();
    story.sweep(0, failing(0, Some(Cause::Dns)));
    story.take_all("sns", 0);
    story.sweep(60, failing(0, Some(Cause::Tls)));
    story.sweep(120, up(110));
    let slack = story.attempt("slack", 120);
    let [(What::Whole(Fact::Up { since, until, .. }), ids)] = &slack[..] else { panic!("{slack:?}") };
    assert_eq!((*since, *until, &ids[..]), (at(0), at(110), &["0001".to_string(), "0002".into(), "0003".into()][..]));
    assert_eq!(due(&story.status, "slack", at(120)).unwrap().entries[0].id, "0003");
    let sns = story.attempt("sns", 120);
    assert!(matches!(&sns[..], [(What::Fact(Fact::Up { .. }), ids)] if ids.len() == 2), "{sns:?}");
    story.take_all("slack", 120);
    assert_eq!(story.attempt("slack", 120), []);
    assert_eq!(story.status.outbox.len(), 2, "the other channel still owes the change and the end");
    story.take_all("sns", 120);
    assert_eq!(story.status.outbox, []);
}

#[test]
fn two_outages_of_one_check_are_not_merged() {
    let mut story = Story::new();
    for start in [0, 100] {
        story.sweep(start, failing(start, None));
        story.sweep(start + 50, up(start + 40));
    }
    let ids: Vec<_> = story.attempt("slack", 200).into_iter().map(|(_, ids)| ids.join(" ")).collect();
    assert_eq!(ids, ["0001 0002", "0003 0004"]);
}

#[test]
fn last_words_are_waited_for_in_one_sweep_only() {
    let mut story = Story::new();
    story.sweep(0, down(State::Silent, 0));
    assert_eq!(words_wanted(&story.status.outbox), [id("web-1")].into());
    assert!(!any_due(&story.status, at(0)));
    assert_eq!(story.attempt("slack", 60).len(), 1, "the next sweep sends it without");
    let words = Metadata::from([("load1".to_string(), "48".to_string())]);
    give_words(&mut story.status.outbox, &id("web-1"), &words);
    let attempt = story.attempt("slack", 0);
    assert!(matches!(&attempt[..], [(What::Fact(Fact::Down(down)), _)] if down.words == words), "{attempt:?}");
    assert_eq!(words_wanted(&story.status.outbox), BTreeSet::new());
}

#[test]
fn a_channels_back_off_grows_is_its_own_and_ends_with_success() {
    let mut story = Story::new();
    story.sweep(0, failing(0, None));
    let attempt = due(&story.status, "slack", at(0)).unwrap();
    let vain = |after: Option<u64>| {
        let after = after.map(Duration::from_secs);
        Outcome::NotTaken { taken: 0, after, why: "HTTP 500".into() }
    };
    let mut waits = Vec::new();
    for _ in 0..10 {
        settle(&mut story.status, "slack", &attempt, &vain(None), at(0));
        waits.push(at(0).age(story.status.channels["slack"].until).as_secs());
    }
    assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
    assert!(story.attempt("slack", 3_599).is_empty() && !story.attempt("sns", 0).is_empty());
    assert!(!story.attempt("slack", 3_600).is_empty());
    settle(&mut story.status, "slack", &attempt, &vain(Some(7_200)), at(0));
    assert_eq!(story.status.channels["slack"], BackOff::new(11, at(7_200)));
    settle(&mut story.status, "slack", &attempt, &vain(Some(3 * 86_400)), at(0));
    assert_eq!(story.status.channels["slack"].until, at(86_400), "no channel is left alone for longer than a day");
    settle(&mut story.status, "slack", &attempt, &Outcome::Ambiguous { taken: 0, why: "no answer".into() }, at(0));
    assert_eq!(due(&story.status, "slack", at(3_600)), Some(attempt.clone()), "the same ids again");
    story.take_all("slack", 3_600);
    assert!(story.status.channels.is_empty());
}

#[test]
fn what_a_channel_took_before_it_failed_is_struck_off_and_the_rest_comes_in_order() {
    let mut story = Story::new();
    for start in [0, 100, 200] {
        story.sweep(start, failing(start, None));
        story.sweep(start + 50, up(start + 40));
    }
    let attempt = due(&story.status, "slack", at(300)).unwrap();
    // Meanwhile another sweep has added more.
    story.sweep(310, failing(300, None));
    let refused = |taken| Outcome::NotTaken { taken, after: None, why: "HTTP 429".into() };
    settle(&mut story.status, "slack", &attempt, &refused(0), at(240));
    settle(&mut story.status, "slack", &attempt, &refused(0), at(270));
    settle(&mut story.status, "slack", &attempt, &refused(1), at(310));
    let ids: Vec<_> = story.attempt("slack", 340).into_iter().map(|(_, ids)| ids.join(" ")).collect();
    assert_eq!(ids, ["0003 0004", "0005 0006", "0007"]);
    assert_eq!(story.status.channels["slack"].failures, 1, "who takes some is slow, not dead");
}

#[test]
fn over_a_thousand_become_a_summary_under_the_id_of_the_last() {
    let mut status = Status::new(at(0));
    let mut ids = 0;
    let (channels, rules) = (["sns".to_string()].into(), Rules::default());
    let mut new_id = || {
        ids += 1;
        format!("{ids:05}")
    };
    let mut teller = Teller { now: at(60), rules: &rules, channels: &channels, new_id: &mut new_id, messages: vec![] };
    teller.tell(Fact::Test);
    for n in 0..ENTRIES {
        let change = Change { id: &id(&format!("h{n:05}")), before: None, is_muted: false, others: 0 };
        teller.tell_check(&change, &mut failing(0, None));
    }
    status.outbox = teller.messages;
    status.outbox.pop();
    assert_eq!(due(&status, "sns", at(60)).unwrap().entries.len(), ENTRIES, "a thousand are not too many");
    let last = Message { id: "last".into(), ..status.outbox.last().unwrap().clone() };
    status.outbox.push(last);
    let attempt = due(&status, "sns", at(60)).unwrap();
    let [test, summary] = &attempt.entries[..] else { panic!("{} entries", attempt.entries.len()) };
    assert_eq!((&test.what, summary.id.as_str()), (&What::Fact(Fact::Test), "last"));
    let What::Summary(summary) = &summary.what else { panic!("{summary:?}") };
    let failing = &summary.down[&State::Failing];
    assert_eq!((failing.checks, failing.some.len(), &failing.some[0]), (ENTRIES, 10, &id("h00000")));
    settle(&mut status, "sns", &attempt, &Outcome::Taken, at(60));
    assert_eq!(status.outbox, []);
}

#[test]
fn who_holds_the_lease_sends_alone_until_it_ends_or_is_over() {
    let mut status = Status::new(at(0));
    assert!(may_send(&status, at(0)));
    status.lease = Some(Lease { by: "a".into(), until: at(60) });
    assert!(!may_send(&status, at(59)) && may_send(&status, at(60)));
    assert!(!may_send(&status, at(-30)) && may_send(&status, at(-31)), "over 90 s ahead is of a clock that was wrong");
    end_lease(&mut status, "b");
    assert!(!may_send(&status, at(59)), "another's lease is not ours to end");
    end_lease(&mut status, "a");
    assert!(may_send(&status, at(0)));
}

#[test]
fn channels_that_are_no_longer_there_owe_nothing() {
    let mut story = Story::new();
    story.sweep(0, failing(0, None));
    story.status.channels.insert("sns".into(), BackOff::new(1, at(9)));
    assert!(!many::forget_channels(&mut story.status, |_| true));
    assert!(many::forget_channels(&mut story.status, |channel| channel == "slack"));
    assert_eq!((story.status.outbox.len(), story.status.channels.len()), (1, 0));
    assert!(many::forget_channels(&mut story.status, |_| false));
    assert_eq!(story.status.outbox, []);
}

mod of_us {
    use super::*;

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

    #[test]
    fn unanswered_is_one_message_about_us_told_again_and_ended_once() {
        let mut known = None;
        let (a, b, c) = (id("a"), id("b"), id("c"));
        let (early, late) = (down(State::Unanswered, 100), down(State::Unanswered, 200));
        let muted = tell(300, |teller| teller.tell_unanswered(&mut known, &[(&a, &early, true)]));
        assert_eq!(muted, []);
        let checks = [(&a, &early, true), (&b, &late, false), (&c, &late, false)];
        let first = tell(300, |teller| teller.tell_unanswered(&mut known, &checks));
        assert_eq!(
            first,
            [Fact::Unanswered { since: at(100), checks: 2, hosts: 0, some: vec![b.clone(), c.clone()], told: None }]
        );
        assert_eq!(tell(360, |teller| teller.tell_unanswered(&mut known, &checks[..2])), []);
        let again = tell(300 + 4 * 3600, |teller| teller.tell_unanswered(&mut known, &checks[..2]));
        assert!(
            matches!(&again[..], [Fact::Unanswered { told: Some(first), checks: 1, .. }] if *first == at(300)),
            "{again:?}"
        );
        let end = tell(20_000, |teller| teller.tell_unanswered(&mut known, &[]));
        assert_eq!(end, [Fact::Answered { since: at(100), until: at(20_000), checks: 3, hosts: 0 }]);
        assert_eq!(tell(20_060, |teller| teller.tell_unanswered(&mut known, &[])), []);
    }

    #[test]
    fn what_many_have_in_common_is_the_likely_cause() {
        let (dns, tls, silent) = (failing(0, Some(Cause::Dns)), failing(0, Some(Cause::Tls)), down(State::Silent, 0));
        let fact = many::fact_of(&[&dns, &tls, &dns, &silent, &dns], 12);
        assert_eq!(
            fact,
            Fact::ManyDown {
                down: 5,
                of: 12,
                hosts: 0,
                of_hosts: 0,
                state: State::Failing,
                cause: Some(Cause::Dns),
                alike: 3,
                alike_hosts: 0
            }
        );
    }

    #[test]
    fn without_a_channel_nothing_is_kept() {
        let (channels, rules) = (BTreeSet::new(), Rules::default());
        let mut new_id = || unreachable!("no id is needed");
        let mut teller =
            Teller { now: at(0), rules: &rules, channels: &channels, new_id: &mut new_id, messages: vec![] };
        teller.tell(Fact::Test);
        assert_eq!(teller.messages, []);
    }
}

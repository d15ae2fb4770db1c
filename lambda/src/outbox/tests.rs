mod acks;
mod flaps;
mod growth;
mod of_us;
mod telling;

use pulse_echo_core::answer::Cause;
use pulse_echo_core::status::{BackOff, Lease, Limits, Muted, SeenFault, Status};

use super::attempt::{Attempt, any_due, due};
use super::settle::{end_lease, may_send, settle};
use super::*;
use crate::outbox::entry::{ENTRIES, Entry, Outcome, What};

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
    let outage = Some(Box::new(Outage { since: at(since), noticed: at(since), muted: None, told: None }));
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
    /// Its host is noisy.
    is_held: bool,
    /// Its outage is acknowledged.
    ack: Option<Acked>,
    rules: Rules,
    status: Status,
    ids: u32,
}

impl Story {
    fn new() -> Self {
        Self {
            before: None,
            is_muted: false,
            is_held: false,
            ack: None,
            rules: Rules::default(),
            status: Status::new(at(0)),
            ids: 0,
        }
    }

    /// The messages of a sweep that finds the check in this state. An outage that was told goes on.
    fn sweep(&mut self, second: i64, mut after: Record) -> Vec<Fact> {
        if let (Some(lasting), Some(new)) = (self.before.as_ref().and_then(|r| r.outage.clone()), &mut after.outage) {
            *new = lasting;
        }
        if after.telling.is_none() {
            after.telling = self.before.as_ref().and_then(|before| before.telling.clone());
        }
        let channels = ["slack".to_string(), "sns".to_string()].into();
        let mut new_id = || {
            self.ids += 1;
            format!("{:04}", self.ids)
        };
        let now = at(second);
        let mut teller = Teller { now, rules: &self.rules, channels: &channels, new_id: &mut new_id, messages: vec![] };
        let (is_muted, id) = (self.is_muted, id("web-1"));
        let (before, ack) = (self.before.as_ref(), self.ack.as_ref());
        teller.tell_check(&Change { id: &id, before, is_muted, is_held: self.is_held, ack }, &mut after);
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
        settle(&mut self.status, channel, &attempt, &Outcome::Taken, at(second), "new");
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
fn the_end_of_an_outage_told_before_a_mute_is_held_until_its_end_and_no_new_outage_replaces_it() {
    let mut story = Story::new();
    story.sweep(0, failing(0, Some(Cause::Dns)));
    story.take_all("slack", 0);
    let mute = Muted { etag: "m".into(), at: at(10), for_s: 590, reason: None, listed: None };
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
        settle(&mut story.status, "slack", &attempt, &vain(None), at(0), "new");
        waits.push(at(0).age(story.status.channels["slack"].until).as_secs());
    }
    assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
    assert!(story.attempt("slack", 3_599).is_empty() && !story.attempt("sns", 0).is_empty());
    assert!(!story.attempt("slack", 3_600).is_empty());
    settle(&mut story.status, "slack", &attempt, &vain(Some(7_200)), at(0), "new");
    let back_off = BackOff { since: Some(at(0)), why: "HTTP 500".into(), ..BackOff::new(11, at(7_200)) };
    assert_eq!(story.status.channels["slack"], back_off);
    settle(&mut story.status, "slack", &attempt, &vain(Some(3 * 86_400)), at(0), "new");
    assert_eq!(story.status.channels["slack"].until, at(86_400), "no channel is left alone for longer than a day");
    settle(
        &mut story.status,
        "slack",
        &attempt,
        &Outcome::Ambiguous { taken: 0, why: "no answer".into() },
        at(0),
        "new",
    );
    assert_eq!(due(&story.status, "slack", at(3_600)), Some(attempt.clone()), "the same ids again");
    story.take_all("slack", 3_600);
    assert!(story.status.channels.is_empty());
}

#[test]
fn what_a_channel_took_before_it_failed_is_struck_off_and_the_rest_comes_in_order() {
    let mut story = Story::new();
    // So far apart that it does not flap.
    for start in [-8_000, -4_000, 0] {
        story.sweep(start, failing(start, None));
        story.sweep(start + 50, up(start + 40));
    }
    let attempt = due(&story.status, "slack", at(200)).unwrap();
    // Meanwhile another sweep has added more.
    story.sweep(4_000, failing(3_990, None));
    let refused = |taken| Outcome::NotTaken { taken, after: None, why: "HTTP 429".into() };
    settle(&mut story.status, "slack", &attempt, &refused(0), at(240), "new");
    settle(&mut story.status, "slack", &attempt, &refused(0), at(270), "new");
    settle(&mut story.status, "slack", &attempt, &refused(1), at(310), "new");
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
        let change = Change { id: &id(&format!("h{n:05}")), before: None, is_muted: false, is_held: false, ack: None };
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
    settle(&mut status, "sns", &attempt, &Outcome::Taken, at(60), "new");
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

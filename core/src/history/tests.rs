use std::time::Duration;

use super::*;
use crate::answer::Cause;
use crate::status::{State, Unfiled, UnfiledOutage};

/// Noon of 2026-11-21.
const NOON: i64 = 1_795_262_400;

fn at(second: i64) -> Time {
    Time::from_second(NOON + second)
}

fn id(text: &str) -> CheckId {
    text.to_string().try_into().unwrap()
}

fn outage(from: i64, until: i64) -> PastOutage {
    PastOutage { from: at(from), until: at(until), state: State::Silent, cause: None, reason: None, muted: false }
}

fn unfiled(check: &str, outage: PastOutage) -> UnfiledOutage {
    UnfiledOutage { check: id(check), first: at(-100_000), outage }
}

fn filed(outages: &[UnfiledOutage]) -> History {
    let mut history = History::new(at(-200_000));
    history.file(&Unfiled { outages: outages.to_vec(), ..Unfiled::default() });
    history
}

#[test]
fn a_history_comes_back_as_it_was_written() {
    let mut failing = outage(0, 600);
    (failing.state, failing.cause, failing.reason) = (State::Failing, Some(Cause::Body), Some("body differs".into()));
    let mut history = filed(&[unfiled("web-1.json", failing), unfiled("web-1/db.json", outage(3, 50_000))]);
    history.dark.push(Gap { from: at(0), until: at(900) });
    let json = String::from_utf8(history.to_json()).unwrap();
    assert_eq!(History::from_json(json.as_bytes()).unwrap(), history);
    let web = "\"web-1.json\":{\"since\":\"2026-11-20T08:13:20Z\",\"filed\":\"2026-11-21T12:00:00Z\",\"outages\":[{\
               \"from\":\"2026-11-21T12:00:00Z\",\"until\":\"2026-11-21T12:10:00Z\",\"state\":\"failing\",\
               \"cause\":\"body\",\"reason\":\"body differs\"}],\"days\":{\"2026-11-21\":{\"down_s\":600,\
               \"outages\":1}}}";
    assert!(json.contains(web), "{json}");
    let days = "\"days\":{\"2026-11-21\":{\"down_s\":43197,\"outages\":1},\"2026-11-22\":{\"down_s\":6800,\
                \"outages\":0}}";
    assert!(json.contains(days), "{json}");
}

#[test]
fn a_newer_history_is_told_apart_from_an_unreadable_one() {
    assert_eq!(
        History::from_json(b"{\"version\": 2, \"checks\": 7}"),
        Err(Unusable::Newer { file: "history.json", version: 2, known: 1 })
    );
    let json = filed(&[unfiled("web-1.json", outage(0, 1))]).to_json();
    for text in [&b""[..], b"{}", b"null", b"{\"version\": 1}", &json[..json.len() / 2]] {
        assert!(matches!(History::from_json(text), Err(Unusable::Unreadable { .. })), "{text:?}");
    }
}

#[test]
fn a_part_of_a_history_has_all_but_the_checks_that_nobody_keeps() {
    let outages = [unfiled("web-1.json", outage(0, 600)), unfiled("web-2.json", outage(3, 50_000))];
    let mut history = filed(&outages);
    history.dark.push(Gap { from: at(0), until: at(900) });
    let json = String::from_utf8(history.to_json()).unwrap();
    assert_eq!(History::part_of(&mut json.as_bytes(), &mut |_, _| true).unwrap(), history);

    // Fields of a newer loop and a past that cannot be read are left out.
    let json = json.replace("\"checks\":{", "\"more\":[{\"checks\":{}}],\"checks\":{\"web-0.json\":7,") + "\n";
    let mut shown = Vec::new();
    let part = History::part_of(&mut json.as_bytes(), &mut |id, past| {
        shown.push((id.to_string(), past.outages.len()));
        id.as_str() == "web-2.json"
    });
    history.checks.remove(&id("web-1.json"));
    assert_eq!(part.unwrap(), history);
    assert_eq!(shown, [("web-1".into(), 1), ("web-2".into(), 1)]);

    let newer = json.replace("\"version\":1", "\"version\":2");
    let cut = &json[..json.len() / 2];
    let more = json.clone() + "{}";
    for text in [&*newer, cut, &more, "", "null", "{}", "{\"version\":1,\"since\":\"2026-11-21T12:00:00Z\"}"] {
        assert!(History::part_of(&mut text.as_bytes(), &mut |_, _| true).is_err(), "{text}");
        assert!(History::from_json(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn one_bad_past_does_not_stop_the_rest_and_unknown_fields_are_ignored() {
    let history = filed(&[unfiled("a.json", outage(0, 1)), unfiled("b.json", outage(0, 1))]);
    let json = String::from_utf8(history.to_json()).unwrap();
    let json = json.replacen("{\"since\"", "{\"new\":[1],\"since\"", 9).replacen("\"silent\"", "\"moon\"", 1);
    let read = History::from_json(json.replacen("\"checks\":{", "\"checks\":{\"../x\":{},", 1).as_bytes()).unwrap();
    assert_eq!(read.checks.keys().map(CheckId::as_str).collect::<Vec<_>>(), ["b.json"]);
}

#[test]
fn uptime_is_one_minus_outages_by_time_and_dark_is_taken_from_both() {
    let mut history = filed(&[unfiled("web-1.json", outage(0, 600))]);
    let uptime = |history: &History, from, until| {
        Timeline::of(&id("web-1.json"), None, history, &Dark::of(history)).uptime(at(from), at(until))
    };
    assert_eq!(uptime(&history, -400, 600), Uptime { time_s: 1_000, down_s: 600 });
    assert_eq!(uptime(&history, -400, 600).to_string(), "40.00 %");
    assert_eq!(uptime(&history, 100, 200), Uptime { time_s: 100, down_s: 100 });
    assert_eq!(uptime(&history, 600, 700).to_string(), "100 %");
    assert_eq!(uptime(&history, 599, 1_000_600).to_string(), "99.99 %", "100 % means no second");
    assert_eq!(uptime(&history, -900_000, -100_000).to_string(), "-", "before the first pulse");
    history.dark.push(Gap { from: at(500), until: at(700) });
    assert_eq!(uptime(&history, 0, 1_000), Uptime { time_s: 800, down_s: 500 });
}

#[test]
fn to_file_twice_is_to_file_once_whether_it_is_listed_still_or_not() {
    let all: Vec<_> = (0..60).map(|n| unfiled("web-1.json", outage(1_000 * n, 1_000 * n + 10))).collect();
    let once = filed(&all);
    let mut twice = once.clone();
    twice.file(&Unfiled { outages: all.clone(), ..Unfiled::default() });
    assert_eq!(twice, once);
    let past = &once.checks[&id("web-1.json")];
    assert_eq!((past.outages.len(), past.outages[0].from, past.filed), (OUTAGES, at(10_000), at(59_000)));
    assert_eq!(past.days.values().map(|day| (day.down_s, day.outages)).collect::<Vec<_>>(), [(440, 44), (160, 16)]);
    let (newer, dark) = (unfiled("web-1.json", outage(59_001, 60_000)), vec![Gap { from: at(0), until: at(9) }]);
    let mut left = Unfiled { outages: all, dark: dark.clone(), begins: Some(at(0)), dropped: 3, unusable: None };
    left.outages.push(newer.clone());
    once.strike_off(&mut left);
    assert_eq!(left, Unfiled { outages: vec![newer], dark, dropped: 3, ..Unfiled::default() });
}

#[test]
fn a_host_keeps_a_thousand_outages_and_its_newest_whatever_others_have() {
    let checks = |host: &'static str, count: i64, begins: i64| {
        (0..count).flat_map(move |check| {
            (0..50).map(move |n| {
                let from = begins + 100_000 * n + check;
                unfiled(&format!("{host}/c{check}.json"), outage(from, from + 5))
            })
        })
    };
    let all: Vec<_> = checks("many", 30, 0).chain(checks("few", 2, -500_000)).collect();
    let mut history = filed(&all);
    history.bound(|_| false, at(6_000_000), usize::MAX);
    let count = |host: &str| {
        let of_host = history.checks.iter().filter(|(id, _)| id.host() == host);
        of_host.map(|(_, past)| past.outages.len()).sum::<usize>()
    };
    assert_eq!((count("many"), count("few")), (1_000, 100));
    let oldest = history.checks.iter().filter(|(id, _)| id.host() == "many").map(|(_, past)| past.outages[0].from);
    // 30 checks have 50 outages each; of these 500 are the oldest.
    assert_eq!((oldest.clone().min(), oldest.max()), (Some(at(1_600_020)), Some(at(1_700_019))));
}

#[test]
fn a_host_keeps_four_thousand_days() {
    let all: Vec<_> = (0..11).map(|check| unfiled(&format!("many/c{check}.json"), outage(0, 500 * 86_400))).collect();
    let mut history = filed(&all);
    let days = |history: &History| history.checks.values().map(|past| past.days.len()).sum::<usize>();
    assert_eq!(days(&history), 11 * DAYS, "of an outage of 500 days the last 400 are counted");
    history.bound(|_| false, at(500 * 86_400), usize::MAX);
    assert_eq!(days(&history), 4_000);
}

#[test]
fn a_check_that_has_gone_keeps_ninety_days() {
    let day = 86_400;
    let of = |check: &str| [unfiled(check, outage(0, 10)), unfiled(check, outage(100 * day, 100 * day + 10))];
    let mut history = filed(&[of("here.json"), of("gone.json")].concat());
    history.file(&Unfiled { outages: vec![unfiled("old.json", outage(0, 10))], ..Unfiled::default() });
    history.bound(|id| id.as_str() != "here.json", at(101 * day), usize::MAX);
    let kept: Vec<_> =
        history.checks.iter().map(|(id, past)| (id.as_str(), past.outages.len(), past.days.len())).collect();
    assert_eq!(kept, [("gone.json", 1, 1), ("here.json", 2, 2)]);
    // To the day: what ended 89 days ago is kept.
    for (days, is_kept) in [(89, true), (90, false)] {
        let mut history = filed(&[unfiled("gone.json", outage(0, 10))]);
        history.bound(|_| true, at(days * day), usize::MAX);
        assert_eq!(history.checks.len(), usize::from(is_kept), "{days}");
    }
}

#[test]
fn over_its_size_the_host_with_most_gives_up_its_oldest() {
    let of = |host: &str, count: i64| {
        (0..count).map(|n| unfiled(&format!("{host}.json"), outage(86_400 * n, 86_400 * n + 9))).collect::<Vec<_>>()
    };
    let mut history = filed(&[of("many", 40), of("some", 10), of("one", 1)].concat());
    let whole = history.to_json().len();
    history.bound(|_| false, at(0), whole);
    assert_eq!(history.to_json().len(), whole);
    let most = whole * 6 / 10;
    history.bound(|_| false, at(0), most);
    let left = |host: &str| history.checks.get(&id(host)).map_or(0, |past| past.outages.len());
    assert!(history.to_json().len() <= most && history.to_json().len() > most - 200, "{}", history.to_json().len());
    assert!(left("many.json") > 10 && left("many.json") < 30, "{}", left("many.json"));
    assert_eq!((left("some.json"), left("one.json")), (10, 1));
    assert_eq!(history.checks[&id("many.json")].outages.last().unwrap().from, at(86_400 * 39), "the newest stays");
    history.bound(|_| false, at(0), 0);
    assert_eq!(history.checks.len(), 0, "what has nothing left is left out");
}

#[test]
fn over_its_size_two_hosts_with_much_give_up_in_turn_once_they_have_as_much() {
    let of = |host: &str, count: i64| {
        (0..count).map(|n| unfiled(&format!("{host}.json"), outage(86_400 * n, 86_400 * n + 9))).collect::<Vec<_>>()
    };
    let mut history = filed(&[of("more", 40), of("less", 30)].concat());
    history.bound(|_| false, at(0), history.to_json().len() * 4 / 10);
    let [less, more] = ["less.json", "more.json"].map(|host| history.checks[&id(host)].outages.len());
    assert!(more > 10 && more.abs_diff(less) <= 1, "{more} and {less}");
}

#[test]
fn what_does_not_count_is_listed_and_in_no_day() {
    let muted = PastOutage { muted: true, ..outage(0, 10) };
    let ours = PastOutage { state: State::Unanswered, ..outage(20, 30) };
    let history = filed(&[unfiled("a.json", muted), unfiled("a.json", ours), unfiled("a.json", outage(40, 45))]);
    let past = &history.checks[&id("a.json")];
    assert_eq!((past.outages.len(), past.days.values().map(|day| day.down_s).sum::<u32>()), (3, 5));
    let dark = Dark::of(&history);
    let timeline = Timeline::of(&id("a.json"), None, &history, &dark);
    assert_eq!(timeline.uptime(at(0), at(100)), Uptime { time_s: 100, down_s: 5 });
    assert_eq!(timeline.outages().map(|outage| outage.from).collect::<Vec<_>>(), [at(40), at(20), at(0)]);
    assert_eq!(past.outages[0].why(), "silent (muted)");
}

#[test]
fn the_outage_that_lasts_counts_up_to_now_unless_a_mute_covers_it_so_far() {
    use crate::status::{Outage, Record};

    let history = History::new(at(-1_000));
    let dark = Dark::of(&history);
    for (state, muted, down_s) in
        [(State::Silent, None, 90), (State::Silent, Some(at(500)), 0), (State::Unanswered, None, 0)]
    {
        let outage = Some(Box::new(Outage { since: at(10), noticed: at(20), muted, told: None }));
        let record = Record { state, outage, ..Record::new(at(-50)) };
        let timeline = Timeline::of(&id("a.json"), Some(&record), &history, &dark);
        assert_eq!(timeline.uptime(at(-500), at(100)), Uptime { time_s: 150, down_s });
        assert_eq!(timeline.days(1, at(100)).map(|day| day.outages).collect::<Vec<_>>(), [u32::from(down_s > 0)]);
    }
}

#[test]
fn downtime_that_is_no_longer_listed_is_spread_over_its_day_up_to_the_oldest_outage_that_is() {
    let day = Day::of(at(0));
    let begins = day.begins();
    let hour = |hours: i64| Time::from_second(begins.as_second() + 3_600 * hours);
    // Half an hour is listed, from 18:00; an hour of the 18 before is not.
    let listed = PastOutage { from: hour(18), until: hour(18) + Duration::from_secs(1_800), ..outage(0, 0) };
    let downtime = Downtime { down_s: 5_400, outages: 9 };
    let past = Past { since: begins, filed: hour(18), outages: vec![listed], days: [(day, downtime)].into() };
    let history = History::new(begins);
    let dark = Dark::of(&history);
    let down_s = |known: Time, from, until| {
        Timeline::new(Some(&past), None, known, &dark).uptime(hour(from), hour(until)).down_s
    };
    assert_eq!(down_s(begins, 0, 24), 5_400, "all of the day");
    assert_eq!([(0, 9), (9, 18), (6, 9)].map(|(from, until)| down_s(begins, from, until)), [1_800, 1_800, 600]);
    assert_eq!(down_s(begins, 18, 24), 1_800, "what is listed alone");
    assert_eq!(down_s(hour(6), 6, 9), 900, "the check is known for 12 of these hours");
}

#[test]
fn a_window_begins_at_the_earliest_with_the_history_and_with_the_first_pulse() {
    use crate::status::Record;

    let history = History::new(at(-1_000));
    let dark = Dark::of(&history);
    for (first, time_s) in [(-5_000, 1_000), (-1_000, 1_000), (-300, 300)] {
        let record = Record { first: Some(at(first)), ..Record::new(at(-10)) };
        let timeline = Timeline::of(&id("a.json"), Some(&record), &history, &dark);
        assert_eq!(timeline.of_last(1, at(0)), Uptime { time_s, down_s: 0 }, "{first}");
    }
}

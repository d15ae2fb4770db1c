//! `outages`, `status ID` and `status --link` against the embedded S3, with files as the loop's rules make them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::history::History;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::pulse::Pulse;
use pulse_echo_core::status::{PastOutage, State, Status, Unfiled, UnfiledOutage};
use pulse_echo_core::words::{duration, when};
use pulse_echo_lambda::page::Page;
use pulse_echo_lambda::rules::Rules;
use pulse_echo_local::replay::{List, Sweeps};
use pulse_echo_testkit::agent::Ended;
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::store::id;
use serde_json::Value;

const WEEK: i64 = 7 * 86_400;

/// How many pulses of a week there are.
const PULSES: i64 = WEEK / 600;

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[track_caller]
fn shown(ended: &Ended) -> Vec<&str> {
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:#?}");
    ended.stdout.lines().collect()
}

/// A bed with a status and a history.
fn bed(status: &Status, history: Option<&History>) -> Bed {
    let bed = Bed::new();
    bed.put(&Key::status(), &status.to_json(), &Metadata::new());
    let mark = Mark { swept: Some(Time::from_second(now())), ..Mark::default() };
    bed.put(&Key::mark(), &mark.to_json(), &Metadata::new());
    if let Some(history) = history {
        bed.put(&Key::history(), &history.to_json(), &Metadata::new());
    }
    bed
}

fn name(host: i64) -> String {
    format!("h{host:02}")
}

/// The pulses of a host that fail: each host but every fifth fails once, one to four pulses long, and every third once
/// more, for an hour.
fn failing(host: i64) -> Vec<std::ops::Range<i64>> {
    let first = 10 * host..10 * host + host % 5;
    let second = 800..if host % 3 == 0 { 806 } else { 800 };
    [first, second].into_iter().filter(|pulses| !pulses.is_empty()).collect()
}

/// The last host sends no pulse for these.
const SILENT: std::ops::Range<i64> = 500..512;

/// A week of a fleet of forty, by the loop's rules.
fn week(begin: i64) -> Sweeps {
    let mut text = String::from("time,kind,check\n");
    for host in 1..=40 {
        for pulse in (0..PULSES).filter(|pulse| host != 40 || !SILENT.contains(pulse)) {
            let at = begin + 600 * pulse + host;
            let kind = if failing(host).iter().any(|range| range.contains(&pulse)) { "fault" } else { "echo" };
            writeln!(text, "{at},pulse,{0}\n{1},{kind},{0}", name(host), at + 2).unwrap();
        }
    }
    let list = List::read(text.as_bytes(), Some(Time::from_second(begin + WEEK))).unwrap();
    let mut sweeps = Sweeps::new(list, &Pulse::default(), &Rules::default());
    while sweeps.next().is_some() {}
    sweeps
}

/// The outages of the week by hand: host, beginning, and seconds.
fn by_hand(begin: i64) -> Vec<(String, i64, i64)> {
    let mut all = Vec::new();
    for host in 1..=40 {
        for pulses in failing(host) {
            // From the first fault to the first echo.
            all.push((name(host), begin + 600 * pulses.start + host + 2, 600 * (pulses.end - pulses.start)));
        }
    }
    // Silent 900 s after its last pulse, until the echo of the next.
    let last = begin + 600 * (SILENT.start - 1) + 40;
    all.push((name(40), last + 900, begin + 600 * SILENT.end + 40 + 2 - (last + 900)));
    all
}

#[test]
fn a_week_of_a_fleet_of_forty_by_replay_is_shown_as_counted_by_hand() {
    let begin = now() - WEEK;
    let sweeps = week(begin);
    let bed = bed(sweeps.status(), Some(&sweeps.history()));
    let mut expected = by_hand(begin);
    expected.sort_by_key(|(_, from, _)| std::cmp::Reverse(*from));

    let json: Value = serde_json::from_str(&bed.run(&["outages", "--json"]).stdout).unwrap();
    let of = |one: &Value| {
        let from = Time::from_rfc3339(one["from"].as_str().unwrap()).unwrap().as_second();
        (one["check"].as_str().unwrap().to_string(), from, one["down_s"].as_i64().unwrap())
    };
    let found: Vec<_> = json["outages"].as_array().unwrap().iter().map(of).collect();
    let mut sorted = (found.clone(), expected.clone());
    sorted.0.sort();
    sorted.1.sort();
    assert_eq!(sorted.0, sorted.1);
    assert!(found.windows(2).all(|pair| pair[0].1 >= pair[1].1), "the newest first");
    let sum: i64 = expected.iter().map(|(.., down_s)| down_s).sum();
    assert_eq!(json["down_s"].as_i64(), Some(sum));
    let ended = bed.run(&["outages"]);
    let lines = shown(&ended);
    assert_eq!(lines.len(), expected.len() + 1);
    assert!(lines[expected.len()].starts_with(&format!("{} outages, down for ", expected.len())), "{lines:?}");

    for host in [1, 3, 5, 40] {
        let json: Value = serde_json::from_str(&bed.run(&["status", &name(host), "--json"]).stdout).unwrap();
        let down = |since: i64| -> i64 {
            let of_host = expected.iter().filter(|(of, from, _)| *of == name(host) && *from >= since);
            of_host.map(|(.., down_s)| down_s).sum()
        };
        // None of them is near the beginning of a window.
        let uptime = |at: usize| json["uptime"][at].clone();
        assert_eq!((uptime(1)["days"].as_i64(), uptime(1)["down_s"].as_i64()), (Some(7), Some(down(begin))), "{host}");
        assert_eq!((uptime(2)["days"].as_i64(), uptime(2)["down_s"].as_i64()), (Some(30), Some(down(begin))), "{host}");
        let known = uptime(3)["time_s"].as_i64().unwrap();
        assert!((WEEK - host..WEEK + 3_600).contains(&known), "since its first pulse: {known}");
        let ended = bed.run(&["outages", &name(host)]);
        assert_eq!(shown(&ended).len(), 1 + expected.iter().filter(|(of, ..)| *of == name(host)).count(), "{host}");
    }
    let ended = bed.run(&["status", &name(5)]);
    assert!(ended.stdout.contains("  uptime      24 h 100 %, 7 d 100 %, 30 d 100 %, 90 d 100 %\n"), "{ended:#?}");
    let ended = bed.run(&["status", &name(40)]);
    assert!(
        ended.stdout.contains("  was down    ") && ended.stdout.contains("Z  for 1 h 55 min, silent\n"),
        "{ended:#?}"
    );
    let ended = bed.run(&["outages", "--since", "1h"]);
    assert_eq!(shown(&ended), ["0 outages, down for 0 s in all"]);
}

/// The text between two others.
#[track_caller]
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("{before} is not in {text}")).1;
    rest.split_once(after).unwrap_or_else(|| panic!("{after} is not in {rest}")).0
}

/// What is in each element of this name.
fn each<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    html.split(&*open).skip(1).map(|rest| between(rest, ">", &close)).collect()
}

/// The texts of a host's bars that are not good, counted by hand: of each day with an outage how long it was down.
fn bars_by_hand(outages: &[&(String, i64, i64)]) -> Vec<String> {
    let day = |second: i64| second.div_euclid(86_400);
    let mut days: BTreeMap<i64, (u64, usize)> = BTreeMap::new();
    for (_, from, down_s) in outages {
        for second in *from..from + down_s {
            days.entry(day(second)).or_default().0 += 1;
        }
        days.entry(day(*from)).or_default().1 += 1;
    }
    let text = |(day, (down_s, begun)): (i64, (u64, usize))| {
        let day = jiff::Timestamp::from_second(day * 86_400).unwrap().strftime("%-d %b").to_string();
        let begun = ["", ", 1 outage", ", 2 outages"][begun];
        format!("{day}: down for {}{begun}", duration(Duration::from_secs(down_s)))
    };
    days.into_iter().map(text).collect()
}

#[test]
fn the_page_of_that_week_says_the_same_as_outages_and_status_and_a_count_by_hand() {
    let begin = now() - WEEK;
    let sweeps = week(begin);
    let history = sweeps.history();
    let bed = bed(sweeps.status(), Some(&history));
    let end = Time::from_second(begin + WEEK);
    let page = Page::of(sweeps.status(), end, None, 60);
    let html = page.render(Some(&page.past(&*history.to_json()).unwrap()));
    assert_eq!((each(&html, "title")[0], each(&html, "h1")[0]), ("all up, pulse-echo", "All 40 hosts are up"));

    // The outages, line by line as the command has them.
    let ended = bed.run(&["outages", "--json"]);
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    let of = |one: &Value| {
        let from = Time::from_rfc3339(one["from"].as_str().unwrap()).unwrap();
        let lasted = duration(Duration::from_secs(one["down_s"].as_u64().unwrap()));
        let text = |field: &str| one[field].as_str().map(String::from);
        let cause = text("cause").map(|cause| format!(" ({cause})")).unwrap_or_default();
        let reason = text("reason").map(|reason| format!(": {reason}")).unwrap_or_default();
        vec![when(from), lasted, text("check").unwrap(), text("state").unwrap() + &cause + &reason]
    };
    let told: Vec<_> = json["outages"].as_array().unwrap().iter().take(40).map(of).collect();
    let table = between(&html, "<table class=\"o\">", "</table>");
    let rows: Vec<_> = each(between(table, "<tbody", "</tbody>"), "tr");
    let cells = |row: &&str| {
        let mut cells: Vec<_> = each(row, "td").into_iter().map(String::from).collect();
        cells[2] = each(&cells[2], "a")[0].to_owned();
        cells
    };
    assert_eq!(rows.iter().map(cells).collect::<Vec<_>>(), told);

    let expected = by_hand(begin);
    assert!((begin..begin + 120).contains(&history.since.as_second()), "{}", history.since);
    for host in 1..=40 {
        let row = between(&html, &format!("<tbody id=\"{}\">", name(host)), "</tbody>");
        let outages: Vec<_> = expected.iter().filter(|(of, ..)| *of == name(host)).collect();
        assert_eq!(each(row, "title"), bars_by_hand(&outages), "{host}");
        // Rounded down, in hundredths of a percent, of all that is known.
        let down: i64 = outages.iter().map(|(.., down_s)| down_s).sum();
        let shown = |later: i64| {
            let known = begin + WEEK + later - (begin + host).max(history.since.as_second());
            let share = (known - down) * 10_000 / known;
            if down == 0 { "100 %".into() } else { format!("{}.{:02} %", share / 100, share % 100) }
        };
        let uptimes = each(row, "td");
        assert_eq!(uptimes[2..], ["100 %".to_owned(), shown(0), shown(0), shown(0)], "{host}");
        if host % 8 == 0 {
            let ended = bed.run(&["status", &name(host)]);
            // It looks a little later, by the store's clock.
            let line = |later| {
                let share = shown(later);
                format!("  uptime      24 h 100 %, 7 d {share}, 30 d {share}, 90 d {share}\n")
            };
            assert!((0..600).any(|later| ended.stdout.contains(&line(later))), "{}: {ended:#?}", line(0));
        }
    }
}

fn outage(from: i64, until: i64, muted: bool) -> PastOutage {
    let (from, until) = (Time::from_second(from), Time::from_second(until));
    PastOutage { from, until, state: State::Silent, cause: None, reason: None, muted }
}

#[test]
fn what_is_not_in_the_history_yet_and_what_lasts_is_shown_and_what_a_mute_covered_is_not_counted() {
    let now = now();
    let mut status = Status::new(Time::from_second(now));
    let unfiled =
        |check: &str, outage| UnfiledOutage { check: id(check), first: Time::from_second(now - 9_000), outage };
    let outages =
        vec![unfiled("web-1", outage(now - 2_000, now - 1_400, false)), unfiled("web-2", outage(now - 900, now, true))];
    let begins = Some(Time::from_second(now - 9_000));
    status.unfiled = Some(Unfiled { outages, begins, ..Unfiled::default() });
    let bed = bed(&status, None);
    let ended = bed.run(&["outages"]);
    let lines = shown(&ended);
    assert!(lines[0].ends_with("      15 min  web-2  silent (muted)"), "{lines:?}");
    assert!(lines[1].ends_with("      10 min  web-1  silent"), "{lines:?}");
    assert_eq!(
        lines[2],
        "2 outages, down for 10 min in all; 1 of them without downtime: muted, or trouble of the probe"
    );
    let ended = bed.run(&["outages", "web-9"]);
    assert!(ended.code == 1 && ended.stderr.contains("knew no check web-9"), "{ended:#?}");
}

#[test]
fn without_a_history_it_is_said_why_and_status_id_shows_all_else() {
    let now = now();
    let mut status = Status::new(Time::from_second(now));
    let record = pulse_echo_core::status::Record::new(Time::from_second(now - 60));
    status.checks.insert(id("web-1"), record);
    let bed = bed(&status, None);
    let ended = bed.run(&["outages"]);
    assert!(ended.code == 1 && ended.stderr.contains("there is no history.json in bucket"), "{ended:#?}");
    let ended = bed.run(&["status", "web-1"]);
    assert!(
        ended.code == 0 && ended.stdout.contains("  uptime      not known: there is no history.json"),
        "{ended:#?}"
    );
    bed.put(&Key::history(), b"{\"version\": 2}", &Metadata::new());
    let ended = bed.run(&["outages"]);
    assert!(ended.code == 1 && ended.stderr.contains("history.json is of version 2"), "{ended:#?}");
}

#[test]
fn a_link_shows_the_page_to_whoever_has_it_and_nothing_else() {
    let bed = bed(&Status::new(Time::from_second(now())), None);
    let ended = bed.run(&["status", "--link"]);
    assert!(ended.code == 1 && ended.stderr.contains("STATUS_PAGE"), "{ended:#?}");
    bed.put(&Key::page(), b"<!DOCTYPE html>", &Metadata::new());
    // Here, and only here, an address that is signed may be shown: on stdout.
    let output = bed.command(&["-v", "status", "--link", "--for", "2h"]).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success() && !stderr.contains("X-Amz-Signature"), "{stderr}");
    let lines: Vec<_> = stdout.lines().collect();
    let [url, until] = lines[..] else { panic!("{lines:?}") };
    assert_eq!(ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap(), "<!DOCTYPE html>");
    assert!(ureq::get(url.replace("status.html", "status.json")).call().is_err());
    assert!(url.contains("X-Amz-Expires=7200") && until.starts_with("it ends in 2 h, on 2"), "{lines:?}");
    for (arguments, why) in [
        (&["status", "--link", "--for", "8d"][..], "S3 takes at most 7d"),
        (&["status", "--for", "1h"], "--for goes with --link"),
    ] {
        let ended = bed.run(arguments);
        assert!(ended.code == 2 && ended.stderr.contains(why), "{ended:#?}");
    }
}

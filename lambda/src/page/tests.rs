//! What a page shows, and what it never does.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::env;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use pulse_echo_core::clock::Time;
use pulse_echo_core::history::History;
use pulse_echo_core::status::{PastOutage, Record, State, Status, Unfiled, UnfiledOutage};
use pulse_echo_core::words::when;
use pulse_echo_testkit::page_fleet::{How, NOW, PageFleet, ago, down, fleet, hostile, id, up};

use super::html::{escaped, id_of};
use super::{BYTES, Page};

fn page(fleet: &PageFleet) -> String {
    let page = Page::of(&fleet.status, NOW, fleet.status.stopped, 60);
    page.render(Some(&page.past(&*fleet.history.to_json()).unwrap()))
}

fn stopped() -> PageFleet {
    let mut fleet = fleet(40, How::AllUp);
    fleet.status.stopped = Some(ago(4_000));
    fleet
}

fn empty() -> PageFleet {
    PageFleet { status: Status::new(NOW), history: History::new(NOW) }
}

/// The parts of the page between these two texts.
fn between<'a>(html: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    html.split(before).skip(1).map(|rest| rest.split(after).next().unwrap()).collect()
}

#[test]
fn the_title_and_the_headline_say_how_it_stands() {
    let one = |state| {
        let mut fleet = empty();
        fleet.status.checks.insert(id("web-1.json"), Record { state, ..up() });
        fleet
    };
    let mut muted = fleet(40, How::TwoDown);
    let down: Vec<_> =
        muted.status.checks.iter().filter(|(_, record)| record.state.is_down()).map(|(id, _)| id.clone()).collect();
    let mute = muted.status.mutes.values().next().unwrap().clone();
    muted.status.mutes.extend(down.into_iter().map(|id| (id, mute.clone())));
    for (fleet, title, headline) in [
        (fleet(40, How::AllUp), "all up", "All 36 hosts are up"),
        (fleet(40, How::TwoDown), "2 down", "2 of 37 hosts are down"),
        (stopped(), "stopped", "The loop is stopped"),
        (empty(), "no host", "No host yet"),
        (one(State::Up), "all up", "The host is up"),
        (one(State::Silent), "1 down", "The host is down"),
        (one(State::New), "all up", "No host is down"),
        (one(State::Gone), "no host", "No host yet"),
        (muted, "all up", "No host is down but 2 that are muted"),
    ] {
        let html = page(&fleet);
        assert_eq!(between(&html, "<title>", "</title>")[0], format!("{title}, pulse-echo"));
        assert_eq!(between(&html, "<h1>", "</h1>"), [headline]);
    }
}

#[test]
fn what_is_down_comes_first_with_its_sentence_and_leads_to_its_host() {
    let html = page(&fleet(40, How::TwoDown));
    let lines = between(&html, "<li><h3>", "</li>");
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().any(|line| line.contains("status 503, expected 200")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("last pulse ")), "{lines:?}");
    for line in lines {
        let host = between(line, "href=\"#", "\"")[0];
        assert!(html.contains(&format!("<tbody id=\"{host}\">")), "{line}");
    }
}

#[test]
fn each_bar_that_is_not_good_has_a_text() {
    let fleet = fleet(40, How::TwoDown);
    let html = page(&fleet);
    let rows = between(&html, "<tbody id=", "</tbody>").concat();
    let paths = between(&rows, "<path", ">");
    assert!(paths.iter().all(|path| path.contains("class=") == path.contains("role=\"img\"")), "{paths:?}");
    let (marked, texts) = (rows.matches("role=\"img\"").count(), rows.matches("<title>").count());
    assert_eq!(marked, texts);
    assert!(rows.contains(": not watched for 2 d 1 h</title>"), "{}", &rows[..3_000]);
    assert!(rows.contains(" Nov: down for "), "{}", &rows[..3_000]);
    // The outage that lasts is in today's bar.
    assert!(rows.contains("29 Nov: down for "), "{}", &rows[..3_000]);
}

#[test]
fn a_check_with_many_bad_days_tells_the_old_ones_together() {
    let mut fleet = fleet(1, How::AllUp);
    let check = fleet.status.checks.keys().next().unwrap().clone();
    let outage = |day: i64| UnfiledOutage {
        check: check.clone(),
        first: ago(200 * 86_400),
        outage: PastOutage {
            from: ago(day * 86_400),
            until: ago(day * 86_400 - 600),
            state: State::Silent,
            cause: None,
            reason: None,
            muted: false,
        },
    };
    let outages = (1..80).rev().map(outage).collect();
    fleet.history.file(&Unfiled { outages, ..Unfiled::default() });
    let html = page(&fleet);
    assert!(html.contains(": down on 68 days, for 11 h 20 min in all</title>"), "{html}");
    assert_eq!(html.matches(": down for 10 min, 1 outage</title>").count(), 8);
}

#[test]
fn the_forty_newest_outages_of_all_checks_are_listed_however_many_one_has() {
    let mut outages = Vec::new();
    for (check, count, first, step) in
        [("many", 45, 60_000, 1_000), ("some", 20, 60_540, 2_400), ("old", 3, 90_000, 60)]
    {
        outages.extend((0..count).map(|number| (check, ago(first - number * step))));
    }
    let mut history = History::new(ago(100_000));
    let unfiled = |&(check, from): &(&str, Time)| UnfiledOutage {
        check: id(&format!("{check}.json")),
        first: ago(100_000),
        outage: PastOutage {
            from,
            until: from + Duration::from_secs(30),
            state: State::Silent,
            cause: None,
            reason: None,
            muted: false,
        },
    };
    history.file(&Unfiled { outages: outages.iter().map(unfiled).collect(), ..Unfiled::default() });
    // Some checks are listed, one has more that is unfiled, and one has something that was filed before.
    let mut status = Status::new(NOW);
    status.checks.insert(id("some.json"), up());
    let new = [("many", ago(15_500)), ("late", ago(14_000))];
    let known = outages.last().copied();
    let more = new.iter().chain(&known).map(unfiled).collect();
    status.unfiled = Some(Unfiled { outages: more, ..Unfiled::default() });
    let shown = |status: Status, outages: &mut Vec<(&str, Time)>| {
        outages.sort_by_key(|(_, from)| Reverse(*from));
        let html = page(&PageFleet { history: history.clone(), status });
        let table = between(&html, "<table class=\"o\">", "</table>")[0];
        let rows = between(table, "<tr><td>", "</tr>");
        let checks = rows.iter().map(|row| between(row, "<td>", "</td>")[1]);
        let checks = checks.map(|name| between(name, ">", "<").first().map_or(name, |name| *name).to_owned());
        let shown: Vec<_> = checks.zip(between(table, "<tr><td>", "</td>").into_iter().map(String::from)).collect();
        let expected: Vec<_> =
            outages.iter().take(40).map(|(check, from)| ((*check).to_owned(), when(*from))).collect();
        assert_eq!(shown, expected);
    };
    shown(Status::new(NOW), &mut outages);
    outages.extend(new);
    shown(status, &mut outages);
}

#[test]
fn strangers_texts_are_shown_and_do_nothing() {
    let html = page(&hostile());
    assert_eq!(html.matches("<script>").count(), 1, "its own");
    assert_eq!(html.matches("</script>").count(), 1);
    assert_eq!(
        (html.matches("<title>").count(), html.matches("</style>").count()),
        (1 + html.matches("role=\"img\"").count(), 1)
    );
    for evil in ["<img", "onerror=\"", "<!--", "\u{202e}", "\u{2066}", "href=\"javascript", "<e>"] {
        assert!(!html.contains(evil), "{evil}");
    }
    assert!(html.contains("שלום עולם"), "what is only foreign is shown as it is");
    assert_eq!(escaped("a<b>&\"'\u{202e}\u{1b}"), "a&lt;b&gt;&amp;&quot;&#39;\\u{202e}");
    assert_eq!(id_of("web-1.example_X"), "web-1.example_X");
    assert_eq!(id_of("a b:é"), "a:20b:3a:c3:a9");
}

#[test]
fn a_page_has_a_size_that_it_never_exceeds_and_counts_the_rest_by_host() {
    for (checks, most) in [(10, 40_000), (1_000, 600_000), (10_000, BYTES)] {
        let fleet = fleet(checks, How::TwoDown);
        let html = page(&fleet);
        assert!(html.len() <= most, "{checks}: {}", html.len());
    }
    let html = page(&fleet(10_000, How::ManyDown));
    assert!(html.len() <= BYTES && html.len() > BYTES / 2, "{}", html.len());
    let listed = html.matches("<th scope=\"row\">").count();
    let rest: usize = between(&html, "Not listed: ", " checks")[0].replace(',', "").parse().unwrap();
    assert_eq!(listed + rest, 10_001);
    assert!(listed <= 2_000);
    let kept = Page::of(&fleet(20_000, How::AllUp).status, NOW, None, 60).rest;
    assert!(kept.others > 1_000 && kept.hosts.len() < 15_000, "{} {}", kept.others, kept.hosts.len());
    let hosts =
        fleet(10_000, How::ManyDown).status.checks.keys().map(|id| id.host().to_owned()).collect::<HashSet<_>>();
    let shown: HashSet<_> = between(&html, "<tbody id=\"", "\"").into_iter().map(String::from).collect();
    let counted = between(&html, "Not listed: ", "</details>")[0];
    let more: usize = between(counted, "and ", " more hosts")[0].replace(',', "").parse().unwrap();
    let texts =
        counted.rsplit("<p>").next().unwrap().split("; ").filter_map(|one| one.split_once(" (")).map(|(host, _)| host);
    let named: HashSet<_> = texts.map(String::from).collect();
    let both = shown.intersection(&named).count();
    assert!(named.len() > 4_000, "{}", named.len());
    let of: usize = between(counted, " checks of ", " hosts")[0].replace(',', "").parse().unwrap();
    assert_eq!(named.len() + more, of);
    assert!(of <= hosts.len() && of + shown.len() - both >= hosts.len(), "{of} {} {both} {}", shown.len(), hosts.len());

    // A host whose names and reasons are as long as can be takes room from nobody beyond the bound.
    let mut long = Status::new(NOW);
    for number in 0..2_500 {
        let name = format!("{}{number}.json", "\"".repeat(480));
        long.checks.insert(id(&name), down(State::Failing, 100 + number, &"\"".repeat(256)));
    }
    let html = page(&PageFleet { status: long, history: History::new(ago(1)) });
    assert!(html.len() <= BYTES, "{}", html.len());
}

#[test]
fn what_is_not_listed_is_counted_to_the_last_check_and_host() {
    let fleet = fleet(20_000, How::ManyDown);
    let page = Page::of(&fleet.status, NOW, None, 60);
    let listed: HashSet<_> = page.listed.iter().map(|listed| &listed.id).collect();
    let others: Vec<_> = fleet.status.checks.iter().filter(|(id, _)| !listed.contains(id)).collect();
    let hosts: HashSet<_> = others.iter().map(|(id, _)| id.host()).collect();
    let down = others.iter().filter(|(_, record)| record.state.is_down()).count();
    let mut sum = page.rest.of_others;
    page.rest.hosts.values().for_each(|count| sum += *count);
    assert!(page.rest.others > 1_000 && down > 1_000);
    assert_eq!(page.rest.hosts.len() + page.rest.others, hosts.len());
    assert_eq!((sum.checks, sum.down), (others.len(), down));
}

#[test]
fn a_host_with_many_checks_that_are_down_takes_its_share_and_no_more() {
    let mut fleet = fleet(40, How::TwoDown);
    for number in 0..500 {
        let record = down(State::Failing, 10, "status 503, expected 200");
        fleet.status.checks.insert(id(&format!("evil/{number}.json")), record);
    }
    let html = page(&fleet);
    assert!(html.contains("Not listed: 400 checks of 1 host, 400 of them down"), "{html}");
    assert!(html.contains("and 90 more of its checks</p>") && html.contains("evil (400, 400 down)"));
    assert_eq!(between(&html, "<li><h3>", "</li>").len(), 3);
    assert!(html.contains("<tbody id=\"web-20\">"));
}

#[test]
fn without_a_history_it_says_so_and_shows_the_rest() {
    let fleet = fleet(40, How::TwoDown);
    let html = Page::of(&fleet.status, NOW, None, 60).render(None);
    assert!(html.contains("The history could not be read") && !html.contains("<svg"));
    assert!(html.contains("2 of 37 hosts are down"));
}

#[test]
fn it_is_old_after_what_the_loop_may_take_to_write_the_next() {
    let limit = |tick_s| {
        let html = Page::of(&Status::new(NOW), NOW, None, tick_s).render(None);
        between(&html, "data-limit=\"", "\"")[0].to_owned()
    };
    assert_eq!((limit(60), limit(900)), ("900".into(), "3300".into()));
}

/// For people to look at: `PAGE_SAMPLES=FOLDER cargo test --lib page::tests::samples`.
#[test]
fn samples() {
    let Ok(folder) = env::var("PAGE_SAMPLES") else { return };
    let write = |name: &str, fleet: &PageFleet| {
        let started = Instant::now();
        let html = page(fleet);
        println!("{name}: {} bytes, {} ms", html.len(), started.elapsed().as_millis());
        fs::write(Path::new(&folder).join(format!("{name}.html")), html).unwrap();
    };
    write("all-up", &fleet(40, How::AllUp));
    write("two-down", &fleet(40, How::TwoDown));
    write("many-down", &fleet(40, How::ManyDown));
    write("stopped", &stopped());
    write("empty", &empty());
    write("hostile", &hostile());
    for checks in [10, 1_000, 10_000, 100_000] {
        write(&checks.to_string(), &fleet(checks, How::TwoDown));
    }
}

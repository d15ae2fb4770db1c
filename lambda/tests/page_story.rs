//! The page beside the sweeps: when it is written, what it says, and that nothing depends on it.

use std::time::{Duration, Instant};

use pulse_echo_core::name::Key;
use pulse_echo_lambda::tick::Course;
use pulse_echo_testkit::fleet::{Fleet, put_event};

fn with_page() -> Fleet {
    let mut fleet = Fleet::new();
    fleet.rules.status_page = true;
    fleet
}

fn page(fleet: &Fleet) -> String {
    let object = fleet.store().get(&Key::page(), 1 << 21).unwrap();
    String::from_utf8(object.body.unwrap()).unwrap()
}

/// The requests of a sweep: how many, and how many of them write the page.
fn requests(fleet: &Fleet) -> (usize, usize) {
    fleet.wire.log.lock().unwrap().clear();
    fleet.sweep().unwrap();
    (fleet.wire.count(""), fleet.wire.count("status.html"))
}

#[test]
fn it_is_written_when_status_json_is_and_a_sweep_without_a_change_makes_no_request_for_it() {
    let (fleet, without) = (with_page(), Fleet::new());
    for fleet in [&fleet, &without] {
        fleet.at(0).pulse("web-1").echo("web-1");
        fleet.at(60);
    }
    assert_eq!((requests(&fleet).1, requests(&without).1), (1, 0));
    assert!(page(&fleet).contains("<title>all up, pulse-echo</title>"));
    fleet.at(120).pulse("web-1").echo("web-1");
    without.at(120).pulse("web-1").echo("web-1");
    // The history is filed and struck off by now.
    for second in [180, 240, 300] {
        requests(fleet.at(second));
        requests(without.at(second));
    }
    let (with, writes) = requests(fleet.at(360));
    assert_eq!((with, writes), (requests(without.at(360)).0, 0));
    // For the sake of newer pulses the status is written every ten minutes, and the page with it.
    fleet.at(660).pulse("web-1").echo("web-1");
    assert_eq!(requests(fleet.at(780)).1, 1);
}

#[test]
fn it_says_what_is_down_what_is_over_and_that_the_loop_is_stopped() {
    let fleet = with_page();
    fleet.at(0).pulse("web-1").fault("web-1", 0);
    fleet.at(60).sweep().unwrap();
    let html = page(&fleet);
    assert!(html.contains("<h1>The host is down</h1>") && html.contains("status 500, expected 200 (0)"), "{html}");
    fleet.at(600).pulse("web-1").echo("web-1");
    fleet.at(660).sweep().unwrap();
    let html = page(&fleet);
    assert!(html.contains("<h1>The host is up</h1>") && html.contains("Last outages"), "{html}");
    assert!(html.contains("<td>10 min</td>"), "{html}");
    let stop = Key::loop_stop();
    fleet.at(720).put(&stop, b"");
    assert_eq!(fleet.invoke(&put_event(&stop)).unwrap().course, Course::Stopped);
    let html = page(&fleet);
    assert!(html.contains("<title>stopped, pulse-echo</title>"), "{html}");
    assert!(html.contains("Nothing has been watched since "), "{html}");
}

#[test]
fn a_page_that_cannot_be_written_or_takes_for_ever_fails_and_delays_nothing() {
    let mut fleet = with_page();
    *fleet.wire.fails.lock().unwrap() = Some("status.html");
    fleet.at(0).pulse("web-1").fault("web-1", 0);
    assert_eq!(fleet.at(60).sweep().unwrap().course, Course::Swept);
    assert_eq!(fleet.words(), ["failing web-1"]);
    assert!(fleet.mark().swept.is_some());

    *fleet.wire.fails.lock().unwrap() = None;
    *fleet.wire.stalls.lock().unwrap() = Some("status.html");
    fleet.time = Duration::from_secs(12);
    fleet.at(200).pulse("web-1").echo("web-1");
    let started = Instant::now();
    assert_eq!(fleet.at(240).sweep().unwrap().course, Course::Swept);
    assert!(started.elapsed() >= Duration::from_secs(5), "it was waited for: Lambda stops what is left");
    assert_eq!(fleet.words(), ["up web-1"]);
    assert_eq!(fleet.status().outbox, []);
    assert!(fleet.store().get(&Key::page(), 1).is_err());
}

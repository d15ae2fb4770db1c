//! Fleets of thousands on a real store: what a sweep asks of the store, and that thousands of changes are a few lines.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use jiff::Timestamp;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::Trust;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::{Fact, Limits, Record, State, Status};
use pulse_echo_lambda::channel::{self, Channel, Means};
use pulse_echo_lambda::outbox::entry::What;
use pulse_echo_testkit::fleet::{Fleet, time};
use pulse_echo_testkit::server::{Server, answer, read_body, read_head};
use pulse_echo_testkit::store::id;
use serde_json::{Value, json};

const CHECKS: usize = 10_000;

/// What a sweep may take here, where a busy machine runs it without optimization.
const PATIENCE: Duration = Duration::from_secs(280);

/// The `ETag` of the pulse `{}`.
const EMPTY: &str = "\"99914b932bd37a50b983c5e7c90ae93b\"";

#[test]
fn of_2500_checks_none_is_overlooked_and_a_list_that_breaks_off_judges_nothing() {
    let mut fleet = Fleet::new();
    fleet.time = PATIENCE;
    fleet.fill("pulse", 2_500, "{}").fill("echo", 2_500, "ok");
    fleet.put(&Key::mute(&id("host-00000")), b"{\"for_s\": 100}");
    let summary = fleet.at(60).sweep().unwrap();
    assert_eq!((summary.checks, summary.unread), (2_500, 0));
    assert!(fleet.status().checks.values().all(|record| record.state == State::Up));
    fleet.wire.log.lock().unwrap().clear();
    fleet.at(120).sweep().unwrap();
    let lists = ["prefix=loop", "prefix=mute", "prefix=retire", "prefix=pulse", "prefix=echo", "prefix=fault"];
    assert_eq!(lists.map(|list| fleet.wire.count(list)), [1, 1, 1, 3, 3, 1], "{:?}", fleet.wire.log.lock().unwrap());

    // Half of the pulses are seen, then the list breaks off.
    fleet.at(150).fault("host-02499", 0);
    let before = fleet.status();
    for breaks in ["prefix=loop", "prefix=mute", "prefix=retire", "prefix=fault", "continuation-token"] {
        *fleet.wire.fails.lock().unwrap() = Some(breaks);
        fleet.at(fleet.now() + 30).sweep().unwrap_err();
        assert_eq!((fleet.words().len(), fleet.status() == before), (0, true), "{breaks}");
        assert_eq!(fleet.mark().swept, Some(time(120)), "{breaks}");
    }
    *fleet.wire.fails.lock().unwrap() = None;
    fleet.at(fleet.now() + 30).sweep().unwrap();
    assert_eq!(fleet.words(), ["failing host-02499"]);
    fleet.at(560).sweep().unwrap();

    // Half go down at once and come back: a first line, and a summary of the rest.
    let fault = format!("{{\"reason\":\"r\",\"cause\":\"dns\",\"pulse_at\":\"{}\"}}", time(600));
    fleet.at(600).fill("pulse", 1_200, "{}").at(601).fill("fault", 1_200, &fault);
    fleet.at(660).sweep().unwrap();
    let told = fleet.told();
    let [What::Fact(Fact::ManyDown { down, of, .. }), What::Summary(summary)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((*down, *of, summary.down[&State::Failing].checks), (1_201, 2_500, 1_200), "and the one from before");
    fleet.at(930).sweep().unwrap();
    fleet.at(1_190).sweep().unwrap();
    // Meanwhile the others have fallen silent.
    fleet.told();
    fleet.at(1_200).fill("pulse", 1_200, "{}").fill("echo", 1_200, "ok");
    fleet.at(1_260).sweep().unwrap();
    let told = fleet.told();
    assert!(matches!(&told[..], [What::Summary(summary)] if summary.up.checks == 1_200), "{told:?}");

    // Their pulses vanish: that is told in one message, and they are judged by their last pulse.
    fleet.clear("pulse", 1_200);
    fleet.at(1_320).sweep().unwrap();
    fleet.at(1_380).sweep().unwrap();
    let told = fleet.told();
    assert!(matches!(&told[..], [What::Fact(Fact::Vanished { checks: 1_200, of: 2_500, .. })]), "{told:?}");
    assert!(fleet.status().checks.values().all(|record| record.state != State::Gone));
}

#[test]
fn a_list_costs_one_request_a_page_however_many_checks_there_are() {
    let fleet = Fleet::new();
    // With the mark and status.json, 998 pulses fit a page; a bucket that might is tried.
    for (before, pulses, lists) in
        [(400, 998, 1), (400, 999, 1 + 6), (1_000, 1_000, 6), (1_001, 1_001, 7), (2_000, 2_000, 7), (2_001, 2_001, 8)]
    {
        fleet.at(fleet.now() + 60).fill("pulse", pulses, "{}");
        known(&fleet, before);
        fleet.wire.log.lock().unwrap().clear();
        assert_eq!(fleet.sweep().unwrap().checks, pulses);
        assert_eq!(fleet.wire.count("list-type=2"), lists, "{pulses} pulses");
    }
}

#[test]
fn ten_thousand_that_go_down_at_once_and_come_back_are_a_message_each_time() {
    let (fleet, people) = (Fleet::new(), People::new());
    fleet.fill("pulse", CHECKS, "{}").fill("echo", CHECKS, "ok");
    known(&fleet, CHECKS);
    people.hear(&fleet, 240);
    people.hear(&fleet, 480);
    people.hear(&fleet, 720);
    people.hear(&fleet, 900);
    people.heard(&[]);
    people.hear(&fleet, 930);
    people.heard(&[
        "MANY DOWN: 10,000 of 10,000 hosts went down within 15 min, all silent. Look for one cause: their network, \
         power or cron.",
        "MANY CHANGES: DOWN, silent: 10,000 checks (host-00000, host-00001, ",
    ]);
    people.hear(&fleet, 990);
    people.heard(&[]);
    fleet.at(1_000).fill("pulse", CHECKS, "{}").fill("echo", CHECKS, "ok");
    people.hear(&fleet, 1_030);
    people.heard_below(
        "HISTORY. UP 10,000.",
        &[
            "HISTORY: 5,000 outages that ended will be missing in history.json",
            "MANY CHANGES: UP: 10,000 checks (host-00000, host-00001, ",
        ],
    );
    people.hear(&fleet, 1_090);
    people.heard(&[]);
    let status = fleet.status();
    assert!(status.checks.values().all(|record| record.state == State::Up && record.outage.is_none()));
    assert_eq!((status.outbox.len(), status.lease, status.many_down), (0, None, None));
}

#[test]
fn ten_thousand_pulses_that_vanish_are_a_message_and_gone_after_a_day() {
    let (fleet, people) = (Fleet::new(), People::new());
    fleet.fill("pulse", CHECKS, "{}").fill("echo", CHECKS, "ok");
    known(&fleet, CHECKS);
    fleet.clear("pulse", CHECKS);
    people.hear(&fleet, 60);
    people.heard(&[]);
    people.hear(&fleet, 120);
    people.heard(&[
        "VANISHED: the pulses of 10,000 of 10,000 hosts are no longer there (10,000 of 10,000 checks): host-0",
    ]);
    // One host goes on, so nobody thinks that the store was away.
    fleet.at(1_000).put(&Key::pulse(&id("web-1")), b"{\"every_s\": 1000000}");
    fleet.echo("web-1");
    people.hear(&fleet, 60 + 86_340);
    people.heard(&[
        "MANY DOWN: 10,000 of 10,001 hosts went down",
        "NOT WATCHED: ",
        "MANY CHANGES: DOWN, silent: 10,000 checks",
    ]);
    people.hear(&fleet, 60 + 86_400);
    people.heard_below(
        "HISTORY. FOUND. GONE 10,000.",
        &["HISTORY: 5,000 outages", "FOUND: none of the pulses that", "MANY CHANGES: GONE: 10,000 checks"],
    );
    people.hear(&fleet, 60 + 2 * 86_400);
    people.heard(&["NOT WATCHED: "]);
    assert_eq!(fleet.status().checks.len(), 1);
}

/// Puts a `status.json` as a sweep leaves it that has just seen so many checks up, so that it is not to be read again.
fn known(fleet: &Fleet, checks: usize) {
    let now = time(fleet.now());
    let limits = Some(Limits { etag: EMPTY.into(), every_s: 600, limit_s: 900, faults_in_row: None });
    let record = Record { state: State::Up, echo: Some(now), limits, ..Record::new(now) };
    let mut status = Status::new(now);
    status.checks = (0..checks).map(|n| (id(&format!("host-{n:05}")), record.clone())).collect();
    fleet.put(&Key::status(), &status.to_json());
}

/// Who reads Slack and has a webhook.
struct People {
    channels: Vec<Box<dyn Channel>>,
    requests: Receiver<(String, String)>,
}

impl People {
    fn new() -> Self {
        let (tell, requests) = mpsc::channel();
        let server = Server::new(move |mut stream, _| {
            let head = read_head(&mut stream);
            let body = read_body(&mut stream, &head);
            let path = head.split(' ').nth(1).unwrap().to_string();
            tell.send((path, String::from_utf8(body).unwrap())).unwrap();
            stream.write_all(answer(200, "ok").as_bytes()).unwrap();
        });
        let lookup = |name: &str| match name {
            "SLACK_URL" => Some(format!("{}slack", server.url())),
            "WEBHOOK_URL" => Some(format!("{}webhook", server.url())),
            _ => None,
        };
        let means = Means {
            environment: Environment::new(&lookup),
            trust: &Trust::built_in(),
            clock: Arc::new(Timestamp::now),
        };
        Self { channels: channel::channels(&means).unwrap(), requests }
    }

    /// Has the fleet swept at this second.
    fn hear(&self, fleet: &Fleet, second: i64) {
        fleet.at(second).invoke_over(&self.channels, &json!({}), PATIENCE).unwrap();
    }

    /// What the last sweep told: nothing, or one message over each channel whose lines, but for the last, begin so.
    fn heard(&self, lines: &[&str]) {
        self.heard_of(lines, lines.len());
    }

    /// The same, below a headline.
    fn heard_below(&self, headline: &str, lines: &[&str]) {
        self.heard_of(&[&[headline], lines].concat(), lines.len());
    }

    fn heard_of(&self, lines: &[&str], events: usize) {
        // All hosts of a summary are in the webhook's events, in several posts; only the first has something to read.
        let is_read =
            |(_, body): &(String, String)| !body.contains("\"text\":\"More hosts of the summary before.\",\"events\"");
        let mut requests: Vec<_> = self.requests.try_iter().filter(is_read).collect();
        requests.sort();
        if lines.is_empty() {
            return assert_eq!(requests, []);
        }
        let [(slack, form), (webhook, body)] = &requests[..] else { panic!("{} requests", requests.len()) };
        assert_eq!((slack.as_str(), webhook.as_str()), ("/slack", "/webhook"));
        let (_, payload) = url::form_urlencoded::parse(form.as_bytes()).next().unwrap();
        let (slack, webhook): (Value, Value) =
            (serde_json::from_str(&payload).unwrap(), serde_json::from_str(body).unwrap());
        assert!(body.len() < 256 * 1024, "{} bytes", body.len());
        let own = |event: &&Value| !event["id"].as_str().unwrap().contains('-');
        assert_eq!(webhook["events"].as_array().unwrap().iter().filter(own).count(), events);
        // The last line stands beside the bar.
        let text = |value: &Value| value.as_str().unwrap().to_string();
        let slack = format!("{}\n{}", text(&slack["text"]), text(&slack["attachments"][0]["text"]));
        for text in [slack, text(&webhook["text"])] {
            assert!(text.len() < 2_000, "{} bytes", text.len());
            let is_of_hosts = |line: &&str| line.starts_with("The hosts, those first that changed least: host-");
            assert_eq!(
                text.lines().any(|line| is_of_hosts(&line)),
                text.contains("\nMANY CHANGES: ") || text.starts_with("MANY CHANGES: ")
            );
            let told: Vec<_> = text.lines().filter(|line| !is_of_hosts(line)).collect();
            assert_eq!(told.len(), lines.len() + 1, "{text}");
            assert!(told.iter().zip(lines).all(|(told, line)| told.starts_with(line)), "{text}");
        }
    }
}

//! `pulse-echo-local replay` tells what the sweeps on a real store told.

use std::collections::BTreeSet;
use std::fmt::Write;

use pulse_echo_core::clock::Time;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::pulse::Pulse;
use pulse_echo_core::status::Fact;
use pulse_echo_lambda::outbox::entry::{Entry, What};
use pulse_echo_local::replay::{List, Sweeps};
use pulse_echo_testkit::fleet::{Fleet, time, word};

/// What happened, by second: some fail, some fall silent, one waits for its answer, and all come back but one.
const HISTORY: &[(i64, &str, &str)] = &[
    (0, "pulse", "db"),
    (1, "echo", "db"),
    (10, "pulse", "web-1"),
    (11, "echo", "web-1"),
    (30, "pulse", "web-1/http"),
    (31, "fault", "web-1/http"),
    (60, "pulse", "web-2"),
    (60, "echo", "web-2"),
    (600, "pulse", "db"),
    (610, "pulse", "web-1"),
    (611, "echo", "web-1"),
    (630, "pulse", "web-1/http"),
    (632, "fault", "web-1/http"),
    (660, "pulse", "web-2"),
    (661, "fault", "web-2"),
    (662, "echo", "web-2"),
    (1_200, "pulse", "db"),
    (1_201, "echo", "db"),
    (1_230, "pulse", "web-1/http"),
    (1_231, "echo", "web-1/http"),
    (2_430, "pulse", "web-1/http"),
    (2_430, "echo", "web-1/http"),
    (2_431, "fault", "web-1/http"),
    (5_000, "pulse", "db"),
    (5_001, "echo", "db"),
    (5_002, "pulse", "web-2"),
    (5_090, "echo", "web-2"),
    (9_000, "pulse", "db"),
    (9_001, "echo", "db"),
];

/// What happened, as a list.
fn recorded() -> String {
    let mut csv = String::from("time,kind,check,cause,reason\n");
    for &(second, kind, check) in HISTORY {
        let why = format!("status,\"status 500, expected 200 ({})\"", second - second % 10);
        let why = if kind == "fault" { why.as_str() } else { "," };
        writeln!(csv, "{},{kind},{check},{why}", time(second)).unwrap();
    }
    csv
}

/// When a sweep told what, without what differs by its nature: ids, and last words, which are not recorded.
fn told(at: Time, entries: Vec<Entry>) -> impl Iterator<Item = (String, What)> {
    let plain = |fact: Fact| match fact {
        Fact::Down(down) => Fact::Down(pulse_echo_core::status::Down { words: Metadata::new(), ..down }),
        Fact::StillDown { mut down, told, changed, back } => {
            down.words = Metadata::new();
            Fact::StillDown { down, told, changed, back }
        }
        other => other,
    };
    let plain = move |what| match what {
        What::Fact(fact) => What::Fact(plain(fact)),
        other => other,
    };
    entries.into_iter().map(move |entry| (at.to_string(), plain(entry.what)))
}

#[test]
fn the_same_history_is_told_in_the_same_words_at_the_same_times() {
    let mut fleet = Fleet::new();
    fleet.rules.remind_s = 3_600;
    let (mut history, mut swept) = (HISTORY.iter().peekable(), Vec::new());
    for sweep in (0..=9_060).step_by(60) {
        while let Some((second, kind, check)) = history.next_if(|(second, ..)| *second <= sweep) {
            fleet.at(*second);
            match *kind {
                "pulse" => fleet.pulse(check),
                "echo" => fleet.echo(check),
                _ => fleet.fault(check, second - second % 10),
            };
        }
        fleet.at(sweep).sweep().unwrap();
        swept.extend(told(time(sweep), std::mem::take(&mut *fleet.hook.told.lock().unwrap())));
    }
    let list = List::read(recorded().as_bytes(), None).unwrap();
    let sweeps = Sweeps::new(list, &Pulse::default(), &fleet.rules);
    let replayed: Vec<_> = sweeps.flat_map(|(at, entries)| told(at, entries)).collect();
    let kinds: BTreeSet<_> = swept.iter().map(|(_, what)| word(what).split(' ').next().unwrap().to_string()).collect();
    assert!(
        ["failing", "silent", "still-down", "unanswered", "answered", "up"].iter().all(|kind| kinds.contains(*kind)),
        "{kinds:?}"
    );
    assert_eq!(replayed, swept);
}

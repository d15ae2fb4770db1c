//! How what has ended comes into `history.json`.

mod counted;
mod filed;
mod lost;

use pulse_echo_core::clock::Time;
use pulse_echo_core::history::History;
use pulse_echo_core::name::CheckId;
use pulse_echo_testkit::fleet::{Fleet, time};

fn id(check: &str) -> CheckId {
    format!("{check}.json").try_into().unwrap()
}

/// A fleet whose check `a` was up, failed at 100, and is up again by the echo at 220, which no sweep has seen.
fn fleet() -> Fleet {
    let mut fleet = Fleet::new();
    // So that no time without a sweep is dark.
    fleet.rules.tick_s = 900;
    fleet.pulse("a").at(1).echo("a").at(60).sweep().unwrap();
    fleet.at(100).fault("a", 0).at(120).sweep().unwrap();
    fleet.at(219).pulse("a").at(220).echo("a").at(240);
    fleet
}

/// The outages of a check in the history: from and until.
fn outages(fleet: &Fleet, check: &str) -> Vec<(i64, i64)> {
    let history = fleet.history().unwrap_or_else(|| History::new(time(0)));
    let second = |at: Time| at.as_second() - time(0).as_second();
    let past = history.checks.get(&id(check));
    past.into_iter().flat_map(|past| &past.outages).map(|one| (second(one.from), second(one.until))).collect()
}

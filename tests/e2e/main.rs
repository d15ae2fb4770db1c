//! `make e2e`: the agent and the library's store against S3 servers that others wrote.
//!
//! Each server is held to [`table::TABLE`], which says what it lacks: an unexpected failure fails, and so does an
//! expected one that has vanished. A server that cannot be installed is left out and named.

#[path = "../bed/mod.rs"]
mod bed;
mod checks;
mod server;
mod table;

use std::process::ExitCode;

use bed::Bed;
use checks::Outcome;
use server::Server;
use table::{Lack, TABLE};

/// The page that shows the table.
const PAGE: &str = include_str!("../../docs/compatibility.md");

fn main() -> ExitCode {
    let mut tally = Tally::default();
    // Ours first, which lacks nothing: so each check can be passed.
    tally.ask("pulse-echo-local", &Bed::new().server.endpoint(), None);
    let mut left_out = 0;
    for server in Server::ALL {
        if !server.install() {
            left_out += 1;
            continue;
        }
        match server.start() {
            Ok(running) => tally.ask(&server.title(), &running.endpoint, Some(server)),
            Err(why) => tally.count(&server.title(), Err(why)),
        }
    }
    let table = table::markdown();
    println!("\n{table}");
    let shown = PAGE.contains(&table);
    tally.count("docs/compatibility.md", if shown { Ok(()) } else { Err("it does not show this table".into()) });
    if left_out > 0 {
        println!("{left_out} of {} servers left out", Server::ALL.len());
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
}

impl Tally {
    /// Asks a server all that the table has; `None` lacks nothing.
    fn ask(&mut self, title: &str, endpoint: &str, server: Option<Server>) {
        let passed_before = self.passed;
        for row in TABLE {
            let lack = server.and_then(|server| row.lack(server));
            let as_expected = judge(lack, (row.check)(endpoint));
            self.count(title, as_expected.map_err(|why| format!("{}: {why}", row.what)));
        }
        println!("{title}: {} of {} as expected", self.passed - passed_before, TABLE.len());
    }

    fn count(&mut self, title: &str, as_expected: Result<(), String>) {
        match as_expected {
            Ok(()) => self.passed += 1,
            Err(why) => {
                println!("FAILED: {title}: {why}");
                self.failed += 1;
            }
        }
    }
}

/// Whether a server did what is expected of it; if not, what it did.
fn judge(lack: Option<&Lack>, outcome: Outcome) -> Result<(), String> {
    match (lack, outcome) {
        (Some(lack), Err(seen)) if seen.to_string().contains(lack.seen) => Ok(()),
        (Some(lack), Err(seen)) => Err(format!("expected {:?}, but {seen}", lack.seen)),
        (None, Err(seen)) => Err(seen.to_string()),
        (Some(lack), Ok(())) if lack.always => Err(format!("no longer {:?}, it works: update the table", lack.word)),
        (_, Ok(())) => Ok(()),
    }
}

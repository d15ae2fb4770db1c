//! `make e2e`: the agent and the library's store against S3 servers that others wrote.
//!
//! Each server is held to [`table::TABLE`], which says what it lacks: an unexpected failure fails, and so does an
//! expected one that has vanished. A server that cannot be installed is left out and named; under `CI` it has failed.

mod checks;
mod server;
mod table;

use std::process::ExitCode;

use checks::Outcome;
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::tally::Tally;
use server::Server;
use table::{Lack, TABLE};

/// The page that shows the table.
const PAGE: &str = include_str!("../../docs/compatibility.md");

fn main() -> ExitCode {
    let mut tally = Tally::new("e2e");
    // Ours first, which lacks nothing: so each check can be passed.
    ask(&mut tally, "pulse-echo-local", &Bed::new().endpoint(), None);
    for server in Server::ALL {
        if !server.install() {
            tally.leave_out(&server.title(), "see above");
            continue;
        }
        match server.start() {
            Ok(running) => ask(&mut tally, &server.title(), &running.endpoint, Some(server)),
            Err(why) => tally.count(&server.title(), Err(why)),
        }
    }
    let table = table::markdown();
    println!("\n{table}");
    let shown = PAGE.contains(&table);
    tally.count("docs/compatibility.md", if shown { Ok(()) } else { Err("it does not show this table".into()) });
    tally.end()
}

/// Asks a server all that the table has; `None` lacks nothing.
fn ask(tally: &mut Tally, title: &str, endpoint: &str, server: Option<Server>) {
    let passed_before = tally.passed;
    for row in TABLE {
        let lack = server.and_then(|server| row.lack(server));
        let as_expected = judge(lack, (row.check)(endpoint));
        tally.count(title, as_expected.map_err(|why| format!("{}: {why}", row.what)));
    }
    println!("{title}: {} of {} as expected", tally.passed - passed_before, TABLE.len());
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

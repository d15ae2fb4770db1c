//! Pages of fleets in each state, looked at by `look.js`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use pulse_echo_core::history::History;
use pulse_echo_core::status::Status;
use pulse_echo_lambda::page::Page;
use pulse_echo_testkit::page_fleet::{How, NOW, PageFleet, ago, fleet, hostile};
use pulse_echo_testkit::server::{Reply, Server};
use pulse_echo_testkit::tally::Tally;

/// Serves the pages, and counts what the script says of them.
pub fn look(tally: &mut Tally, tools: &Path) {
    let mut stopped = fleet(40, How::AllUp);
    stopped.status.stopped = Some(ago(4_000));
    let pages: BTreeMap<_, _> = [
        ("all-up", fleet(40, How::AllUp)),
        ("two-down", fleet(40, How::TwoDown)),
        ("many-down", fleet(40, How::ManyDown)),
        ("stopped", stopped),
        ("empty", PageFleet { status: Status::new(NOW), history: History::new(NOW) }),
        ("hostile", hostile()),
        ("1000", fleet(1_000, How::TwoDown)),
    ]
    .into_iter()
    .map(|(name, fleet)| (format!("/{name}.html"), html(&fleet)))
    .collect();
    let server = Server::replying(move |head| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        match pages.get(path) {
            Some(html) => Reply::of(200, html.clone()).with("content-type", "text/html; charset=utf-8"),
            None => Reply::of(404, ""),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page_e2e/look.js"))
        .arg(tools.join("node_modules"))
        .arg("/usr/bin/chromium")
        .arg(folder.path().join("net.json"))
        .arg(server.endpoint())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    for line in said.lines() {
        if line.starts_with("ok ") {
            tally.count(line, Ok(()));
        } else if let Some(failed) = line.strip_prefix("FAILED ") {
            tally.count("the page", Err(failed.into()));
        } else {
            println!("{line}");
        }
    }
    let ended = said.contains("ok the browser asked nobody else") || said.contains("FAILED");
    let why = || String::from_utf8_lossy(&output.stderr).into_owned();
    tally.count("the browser's script", if ended { Ok(()) } else { Err(why()) });
}

fn html(fleet: &PageFleet) -> String {
    let page = Page::of(&fleet.status, NOW, fleet.status.stopped, 60);
    page.render(Some(&page.past(&*fleet.history.to_json()).unwrap()))
}

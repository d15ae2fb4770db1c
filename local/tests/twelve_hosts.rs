//! The documented walk from nothing to twelve hosts with TLS and a key each, as it is written.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_testkit::agent;
use pulse_echo_testkit::local::{Running, program};
use pulse_echo_testkit::tally::left_out;
use tempfile::TempDir;

/// The blocks for a shell in this section of `docs/small-site.md`.
fn blocks(section: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/small-site.md");
    let text = fs::read_to_string(page).unwrap();
    let (_, section) = text.split_once(&format!("## {section}\n")).expect("the page has this section");
    let section = section.split("\n## ").next().unwrap();
    section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// A shell in `folder` that finds both programs, and stops at the first error.
fn shell(folder: &Path, lines: &str) -> Command {
    let mut shell = Command::new("setpriv");
    // What it starts ends with this test, however this test ends.
    shell.args(["--pdeathsig", "TERM", "bash", "-euc", lines]).current_dir(folder).env_clear();
    shell.env("PATH", format!("{}:/usr/bin:/bin", folder.join("bin").display()));
    shell.env("AWS_EC2_METADATA_DISABLED", "true");
    shell
}

#[test]
fn the_documented_lines_lead_from_nothing_to_twelve_hosts() {
    if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
        return left_out("openssl is not here");
    }
    let folder = TempDir::new().unwrap();
    let here = folder.path();
    fs::create_dir(here.join("bin")).unwrap();
    symlink(agent::program(), here.join("bin/pulse-echo")).unwrap();
    symlink(program(&[]).get_program(), here.join("bin/pulse-echo-local")).unwrap();
    let blocks = blocks("Twelve hosts on this machine");
    let [first, second] = blocks.as_slice() else { panic!("two terminals: {blocks:?}") };
    // Another server may have the usual port.
    assert!(first.contains("pulse-echo-local serve --data"), "{first}");
    let first = first.replace("serve --data", "serve --listen 127.0.0.1:0 --data");
    // The shell makes way for the server, so that it is the server that is ended.
    let first = first.replace("(umask 077; ", "umask 077; exec ").replace("operator.env)", "operator.env");
    let mut server = Running::of(shell(here, &first).stderr(File::create(here.join("log")).unwrap()));
    let started = Instant::now();
    while fs::read_to_string(here.join("operator.env")).map_or(0, |lines| lines.lines().count()) < 5 {
        assert!(server.child.try_wait().unwrap().is_none() && started.elapsed() < Duration::from_secs(20), "{first}");
        thread::sleep(Duration::from_millis(20));
    }
    let output = shell(here, second).output().unwrap();
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{wrong}");
    for n in 1..=12 {
        assert!(said.contains(&format!("ECHO OK - web-{n}: the pulse arrived")), "{said}{wrong}");
        let is_up = |line: &str| line.starts_with("up ") && line.ends_with(&format!(" web-{n}"));
        assert!(said.lines().any(is_up), "web-{n} is not in the table, or not up: {said}");
    }
    server.signal("-TERM");
    assert!(server.end().status.success());
}

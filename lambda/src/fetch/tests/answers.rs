//! A corpus of raw answers: what curl shows of each, and what the probe makes of it.

use std::env;
use std::process::Command;

use super::*;

const CORPUS: &str = include_str!("answers.txt");

/// The curl whose verdicts are recorded.
pub(super) const CURL: &str = "curl 7.88.1 ";

/// What stands for the path that was asked for.
const PATH: &[u8] = b"<path>";

struct Row {
    name: &'static str,
    curl: &'static str,
    probe: &'static str,
    /// The answers to the first request and those after it; the last one repeats.
    raw: Vec<Vec<u8>>,
    keeps_open: bool,
}

fn rows() -> Vec<Row> {
    let is_row = |line: &&str| !line.is_empty() && !line.starts_with('#');
    CORPUS.lines().filter(is_row).map(row).collect()
}

fn row(line: &'static str) -> Row {
    let (name, rest) = line.split_once(" | ").unwrap();
    let (curl, rest) = rest.split_once(" | ").unwrap();
    let (probe, answer) = rest.split_once(" |").unwrap();
    let answer = answer.strip_prefix(' ').unwrap_or(answer);
    let (answer, keeps_open) = match answer.strip_suffix("\\!") {
        Some(answer) => (answer, true),
        None => (answer, false),
    };
    Row { name, curl, probe, raw: repeated(answer).split("\\>").map(bytes).collect(), keeps_open }
}

/// Writes out `\{N:TEXT}`.
fn repeated(text: &str) -> String {
    let mut parts = text.split("\\{");
    let mut whole = String::from(parts.next().unwrap());
    for part in parts {
        let (times, rest) = part.split_once(':').unwrap();
        let (text, rest) = rest.split_once('}').unwrap();
        whole += &text.repeat(times.parse().unwrap());
        whole += rest;
    }
    whole
}

/// Undoes the escapes.
fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, escaped)) = rest.split_once('\\') {
        bytes.extend(before.bytes());
        let (byte, length) = match escaped.as_bytes()[0] {
            b'r' => (b'\r', 1),
            b'n' => (b'\n', 1),
            b't' => (b'\t', 1),
            b'x' => (u8::from_str_radix(&escaped[1..3], 16).unwrap(), 3),
            other => panic!("{text} has an unknown escape \\{}", char::from(other)),
        };
        bytes.push(byte);
        rest = &escaped[length..];
    }
    bytes.extend(rest.bytes());
    bytes
}

impl Row {
    fn serve(&self) -> Server {
        let (raw, keeps_open) = (self.raw.clone(), self.keeps_open);
        Server::new(move |mut stream, number| {
            let head = read_head(&mut stream);
            let path = head.split(' ').nth(1).unwrap_or_default();
            let raw = &raw[number.min(raw.len() - 1)];
            let (before, behind) = match raw.windows(PATH.len()).position(|part| part == PATH) {
                Some(at) => (&raw[..at], [path.as_bytes(), &raw[at + PATH.len()..]].concat()),
                None => (&raw[..], Vec::new()),
            };
            let _ = stream.write_all(&[before, &behind].concat());
            if !keeps_open {
                let _ = stream.shutdown(std::net::Shutdown::Write);
            }
            until_closed(stream);
        })
    }

    /// The status and the body that a verdict shows.
    fn shown(verdict: &str) -> Option<(u16, String)> {
        let (status, body) = verdict.split_once(' ').unwrap_or((verdict, ""));
        Some((status.parse().ok()?, String::from_utf8(bytes(body)).ok()?))
    }

    /// How many redirects to follow, on both sides.
    fn redirects(&self) -> usize {
        self.raw.len() - 1
    }

    fn judge(&self) {
        let wanted = if self.probe == "=" { self.curl } else { self.probe };
        let url = self.serve().url();
        if let Some((status, body)) = Self::shown(wanted) {
            let body = serde_json::to_string(&body).unwrap();
            let checked = check_once(&url, &format!("\"body\": {body}, \"redirects\": {}", self.redirects()));
            assert_eq!((checked.verdict, checked.status), (Ok(()), Some(status)), "{}", self.name);
        } else {
            let wanted = wanted.strip_prefix('"').and_then(|wanted| wanted.strip_suffix('"')).expect(self.name);
            let fields = format!("\"body\": \"ok\", \"redirects\": {}", self.redirects());
            let (_, reason) = miss(check_once(&url, &fields));
            assert!(reason.contains(wanted), "{}: {reason}", self.name);
        }
    }
}

#[test]
fn what_curl_takes_the_probe_takes_and_what_it_does_not_is_named() {
    let rows = rows();
    assert!(rows.len() > 130);
    for row in rows {
        row.judge();
    }
}

#[test]
fn what_differs_from_curl_stands_there_with_its_why() {
    let mut before = "";
    for line in CORPUS.lines() {
        if !line.is_empty() && !line.starts_with('#') {
            let row = row(line);
            let both_refuse = Row::shown(row.probe).or(Row::shown(row.curl)).is_none();
            let differs = row.probe != "=" && !both_refuse;
            assert!(!differs || before.starts_with("# "), "{} differs without a why", row.name);
        }
        before = line;
    }
}

/// The recorded verdicts are those of the real curl, where it is there in that version.
#[test]
fn curl_itself_says_so() {
    let Ok(version) = Command::new("curl").arg("--version").output() else {
        assert!(env::var_os("CI").is_none(), "curl is not there: tests/tools.sh installs it");
        return;
    };
    if !version.stdout.starts_with(CURL.as_bytes()) {
        return;
    }
    for row in rows() {
        let server = row.serve();
        let arguments = ["-q", "-s", "--noproxy", "*", "-m", "9", "-w", "%{stderr}%{http_code}", &server.url()];
        let follow: &[&str] = if row.redirects() > 0 { &["-L", "--max-redirs", "5"] } else { &[] };
        // It waits in vain for the end of an answer whose length it overlooks.
        if row.curl == "refused 28" {
            continue;
        }
        let output = Command::new("curl").args(arguments).args(follow).output().unwrap();
        match (row.curl.strip_prefix("refused "), output.status.code().unwrap()) {
            (Some(code), got) => assert_eq!(code, got.to_string(), "{}", row.name),
            (None, code) => {
                let (status, body) = row.curl.split_once(' ').unwrap_or((row.curl, ""));
                let status_seen = String::from_utf8(output.stderr).unwrap();
                assert_eq!((code, status_seen.as_str(), output.stdout), (0, status, bytes(body)), "{}", row.name);
            }
        }
    }
}

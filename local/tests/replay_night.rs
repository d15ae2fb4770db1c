//! An operator's night, as it arrives on a phone: 12 hosts with 60 checks. One host is noisy, two have checks that
//! fail, five fall silent, one is retired, and a mute covers the end of an outage.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use pulse_echo_testkit::local::program;

const HOSTS: [&str; 12] =
    ["a-noisy", "db-1", "db-2", "mail-1", "mq-1", "old-1", "proxy-1", "web-1", "web-2", "web-3", "web-4", "zz-db"];

const CHECKS: [&str; 5] = ["", "/cpu", "/disk", "/http", "/log"];

/// The night's length, in minutes.
const END: usize = 300;

/// When it begins: 2026-11-21 19:00 UTC.
const BEGINNING: usize = 1_795_287_600;

/// A line of the history: so many minutes and seconds after the beginning.
fn line(history: &mut String, minute: usize, second: usize, rest: &str) {
    writeln!(history, "{},{rest}", BEGINNING + 60 * minute + second).unwrap();
}

/// Each minute a pulse, and each check fails for one minute of three.
fn noisy(history: &mut String, check: &str, number: usize) {
    for minute in 0..END {
        line(history, minute, 2 + number, &format!("pulse,{check},,,"));
        let answer = if minute >= 22 && (minute + number).is_multiple_of(3) {
            format!("fault,{check},status,\"status 503, expected 2xx\",")
        } else {
            format!("echo,{check},,,")
        };
        line(history, minute, 12 + number, &answer);
    }
}

/// Whether a host sends in this minute.
fn sends(host: &str, minute: usize) -> bool {
    match host {
        "web-1" | "web-2" | "web-3" | "web-4" => minute < 30,
        "zz-db" => !(60..200).contains(&minute),
        "old-1" => minute < 90,
        _ => true,
    }
}

/// The cause and the reason of a fault in this minute.
fn fault(host: &str, check: &str, minute: usize) -> Option<&'static str> {
    match (host, check) {
        ("db-1", "/http") if (60..130).contains(&minute) => {
            Some("connect,cannot connect to 192.0.2.7:5432: the connection was refused")
        }
        ("db-2", _) if (100..150).contains(&minute) => {
            Some("body,\"status 503, and the body differs at byte 0: expected \"\"ok\"\", got \"\"<html>\"\"\"")
        }
        ("mail-1", "" | "/http") if (110..150).contains(&minute) => Some("timeout,no answer within 10 s"),
        _ => None,
    }
}

fn night() -> String {
    let mut history = String::from("time,kind,check,cause,reason,for_s\n");
    for (place, host) in HOSTS.into_iter().enumerate() {
        for (number, check) in CHECKS.into_iter().enumerate() {
            let id = format!("{host}{check}");
            if host == "a-noisy" {
                noisy(&mut history, &id, number);
                continue;
            }
            for minute in ((place * 7 + number) % 10..END).step_by(10).filter(|&minute| sends(host, minute)) {
                line(&mut history, minute, 20, &format!("pulse,{id},,,"));
                let answer = fault(host, check, minute).map(|fault| format!("fault,{id},{fault},"));
                line(&mut history, minute, 25, &answer.unwrap_or_else(|| format!("echo,{id},,,")));
            }
        }
    }
    line(&mut history, 120, 0, "mute,mail-1,,,7200");
    line(&mut history, 90, 30, "retire,old-1,,,");
    history
}

/// What `replay` prints.
fn replayed(history: &str) -> String {
    let mut running = program(&["replay", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = running.stdin.take().unwrap();
    let history = history.to_string();
    let writing = std::thread::spawn(move || stdin.write_all(history.as_bytes()));
    let output = running.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_night_of_sixty_checks_arrives_as_it_should() {
    let told = replayed(&night());
    assert!(told == include_str!("golden/night.txt"), "local/tests/golden/night.txt should be:\n{told}");
}

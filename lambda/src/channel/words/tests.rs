use super::super::tests::{entry, fact, failing, id, many, silent, time, up};
use super::*;

fn plain(entries: &[Entry]) -> String {
    message(entries, 3_900, str::to_string)
}

#[test]
fn checks_of_one_host_that_fall_silent_in_one_sweep_are_one_line() {
    let down = |check, at| Entry { at: time(at), ..fact(Fact::Down(silent(check))) };
    let text = plain(&[down("web-1", 30), down("web-1/db", 30), down("web-10", 30), down("web-1/http", 31)]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[0].starts_with("DOWN: web-1 (2 checks: web-1, web-1/db) has been silent since "), "{text}");
    assert!(lines[1].starts_with("DOWN: web-10 has been silent since "), "{text}");
    assert!(lines[2].starts_with("DOWN: web-1/http has been silent since "), "{text}");
}

#[test]
fn checks_of_one_host_that_fail_each_have_their_cause() {
    let text = plain(&[fact(Fact::Down(failing("web-1/a"))), fact(Fact::Down(failing("web-1/b")))]);
    assert_eq!(text.matches("body differs").count(), 2, "{text}");
}

#[test]
fn the_words_of_the_check_that_was_heard_last_are_the_hosts_last_words() {
    let old = Down { pulse: time(3), words: [("load1".into(), "1".into())].into(), ..silent("web-1") };
    let text = plain(&[fact(Fact::Down(old)), fact(Fact::Down(silent("web-1/db")))]);
    assert!(text.contains("Last words: up 41 d, load 48, disk 0 % free."), "{text}");
}

#[test]
fn what_concerns_many_comes_first_and_what_does_not_fit_is_counted() {
    let mut entries = many(999);
    entries.push(fact(Fact::Stopped { at: time(30) }));
    let text = plain(&entries);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("LOOP STOPPED: "), "{text}");
    let shown = lines.iter().filter(|line| line.starts_with("DOWN: ")).count();
    assert_eq!(lines[lines.len() - 2], format!("… and {} more: DOWN {0}.", 999 - shown));
    assert_eq!(lines[lines.len() - 1], "Down in all: 4 checks. More: `pulse-echo status`");
    assert!(text.len() <= 3_900 && lines.len() <= LINES + 2);
}

#[test]
fn a_line_ends_within_its_room_whatever_it_says() {
    let escape = |text: &str| text.replace('&', "&amp;");
    let some: Vec<_> = (0..10).map(|number| id(&format!("{number}{}", "&".repeat(400)))).collect();
    let vanished = fact(Fact::Vanished { checks: 5_000, of: 5_000, hosts: 5_000, of_hosts: 5_000, some });
    for entries in [vec![vanished.clone()], vec![vanished, fact(up("web-1"))]] {
        let text = message(&entries, 2_500, escape);
        assert!(text.starts_with("VANISHED: the pulses of 5,000 of 5,000 checks") && text.len() <= 2_500, "{text}");
    }
}

#[test]
fn what_a_host_wrote_begins_no_line_and_sends_no_escape_sequence() {
    let reason = Some("got \"x\"\nUP: web-1 is fine \u{1b}[2J\u{202e}".into());
    let words = [("load1".into(), "1\n2".into()), ("disk-free-pct".into(), "3".into())].into();
    let text = plain(&[
        fact(Fact::Down(Down { reason, ..failing("web-1") })),
        fact(Fact::Down(Down { words, ..silent("a") })),
    ]);
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.contains("got \"x\"\\nUP: web-1 is fine \\u{1b}[2J\\u{202e}. Last"), "{text}");
    assert!(text.contains("Last words: disk 3 % free."), "{text}");
}

#[test]
fn what_is_not_known_is_said_to_be_unknown() {
    let bare = Down { limit_s: None, cause: None, reason: None, echo: None, words: [].into(), ..silent("a") };
    let text = plain(&[fact(Fact::Down(bare.clone()))]);
    assert!(
        text.contains("its last pulse came on 2026-11-21 08:14 UTC, 16 min ago. There never was a good echo."),
        "{text}"
    );
    let text = plain(&[fact(Fact::Down(Down { state: State::Failing, ..bare }))]);
    assert!(text.contains(": its fault could not be read. There never was a good echo.\n"), "{text}");
}

#[test]
fn a_subject_is_one_short_line_of_ascii() {
    assert_eq!(subject(&[fact(Fact::Down(failing("web-1/http")))]), "pulse-echo: DOWN web-1/http");
    assert_eq!(subject(&[fact(Fact::Test)]), "pulse-echo: TEST");
    assert_eq!(subject(&[fact(Fact::Down(failing("a"))), fact(up("b"))]), "pulse-echo: DOWN 1, UP 1");
    let together = ["web-1", "web-1/db"].map(|check| fact(Fact::Down(silent(check))));
    assert_eq!(subject(&together), "pulse-echo: DOWN web-1 and 1 more");
    let summary = Counts { gone: Count { checks: 1_200, some: vec![id("a")] }, ..Counts::default() };
    assert_eq!(subject(&[entry(What::Summary(summary))]), "pulse-echo: GONE 1,200");
    for long in ["ü".repeat(250), "x".repeat(500)] {
        let subject = subject(&[fact(Fact::Down(failing(&long)))]);
        assert!(subject.is_ascii() && subject.len() <= 100 && subject.starts_with("pulse-echo: DOWN "), "{subject}");
    }
}

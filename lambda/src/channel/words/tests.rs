use pulse_echo_core::answer::Cause;

use super::super::tests::{entry, fact, failing, id, many, silent, time, up};
use super::*;
use pulse_echo_core::status::Still;

fn plain(entries: &[Entry]) -> String {
    message(entries, 3_900, str::to_string)
}

#[test]
fn checks_of_one_host_that_fall_silent_are_one_line() {
    let down = |check, at| Entry { at: time(at), ..fact(Fact::Down(silent(check))) };
    let text = plain(&[down("web-1", 30), down("web-1/db", 30), down("web-10", 30), down("web-1/http", 31)]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(lines[0], "DOWN 2 hosts: web-10 (silent), web-1 (3 checks, silent).");
    assert!(lines[1].starts_with("DOWN: web-10 has been silent since "), "the host that changed least: {text}");
    let whole = "DOWN: web-1 (3 checks: web-1, web-1/db, web-1/http) has been silent since ";
    assert!(lines[2].starts_with(whole), "though a sweep later noticed one of them: {text}");
}

#[test]
fn checks_of_one_host_that_fail_are_one_line_with_each_reason_once() {
    let with = |check: &str, reason: &str| {
        fact(Fact::Down(Down { reason: Some(reason.into()), ..failing(&format!("web-1/{check}")) }))
    };
    let text = plain(&[with("a", "it is closed."), with("b", "it is closed"), with("c", "status 500")]);
    let who = "DOWN: web-1 (3 checks: web-1/a, web-1/b, web-1/c) has been failing since 2026-11-21 08:28 UTC (120 s): ";
    let why = "it is closed (web-1/a, web-1/b); status 500 (web-1/c).";
    assert_eq!(text.lines().next().unwrap(), format!("{who}{why}"));
    let reasons: Vec<_> = (0..9).map(|n| with(&n.to_string(), &format!("reason {n}"))).collect();
    let text = plain(&reasons);
    assert!(text.contains("reason 2 (web-1/2); and 6 more reasons.\n") && !text.contains("reason 3"), "{text}");
}

#[test]
fn a_line_has_at_most_ten_names() {
    let text = plain(&(0..300).map(|n| fact(Fact::Down(silent(&format!("web-1/{n:03}"))))).collect::<Vec<_>>());
    assert!(text.starts_with("DOWN: web-1 (300 checks) has been silent since "), "a phone shows what it is: {text}");
    assert!(text.contains(" The checks: web-1/000, web-1/001, "), "{text}");
    assert!(text.contains("web-1/009 and 290 more.\n") && !text.contains("web-1/010"), "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[test]
fn the_first_line_names_the_one_check_and_what_else_changed_as_far_as_that_fits() {
    let still = Some(Still { checks: 2, some: vec![id("web-1"), id("web-1/db")] });
    let Fact::Up { check, since, until, was, cause, reason, steady, .. } = up("web-1/http") else { panic!() };
    let up_again = fact(Fact::Up { check, since, until, was, cause, reason, steady, still, ack: None });
    let text = plain(std::slice::from_ref(&up_again));
    let first: String = text.chars().take(120).collect();
    assert!(first.starts_with("UP: web-1/http is up again after "), "{first}");
    assert!(first.contains(". Still down: web-1, web-1/db. It was down from "), "{first}");
    let text = plain(&[up_again, fact(Fact::Down(silent("web-1/cpu"))), fact(Fact::Down(silent("db")))]);
    let said = "DOWN 2 hosts: db (silent), web-1/cpu (silent). UP 1 host: web-1/http.\n";
    assert!(text.starts_with(said), "{text}");
    let many: Vec<_> = (0..20).map(|n| fact(up(&format!("web-{n}/http")))).collect();
    let text = plain(&[many, vec![fact(Fact::Down(silent("db")))]].concat());
    assert!(text.starts_with("DOWN 1 host: db (silent). UP 20 hosts.\n"), "{text}");
}

#[test]
fn a_sentence_ends_once_whatever_a_reason_ends_with() {
    let reason = |reason: &str| fact(Fact::Down(Down { reason: Some(reason.into()), ..failing("web-1") }));
    assert!(plain(&[reason("is it an http address?")]).contains("http address? Last good echo"));
    assert!(plain(&[reason("it is closed.")]).contains("it is closed. Last good echo"));
}

#[test]
fn a_host_without_a_line_is_named_once() {
    let mut entries: Vec<_> = (0..20).map(|n| fact(Fact::Down(failing(&format!("web-{n}"))))).collect();
    let still =
        |n: usize| Fact::StillDown { down: silent(&format!("web-{n}/a")), told: time(0), changed: true, back: false };
    entries.extend((0..20).map(|n| fact(still(n))));
    let text = plain(&entries);
    let others = text.lines().find(|line| line.starts_with("Without a line: ")).unwrap();
    assert_eq!(others.matches("web-19").count(), 1, "{others}");
}

#[test]
fn a_host_that_changes_a_lot_hides_no_other() {
    let mut entries = many(16);
    for entry in &mut entries {
        if let What::Fact(Fact::Down(down)) = &mut entry.what {
            down.check = id(&down.check.to_string().replace("web-", "a-noisy/web-"));
        }
    }
    entries.push(fact(Fact::Down(silent("zz-db"))));
    entries.push(fact(up("b-old")));
    let text = plain(&entries);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "DOWN 2 hosts: zz-db (silent), a-noisy (16 checks, body). UP 1 host: b-old.");
    assert!(lines[1].starts_with("DOWN: zz-db has been silent"), "{text}");
    assert!(lines[2].starts_with("DOWN: a-noisy (16 checks) has been failing since "), "{text}");
    assert!(lines[3].starts_with("UP: b-old is up again after "), "what is up comes after what is down: {text}");
    assert_eq!(lines.len(), 5, "{text}");
}

#[test]
fn the_first_line_alone_fits_a_phone_and_names_whom_to_look_at() {
    let long = |n: usize| format!("{n}-{}", "x".repeat(60));
    let mut entries: Vec<_> = (0..40).map(|n| fact(Fact::Down(silent(&long(n))))).collect();
    entries.extend((100..160).map(|n| fact(up(&long(n)))));
    entries.push(fact(Fact::StillDown { down: silent("db"), told: time(0), changed: false, back: false }));
    for entries in [&entries[..2], &entries[..41], &entries[..]] {
        let text = plain(entries);
        let first = text.lines().next().unwrap();
        assert!(first.chars().count() <= 120 && first.contains(&long(0)[..20]), "{first}");
    }
    let first = plain(&entries).lines().next().unwrap().to_string();
    assert!(first.starts_with("DOWN 40 hosts: ") && first.ends_with(" STILL DOWN 1 host, UP 60 hosts."), "{first}");
}

#[test]
fn the_status_code_is_the_news_where_there_is_one() {
    let with = |cause, reason: &str, check: &str| {
        fact(Fact::Down(Down { cause: Some(cause), reason: Some(reason.into()), ..failing(check) }))
    };
    let text = plain(&[
        with(Cause::Status, "status 404, expected 2xx", "a"),
        with(Cause::Body, "status 503, and the body differs", "b"),
        with(Cause::Body, "body differs", "c"),
        with(Cause::Status, "status \u{e9}\u{e9}", "d"),
    ]);
    assert!(text.starts_with("DOWN 4 hosts: a (status 404), b (status 503), c (body), d (status).\n"), "{text}");
}

#[test]
fn an_outage_that_began_in_another_state_says_since_when_it_is_in_each() {
    let down = Down { since: time(22), state_since: Some(time(23)), began: Some(State::Failing), ..silent("web-1") };
    let text = plain(&[fact(Fact::StillDown { down, told: time(22), changed: true, back: false })]);
    let said = "STILL DOWN: web-1 has been silent since 2026-11-21 08:23 UTC (7 min), down since 2026-11-21 08:22 UTC \
                (failing): its last pulse";
    assert!(text.starts_with(said), "{text}");
    let down = Down { since: time(0), state_since: Some(time(23)), began: None, ..failing("web-1") };
    let text = plain(&[fact(Fact::StillDown { down, told: time(0), changed: true, back: true })]);
    let said = "STILL DOWN: web-1 has been failing since 2026-11-21 08:23 UTC (7 min), down since 2026-11-21 08:00 \
                UTC; it sends again, still failing: body";
    assert!(text.starts_with(said), "{text}");
}

#[test]
fn a_check_that_is_down_again_has_no_line_for_the_outage_before() {
    let text = plain(&[fact(up("web-1")), fact(Fact::Down(failing("web-1"))), fact(up("web-1/db"))]);
    assert!(text.starts_with("DOWN 1 host: web-1 (body). UP 1 host: web-1/db.\nDOWN: web-1 has"), "{text}");
    assert!(text.contains("\nUP: web-1/db is up again") && text.lines().count() == 4, "{text}");
}

#[test]
fn a_common_cause_is_named_only_if_three_quarters_share_it() {
    let wave = |alike_hosts| Fact::ManyDown {
        down: 30,
        of: 100,
        hosts: 20,
        of_hosts: 50,
        state: State::Failing,
        cause: Some(Cause::Dns),
        alike: 16,
        alike_hosts,
    };
    let said = |alike| plain(&[fact(wave(alike))]).lines().next().unwrap().to_string();
    let begins = "MANY DOWN: 20 of 50 hosts went down within 15 min";
    assert_eq!(said(20), format!("{begins}, all failing (dns). Look for one cause: their name service."));
    assert_eq!(said(15), format!("{begins}, 15 failing (dns). Look for one cause: their name service."));
    assert_eq!(said(14), format!("{begins}, for different reasons. Look for one cause all the same."));
}

#[test]
fn a_wave_that_a_loop_without_hosts_found_is_told_by_checks() {
    let fact = fact(Fact::ManyDown {
        down: 12,
        of: 40,
        hosts: 0,
        of_hosts: 0,
        state: State::Silent,
        cause: None,
        alike: 12,
        alike_hosts: 0,
    });
    let text = plain(&[fact]);
    assert!(text.starts_with("MANY DOWN: 12 of 40 checks went down within 15 min, all silent."), "{text}");
}

#[test]
fn the_words_of_the_check_that_was_heard_last_are_the_hosts_last_words() {
    let old = Down { pulse: time(3), words: [("load1".into(), "1".into())].into(), ..silent("web-1") };
    let text = plain(&[fact(Fact::Down(old)), fact(Fact::Down(silent("web-1/db")))]);
    assert!(text.contains("Last words: up 41 d, load 48, disk 0 % free."), "{text}");
}

#[test]
fn what_concerns_us_comes_first_and_what_does_not_fit_is_named_by_host() {
    let mut entries = many(999);
    entries.push(fact(Fact::Stopped { at: time(30) }));
    let text = plain(&entries);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("LOOP STOPPED. DOWN 999 hosts: web-0/http (body), "), "{text}");
    assert!(lines[1].starts_with("LOOP STOPPED: "), "{text}");
    let shown = lines.iter().filter(|line| line.starts_with("DOWN: ")).count();
    let others = lines[lines.len() - 2];
    assert!(others.starts_with(&format!("Without a line: DOWN {} hosts: web-{shown}, ", 999 - shown)), "{others}");
    assert!(others.ends_with(" more."), "{others}");
    assert_eq!(lines[lines.len() - 1], "Down in all: 4 checks on 3 hosts. More: `pulse-echo status`");
    assert!(text.len() <= 3_900 && lines.len() <= LINES + 3);
    // Forty hosts are all named.
    let text = plain(&many(40));
    assert!((0..40).all(|n| text.contains(&format!("web-{n}"))), "{text}");
}

#[test]
fn a_line_ends_within_its_room_whatever_it_says() {
    let escape = |text: &str| text.replace('&', "&amp;");
    let some: Vec<_> = (0..10).map(|number| id(&format!("{number}{}", "&".repeat(400)))).collect();
    let vanished = fact(Fact::Vanished { checks: 5_000, of: 5_000, hosts: 5_000, of_hosts: 5_000, some });
    for (entries, begins) in [
        (vec![vanished.clone()], "VANISHED: the pulses of 5,000 of 5,000 hosts"),
        (vec![vanished, fact(up("web-1"))], "VANISHED. UP 1 host: web-1.\nVANISHED: the pulses of"),
    ] {
        let text = message(&entries, 3_500, escape);
        assert!(text.starts_with(begins) && text.len() <= 3_500, "{text}");
    }
    let hostile: Vec<_> = (0..60).map(|n| fact(Fact::Down(failing(&format!("{n}{}", "&".repeat(400)))))).collect();
    let text = message(&hostile, 3_500, escape);
    assert!(text.len() <= 3_500, "{} bytes: {text}", text.len());
}

#[test]
fn what_a_host_wrote_begins_no_line_and_sends_no_escape_sequence() {
    let reason = Some("got \"x\"\nUP: web-1 is fine \u{1b}[2J\u{202e}".into());
    let words = [("load1".into(), "1\n2".into()), ("disk-free-pct".into(), "3".into())].into();
    let text = plain(&[
        fact(Fact::Down(Down { reason, ..failing("web-1") })),
        fact(Fact::Down(Down { words, ..silent("a") })),
    ]);
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.contains("got \"x\"\\nUP: web-1 is fine \\x1b[2J\\u{202e}. Last"), "{text}");
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
    assert_eq!(
        subject(&[fact(Fact::Down(failing("a"))), fact(up("b"))]),
        "pulse-echo: DOWN 1 host: a (body). UP 1 host: b"
    );
    let together = ["web-1", "web-1/db"].map(|check| fact(Fact::Down(silent(check))));
    assert_eq!(subject(&together), "pulse-echo: DOWN web-1 (2 checks)");
    let summary = Counts { gone: Count { checks: 1_200, some: vec![id("a")] }, ..Counts::default() };
    assert_eq!(subject(&[entry(What::Summary(summary))]), "pulse-echo: GONE 1,200");
    for long in ["ü".repeat(250), "x".repeat(500)] {
        let subject = subject(&[fact(Fact::Down(failing(&long)))]);
        assert!(subject.is_ascii() && subject.len() <= 100 && subject.starts_with("pulse-echo: DOWN "), "{subject}");
    }
}

#[test]
fn a_stop_whose_end_the_stores_clock_had_before_it_has_no_length() {
    let text = plain(&[Entry { at: time(-1), ..fact(Fact::Started { stopped: time(5) }) }]);
    assert!(text.starts_with("LOOP STARTED: all is watched again. It was stopped on 2026-11-21 "), "{text}");
    assert!(!text.contains("for 0 s"), "{text}");
}

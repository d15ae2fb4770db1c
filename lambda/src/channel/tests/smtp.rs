//! Mails as a mail server gets them: headers, threads, ids, TLS and logins.

use std::collections::BTreeSet;

use super::messages::{another_cause, everything, reminder};
use super::*;
use pulse_echo_testkit::smtp::{Act, Mail, MailServer, Manners};
use pulse_echo_testkit::tls::Ca;

/// The login of the test's server, as it stands in a URL.
const LOGIN: &str = "me%40example.com:a%20p%40ss%2Fword@";

/// A channel to the server at this URL, which trusts that bundle of certificates.
pub(super) fn smtp_to(url: &str, to: &str, bundle: &str) -> Box<dyn Channel> {
    let variables = [("SMTP_URL", url), ("SMTP_FROM", "alerts@example.com"), ("SMTP_TO", to)];
    let trust = if bundle.is_empty() { Trust::built_in() } else { Trust::with_pem(bundle.as_bytes()).unwrap() };
    let mut made =
        with_means(&variables, |means| channels(&Means { trust: &trust, clock: means.clock.clone(), ..*means }));
    made.as_mut().unwrap().remove(0)
}

/// The mails that a server without TLS gets for these entries.
pub(super) fn mails(entries: &[Entry]) -> Vec<Mail> {
    let server = MailServer::new(Manners::default());
    let channel = smtp_to(&format!("smtp://{}", server.address()), "ops@example.com, db@example.org", "");
    assert_eq!(channel.send(entries, soon()), Outcome::Taken);
    server.mails()
}

fn mail(entries: &[Entry]) -> Mail {
    let mut mails = mails(entries);
    assert_eq!(mails.len(), 1);
    mails.remove(0)
}

fn with_id(id: &str, entry: Entry) -> Entry {
    Entry { id: id.into(), ..entry }
}

fn threads(mail: &Mail) -> Vec<String> {
    mail.header("references").unwrap_or_default().split_whitespace().map(String::from).collect()
}

#[test]
fn a_mail_says_from_whom_it_is_to_whom_and_what_happened() {
    let mail = mail(&[in_outage(Fact::Down(failing("web-1/http")), 28, false)]);
    let header = |name: &str| mail.header(name).unwrap();
    assert_eq!(
        (mail.from.as_str(), &mail.to[..]),
        ("alerts@example.com", &["ops@example.com", "db@example.org"].map(String::from)[..])
    );
    assert_eq!(header("from"), "pulse-echo <alerts@example.com>");
    assert_eq!(header("to"), "ops@example.com, db@example.org");
    assert_eq!(header("subject"), "pulse-echo: DOWN web-1/http");
    assert_eq!(header("date"), "Sat, 21 Nov 2026 08:30:00 +0000");
    assert_eq!(header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(header("auto-submitted"), "auto-generated");
    assert_eq!(header("importance"), "high");
    assert!(mail.text.contains("\r\n\r\nDOWN: web-1/http has been failing since "), "{}", mail.text);
    let good = self::mail(&[in_outage(up("web-1/http"), 28, true)]);
    assert_eq!(good.header("importance"), None);
}

#[test]
fn an_outage_of_a_host_is_one_thread_and_no_two_mails_have_one_id() {
    let story = [
        with_id("1", in_outage(Fact::Down(failing("web-1/http")), 28, false)),
        with_id("2", in_outage(reminder(), 28, false)),
        with_id("3", in_outage(another_cause(), 28, false)),
        with_id("4", in_outage(Fact::Down(silent("web-1/db")), 28, false)),
        with_id("5", in_outage(up("web-1/http"), 28, true)),
    ];
    let told: Vec<_> = story.iter().map(|entry| mail(std::slice::from_ref(entry))).collect();
    let ids: BTreeSet<_> = told.iter().map(|mail| mail.header("message-id").unwrap()).collect();
    assert_eq!(ids.len(), 5);
    let [thread] = threads(&told[0]).try_into().unwrap();
    assert!(thread.starts_with("<outage.") && thread.ends_with("@example.com>") && !ids.contains(&thread), "{thread}");
    for mail in &told {
        assert_eq!((threads(mail), mail.header("in-reply-to")), (vec![thread.clone()], Some(thread.clone())));
    }
    for other in
        [in_outage(Fact::Down(failing("web-1/http")), 29, false), in_outage(Fact::Down(failing("web-2")), 28, false)]
    {
        assert_ne!(
            threads(&mail(&[other])),
            std::slice::from_ref(&thread),
            "the next outage, and another host's, is another thread"
        );
    }
    assert!(threads(&mail(&[fact(Fact::Test)])).is_empty());
}

#[test]
fn a_mail_that_tells_several_outages_stands_in_the_thread_of_each() {
    let one = |check: &str, since| in_outage(Fact::Down(failing(check)), since, false);
    let [first, second] = [one("web-1", 12), one("web-2", 28)].map(|entry| threads(&mail(&[entry])).remove(0));
    let joint = mail(&[one("web-2", 28), one("web-1", 12), one("web-1/db", 12)]);
    assert_eq!((threads(&joint), joint.header("in-reply-to")), (vec![first, second.clone()], Some(second)));
    let many: Vec<_> = (0..900).map(|n| one(&format!("web-{n}"), 28)).collect();
    let mail = mail(&many);
    assert_eq!(threads(&mail).len(), 50);
    assert!(mail.text.lines().all(|line| line.len() < 998));
}

#[test]
fn a_mail_whose_answer_was_lost_comes_again_with_the_same_id_whatever_came_after_it() {
    let server = MailServer::with(Manners::default(), |command| (command == ".").then_some(Act::Close));
    let channel = smtp_to(&format!("smtp://{}", server.address()), "ops@example.com, db@example.org", "");
    let first = [with_id("1", fact(Fact::Down(failing("web-1")))), with_id("2", fact(Fact::Down(failing("web-2"))))];
    let lost = "127.0.0.1: the connection was closed before the answer was complete".to_string();
    assert_eq!(channel.send(&first, soon()), Outcome::Ambiguous { taken: 0, why: lost });
    let later = Entry { at: time(31), ..with_id("3", fact(up("web-3"))) };
    let again = mails(&[&first[..], std::slice::from_ref(&later)].concat());
    assert_eq!(again.len(), 2);
    assert_eq!(again[0].text, server.mails()[0].text);
    assert_eq!(again[1].text, mail(&[later]).text);
}

#[test]
fn what_was_taken_before_a_failure_is_not_sent_again() {
    let is_second = std::sync::atomic::AtomicBool::new(false);
    let server = MailServer::with(Manners::default(), move |command| {
        let is_refused = command == "DATA" && is_second.swap(true, std::sync::atomic::Ordering::SeqCst);
        is_refused.then(|| Act::Say("451 4.3.0 later\r\n".into()))
    });
    let channel = smtp_to(&format!("smtp://{}", server.address()), "ops@example.com", "");
    let later = Entry { at: time(31), ..with_id("3", fact(up("web-3"))) };
    let entries = [with_id("1", fact(Fact::Test)), with_id("2", fact(up("web-2"))), later];
    let why = "127.0.0.1: it takes no mail: 451 4.3.0 later".into();
    assert_eq!(channel.send(&entries, soon()), Outcome::NotTaken { taken: 2, after: None, why });
    assert_eq!(server.mails().len(), 1);
}

#[test]
fn names_and_reasons_from_outside_add_no_header_and_no_line() {
    let name = format!("web\r\nBcc: x@evil.example\r\n\r\n.\r\n\u{202e}{}", "ä\"<&".repeat(80));
    let check = CheckId::try_from(format!("{}.json", name.replace(['\r', '\n', '\u{202e}'], "?"))).unwrap();
    let reason = format!("{name}\r\n.\r\nMAIL FROM:<x@evil.example>\r\n");
    let down = Down { check, reason: Some(reason), ..failing("web-1") };
    let mail = mail(&[in_outage(Fact::Down(down), 28, false)]);
    let (head, body) = mail.text.split_once("\r\n\r\n").unwrap();
    let names: Vec<_> =
        head.split("\r\n").filter(|line| !line.starts_with(' ')).map(|line| line.split(':').next().unwrap()).collect();
    let expected = [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "Content-Type",
        "In-Reply-To",
        "MIME-Version",
        "References",
        "Importance",
        "Content-Transfer-Encoding",
    ];
    assert_eq!(BTreeSet::from_iter(names), BTreeSet::from(expected), "{head}");
    assert!(mail.text.is_ascii() && mail.text.lines().all(|line| line.len() < 998), "{}", mail.text);
    assert!(body.lines().all(|line| line != "." && !line.starts_with("MAIL")), "{body}");
    assert!(mail.header("subject").unwrap().len() <= 99);
    for entry in everything() {
        let mails = mails(std::slice::from_ref(&entry));
        assert!(mails.len() == 1 && mails[0].text.is_ascii(), "{entry:?}");
    }
}

#[test]
fn each_kind_of_tls_and_login_hands_the_mail_in_and_a_password_goes_through_tls() {
    let ca = Ca::new("the site's CA");
    let tls = Some(ca.server("localhost", 2040));
    for (scheme, login, manners) in [
        ("smtp", LOGIN, Manners { tls: tls.clone(), logins: "PLAIN LOGIN", ..Manners::default() }),
        ("smtp", LOGIN, Manners { tls: tls.clone(), logins: "CRAM-MD5 LOGIN", ..Manners::default() }),
        ("smtps", LOGIN, Manners { tls: tls.clone(), is_smtps: true, logins: "LOGIN PLAIN" }),
        ("smtps", "", Manners { tls: tls.clone(), is_smtps: true, logins: "PLAIN" }),
    ] {
        let server = MailServer::new(manners);
        let port = server.server.port();
        let query = if scheme == "smtp" { "?tls=required" } else { "" };
        let channel = smtp_to(&format!("{scheme}://{login}localhost:{port}{query}"), "ops@example.com", &ca.pem());
        assert_eq!(channel.send(&[fact(Fact::Test)], soon()), Outcome::Taken, "{scheme}://{login}");
        let [mail] = server.mails().try_into().unwrap();
        assert_eq!((mail.is_secured, mail.has_login), (true, !login.is_empty()));
    }
    // On this machine a login needs no TLS.
    let server = MailServer::new(Manners { logins: "PLAIN", ..Manners::default() });
    let channel = smtp_to(&format!("smtp://{LOGIN}{}", server.address()), "ops@example.com", "");
    assert_eq!(channel.send(&[fact(Fact::Test)], soon()), Outcome::Taken);
    assert!(server.mails()[0].has_login);
}

#[test]
fn what_a_server_can_do_is_asked_again_behind_tls_and_its_words_may_be_old() {
    let ca = Ca::new("the site's CA");
    let manners = Manners { tls: Some(ca.server("localhost", 2040)), logins: "PLAIN", ..Manners::default() };
    let is_again = std::sync::atomic::AtomicBool::new(false);
    let server = MailServer::with(manners, move |command| {
        let able = if is_again.load(std::sync::atomic::Ordering::SeqCst) { "auth=login plain" } else { "starttls" };
        is_again.fetch_or(command == "STARTTLS", std::sync::atomic::Ordering::SeqCst);
        command.starts_with("EHLO").then(|| Act::Say(format!("250-mail.test\r\n250 {able}\r\n")))
    });
    let url = format!("smtp://{LOGIN}localhost:{}?tls=required", server.server.port());
    assert_eq!(smtp_to(&url, "ops@example.com", &ca.pem()).send(&[fact(Fact::Test)], soon()), Outcome::Taken);
    assert!(server.mails()[0].has_login);
}

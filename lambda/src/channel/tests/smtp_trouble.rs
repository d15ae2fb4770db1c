//! Mail servers that are dead, slow, hostile or busy, that refuse, or that hang up.

use std::net::TcpListener;

use super::smtp::smtp_to;
use super::*;
use pulse_echo_testkit::smtp::{Act, LOGIN, MailServer, Manners};
use pulse_echo_testkit::tls::Ca;

const SHORT: Duration = Duration::from_millis(600);

/// A send that takes this long has not kept to [`SHORT`].
const LONG: Duration = Duration::from_secs(20);

fn say(text: &str) -> Act {
    Act::Say(format!("{text}\r\n"))
}

/// The outcome of a mail to a server that does this upon that command.
fn outcome(upon: &'static str, act: Act) -> Outcome {
    let server = MailServer::with(Manners { logins: "PLAIN", ..Manners::default() }, move |command| {
        (command.split(' ').next() == Some(upon)).then(|| act.clone())
    });
    sent(&format!("smtp://me%40example.com:a%20p%40ss%2Fword@{}", server.address()))
}

/// The outcome of a mail to this server, within [`SHORT`].
fn sent(url: &str) -> Outcome {
    let channel = smtp_to(url, "ops@example.com", "");
    let started = Instant::now();
    let outcome = channel.send(&[fact(Fact::Test)], started + SHORT);
    assert!(started.elapsed() < LONG, "{url} took {:?}", started.elapsed());
    outcome
}

fn not_taken(why: &str) -> Outcome {
    Outcome::NotTaken { taken: 0, after: None, why: format!("127.0.0.1: {why}") }
}

fn ambiguous(why: &str) -> Outcome {
    Outcome::Ambiguous { taken: 0, why: format!("127.0.0.1: {why}") }
}

#[test]
fn what_is_refused_before_the_mail_or_for_now_is_tried_again_and_a_mail_that_is_refused_is_not() {
    for (upon, reply, why) in [
        ("", "554 5.7.1 your address is on a list", "it wants no mail from us: 554 5.7.1 your address is on a list"),
        ("", "421 4.3.2 busy", "it wants no mail from us: 421 4.3.2 busy"),
        ("EHLO", "550 who?", "it wants no mail from us: 550 who?"),
        ("AUTH", "535 5.7.8 no", "it does not take the user and the password of SMTP_URL (535)"),
        ("AUTH", "454 4.7.0 later", "it cannot check the login now (454)"),
        ("MAIL", "530 5.7.0 log in first", "it refuses the sender alerts@example.com: 530 5.7.0 log in first"),
        ("RCPT", "550 5.1.1 nobody", "it refuses all recipients, first ops@example.com: 550 5.1.1 nobody"),
        (
            "RCPT",
            "454 4.7.1 Relay access denied",
            "it refuses all recipients, first ops@example.com: 454 4.7.1 Relay access denied",
        ),
        ("DATA", "452 4.3.1 full", "it takes no mail: 452 4.3.1 full"),
        (".", "451 4.7.1 greylisted", "it refuses the mail: 451 4.7.1 greylisted"),
        (".", "550 5.7.1 Relaying denied", "it refuses the mail: 550 5.7.1 Relaying denied"),
        (".", "530 5.7.0 log in first", "it refuses the mail: 530 5.7.0 log in first"),
        (".", "554 Message rejected: not verified", "it refuses the mail: 554 Message rejected: not verified"),
        (".", "552 5.2.2 over quota", "it refuses the mail: 552 5.2.2 over quota"),
    ] {
        assert_eq!(outcome(upon, Act::Say(format!("{reply}\r\n"))), not_taken(why), "{upon}");
    }
    for reply in ["552 5.3.4 too large", "550 5.6.1 no such letters", "554 5.7.1 this looks like SPAM"] {
        let why = format!("127.0.0.1: it refuses the mail: {reply}");
        assert_eq!(outcome(".", Act::Say(format!("{reply}\r\n"))), Outcome::Refused { taken: 0, why });
    }
}

#[test]
fn a_server_that_hangs_up_or_is_silent_took_nothing_but_for_a_mail_that_it_had() {
    let closed = "the connection was closed before the answer was complete";
    for upon in ["", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"] {
        assert_eq!(outcome(upon, Act::Close), not_taken(closed), "{upon}");
        let silent = match upon {
            "" => "it sends no greeting in time; if it waits for TLS, write smtps://",
            _ => "no whole answer in time",
        };
        assert_eq!(outcome(upon, Act::Silence), not_taken(silent), "{upon}");
    }
    assert_eq!(outcome(".", Act::Close), ambiguous(closed));
    assert_eq!(outcome(".", Act::Silence), ambiguous("no whole answer in time"));
    assert_eq!(outcome("QUIT", Act::Silence), Outcome::Taken);
}

#[test]
fn replies_without_end_and_such_that_are_not_smtp_are_given_up_at_once() {
    for (text, why) in [
        ("250-x\r\n", "its reply has no end"),
        ("250-", "a line of its reply has no end"),
        ("HTTP/1.1 400 Bad Request\r\n", "what it says is not SMTP"),
        ("\r\n", "what it says is not SMTP"),
        ("25\r\n", "what it says is not SMTP"),
        ("999 x\r\n", "what it says is not SMTP"),
        ("ä€ö\r\n", "what it says is not SMTP"),
        ("250-a\r\n550 b\r\n", "what it says is not SMTP"),
    ] {
        for upon in ["", "EHLO", "MAIL", "DATA"] {
            assert_eq!(outcome(upon, Act::Repeat(text.into())), not_taken(why), "{upon}: {text}");
        }
        assert_eq!(outcome(".", Act::Repeat(text.into())), ambiguous(why), "{text}");
    }
    for reply in ["250\n", "250 ok\n", "250-ä\r\n250-\r\n250 x\r\n"] {
        assert_eq!(outcome("MAIL", Act::Say(reply.into())), Outcome::Taken, "{reply:?} is good enough");
    }
}

#[test]
fn a_dripping_server_is_left_by_the_deadline() {
    let dripping = Server::new(|mut stream, _| {
        while stream.write_all(b"2").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let greeting = not_taken("it sends no greeting in time; if it waits for TLS, write smtps://");
    assert_eq!(sent(&format!("smtp://{}", dripping.address)), greeting);
    let secured = sent(&format!("smtps://{}", dripping.address));
    let tls = "what the server sends is not TLS; is it smtp:// with STARTTLS?";
    assert!([not_taken("no connection in time"), not_taken(tls)].contains(&secured), "{secured:?}");
}

#[test]
fn what_never_reached_a_mail_server_is_surely_not_taken() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(sent(&format!("smtp://{closed}")), not_taken("the connection was refused"));
    assert!(matches!(sent("smtp://nosuch.invalid"), Outcome::NotTaken { taken: 0, .. }));
    let six = TcpListener::bind("[::1]:0").unwrap().local_addr().unwrap();
    let why = "[::1]: the connection was refused".into();
    assert_eq!(sent(&format!("smtp://{six}")), Outcome::NotTaken { taken: 0, after: None, why });
    let silent = Server::new(|stream, _| pulse_echo_testkit::server::until_closed(stream));
    assert_eq!(sent(&format!("smtps://{}", silent.address)), not_taken("no connection in time"));
    let server = MailServer::new(Manners::default());
    let channel = smtp_to(&format!("smtp://{}", server.address()), "ops@example.com", "");
    assert_eq!(channel.send(&[fact(Fact::Test)], Instant::now()), not_taken("no time was left to send"));
    let plain = sent(&format!("smtps://{}", server.address()));
    assert_eq!(plain, not_taken("what the server sends is not TLS; is it smtp:// with STARTTLS?"));
    assert_eq!((server.commands().len(), server.mails().len()), (0, 0));
}

#[test]
fn nothing_is_sent_to_a_server_that_does_not_offer_tls_or_shows_a_certificate_of_nobody() {
    let ca = Ca::new("nobody's CA");
    let without = MailServer::new(Manners { logins: "PLAIN", ..Manners::default() });
    let with = Manners { tls: Some(ca.server("localhost", 2040)), logins: "PLAIN", ..Manners::default() };
    let of_nobody = MailServer::new(with.clone());
    let early = MailServer::with(with, |command| {
        (command == "STARTTLS").then(|| Act::Say("220 go ahead\r\n250 AUTH PLAIN\r\n".into()))
    });
    for (server, why) in [
        (&without, "it does not offer STARTTLS, and nothing is sent without TLS; is it smtps://, or another port?"),
        (&of_nobody, "the server must send its certificate, too; PROBE_CA_BUNDLE can name it as trusted"),
        (&early, "it said more before TLS than it may"),
    ] {
        let port = server.server.port();
        let outcome = sent(&format!("smtp://me:secret@localhost:{port}?tls=required"));
        let Outcome::NotTaken { taken: 0, why: said, .. } = outcome else { panic!("{outcome:?}") };
        assert!(said.starts_with("localhost: ") && said.ends_with(why), "{said}");
        let sent: Vec<_> = server.commands().iter().map(|line| line.split(' ').next().unwrap().to_string()).collect();
        assert!(sent.iter().all(|word| ["EHLO", "STARTTLS"].contains(&word.as_str())), "{sent:?}");
    }
}

#[test]
fn a_server_that_offers_no_login_or_repeats_the_password_shows_it_to_nobody() {
    let server = MailServer::new(Manners::default());
    let no_login = not_taken("it offers no login by PLAIN or LOGIN: does it want another port, or no user?");
    assert_eq!(sent(&format!("smtp://me:secret@{}", server.address())), no_login);
    assert!(!server.commands().iter().any(|line| line.starts_with("AUTH")));
    let (user, password) = LOGIN;
    for repeated in ["AG1lQGV4YW1wbGUuY29tAGEgcEBzcy93b3Jk", "YSBwQHNzL3dvcmQ=", password] {
        for upon in ["AUTH", "MAIL", "RCPT", "DATA", "."] {
            let said = format!("{:?}", outcome(upon, Act::Say(format!("550 {repeated} of {user}\r\n"))));
            assert!(said.contains("550") && !said.contains(repeated), "{upon}: {said}");
        }
    }
    for question in ["334 d2hhdD8=\r\n", "334 \r\n", "334 =\r\n", "334 /w==\r\n"] {
        let why = not_taken("it asks for something else than the user and the password");
        assert_eq!(outcome("AUTH", Act::Say(question.into())), why, "{question}");
    }
}

#[test]
fn whom_a_server_refuses_does_not_keep_the_others_from_their_mail() {
    let server = MailServer::with(Manners::default(), |command| {
        command.contains("gone@").then(|| say("550 5.1.1 no such user"))
    });
    let channel = smtp_to(&format!("smtp://{}", server.address()), "gone@example.com, ops@example.com", "");
    assert_eq!(channel.send(&[fact(Fact::Test)], soon()), Outcome::Taken);
    let [mail] = server.mails().try_into().unwrap();
    assert_eq!(mail.to, ["ops@example.com"]);
}

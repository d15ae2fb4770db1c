//! The conversation with a mail server: one connection for each mail.

use std::fmt::Display;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use lettre::Address;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::commands::{Auth, Data, Ehlo, Mail, Quit, Rcpt, Starttls};
use lettre::transport::smtp::extension::{ClientId, Extension, ServerInfo};
use lettre::transport::smtp::response::{Response, Severity};
use pulse_echo_core::http::{Connection, Failure, Trouble, Trust};

use super::reply::{Replies, shown};
use super::server::{Login, Security, Server};
use crate::web::{CONNECT_LIMIT, Missed};

/// Whom the server refused while it took others, each with its reply.
pub(super) type Refusals = Vec<(String, String)>;

/// How often a server may ask while somebody logs in: for the user, for the password, and once more.
const QUESTIONS: usize = 3;

/// Hands in one mail by `deadline`, with TLS that trusts `trust`.
pub(super) fn send(
    server: &Server,
    trust: &Trust,
    from: &Address,
    to: &[&Address],
    mail: &[u8],
    deadline: Instant,
) -> Result<Refusals, Missed> {
    let mut session = Session::open(server, trust, deadline)?;
    session.expect(2, Mail::new(Some(from.clone()), Vec::new()), |reply| {
        format!("it refuses the sender {from}: {reply}")
    })?;
    let mut refusals = Vec::new();
    for to in to {
        let reply = session.ask(Rcpt::new((*to).clone(), Vec::new()))?;
        if reply.code().severity != Severity::PositiveCompletion {
            refusals.push((to.to_string(), session.shown(&reply)));
        }
    }
    if let Some((first, why)) = refusals.first().filter(|_| refusals.len() == to.len()) {
        return Err(session.missed(&format!("it refuses all recipients, first {first}: {why}")));
    }
    session.expect(3, Data, |reply| format!("it takes no mail: {reply}"))?;
    session.hand_over(mail)?;
    Ok(refusals)
}

struct Session<'a> {
    server: &'a Server,
    connection: Connection,
    replies: Replies,
}

impl<'a> Session<'a> {
    /// Connects, begins TLS and logs in, as the settings say.
    fn open(server: &'a Server, trust: &Trust, deadline: Instant) -> Result<Self, Missed> {
        let host = &server.host;
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Missed::surely(format!("{host}: no time was left to send")));
        }
        let soon = Instant::now() + CONNECT_LIMIT.min(left / 2);
        let mut connection = Connection::open(host, server.port, soon).map_err(|why| unconnected(server, why))?;
        if server.security == Security::Whole {
            connection = connection.secured(host, trust).map_err(|why| unconnected(server, why))?;
        }
        connection.ends_at(deadline);
        let (own, other) = connection.ends().map_err(|error| unconnected(server, error.into()))?;
        let mut session = Self { server, connection, replies: Replies::default() };
        session.is_greeted()?;
        let mut able = session.introduce(own)?;
        if server.security == Security::StartTls {
            (session, able) = session.start_tls(&able, own, trust)?;
        }
        if let Some(login) = &server.login {
            if server.security == Security::Plain && !other.ip().is_loopback() {
                return Err(session.missed("it is not this machine, and the password is not sent without TLS"));
            }
            session.log_in(login, &able)?;
        }
        Ok(session)
    }

    fn is_greeted(&mut self) -> Result<(), Missed> {
        let greeting = self.replies.next(&mut self.connection).map_err(|why| match why.trouble {
            Trouble::Timeout if self.server.security != Security::Whole => {
                self.missed("it sends no greeting in time; if it waits for TLS, write smtps://")
            }
            _ => self.missed(&why.text),
        })?;
        match greeting.code().severity {
            Severity::PositiveCompletion => Ok(()),
            _ => Err(self.missed(&format!("it wants no mail from us: {}", self.shown(&greeting)))),
        }
    }

    /// Says who we are. Returns what the server can do.
    fn introduce(&mut self, own: SocketAddr) -> Result<ServerInfo, Missed> {
        let name = match own.ip().to_canonical() {
            IpAddr::V4(address) => ClientId::Ipv4(address),
            IpAddr::V6(address) => ClientId::Ipv6(address),
        };
        let reply = self.expect(2, Ehlo::new(name), |reply| format!("it wants no mail from us: {reply}"))?;
        // Keywords may be in small letters, and before the list of logins once stood an equals sign.
        let lines = reply.message().map(|line| line.to_ascii_uppercase().replacen("AUTH=", "AUTH ", 1));
        let reply = Response::new(reply.code(), lines.collect());
        ServerInfo::from_response(&reply).map_err(|_| self.missed("what it says is not SMTP"))
    }

    /// Begins TLS on a connection without. What the server can do is asked again: before, anybody could have said it.
    fn start_tls(mut self, able: &ServerInfo, own: SocketAddr, trust: &Trust) -> Result<(Self, ServerInfo), Missed> {
        if !able.supports_feature(Extension::StartTls) {
            let why = "it does not offer STARTTLS, and nothing is sent without TLS; is it smtps://, or another port?";
            return Err(self.missed(why));
        }
        self.expect(2, Starttls, |reply| format!("it does not begin TLS: {reply}"))?;
        if self.replies.has_more() {
            return Err(self.missed("it said more before TLS than it may"));
        }
        let secured = self.connection.secured(&self.server.host, trust);
        let connection = secured.map_err(|why| unconnected(self.server, why))?;
        let mut session = Self { connection, ..self };
        let able = session.introduce(own)?;
        Ok((session, able))
    }

    fn log_in(&mut self, login: &Login, able: &ServerInfo) -> Result<(), Missed> {
        let Some(how) = able.get_auth_mechanism(DEFAULT_MECHANISMS) else {
            return Err(self.missed("it offers no login by PLAIN or LOGIN: does it want another port, or no user?"));
        };
        let strange = "it asks for something else than the user and the password";
        let mut next = Auth::new(how, login.credentials.clone(), None);
        for _ in 0..QUESTIONS {
            let reply = self.ask(next.map_err(|_| self.missed(strange))?)?;
            // The reply is not shown: a server may repeat what it got.
            let code = reply.code();
            match code.severity {
                Severity::PositiveCompletion => return Ok(()),
                Severity::PositiveIntermediate => {
                    next = Auth::new_from_response(how, login.credentials.clone(), &reply);
                }
                Severity::TransientNegativeCompletion => {
                    return Err(self.missed(&format!("it cannot check the login now ({code})")));
                }
                Severity::PermanentNegativeCompletion => {
                    let why = format!("it does not take the user and the password of SMTP_URL ({code})");
                    return Err(self.missed(&why));
                }
            }
        }
        Err(self.missed(strange))
    }

    /// Hands over the mail. From its last byte on nobody knows whether it was taken, until the server says so.
    fn hand_over(&mut self, mail: &[u8]) -> Result<(), Missed> {
        let unsure = |session: &Self, failure: &Failure| Missed { sure: false, ..session.missed(&failure.text) };
        self.connection.write_all(&with_end(mail)).map_err(|error| unsure(self, &error.into()))?;
        let reply = self.replies.next(&mut self.connection).map_err(|failure| unsure(self, &failure))?;
        let for_good = match reply.code().severity {
            Severity::PositiveCompletion => {
                // It has the mail, whatever becomes of the connection.
                let _ = self.connection.write_all(Quit.to_string().as_bytes());
                return Ok(());
            }
            Severity::PermanentNegativeCompletion => is_of_this_mail(&reply),
            _ => false,
        };
        Err(Missed { for_good, ..self.missed(&format!("it refuses the mail: {}", self.shown(&reply))) })
    }

    /// Sends a command and expects a reply whose code begins with this digit. `otherwise` says what another one means.
    fn expect(
        &mut self,
        digit: u8,
        command: impl Display,
        otherwise: impl Fn(&str) -> String,
    ) -> Result<Response, Missed> {
        let reply = self.ask(command)?;
        if reply.code().severity as u8 == digit {
            return Ok(reply);
        }
        Err(self.missed(&otherwise(&self.shown(&reply))))
    }

    fn ask(&mut self, command: impl Display) -> Result<Response, Missed> {
        let asked = self.connection.write_all(command.to_string().as_bytes()).map_err(Failure::from);
        let reply = asked.and_then(|()| self.replies.next(&mut self.connection));
        reply.map_err(|failure| self.missed(&failure.text))
    }

    fn shown(&self, reply: &Response) -> String {
        shown(reply, self.server.login.as_ref().map_or(&[], |login| &login.secrets))
    }

    /// A failure before the mail was handed over. What a server refuses then, it refuses of any mail: settings are
    /// wrong, here or there, and may be mended.
    fn missed(&self, why: &str) -> Missed {
        Missed::surely(format!("{}: {why}", self.server.host))
    }
}

/// A failure to connect, or to begin TLS.
fn unconnected(server: &Server, mut failure: Failure) -> Missed {
    match failure.trouble {
        Trouble::Timeout => failure.text = "no connection in time".into(),
        // The words are for the web.
        Trouble::Tls => failure.text = failure.text.replace("is it an http address?", "is it smtp:// with STARTTLS?"),
        _ => {}
    }
    Missed { sure: true, ..Missed::by(&server.host, &failure) }
}

/// Whether a refusal speaks of this mail: of its length or its content. Of any other, settings or quotas, here or
/// there, may be mended, and nothing is lost meanwhile.
fn is_of_this_mail(reply: &Response) -> bool {
    let text = reply.message().collect::<Vec<_>>().join(" ").to_lowercase();
    let status = text.split(' ').next().unwrap_or_default();
    (reply.has_code(552) && status != "5.2.2")
        || ["5.2.3", "5.3.4"].contains(&status)
        || status.starts_with("5.6.")
        || ["spam", "virus", "content"].iter().any(|word| text.contains(word))
}

/// A mail as it goes over the wire: a line that begins with a dot gets a second one, and a dot alone is the end.
fn with_end(mail: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(mail.len() + 64);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            stuffed.push(b'.');
        }
        stuffed.extend_from_slice(line);
    }
    if !stuffed.ends_with(b"\r\n") {
        stuffed.extend_from_slice(b"\r\n");
    }
    stuffed.extend_from_slice(b".\r\n");
    stuffed
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pulse_echo_testkit::smtp::{MailServer, Manners};

    use super::*;

    #[test]
    fn a_line_that_begins_with_a_dot_is_not_the_end_of_the_mail() {
        for (mail, sent) in
            [("a\r\n.\r\n..b\r\n", "a\r\n..\r\n...b\r\n.\r\n"), (".", "..\r\n.\r\n"), ("a.b\r\n", "a.b\r\n.\r\n")]
        {
            assert_eq!(String::from_utf8_lossy(&with_end(mail.as_bytes())), sent);
        }
    }

    #[test]
    fn a_password_is_not_sent_in_plain_to_a_name_of_this_machine_that_leads_to_another() {
        let mail_server = MailServer::new(Manners { logins: "PLAIN", ..Manners::default() });
        let mut server = Server::parse(&format!("smtp://me:secret@localhost:{}", mail_server.server.port())).unwrap();
        // It leads back here, but its address is none of this machine's own.
        server.host = "[::ffff:127.0.0.1]".into();
        let (from, to) = ("alerts@example.com".parse().unwrap(), "ops@example.com".parse().unwrap());
        let deadline = Instant::now() + Duration::from_secs(20);
        let missed = send(&server, &Trust::built_in(), &from, &[&to], b"", deadline).err().unwrap();
        assert!(
            missed.why.ends_with("it is not this machine, and the password is not sent without TLS"),
            "{}",
            missed.why
        );
        assert!(mail_server.commands().iter().all(|command| command.starts_with("EHLO")));
    }
}

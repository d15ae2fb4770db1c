//! The mail server, read from `SMTP_URL`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lettre::transport::smtp::authentication::Credentials;
use percent_encoding::percent_decode_str;
use url::Url;

/// How to begin, for a text that is no such URL.
const SUCH_AS: &str = "it must begin with smtp:// or smtps://, such as smtps://user:password@mail.example.com; in user \
                       and password special characters are percent-encoded, @ as %40";

/// Where mails are handed in, and as whom.
pub(super) struct Server {
    /// Its name or address; an IPv6 address is in brackets.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) login: Option<Login>,
}

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// With the first byte.
    Whole,
    /// By STARTTLS. Nothing is sent to a server that does not offer it.
    StartTls,
    /// Never.
    Plain,
}

/// A user and a password.
pub(super) struct Login {
    pub(super) credentials: Credentials,
    /// What no message may show: the password as it is, and as it goes over the wire.
    pub(super) secrets: [String; 3],
}

impl Server {
    /// Reads a URL. The error does not show it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|_| format!("it is no URL; {SUCH_AS}"))?;
        let is_smtps = match url.scheme() {
            "smtps" => true,
            "smtp" => false,
            _ => return Err(SUCH_AS.into()),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(format!("it has no host; {SUCH_AS}"))?;
        if host.contains('%') {
            return Err("its host has letters that no name of a mail server has: write it with xn--".into());
        }
        if url.port() == Some(0) {
            return Err("0 is no port of a server: leave it out, or write 25, 465 or 587".into());
        }
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(format!("it has more after the host than a port and ?tls=; {SUCH_AS}"));
        }
        let is_near = is_this_machine(host);
        let login = login(&url)?;
        let security = match (is_smtps, url.query()) {
            (true, None) => Security::Whole,
            (false, None) if is_near => Security::Plain,
            (false, None | Some("tls=required")) => Security::StartTls,
            (false, Some("tls=none")) if is_near || login.is_none() => Security::Plain,
            (false, Some("tls=none")) => {
                return Err(
                    "with ?tls=none the password would go over the network for all to read: leave ?tls=none out".into(),
                );
            }
            (true, Some(_)) => {
                return Err("smtps:// is TLS from the first byte and takes no ?tls=: leave it out".into());
            }
            (false, Some(_)) => return Err("after the ? it may have tls=required or tls=none, and nothing else".into()),
        };
        let usual = match security {
            Security::Whole => 465,
            _ if login.is_some() => 587,
            _ => 25,
        };
        Ok(Self { host: host.into(), port: url.port().unwrap_or(usual), security, login })
    }
}

/// The user and the password of a URL.
fn login(url: &Url) -> Result<Option<Login>, String> {
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8().ok()?.into_owned();
        Some(text).filter(|text| !text.contains(char::is_control))
    };
    let unreadable = "its user or password has a byte that is no text: percent-encode them as UTF-8";
    let (user, password) = (url.username(), url.password().unwrap_or_default());
    let user = decoded(user).ok_or(unreadable)?;
    let password = decoded(password).ok_or(unreadable)?;
    match (user.is_empty(), password.is_empty()) {
        (true, true) => Ok(None),
        (false, false) => {
            let base64 = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
            let secrets = [password.clone(), base64(&password), base64(&format!("\0{user}\0{password}"))];
            Ok(Some(Login { credentials: Credentials::new(user, password), secrets }))
        }
        (false, true) => Err("it has a user and no password: write user:password@ before the host".into()),
        (true, false) => Err("it has a password and no user: write user:password@ before the host".into()),
    }
}

/// Whether a host is this machine, whose connections nobody else reads.
fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<Ipv4Addr>()
            .map(IpAddr::from)
            .or(bare.parse::<Ipv6Addr>().map(IpAddr::from))
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> (String, u16, Security, bool) {
        let server = Server::parse(url).unwrap();
        (server.host, server.port, server.security, server.login.is_some())
    }

    #[test]
    fn tls_is_required_but_of_this_machine_and_the_port_is_the_usual_one() {
        for (url, host, port, security, has_login) in [
            ("smtps://me:secret@mail.example.com", "mail.example.com", 465, Security::Whole, true),
            ("smtps://mail.example.com:4650/", "mail.example.com", 4650, Security::Whole, false),
            ("smtp://me:secret@mail.example.com", "mail.example.com", 587, Security::StartTls, true),
            ("smtp://me:secret@mail.example.com:25?tls=required", "mail.example.com", 25, Security::StartTls, true),
            ("smtp://mail.example.com", "mail.example.com", 25, Security::StartTls, false),
            ("smtp://mail.example.com?tls=none", "mail.example.com", 25, Security::Plain, false),
            ("smtp://localhost", "localhost", 25, Security::Plain, false),
            ("smtp://127.0.0.1", "127.0.0.1", 25, Security::Plain, false),
            ("smtp://[::1]:2525", "[::1]", 2525, Security::Plain, false),
            ("smtp://me:secret@localhost", "localhost", 587, Security::Plain, true),
            ("smtp://localhost?tls=required", "localhost", 25, Security::StartTls, false),
            // What only looks like this machine is another.
            ("smtp://localhost.example.com", "localhost.example.com", 25, Security::StartTls, false),
            ("smtp://127.0.0.1.example.com", "127.0.0.1.example.com", 25, Security::StartTls, false),
        ] {
            assert_eq!(read(url), (host.into(), port, security, has_login), "{url}");
        }
    }

    #[test]
    fn user_and_password_are_percent_encoded() {
        let server = Server::parse("smtps://me%40example.com:p%3A%2F%40%C3%A4@mail.example.com").unwrap();
        let expected = Credentials::new("me@example.com".into(), "p:/@ä".into());
        assert!(server.login.is_some_and(|login| login.credentials == expected));
    }
}

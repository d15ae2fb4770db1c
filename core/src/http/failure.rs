//! Why no answer came, in the words of people.

use std::fmt;
use std::io::ErrorKind;

use rustls::CertificateError;
use ureq::Error;

use super::Unresolved;
use super::certificate::{SelfSigned, time};
use crate::text::printable;

const CLOSED: &str = "the connection was closed before the answer was complete";

/// At what a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The name did not resolve.
    Dns,
    /// No connection.
    Connect,
    /// No trusted TLS connection.
    Tls,
    /// No trusted TLS connection, since the certificate is of nobody who is trusted.
    Untrusted,
    /// Out of time.
    Timeout,
    /// The connection ended before the answer did.
    Broken,
    /// What came is not HTTP that we read.
    Protocol,
}

/// A request that got no whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// At what it failed.
    pub trouble: Trouble,
    /// What happened, as the end of a sentence. It holds no URL, since that may hold a secret.
    pub text: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<std::io::Error> for Failure {
    /// An error while a body is read; ureq hides its own kinds of error in there.
    fn from(error: std::io::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (trouble, text) = match &error {
            Error::Timeout(_) => (Trouble::Timeout, "no whole answer in time".into()),
            Error::HostNotFound => (Trouble::Dns, "the name does not resolve".into()),
            Error::Other(other) if other.is::<Unresolved>() => (Trouble::Dns, other.to_string()),
            Error::Other(other) if let Some(proxy) = other.downcast_ref::<ProxyFailed>() => {
                (proxy.failure.trouble, proxy.to_string())
            }
            // ureq says `proxy server responded 407/407`.
            Error::ConnectProxyFailed(reason) => match reason.rsplit_once('/') {
                Some((_, "407")) => (Trouble::Connect, "it wants a user and a password (HTTP 407)".into()),
                Some((_, status)) => (Trouble::Connect, format!("HTTP {status}")),
                None => (Trouble::Connect, "it closed the connection".into()),
            },
            Error::ConnectionFailed => (Trouble::Connect, "no connection".into()),
            Error::Tls(text) => (Trouble::Tls, (*text).into()),
            Error::BodyStalled => (Trouble::Broken, CLOSED.into()),
            Error::Protocol(error) => (Trouble::Protocol, format!("the answer is not HTTP: {error}")),
            Error::LargeResponseHeader(..) => (Trouble::Protocol, "the answer's header is too large".into()),
            Error::Io(io) => match io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(tls) => tls_failure(tls),
                None => io_failure(io),
            },
            // These two would show the URL.
            Error::BadUri(_) | Error::RequireHttpsOnly(_) => (Trouble::Connect, "the address cannot be used".into()),
            other => (Trouble::Connect, other.to_string()),
        };
        Self { trouble, text }
    }
}

fn io_failure(io: &std::io::Error) -> (Trouble, String) {
    match io.kind() {
        ErrorKind::ConnectionRefused => (Trouble::Connect, "the connection was refused".into()),
        ErrorKind::UnexpectedEof => (Trouble::Broken, CLOSED.into()),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            (Trouble::Broken, "the connection was reset before the answer was complete".into())
        }
        ErrorKind::TimedOut | ErrorKind::WouldBlock => (Trouble::Timeout, "no whole answer in time".into()),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            (Trouble::Connect, "there is no route to the address".into())
        }
        _ => (Trouble::Connect, io.to_string()),
    }
}

fn tls_failure(error: &rustls::Error) -> (Trouble, String) {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            (Trouble::Untrusted, "the certificate's issuer is not trusted".into())
        }
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) if other.0.is::<SelfSigned>() => {
            (Trouble::Untrusted, other.to_string())
        }
        rustls::Error::InvalidCertificate(other) => (Trouble::Tls, certificate_text(other)),
        other => (Trouble::Tls, format!("TLS failed: {other}")),
    }
}

fn certificate_text(error: &CertificateError) -> String {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the certificate expired on {}", time(*not_after))
        }
        // What rustls makes of it without saying when.
        CertificateError::Expired => "the certificate ends before it begins".into(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("the certificate is not valid before {}", time(*not_before))
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let expected = expected.to_str();
            let presented: Vec<_> = presented.iter().map(|name| plain_name(name)).collect();
            // They may be a stranger's, and many.
            match printable(&presented.join(", ")).chars().take(300).collect::<String>() {
                none if none.is_empty() => format!("the certificate is not for {expected}; it names no host"),
                names => format!("the certificate is not for {expected}, but for {names}"),
            }
        }
        // The name fits and the key does not, as after a private CA was made anew.
        CertificateError::BadSignature => {
            "the certificate is not signed by the trusted CA that has its issuer's name".to_string()
        }
        other => format!("the certificate is not trusted: {other}"),
    }
}

/// A certificate's name as people know it; rustls has it as `DnsName("example.com")`.
fn plain_name(name: &str) -> &str {
    name.strip_prefix("DnsName(\"").and_then(|name| name.strip_suffix("\")")).unwrap_or(name)
}

/// What went wrong before a proxy had connected us.
#[derive(Debug)]
pub struct ProxyFailed {
    pub(super) proxy: String,
    /// What went wrong.
    pub failure: Failure,
}

impl fmt::Display for ProxyFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {} did not connect us: {}", self.proxy, self.failure)
    }
}

impl std::error::Error for ProxyFailed {}

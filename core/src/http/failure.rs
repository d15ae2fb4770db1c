//! Why no answer came, in plain words.

use std::fmt;
use std::io::ErrorKind;

use rustls::{AlertDescription, CertificateError, InvalidMessage};
use ureq::Error;

use super::Unresolved;
use super::distrust::Distrust;
use crate::text::of_io;

const CLOSED: &str = "the connection was closed before the answer was complete";

/// The step at which a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The name did not resolve.
    Dns,
    /// No connection.
    Connect,
    /// No trusted TLS connection.
    Tls,
    /// No trusted TLS connection: the certificate's issuer is not trusted.
    Untrusted,
    /// Out of time.
    Timeout,
    /// The connection ended before the answer did.
    Broken,
    /// The answer is not HTTP that we can parse.
    Protocol,
}

/// A request that got no whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The step at which it failed.
    pub trouble: Trouble,
    /// What happened, as the end of a sentence. It holds no URL, since a URL may hold a secret.
    pub text: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<std::io::Error> for Failure {
    /// Converts an error of reading a body. ureq wraps its own errors in it.
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
            Error::Other(other) if let Some(io) = other.downcast_ref() => io_failure(io),
            Error::Other(other) if other.is::<NotHttp>() => (Trouble::Protocol, other.to_string()),
            // ureq says `proxy server responded 407/407`.
            Error::ConnectProxyFailed(reason) => match reason.rsplit_once('/') {
                Some((_, "407")) => (Trouble::Connect, "it wants a user and a password (HTTP 407)".into()),
                Some((_, status)) => {
                    (Trouble::Connect, format!("HTTP {status}; does it allow CONNECT to this host and port?"))
                }
                None => (Trouble::Connect, "it closed the connection".into()),
            },
            Error::ConnectionFailed => (Trouble::Connect, "no connection".into()),
            Error::Tls(text) => (Trouble::Tls, (*text).into()),
            Error::BodyStalled => (Trouble::Broken, CLOSED.into()),
            Error::Protocol(error) => (Trouble::Protocol, protocol_text(error).into()),
            Error::LargeResponseHeader(..) => (Trouble::Protocol, "the answer's header is too large".into()),
            Error::Io(io) => match io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(tls) => tls_failure(tls),
                None => io_failure(io),
            },
            // Both errors would show the URL.
            Error::BadUri(_) | Error::RequireHttpsOnly(_) => (Trouble::Connect, "the address cannot be used".into()),
            Error::Http(_) => (Trouble::Connect, "the request has a character that HTTP cannot send".into()),
            Error::InvalidProxyUrl => (Trouble::Connect, "the proxy's address cannot be used".into()),
            _ => (Trouble::Connect, "the request failed".into()),
        };
        Self { trouble, text }
    }
}

/// ureq does not show its parser's errors but as text.
fn protocol_text(error: &impl fmt::Display) -> &'static str {
    let text = error.to_string();
    let known = [
        ("too many headers", "the answer has too many headers"),
        ("content-length", "the answer's header Content-Length is no number, or there are two that differ"),
        ("invalid header", "the answer has a header line that is not HTTP"),
        ("chunk", "the answer's body is not in chunks, as its header says"),
    ];
    known.iter().find(|(part, _)| text.contains(part)).map_or("the answer is not HTTP", |(_, sentence)| sentence)
}

fn io_failure(io: &std::io::Error) -> (Trouble, String) {
    match io.kind() {
        ErrorKind::ConnectionRefused => (Trouble::Connect, "the connection was refused".into()),
        ErrorKind::UnexpectedEof => (Trouble::Broken, CLOSED.into()),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            (Trouble::Broken, "the connection was reset before the answer was complete".into())
        }
        ErrorKind::TimedOut | ErrorKind::WouldBlock => (Trouble::Timeout, "no whole answer in time".into()),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable => {
            (Trouble::Connect, "there is no route to the address".into())
        }
        _ => (Trouble::Connect, of_io(io)),
    }
}

fn tls_failure(error: &rustls::Error) -> (Trouble, String) {
    use rustls::Error as Tls;
    let text = match error {
        Tls::InvalidCertificate(CertificateError::Other(other)) => match other.0.downcast_ref::<Distrust>() {
            Some(distrust) if distrust.is_unknown => return (Trouble::Untrusted, distrust.to_string()),
            Some(distrust) => return (Trouble::Tls, distrust.to_string()),
            None => "the certificate is not trusted",
        },
        Tls::InvalidCertificate(CertificateError::BadSignature) => "the server does not have its certificate's key",
        Tls::InvalidCertificate(_) => "the certificate and its key do not go together",
        Tls::AlertReceived(alert) => return (Trouble::Tls, alert_text(*alert)),
        Tls::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge) => "the server's certificates are over 64 KiB",
        Tls::InvalidMessage(_) => "what the server sends is not TLS; is it an http address?",
        Tls::PeerIncompatible(_) => "the server has no version, cipher or key of TLS 1.2 or 1.3 that is known here",
        Tls::PeerMisbehaved(_) | Tls::InappropriateMessage { .. } | Tls::InappropriateHandshakeMessage { .. } => {
            "the server breaks the rules of TLS"
        }
        Tls::NoCertificatesPresented => "the server shows no certificate",
        Tls::DecryptError | Tls::PeerSentOversizedRecord => "what the server sends is damaged",
        _ => "TLS failed",
    };
    (Trouble::Tls, text.into())
}

/// What a server says when it ends TLS.
fn alert_text(alert: AlertDescription) -> String {
    let why = match alert {
        AlertDescription::HandshakeFailure => {
            "no version, cipher or key in common (offer ECDHE with AES-GCM, and X25519, P-256 or P-384), \
             or it wants a certificate of its client"
        }
        AlertDescription::ProtocolVersion => "it does not speak TLS 1.2 or 1.3",
        AlertDescription::UnrecognisedName => "it does not know this name",
        AlertDescription::CertificateRequired | AlertDescription::BadCertificate => {
            "it wants a certificate of its client"
        }
        AlertDescription::InternalError => "it has an error of its own",
        AlertDescription::AccessDenied => "it denies us access",
        AlertDescription::InsufficientSecurity => "it wants stronger ciphers",
        AlertDescription::DecryptError | AlertDescription::BadRecordMac => "it cannot decrypt what it got",
        other => return format!("the server refused TLS (alert {})", u8::from(other)),
    };
    format!("the server refused TLS: {why}")
}

/// A failure before the proxy had connected us.
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

/// Why an answer cannot be read, as the end of a sentence, wrapped in a transport's [`Error::Other`].
#[derive(Debug)]
pub struct NotHttp(pub String);

impl fmt::Display for NotHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotHttp {}

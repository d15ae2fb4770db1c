//! Private CAs, their certificates, and https servers that show them.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

use crate::server::{Server, answer, read_head, redirect};

/// A private CA.
pub struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    /// A root with this name, valid for ten years.
    pub fn new(name: &str) -> Self {
        let params = of_ca(name, in_days(3650));
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A CA below this CA, valid until `end`.
    #[must_use]
    pub fn intermediate(&self, end: Timestamp) -> Self {
        let params = of_ca("intermediate", end);
        Self(CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &self.0).unwrap())
    }

    /// The text for `ca_file` or `PROBE_CA_BUNDLE`.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for these names and its key, as PEM: for a server that is a program of its own.
    pub fn pem_of(&self, names: &[&str]) -> (String, String) {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        self.pem_with(&CertificateParams::new(names).unwrap())
    }

    /// A certificate for `localhost` until this time and its key, as PEM.
    pub fn pem_until(&self, end: Timestamp) -> (String, String) {
        self.pem_with(&until(end))
    }

    fn pem_with(&self, params: &CertificateParams) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }

    /// A server's settings, with a certificate for this name until the end of that year.
    pub fn server(&self, name: &str, last_year: i32) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new([name.to_string()]).unwrap();
        params.not_after = date_time_ymd(last_year, 12, 31);
        signed(&params, &[self])
    }
}

fn of_ca(name: &str, end: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    ends(&mut params, end);
    params
}

/// The parameters of a certificate: for `localhost`, from 1975 until this time.
pub fn until(end: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::new(["localhost".to_string()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "a server");
    ends(&mut params, end);
    params
}

/// This many days from now.
pub fn in_days(days: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(24 * days)
}

fn ends(params: &mut CertificateParams, end: Timestamp) {
    params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(end.as_second().try_into().unwrap());
}

/// An https server that answers `ok`. `issuers` sign its certificate, the first of them directly. It shows all of them
/// except the last.
pub fn https(params: &CertificateParams, issuers: &[&Ca]) -> Server {
    https_by(params, issuers, answering(answer(200, "ok")))
}

/// As [`https`], but `serve` answers each request.
pub fn https_by(params: &CertificateParams, issuers: &[&Ca], serve: impl Serve) -> Server {
    start(signed(params, issuers), serve)
}

/// As [`https`], but it redirects to `location`.
pub fn redirecting(params: &CertificateParams, issuer: &Ca, location: &str) -> Server {
    https_by(params, &[issuer], answering(redirect(location)))
}

/// An https server with a self-signed certificate; it answers `ok`.
pub fn self_signed(params: &CertificateParams) -> Server {
    let key = KeyPair::generate().unwrap();
    let config = settings(vec![params.self_signed(&key).unwrap().der().clone()], &key);
    start(config, answering(answer(200, "ok")))
}

/// Answers a request whose head was read.
pub trait Serve: Fn(&mut ServerConnection, TcpStream) + Send + Sync + 'static {}

impl<F: Fn(&mut ServerConnection, TcpStream) + Send + Sync + 'static> Serve for F {}

fn answering(answer: String) -> impl Serve {
    move |tls: &mut ServerConnection, mut tcp: TcpStream| {
        let _ = Stream::new(tls, &mut tcp).write_all(answer.as_bytes());
    }
}

fn start(config: Arc<ServerConfig>, serve: impl Serve) -> Server {
    Server::new(move |mut tcp, _| {
        let mut tls = ServerConnection::new(config.clone()).unwrap();
        if !read_head(&mut Stream::new(&mut tls, &mut tcp)).is_empty() {
            serve(&mut tls, tcp);
        }
    })
}

/// Signs with the first issuer, and shows all issuers except the last.
fn signed(params: &CertificateParams, issuers: &[&Ca]) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuers[0].0).unwrap();
    let shown = issuers[..issuers.len() - 1].iter().map(|issuer| issuer.0.der().clone());
    settings([certificate.der().clone()].into_iter().chain(shown).collect(), &key)
}

fn settings(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

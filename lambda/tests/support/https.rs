//! Https servers and the CAs behind them.

// Each test takes what it needs of this.
#![allow(dead_code)]

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

use super::server::{Server, answer, redirect, request};

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

/// A CA of this name.
pub(crate) fn authority(name: &str) -> Authority {
    CertifiedIssuer::self_signed(ca(name, in_days(3650)), KeyPair::generate().unwrap()).unwrap()
}

/// A CA below `authority` that ends at a time.
pub(crate) fn intermediate(authority: &Authority, end: Timestamp) -> Authority {
    CertifiedIssuer::signed_by(ca("intermediate", end), KeyPair::generate().unwrap(), authority).unwrap()
}

fn ca(name: &str, end: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    ends(&mut params, end);
    params
}

/// What a certificate says: for `localhost` since 1975, until this time.
pub(crate) fn until(end: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::new(["localhost".to_string()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "a server");
    ends(&mut params, end);
    params
}

/// This many days from now.
pub(crate) fn in_days(days: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(24 * days)
}

fn ends(params: &mut CertificateParams, end: Timestamp) {
    params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(end.as_second().try_into().unwrap());
}

/// An https server whose certificate `issuers` have signed, the first of them itself, and which shows all of them but
/// the last; it answers `ok`.
pub(crate) fn https(params: &CertificateParams, issuers: &[&Authority]) -> Server {
    https_by(params, issuers, answering(answer(200, "ok")))
}

/// As [`https`], but `serve` answers each request.
pub(crate) fn https_by(params: &CertificateParams, issuers: &[&Authority], serve: impl Serve) -> Server {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuers[0]).unwrap();
    let shown = issuers[..issuers.len() - 1].iter().map(|issuer| issuer.der().clone());
    start([certificate.der().clone()].into_iter().chain(shown).collect(), &key, serve)
}

/// As [`https`], but it redirects to `location`.
pub(crate) fn redirecting(params: &CertificateParams, issuer: &Authority, location: &str) -> Server {
    https_by(params, &[issuer], answering(redirect(location)))
}

/// An https server whose certificate has signed itself; it answers `ok`.
pub(crate) fn self_signed(params: &CertificateParams) -> Server {
    let key = KeyPair::generate().unwrap();
    start(vec![params.self_signed(&key).unwrap().der().clone()], &key, answering(answer(200, "ok")))
}

/// What answers a request that was read.
pub(crate) trait Serve: Fn(&mut ServerConnection, TcpStream) + Send + Sync + 'static {}

impl<F: Fn(&mut ServerConnection, TcpStream) + Send + Sync + 'static> Serve for F {}

fn answering(answer: String) -> impl Serve {
    move |tls: &mut ServerConnection, mut tcp: TcpStream| {
        let _ = Stream::new(tls, &mut tcp).write_all(answer.as_bytes());
    }
}

fn start(chain: Vec<CertificateDer<'static>>, key: &KeyPair, serve: impl Serve) -> Server {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let config = Arc::new(config);
    Server::new(move |mut tcp, _| {
        let mut tls = ServerConnection::new(config.clone()).unwrap();
        if !request(&mut Stream::new(&mut tls, &mut tcp)).is_empty() {
            serve(&mut tls, tcp);
        }
    })
}

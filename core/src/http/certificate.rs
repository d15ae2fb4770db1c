//! Servers' certificates: whether a certificate is trusted, and until when.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature, verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use webpki::{EndEntityCert, InvalidNameContext, KeyUsage, RawPublicKeyEntity};

use super::der::{self, Fields};
use super::distrust::{Distrust, Seen, hosts};
use crate::clock::Time;

/// Verifies as rustls' own verifier does, by the same library, and says what is wrong in words. It leaves out
/// revocation lists, which we do not have: some 20 KB.
#[derive(Debug)]
pub(super) struct Verifier {
    roots: RootCertStore,
    /// Certificates that somebody named as trusted. A server may show one of them itself.
    named: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// Trusts certificates that lead to one of `roots`, and those that are `named`.
    pub(super) fn new(
        roots: RootCertStore,
        named: Vec<CertificateDer<'static>>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self { roots, named, algorithms }
    }

    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), webpki::Error> {
        let is_named = self.is_named(leaf);
        let certificate = match EndEntityCert::try_from(leaf) {
            Err(webpki::Error::UnsupportedCertVersion) if is_named => return verify_old(leaf, name, now),
            other => other?,
        };
        // What is named itself needs no issuer, and may be what `openssl req -x509` makes: a CA's.
        let (roots, intermediates) = if is_named { (&[][..], &[][..]) } else { (&self.roots.roots[..], intermediates) };
        let (all, usage) = (self.algorithms.all, KeyUsage::server_auth());
        match certificate.verify_for_usage(all, roots, intermediates, now, usage, None, None) {
            Err(webpki::Error::CaUsedAsEndEntity | webpki::Error::UnknownIssuer) if is_named => {}
            other => drop(other?),
        }
        match certificate.verify_is_valid_for_subject_name(name) {
            Err(webpki::Error::CertNotValidForName(context))
                if !(is_named && hosts(&context).is_empty() && is_common_name(leaf, name)) =>
            {
                Err(webpki::Error::CertNotValidForName(context))
            }
            Err(webpki::Error::CertNotValidForName(_)) => Ok(()),
            other => other,
        }
    }

    fn is_named(&self, leaf: &CertificateDer<'_>) -> bool {
        self.named.iter().any(|named| named == leaf)
    }

    /// The key of a named certificate of version 1, which the library does not read.
    fn old_key<'a>(&self, leaf: &'a CertificateDer<'_>) -> Option<SubjectPublicKeyInfoDer<'a>> {
        let fields = Fields::read(leaf).filter(|fields| !fields.has_version && self.is_named(leaf))?;
        Some(SubjectPublicKeyInfoDer::from(fields.key_info))
    }

    /// Verifies a signature of TLS 1.2 by a bare key, which rustls does for TLS 1.3 alone.
    fn verify_by_key(
        &self,
        message: &[u8],
        key: &SubjectPublicKeyInfoDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = RawPublicKeyEntity::try_from(key).map_err(|_| CertificateError::BadEncoding)?;
        let schemes = self.algorithms.mapping.iter().filter(|(scheme, _)| *scheme == signature.scheme);
        let mut algorithms = schemes.flat_map(|(_, algorithms)| *algorithms);
        let is_good = algorithms.any(|one| key.verify_signature(*one, message, signature.signature()).is_ok());
        is_good.then(HandshakeSignatureValid::assertion).ok_or(CertificateError::BadSignature.into())
    }

    /// Puts a failure to verify into words.
    fn distrust(&self, leaf: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>], error: webpki::Error) -> Error {
        error_of(Distrust::of(error, &Seen { leaf, intermediates, roots: &self.roots.roots }))
    }
}

fn error_of(distrust: Distrust) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(distrust))))
}

/// Verifies a named certificate of version 1, which `openssl x509 -req -signkey` makes: it has no names but its common
/// name, and nothing that could limit its use.
fn verify_old(leaf: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<(), webpki::Error> {
    let fields = Fields::read(leaf).ok_or(webpki::Error::BadDer)?;
    let ends = (fields.not_before(), fields.not_after());
    let (Some(begin), Some(end)) = ends else { return Err(webpki::Error::BadDerTime) };
    let time = UnixTime::since_unix_epoch;
    if now.as_secs() < begin.as_secs() {
        return Err(webpki::Error::CertNotValidYet { time: now, not_before: time(begin) });
    }
    if now.as_secs() > end.as_secs() {
        return Err(webpki::Error::CertExpired { time: now, not_after: time(end) });
    }
    let context = || InvalidNameContext { expected: name.to_owned(), presented: Vec::new() };
    if is_common_name(leaf, name) { Ok(()) } else { Err(webpki::Error::CertNotValidForName(context())) }
}

/// Whether a certificate has this name as its common name, as they were before there were other names.
fn is_common_name(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    let common = Fields::read(certificate).and_then(|fields| der::common_name(fields.subject));
    common.is_some_and(|common| {
        let name = name.to_str();
        let is_below = |domain: &str| name.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain));
        common.eq_ignore_ascii_case(&name) || common.strip_prefix("*.").is_some_and(is_below)
    })
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.verify(leaf, intermediates, name, now);
        verified.map_err(|error| self.distrust(leaf, intermediates, error))?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = match self.old_key(certificate) {
            Some(key) => self.verify_by_key(message, &key, signature),
            None => verify_tls12_signature(message, certificate, signature, &self.algorithms),
        };
        verified.map_err(|error| Distrust::of_key(certificate).map_or(error, error_of))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = match self.old_key(certificate) {
            Some(key) => verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms),
            None => verify_tls13_signature(message, certificate, signature, &self.algorithms),
        };
        verified.map_err(|error| Distrust::of_key(certificate).map_or(error, error_of))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The trusted certificates that a server showed while connecting.
#[derive(Debug)]
pub struct Shown {
    leaf: CertificateDer<'static>,
    intermediates: Vec<CertificateDer<'static>>,
    name: ServerName<'static>,
    verifier: Arc<Verifier>,
}

impl Shown {
    /// `leaf` is the server's own certificate.
    pub(super) fn new(
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: ServerName<'static>,
        verifier: Arc<Verifier>,
    ) -> Self {
        let owned = |certificate: &CertificateDer<'_>| certificate.clone().into_owned();
        Self { leaf: owned(leaf), intermediates: intermediates.iter().map(owned).collect(), name, verifier }
    }

    /// The last second in which these certificates are trusted, as far as is known at `now`: the end of the server's
    /// own certificate, or of a certificate that it depends on, whichever is earlier.
    pub fn trusted_until(&self, now: Time) -> Time {
        let now = Duration::from_secs(u64::try_from(now.as_second()).unwrap_or(0));
        let all = self.intermediates.iter().chain([&self.leaf]);
        let mut ends: Vec<_> = all.filter_map(|one| Fields::read(one)?.not_after()).filter(|end| *end > now).collect();
        ends.sort_unstable();
        ends.dedup();
        // There may be several ways to a root. A binary search finds the last end that one of them reaches.
        let trusted = ends.partition_point(|end| self.verify(*end).is_ok());
        Time::since_1970(trusted.checked_sub(1).map_or(now, |last| ends[last]))
    }

    fn verify(&self, then: Duration) -> Result<(), webpki::Error> {
        let then = UnixTime::since_unix_epoch(then);
        self.verifier.verify(&self.leaf, &self.intermediates, &self.name, then)
    }
}

/// The last second in which a certificate, in DER, is valid. `None` if it cannot be read.
pub fn end_of(certificate: &[u8]) -> Option<Time> {
    Some(Time::since_1970(Fields::read(certificate)?.not_after()?))
}

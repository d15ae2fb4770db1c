//! Servers' certificates: whether a certificate is trusted, and until when.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use webpki::{EndEntityCert, KeyUsage};

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
        let certificate = EndEntityCert::try_from(leaf)?;
        let is_named = self.named.iter().any(|named| named == leaf);
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

    /// Puts a failure to verify into words.
    fn distrust(&self, leaf: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>], error: webpki::Error) -> Error {
        error_of(Distrust::of(error, &Seen { leaf, intermediates, roots: &self.roots.roots }))
    }
}

fn error_of(distrust: Distrust) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(distrust))))
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
        let verified = verify_tls12_signature(message, certificate, signature, &self.algorithms);
        verified.map_err(|error| Distrust::of_key(certificate).map_or(error, error_of))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = verify_tls13_signature(message, certificate, signature, &self.algorithms);
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

//! Servers' certificates: why a certificate is not trusted, and until when it is trusted.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use webpki::EndEntityCert;

use crate::clock::Time;

/// The last second of the year 9999. X.509 writes it in a certificate without an end.
const END_OF_TIME: u64 = 253_402_300_799;

/// Verifies as rustls' own verifier does, and also names a self-signed certificate, which rustls reports as an unknown
/// issuer. It is built from the same parts, but leaves out revocation lists, which we do not have: some 20 KB.
#[derive(Debug)]
pub(super) struct Verifier {
    roots: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// Trusts certificates that lead to one of `roots`.
    pub(super) fn new(roots: RootCertStore, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self { roots, algorithms }
    }

    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let leaf = ParsedCertificate::try_from(leaf)?;
        let algorithms = self.algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&leaf, &self.roots, intermediates, now, algorithms)?;
        verify_server_name(&leaf, name)
    }
}

/// A certificate is its own issuer.
#[derive(Debug)]
pub(super) struct SelfSigned;

impl fmt::Display for SelfSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the certificate is self-signed")
    }
}

impl std::error::Error for SelfSigned {}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verify(leaf, intermediates, name, now).map_err(|error| match error {
            Error::InvalidCertificate(CertificateError::UnknownIssuer) if is_own_issuer(leaf) => {
                Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(SelfSigned))))
            }
            error => error,
        })?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn is_own_issuer(certificate: &CertificateDer<'_>) -> bool {
    EndEntityCert::try_from(certificate).is_ok_and(|certificate| certificate.issuer() == certificate.subject())
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
        let now = u64::try_from(now.as_second()).unwrap_or(0);
        let end = match self.verify(END_OF_TIME) {
            Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => not_after.as_secs(),
            _ => END_OF_TIME,
        };
        // There may be several ways to a root, so the earliest end is not known. A binary search finds it.
        let (mut good, mut bad) = (now, end + 1);
        if self.verify(end).is_ok() {
            good = end;
        }
        while good + 1 < bad {
            let middle = good.midpoint(bad);
            *(if self.verify(middle).is_ok() { &mut good } else { &mut bad }) = middle;
        }
        time(UnixTime::since_unix_epoch(Duration::from_secs(good)))
    }

    fn verify(&self, second: u64) -> Result<(), Error> {
        let then = UnixTime::since_unix_epoch(Duration::from_secs(second));
        self.verifier.verify(&self.leaf, &self.intermediates, &self.name, then)
    }
}

/// Converts a certificate's time. A time beyond the calendar becomes the calendar's end.
pub(super) fn time(time: UnixTime) -> Time {
    let second = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Time::of(Timestamp::from_second(second).unwrap_or(Timestamp::MAX))
}

//! The certificates in a file that people glued together: PEM with anything between the blocks, or one in DER.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::der::{self, Fields};
use crate::text::quoted;

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// A certificate of a bundle.
pub(super) struct Certificate {
    pub(super) der: CertificateDer<'static>,
    /// What the bundle calls it, for messages.
    pub(super) place: String,
}

/// Reads all certificates of a bundle. A block that may hold certificates and cannot be read is an error with its line.
pub(super) fn read(bundle: &[u8]) -> Result<Vec<Certificate>, String> {
    if let Some(&[0xff, 0xfe] | &[0xfe, 0xff]) = bundle.first_chunk() {
        return Err("it is UTF-16; save it as UTF-8".into());
    }
    if bundle.first() == Some(&0x30) {
        return in_der(bundle);
    }
    let text = String::from_utf8_lossy(bundle);
    let (mut found, mut other) = (Vec::new(), None);
    let mut blocks = text.match_indices(BEGIN).map(|(at, _)| at).peekable();
    while let Some(at) = blocks.next() {
        let block = &text[at..blocks.peek().copied().unwrap_or(text.len())];
        let (kind, rest) = block[BEGIN.len()..].split_once(DASHES).unwrap_or_default();
        let place =
            format!("the block {} in line {}", quoted(kind.as_bytes(), 0, 40), 1 + text[..at].matches('\n').count());
        match kind {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
                let end = format!("{DASHES}END {kind}{DASHES}");
                let (body, _) = rest.split_once(&end).ok_or_else(|| format!("{place} has no line {end}"))?;
                let der = in_pem(body).ok_or_else(|| format!("{place} is cut off or broken"))?;
                found.push(Certificate { der, place });
            }
            kind if kind.ends_with(" KEY") || kind.ends_with(" PARAMETERS") => {}
            "X509 CRL" | "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {}
            _ => other = Some(place),
        }
    }
    match (found.is_empty(), other) {
        (true, None) => Err("there is no certificate in it".into()),
        (true, Some(place)) => Err(format!("{place} cannot be read; openssl pkcs7 -print_certs may make PEM of it")),
        (false, Some(place)) => {
            log::warn!("{place} of a CA bundle is not read; only blocks CERTIFICATE are");
            Ok(found)
        }
        (false, None) => Ok(found),
    }
}

fn in_pem(body: &str) -> Option<CertificateDer<'static>> {
    let base64: String = body.split_ascii_whitespace().collect();
    let pem = format!("{BEGIN}CERTIFICATE{DASHES}\n{base64}\n{DASHES}END CERTIFICATE{DASHES}\n");
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    // What OpenSSL trusts a certificate for stands behind it.
    let certificate = der::first(&der)?;
    Fields::read(certificate)?;
    Some(CertificateDer::from(certificate.to_vec()))
}

fn in_der(bundle: &[u8]) -> Result<Vec<Certificate>, String> {
    let certificate = der::first(bundle).filter(|certificate| Fields::read(certificate).is_some());
    let der = certificate.ok_or(
        "it is neither PEM nor a certificate in DER; openssl pkcs12 -nokeys, or openssl pkcs7 -inform DER \
         -print_certs, may make PEM of it",
    )?;
    Ok(vec![Certificate { der: CertificateDer::from(der.to_vec()), place: "it".into() }])
}

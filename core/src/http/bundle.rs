//! The certificates in a file that people glued together: PEM with anything between the blocks, and certificates in
//! DER. What looks like a certificate and cannot be read is named, so that none is lost without a word.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::der::{self, Fields};
use crate::text::quoted;

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// How much of a wrong line a reason shows, in bytes.
const ROOM: usize = 60;

/// What a file of certificates holds.
#[derive(Default)]
pub struct Bundle {
    /// Its certificates, at least one.
    pub certificates: Vec<Certificate>,
    /// The parts that may be certificates and were not read: a sentence each, with the line.
    pub unread: Vec<String>,
}

/// A certificate of a bundle.
pub struct Certificate {
    /// The certificate itself.
    pub der: CertificateDer<'static>,
    /// What the bundle calls it, for messages.
    pub place: String,
}

/// Reads all certificates of a bundle. A block of certificates that is cut off or broken is an error with its line, and
/// so is a bundle without any certificate.
pub fn read(bytes: &[u8]) -> Result<Bundle, String> {
    if let Some(&[0xff, 0xfe] | &[0xfe, 0xff]) = bytes.first_chunk() {
        return Err("it is UTF-16; save it as UTF-8".into());
    }
    let mut bundle = Bundle::default();
    let rest = bundle.take_der(bytes);
    if bytes.first() == Some(&0x30) && !String::from_utf8_lossy(rest).contains(BEGIN) {
        if bundle.certificates.is_empty() {
            let what = "it is neither PEM nor a certificate in DER";
            return Err(format!("{what}; openssl pkcs7 -inform DER -print_certs or openssl pkcs12 may make PEM of it"));
        }
        if !rest.trim_ascii().is_empty() {
            let (read, left) = (bundle.certificates.len(), rest.len());
            bundle.unread.push(format!("behind the certificates in DER, {read} in number, are {left} bytes more"));
        }
        return Ok(bundle);
    }
    bundle.take_pem(&String::from_utf8_lossy(rest))?;
    match bundle.unread.first() {
        _ if !bundle.certificates.is_empty() => Ok(bundle),
        Some(unread) => Err(unread.clone()),
        None => Err("there is no certificate in it".into()),
    }
}

impl Bundle {
    /// Takes certificates in DER from the front, one behind the other, and returns what follows them.
    fn take_der<'a>(&mut self, mut rest: &'a [u8]) -> &'a [u8] {
        while let Some(der) = der::first(rest).filter(|der| Fields::read(der).is_some()) {
            let place = format!("the certificate {} in DER", self.certificates.len() + 1);
            self.certificates.push(Certificate { der: CertificateDer::from(der.to_vec()), place });
            rest = &rest[der.len()..];
        }
        rest
    }

    fn take_pem(&mut self, text: &str) -> Result<(), String> {
        let begins: Vec<_> = text.match_indices(BEGIN).map(|(at, _)| (at, before(text, at))).collect();
        let mut begins = begins.into_iter().filter(|(_, before)| !before.starts_with('#')).peekable();
        let mut read = 0;
        while let Some((at, before)) = begins.next() {
            let is_at_start = before.is_empty();
            // A BEGIN in the middle of a line may be just a word of its sentence.
            let mut next = begins.clone().filter(|(_, before)| !is_at_start || before.is_empty()).map(|(at, _)| at);
            let block = &text[at..next.next().unwrap_or(text.len())];
            let first_line = block.split(['\n', '\r']).next().unwrap_or_default();
            let Some((kind, _)) = first_line[BEGIN.len()..].split_once(DASHES) else { continue };
            let place = format!("the block {} in line {}", quoted(kind.as_bytes(), 0, 40), line_at(text, at));
            let end = format!("{DASHES}END {kind}{DASHES}");
            let body = &block[BEGIN.len() + kind.len() + DASHES.len()..];
            let body = body.split_once(&end).map(|(body, _)| body);
            match kind {
                "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => match body.map(in_pem) {
                    Some(Some(der)) => self.certificates.push(Certificate { der, place }),
                    _ if !is_at_start => continue,
                    Some(None) => return Err(format!("{place} is cut off or broken")),
                    None => return Err(format!("{place} has no line {end}")),
                },
                kind if kind.ends_with(" KEY") || kind.ends_with(" PARAMETERS") => {}
                "X509 CRL" | "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {}
                _ if !is_at_start => continue,
                _ => self.unread.push(format!("{place} cannot be read; openssl pkcs7 -print_certs may make PEM of it")),
            }
            self.name_strays(text, read, at);
            let length =
                body.map_or(first_line.len(), |body| BEGIN.len() + kind.len() + DASHES.len() + body.len() + end.len());
            read = at + length;
            while begins.next_if(|(at, _)| *at < read).is_some() {}
        }
        self.name_strays(text, read, text.len());
        Ok(())
    }

    /// Names what may have been a certificate in the text between two blocks.
    fn name_strays(&mut self, text: &str, from: usize, to: usize) {
        let (mut at, mut is_open) = (from, false);
        let to = from + text[from..to].trim_end_matches(is_unseen).len();
        for raw in text[from..to].split_inclusive(['\n', '\r']) {
            let (number, line) = (line_at(text, at), bare(raw));
            at += raw.len();
            let word = line.trim_start_matches(['-', '–', '—', '‐', '‑', '−', '>', '|', '*', ' ']).to_ascii_uppercase();
            let shown = quoted(line.as_bytes(), 0, ROOM);
            if raw.contains(is_binary) {
                let what = format!("line {number} holds binary data, maybe a certificate in DER");
                self.unread.push(format!("{what}; openssl x509 -inform DER makes PEM of it"));
                return;
            }
            if word.len() == line.len() || !["CERTIFICATE", "PKCS"].iter().any(|kind| word.contains(kind)) {
                continue;
            }
            if word.starts_with("BEGIN ") {
                is_open = true;
                self.unread.push(format!("line {number}, {shown}, begins no block; write {BEGIN}CERTIFICATE{DASHES}"));
            } else if word.starts_with("END ") && !std::mem::take(&mut is_open) {
                self.unread.push(format!("line {number}, {shown}, has no {BEGIN}CERTIFICATE{DASHES} before it"));
            }
        }
    }
}

/// The text before `at` on its line, or since the block that ends on this line.
fn before(text: &str, at: usize) -> &str {
    let line = text[..at].rsplit(['\n', '\r']).next().unwrap_or_default();
    let line = line.rsplit_once(DASHES).filter(|_| line.contains("-----END ")).map_or(line, |(_, behind)| behind);
    bare(line)
}

/// A line without what does not show at its ends, such as a byte order mark from a file that was glued to another.
fn bare(line: &str) -> &str {
    line.trim_matches(is_unseen)
}

fn is_unseen(c: char) -> bool {
    c.is_whitespace() || c.is_control() || c == '\u{feff}'
}

/// Whether a character is in no text: a NUL, say. The end mark of DOS is.
fn is_binary(c: char) -> bool {
    c.is_ascii_control() && !c.is_ascii_whitespace() && c != '\x0b' && c != '\x1a'
}

fn line_at(text: &str, at: usize) -> usize {
    let end = if text.contains('\n') { '\n' } else { '\r' };
    1 + text[..at].matches(end).count()
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

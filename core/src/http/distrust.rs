//! Why a certificate is not trusted: the property that is wrong, and how to make it right.

use std::fmt;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor};
use webpki::{Error, InvalidNameContext};

use super::der::{self, Fields};
use crate::clock::Time;
use crate::text::{cut, line, printable};

/// The bits of RSA keys that the library verifies.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// How much of a foreign name a reason shows, in bytes.
const ROOM: usize = 40;

/// What a server's own certificate is called.
const LEAF: &str = "the certificate";

/// The last parts of the identifiers 2.5.29.n of the extensions that the library knows.
const KNOWN: [u8; 6] = [15, 17, der::BASIC_CONSTRAINTS, der::NAME_CONSTRAINTS, 31, der::EXTENDED_KEY_USAGE];

/// serverAuth, in an extended key usage.
const FOR_SERVERS: &[u8] = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01";

/// A certificate that is not trusted.
#[derive(Debug)]
pub(super) struct Distrust {
    /// Whether it would do to name a certificate as trusted.
    pub(super) is_unknown: bool,
    text: String,
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Distrust {}

/// What a server showed, and what we trust.
pub(super) struct Seen<'a> {
    pub(super) leaf: &'a CertificateDer<'a>,
    pub(super) intermediates: &'a [CertificateDer<'a>],
    pub(super) roots: &'a [TrustAnchor<'static>],
}

impl Distrust {
    fn because(text: impl Into<String>) -> Self {
        Self { is_unknown: false, text: text.into() }
    }

    fn unknown(text: impl Into<String>) -> Self {
        Self { is_unknown: true, text: text.into() }
    }

    /// What is wrong with the key of this certificate; `None` if it is of a kind and a length that can be verified.
    pub(super) fn of_key(certificate: &CertificateDer<'_>) -> Option<Self> {
        let bits = Fields::read(certificate)?.rsa_bits()?;
        key_text(bits).map(|text| Self::because(format!("the certificate's {text}")))
    }

    /// Explains the error of verifying what was `seen`.
    pub(super) fn of(error: Error, seen: &Seen) -> Self {
        let is_self_signed = Fields::read(seen.leaf).is_some_and(|leaf| leaf.is_own_issuer());
        Self::because(match error {
            Error::CertExpired { not_after, .. } => {
                let after = Duration::from_secs(not_after.as_secs());
                let expired = seen.the(|one| one.not_after() == Some(after));
                format!("{expired} expired on {}", Time::since_1970(after))
            }
            Error::CertNotValidYet { not_before, .. } => {
                let before = Duration::from_secs(not_before.as_secs());
                let early = seen.the(|one| one.not_before() == Some(before));
                format!("{early} is not valid before {}", Time::since_1970(before))
            }
            Error::InvalidCertValidity => {
                format!("{} ends before it begins", seen.the(|one| one.not_after() < one.not_before()))
            }
            // Another certificate of its name may be trusted, such as the one before it.
            Error::UnknownIssuer | Error::CaUsedAsEndEntity | Error::InvalidSignatureForPublicKey if is_self_signed => {
                return Self::unknown("the certificate is self-signed");
            }
            Error::UnknownIssuer => return Self::unknown(seen.missing_issuer()),
            Error::CertNotValidForName(context) => return Self::because(wrong_name(&context, seen.leaf)),
            Error::CaUsedAsEndEntity => "the certificate is a CA's, not a server's; make one with CA:FALSE".into(),
            Error::EndEntityUsedAsCa => match seen.authority(|one| !one.is_ca()) {
                Some(authority) => format!("{authority} issued a certificate and is no CA; make its own with CA:TRUE"),
                None => "an issuer in the chain is no CA; make its certificate with CA:TRUE".into(),
            },
            Error::PathLenConstraintViolated => "the chain has more CAs than one of them allows (pathlen)".into(),
            Error::NameConstraintViolation => {
                let authority = seen.constraining().unwrap_or_else(|| "a CA of the chain".into());
                format!("{authority} may not issue certificates for this name (its name constraints)")
            }
            Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => {
                let for_others = seen.the(|one| one.extension(der::EXTENDED_KEY_USAGE).is_some_and(is_not_for_servers));
                format!("{for_others} is not for servers; its extended key usage must have serverAuth")
            }
            Error::UnsupportedCertVersion => {
                let old = seen.the(|one| !one.has_version);
                let why = if old == LEAF { ", which has no subject alternative names" } else { "" };
                format!("{old} is of X.509 version 1{why}; make one of version 3")
            }
            Error::UnsupportedCriticalExtension => {
                let critical = seen.the(|one| one.extensions().any(|one| one.is_critical && !is_known(one.id)));
                format!("{critical} has a critical extension that is not known here; make it not critical")
            }
            Error::InvalidSignatureForPublicKey => seen.wrong_signature(),
            Error::UnsupportedSignatureAlgorithmContext(context) => {
                seen.signed_with(&context.signature_algorithm_id, &[])
            }
            Error::UnsupportedSignatureAlgorithmForPublicKeyContext(context) => {
                seen.signed_with(&context.signature_algorithm_id, &context.public_key_algorithm_id)
            }
            Error::MaximumPathDepthExceeded
            | Error::MaximumPathBuildCallsExceeded
            | Error::MaximumSignatureChecksExceeded
            | Error::MaximumNameConstraintComparisonsExceeded => {
                "the server's certificates are too many to find a way to a CA".into()
            }
            Error::InvalidSerialNumber => "the certificate's serial number is not valid; make it anew".into(),
            _ => "the certificate is not well-formed; make it anew".into(),
        })
    }
}

impl Seen<'_> {
    fn all(&self) -> impl Iterator<Item = &CertificateDer<'_>> + Clone {
        [self.leaf].into_iter().chain(self.intermediates)
    }

    /// What to call the first certificate that has a property.
    fn the(&self, has: impl Fn(&Fields) -> bool) -> String {
        match self.all().find(|one| Fields::read(one).is_some_and(|fields| has(&fields))) {
            Some(one) if one != self.leaf => format!("the certificate of {}", subject(one)),
            _ => LEAF.into(),
        }
    }

    /// What to call the first issuer whose own certificate was sent and has a property.
    fn authority(&self, has: impl Fn(&Fields) -> bool) -> Option<String> {
        let issuers: Vec<_> = self.all().filter_map(|one| Some(Fields::read(one)?.issuer)).collect();
        let authorities = self.intermediates.iter().filter_map(|one| Fields::read(one));
        let mut those = authorities.filter(|one| issuers.contains(&one.subject) && has(one));
        those.next().map(|one| called(one.subject))
    }

    /// The CA that allows certificates for certain names only, if there is just one.
    fn constraining(&self) -> Option<String> {
        let shown = self.intermediates.iter().filter_map(|one| Fields::read(one));
        let shown = shown.filter(|one| one.extension(der::NAME_CONSTRAINTS).is_some()).map(|one| one.subject);
        let issuers: Vec<_> = self.all().filter_map(|one| Some(Fields::read(one)?.issuer)).collect();
        let roots = self.roots.iter().filter(|root| root.name_constraints.is_some()).map(|root| root.subject.as_ref());
        let mut all = shown.chain(roots).filter(|subject| issuers.contains(subject));
        let one = all.next()?;
        all.all(|other| other == one).then(|| format!("the CA {}", called(one)))
    }

    /// Names the certificate whose signature has this algorithm, by a key of this kind.
    fn signed_with(&self, signature: &[u8], key: &[u8]) -> String {
        let has = |info: &[u8]| info.windows(key.len()).any(|part| part == key);
        let is_by_such_a_key = |one: &Fields| {
            let roots = self.roots.iter().map(|root| (root.subject.as_ref(), root.subject_public_key_info.as_ref()));
            let shown = self.intermediates.iter().filter_map(|one| Fields::read(one));
            let mut keys = roots.chain(shown.map(|one| (one.subject, one.key_info)));
            keys.any(|(subject, info)| subject == one.issuer && has(info))
        };
        let signed = self.the(|one| one.algorithm == signature && (key.is_empty() || is_by_such_a_key(one)));
        format!("{signed} is {}", signed_with(signature, key))
    }

    /// Follows the chain to its last certificate, and says who issued that.
    fn missing_issuer(&self) -> String {
        let mut last = self.leaf.as_ref();
        let has_issued = |issuer: &CertificateDer, one: &[u8]| match (Fields::read(issuer), Fields::read(one)) {
            (Some(issuer), Some(one)) => issuer.subject == one.issuer && !one.is_own_issuer(),
            _ => false,
        };
        for _ in self.intermediates {
            let Some(next) = self.intermediates.iter().find(|next| has_issued(next, last)) else { break };
            last = next;
        }
        let Some(fields) = Fields::read(last) else { return "the certificate's issuer is not trusted".into() };
        let issuer = called(fields.issuer);
        if fields.is_own_issuer() {
            format!("the chain ends in the CA {issuer}, which is not trusted")
        } else if self.intermediates.is_empty() {
            format!(
                "the certificate's issuer {issuer} is not trusted; if it is an intermediate CA, the server must send \
                 its certificate, too"
            )
        } else {
            format!("the chain lacks the certificate of {issuer}: the server does not send it, and it is not trusted")
        }
    }

    /// A signature is wrong, or by a key that cannot be verified.
    fn wrong_signature(&self) -> String {
        let certificates = self.all().filter_map(|one| Fields::read(one));
        let issuers: Vec<_> = certificates.clone().map(|one| one.issuer).collect();
        let shown = certificates.filter_map(|one| Some((one.subject, one.rsa_bits()?)));
        let roots = self.roots.iter().map(|root| (root.subject.as_ref(), root.subject_public_key_info.as_ref()));
        let roots = roots.filter_map(|(subject, key)| Some((subject, der::rsa_bits(key)?)));
        let mut issuing = shown.chain(roots).filter(|(subject, _)| issuers.contains(subject));
        match issuing.find_map(|(subject, bits)| Some((subject, key_text(bits)?))) {
            Some((subject, text)) => format!("the certificate of the CA {}: its {text}", called(subject)),
            // The name matches and the key does not, as after a private CA was created anew.
            None => "the certificate is not signed by the trusted CA that has its issuer's name".into(),
        }
    }
}

fn is_not_for_servers(usage: &[u8]) -> bool {
    !usage.windows(FOR_SERVERS.len()).any(|part| part == FOR_SERVERS)
}

fn is_known(extension: &[u8]) -> bool {
    matches!(extension, [0x55, 0x1d, n] if KNOWN.contains(n))
}

fn key_text(bits: usize) -> Option<String> {
    if RSA_BITS.contains(&bits) {
        return None;
    }
    let word = if bits < *RSA_BITS.start() { "short" } else { "long" };
    Some(format!("key is too {word}: RSA of {bits} bits; {} to {} are taken", RSA_BITS.start(), RSA_BITS.end()))
}

/// The hosts that a certificate names, as people know them; the library writes `DnsName("example.com")`.
pub(super) fn hosts(context: &InvalidNameContext) -> Vec<&str> {
    fn host(name: &str) -> Option<&str> {
        let name = name.strip_suffix(')')?;
        let dns = name.strip_prefix("DnsName(\"").and_then(|name| name.strip_suffix('"'));
        dns.or_else(|| name.strip_prefix("IpAddress("))
    }
    context.presented.iter().filter_map(|name| host(name)).collect()
}

fn wrong_name(context: &InvalidNameContext, leaf: &CertificateDer<'_>) -> String {
    let expected = ServerName::to_str(&context.expected);
    // A stranger may have written the names, and there may be many.
    let names = cut(&printable(&hosts(context).join(", ")), 300);
    if matches!(context.expected, ServerName::IpAddress(_)) && hosts(context).contains(&&*expected) {
        return format!("the certificate names {expected} as a DNS name; make one that gives it as IP:{expected}");
    }
    if !names.is_empty() {
        return format!("the certificate is not for {expected}, but for {names}");
    }
    match Fields::read(leaf).and_then(|fields| der::common_name(fields.subject)) {
        Some(common) => format!(
            "the certificate is not for {expected}; it names {} only as its common name (CN), which does not count; \
             give it a subject alternative name",
            line(&common, ROOM)
        ),
        None => format!("the certificate is not for {expected}; it names no host"),
    }
}

fn subject(certificate: &CertificateDer<'_>) -> String {
    Fields::read(certificate).map_or_else(|| "a CA".into(), |fields| called(fields.subject))
}

fn called(name: &[u8]) -> String {
    der::called(name).map_or_else(|| "without a name".into(), |name| format!("\"{}\"", line(&name, ROOM)))
}

/// The algorithms that certificates are signed with and that we do not verify, by what their identifiers contain.
const SIGNATURES: [(&[u8], &str); 12] = [
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02", "MD2, which is broken"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", "MD5, which is broken"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", "SHA-1, which is broken"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", "RSA-PSS in a form that is not known here"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e", "SHA-224, which is not known here"),
    (b"\x2a\x86\x48\xce\x3d\x04\x01", "SHA-1, which is broken"),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x01", "SHA-224, which is not known here"),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x04", "ECDSA and SHA-512, which is not known here"),
    (b"\x2a\x86\x48\xce\x38\x04", "DSA, which is not known here"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03", "DSA, which is not known here"),
    (b"\x2b\x65\x71", "Ed448, which is not known here"),
    (b"\x2a\x81\x1c\xcf\x55", "SM2, which is not known here"),
];

/// The curves of keys that we do not verify.
const CURVES: [(&[u8], &str); 4] = [
    (b"\x2b\x81\x04\x00\x23", "P-521"),
    (b"\x2b\x81\x04\x00\x0a", "secp256k1"),
    (b"\x2b\x81\x04\x00\x21", "P-224"),
    (b"\x2b\x24\x03\x03\x02\x08\x01", "brainpool"),
];

fn signed_with(signature: &[u8], key: &[u8]) -> String {
    let named = |list: &[(&[u8], &'static str)], id: &[u8]| {
        list.iter().find(|(known, _)| id.windows(known.len()).any(|part| part == *known)).map(|(_, name)| *name)
    };
    let with = match (named(&CURVES, key), named(&SIGNATURES, signature)) {
        (Some(curve), _) => format!("a key on the curve {curve}, which is not known here"),
        (None, Some(name)) => name.to_string(),
        (None, None) => "an algorithm that is not known here".into(),
    };
    format!("signed with {with}; sign it with RSA or ECDSA (P-256, P-384) and SHA-256")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_names_the_first_are_shown_and_that_there_are_more() {
        let presented = (0..80).map(|n| format!("DnsName(\"host{n}.example.com\")")).collect();
        let expected = ServerName::try_from("localhost").unwrap();
        let text = wrong_name(&InvalidNameContext { expected, presented }, &CertificateDer::from(vec![]));
        assert!(text.contains("but for host0.example.com, host1.") && text.ends_with("host15.ex…"), "{text}");
    }
}

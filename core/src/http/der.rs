//! As much of a certificate's DER as it takes to say what is wrong with it. Nothing is trusted for what is read here.

use std::time::Duration;

use crate::clock::second_of;

/// A certificate's fields, each as the content of its element.
pub(super) struct Fields<'a> {
    pub(super) issuer: &'a [u8],
    pub(super) subject: &'a [u8],
    /// The identifier of the algorithm that its issuer signed it with.
    pub(super) algorithm: &'a [u8],
    /// Its key, a `SubjectPublicKeyInfo` with its header.
    pub(super) key_info: &'a [u8],
    /// Whether it says that it is of version 2 or 3.
    pub(super) has_version: bool,
    validity: &'a [u8],
    key: &'a [u8],
    extensions: &'a [u8],
}

/// An extension of a certificate.
pub(super) struct Extension<'a> {
    pub(super) id: &'a [u8],
    pub(super) is_critical: bool,
    pub(super) value: &'a [u8],
}

impl<'a> Fields<'a> {
    /// `None` if this is no certificate of X.509.
    pub(super) fn read(certificate: &'a [u8]) -> Option<Self> {
        let mut to_be_signed = {
            let mut whole = certificate;
            let mut parts = element(&mut whole, SEQUENCE)?;
            element(&mut parts, SEQUENCE)?
        };
        let fields = &mut to_be_signed;
        // A certificate of version 1 does not say its version.
        let has_version = element(fields, VERSION).is_some();
        let _serial = element(fields, INTEGER)?;
        let algorithm = element(fields, SEQUENCE)?;
        let issuer = element(fields, SEQUENCE)?;
        let validity = element(fields, SEQUENCE)?;
        let subject = element(fields, SEQUENCE)?;
        let key_info = first(fields)?;
        let key = element(fields, SEQUENCE)?;
        let mut extensions = *fields;
        while let Some((tag, content)) = next(fields) {
            extensions = if tag == EXTENSIONS { content } else { &[] };
        }
        let extensions = element(&mut extensions, SEQUENCE).unwrap_or_default();
        Some(Self { issuer, subject, algorithm, key_info, has_version, validity, key, extensions })
    }

    /// The first second in which it is valid, since 1970.
    pub(super) fn not_before(&self) -> Option<Duration> {
        next(&mut { self.validity }).and_then(|(_, text)| time(text))
    }

    /// The last second in which it is valid, since 1970.
    pub(super) fn not_after(&self) -> Option<Duration> {
        let mut times = self.validity;
        next(&mut times)?;
        next(&mut times).and_then(|(_, text)| time(text))
    }

    pub(super) fn extensions(&self) -> impl Iterator<Item = Extension<'a>> {
        let mut rest = self.extensions;
        std::iter::from_fn(move || {
            let mut parts = element(&mut rest, SEQUENCE)?;
            let id = element(&mut parts, OBJECT_IDENTIFIER)?;
            let is_critical = element(&mut parts, BOOLEAN).is_some_and(|value| value != [0]);
            Some(Extension { id, is_critical, value: element(&mut parts, OCTET_STRING)? })
        })
    }

    /// The value of the extension `2.5.29.n`.
    pub(super) fn extension(&self, n: u8) -> Option<&'a [u8]> {
        self.extensions().find(|extension| extension.id == [0x55, 0x1d, n]).map(|extension| extension.value)
    }

    /// Whether it says that it is a CA's.
    pub(super) fn is_ca(&self) -> bool {
        let constraints = self.extension(BASIC_CONSTRAINTS).unwrap_or_default();
        element(&mut { constraints }, SEQUENCE).is_some_and(|mut parts| element(&mut parts, BOOLEAN).is_some())
    }

    /// The bits of its key, if that is one of RSA.
    pub(super) fn rsa_bits(&self) -> Option<usize> {
        rsa_bits(self.key)
    }

    /// Whether it is its own issuer.
    pub(super) fn is_own_issuer(&self) -> bool {
        self.issuer == self.subject
    }
}

/// The bits of an RSA key in the content of a `SubjectPublicKeyInfo`.
pub(super) fn rsa_bits(mut key: &[u8]) -> Option<usize> {
    let algorithm = element(&mut key, SEQUENCE)?;
    let bits = element(&mut key, BIT_STRING)?;
    if !algorithm.starts_with(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01") {
        return None;
    }
    let mut key = bits.get(1..)?;
    let mut numbers = element(&mut key, SEQUENCE)?;
    let modulus = element(&mut numbers, INTEGER)?;
    let first = modulus.iter().position(|byte| *byte != 0)?;
    Some((modulus.len() - first) * 8 - modulus[first].leading_zeros() as usize)
}

/// What people call the holder of a name: its common name, else its organization.
pub(super) fn called(name: &[u8]) -> Option<String> {
    let (mut rest, mut organization, mut common) = (name, None, None);
    while let Some((_, mut set)) = next(&mut rest) {
        let mut pair = element(&mut set, SEQUENCE)?;
        let (kind, (_, value)) = (element(&mut pair, OBJECT_IDENTIFIER)?, next(&mut pair)?);
        match kind {
            COMMON_NAME => common = Some(value),
            ORGANIZATION => organization = Some(value),
            _ => {}
        }
    }
    common.or(organization).map(|value| String::from_utf8_lossy(value).into_owned())
}

/// The common name of a subject.
pub(super) fn common_name(name: &[u8]) -> Option<String> {
    name.windows(COMMON_NAME.len()).any(|part| part == COMMON_NAME).then(|| called(name))?
}

/// The first element with its header: what may follow it in a file is cut off.
pub(super) fn first(input: &[u8]) -> Option<&[u8]> {
    let mut rest = input;
    next(&mut rest)?;
    Some(&input[..input.len() - rest.len()])
}

/// The last part of the identifiers of extensions, 2.5.29.n.
pub(super) const BASIC_CONSTRAINTS: u8 = 19;
pub(super) const NAME_CONSTRAINTS: u8 = 30;
pub(super) const EXTENDED_KEY_USAGE: u8 = 37;

const SEQUENCE: u8 = 0x30;
const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
const EXTENSIONS: u8 = 0xa3;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const VERSION: u8 = 0xa0;
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];

/// Takes the next element if it has this tag, and returns its content.
fn element<'a>(input: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let before = *input;
    match next(input) {
        Some((found, content)) if found == tag => Some(content),
        _ => {
            *input = before;
            None
        }
    }
}

/// Takes the next element: its tag and its content.
fn next<'a>(input: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&tag, rest) = input.split_first()?;
    let (&length, mut rest) = rest.split_first()?;
    let mut length = usize::from(length);
    if length >= 0x80 {
        let (bytes, behind) =
            rest.split_at_checked(length - 0x80).filter(|(bytes, _)| (1..=4).contains(&bytes.len()))?;
        length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        rest = behind;
    }
    let (content, rest) = rest.split_at_checked(length)?;
    *input = rest;
    Some((tag, content))
}

/// Reads `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn time(text: &[u8]) -> Option<Duration> {
    let text = str::from_utf8(text).ok()?.strip_suffix('Z').filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
    let (year, rest) = text.split_at_checked(text.len().checked_sub(10)?)?;
    let year: i16 = year.parse().ok()?;
    let year = match text.len() {
        12 if year < 50 => 2000 + year,
        12 => 1900 + year,
        14 => year,
        _ => return None,
    };
    let two = |at: usize| rest[at..at + 2].parse::<i8>().ok();
    let second = second_of(year, [two(0)?, two(2)?, two(4)?, two(6)?, two(8)?])?;
    Some(Duration::from_secs(second.try_into().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_digits_of_the_year_or_four() {
        for (text, second) in [
            ("700101000001Z", Some(1)),
            ("491231235959Z", Some(2_524_607_999)),
            ("20500101000000Z", Some(2_524_608_000)),
            ("99991231235959Z", Some(253_402_300_799)),
            ("19500101000000Z", Some(0)),
            ("701301000001Z", None),
            ("7001010000Z", None),
            ("700101000001+0100", None),
            ("é700101000001Z", None),
        ] {
            assert_eq!(time(text.as_bytes()), second.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn what_is_cut_off_or_nested_wrongly_is_no_certificate() {
        assert!(Fields::read(b"").is_none());
        assert!(Fields::read(b"\x30\x84\xff\xff\xff\xff").is_none());
        assert!(Fields::read(b"\x30\x80").is_none());
        assert_eq!(first(b"\x02\x01\x05junk"), Some(&b"\x02\x01\x05"[..]));
        assert_eq!(first(b"\x02\x81\x01\x05junk"), Some(&b"\x02\x81\x01\x05"[..]));
        assert_eq!(first(b"\x02\x02\x05"), None);
    }
}

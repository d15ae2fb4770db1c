//! User metadata of objects. Anybody may have written it, so a value of the wrong form counts as missing.

use std::collections::BTreeMap;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// User metadata of an object: names in lower case, without `x-amz-meta-`.
pub type Metadata = BTreeMap<String, String>;

/// What a value that people wrote is encoded to: headers have no other characters in all stores.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as a value: percent-encoded, and cut to at most `room` bytes between two characters.
pub fn encoded(text: &str, room: usize) -> String {
    let mut value = String::new();
    for c in text.chars() {
        let length = value.len();
        value.extend(utf8_percent_encode(c.encode_utf8(&mut [0; 4]), ENCODED));
        if value.len() > room {
            value.truncate(length);
            break;
        }
    }
    value
}

/// The text of a value that is percent-encoded. What is no UTF-8 is replaced.
pub(crate) fn decoded(value: &str) -> String {
    percent_decode_str(value).decode_utf8_lossy().into_owned()
}

/// The entries that have a value.
pub(crate) fn present<const N: usize>(entries: [(&str, Option<String>); N]) -> Metadata {
    entries.into_iter().filter_map(|(name, value)| Some((name.to_string(), value?))).collect()
}

/// A value of up to 64 hex digits.
pub(crate) fn hex(metadata: &Metadata, name: &str) -> Option<String> {
    let is_hex = |text: &&String| (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    metadata.get(name).filter(is_hex).cloned()
}

/// A value that is a number of type `T`.
pub(crate) fn number<T: FromStr>(metadata: &Metadata, name: &str) -> Option<T> {
    metadata.get(name).and_then(|text| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_encoded_cut_between_characters_and_comes_back() {
        assert_eq!(encoded("/srv/my disk/käse%", 64), "/srv/my%20disk/k%C3%A4se%25");
        assert_eq!(decoded("/srv/my%20disk/k%C3%A4se%25"), "/srv/my disk/käse%");
        // No character is cut in two.
        assert_eq!([encoded("/ä", 7), encoded("/ä", 6), encoded("/a b", 4)], ["/%C3%A4", "/", "/a"]);
        assert_eq!(decoded("/a%ffb%zz%"), "/a\u{fffd}b%zz%");
    }
}

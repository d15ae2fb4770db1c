//! An object's `ETag`, kept small: a sweep over a large fleet has several hundred thousand of them in memory.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How many bytes an MD5 has.
const BYTES: usize = 16;

/// An `ETag` as the store gives it, quotes included. What is nearly always there, an MD5 in hex, is kept as its bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct ETag(Kept);

#[derive(Clone, PartialEq, Eq)]
enum Kept {
    /// `"0123456789abcdef…"`: its bytes.
    Md5([u8; BYTES]),
    /// Any other text.
    Text(Box<str>),
}

impl ETag {
    /// Whether it is empty, which no store's `ETag` is.
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Kept::Text(text) if text.is_empty())
    }
}

impl Default for ETag {
    fn default() -> Self {
        Self(Kept::Text(Box::default()))
    }
}

impl From<&str> for ETag {
    fn from(text: &str) -> Self {
        Self(md5(text).map_or_else(|| Kept::Text(text.into()), Kept::Md5))
    }
}

impl From<String> for ETag {
    fn from(text: String) -> Self {
        Self(md5(&text).map_or_else(|| Kept::Text(text.into()), Kept::Md5))
    }
}

impl From<ETag> for String {
    fn from(etag: ETag) -> Self {
        match etag.0 {
            Kept::Text(text) => text.into(),
            Kept::Md5(_) => etag.to_string(),
        }
    }
}

impl PartialEq<str> for ETag {
    fn eq(&self, text: &str) -> bool {
        // Text that would be kept as an MD5 is never kept as text.
        match &self.0 {
            Kept::Text(kept) => **kept == *text,
            Kept::Md5(bytes) => md5(text) == Some(*bytes),
        }
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kept::Text(text) => f.write_str(text),
            Kept::Md5(bytes) => {
                f.write_str("\"")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("\"")
            }
        }
    }
}

impl fmt::Debug for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

/// The bytes of an MD5 in hex and in quotes. Capitals are no MD5 of ours: the text must come back as it was.
fn md5(text: &str) -> Option<[u8; BYTES]> {
    let hex: &[u8; 2 * BYTES] = text.strip_prefix('"')?.strip_suffix('"')?.as_bytes().try_into().ok()?;
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; BYTES];
    for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_etag_comes_back_as_it_was_and_an_md5_takes_no_room_of_its_own() {
        let md5 = "\"0123456789abcdef0123456789abcdef\"";
        for (text, is_small) in [
            (md5, true),
            ("\"ffffffffffffffffffffffffffffffff\"", true),
            ("\"0123456789ABCDEF0123456789abcdef\"", false),
            ("\"0123456789abcdef0123456789abcdef-2\"", false),
            ("0123456789abcdef0123456789abcdef", false),
            ("\"0123456789abcdef0123456789abcdé\"", false),
            ("W/\"0123456789abcdef0123456789abcdef\"", false),
            ("\"\"", false),
            ("\"", false),
            ("", false),
        ] {
            for etag in [ETag::from(text), ETag::from(text.to_string())] {
                assert_eq!(matches!(etag.0, Kept::Md5(_)), is_small, "{text}");
                assert_eq!((etag.to_string(), String::from(etag.clone())), (text.into(), text.into()));
                let json = serde_json::to_string(&etag).unwrap();
                assert_eq!(json, serde_json::to_string(text).unwrap());
                assert_eq!(serde_json::from_str::<ETag>(&json).unwrap(), etag);
                assert_eq!((etag == *text, etag.is_empty()), (true, text.is_empty()));
            }
        }
        let [one, other] = [md5, "\"0123456789abcdef0123456789abcdee\""].map(ETag::from);
        assert!(one != other);
        assert_eq!(ETag::default(), ETag::from(""));
        assert_eq!(size_of::<ETag>(), size_of::<String>());
    }
}

//! User metadata of objects. Anybody may have written it, so a value of the wrong form counts as missing.

use std::collections::BTreeMap;
use std::str::FromStr;

/// User metadata of an object: names in lower case, without `x-amz-meta-`.
pub type Metadata = BTreeMap<String, String>;

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

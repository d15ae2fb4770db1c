//! A page of a listing, at the cost of what it shows.

use redb::ReadOnlyTable;

use super::Summary;

/// The query of a listing.
pub(crate) struct Query<'a> {
    pub(crate) prefix: &'a str,
    /// Keys that are equal up to its first occurrence after `prefix` are shown as one; `None` shows them all.
    pub(crate) delimiter: Option<&'a str>,
    /// The first place in key order to show: a key, or a place between two keys.
    pub(crate) from: Vec<u8>,
    /// How many objects and common prefixes to show at most.
    pub(crate) limit: usize,
}

/// A page of results, in key order.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) objects: Vec<(String, Summary)>,
    pub(crate) prefixes: Vec<String>,
    /// `from` for the next page; `None` after the last.
    pub(crate) next: Option<Vec<u8>>,
    /// The last object or common prefix on this page.
    pub(crate) last: String,
}

/// The first place after all keys that begin with `prefix`.
pub(crate) fn past_prefix(prefix: &str) -> Vec<u8> {
    let mut place = prefix.as_bytes().to_vec();
    if let Some(last) = place.last_mut() {
        // No byte of UTF-8 is 0xFF, so this does not overflow.
        *last += 1;
    }
    place
}

/// The first place after `key` itself.
pub(crate) fn past_key(key: &str) -> Vec<u8> {
    [key.as_bytes(), b"\0"].concat()
}

pub(super) fn page(
    table: &ReadOnlyTable<&'static [u8], (u128, u64, i64)>,
    query: &Query<'_>,
) -> Result<Page, redb::Error> {
    let mut page = Page::default();
    if query.limit == 0 {
        return Ok(page);
    }
    let mut from = query.from.clone().max(query.prefix.as_bytes().to_vec());
    'seek: loop {
        for row in table.range::<&[u8]>(from.as_slice()..)? {
            let (key, value) = row?;
            let key = String::from_utf8_lossy(key.value()).into_owned();
            let Some(rest) = key.strip_prefix(query.prefix) else {
                return Ok(page);
            };
            if page.objects.len() + page.prefixes.len() == query.limit {
                page.next = Some(from);
                return Ok(page);
            }
            let shared = query.delimiter.and_then(|d| Some(rest.find(d)? + d.len()));
            if let Some(length) = shared {
                let shared = key[..query.prefix.len() + length].to_owned();
                from = past_prefix(&shared);
                page.last.clone_from(&shared);
                page.prefixes.push(shared);
                // Keys under the common prefix are skipped, not read: they may be the whole bucket.
                continue 'seek;
            }
            from = past_key(&key);
            page.last.clone_from(&key);
            page.objects.push((key, value.value().into()));
        }
        return Ok(page);
    }
}

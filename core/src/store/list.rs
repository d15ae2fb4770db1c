//! LIST, page by page. Only the fleet lists, so this and its XML are behind the feature `list`.

use rusty_s3::actions::ListObjectsV2;

use super::{Ask, Error, Store};
use crate::clock::Time;
use crate::http::header;

/// How many objects a page has at most: S3's own maximum.
pub const PAGE: usize = 1_000;

/// The longest page that is read, in bytes: 1,000 keys of 1,024 bytes, each byte encoded as three, and the elements
/// around them.
const PAGE_LIMIT: u64 = 4 * 1024 * 1024;

/// Up to 1,000 objects of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The objects, in the store's key order.
    pub entries: Vec<Entry>,
    /// When the store answered, by its own clock.
    pub date: Time,
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key, which anybody may have chosen.
    pub key: String,
    /// Its `ETag`, quotes included.
    pub etag: String,
    /// When the store took it.
    pub last_modified: Time,
    /// Its size in bytes.
    pub size: u64,
}

/// A listing, one page for each request. It ends after an error: a list that fails half-way does not show which objects
/// are missing.
pub struct Listing<'a> {
    store: &'a Store,
    prefix: &'a str,
    next: Option<Next>,
}

/// Where a listing goes on.
enum Next {
    /// At the first object.
    Start,
    /// With the page of this token.
    Page(String),
    /// With the first key that is greater than this text.
    Behind(String),
}

impl Listing<'_> {
    /// Makes the next page begin behind this key, which need not exist: no page before it is asked for. It has no
    /// effect after the last page.
    pub fn go_on_behind(&mut self, key: String) {
        self.next = self.next.take().map(|_| Next::Behind(key));
    }
}

impl Iterator for Listing<'_> {
    type Item = Result<Page, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next.take()?;
        Some(self.store.list_page(self.prefix, &next).map(|(page, token)| {
            self.next = token.map(Next::Page);
            page
        }))
    }
}

impl Store {
    /// Lists all objects whose keys begin with `prefix`.
    pub fn list<'a>(&'a self, prefix: &'a str) -> Listing<'a> {
        Listing { store: self, prefix, next: Some(Next::Start) }
    }

    fn list_page(&self, prefix: &str, next: &Next) -> Result<(Page, Option<String>), Error> {
        let from = match next {
            Next::Start => None,
            Next::Page(token) => Some(("continuation-token", token.as_str())),
            Next::Behind(key) => Some(("start-after", key.as_str())),
        };
        let query = [("encoding-type", "url"), ("list-type", "2"), ("prefix", prefix)];
        let mut query: Vec<_> = query.into_iter().chain(from).collect();
        // In the order in which it is signed.
        query.sort_unstable();
        let ask = Ask::list(prefix, query, PAGE_LIMIT);
        let answer = self.send(&ask)?;
        let unreadable = |what: String| self.unreadable(&ask, &answer, what);

        let date = header::time(&answer.headers, "date");
        let date = date.ok_or_else(|| unreadable("it has no Date".into()))?;
        let text = answer.body.as_deref().ok_or_else(|| unreadable(format!("it is over {PAGE_LIMIT} bytes")))?;
        let text = str::from_utf8(text).map_err(|error| unreadable(error.to_string()))?;
        let listing = ListObjectsV2::parse_response(text).map_err(|error| unreadable(error.to_string()))?;
        let entries = listing.contents.into_iter().map(|content| {
            let last_modified = content.last_modified.as_deref().and_then(Time::from_rfc3339);
            Ok(Entry {
                last_modified: last_modified.ok_or_else(|| format!("{:?} has no LastModified", content.key))?,
                etag: content.etag.unwrap_or_default(),
                size: content.size.unwrap_or(0),
                key: content.key,
            })
        });
        let entries = entries.collect::<Result<_, String>>().map_err(unreadable)?;
        Ok((Page { entries, date }, listing.next_continuation_token))
    }
}

//! LIST, page by page. Only the fleet's side lists, so this and its XML are behind the feature `list`.

use rusty_s3::Method;
use rusty_s3::actions::ListObjectsV2;

use super::{Ask, Error, Store};
use crate::clock::Time;
use crate::http::header;

/// How many objects a page of a list has at most: the most that S3 gives.
pub const PAGE: usize = 1_000;

/// The longest page that is read, in bytes: 1,000 keys of 1,024 bytes, each byte encoded as three, and their frames.
const PAGE_LIMIT: u64 = 4 * 1024 * 1024;

/// Up to 1,000 objects of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The objects, in the store's key order.
    pub entries: Vec<Entry>,
    /// When the store answered, by its own clock.
    pub date: Time,
}

/// What a listing tells of an object.
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

impl Store {
    /// All objects whose keys begin with `prefix`, page by page as they are asked for. It ends after an error: a list
    /// that fails half-way tells nothing of what is not there.
    pub fn list(&self, prefix: &str) -> impl Iterator<Item = Result<Page, Error>> {
        let mut next = Some(None);
        std::iter::from_fn(move || {
            let token: Option<String> = next.take()?;
            Some(self.list_page(prefix, token.as_deref()).map(|(page, token)| {
                next = token.map(Some);
                page
            }))
        })
    }

    fn list_page(&self, prefix: &str, token: Option<&str>) -> Result<(Page, Option<String>), Error> {
        let continuation = token.map(|token| ("continuation-token", token));
        let query = [("encoding-type", "url"), ("list-type", "2"), ("prefix", prefix)];
        let ask = Ask {
            operation: format!("list {prefix}"),
            method: Method::Get,
            key: None,
            query: continuation.into_iter().chain(query).collect(),
            headers: Vec::new(),
            body: None,
            limit: PAGE_LIMIT,
        };
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

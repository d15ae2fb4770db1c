//! What is below a prefix, for an operator's command: read without the fleet's XML parser, which would be the largest
//! part of the agent.

use super::{Ask, Error, Store};
use crate::clock::Time;
use crate::xml::element;

/// The longest page that is read, in bytes.
const PAGE_LIMIT: u64 = 4 * 1024 * 1024;

/// An object below a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Below {
    /// Its key without the prefix, which anybody may have chosen.
    pub rest: String,
    /// Its `ETag`, quotes included.
    pub etag: String,
    /// When the store took it.
    pub at: Time,
}

impl Store {
    /// Lists what is below `prefix`, all of it. An entry without a time is left out.
    pub fn below(&self, prefix: &str) -> Result<Vec<Below>, Error> {
        let (mut all, mut token) = (Vec::new(), None::<String>);
        loop {
            let continuation = token.as_deref().map(|token| ("continuation-token", token));
            let query = continuation.into_iter().chain([("list-type", "2"), ("prefix", prefix)]).collect();
            let ask = Ask::list(prefix, query, PAGE_LIMIT);
            let answer = self.send(&ask)?;
            let too_large = || self.unreadable(&ask, &answer, format!("it is over {PAGE_LIMIT} bytes"));
            let page = String::from_utf8_lossy(answer.body.as_deref().ok_or_else(too_large)?).into_owned();
            let mut entries = page.split("<Contents>");
            let head = entries.next().unwrap_or_default();
            all.extend(entries.filter_map(|entry| entry_of(entry, prefix)));
            // It is before the entries in AWS's answers, and after them in others'.
            let tail = page.rsplit("</Contents>").next().unwrap_or_default();
            token = element(head, "NextContinuationToken").or_else(|| element(tail, "NextContinuationToken"));
            if token.is_none() {
                return Ok(all);
            }
        }
    }
}

fn entry_of(entry: &str, prefix: &str) -> Option<Below> {
    Some(Below {
        rest: element(entry, "Key")?.strip_prefix(prefix)?.into(),
        etag: element(entry, "ETag").unwrap_or_default(),
        at: Time::from_rfc3339(&element(entry, "LastModified")?)?,
    })
}

//! One folder as it is listed. Whoever may write names under `HOST/` can make any number of them; only so many are
//! read, and the list goes on behind the others, so that no host makes a sweep long or large for all.

use std::collections::BTreeMap;

use pulse_echo_core::etag::ETag;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::store::Entry;

use super::Found;
use crate::verdict::Listed;

/// The longest key of S3, in bytes.
const KEY: usize = 1024;

/// The last character of Unicode, and so of UTF-8's order. It is never part of a good key: it does not print.
const LAST: char = '\u{10FFFF}';

/// The objects in a folder.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    /// In key order.
    pub(crate) found: Vec<Found>,
    /// What was not read.
    pub(crate) cut: Cut,
}

/// The hosts of which not all names under `HOST/` were read, each with the last name that was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut(BTreeMap<String, String>);

impl Cut {
    /// The names of the hosts.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there may be an object of this check that was not read.
    pub(crate) fn may_hide(&self, id: &CheckId) -> bool {
        // Nearly always there is nothing to look for.
        let is_behind = |host| self.0.get(host).is_some_and(|last| id.as_str() > last.as_str());
        !self.0.is_empty() && block(id.as_str()).is_some_and(is_behind)
    }
}

/// Reads a folder's list.
pub(super) struct Reader<'a> {
    prefix: &'a str,
    /// How many names of a block are read.
    most: usize,
    folder: Folder,
    /// The block of the last name, and how many names of it have come.
    block: Option<(String, usize)>,
    /// The last name, if it was not read.
    left_out: Option<String>,
    /// The block behind which the list was last asked to go on.
    skipped: Option<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(prefix: &'a str, most: usize) -> Self {
        Self { prefix, most, folder: Folder::default(), block: None, left_out: None, skipped: None }
    }

    pub(super) fn into_folder(self) -> Folder {
        self.folder
    }

    /// Adds an entry. All is merged in one walk, so a list that is not in key order would hide checks.
    pub(super) fn take(&mut self, entry: Entry) -> Result<(), String> {
        let Entry { key, etag, last_modified: at, .. } = entry;
        let prefix = self.prefix;
        let rest = key.strip_prefix(prefix).ok_or_else(|| format!("the list of {prefix} has the key {key:?}"))?;
        let last = self.left_out.as_deref().or(self.folder.found.last().map(|found| found.rest.as_str()));
        if last.is_some_and(|last| last >= rest) {
            return Err(format!("the list of {prefix} is not in key order at {key:?}"));
        }
        if self.is_surplus(rest) {
            self.left_out = Some(rest.into());
            return Ok(());
        }
        self.left_out = None;
        // Of an echo or a note nobody asks for the ETag, and of a large fleet it would take room.
        let etag = if matches!(prefix, "echo/" | "retire/") { ETag::default() } else { etag.into() };
        self.folder.found.push(Found { rest: rest.into(), listed: Listed { at, etag } });
        Ok(())
    }

    /// Counts a name, and tells whether its block has too many.
    fn is_surplus(&mut self, rest: &str) -> bool {
        let Some(host) = block(rest) else {
            self.block = None;
            return false;
        };
        match &mut self.block {
            Some((of, names)) if of == host => *names += 1,
            other => *other = Some((host.into(), 1)),
        }
        let is_surplus = self.block.as_ref().is_some_and(|(_, names)| *names > self.most);
        if is_surplus && !self.folder.cut.0.contains_key(host) {
            let last = self.folder.found.last().map_or_else(String::new, |found| found.rest.clone());
            self.folder.cut.0.insert(host.into(), last);
        }
        is_surplus
    }

    /// Where the list is to go on after a page, if that page ended among names that are not read.
    pub(super) fn goes_on_behind(&mut self) -> Option<String> {
        let host = block(self.left_out.as_deref()?)?.to_string();
        let again = self.skipped.as_ref() == Some(&host);
        let start = format!("{}{host}/", self.prefix);
        self.skipped = Some(host);
        Some(if again { last_key(start) } else { format!("{start}{LAST}") })
    }
}

/// The host whose block a name is in: what is in front of its first `/`.
fn block(rest: &str) -> Option<&str> {
    rest.split_once('/').map(|(host, _)| host)
}

/// The greatest key that begins like this. Somebody who knows where lists go on may have put keys behind that place,
/// but there is nothing behind this.
fn last_key(start: String) -> String {
    let mut key = start;
    let room = KEY.saturating_sub(key.len());
    key.extend(std::iter::repeat_n(LAST, room / LAST.len_utf8()));
    key.push_str(["", "\u{7F}", "\u{7FF}", "\u{FFFF}"][room % LAST.len_utf8()]);
    key
}

#[cfg(test)]
mod tests;

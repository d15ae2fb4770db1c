//! What is in the store: all pages of all lists, or nothing.

use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

use pulse_echo_core::clock::Time;
use pulse_echo_core::store::{Entry, PAGE, Store};

use crate::verdict::Listed;

/// The folders that a sweep walks beside `loop/`.
const FOLDERS: [&str; 4] = ["mute/", "pulse/", "echo/", "fault/"];

/// An object in a folder: the rest of its key, and what the list tells.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) rest: String,
    pub(crate) listed: Listed,
}

/// What was asked first: how it is with the loop, and what time it is.
pub(crate) struct Opening {
    /// The sweep's *now*.
    pub(crate) now: Time,
    /// The store's time at a moment of this machine's clock that never jumps.
    pub(crate) anchor: (Time, Instant),
    /// The objects in `loop/`.
    pub(crate) control: Folder,
    /// The other folders, where one page held the whole bucket.
    others: Option<BTreeMap<&'static str, Folder>>,
}

/// The other folders, each in key order.
pub(crate) struct Lists {
    pub(crate) mutes: Folder,
    pub(crate) pulses: Folder,
    pub(crate) echoes: Folder,
    pub(crate) faults: Folder,
}

type Folder = Vec<Found>;

impl Opening {
    /// Lists the whole bucket, if it may fit a page and does, else `loop/`.
    pub(crate) fn look(store: &Store, may_fit: bool) -> Result<Self, String> {
        if may_fit && let Some(opening) = Self::whole(store)? {
            return Ok(opening);
        }
        let (control, now, anchor) = folder(store, "loop/")?;
        Ok(Self { now, anchor, control, others: None })
    }

    fn whole(store: &Store) -> Result<Option<Self>, String> {
        let mut folders: BTreeMap<_, Folder> = BTreeMap::new();
        let (mut now, mut anchor) = (None, None);
        for page in store.list("") {
            let page = page.map_err(|error| error.to_string())?;
            if page.entries.len() >= PAGE {
                return Ok(None);
            }
            now.get_or_insert(page.date);
            anchor = Some((page.date, Instant::now()));
            for entry in page.entries {
                let folder = FOLDERS.into_iter().chain(["loop/"]).find(|folder| entry.key.starts_with(folder));
                if let Some(folder) = folder {
                    take(folders.entry(folder).or_default(), folder, entry)?;
                }
            }
        }
        let control = folders.remove("loop/").unwrap_or_default();
        let (now, anchor) = now.zip(anchor).ok_or("the list of the bucket has no page")?;
        Ok(Some(Self { now, anchor, control, others: Some(folders) }))
    }

    /// The other folders, listed side by side if they are not here already. One that fails half-way tells nothing of
    /// what is not there, so then there are none.
    pub(crate) fn others(self, store: &Store) -> Result<Lists, String> {
        let mut folders = match self.others {
            Some(folders) => folders,
            None => thread::scope(|scope| {
                let lists = FOLDERS.map(|prefix| (prefix, scope.spawn(move || folder(store, prefix))));
                let joined = lists.into_iter().map(|(prefix, list)| {
                    let (folder, ..) = list.join().map_err(|_| format!("listing {prefix} panicked"))??;
                    Ok((prefix, folder))
                });
                joined.collect::<Result<_, String>>()
            })?,
        };
        let mut folder = |prefix| folders.remove(prefix).unwrap_or_default();
        Ok(Lists {
            mutes: folder("mute/"),
            pulses: folder("pulse/"),
            echoes: folder("echo/"),
            faults: folder("fault/"),
        })
    }
}

/// What is in `loop/`, and the store's time.
pub(crate) fn list_control(store: &Store) -> Result<(Vec<Found>, Time), String> {
    let (control, now, _) = folder(store, "loop/")?;
    Ok((control, now))
}

/// All pages of a folder, the date of the first, and when the last one came.
fn folder(store: &Store, prefix: &str) -> Result<(Folder, Time, (Time, Instant)), String> {
    let (mut folder, mut dates) = (Folder::new(), None);
    for page in store.list(prefix) {
        let page = page.map_err(|error| error.to_string())?;
        let (first, _) = dates.unwrap_or((page.date, (page.date, Instant::now())));
        dates = Some((first, (page.date, Instant::now())));
        for entry in page.entries {
            take(&mut folder, prefix, entry)?;
        }
    }
    let (first, last) = dates.ok_or_else(|| format!("the list of {prefix} has no page"))?;
    Ok((folder, first, last))
}

/// Adds an entry. All is merged in one walk, so a list that is not in key order would hide checks.
fn take(folder: &mut Folder, prefix: &str, entry: Entry) -> Result<(), String> {
    let rest =
        entry.key.strip_prefix(prefix).ok_or_else(|| format!("the list of {prefix} has the key {:?}", entry.key))?;
    if folder.last().is_some_and(|last| last.rest.as_str() >= rest) {
        return Err(format!("the list of {prefix} is not in key order at {:?}", entry.key));
    }
    // Of an echo nobody asks for the ETag, and of a large fleet it would take room.
    let etag = if prefix == "echo/" { String::new() } else { entry.etag };
    folder.push(Found { rest: rest.into(), listed: Listed { at: entry.last_modified, etag } });
    Ok(())
}

/// The object of this name in a folder.
pub(crate) fn find<'a>(folder: &'a [Found], rest: &str) -> Option<&'a Listed> {
    folder.iter().find(|found| found.rest == rest).map(|found| &found.listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_not_in_key_order_is_an_error() {
        let entry =
            |key: &str| Entry { key: key.into(), etag: "e".into(), last_modified: Time::from_second(0), size: 2 };
        let mut folder = Folder::new();
        for key in ["pulse/web-1.json", "pulse/web.json"] {
            take(&mut folder, "pulse/", entry(key)).unwrap();
        }
        for key in ["pulse/web.json", "pulse/web-2.json", "echo/web.json"] {
            assert!(take(&mut folder, "pulse/", entry(key)).is_err(), "{key}");
        }
        assert_eq!(folder.len(), 2);
    }
}

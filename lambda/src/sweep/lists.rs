//! What is in the store: all pages of all lists, or nothing. Of a host with too many names not all are read, and which
//! may be hidden by that is known.

mod folder;

use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

use pulse_echo_core::clock::Time;
use pulse_echo_core::store::{PAGE, Store};

use crate::verdict::Listed;
use folder::Reader;

pub(crate) use folder::{Cut, Folder};

/// The folders that a sweep walks beside `loop/`.
const FOLDERS: [&str; 5] = ["mute/", "retire/", "pulse/", "echo/", "fault/"];

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
    /// How many names of a host are read.
    most: usize,
}

/// The other folders, each in key order.
pub(crate) struct Lists {
    pub(crate) mutes: Folder,
    pub(crate) retired: Folder,
    pub(crate) pulses: Folder,
    pub(crate) echoes: Folder,
    pub(crate) faults: Folder,
}

impl Opening {
    /// Lists the whole bucket, if it may fit a page and does, else `loop/`. Of the names that begin with `HOST/` at
    /// most `most` are read.
    pub(crate) fn look(store: &Store, may_fit: bool, most: usize) -> Result<Self, String> {
        if may_fit && let Some(opening) = Self::whole(store, most)? {
            return Ok(opening);
        }
        let (control, now, anchor) = folder(store, "loop/", usize::MAX)?;
        Ok(Self { now, anchor, control, others: None, most })
    }

    fn whole(store: &Store, most: usize) -> Result<Option<Self>, String> {
        let mut readers: BTreeMap<_, _> =
            FOLDERS.into_iter().chain(["loop/"]).map(|prefix| (prefix, Reader::new(prefix, most))).collect();
        let (mut now, mut anchor) = (None, None);
        for page in store.list("") {
            let page = page.map_err(|error| error.to_string())?;
            if page.entries.len() >= PAGE {
                return Ok(None);
            }
            now.get_or_insert(page.date);
            anchor = Some((page.date, Instant::now()));
            for entry in page.entries {
                let reader = readers.iter_mut().find(|(prefix, _)| entry.key.starts_with(**prefix));
                if let Some((_, reader)) = reader {
                    reader.take(entry)?;
                }
            }
        }
        let mut folders: BTreeMap<_, _> =
            readers.into_iter().map(|(prefix, reader)| (prefix, reader.into_folder())).collect();
        let control = folders.remove("loop/").unwrap_or_default();
        let (now, anchor) = now.zip(anchor).ok_or("the list of the bucket has no page")?;
        Ok(Some(Self { now, anchor, control, others: Some(folders), most }))
    }

    /// The other folders, listed side by side if they are not here already. One that fails half-way tells nothing of
    /// what is not there, so then there are none.
    pub(crate) fn others(self, store: &Store) -> Result<Lists, String> {
        let most = self.most;
        let mut folders = match self.others {
            Some(folders) => folders,
            None => thread::scope(|scope| {
                let lists = FOLDERS.map(|prefix| (prefix, scope.spawn(move || folder(store, prefix, most))));
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
            retired: folder("retire/"),
            pulses: folder("pulse/"),
            echoes: folder("echo/"),
            faults: folder("fault/"),
        })
    }
}

/// What is in `loop/`, and the store's time.
pub(crate) fn list_control(store: &Store) -> Result<(Folder, Time), String> {
    let (control, now, _) = folder(store, "loop/", usize::MAX)?;
    Ok((control, now))
}

/// All pages of a folder, but for the surplus names of a host; the date of the first page, and when the last one came.
fn folder(store: &Store, prefix: &str, most: usize) -> Result<(Folder, Time, (Time, Instant)), String> {
    let (mut reader, mut dates) = (Reader::new(prefix, most), None);
    let mut pages = store.list(prefix);
    while let Some(page) = pages.next() {
        let page = page.map_err(|error| error.to_string())?;
        let (first, _) = dates.unwrap_or((page.date, (page.date, Instant::now())));
        dates = Some((first, (page.date, Instant::now())));
        for entry in page.entries {
            reader.take(entry)?;
        }
        if let Some(key) = reader.goes_on_behind() {
            pages.go_on_behind(key);
        }
    }
    let (first, last) = dates.ok_or_else(|| format!("the list of {prefix} has no page"))?;
    Ok((reader.into_folder(), first, last))
}

/// The object of this name in a folder.
pub(crate) fn find<'a>(folder: &'a Folder, rest: &str) -> Option<&'a Listed> {
    folder.found.iter().find(|found| found.rest == rest).map(|found| &found.listed)
}

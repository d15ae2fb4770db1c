//! `history.json` in the store, changed only by compare-and-set. It never stops or delays a sweep.

use std::time::Instant;

use pulse_echo_core::clock::Time;
use pulse_echo_core::history::History;
use pulse_echo_core::json::Unusable;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::status::{Fact, Unfiled};
use pulse_echo_core::store::{Condition, Store};

use crate::cas::{self, Written};

/// What is in the store.
pub(crate) enum HistoryFile {
    /// A history.
    There { history: History, etag: String },
    /// Nothing.
    Missing,
    /// Something that cannot be read, why, and the key under which it is put aside.
    Unreadable { body: Vec<u8>, etag: String, why: String, copy: Key },
    /// A history of a newer format, or too large, and why. It must not be overwritten.
    Unusable { etag: String, why: String },
}

/// What is to be put into the history.
pub(crate) struct Filing {
    pub(crate) unfiled: Unfiled,
    /// The checks that have not gone, in order.
    pub(crate) checks: Vec<CheckId>,
    pub(crate) now: Time,
    /// How many bytes the history may have.
    pub(crate) size: usize,
}

/// How many bytes a history may have that is read, where it is to have `size`: for more there is no memory.
pub(crate) fn limit(size: usize) -> u64 {
    2 * size as u64
}

/// Reads the history.
pub(crate) fn read(store: &Store, size: usize) -> Result<HistoryFile, String> {
    let limit = limit(size);
    let object = match store.get(&Key::history(), limit) {
        Ok(object) => object,
        Err(error) if error.is_missing() => return Ok(HistoryFile::Missing),
        Err(error) => return Err(error.to_string()),
    };
    let etag = object.etag;
    let Some(body) = object.body else {
        let why = format!(
            "history.json has {} bytes, and with this function's memory {limit} are read at most: give it more, or \
             remove history.json, and it begins anew",
            object.size
        );
        return Ok(HistoryFile::Unusable { etag, why });
    };
    Ok(match History::from_json(&body) {
        Ok(history) => HistoryFile::There { history, etag },
        Err(error @ Unusable::Newer { .. }) => HistoryFile::Unusable { etag, why: error.to_string() },
        Err(Unusable::Unreadable { why, .. }) => {
            HistoryFile::Unreadable { body, etag, why, copy: Key::history_bad(object.last_modified) }
        }
    })
}

/// Strikes off what the history has by now. A history that is lost is to begin anew once that is told, which is what
/// this returns.
pub(crate) fn strike_off(unfiled: &mut Unfiled, found: HistoryFile, now: Time) -> Option<Fact> {
    let (lost, unusable) = match found {
        HistoryFile::There { history, .. } => {
            history.strike_off(unfiled);
            return None;
        }
        HistoryFile::Missing => (
            "history.json is gone, so it begins anew: the outages that were over are not known any more. If nobody \
             removed it on purpose, look who did"
                .to_string(),
            None,
        ),
        HistoryFile::Unreadable { why, copy, .. } => {
            (format!("history.json could not be read, so it begins anew; a copy is kept as {copy}. {why}"), None)
        }
        HistoryFile::Unusable { etag, why } => {
            (format!("nothing is put into the history until this is mended: {why}"), Some(etag))
        }
    };
    let is_news = match &unusable {
        Some(_) => unfiled.unusable != unusable,
        None => unfiled.begins.is_none(),
    };
    if unusable.is_none() {
        unfiled.begins = unfiled.begins.or(Some(unfiled.earliest(now)));
    }
    unfiled.unusable = unusable;
    is_news.then_some(Fact::HistoryTrouble { why: lost })
}

/// Puts into the history what it does not have yet, again until nobody else is in between, or until `deadline`. What is
/// lost or cannot be used is left to the next sweep, which tells it first.
pub(crate) fn file(store: &Store, filing: &Filing, deadline: Instant) -> Result<(), String> {
    let Filing { unfiled, checks, now, size } = filing;
    let anew = || unfiled.begins.map(History::new);
    loop {
        let found = match read(store, *size)? {
            HistoryFile::There { history, etag } => Some((history, Condition::IfMatch(etag))),
            HistoryFile::Missing => anew().map(|history| (history, Condition::IfAbsent)),
            HistoryFile::Unreadable { body, etag, copy, .. } => match anew() {
                None => None,
                Some(history) => {
                    store
                        .put(&copy, "application/json", &body, &Metadata::new(), &Condition::Always)
                        .map_err(|error| error.to_string())?;
                    Some((history, Condition::IfMatch(etag)))
                }
            },
            HistoryFile::Unusable { .. } => None,
        };
        let Some((mut history, condition)) = found else { return Ok(()) };
        history.cut_ahead(*now);
        if history.has_all(unfiled) {
            return Ok(());
        }
        history.file(unfiled);
        history.bound(|id| checks.binary_search(id).is_err(), *now, *size);
        match cas::write(store, &Key::history(), &history.to_json().as_slice(), &condition)? {
            Written::Won(_) => return Ok(()),
            Written::Unwritten(why) => return Err(why),
            Written::Lost if Instant::now() >= deadline => return Err("others kept changing it".into()),
            Written::Lost => {}
        }
    }
}

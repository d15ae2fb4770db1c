//! Reads the long lists of `status.json` and `history.json` entry by entry, and leaves out what cannot be read.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::record::Record;
use crate::json;
use crate::name::CheckId;

/// What is known of one check, as one of our files keeps it.
pub(crate) trait Entry: DeserializeOwned {
    /// The entry in messages: `status.json: the record`.
    const WHAT: &'static str;

    /// Gives back the room that reading took.
    fn shrink(&mut self) {}
}

impl Entry for Record {
    const WHAT: &'static str = "status.json: the record";

    fn shrink(&mut self) {
        self.shrink();
    }
}

/// Reads entry by entry: in a large fleet, the text of all entries takes as much memory as the entries.
pub(crate) fn each_entry<'de, D, E>(deserializer: D) -> Result<BTreeMap<CheckId, E>, D::Error>
where
    D: Deserializer<'de>,
    E: Entry,
{
    entries(|_, _| true).deserialize(deserializer)
}

/// Reads entry by entry, and keeps those that `keep` says to keep.
pub(crate) fn entries<E, K>(keep: K) -> Entries<E, K>
where
    E: Entry,
    K: FnMut(&CheckId, &E) -> bool,
{
    Entries { keep, entry: PhantomData }
}

/// A reader of entries.
pub(crate) struct Entries<E, K> {
    keep: K,
    entry: PhantomData<E>,
}

impl<'de, E, K> DeserializeSeed<'de> for Entries<E, K>
where
    E: Entry,
    K: FnMut(&CheckId, &E) -> bool,
{
    type Value = BTreeMap<CheckId, E>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, E, K> Visitor<'de> for Entries<E, K>
where
    E: Entry,
    K: FnMut(&CheckId, &E) -> bool,
{
    type Value = BTreeMap<CheckId, E>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an entry for each check")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((id, text)) = map.next_entry::<String, Box<RawValue>>()? {
            let entry = || Ok::<_, String>((CheckId::try_from(id.clone())?, readable::<E>(&text)?));
            match entry() {
                Ok((id, mut entry)) if (self.keep)(&id, &entry) => {
                    entry.shrink();
                    entries.push((id, entry));
                }
                Ok(_) => {}
                Err(error) => log::error!("{} of {id:?} is left out: {error}", E::WHAT),
            }
        }
        // Built from a whole list, a map has no half-filled nodes.
        Ok(entries.into_iter().collect())
    }
}

/// Reads message by message. A message that cannot be read is left out.
pub(super) fn each_message<'de, D, M>(deserializer: D) -> Result<Vec<M>, D::Error>
where
    D: Deserializer<'de>,
    M: DeserializeOwned,
{
    let entries = Vec::<Box<RawValue>>::deserialize(deserializer)?;
    let entry = |text: &RawValue| {
        readable(text).inspect_err(|error| log::error!("status.json: a message is left out: {error}"))
    };
    Ok(entries.iter().filter_map(|text| entry(text).ok()).collect())
}

fn readable<T: DeserializeOwned>(text: &RawValue) -> Result<T, String> {
    // From bytes, as all of status.json: reading from text links another copy of the whole reader.
    json::from_slice(text.get().as_bytes()).map_err(|error| json::Error::from(error).to_string())
}

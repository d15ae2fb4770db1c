//! Reads the long lists of `status.json` entry by entry, and leaves out what cannot be read.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::record::Record;
use crate::json;
use crate::name::CheckId;

/// Reads entry by entry: in a large fleet, the text of all records takes as much memory as the records. A record that
/// cannot be read is left out.
pub(super) fn each_record<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<CheckId, Record>, D::Error> {
    struct Records;

    impl<'de> Visitor<'de> for Records {
        type Value = BTreeMap<CheckId, Record>;

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a record for each check")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut records = Vec::new();
            while let Some((id, text)) = map.next_entry::<String, Box<RawValue>>()? {
                let entry = || Ok::<_, String>((CheckId::try_from(id.clone())?, readable(&text)?));
                match entry() {
                    Ok(entry) => records.push(entry),
                    Err(error) => log::error!("status.json: the record of {id:?} is left out: {error}"),
                }
            }
            // Built from a whole list, a map has no half-filled nodes.
            Ok(records.into_iter().collect())
        }
    }

    deserializer.deserialize_map(Records)
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
    serde_json::from_slice(text.get().as_bytes()).map_err(|error| json::Error::from(error).to_string())
}

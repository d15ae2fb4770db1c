//! A part of a history, read while its text comes: of a large fleet, text and outages take tens of MB.

use std::fmt;
use std::io::{BufReader, Read};
use std::mem;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};

use super::{History, Past};
use crate::name::CheckId;
use crate::status::entries;

/// How much is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Whether to keep a check.
type Keep<'k> = dyn FnMut(&CheckId, &Past) -> bool + 'k;

impl History {
    /// Reads a history while its text comes, and keeps the checks of which `keep` says so. Each check is shown to
    /// `keep` once. The error tells nothing that [`from_json`](Self::from_json) would not: that is for a text that this
    /// does not read.
    pub fn part_of(reader: &mut dyn Read, keep: &mut dyn FnMut(&CheckId, &Past) -> bool) -> serde_json::Result<Self> {
        let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(PIECE, reader));
        let history = Part(keep).deserialize(&mut json)?;
        json.end()?;
        Ok(history)
    }
}

struct Part<'k>(&'k mut Keep<'k>);

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = History;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<History, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = History;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a history")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<History, A::Error> {
        let (mut version, mut since, mut dark, mut checks) = (None, None, Vec::new(), None);
        while let Some(field) = map.next_key::<String>()? {
            match &*field {
                "version" => version = Some(map.next_value()?),
                "since" => since = Some(map.next_value()?),
                "dark" => dark = map.next_value()?,
                "checks" => checks = Some(map.next_value_seed(entries(&mut *self.0))?),
                _ => mem::drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let missing = A::Error::missing_field;
        let version = version.ok_or_else(|| missing("version"))?;
        if version > History::VERSION {
            return Err(A::Error::custom("it is newer"));
        }
        let since = since.ok_or_else(|| missing("since"))?;
        let checks = checks.ok_or_else(|| missing("checks"))?;
        Ok(History { version, since, dark, checks })
    }
}

//! Files with a `version`, such as `status.json`: which program can read them.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Error, from_slice};

/// Why a file is not one that this program can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It cannot be read.
    Unreadable {
        /// The file.
        file: &'static str,
        /// What is wrong with it, and where.
        why: String,
    },
    /// It is newer than this program. It must not be overwritten.
    Newer {
        /// The file.
        file: &'static str,
        /// Its version.
        version: u32,
        /// The newest version that this program knows.
        known: u32,
    },
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, why } => write!(f, "{file} cannot be read: {why}"),
            Self::Newer { file, version, known } => {
                write!(f, "{file} is of version {version}, and this program knows {known} at most: use a newer one")
            }
        }
    }
}

impl std::error::Error for Unusable {}

/// Reads the text of `file`, an object with a `version`, which is `known` at most. Of a newer one nothing else is read.
pub(crate) fn of_version<T: DeserializeOwned>(file: &'static str, text: &[u8], known: u32) -> Result<T, Unusable> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }

    let unreadable = |error: serde_json::Error| Unusable::Unreadable { file, why: Error::from(error).to_string() };
    match from_slice(text).map_err(unreadable)? {
        Versioned { version } if version > known => Err(Unusable::Newer { file, version, known }),
        Versioned { .. } => from_slice(text).map_err(unreadable),
    }
}

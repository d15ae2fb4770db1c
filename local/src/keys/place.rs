//! What a host needs to know besides its key: where the store is. The server writes it down when it starts.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::private;

const FILE: &str = "place.json";

/// Where the store is, as hosts reach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its URL.
    pub endpoint: String,
    /// Its bucket.
    pub bucket: String,
    /// Its region.
    pub region: String,
}

impl Place {
    /// Writes it into the data folder. The error names the file.
    pub fn keep_in(&self, folder: &Path) -> Result<(), String> {
        let json = serde_json::to_string(self).unwrap_or_default() + "\n";
        private::replace(folder, FILE, &json, private::FOR_OWNER).map_err(|error| cannot("write", folder, &error))
    }

    /// Reads it. The error says what to do.
    pub fn kept_in(folder: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(folder.join(FILE)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => no_server(folder),
            _ => cannot("read", folder, &error),
        })?;
        serde_json::from_str(&text)
            .map_err(|_| format!("{} is damaged: remove it, and start the server again", folder.join(FILE).display()))
    }
}

/// Says that there is nothing in a data folder.
pub(crate) fn no_server(folder: &Path) -> String {
    format!("no server has run in {} yet: start it once, so that it has an address", folder.display())
}

fn cannot(act: &str, folder: &Path, error: &io::Error) -> String {
    format!("cannot {act} {}: {}", folder.join(FILE).display(), private::explained(error))
}

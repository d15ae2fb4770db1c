//! What stands of an acknowledgement in messages and records.

use serde::{Deserialize, Serialize};

use crate::words;

/// Who acknowledged an outage, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Acknowledged {
    /// The clause: `acknowledged by alice@ops (new disks)`. A stranger's text may be in it.
    pub fn clause(&self) -> String {
        words::acknowledged(self.by.as_deref(), self.reason.as_deref())
    }
}

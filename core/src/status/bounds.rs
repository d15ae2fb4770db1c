//! What keeps one host from taking the place and the time of the others.

use serde::{Deserialize, Serialize};

use crate::clock::Time;

/// A check whose limits or newest fault are to be read. Reads go round the hosts, the longest unread first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The *now* of the first sweep that did not come to it. A newer pulse or fault does not begin anew.
    pub since: Time,
    /// The store refused in the last sweep to give its limits. If it does so again, the limits before count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

/// A host with more names than are read or recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crowded {
    /// The *now* of the sweep that told it.
    pub since: Time,
    /// Since when it has no more names than that; `None` while it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Time>,
}

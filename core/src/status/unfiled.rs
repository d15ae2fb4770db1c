//! What has ended, and the history does not have yet.

use serde::{Deserialize, Serialize};

use super::{Gap, State};
use crate::answer::Cause;
use crate::clock::Time;
use crate::name::CheckId;

/// How many outages wait for the history at most.
pub const MOST_UNFILED: usize = 5_000;

/// An outage that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastOutage {
    /// When it began.
    pub from: Time,
    /// When it ended: by an echo, or since the check has gone.
    pub until: Time,
    /// The check's last state in it.
    pub state: State,
    /// Its last cause, if it was `failing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The last fault's sentence, if it was `failing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// An operator's mute covered it from its beginning to its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub muted: bool,
}

impl PastOutage {
    /// What it was: `failing (status): status 500, expected 200`, `silent (muted)`. A stranger's text may be in it.
    pub fn why(&self) -> String {
        let Self { state, cause, reason, muted, .. } = self;
        let cause = cause.map(|cause| format!(" ({cause})")).unwrap_or_default();
        let muted = if *muted { " (muted)" } else { "" };
        let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{state}{cause}{muted}{reason}")
    }

    /// Whether it counts as downtime: an operator's mute does not make any, nor does trouble of our own.
    pub fn counts(&self) -> bool {
        !self.muted && self.state != State::Unanswered
    }
}

/// An outage that is over and not in the history yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnfiledOutage {
    /// Its check.
    pub check: CheckId,
    /// The check's first pulse.
    pub first: Time,
    /// What it was.
    pub outage: PastOutage,
}

#[cfg(feature = "memory")]
impl Unfiled {
    /// Whether there is something for the history.
    pub fn waits(&self) -> bool {
        !self.outages.is_empty() || !self.dark.is_empty()
    }

    /// When a history that begins with this knows everything from.
    pub fn earliest(&self, now: Time) -> Time {
        let outages = self.outages.iter().map(|outage| outage.outage.from);
        outages.chain(self.dark.iter().map(|gap| gap.from)).fold(now, Time::min)
    }
}

/// What has ended, until the history has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfiled {
    /// The outages, in the order in which they ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<UnfiledOutage>,
    /// Times without a completed sweep, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dark: Vec<Gap>,
    /// Set until a history is begun, which something to file does: it knows everything from this time on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<Time>,
    /// Set while outages are dropped since too many wait: how many were.
    #[serde(default, skip_serializing_if = "crate::json::is_zero")]
    #[cfg(feature = "memory")]
    pub dropped: usize,
    /// The `ETag` of a history that must not be used, once that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub unusable: Option<String>,
}

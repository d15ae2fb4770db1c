//! What is kept where the store's clock was ahead.

use serde::{Deserialize, Serialize};

use crate::clock::Time;

/// The objects of a check whose `LastModified` was ahead of the store's clock when a sweep first saw them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    /// Its pulse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulse: Option<FirstSeen>,
    /// Its echo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<FirstSeen>,
    /// Its fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FirstSeen>,
    /// The note of `retire` that speaks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<FirstSeen>,
}

/// An object that counts with the time at which it was first seen, until another takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstSeen {
    /// Its `LastModified`, which was ahead.
    pub listed: Time,
    /// The time that it counts with: the *now* of the sweep that first saw it, or a few seconds before, in the order of
    /// the check's objects.
    pub counts: Time,
}

/// The store's clock was set back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetBack {
    /// The *now* of the sweep that told it.
    pub told: Time,
    /// The *now* of the last sweep that found something newly ahead, to some minutes.
    pub last: Time,
}

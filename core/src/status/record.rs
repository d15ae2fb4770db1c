//! The record of one check.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

#[cfg(feature = "memory")]
use super::Gap;
use super::acknowledged::Acknowledged;
use super::ahead::Ahead;
#[cfg(feature = "memory")]
use super::bounds::Turn;
use crate::answer::Cause;
use crate::clock::Time;
#[cfg(feature = "memory")]
use crate::etag::ETag;
#[cfg(feature = "memory")]
use crate::json::is_zero;
#[cfg(feature = "memory")]
use crate::pulse::Pulse;

/// How many changes of a check are kept.
pub const HISTORY: usize = 10;

/// The state of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its pulse waits for the first answer.
    New,
    /// The newest answer is an echo.
    Up,
    /// The newest answer is a fault.
    Failing,
    /// The pulse is older than its limit.
    Silent,
    /// The pulse has had no answer for minutes: our probe is in trouble.
    Unanswered,
    /// The pulse has gone: the check is retired.
    Gone,
}

impl State {
    /// Whether a check in this state is down. Only an echo that counts makes it `up`.
    pub fn is_down(self) -> bool {
        matches!(self, Self::Failing | Self::Silent | Self::Unanswered)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A check's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its state.
    pub state: State,
    /// Since when, by the time of the cause: of the echo or the fault, or when the limit was passed.
    pub since: Time,
    /// When its first pulse came: or the first sweep that knows this field, in a record of an older loop, which has
    /// `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Time>,
    /// When the store took the newest pulse that was seen.
    pub pulse: Time,
    /// What that pulse promises; `None` if it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// The newest echo that was seen. It stays when the object is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<Time>,
    /// The newest fault that was seen and read. It stays when the object is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Box<SeenFault>>,
    /// Set if the last sweep could not read a newer fault: the time of the pulse by which that fault is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub unread: Option<Time>,
    /// Set while its limits or its newest fault are to be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub turn: Option<Turn>,
    /// How many distinct pulses in a row failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg(feature = "memory")]
    pub in_row: u32,
    /// The first pulse without an answer; `None` if the newest has an answer, or has just come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub waiting: Option<Time>,
    /// There was no pulse object in the last sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// Which of its objects count with another time than their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<Box<Ahead>>,
    /// The outage that lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<Box<Outage>>,
    /// Its outage before: the next begins later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub over: Option<Box<Gap>>,
    /// What was told of it lately, and what is held back; `None` for a check that was never told down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub telling: Option<Box<Telling>>,
    /// A note of `retire` says that it has gone on purpose. It never counts as vanished.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg(feature = "memory")]
    pub retired: bool,
    /// The newest [`HISTORY`] changes, the oldest first. Empty for a check that was never down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Change>,
}

/// What a pulse promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The `ETag` of the pulse with these promises, quotes included: another pulse may promise otherwise.
    #[cfg(feature = "memory")]
    pub etag: ETag,
    /// How often a pulse comes, in seconds.
    pub every_s: u64,
    /// How old it may become, in seconds.
    pub limit_s: u64,
    /// How many distinct pulses in a row must fail before that is an outage; `None` where the loop's setting counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults_in_row: Option<u32>,
}

impl Limits {
    /// The promises of `pulse`, which has this `ETag`.
    #[cfg(feature = "memory")]
    pub fn of(pulse: &Pulse, etag: ETag) -> Self {
        Self {
            etag,
            every_s: pulse.every_s.into(),
            limit_s: pulse.limit().as_secs(),
            faults_in_row: pulse.faults_in_row,
        }
    }

    /// How often a pulse comes.
    pub fn every(&self) -> Duration {
        Duration::from_secs(self.every_s)
    }

    /// How old it may become.
    pub fn limit(&self) -> Duration {
        Duration::from_secs(self.limit_s)
    }
}

/// A fault that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenFault {
    /// When the store took it.
    pub at: Time,
    /// The object's `ETag`, quotes included.
    #[cfg(feature = "memory")]
    pub etag: ETag,
    /// The pulse that it answers; `None` if the fault could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub pulse_at: Option<Time>,
    /// What kind of failure it is; `None` if the fault could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The fault's sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A check without a pulse object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The *now* of the first sweep that did not find it.
    pub since: Time,
    /// Whether it vanished together with many others. Then its last pulse decides, and after a day it is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg(feature = "memory")]
    pub with_many: bool,
}

/// An outage: the time in which a check is down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// Its beginning: the `since` of its first state.
    pub since: Time,
    /// The *now* of the sweep that noticed it.
    pub noticed: Time,
    /// Until when mutes cover it, from its beginning and without a break; `None` once there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<Time>,
    /// What was told of it; `None` while the check is muted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

/// What was told of an outage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When it was first told.
    pub at: Time,
    /// When it is told again.
    pub next: Time,
    /// How many seconds pass between two reminders.
    #[cfg(feature = "memory")]
    pub step_s: u64,
    /// Which causes were told, without repeats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg(feature = "memory")]
    pub causes: Vec<String>,
    /// When a new cause was last told; `None` if it has had one cause only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub changed: Option<Time>,
    /// That the check sends again, and still fails, was told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg(feature = "memory")]
    pub back: bool,
    /// It was told although the check flaps. So its end is told, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg(feature = "memory")]
    pub anyway: bool,
    /// The channels that were told of it; `None`: all that there were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub to: Option<BTreeSet<String>>,
    /// When the outage of its host began, if other checks of the host were down already. The host's outage lasts until
    /// none of these is down any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg(feature = "memory")]
    pub host_since: Option<Time>,
}

/// What was told of a check lately, and what is held back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// When the check was told down: the *now* of the last two such sweeps, the older first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub down: Vec<Time>,
    /// It flaps: it was told down three times within a short time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaps: Option<Flaps>,
    /// What ended an outage that was told, or the check, held back because the check flaps or its host is noisy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Box<Ended>>,
}

/// A check that flaps: it is held as by a mute until it has been up for long enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flaps {
    /// The *now* of the sweep that saw an outage of it begin or end last.
    pub changed: Time,
    /// An outage that has lasted for so many seconds is told all the same.
    pub wait_s: u64,
    /// A silence was told since it flaps.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silence: bool,
}

/// The end of an outage that was told, or of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When the outage began; `None` if the check is gone and was not told down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// When the echo that ended it came, or when the check was gone.
    pub until: Time,
    /// Its last state; `gone` if the check is gone.
    pub was: State,
    /// Why it was `failing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The last fault's sentence, if it was `failing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who acknowledged the outage, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack: Option<Acknowledged>,
    /// The channels that were told of the outage; `None`: all that there were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<BTreeSet<String>>,
    /// When the outage of its host began, if that was with another check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_since: Option<Time>,
    /// Which other causes the outage was told with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
}

/// A change of a check's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Since when.
    pub at: Time,
    /// The new state.
    pub state: State,
    /// The cause, for `failing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

impl Record {
    /// Gives back the room that lists took while they were read: it is a third of what a record takes that was down.
    pub(super) fn shrink(&mut self) {
        self.history.shrink_to_fit();
        #[cfg(feature = "memory")]
        {
            self.telling.iter_mut().for_each(|telling| telling.down.shrink_to_fit());
            let told = self.outage.iter_mut().filter_map(|outage| outage.told.as_mut());
            told.for_each(|told| told.causes.shrink_to_fit());
        }
    }

    /// The record of a new check, whose newest pulse the store took at this time.
    pub fn new(pulse: Time) -> Self {
        Self {
            state: State::New,
            since: pulse,
            first: Some(pulse),
            pulse,
            limits: None,
            echo: None,
            fault: None,
            #[cfg(feature = "memory")]
            unread: None,
            #[cfg(feature = "memory")]
            turn: None,
            #[cfg(feature = "memory")]
            in_row: 0,
            #[cfg(feature = "memory")]
            waiting: None,
            missing: None,
            ahead: None,
            outage: None,
            #[cfg(feature = "memory")]
            over: None,
            #[cfg(feature = "memory")]
            telling: None,
            #[cfg(feature = "memory")]
            retired: false,
            history: Vec::new(),
        }
    }

    /// Whether its pulse is past `every_s` at `now`, but within its limit. This is shown, never recorded.
    pub fn is_late(&self, now: Time) -> bool {
        self.state != State::Gone
            && self.limits.as_ref().is_some_and(|limits| {
                let age = self.pulse.age(now);
                age > limits.every() && age <= limits.limit()
            })
    }

    /// When the outage of its host began that its own outage belongs to, if that was told and lasts.
    #[cfg(feature = "memory")]
    pub fn host_told_since(&self) -> Option<Time> {
        let outage = self.outage.as_deref()?;
        outage.told.as_ref().map(|told| told.host_since.unwrap_or(outage.since))
    }

    /// The last fault's sentence, if it is `failing`.
    #[cfg(feature = "memory")]
    pub fn reason(&self) -> Option<&str> {
        self.fault.as_ref().filter(|_| self.state == State::Failing)?.reason.as_deref()
    }

    /// Why it is `failing`, if the fault could be read.
    pub fn cause(&self) -> Option<Cause> {
        self.fault.as_ref().filter(|_| self.state == State::Failing)?.cause
    }
}

//! Messages as facts, not sentences: each channel finds its own words.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::hosts::Hosts;
use super::{Acknowledged, State};
use crate::answer::Cause;
use crate::clock::Time;
use crate::metadata::Metadata;
use crate::name::CheckId;

/// A message that channels owe to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// A random id, never used again. A receiver that has seen it can skip the message.
    pub id: String,
    /// The *now* of the sweep that wrote it.
    pub at: Time,
    /// The names of the channels that still owe it.
    pub owed: BTreeSet<String>,
    /// It waits for the last words of a silent host, until the next sweep at the latest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
    /// Of those channels the ones that were told nothing of the outage that this ends.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub whole: BTreeSet<String>,
    /// What happened.
    pub fact: Fact,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Fact {
    /// A check is down.
    Down(Down),
    /// A check is still down.
    StillDown {
        /// The check's present state.
        down: Down,
        /// When the outage was first told.
        told: Time,
        /// Whether it is told because the cause is new, not because time has passed.
        changed: bool,
        /// Whether it was told silent and sends again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        back: bool,
    },
    /// A check is up again.
    Up {
        /// The check.
        check: CheckId,
        /// When its outage began.
        since: Time,
        /// When the echo that ended it came.
        until: Time,
        /// Its last state.
        was: State,
        /// Why it was `failing`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
        /// The last fault's sentence, if it was `failing`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// It flapped until now; since when it has been up without a break.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        steady: Option<Time>,
        /// What of its host is still down. Only the first check of a host in a sweep says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        still: Option<Still>,
        /// Who acknowledged the outage, and why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ack: Option<Acknowledged>,
    },
    /// A check's pulse has gone: the check is retired.
    Gone {
        /// The check.
        check: CheckId,
        /// Its last pulse.
        pulse: Time,
        /// When the outage that this closes began; `None` if the check was not down, or nobody was told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Time>,
        /// Whether a note says that this is on purpose.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        retired: bool,
    },
    /// A check is new; told only with `TELL_NEW`.
    New {
        /// The check.
        check: CheckId,
    },
    /// Many hosts went down within a quarter of an hour. This is the first line of the message.
    ManyDown {
        /// How many of their checks are down.
        down: usize,
        /// Of how many checks in all.
        of: usize,
        /// How many hosts; 0 in a message of a loop that knew no hosts.
        #[serde(default)]
        hosts: usize,
        /// Of how many hosts in all.
        #[serde(default)]
        of_hosts: usize,
        /// The state of most of these hosts.
        state: State,
        /// The cause of those hosts, if the state is `failing`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
        /// How many checks have both in common.
        alike: usize,
        /// How many hosts have both in common.
        #[serde(default)]
        alike_hosts: usize,
    },
    /// The pulses of many hosts, or of all, have gone. Their last pulses decide, and after a day the checks are gone.
    Vanished {
        /// How many checks.
        checks: usize,
        /// Of how many in all.
        of: usize,
        /// How many hosts.
        #[serde(default)]
        hosts: usize,
        /// Of how many in all.
        #[serde(default)]
        of_hosts: usize,
        /// The first of the checks, at most ten.
        some: Vec<CheckId>,
    },
    /// None of the pulses that vanished together is missing any more.
    Found {
        /// When it was first told that they vanished.
        since: Time,
        /// The *now* of the sweep that missed none.
        until: Time,
        /// How many checks had vanished at most, at once.
        checks: usize,
        /// How many hosts had vanished at most, at once.
        hosts: usize,
    },
    /// Pulses are not answered: our own probe is in trouble.
    Unanswered {
        /// Since when.
        since: Time,
        /// How many checks are unanswered now.
        checks: usize,
        /// How many hosts they belong to.
        #[serde(default)]
        hosts: usize,
        /// The first of them, at most ten.
        some: Vec<CheckId>,
        /// When it was first told; `None` if this is the first time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told: Option<Time>,
    },
    /// No check has been `unanswered` for a while.
    Answered {
        /// Since when some were.
        since: Time,
        /// The *now* of the first sweep that found none.
        until: Time,
        /// How many there were at most, at once.
        checks: usize,
        /// Of how many hosts they were at most, at once.
        #[serde(default)]
        hosts: usize,
    },
    /// No sweep was completed for a while. If the store itself was away, checks whose pulses were due meanwhile get
    /// `every_s` after it.
    Gap {
        /// Its beginning: the last sweep before it.
        from: Time,
        /// Its end: the first sweep after it, or the stop that was told.
        until: Time,
        /// Until when no pulse came either; `None` if pulses came all the time, so that the store was there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quiet_until: Option<Time>,
        /// How many checks are spared.
        spared: usize,
        /// How many hosts they belong to.
        #[serde(default)]
        hosts: usize,
        /// The first of them, at most ten.
        some: Vec<CheckId>,
    },
    /// The loop is stopped: nothing is watched.
    Stopped {
        /// Since when.
        at: Time,
    },
    /// The loop runs again.
    Started {
        /// Since when it was stopped.
        stopped: Time,
    },
    /// `status.json` could not be read, and all checks begin anew.
    StatusUnreadable {
        /// The key of the copy that was put aside.
        copy: String,
        /// What is wrong with it.
        why: String,
    },
    /// `status.json` is gone although sweeps were completed before, and all checks begin anew.
    StatusMissing {
        /// The last completed sweep.
        swept: Time,
    },
    /// `status.json` must not be used: it is of a newer format, or too large. Nothing is watched.
    StatusUnusable {
        /// What is wrong with it, with the remedy.
        why: String,
    },
    /// Something of the history is lost, or will be.
    HistoryTrouble {
        /// What, with what to do.
        why: String,
    },
    /// A channel takes nothing of what is due to it. The other channels tell it.
    ChannelFails {
        /// Its name.
        channel: String,
        /// Since when.
        since: Time,
        /// What it said last, or what became of the last attempt.
        why: String,
    },
    /// A channel of which the others told that it takes nothing takes messages again.
    ChannelWorks {
        /// Its name.
        channel: String,
        /// Since when it took nothing.
        since: Time,
        /// When it took something again.
        until: Time,
    },
    /// In place of a message that the channel refused for good, again and again.
    Refused {
        /// The kind of that message.
        what: String,
        /// The check or host that it was about; `None` if it was about many or about us.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
        /// What the channel said.
        why: String,
    },
    /// A host has more names than are read or recorded, so that some are not watched.
    Crowded {
        /// The host.
        host: String,
        /// How many names of it were seen; there may be more.
        names: usize,
        /// How many records it may have.
        most: usize,
    },
    /// A host has no more names than that, and has had no more for a while.
    Uncrowded {
        /// The host.
        host: String,
        /// Since when it had too many.
        since: Time,
        /// Since when it has not.
        until: Time,
    },
    /// The store's clock was set back: times of objects, or of the loop itself, are ahead of it.
    SetBack {
        /// The furthest of these times.
        ahead: Time,
        /// How far it is ahead, in seconds.
        by_s: u64,
        /// How many checks have objects that count with the time of this sweep.
        checks: usize,
        /// How many hosts they belong to.
        hosts: usize,
        /// The first of them, at most ten.
        some: Vec<CheckId>,
    },
    /// The changes of many checks, counted by host: there were too many for a message each.
    Counted {
        /// What changed of each host.
        hosts: Hosts,
    },
    /// A test of whether messages arrive.
    Test,
}

/// A check that is down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Down {
    /// The check.
    pub check: CheckId,
    /// When the outage began.
    pub since: Time,
    /// `silent` or `failing`; `unanswered` where that state followed.
    pub state: State,
    /// Its newest pulse.
    pub pulse: Time,
    /// How old a pulse may become, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_s: Option<u64>,
    /// Why it is `failing`; `None` if the fault could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The fault's sentence, if it is `failing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The last good echo, if there ever was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<Time>,
    /// The last words of a silent host: the metadata of its newest pulse, as anybody may have put them.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub words: Metadata,
    /// How many other checks are down.
    pub others: usize,
    /// How many other hosts are down.
    #[serde(default)]
    pub other_hosts: usize,
    /// Since when it has been in this state, if the outage began in another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_since: Option<Time>,
    /// The state in which the outage began, if it was another one and is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<State>,
    /// It flaps: it is held from now on, until it is steady.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flaps: bool,
}

/// What of a host is still down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Still {
    /// How many checks.
    pub checks: usize,
    /// The first of them, at most ten.
    pub some: Vec<CheckId>,
}

impl Message {
    /// A message that all these channels owe, and that waits for nothing.
    pub fn new(id: String, at: Time, owed: BTreeSet<String>, fact: Fact) -> Self {
        Self { id, at, owed, waits: false, whole: BTreeSet::new(), fact }
    }
}

impl Fact {
    /// The one check that this is about; `None` if it is about many checks or about our own parts.
    pub fn check(&self) -> Option<&CheckId> {
        match self {
            Self::Down(down) | Self::StillDown { down, .. } => Some(&down.check),
            Self::Up { check, .. } | Self::Gone { check, .. } | Self::New { check } => Some(check),
            _ => None,
        }
    }

    /// The outage that this ends: its check and its beginning.
    pub fn ends(&self) -> Option<(&CheckId, Time)> {
        match self {
            Self::Up { check, since, .. } | Self::Gone { check, since: Some(since), .. } => Some((check, *since)),
            _ => None,
        }
    }
}

//! What a channel gets to send, and its outcome: plain data.

use std::collections::BTreeMap;
use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Changes, Fact, Hosts, State};

/// How many entries an attempt has at most; see [`What::Summary`].
pub const ENTRIES: usize = 1_000;

/// How many checks are named at most where there are many.
pub const MOST_NAMED: usize = 10;

/// A piece to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Random, never used for anything else, and the same at each attempt: a receiver that has seen it can skip the
    /// entry.
    pub id: String,
    /// When a sweep first had it to send, by the store's clock.
    pub at: Time,
    /// The content.
    pub what: What,
    /// The outage that it is about, if it is about one.
    pub course: Option<Course>,
}

/// What receivers must know that keep an outage as one thing, until its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// When the outage of the host began, which lasts until none of its checks is down. With the host it is a key.
    pub host_since: Time,
    /// Whether this ends the outage of the host, as far as this channel was told of it.
    pub is_last: bool,
    /// When the outage of the check is told again; `None` if it is over.
    pub next: Option<Time>,
    /// The causes (`silent` is one) that the outage was told with, but for the one of this entry.
    pub causes: Vec<String>,
}

/// The content of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A fact.
    Fact(Fact),
    /// An outage that is over and that this channel never told. The fact is its end: "was down from … to …".
    Whole(Fact),
    /// The changes of many checks, too many for a line each: at most [`ENTRIES`] in an attempt.
    Summary(Counts),
}

/// The changes of many checks, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many went down, by state.
    pub down: BTreeMap<State, Count>,
    /// How many are still down.
    pub still_down: Count,
    /// How many are up again.
    pub up: Count,
    /// How many were down and are up again, and were not told before.
    pub were_down: Count,
    /// How many are gone.
    pub gone: Count,
    /// How many are new.
    pub new: Count,
    /// The same of each host.
    pub hosts: Hosts,
}

/// How many checks, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub checks: usize,
    /// The first of them, one of each host, at most ten. Of what was counted by host, the hosts.
    pub some: Vec<CheckId>,
}

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All entries were taken.
    Taken,
    /// The first `taken` entries were taken, and certainly no others.
    NotTaken {
        /// How many were taken.
        taken: usize,
        /// How long to back off (`Retry-After`); `None` leaves that to the loop.
        after: Option<Duration>,
        /// The reason, for the log, without secrets.
        why: String,
    },
    /// The first `taken` entries were taken. The next was refused for good, though it was sent alone: it would be
    /// refused again.
    Refused {
        /// How many were taken.
        taken: usize,
        /// The reason, for the log, without secrets.
        why: String,
    },
    /// The first `taken` entries were taken. Whether the next was taken is unknown: no answer came.
    Ambiguous {
        /// How many were certainly taken.
        taken: usize,
        /// The reason, for the log, without secrets.
        why: String,
    },
}

impl Outcome {
    /// How many of `entries` were taken.
    pub(crate) fn taken_of(&self, entries: usize) -> usize {
        match self {
            Self::Taken => entries,
            Self::NotTaken { taken, .. } | Self::Ambiguous { taken, .. } | Self::Refused { taken, .. } => {
                entries.min(*taken)
            }
        }
    }

    /// The outcome where `before` entries were taken before these.
    #[cfg(feature = "smtp")]
    #[must_use]
    pub(crate) fn after(mut self, before: usize) -> Self {
        match &mut self {
            Self::Taken => {}
            Self::NotTaken { taken, .. } | Self::Ambiguous { taken, .. } | Self::Refused { taken, .. } => {
                *taken += before;
            }
        }
        self
    }
}

impl Counts {
    /// Counts what an entry tells of checks.
    pub(crate) fn add(&mut self, what: &What) {
        let (fact, is_whole) = match what {
            What::Fact(fact) => (fact, false),
            What::Whole(fact) => (fact, true),
            What::Summary(_) => return,
        };
        if let Fact::Counted { hosts } = fact {
            return self.add_hosts(hosts);
        }
        let Some(check) = fact.check() else { return };
        let own = count_of(self.hosts.of(check.host()), fact, is_whole);
        *own += 1;
        self.of(fact, is_whole).add(check, 1);
    }

    fn of(&mut self, fact: &Fact, is_whole: bool) -> &mut Count {
        match fact {
            Fact::Down(down) => self.down.entry(down.state).or_default(),
            Fact::StillDown { .. } => &mut self.still_down,
            Fact::Gone { .. } => &mut self.gone,
            Fact::New { .. } => &mut self.new,
            _ if is_whole => &mut self.were_down,
            _ => &mut self.up,
        }
    }

    fn add_hosts(&mut self, hosts: &Hosts) {
        for (host, changes) in &hosts.0 {
            let Changes { silent, failing, still_down, up, were_down, gone, new } = *changes;
            let Ok(id) = CheckId::try_from(format!("{host}.json")) else { continue };
            let add = |count: &mut Count, checks: u32| {
                if checks > 0 {
                    count.add(&id, checks as usize);
                }
            };
            for (state, checks) in [(State::Silent, silent), (State::Failing, failing)] {
                if checks > 0 {
                    add(self.down.entry(state).or_default(), checks);
                }
            }
            add(&mut self.still_down, still_down);
            add(&mut self.up, up);
            add(&mut self.were_down, were_down);
            add(&mut self.gone, gone);
            add(&mut self.new, new);
        }
        self.hosts.add(hosts);
    }
}

/// The count of a host that a fact about one of its checks belongs to.
pub(super) fn count_of<'a>(changes: &'a mut Changes, fact: &Fact, is_whole: bool) -> &'a mut u32 {
    match fact {
        Fact::Down(down) if down.state == State::Silent => &mut changes.silent,
        Fact::Down(_) => &mut changes.failing,
        Fact::StillDown { .. } => &mut changes.still_down,
        Fact::Gone { .. } => &mut changes.gone,
        Fact::New { .. } => &mut changes.new,
        _ if is_whole => &mut changes.were_down,
        _ => &mut changes.up,
    }
}

impl Count {
    /// Counts more checks; `id` names them.
    fn add(&mut self, id: &CheckId, checks: usize) {
        self.checks += checks;
        if self.some.len() < MOST_NAMED && self.some.iter().all(|known| known.host() != id.host()) {
            self.some.push(id.clone());
        }
    }
}

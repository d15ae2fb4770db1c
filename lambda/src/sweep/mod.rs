//! The sweep: one look at all checks.
//!
//! In this order: `memory` (`status.json`), `lists`, `walk` and `reads` (what there is to judge), then [`crate::round`]
//! judges, and `deliver` sends. When it is done, and what is told of the loop itself, is for [`crate::tick`] to say.

pub(crate) mod deliver;
pub(crate) mod lists;
pub(crate) mod memory;
mod reads;
mod walk;

use std::collections::BTreeSet;
use std::time::Instant;

use pulse_echo::clock::Time;
use pulse_echo::random;
use pulse_echo::status::Status;
use pulse_echo::store::Store;

use crate::deadline::{TO_JUDGE, before};
use crate::round::Round;
use crate::rules::Rules;

use lists::{Lists, Opening};

/// What a sweep goes by.
pub(crate) struct Sweep<'a> {
    /// The store, until the end of all requests.
    pub(crate) store: &'a Store,
    /// The names of all channels.
    pub(crate) channels: &'a BTreeSet<String>,
    /// The loop's settings.
    pub(crate) rules: &'a Rules,
    /// The end of the invocation.
    pub(crate) deadline: Instant,
}

/// What a sweep came to.
pub(crate) struct Swept {
    /// Whether the status is worth writing: more has changed than the times of pulses and echoes.
    pub(crate) changed: bool,
    /// How many checks there are.
    pub(crate) checks: usize,
    /// How many keys in `pulse/` are nobody's pulse.
    pub(crate) skipped: usize,
    /// How many objects could not be read; they are for the next sweep.
    pub(crate) unread: usize,
}

impl Sweep<'_> {
    /// Lists, reads and judges: brings `status` up to what is in the store. `swept` is the time of the last completed
    /// sweep.
    pub(crate) fn run(&self, status: &mut Status, opening: Opening, swept: Option<Time>) -> Result<Swept, String> {
        let now = opening.now;
        let Lists { mutes, pulses, echoes, faults } = opening.others(self.store)?;
        let reading = self.store.until(before(self.deadline, TO_JUDGE));

        let mutes_before = status.mutes.clone();
        let mut unread = reads::mutes(&reading, mutes, &mut status.mutes, now);
        let (mut cases, skipped) = walk::cases(pulses, echoes, faults, std::mem::take(&mut status.checks));
        unread += reads::sights(&reading, &mut cases);

        let mut new_id = random::id;
        let round = Round { now, swept, rules: self.rules, channels: self.channels, new_id: &mut new_id };
        let changed = round.judge(status, cases) || status.mutes != mutes_before;
        unread += reads::words(&reading, &mut status.outbox, now);
        Ok(Swept { changed, checks: status.checks.len(), skipped, unread })
    }
}

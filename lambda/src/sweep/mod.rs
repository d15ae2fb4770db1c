//! The sweep: one look at all checks.
//!
//! In this order: `status` (`status.json`), `lists`, `merge` and `load` (what there is to judge), then [`crate::round`]
//! judges, and `deliver` sends. When it is done, and what is told of the loop itself, is for [`crate::tick`] to say.

pub(crate) mod deliver;
pub(crate) mod history;
pub(crate) mod lists;
mod load;
mod merge;
pub(crate) mod page;
pub(crate) mod status;

use std::collections::BTreeSet;
use std::mem;

use pulse_echo_core::clock::Time;
use pulse_echo_core::random;
use pulse_echo_core::status::Status;
use pulse_echo_core::store::Store;

use crate::ahead::Mender;
use crate::deadline::{Stages, TO_JUDGE, before};
use crate::outbox::Teller;
use crate::round::{Case, Round};
use crate::rules::Rules;

use lists::Opening;
use load::{load_acks, load_answers, load_last_words, load_mutes};
use merge::{Merged, merge};

/// What a sweep goes by.
pub(crate) struct Sweep<'a> {
    /// The store, until the end of all requests.
    pub(crate) store: &'a Store,
    /// The names of all channels.
    pub(crate) channels: &'a BTreeSet<String>,
    /// The loop's settings.
    pub(crate) rules: &'a Rules,
    /// The stages of the invocation.
    pub(crate) stages: Stages,
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
    /// sweep. `mender` has mended the status, but for its checks and mutes.
    pub(crate) fn run(
        &self,
        status: &mut Status,
        opening: Opening,
        swept: Option<Time>,
        mut mender: Mender,
    ) -> Result<Swept, String> {
        let now = opening.now;
        let mut lists = opening.others(&self.store.until(self.stages.until(TO_JUDGE)))?;
        let reading = self.store.until(before(self.stages.deadline, TO_JUDGE));

        let mutes_before = (status.mutes.clone(), status.acks.clone());
        let mut unread = load_acks(&reading, &mut lists.mutes, &mut status.acks, &mut mender);
        unread += load_mutes(&reading, mem::take(&mut lists.mutes), &mut status.mutes, (now, &mut mender));
        let most = self.rules.checks_per_host;
        let Merged { mut cases, skipped, crowded } = merge(lists, mem::take(&mut status.checks), most);
        for Case { id, record, observation } in &mut cases {
            mender.check(id, record.as_mut(), observation);
        }
        unread += load_answers(&reading, &mut cases, now);

        let mut new_id = random::id;
        let mut teller =
            Teller { now, rules: self.rules, channels: self.channels, new_id: &mut new_id, messages: vec![] };
        let mut changed = mender.furthest.is_some();
        changed |= teller.tell_set_back(&mut status.set_back, &mender);
        changed |= teller.tell_crowded(&mut status.crowded, &mut status.noise, &crowded);
        status.outbox.append(&mut teller.messages);
        let round = Round { now, swept, rules: self.rules, channels: self.channels, new_id: &mut new_id };
        changed |= round.run(status, cases);
        changed |= (&status.mutes, &status.acks) != (&mutes_before.0, &mutes_before.1);
        unread += load_last_words(&reading, &mut status.outbox, &status.checks, now);
        Ok(Swept { changed, checks: status.checks.len(), skipped, unread })
    }
}

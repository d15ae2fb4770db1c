//! What a round ends, for the history: outages, and times without a sweep. It is noted in the status until it is filed.

use pulse_echo_core::clock::Time;
use pulse_echo_core::history::{DARK, REASON};
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Fact, Gap, MOST_UNFILED, Mutes, PastOutage, Record, Unfiled, UnfiledOutage};
use pulse_echo_core::words::grouped;

/// Notes in the record whether an operator's mute has covered its outage so far. Returns the outage that has ended.
pub(super) fn outage(
    id: &CheckId,
    before: Option<&Record>,
    after: &mut Record,
    mutes: &Mutes,
    now: Time,
) -> Option<UnfiledOutage> {
    let was = before.and_then(|before| before.outage.as_deref());
    if let Some(lasts) = after.outage.as_deref_mut() {
        let covered = if was.is_some() { lasts.muted } else { Some(lasts.since) };
        let covered = covered.map(|covered| mutes.reach(id, covered));
        // A mute that was ended covers nothing any more.
        lasts.muted = covered.filter(|covered| *covered > now && mutes.cover(id, now));
        return None;
    }
    let (before, was) = before.zip(was)?;
    let Gap { from, until } = **after.over.as_ref()?;
    let is_muted = was.muted.is_some_and(|covered| mutes.reach(id, covered) >= until);
    let outage = PastOutage {
        from,
        until,
        state: before.state,
        cause: before.cause(),
        reason: before.reason().map(|reason| reason[..reason.floor_char_boundary(REASON)].to_string()),
        muted: is_muted,
    };
    Some(UnfiledOutage { check: id.clone(), first: after.first.unwrap_or(from), outage })
}

/// Notes what has ended, for the history. Returns whether anything was, and what is to be told of it.
pub(super) fn note(
    unfiled: &mut Option<Unfiled>,
    mut ended: Vec<UnfiledOutage>,
    dark: Option<Gap>,
    now: Time,
) -> (bool, Option<Fact>) {
    let is_first = unfiled.is_none();
    let unfiled = unfiled.get_or_insert_with(|| Unfiled { begins: Some(now), ..Unfiled::default() });
    let changed = is_first || !ended.is_empty() || dark.is_some();
    unfiled.dark.extend(dark);
    let surplus = unfiled.dark.len().saturating_sub(DARK);
    unfiled.dark.drain(..surplus);
    let room = MOST_UNFILED.saturating_sub(unfiled.outages.len());
    let dropped = ended.len().saturating_sub(room);
    ended.truncate(room);
    unfiled.outages.append(&mut ended);
    let is_news = dropped > 0 && unfiled.dropped == 0;
    unfiled.dropped += dropped;
    let why = || {
        format!(
            "{} outages that ended will be missing in history.json, and perhaps more: at most {} wait for it at once. \
             If they have waited for long, the loop's log says why it cannot be written",
            grouped(dropped),
            grouped(MOST_UNFILED)
        )
    };
    (changed, is_news.then(|| Fact::HistoryTrouble { why: why() }))
}

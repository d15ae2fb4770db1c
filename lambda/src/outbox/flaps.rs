//! A check that flaps: told down for the third time within a short time, it is held as by a mute until it is steady.
//!
//! What counts is what was told, by the sweeps' own times. So neither what a mute hid nor a fault that is no outage yet
//! makes a check flap.

use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::status::{Flaps, Limits, Outage, Record, State, Telling};

/// How many pulses' time makes a check steady.
const PULSES: u32 = 6;

/// The shortest and the longest time that makes a check steady.
const STEADY: (Duration, Duration) = (Duration::from_secs(3600), Duration::from_secs(24 * 3600));

/// An outage of a check that flaps is told if it has lasted for the check's limit, and at least for this time.
const LEAST_WAIT: Duration = Duration::from_secs(15 * 60);

/// For how long a check must be up to be steady: six times as long as from pulse to pulse.
fn steady_after(limits: Option<&Limits>) -> Duration {
    let every = limits.map_or(STEADY.0, Limits::every);
    (every * PULSES).clamp(STEADY.0, STEADY.1)
}

/// Notes that an outage begins or ends, and whether the check is steady again or gone. Returns since when it has been
/// up without a break if it flapped until now.
pub(super) fn note_change(telling: &mut Telling, had: bool, has: bool, after: &Record, now: Time) -> Option<Time> {
    let flaps = telling.flaps.as_mut()?;
    if had != has {
        flaps.changed = now;
    }
    let is_steady = after.state == State::Up && !has && flaps.changed.age(now) >= steady_after(after.limits.as_ref());
    if is_steady || after.state == State::Gone {
        telling.flaps = None;
        telling.down.clear();
    }
    is_steady.then_some(after.since)
}

/// Whether nothing is told of the check because it flaps. `outage` lasts, or has just ended with `after`.
pub(super) fn holds(telling: &Telling, outage: Option<&Outage>, after: &Record, now: Time) -> bool {
    let Some(flaps) = &telling.flaps else { return false };
    let Some(outage) = outage else { return true };
    let is_told_anyway = outage.told.as_ref().is_some_and(|told| told.anyway);
    let is_first_silence = after.state == State::Silent && !flaps.silence;
    !(is_told_anyway || is_first_silence || has_lasted(flaps, outage, now))
}

/// Notes that the check is told down. Returns whether it flaps from now on.
pub(super) fn note_down(telling: &mut Telling, outage: &Outage, after: &Record, now: Time) -> bool {
    let is_silent = after.state == State::Silent;
    let is_third = telling.down.len() == 2 && telling.down[0].age(now) <= steady_after(after.limits.as_ref());
    if telling.down.len() == 2 {
        telling.down.remove(0);
    }
    telling.down.reserve_exact(1);
    telling.down.push(now);
    let begins = is_third && telling.flaps.is_none();
    match &mut telling.flaps {
        // Told because it has lasted: the next must last for twice as long.
        Some(flaps) if has_lasted(flaps, outage, now) => {
            let most = steady_after(after.limits.as_ref()).as_secs();
            flaps.wait_s = (flaps.wait_s * 2).min(most).max(flaps.wait_s);
            flaps.silence |= is_silent;
        }
        Some(flaps) => flaps.silence |= is_silent,
        None if begins => {
            let limit = after.limits.as_ref().map_or(LEAST_WAIT, Limits::limit);
            telling.flaps = Some(Flaps { changed: now, wait_s: limit.max(LEAST_WAIT).as_secs(), silence: is_silent });
        }
        None => {}
    }
    begins
}

fn has_lasted(flaps: &Flaps, outage: &Outage, now: Time) -> bool {
    outage.noticed.age(now).as_secs() >= flaps.wait_s
}

//! What is told where the store's clock was set back.

use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::status::{Fact, SetBack};

use super::Teller;
use super::many::{first_ten, hosts};
use crate::ahead::Mender;

/// For how long nothing must be newly ahead until the clock counts as steady: what comes later is told anew.
const STEADY: Duration = Duration::from_secs(3600);

/// How often it is noted that something is newly ahead.
const NOTE_EVERY: Duration = Duration::from_secs(600);

impl Teller<'_> {
    /// Tells that the store's clock was set back, once until it has been steady. Whether `known` is worth writing.
    pub fn tell_set_back(&mut self, known: &mut Option<SetBack>, found: &Mender) -> bool {
        let (before, now) = (*known, self.now);
        known.take_if(|known| known.last.age(now) >= STEADY);
        if let Some(ahead) = found.furthest {
            match known {
                Some(known) if known.last.age(now) < NOTE_EVERY => {}
                Some(known) => known.last = now,
                None => {
                    *known = Some(SetBack { told: now, last: now });
                    self.tell(told(ahead, found, now));
                }
            }
        }
        *known != before
    }
}

fn told(ahead: Time, found: &Mender, now: Time) -> Fact {
    let (by_s, ids) = (now.age(ahead).as_secs(), || found.checks.iter());
    log::warn!(
        "times up to {ahead} are ahead of the store's clock, which says {now}: it was wrong then, or is wrong now"
    );
    Fact::SetBack { ahead, by_s, checks: ids().count(), hosts: hosts(ids()), some: first_ten(ids()) }
}

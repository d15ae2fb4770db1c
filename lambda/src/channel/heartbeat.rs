//! Our own sign of life: a service outside the account hears of each completed sweep, and notices when it stops.

use std::time::{Duration, Instant};

use super::Means;
use crate::web::{Address, Web};

/// The longest time that it may take.
const LIMIT: Duration = Duration::from_secs(10);

/// The address to fetch after each completed sweep.
pub struct Heartbeat {
    web: Web,
    url: Address,
}

impl Heartbeat {
    /// Reads `HEARTBEAT_URL`; `None` if it is not set. The error is a sentence that names the variable.
    pub fn read(means: &Means) -> Result<Option<Self>, String> {
        let Some(url) = Address::read(means.environment, "HEARTBEAT_URL")? else { return Ok(None) };
        Ok(Some(Self { web: Web::to(&url, means.trust, means.environment), url }))
    }

    /// Fetches the address once, by `deadline` and within 10 s. A failure is only logged: the sweep is complete
    /// nevertheless, and the receiver will miss this beat.
    pub fn beat(&self, deadline: Instant) {
        let deadline = deadline.min(Instant::now() + LIMIT);
        if let Err(missed) = self.web.get(&self.url, deadline).and_then(|answer| answer.taken_if_2xx()) {
            log::warn!("HEARTBEAT_URL: {missed}");
        }
    }
}

//! A sign of life of our own: something outside the account hears of each completed sweep, and misses it.

use std::time::{Duration, Instant};

use super::Means;
use crate::web::{Address, Web};

/// How long it may take at most.
const LIMIT: Duration = Duration::from_secs(10);

/// Where completed sweeps are announced.
pub struct Heartbeat {
    web: Web,
    url: Address,
}

impl Heartbeat {
    /// The one that `HEARTBEAT_URL` asks for, if it is set. The error is one sentence that names the variable.
    pub fn read(means: &Means) -> Result<Option<Self>, String> {
        let url = Address::read(means.environment, "HEARTBEAT_URL")?;
        Ok(url.map(|url| Self { web: Web::new(means.trust), url }))
    }

    /// Fetches the address once, by `deadline` and within 10 s. What goes wrong is only logged: the sweep was
    /// completed all the same, and whoever waits for this will miss it.
    pub fn beat(&self, deadline: Instant) {
        let deadline = deadline.min(Instant::now() + LIMIT);
        if let Err(missed) = self.web.get(&self.url, deadline).and_then(|answer| answer.taken_if_2xx()) {
            log::warn!("HEARTBEAT_URL: {missed}");
        }
    }
}

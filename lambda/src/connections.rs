//! The connections to the store, kept from one event to the next.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use pulse_echo_core::http::{self, SystemResolver, Trust};
use pulse_echo_core::store::Clock;
use ureq::Agent;
use ureq::config::Config;

/// How long connections may have been idle by the clock on the wall. After more than that the store has likely closed
/// them, and the first request would be a failed try.
const IDLE_S: u64 = 5;

/// How much of an answer a connection holds, in bytes; the head of an answer must fit. ureq's default is four times as
/// much, which is 8 MB for the loop's 32 connections.
const INPUT_BUFFER: usize = 32 * 1024;

/// How much of a request a connection holds, in bytes; a head must fit, a body need not.
const OUTPUT_BUFFER: usize = 16 * 1024;

/// A client of the store, and when it was last used.
///
/// The client itself drops idle connections by a clock that may stand still while Lambda has the sandbox frozen.
pub(crate) struct Connections {
    config: Config,
    trust: Trust,
    clock: Clock,
    kept: Mutex<(Agent, Timestamp)>,
}

impl Connections {
    /// At most `kept` connections are kept when they are idle.
    pub(crate) fn new(kept: usize, trust: &Trust, clock: &Clock) -> Self {
        let config = http::config()
            .max_idle_connections(kept)
            .max_idle_connections_per_host(kept)
            .input_buffer_size(INPUT_BUFFER)
            .output_buffer_size(OUTPUT_BUFFER)
            .build();
        let kept = Mutex::new((client(&config, trust), clock()));
        Self { config, trust: trust.clone(), clock: clock.clone(), kept }
    }

    /// The client for an event: without connections if they have been idle for too long, or if the clock went back.
    pub(crate) fn get(&self) -> Agent {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = Duration::try_from((self.clock)().duration_since(kept.1));
        if idle.is_ok_and(|idle| idle <= Duration::from_secs(IDLE_S)) {
            return kept.0.clone();
        }
        kept.0 = client(&self.config, &self.trust);
        kept.0.clone()
    }

    /// To be called at the end of an event.
    pub(crate) fn used(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).1 = (self.clock)();
    }
}

fn client(config: &Config, trust: &Trust) -> Agent {
    http::agent(config.clone(), trust, SystemResolver::default())
}

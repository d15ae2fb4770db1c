//! The probe's way into the web: a pulse's address, fetched within limits and judged.

mod one;
mod read;
#[cfg(test)]
mod tests;

use std::thread;
use std::time::{Duration, Instant};

use pulse_echo::answer::Cause;
use pulse_echo::http::{self, SystemResolver, Trust};
use pulse_echo::pulse::Pulse;
use ureq::Agent;
use url::Url;

use crate::expect::{self, Miss};

/// How the probe names itself to the services that it fetches.
const USER_AGENT: &str = concat!("pulse-echo-probe/", env!("CARGO_PKG_VERSION"));

/// How long after a failed try the second one comes.
const PAUSE: Duration = Duration::from_secs(1);

/// The time that a second try must have; with less, it could only run out of it and hide why the first one failed.
const LEAST: Duration = Duration::from_secs(1);

/// The web, as far as the probe goes there.
#[derive(Clone, Debug)]
pub(crate) struct Web {
    trust: Trust,
}

/// What came of fetching a pulse's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Whether it is as the pulse expects.
    pub(crate) verdict: Result<(), Miss>,
    /// The status code, if an answer came.
    pub(crate) status: Option<u16>,
    /// How long the try that was judged took, redirects included, in milliseconds; none if nothing was fetched.
    pub(crate) latency_ms: Option<u64>,
}

impl Web {
    /// The web, seen with the eyes of `trust`.
    pub(crate) fn new(trust: Trust) -> Self {
        Self { trust }
    }

    /// Fetches `url` and judges what comes by `pulse`: once, and once more after a pause if it failed in a way that
    /// often passes. `deadline` ends all of it.
    pub(crate) fn check(&self, pulse: &Pulse, url: &Url, deadline: Instant) -> Checked {
        let first = self.try_once(pulse, url, deadline);
        let left = deadline.saturating_duration_since(Instant::now());
        if !first.may_pass(pulse) || left < PAUSE + LEAST {
            return first;
        }
        thread::sleep(PAUSE);
        self.try_once(pulse, url, deadline)
    }

    fn try_once(&self, pulse: &Pulse, url: &Url, deadline: Instant) -> Checked {
        let started = Instant::now();
        let (verdict, status, latency) = match one::fetch(&self.agent(), pulse, url, started, deadline) {
            Ok(seen) => (expect::judge(pulse, &seen), Some(seen.status), seen.latency),
            Err(failed) => (Err(failed.miss), failed.status, started.elapsed()),
        };
        Checked { verdict, status, latency_ms: u64::try_from(latency.as_millis()).ok() }
    }

    /// A client for one fetch: a connection of an earlier one may lead to an address that its name no longer has.
    fn agent(&self) -> Agent {
        let config = http::config().user_agent(USER_AGENT).build();
        http::agent(config, &self.trust, SystemResolver::default())
    }
}

impl Checked {
    /// A verdict for which nothing was fetched.
    pub(crate) fn unfetched(verdict: Result<(), Miss>) -> Self {
        Self { verdict, status: None, latency_ms: None }
    }

    /// Whether this may have been a moment's trouble: no connection, or an unexpected error of the server.
    fn may_pass(&self, pulse: &Pulse) -> bool {
        let Err(miss) = &self.verdict else {
            return false;
        };
        let server_error = self.status.is_some_and(|status| status >= 500 && !expect::is_listed(pulse, status));
        matches!(miss.cause, Cause::Dns | Cause::Connect) || server_error
    }
}

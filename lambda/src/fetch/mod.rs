//! The probe's access to the web: fetches a pulse's URL within limits and judges the answer.

mod guard;
mod lookup;
mod one;
mod read;
#[cfg(test)]
mod tests;
mod unpack;

use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::answer::Cause;
use pulse_echo_core::clock::Time;
use pulse_echo_core::http::{self, Shown, SystemResolver, Tcp, Tls, Trust};
use pulse_echo_core::pulse::Pulse;
use ureq::Agent;
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::Connector;
use url::Url;

use crate::expect::{self, Miss};
use crate::ipfilter::IpFilter;
use crate::wire::{self, ReadLeniently};
use guard::Guard;
use lookup::Lookup;

/// The pause between a failed try and the second.
const PAUSE: Duration = Duration::from_secs(1);

/// The least time for a second try. With less, it could only time out and hide why the first try failed.
const LEAST: Duration = Duration::from_secs(1);

/// The web, as far as the probe may go.
#[derive(Debug)]
pub(crate) struct Web {
    trust: Trust,
    user_agent: String,
    filter: Arc<IpFilter>,
    lookup: Arc<Lookup>,
}

/// The result of fetching a pulse's URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Whether the answer is as the pulse expects.
    pub(crate) verdict: Result<(), Miss>,
    /// The status code, if an answer came.
    pub(crate) status: Option<u16>,
    /// How long the judged try took, redirects included, without what dead addresses took, in milliseconds; `None` if
    /// nothing was fetched.
    pub(crate) latency_ms: Option<u64>,
    /// Until when the certificate of the last connection is trusted; `None` without TLS or without an answer.
    pub(crate) trusted_until: Option<Time>,
}

impl Web {
    /// The web behind `filter`. The probe names itself `user_agent` and trusts `trust`.
    pub(crate) fn new(trust: &Trust, user_agent: String, filter: IpFilter) -> Self {
        Self::with_resolver(trust, user_agent, filter, Arc::new(SystemResolver::default()))
    }

    /// As [`Web::new`], but names are resolved by `resolver`.
    fn with_resolver(trust: &Trust, user_agent: String, filter: IpFilter, resolver: Arc<dyn Resolver>) -> Self {
        let lookup = Arc::new(Lookup::new(resolver));
        Self { trust: trust.clone(), user_agent, filter: Arc::new(filter), lookup }
    }

    /// Fetches `url` and judges the answer by `pulse`. It tries once more, after a pause, after a failure that often
    /// passes. `deadline` ends everything; a certificate's days are counted from `now`.
    pub(crate) fn check(&self, pulse: &Pulse, url: &Url, now: Time, deadline: Instant) -> Checked {
        let first = self.try_once(pulse, url, now, deadline);
        let left = deadline.saturating_duration_since(Instant::now());
        if !first.may_pass(pulse) || left < PAUSE + LEAST {
            return first;
        }
        thread::sleep(PAUSE);
        self.try_once(pulse, url, now, deadline)
    }

    fn try_once(&self, pulse: &Pulse, url: &Url, now: Time, deadline: Instant) -> Checked {
        let started = Instant::now();
        match one::fetch(self, pulse, url, now, started, deadline) {
            Ok(seen) => Checked {
                verdict: expect::compare(pulse, &seen, now),
                status: Some(seen.status),
                latency_ms: millis(seen.latency),
                trusted_until: seen.trusted_until,
            },
            Err(failed) => Checked {
                verdict: Err(failed.miss),
                status: failed.status,
                latency_ms: millis(started.elapsed()),
                trusted_until: None,
            },
        }
    }

    /// A client for one hop, where the certificates of the hop's server will be, and the time that connecting lost on
    /// addresses that do not answer. It has no pool: an earlier hop's
    /// connection may lead to an address that its name no longer has.
    fn client(&self) -> (Agent, Arc<OnceLock<Shown>>, Arc<OnceLock<Duration>>) {
        let config = http::config().user_agent(&self.user_agent).max_idle_connections(0);
        // How long a header may be is for the reader of answers to say, which names the line.
        let config = config.max_response_header_size(wire::LONGEST).build();
        let tls = Tls::new(&self.trust);
        let shown = tls.shown();
        let guard = Guard { lookup: self.lookup.clone(), filter: self.filter.clone() };
        let tcp = Tcp::default();
        let lost = tcp.lost();
        (Agent::with_parts(config, tcp.chain(tls).chain(ReadLeniently), guard), shown, lost)
    }
}

fn millis(time: Duration) -> Option<u64> {
    u64::try_from(time.as_millis()).ok()
}

impl Checked {
    /// The result where nothing was fetched.
    pub(crate) fn unfetched(verdict: Result<(), Miss>) -> Self {
        Self { verdict, status: None, latency_ms: None, trusted_until: None }
    }

    /// Whether the failure may pass soon: no connection, or an unexpected error of the server.
    fn may_pass(&self, pulse: &Pulse) -> bool {
        let Err(miss) = &self.verdict else {
            return false;
        };
        let server_error = self.status.is_some_and(|status| status >= 500 && !expect::is_listed(pulse, status));
        matches!(miss.cause, Cause::Dns | Cause::Connect) || server_error
    }
}

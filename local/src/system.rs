//! The whole system in one process: the embedded S3, and the handlers that AWS would run for each PUT.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pulse_echo_core::clock::Time;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::words::duration;
use pulse_echo_lambda::probe::Probe;
use pulse_echo_lambda::rules::Rules;
use pulse_echo_lambda::tick::{Loop, first_reference};
use serde_json::Value;

use crate::events::{self, Dispatcher, Lane, Trouble};
use crate::keys;
use crate::s3::store::Store;
use crate::s3::{Options, Server};
use crate::sweeper::Sweeper;
use crate::timer::Timer;
use crate::{complain, limits};

/// A running system; dropping it stops it.
pub struct System {
    // Dropped in this order: the running handlers still need the server.
    dispatcher: Dispatcher,
    timer: Timer,
    _lifecycle: Timer,
    sweeper: Arc<Sweeper>,
    server: Server,
    tick: Duration,
    channels: Vec<&'static str>,
}

impl System {
    /// Starts the system on a server with these options. The handlers' settings (`PROBE_…`) come from `environment`,
    /// except for the store that they use: they have a door and a key of their own.
    pub fn start(options: Options, environment: Environment) -> Result<Self, String> {
        limits::open_files();
        // The handlers sign with the embedded S3's keys, which are no keys of AWS.
        if let Some(name) = first_reference(environment) {
            return Err(format!(
                "{name} cannot be used: only the function on AWS reads parameters; set the value itself"
            ));
        }
        let (keys, pair) = (options.keys.clone(), keys::make());
        // The loop reads so many names of a host.
        let of_host = 2 * Rules::read(environment)?.checks_per_host;
        let mut server = Server::start(Options { of_host, ..options }).map_err(|error| error.to_string())?;
        let inner = server.open_inner_door().map_err(|error| error.to_string())?;
        keys.add_operator(pair.clone());
        if let Some(warning) = clock_was_ahead(server.store().newest(), Timestamp::now()) {
            complain(&warning);
        }
        let lookup = |name: &str| match name {
            "AWS_ACCESS_KEY_ID" => Some(pair.access_key.clone()),
            "AWS_SECRET_ACCESS_KEY" => Some(pair.secret_key.clone()),
            // Its timer is the schedule, and there is no queue.
            "AWS_SESSION_TOKEN" | "QUEUE_URL" => None,
            "AWS_REGION" => Some(server.region().into()),
            "AWS_ENDPOINT_URL_S3" => Some(inner.clone()),
            "BUCKET" => Some(server.bucket().into()),
            name => environment.get(name),
        };
        let probe = Probe::read(Environment::new(&lookup), Arc::new(Timestamp::now))?;
        let the_loop = Loop::read(Environment::new(&lookup), Arc::new(Timestamp::now))?;
        let (tick, channels) = (the_loop.tick(), the_loop.channels());
        let sweeper = Arc::new(Sweeper::new(the_loop));
        let of_events = sweeper.clone();
        let handler = move |lane, event: Value, deadline| match lane {
            Lane::Fetch => Ok(probe.handle(&event, deadline).map(drop).map_err(|error| error.to_string())?),
            Lane::Arrival => {
                let summary = probe.handle_arrivals(&event, deadline).map_err(|error| error.to_string())?;
                if summary.with_url.is_empty() { Ok(()) } else { Err(Trouble::HasUrl) }
            }
            Lane::Loop => Ok(of_events.handle(&event, deadline)?),
        };
        let dispatcher = Dispatcher::start(&server, events::Options::default(), handler)
            .map_err(|error| format!("cannot start the handlers' thread: {error}"))?;
        let timer = Timer::start(sweeper.clone()).map_err(|error| format!("cannot start the loop's timer: {error}"))?;
        let lifecycle =
            lifecycle(&server).map_err(|error| format!("cannot start the thread for old objects: {error}"))?;
        Ok(Self { dispatcher, timer, _lifecycle: lifecycle, sweeper, server, tick, channels })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &str {
        self.server.region()
    }

    /// How often the loop means to sweep.
    pub fn tick(&self) -> Duration {
        self.tick
    }

    /// The names of the channels by which people are told.
    pub fn channels(&self) -> &[&'static str] {
        &self.channels
    }

    /// The hosts whose pulses still come by the operator's pair.
    pub fn hosts_without_own_key(&self) -> Result<BTreeSet<String>, String> {
        self.server.hosts_without_own_key(Timestamp::now()).map_err(|error| format!("cannot read the objects: {error}"))
    }

    /// The loop, and whether it sweeps in time.
    pub fn sweeper(&self) -> &Arc<Sweeper> {
        &self.sweeper
    }

    /// Its objects, for reading.
    pub(crate) fn objects(&self) -> &Arc<Store> {
        self.server.store()
    }

    /// How many pulses are being answered now.
    pub fn under_way(&self) -> usize {
        self.dispatcher.under_way()
    }

    /// Ends without waiting, for a process that ends in the next moment.
    pub fn abandon(self) {
        std::mem::forget(self);
    }

    /// The URL for clients on this machine.
    pub fn endpoint(&self) -> String {
        own_endpoint(self.server.scheme(), self.address())
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // A running sweep and running probes are waited for side by side.
        self.timer.stop();
    }
}

/// Removes old answers and notes, each hour.
fn lifecycle(server: &Server) -> io::Result<Timer> {
    let store = server.store().clone();
    Timer::each(Duration::from_secs(3600), "the removal of old answers", move || match store.expire(Timestamp::now()) {
        Ok(0) => {}
        Ok(count) => log::info!("removed {count} answers and notes that are older than 35 days"),
        Err(error) => log::error!("cannot look for old answers and notes: {error}"),
    })
}

/// What to say at the start if the store's newest object is from a time that this machine's clock has yet to reach.
fn clock_was_ahead(newest: Timestamp, now: Timestamp) -> Option<String> {
    let (newest, now) = (Time::of(newest), Time::of(now));
    let ahead = duration(now.age(newest));
    newest.is_ahead(now).then(|| {
        format!(
            "warning: the newest object in the store is of {newest}, {ahead} ahead of this machine's clock; set the \
             clock if it is wrong now; if it was wrong then, objects from then count from the next sweep on, and the \
             loop tells so"
        )
    })
}

/// The URL from this machine to itself: a server that listens on all addresses has no address of its own.
fn own_endpoint(scheme: &str, address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => format!("{scheme}://127.0.0.1:{}", v4.port()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => format!("{scheme}://[::1]:{}", v6.port()),
        address => format!("{scheme}://{address}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_from_a_time_to_come_is_told_with_how_far_it_is_ahead() {
        let now = "2026-11-29T12:00:00Z".parse::<Timestamp>().unwrap();
        let at = |ahead| Timestamp::from_second(now.as_second() + ahead).unwrap();
        assert_eq!(clock_was_ahead(at(60), now), None);
        assert_eq!(clock_was_ahead(at(-9_000_000), now), None);
        let told = clock_was_ahead(at(7200), now).unwrap();
        assert!(told.contains("of 2026-11-29T14:00:00Z, 2 h ahead of this machine's clock;"), "{told}");
    }
}

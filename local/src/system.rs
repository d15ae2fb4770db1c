//! The whole system in one process: the embedded S3, and the handlers that AWS would run for each PUT.

use pulse_echo_core::environment::Environment;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use pulse_echo_lambda::probe::Probe;
use pulse_echo_lambda::tick::{Loop, first_reference};

use crate::events::{self, Dispatcher};
use crate::s3::notification::Kind;
use crate::s3::{KeyPair, Options, Server};
use crate::timer::Timer;

/// A running system; dropping it stops it.
pub struct System {
    // Dropped in this order: the running handlers still need the server.
    _timer: Timer,
    dispatcher: Dispatcher,
    server: Server,
    channels: Vec<&'static str>,
}

impl System {
    /// Starts the system on `listen`, with its objects in `data`. The handlers' settings (`PROBE_…`) come from
    /// `environment`, except for the store that they use.
    pub fn start(
        data: &Path,
        listen: SocketAddr,
        bucket: &str,
        keys: &KeyPair,
        environment: Environment,
    ) -> Result<Self, String> {
        // The handlers sign with the embedded S3's keys, which are no keys of AWS.
        if let Some(name) = first_reference(environment) {
            return Err(format!(
                "{name} cannot be used: only the function on AWS reads parameters; set the value itself"
            ));
        }
        let server = Server::start(Options { listen, ..Options::new(data, bucket, keys.clone()) })
            .map_err(|error| error.to_string())?;
        let lookup = |name: &str| match name {
            "AWS_ACCESS_KEY_ID" => Some(keys.access_key.clone()),
            "AWS_SECRET_ACCESS_KEY" => Some(keys.secret_key.clone()),
            // Its timer is the schedule, and there is no queue.
            "AWS_SESSION_TOKEN" | "QUEUE_URL" => None,
            "AWS_REGION" => Some(server.region().into()),
            "AWS_ENDPOINT_URL_S3" => Some(own_endpoint(server.address())),
            "BUCKET" => Some(bucket.into()),
            name => environment.get(name),
        };
        let probe = Probe::read(Environment::new(&lookup), Arc::new(Timestamp::now))?;
        let the_loop = Arc::new(Loop::read(Environment::new(&lookup), Arc::new(Timestamp::now))?);
        let channels = the_loop.channels();
        let of_events = the_loop.clone();
        let dispatcher =
            Dispatcher::start(&server, events::Options::default(), move |kind, event, deadline| match kind {
                Kind::Probe => probe.handle(&event, deadline).map(drop).map_err(|error| error.to_string()),
                Kind::Loop => of_events.handle(&event, deadline).answer().map(drop).map_err(|error| error.to_string()),
            })
            .map_err(|error| format!("cannot start the handlers' thread: {error}"))?;
        let timer = Timer::start(the_loop).map_err(|error| format!("cannot start the loop's timer: {error}"))?;
        Ok(Self { _timer: timer, dispatcher, server, channels })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The names of the channels that tell people.
    pub fn channels(&self) -> &[&'static str] {
        &self.channels
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
        own_endpoint(self.address())
    }
}

/// The URL from this machine to itself: a server that listens on all addresses has no address of its own.
fn own_endpoint(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => format!("http://127.0.0.1:{}", v4.port()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => format!("http://[::1]:{}", v6.port()),
        address => format!("http://{address}"),
    }
}

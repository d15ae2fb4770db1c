//! An S3 server with one bucket, in this process. Its answers are AWS's; its objects are in one file.
//!
//! - `connections`, `places`, `tls`: from the socket to a request; `door`, `upload`: from a request to its answer
//! - `auth`: who asks; `keyring`: the keys; `access`, by `rights` and `work`: what he may do
//! - `protocol`, `listing`: the operations; `body`, with `moving`, `framing`, `checksums` and `room`: what is put;
//!   `answer`: what AWS adds to its answers
//! - `store`: the file; [`notification`]: the rules for events

mod access;
mod answer;
mod auth;
mod body;
mod checksums;
mod connections;
mod door;
mod framing;
mod keyring;
mod listing;
mod moving;
pub mod notification;
mod places;
mod protocol;
mod rights;
mod room;
pub(crate) mod store;
pub(crate) mod tls;
mod upload;
mod work;

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::CheckId;
use pulse_echo_lambda::rules::Rules;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{self, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use connections::Entrance;
use door::Door;

pub use keyring::{HostKey, KeyPair, Keyring};
pub(crate) use listing::url_encoded;
use notification::{RULES, Rule};
pub use places::Limits;
use places::Places;
use store::{Change, NewObject, Query, Settings, Store};
pub use tls::Tls;

/// The server's clock. If a test gives its own, the server uses nothing else.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How long running requests may take to finish once the server is to stop.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// How long a handler may take to begin, once it has connected. It is one of ours, but the machine may be busy.
const INNER_FIRST_HEAD: Duration = Duration::from_secs(60);

/// How many threads may wait for the disk. They take memory, also those that idle: without a bound, bodies that are put
/// into files at once make hundreds.
const BLOCKED: usize = 16;

/// How many connections may wait to be accepted. With fewer, a crowd of newcomers would cost an honest client the
/// second after which TCP tries again.
const BACKLOG: u32 = 4096;

/// The server's settings.
#[derive(Clone)]
pub struct Options {
    /// The address to listen on; port 0 takes a free port.
    pub listen: SocketAddr,
    /// The directory of the store's file; it is made if it is missing.
    pub data_dir: PathBuf,
    /// The only bucket. It need not be created.
    pub bucket: String,
    /// The region that requests must be signed for.
    pub region: String,
    /// `BUCKET.` before this name, in the `Host` header, is a virtual-hosted address; any other host is path style.
    pub base_domain: String,
    /// The keys that requests must be signed with.
    pub keys: Keyring,
    /// The rules for events. For each new object the first matching rule counts.
    pub rules: Vec<Rule>,
    /// How many pulses a host may have by its own key, and how many notes. Of the answers to its pulses there may be as
    /// many: of what is beyond, no new pulse is taken.
    pub of_host: usize,
    /// The certificate to show; without it the server speaks plain HTTP.
    pub tls: Option<Arc<Tls>>,
    /// How many clients may connect at once.
    pub places: Limits,
    /// How long a new connection may take to send its first request's head. It is short, since anybody may hold a
    /// connection until then.
    pub first_head: Duration,
    /// How long a body may make no progress.
    pub body_idle: Duration,
    /// The clock for `Date`, `LastModified` and the life of signatures.
    pub clock: Clock,
}

impl Options {
    /// A free port on 127.0.0.1, region `us-east-1`, base domain `localhost`, plain HTTP, the usual number of
    /// clients, who begin within 5 s and stall for 10 s at most, the rules of the deployment, the system's clock.
    pub fn new(data_dir: impl Into<PathBuf>, bucket: impl Into<String>, keys: impl Into<Keyring>) -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            data_dir: data_dir.into(),
            bucket: bucket.into(),
            region: "us-east-1".to_owned(),
            base_domain: "localhost".to_owned(),
            keys: keys.into(),
            rules: RULES.into(),
            of_host: 2 * Rules::default().checks_per_host,
            tls: None,
            places: Limits::default(),
            first_head: Duration::from_secs(5),
            body_idle: Duration::from_secs(10),
            clock: Arc::new(Timestamp::now),
        }
    }
}

/// A running server, on its own threads. Dropping it stops it.
///
/// It is for blocking code: do not start, stop or drop it within an async runtime.
pub struct Server {
    address: SocketAddr,
    bucket: String,
    region: String,
    store: Arc<Store>,
    door: Arc<Door>,
    is_tls: bool,
    /// `None` once stopped.
    running: Option<Running>,
}

struct Running {
    runtime: Runtime,
    stop: watch::Sender<bool>,
    accepting: Vec<JoinHandle<()>>,
}

impl Server {
    /// Opens the store and starts to listen.
    ///
    /// Fails if the address is in use, the bucket's name is invalid, or the store's file is locked, damaged, not a
    /// store, or another bucket's.
    pub fn start(options: Options) -> io::Result<Self> {
        if !s3s::path::check_bucket_name(&options.bucket) {
            let text = format!("{:?} cannot be the name of a bucket", options.bucket);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let runtime = new_runtime()?;
        let listener = listen(&runtime, options.listen)?;
        let address = listener.local_addr()?;
        let (rules, clock, of_host) = (options.rules.clone(), options.clock.clone(), options.of_host);
        let store = Arc::new(Store::open(&options.data_dir, &options.bucket, Settings { rules, clock, of_host })?);
        let (bucket, region) = (options.bucket.clone(), options.region.clone());
        let (tls, first_head, places) = (options.tls.clone(), options.first_head, Places::new(options.places.clone()));
        let (door, is_tls) = (Arc::new(Door::new(options, store.clone())), tls.is_some());
        let (stop, stopped) = watch::channel(false);
        let entrance = Entrance { door: door.clone(), places, tls, first_head };
        let accepting = vec![runtime.spawn(connections::serve(listener, entrance, stopped, STOP_GRACE))];
        Ok(Self { address, bucket, region, store, door, is_tls, running: Some(Running { runtime, stop, accepting }) })
    }

    /// Opens a second door for this process alone, on a free port of this machine, by plain HTTP: however many clients
    /// there are, and whatever certificate they see, the handlers come in. Returns its URL.
    pub(crate) fn open_inner_door(&mut self) -> io::Result<String> {
        let Some(Running { runtime, stop, accepting }) = &mut self.running else {
            return Err(io::Error::other("the server has stopped"));
        };
        let listener = listen(runtime, (Ipv4Addr::LOCALHOST, 0).into())?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let (places, first_head) = (Places::new(Limits::default()), INNER_FIRST_HEAD);
        let entrance = Entrance { door: self.door.clone(), places, tls: None, first_head };
        accepting.push(runtime.spawn(connections::serve(listener, entrance, stop.subscribe(), STOP_GRACE)));
        Ok(endpoint)
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for clients.
    pub fn endpoint(&self) -> String {
        format!("{}://{}", self.scheme(), self.address)
    }

    pub(crate) fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }

    /// The hosts whose newest pulses came by the operator's pair, or from before hosts had keys of their own. A pulse
    /// counts if it is at most a day older than the newest pulse.
    pub(crate) fn hosts_without_own_key(&self, now: Timestamp) -> Result<BTreeSet<String>, redb::Error> {
        let mut pulses = Vec::new();
        let mut query = Query { prefix: "pulse/", delimiter: None, from: Vec::new(), limit: 1000 };
        loop {
            let page = self.store.list(&query)?;
            pulses.extend(page.objects);
            let Some(from) = page.next else { break };
            query.from = from;
        }
        // One from a time to come must not make all others old.
        let Some(newest) = pulses.iter().map(|(_, summary)| summary.last_modified.min(now)).max() else {
            return Ok(BTreeSet::new());
        };
        let is_recent = |at: Timestamp| newest.duration_since(at) <= SignedDuration::from_hours(24);
        let mut hosts = BTreeSet::new();
        for (key, _) in pulses.iter().filter(|(_, summary)| is_recent(summary.last_modified)) {
            let Ok(id) = CheckId::from_pulse_key(key) else { continue };
            if self.store.head(key)?.is_some_and(|(_, details)| !details.by_a_host) {
                hosts.insert(id.host().to_owned());
            }
        }
        Ok(hosts)
    }

    /// Puts many objects, each by its key, body and user metadata, without a request for each: tests and benches make a
    /// large fleet with it. The result is the same as of requests, events included. It blocks until all are durable, so
    /// it is not for async code.
    pub fn fill(&self, objects: impl IntoIterator<Item = (String, Vec<u8>, Metadata)>) -> io::Result<()> {
        let put = |(key, body, metadata)| (key, Change::Put(NewObject::of(body, metadata)));
        self.store.change_all(objects.into_iter().map(put)).map_err(|_| broken())
    }

    /// Deletes many objects, in the way of [`Self::fill`].
    pub fn clear(&self, keys: impl IntoIterator<Item = String>) -> io::Result<()> {
        self.store.change_all(keys.into_iter().map(|key| (key, Change::Delete))).map_err(|_| broken())
    }

    /// Takes no more requests, lets the running requests finish (for up to 10 s) and closes the file. A
    /// [`Dispatcher`](crate::events::Dispatcher) of this server holds the file open until it is stopped too: stop it
    /// first.
    pub fn stop(self) {
        drop(self);
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub(crate) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }
}

fn new_runtime() -> io::Result<Runtime> {
    runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(BLOCKED)
        .thread_name("s3")
        .enable_all()
        .build()
}

fn listen(runtime: &Runtime, address: SocketAddr) -> io::Result<TcpListener> {
    let _inside = runtime.enter();
    let bound = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bound().map_err(|e| io::Error::new(e.kind(), format!("cannot listen on {address}: {e}")))
}

fn broken() -> io::Error {
    io::Error::other("the file of the objects cannot be written: the log says why")
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(Running { runtime, stop, accepting }) = self.running.take() {
            // The accepting task may have died. Then there is nothing to stop.
            let _ = stop.send(true);
            for accepting in accepting {
                let _ = runtime.block_on(accepting);
            }
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
    }
}

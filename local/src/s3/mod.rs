//! An S3 server with one bucket, in this process. Its answers are AWS's; its objects are in one file.
//!
//! - `auth`: authorization; `protocol`, `listing`: the operations; `body`, with `framing` and `checksums`: what
//!   is put; `answer`: what AWS adds to its answers
//! - `store`: the file; [`notification`]: the rules for events
//! - `connections`: from the socket to an answer

mod answer;
mod auth;
mod body;
mod checksums;
mod connections;
mod framing;
mod listing;
pub mod notification;
mod protocol;
pub(crate) mod store;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pulse_echo_core::metadata::Metadata;
use tokio::runtime::{self, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) use listing::url_encoded;
use notification::{RULES, Rule};
use store::{Change, NewObject, Store};

/// The server's clock. If a test gives its own, the server uses nothing else.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How long running requests may take to finish once the server is to stop.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// The keys that a client signs with. Its `Debug` shows no secrets.
#[derive(Clone)]
pub struct KeyPair {
    /// The access key id.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: String,
    /// If set, the pair is a temporary one, and requests must carry this token.
    pub session_token: Option<String>,
}

impl KeyPair {
    /// A key pair that does not expire.
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self { access_key: access_key.into(), secret_key: secret_key.into(), session_token: None }
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

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
    pub keys: KeyPair,
    /// The rules for events. For each new object the first matching rule counts.
    pub rules: Vec<Rule>,
    /// How many clients may connect at once; further clients wait to be accepted.
    pub connections: usize,
    /// How long a new connection may take to send its first request's head. It is short, since anybody may hold a
    /// connection until then.
    pub first_head: Duration,
    /// The clock for `Date`, `LastModified` and the life of signatures.
    pub clock: Clock,
}

impl Options {
    /// A free port on 127.0.0.1, region `us-east-1`, base domain `localhost`, 1024 clients, who begin within 5 s,
    /// the rules of the deployment, the system's clock.
    pub fn new(data_dir: impl Into<PathBuf>, bucket: impl Into<String>, keys: KeyPair) -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            data_dir: data_dir.into(),
            bucket: bucket.into(),
            region: "us-east-1".to_owned(),
            base_domain: "localhost".to_owned(),
            keys,
            rules: RULES.into(),
            connections: 1024,
            first_head: Duration::from_secs(5),
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
    /// `None` once stopped.
    running: Option<Running>,
}

struct Running {
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
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
        let listener = TcpListener::bind(options.listen)
            .map_err(|e| io::Error::new(e.kind(), format!("cannot listen on {}: {e}", options.listen)))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let store =
            Arc::new(Store::open(&options.data_dir, &options.bucket, options.rules.clone(), options.clock.clone())?);
        let runtime = runtime::Builder::new_multi_thread().worker_threads(2).thread_name("s3").enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let (bucket, region) = (options.bucket.clone(), options.region.clone());
        let limits = connections::Limits { connections: options.connections, first_head: options.first_head };
        let door = connections::Door::new(options, store.clone());
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let accepting = runtime.spawn(connections::serve(listener, door, limits, stopped, STOP_GRACE));
        Ok(Self { address, bucket, region, store, running: Some(Running { runtime, stop, accepting }) })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for clients.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
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

fn broken() -> io::Error {
    io::Error::other("the file of the objects cannot be written: the log says why")
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(Running { runtime, stop, accepting }) = self.running.take() {
            // The accepting task may have died. Then there is nothing to stop.
            let _ = stop.send(());
            let _ = runtime.block_on(accepting);
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
    }
}

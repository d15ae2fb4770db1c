//! What a browser or a monitor may read, at an address of its own: `--page`.
//!
//! It is for reading, without a key: whoever reaches the address sees it. So a web page of somebody else's must not
//! reach it through a reader's browser (`host`), and strangers cannot use it up (`places`). `fleet` makes what is
//! shown.

mod fleet;
mod host;
mod places;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use clap::Args;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use pulse_echo_core::name::Key;
use pulse_echo_lambda::page;

use crate::s3::store::Store;
use crate::sweeper::Sweeper;
use crate::{announce, complain};
use fleet::Fleet;
use places::Places;

/// How long a client may take to send its request.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// How long a connection may last. It has one request.
const CONNECTION_TIME: Duration = Duration::from_secs(30);
/// The longest head of a request. hyper takes nothing smaller.
const HEAD_BYTES: usize = 8192;

/// Where the page is, and by which names.
#[derive(Args, Clone, Default)]
pub struct PageOptions {
    /// Address for the fleet's page, /status.json, /history.json, /metrics and /healthz. Whoever reaches it may read
    /// them
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    page: Option<SocketAddr>,
    /// A name by which browsers reach --page, besides its address; may be given several times
    #[arg(long, value_name = "NAME", requires = "page", value_parser = host::given)]
    page_host: Vec<String>,
}

/// Parses an address of this machine with a port.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.trim()
        .parse()
        .map_err(|_| "it is no address with a port; write it such as 127.0.0.1:9810 or [::1]:9810".into())
}

/// A running server of the page. Dropping it stops it.
pub struct Page {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Page {
    /// Starts it, if the options ask for it. The error is a sentence.
    pub(crate) fn start(
        options: &PageOptions,
        sweeper: Arc<Sweeper>,
        store: Arc<Store>,
    ) -> Result<Option<Self>, String> {
        let Some(listen) = options.page else { return Ok(None) };
        let names = options.page_host.clone();
        let tick_s = u32::try_from(sweeper.tick().as_secs()).unwrap_or(u32::MAX);
        let desk = Desk { sweeper, names, fleet: Fleet::new(store, tick_s) };
        let page = Self::listen(listen, desk).map_err(|error| format!("--page: cannot listen on {listen}: {error}"))?;
        Ok(Some(page))
    }

    fn listen(listen: SocketAddr, desk: Desk) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread =
            thread::Builder::new().name("page".to_owned()).spawn(move || run(&runtime, listener, desk, stopped))?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Says where it is, and loudly if others than this machine may read it.
    pub fn announce(&self) {
        let address = self.address;
        announce(&format_args!("page at http://{address}/"));
        if !address.ip().is_loopback() {
            complain(&format_args!(
                "warning: whoever reaches {address} reads the page, without a key and without TLS: let only those \
                 reach it who may know"
            ));
        }
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(runtime: &Runtime, listener: std::net::TcpListener, desk: Desk, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async {
        match TcpListener::from_std(listener) {
            Ok(listener) => tokio::select! {
                () = serve(listener, Arc::new(desk)) => {}
                _ = stopped => {}
            },
            Err(error) => log::error!("the page is not served: {error}"),
        }
    });
}

async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let places = Arc::new(Places::default());
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                log::warn!("the page cannot accept a connection: {error}");
                // Out of file descriptors, most likely. To try again at once would only waste CPU time.
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // A connection without a place is closed at once: it would only wait behind those that take the places.
        let (Some(place), Ok(local)) = (Places::take(&places, peer.ip()), stream.local_addr()) else { continue };
        let desk = desk.clone();
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let (desk, (head, _)) = (desk.clone(), request.into_parts());
                // A page of many checks takes its time, and others ask meanwhile.
                spawn_blocking(move || desk.answer(&head.method, &head.uri, &head.headers, local.ip(), Instant::now()))
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME)
                .max_buf_size(HEAD_BYTES)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            let _ = timeout(CONNECTION_TIME, connection).await;
            drop(place);
        });
    }
}

/// Answers requests.
struct Desk {
    sweeper: Arc<Sweeper>,
    /// The names by which readers may come, besides the address.
    names: Vec<String>,
    fleet: Fleet,
}

impl Desk {
    fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap, local: IpAddr, now: Instant) -> Answer {
        if let Err(refusal) = host::check(headers, uri, local, &self.names) {
            return line(StatusCode::MISDIRECTED_REQUEST, &refusal);
        }
        let path = uri.path();
        if !PATHS.contains(&path) {
            let paths = PATHS.join(", ");
            return line(StatusCode::NOT_FOUND, &format!("there is nothing here, but at {paths}"));
        }
        if ![Method::GET, Method::HEAD].contains(method) {
            let mut answer = line(StatusCode::METHOD_NOT_ALLOWED, "this is for reading: GET or HEAD");
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        match path {
            "/" => shown(page::CONTENT_TYPE, self.fleet.page()),
            "/metrics" => shown(METRICS, self.fleet.metrics()),
            "/status.json" => object(&Key::status(), self.fleet.object(Key::status())),
            "/history.json" => object(&Key::history(), self.fleet.object(Key::history())),
            _ => match self.sweeper.health().verdict(now) {
                Ok(how) => line(StatusCode::OK, &how),
                Err(why) => line(StatusCode::SERVICE_UNAVAILABLE, &why),
            },
        }
    }
}

type Answer = Response<Full<Bytes>>;

/// What there is to read.
const PATHS: [&str; 5] = ["/", "/status.json", "/history.json", "/metrics", "/healthz"];

/// The content type of Prometheus's text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

fn shown(content_type: &'static str, what: Result<Bytes, String>) -> Answer {
    match what {
        Ok(body) => answer(StatusCode::OK, content_type, body),
        Err(why) => line(StatusCode::SERVICE_UNAVAILABLE, &why),
    }
}

fn object(key: &Key, found: Result<Option<Bytes>, String>) -> Answer {
    match found.transpose() {
        Some(body) => shown("application/json", body),
        None => line(StatusCode::NOT_FOUND, &format!("there is no {key} yet")),
    }
}

/// A line of text.
fn line(status: StatusCode, line: &str) -> Answer {
    let line = format!("{}\n", pulse_echo_core::text::printable(line));
    answer(status, "text/plain; charset=utf-8", line.into())
}

/// An answer. hyper leaves the body out where HEAD asks.
fn answer(status: StatusCode, content_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "frame-ancestors 'none'"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

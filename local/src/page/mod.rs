//! What a browser or a monitor may read, at an address of its own: `--page`.
//!
//! It is for reading, without a key: whoever reaches the address sees it. So a web page of somebody else's must not
//! reach it through a reader's browser (`host`), and strangers cannot use it up (`places`).

mod host;
mod places;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use clap::Args;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::sweeper::Sweeper;
use crate::{announce, complain};
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
    /// Address for /healthz: 200 while sweeps are completed in time, else 503. Whoever reaches it may read it
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    page: Option<SocketAddr>,
    /// A name by which browsers reach --page, besides its address; may be given several times
    #[arg(long, value_name = "NAME", requires = "page")]
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
    pub fn start(options: &PageOptions, sweeper: Arc<Sweeper>) -> Result<Option<Self>, String> {
        let Some(listen) = options.page else { return Ok(None) };
        let names = options.page_host.iter().map(|name| host::normal(name)).collect();
        let desk = Desk { sweeper, names };
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
        announce(&format_args!("page at http://{address}/healthz"));
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
            let service = service_fn(|request| {
                let answer = desk.answer(&request, local.ip(), Instant::now());
                async move { Ok::<_, Infallible>(answer) }
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
}

impl Desk {
    fn answer(&self, request: &Request<Incoming>, local: IpAddr, now: Instant) -> Response<String> {
        if let Err(refusal) = host::check(request.headers(), request.uri(), local, &self.names) {
            return text(StatusCode::MISDIRECTED_REQUEST, &refusal);
        }
        if request.uri().path() != "/healthz" {
            return text(StatusCode::NOT_FOUND, "there is nothing here; /healthz says whether sweeps are completed");
        }
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "this is for reading: GET or HEAD");
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        match self.sweeper.health().verdict(now) {
            Ok(how) => text(StatusCode::OK, &how),
            Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, &why),
        }
    }
}

/// A line of text. hyper leaves the body out where HEAD asks.
fn text(status: StatusCode, line: &str) -> Response<String> {
    let mut answer = Response::new(format!("{}\n", pulse_echo_core::text::printable(line)));
    *answer.status_mut() = status;
    for (name, value) in
        [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff")]
    {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

//! From the socket to a request.

use std::convert::Infallible;
use std::future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use s3s::HttpResponse;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use super::door::Door;
use super::places::{Place, Places};
use super::tls::Tls;

/// How long a client may take to send the head of a further request, and so how long it may idle. It is above the 15 s
/// for which our own agents keep a connection.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// How much of a head is held, and of a body at once: anybody may send a head and not end it. S3 takes 8 KiB of
/// headers.
const BUFFER_BYTES: usize = 16 << 10;
/// The first byte of a client that speaks TLS: the record of a handshake.
const HANDSHAKE: u8 = 0x16;

/// A listener's settings.
pub(super) struct Entrance {
    pub(super) door: Arc<Door>,
    pub(super) places: Places,
    pub(super) tls: Option<Arc<Tls>>,
    /// See [`Options`](super::Options).
    pub(super) first_head: Duration,
}

/// Accepts connections until told to stop, then lets the running requests finish.
pub(super) async fn serve(listener: TcpListener, entrance: Entrance, mut stop: watch::Receiver<bool>, grace: Duration) {
    let entrance = Arc::new(entrance);
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(e) => {
                log::warn!("cannot accept a connection: {e}");
                // Out of file descriptors, most likely. To try again at once would only waste CPU time.
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some((place, is_taken_away)) = entrance.places.enter(peer.ip()) else {
            log::warn!("a connection from {peer} was closed: all places are taken by requests that are signed");
            continue;
        };
        // A small answer must not wait for the client's acknowledgement of the previous answer.
        let _ = stream.set_nodelay(true);
        let guest = Guest { peer, place: Arc::new(place), has_asked: Arc::default(), entrance: entrance.clone() };
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            let has_asked = guest.has_asked.clone();
            let overdue = async {
                sleep(guest.entrance.first_head).await;
                if has_asked.load(Ordering::Relaxed) {
                    future::pending::<()>().await;
                }
            };
            tokio::select! {
                ended = guest.attend(stream, watcher) => if let Err(e) = ended {
                    log::debug!("connection from {peer} ended: {e}");
                },
                () = overdue => log::debug!("connection from {peer} ended: it asked nothing"),
                _ = is_taken_away => log::debug!("connection from {peer} ended: its place was needed"),
            }
        });
        // All others go on before the next one comes in. Otherwise a crowd takes their places before they are heard.
        yield_now().await;
    }
    drop(listener);
    if timeout(grace, graceful.shutdown()).await.is_err() {
        log::warn!("some S3 requests were cut off: they did not finish within {grace:?}");
    }
}

/// A client, by its connection.
struct Guest {
    peer: SocketAddr,
    place: Arc<Place>,
    has_asked: Arc<AtomicBool>,
    entrance: Arc<Entrance>,
}

impl Guest {
    /// Answers all requests of the connection.
    async fn attend(&self, stream: TcpStream, watcher: Watcher) -> io::Result<()> {
        let door = &self.entrance.door;
        let answer = |request| door.answer(request, self.peer.ip(), &self.place);
        match &self.entrance.tls {
            None => self.converse(stream, watcher, answer).await,
            Some(tls) if speaks_tls(&stream).await? => {
                let stream = tls.acceptor().accept(stream).await?;
                self.converse(stream, watcher, answer).await
            }
            Some(_) => self.converse(stream, watcher, |request| door.answer_without_tls(request)).await,
        }
    }

    async fn converse<A: Future<Output = HttpResponse>>(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
        watcher: Watcher,
        answer: impl Fn(Request<Incoming>) -> A,
    ) -> io::Result<()> {
        let service = service_fn(|request| {
            self.has_asked.store(true, Ordering::Relaxed);
            let answer = answer(request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(BUFFER_BYTES)
            // The date is always the server's, see `completed`, never the system's.
            .auto_date_header(false)
            .serve_connection(TokioIo::new(stream), service);
        watcher.watch(connection).await.map_err(io::Error::other)
    }
}

/// Whether the client begins with a handshake of TLS.
async fn speaks_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    Ok(stream.peek(&mut first).await? == 0 || first[0] == HANDSHAKE)
}

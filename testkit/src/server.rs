//! A small HTTP server that answers as a test tells it to, including faults. Its threads end with the test's process.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use jiff::{SignedDuration, Timestamp};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The reply to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answer with this status, these headers and this body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Promise a longer body than is sent, then close.
    Truncated,
    /// Close without an answer.
    Closed,
    /// Reset the connection; the request must have a body of two bytes or more.
    Reset,
    /// Send nothing until the client hangs up.
    Silence,
    /// Send something that is not HTTP.
    Junk,
}

impl Reply {
    /// An answer without further headers.
    pub fn of(status: u16, body: impl Into<String>) -> Self {
        Self::Answer(status, Vec::new(), body.into())
    }

    /// S3's answer to a PUT.
    pub fn ok() -> Self {
        Self::of(200, "").with("etag", "\"e\"")
    }

    /// S3's error for "busy".
    pub fn slow_down() -> Self {
        Self::s3_error(503, "SlowDown", "Please reduce your request rate.")
    }

    /// S3's error document.
    pub fn s3_error(status: u16, code: &str, message: &str) -> Self {
        Self::of(
            status,
            format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"),
        )
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        let Self::Answer(status, mut headers, body) = self else { panic!("{self:?} has no headers") };
        headers.push((name, value.into()));
        Self::Answer(status, headers, body)
    }
}

/// A server on a free port of this machine, and its requests.
pub struct Server {
    /// The address that it listens on.
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Passes each connection, with its number from 0, to `serve`.
    pub fn new(serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Self {
        Self::on("127.0.0.1", serve)
    }

    /// As [`Server::new`], on another address of this machine.
    pub fn on(address: &str, serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Self {
        Self::listen(address, Arc::default(), serve)
    }

    /// Answers the first connection's request with the first text, and so on. The last text repeats.
    pub fn answering(answers: &[&str]) -> Self {
        let answers: Vec<_> = answers.iter().map(ToString::to_string).collect();
        Self::new(move |mut stream, number| {
            read_head(&mut stream);
            let _ = stream.write_all(answers[number.min(answers.len() - 1)].as_bytes());
        })
    }

    /// Answers each request as `reply` says for its head.
    pub fn replying(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let heads = Arc::<Mutex<Vec<String>>>::default();
        Self::listen("127.0.0.1", heads.clone(), move |mut stream, _| converse(&mut stream, &reply, &heads))
    }

    /// Replies to the first request with the first reply, and so on. The last reply repeats.
    pub fn scripted(replies: &[Reply]) -> Self {
        let replies = Mutex::new(replies.to_vec());
        Self::replying(move |_| {
            let mut replies = replies.lock().unwrap();
            if replies.len() > 1 { replies.remove(0) } else { replies[0].clone() }
        })
    }

    /// As [`Server::replying`], behind TLS.
    pub fn with_tls(config: Arc<ServerConfig>, reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let heads = Arc::<Mutex<Vec<String>>>::default();
        Self::listen("127.0.0.1", heads.clone(), move |stream, _| {
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
            converse(&mut stream, &reply, &heads);
        })
    }

    fn listen(
        address: &str,
        heads: Arc<Mutex<Vec<String>>>,
        serve: impl Fn(TcpStream, usize) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, serve) = (connections.clone(), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (number, serve) = (count.fetch_add(1, Ordering::SeqCst), serve.clone());
                thread::spawn(move || serve(stream.unwrap(), number));
            }
        });
        Self { address, connections, heads }
    }

    /// Its address as a page: `http://127.0.0.1:PORT/`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Its address as a store's: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections it has had.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The heads of the requests that got a reply so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// A connection, plain or within TLS.
trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// Replies to one request after the other, until one of the two sides ends the connection.
fn converse(stream: &mut dyn Stream, reply: &dyn Fn(&str) -> Reply, heads: &Mutex<Vec<String>>) {
    loop {
        let head = read_head(stream);
        if head.is_empty() {
            return;
        }
        heads.lock().unwrap().push(head.clone());
        if !act(stream, &head, reply(&head)) {
            return;
        }
    }
}

/// Does what the reply says. Returns whether the connection goes on.
fn act(stream: &mut dyn Stream, head: &str, reply: Reply) -> bool {
    if matches!(reply, Reply::Reset) {
        // A socket that is closed with unread data is reset. Here the rest of the body is unread.
        let _ = stream.read_exact(&mut [0]);
        return false;
    }
    let _ = stream.read_exact(&mut vec![0; content_length(head)]);
    let mut say = |text: &str| stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).is_ok();
    match reply {
        Reply::Answer(status, headers, body) => {
            let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            say(&answer_with(status, &headers.concat(), &body))
        }
        Reply::Truncated => {
            say("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nthe beginning");
            false
        }
        Reply::Junk => {
            say("SSH-2.0-OpenSSH_9.2\r\n\r\n");
            false
        }
        Reply::Silence => {
            let _ = stream.read_to_end(&mut Vec::new());
            false
        }
        Reply::Closed | Reply::Reset => false,
    }
}

/// A whole answer, as it is sent over the wire.
pub fn answer(status: u16, body: &str) -> String {
    answer_with(status, "", body)
}

/// A redirect, as it is sent over the wire.
pub fn redirect(location: &str) -> String {
    answer_with(302, &format!("location: {location}\r\n"), "")
}

fn answer_with(status: u16, headers: &str, body: &str) -> String {
    // An answer with status 204 has no body.
    let length = if status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    format!("HTTP/1.1 {status} X\r\n{headers}{length}\r\n{body}")
}

/// Reads a request's head up to the empty line, byte by byte, so that the rest stays unread. Empty if the client hung
/// up before.
pub fn read_head(stream: &mut (impl Read + ?Sized)) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_exact(&mut byte).is_err() {
            return String::new();
        }
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// Reads the body that belongs to this head.
pub fn read_body(stream: &mut (impl Read + ?Sized), head: &str) -> Vec<u8> {
    let mut body = vec![0; content_length(head)];
    stream.read_exact(&mut body).unwrap();
    body
}

fn content_length(head: &str) -> usize {
    header(head, "content-length").map_or(0, |length| length.parse().unwrap())
}

/// The value of a header, whatever the case of its name.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// Waits until the client has hung up.
pub fn until_closed(mut stream: TcpStream) {
    let _ = io::copy(&mut stream, &mut io::sink());
}

/// An HTTP date, this many seconds from now.
pub fn date(seconds: i64) -> String {
    let time = Timestamp::now() + SignedDuration::from_secs(seconds);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

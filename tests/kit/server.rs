//! A small HTTP server that answers as a test tells it to, faults included.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use jiff::{SignedDuration, Timestamp};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What to do with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answer with this status, these headers and this body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Promise a longer body than comes, then close.
    Truncated,
    /// Close without a word.
    Closed,
    /// Break the connection off; the request must have a body of two bytes or more.
    Reset,
    /// Say nothing until the client goes away.
    Silence,
    /// Say something that is not HTTP.
    Junk,
}

impl Reply {
    /// An answer without headers of its own.
    pub fn of(status: u16, body: impl Into<String>) -> Self {
        Self::Answer(status, Vec::new(), body.into())
    }

    /// S3's answer to a PUT.
    pub fn ok() -> Self {
        Self::of(200, "").with("etag", "\"e\"")
    }

    /// S3's word for "busy".
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
    pub fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        let Self::Answer(status, mut headers, body) = self else { panic!("{self:?} has no headers") };
        headers.push((name, value.into()));
        Self::Answer(status, headers, body)
    }
}

/// A server on a free port of this machine.
pub struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers each request, whose head it is given, as `reply` says.
    pub fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(reply, |stream, serve| serve(&mut { stream }))
    }

    /// Answers the first request with the first reply and so on; the last one stays.
    pub fn scripted(replies: &[Reply]) -> Self {
        let replies = Mutex::new(replies.to_vec());
        Self::start(move |_| {
            let mut replies = replies.lock().unwrap();
            if replies.len() > 1 { replies.remove(0) } else { replies[0].clone() }
        })
    }

    /// The same behind TLS.
    pub fn with_tls(config: Arc<ServerConfig>, reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(reply, move |stream, serve| {
            serve(&mut StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream));
        })
    }

    fn listen(
        reply: impl Fn(&str) -> Reply + Send + Sync + 'static,
        wrap: impl Fn(TcpStream, &dyn Fn(&mut dyn Stream)) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (seen, wrap, reply) = (heads.clone(), Arc::new(wrap), Arc::new(reply));
        // It lives as long as the test's process; so do its connections.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, wrap, reply) = (seen.clone(), wrap.clone(), reply.clone());
                let serve = move |stream: &mut dyn Stream| {
                    while let Some(head) = read_head(stream) {
                        seen.lock().unwrap().push(head.clone());
                        if !act(stream, &head, reply(&head)) {
                            return;
                        }
                    }
                };
                thread::spawn(move || wrap(stream.unwrap(), &serve));
            }
        });
        Self { port, heads }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The heads of the requests that came so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// A connection, bare or within TLS.
pub trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// An HTTP date so many seconds from now.
pub fn date(seconds: i64) -> String {
    let time = Timestamp::now() + SignedDuration::from_secs(seconds);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Reads up to the empty line, byte by byte, so that what follows stays where it is; none at the end.
pub fn read_head(stream: &mut (impl Read + ?Sized)) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    Some(String::from_utf8(head).unwrap())
}

/// The value of a header; names in small letters.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fits = |line: &&str| line.split_once(':').is_some_and(|(known, _)| known.eq_ignore_ascii_case(name));
    head.lines().find(fits).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
}

/// Does as the reply says; whether the connection goes on.
fn act(stream: &mut dyn Stream, head: &str, reply: Reply) -> bool {
    if matches!(reply, Reply::Reset) {
        // A socket that is closed with something unread in it is reset: here, the rest of the body.
        let _ = stream.read_exact(&mut [0]);
        return false;
    }
    let length = header(head, "content-length").map_or(0, |length| length.parse().unwrap());
    let _ = stream.read_exact(&mut vec![0; length]);
    let mut say = |text: &str| stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).is_ok();
    match reply {
        Reply::Answer(status, headers, body) => {
            let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            // These have no body.
            let length = if status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
            say(&format!("HTTP/1.1 {status} Whatever\r\n{}{length}\r\n{body}", headers.concat()))
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

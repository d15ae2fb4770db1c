//! A client that shows raw answers, for the embedded S3 in its own directory.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pulse_echo_local::s3::{Clock, KeyPair, Options, Server};
use rusty_s3::actions::{ListObjectsV2, ListObjectsV2Response, S3Action};
use rusty_s3::{Bucket, Credentials, Method, UrlStyle};
use s3s::crypto::{Checksum, Sha256};
use tempfile::TempDir;
use ureq::http::{HeaderMap, Request};

use crate::store::BUCKET;

/// The key pair of [`server`]: its id.
pub const KEY: &str = "AKIALOCAL";

/// The key pair of [`server`]: its secret.
pub const SECRET: &str = "a secret / with + signs";

/// The options of [`server`].
pub fn options(dir: &TempDir) -> Options {
    Options::new(dir.path(), BUCKET, KeyPair::new(KEY, SECRET))
}

/// A server on a free port, and its directory.
pub fn server() -> (Server, TempDir) {
    let dir = TempDir::new().unwrap();
    (Server::start(options(&dir)).unwrap(), dir)
}

/// A clock that a test can move.
#[derive(Clone)]
pub struct HandClock(Arc<AtomicI64>);

impl HandClock {
    /// A clock that is stopped at this time.
    pub fn at(time: &str) -> Self {
        Self(Arc::new(AtomicI64::new(time.parse::<Timestamp>().unwrap().as_millisecond())))
    }

    /// Its time.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }

    /// Moves it.
    pub fn turn(&self, by: SignedDuration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// The clock as a server takes it.
    pub fn clock(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

/// An answer as it arrived.
#[derive(Debug)]
pub struct Answer {
    /// Its HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// A header's value; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The text of an element of the XML body.
    pub fn element(&self, name: &str) -> String {
        let text = self.text();
        let inner = text.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
        inner.map_or(String::new(), |(inner, _)| inner.to_owned())
    }

    /// `404 NoSuchKey`
    #[track_caller]
    pub fn assert_error(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.element("Code").as_str()), (status, code), "{}", self.text());
        assert_eq!(self.element("RequestId"), self.header("x-amz-request-id"));
        assert_ne!(self.element("Message"), "");
    }
}

/// A client that presigns as the agent does, unless a test says otherwise.
#[derive(Clone)]
pub struct Client {
    /// The bucket.
    pub bucket: Bucket,
    /// The credentials that it signs with.
    pub credentials: Credentials,
    /// The clock that it signs by.
    pub clock: Clock,
    /// How long its URLs are valid.
    pub expires: Duration,
    /// The agent that it connects with.
    pub agent: ureq::Agent,
}

impl Client {
    /// A client of a server.
    pub fn of(server: &Server) -> Self {
        Self::at(&server.endpoint())
    }

    /// A client of the server at an endpoint.
    pub fn at(endpoint: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .into();
        Self {
            bucket: Bucket::new(endpoint.parse().unwrap(), UrlStyle::Path, BUCKET, "us-east-1").unwrap(),
            credentials: Credentials::new(KEY, SECRET),
            clock: Arc::new(Timestamp::now),
            expires: Duration::from_secs(300),
            agent,
        }
    }

    /// PUT.
    pub fn put(&self, key: &str, body: &[u8]) -> Answer {
        self.put_with(key, body, &[])
    }

    /// PUT with these headers, which are signed.
    pub fn put_with(&self, key: &str, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        let mut action = self.bucket.put_object(Some(&self.credentials), key);
        for (name, value) in headers {
            action.headers_mut().insert((*name).to_owned(), (*value).to_owned());
        }
        self.send(&action, headers, body)
    }

    /// GET.
    pub fn get(&self, key: &str) -> Answer {
        self.get_with(key, &[])
    }

    /// GET with these headers.
    pub fn get_with(&self, key: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(&self.bucket.get_object(Some(&self.credentials), key), headers, b"")
    }

    /// HEAD.
    pub fn head(&self, key: &str) -> Answer {
        self.send(&self.bucket.head_object(Some(&self.credentials), key), &[], b"")
    }

    /// DELETE with these headers, which are signed.
    pub fn delete_with(&self, key: &str, headers: &[(&str, &str)]) -> Answer {
        let mut action = self.bucket.delete_object(Some(&self.credentials), key);
        for (name, value) in headers {
            action.headers_mut().insert((*name).to_owned(), (*value).to_owned());
        }
        self.send(&action, headers, b"")
    }

    /// A LIST, version 2, with these parameters.
    pub fn list_raw(&self, parameters: &[(&str, &str)]) -> Answer {
        let mut action = ListObjectsV2::new(&self.bucket, Some(&self.credentials));
        for (name, value) in parameters {
            action.query_mut().insert((*name).to_owned(), (*value).to_owned());
        }
        self.send(&action, &[], b"")
    }

    /// The result of a LIST.
    pub fn list(&self, parameters: &[(&str, &str)]) -> ListObjectsV2Response {
        let answer = self.list_raw(parameters);
        assert_eq!(answer.status, 200, "{}", answer.text());
        ListObjectsV2::parse_response(&answer.text()).unwrap()
    }

    /// Signs an action and sends it.
    pub fn send<'a>(&self, action: &impl S3Action<'a>, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let url = action.sign_with_time(self.expires, &(self.clock)());
        self.raw(method_of(action), url.as_str(), headers, body)
    }

    /// A presigned request to any path and query of the server.
    pub fn presigned(&self, method: Method, path: &str, query: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let url = self.bucket.base_url().join(path).unwrap();
        let (time, life) = ((self.clock)(), self.expires.as_secs());
        let (key, secret, token) = (self.credentials.key(), self.credentials.secret(), self.credentials.token());
        let (query, signed) = (query.iter().copied(), headers.iter().copied());
        let url = rusty_s3::signing::sign(&time, method, url, key, secret, token, "us-east-1", life, query, signed);
        self.raw(method.to_str(), url.as_str(), headers, b"")
    }

    /// The status of a PUT to a server that may die meanwhile.
    pub fn try_put(&self, key: &str, body: &[u8]) -> Result<u16, ureq::Error> {
        let url = self.bucket.put_object(Some(&self.credentials), key).sign(self.expires);
        self.try_raw("PUT", url.as_str(), &[], body).map(|answer| answer.status)
    }

    /// A request to any URL.
    pub fn raw(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_raw(method, url, headers, body).unwrap()
    }

    fn try_raw(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let has_body = method == "PUT" || method == "POST";
        let mut answer =
            if has_body { self.agent.run(request.body(body)?)? } else { self.agent.run(request.body(())?)? };
        Ok(Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: answer.body_mut().with_config().limit(128 << 20).read_to_vec()?,
        })
    }

    /// Sends a request exactly as it is written here, without a body. Returns the whole answer.
    pub fn wire(&self, method: &str, target: &str, headers: &str) -> String {
        let base = self.bucket.base_url();
        let host = format!("{}:{}", base.host_str().unwrap(), base.port().unwrap());
        let mut stream = TcpStream::connect(&host).unwrap();
        write!(stream, "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Sends a request with a header signature. The agent does not use these; other clients do.
    pub fn signed(&self, method: &str, path: &str, headers: &[(&str, &str)], unsigned: &[(&str, &str)]) -> Answer {
        self.signed_body(method, path, ("UNSIGNED-PAYLOAD", b""), headers, unsigned)
    }

    /// The same with a body, and what the signature says of it.
    pub fn signed_body(
        &self,
        method: &str,
        path: &str,
        (payload, body): (&str, &[u8]),
        headers: &[(&str, &str)],
        unsigned: &[(&str, &str)],
    ) -> Answer {
        let base = self.bucket.base_url();
        let host = format!("{}:{}", base.host_str().unwrap(), base.port().unwrap());
        let date = (self.clock)().strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut all = vec![("host", host.as_str()), ("x-amz-content-sha256", payload), ("x-amz-date", &date)];
        all.extend(headers);
        all.sort_unstable();
        let names = all.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines = all.iter().map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>().join("\n");
        let canonical = format!("{method}\n{path}\n\n{lines}\n\n{names}\n{payload}");
        let scope = format!("{}/us-east-1/s3/aws4_request", &date[..8]);
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::checksum(canonical.as_bytes())));
        let mut key = format!("AWS4{}", self.credentials.secret()).into_bytes();
        for part in [&date[..8], "us-east-1", "s3", "aws4_request"] {
            key = hmac(&key, part.as_bytes());
        }
        let signature = hex(&hmac(&key, to_sign.as_bytes()));
        let credential = format!("{}/{scope}", self.credentials.key());
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}");
        all.retain(|(name, _)| *name != "host");
        all.push(("authorization", &authorization));
        all.extend(unsigned);
        self.raw(method, base.join(path).unwrap().as_str(), &all, body)
    }
}

fn method_of<'a, A: S3Action<'a>>(_: &A) -> &'static str {
    A::METHOD.to_str()
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = if key.len() > 64 { Sha256::checksum(key).to_vec() } else { key.to_vec() };
    block.resize(64, 0);
    let pad = |byte: u8| block.iter().map(move |b| b ^ byte).collect::<Vec<_>>();
    let inner = Sha256::checksum(&[&pad(0x36), text].concat());
    Sha256::checksum(&[pad(0x5c), inner.to_vec()].concat()).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Runs `n` threads at once and collects what they return.
pub fn at_once<T: Send + 'static>(n: usize, run: impl Fn(usize) -> T + Send + Sync + 'static) -> Vec<T> {
    let run = Arc::new(run);
    let threads: Vec<_> = (0..n)
        .map(|i| {
            let run = run.clone();
            thread::spawn(move || run(i))
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// Receives the next message, or fails the test.
#[track_caller]
pub fn next<T>(channel: &mpsc::Receiver<T>) -> T {
    channel.recv_timeout(Duration::from_secs(20)).expect("nothing came within 20 s")
}

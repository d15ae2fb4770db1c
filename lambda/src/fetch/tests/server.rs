//! Small servers on free ports of 127.0.0.1, to be fetched from. Their threads end with the test's process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server and how many connections it has had.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// A server that hands each connection, with its number from 0, to `serve`.
    pub(super) fn new(serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, serve) = (connections.clone(), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (number, serve) = (count.fetch_add(1, Ordering::SeqCst), serve.clone());
                thread::spawn(move || serve(stream.unwrap(), number));
            }
        });
        Self { address, connections }
    }

    /// A server that answers the first request with the first text, and so on; the last one again and again.
    pub(super) fn answering(answers: &[&str]) -> Self {
        let answers: Vec<_> = answers.iter().map(ToString::to_string).collect();
        Self::new(move |mut stream, number| {
            request(&mut stream);
            let _ = stream.write_all(answers[number.min(answers.len() - 1)].as_bytes());
        })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A whole answer.
pub(super) fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// A redirect.
pub(super) fn redirect(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
}

/// Reads a request's head.
pub(super) fn request(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Waits until the client has hung up.
pub(super) fn until_closed(mut stream: TcpStream) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

/// A CA of our own.
pub(super) fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// An https server whose certificate is of `authority`, for `name`, valid to the end of `year`; it answers `ok`.
pub(super) fn https(authority: &CertifiedIssuer<'static, KeyPair>, name: &str, year: i32) -> Server {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_string()]).unwrap();
    params.not_after = date_time_ymd(year, 12, 31);
    let certificate = params.signed_by(&key, authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let config = Arc::new(config);
    Server::new(move |stream, _| {
        let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
        if request(&mut stream).is_empty() {
            return;
        }
        let _ = stream.write_all(answer(200, "ok").as_bytes());
    })
}

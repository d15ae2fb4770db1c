//! Crowds without a key that come again as soon as they are closed: an honest client beside them is served in its turn.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pulse_echo_local::s3::{Limits, Options, Server, Tls};
use pulse_echo_testkit::raw_client::{Client, options};
use pulse_echo_testkit::tls::Ca;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rusty_s3::actions::S3Action;
use tempfile::TempDir;
use url::Position;

/// How many come to a server that has 16 places.
const CROWD: usize = 120;
const PUTS: usize = 3;
/// How often an honest client may be closed before it is served. A busy machine may be late with it.
const TRIES: usize = 10;

fn server(tls: Option<Tls>) -> (Server, TempDir) {
    let dir = TempDir::new().unwrap();
    let options = options(&dir);
    let places = Limits { near: 16, ..Limits::default() };
    (Server::start(Options { places, tls: tls.map(Arc::new), ..options }).unwrap(), dir)
}

/// Each of a crowd says something, waits until it is closed, and comes again. It ends when this is dropped.
struct Crowd {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Crowd {
    fn at(server: &Server, says: &[u8]) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let one = || {
            let (is_over, says, address) = (is_over.clone(), says.to_vec(), server.address());
            let come = move || while !is_over.load(Ordering::SeqCst) && wait(address, &says, &is_over).is_err() {};
            thread::Builder::new().stack_size(64 << 10).spawn(come).unwrap()
        };
        let threads = (0..CROWD).map(|_| one()).collect();
        Self { is_over, threads }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

/// Says something and reads until the connection is closed, which is an error, or all is over.
fn wait(address: SocketAddr, says: &[u8], is_over: &AtomicBool) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    stream.write_all(says)?;
    while !is_over.load(Ordering::SeqCst) {
        match stream.read(&mut [0; 4096]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Puts some objects beside a crowd, each on a connection of its own. One that is closed is tried again, as the agent
/// does.
fn assert_served(server: &Server, says: &[u8], trust: Option<&Arc<ClientConfig>>) {
    let _crowd = Crowd::at(server, says);
    let client = Client::of(server);
    let url = client.bucket.put_object(Some(&client.credentials), "pulse/web-1.json").sign(client.expires);
    let (host, path) = (&url[Position::BeforeHost..Position::AfterPort], &url[Position::BeforePath..]);
    let text = format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\n{{}}");
    let put = || {
        let mut stream = TcpStream::connect(server.address())?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut status = [0; 12];
        if let Some(trust) = trust {
            let connection = ClientConnection::new(trust.clone(), ServerName::try_from("localhost").unwrap()).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            stream.write_all(text.as_bytes())?;
            stream.read_exact(&mut status)?;
        } else {
            stream.write_all(text.as_bytes())?;
            stream.read_exact(&mut status)?;
        }
        Ok::<_, io::Error>(status)
    };
    for _ in 0..PUTS {
        let status = (0..TRIES).find_map(|_| put().ok()).expect("it is closed again and again");
        assert_eq!(&status, b"HTTP/1.1 200", "{}", String::from_utf8_lossy(&status));
    }
}

#[test]
fn an_honest_put_is_served_beside_a_crowd_that_is_refused_or_says_nothing() {
    let (server, _dir) = server(None);
    for says in ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", ""] {
        assert_served(&server, says.as_bytes(), None);
    }
}

#[test]
fn an_honest_put_is_served_beside_a_crowd_that_stalls_in_its_handshake() {
    let (folder, ca) = (TempDir::new().unwrap(), Ca::new("ours"));
    let (certificate, key) = ca.pem_of(&["localhost"]);
    let [certificate, key] = [("server.pem", certificate), ("server.key", key)].map(|(name, text)| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file
    });
    let (server, _dir) = server(Some(Tls::read(&certificate, &key).unwrap()));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trust = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let trust = Arc::new(trust.with_root_certificates(roots).with_no_client_auth());
    let name = ServerName::try_from("localhost").unwrap();
    let mut hello = Vec::new();
    ClientConnection::new(trust.clone(), name).unwrap().write_tls(&mut hello).unwrap();
    assert_served(&server, &hello, Some(&trust));
}

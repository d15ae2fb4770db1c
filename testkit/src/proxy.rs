//! A CONNECT proxy.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::server::read_head;

/// A proxy on a free port. It lets everybody through to one place, whatever they asked for, or nobody.
pub struct Proxy {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Connects everybody to `there`, a port of this machine.
    pub fn to(there: u16) -> Self {
        Self::start(move |client| {
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
            let server = TcpStream::connect(("127.0.0.1", there)).unwrap();
            let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || io::copy(&mut from_client, &mut to_server));
            let _ = io::copy(&mut { server }, client);
        })
    }

    /// Refuses everybody with this status line.
    pub fn refusing(status: &'static str) -> Self {
        Self::start(move |client| {
            write!(client, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
        })
    }

    /// Never answers.
    pub fn silent() -> Self {
        Self::start(|client| {
            let _ = io::copy(client, &mut io::sink());
        })
    }

    fn start(act: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (seen, act) = (heads.clone(), Arc::new(act));
        thread::spawn(move || {
            for client in listener.incoming() {
                let (mut client, seen, act) = (client.unwrap(), seen.clone(), act.clone());
                thread::spawn(move || {
                    let head = read_head(&mut client);
                    if !head.is_empty() {
                        seen.lock().unwrap().push(head);
                        act(&mut client);
                    }
                });
            }
        });
        Self { port, heads }
    }

    /// Its address, with a user and a password in it.
    pub fn url(&self) -> String {
        format!("http://user:s3cr3t-of-the-proxy@127.0.0.1:{}", self.port)
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

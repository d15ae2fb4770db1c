//! A proxy: for CONNECT, and for requests with a whole address.

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
        Self::start(move |client, head| {
            let mut server = TcpStream::connect(("127.0.0.1", there)).unwrap();
            match forwarded(head) {
                None => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap(),
                Some(head) => server.write_all(head.as_bytes()).unwrap(),
            }
            let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || io::copy(&mut from_client, &mut to_server));
            let _ = io::copy(&mut server, client);
        })
    }

    /// Refuses everybody with this status line.
    pub fn refusing(status: &'static str) -> Self {
        Self::start(move |client, _| {
            write!(client, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
        })
    }

    /// Never answers.
    pub fn silent() -> Self {
        Self::start(|client, _| {
            let _ = io::copy(client, &mut io::sink());
        })
    }

    fn start(act: impl Fn(&mut TcpStream, &str) + Send + Sync + 'static) -> Self {
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
                        seen.lock().unwrap().push(head.clone());
                        act(&mut client, &head);
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

/// The head of a request as a server gets it: without the server's name in the first line, and without what is the
/// proxy's; `None` for CONNECT.
fn forwarded(head: &str) -> Option<String> {
    let (method, rest) = head.split_once(" http://")?;
    let (_, rest) = rest.split_once('/')?;
    let lines = rest.split_inclusive('\n').filter(|line| !line.starts_with("Proxy-Authorization:"));
    Some(format!("{method} /{}", lines.collect::<String>()))
}

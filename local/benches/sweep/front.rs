//! A proxy before the S3 that counts requests by kind.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// How many requests passed, by kind.
#[derive(Default)]
pub(crate) struct Requests {
    pub(crate) list: usize,
    pub(crate) get: usize,
    pub(crate) put: usize,
    /// The bytes of the last `status.json` that was put.
    pub(crate) status: usize,
}

#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<Mutex<Requests>>);

impl Counter {
    /// The requests since the last call.
    pub(crate) fn take(&self) -> Requests {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn count(&self, line: &str, length: usize) {
        let mut requests = self.0.lock().unwrap();
        match line.split_once(' ') {
            Some(("GET", rest)) if rest.contains("list-type=2") => requests.list += 1,
            Some(("GET", _)) => requests.get += 1,
            Some(("PUT", rest)) => {
                requests.put += 1;
                if rest.contains("/status.json?") {
                    requests.status = length;
                }
            }
            other => panic!("nobody asks {other:?}"),
        }
    }
}

pub(crate) struct Front {
    address: SocketAddr,
    pub(crate) requests: Counter,
}

impl Front {
    /// A proxy on a free port, for the life of the process.
    pub(crate) fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let front = Self { address: listener.local_addr().unwrap(), requests: Counter::default() };
        let requests = front.requests.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, requests) = (client.unwrap(), requests.clone());
                thread::spawn(move || pass(&client, &TcpStream::connect(server).unwrap(), &requests));
            }
        });
        front
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Passes requests one way and answers the other, until the client hangs up.
fn pass(client: &TcpStream, server: &TcpStream, requests: &Counter) {
    for stream in [client, server] {
        stream.set_nodelay(true).unwrap();
    }
    let (mut answers, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || io::copy(&mut answers, &mut to_client).and_then(|_| to_client.shutdown(Shutdown::Both)));
    let mut from_client = BufReader::with_capacity(64 * 1024, client);
    let mut to_server = server;
    while let Ok(Some((head, length))) = head(&mut from_client) {
        requests.count(&head, length);
        let passed = to_server
            .write_all(head.as_bytes())
            .and_then(|()| io::copy(&mut (&mut from_client).take(length as u64), &mut to_server));
        if passed.is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}

/// A request's head, and the length of its body; `None` at the end.
fn head(from: &mut impl BufRead) -> io::Result<Option<(String, usize)>> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let start = head.len();
        if from.read_line(&mut head)? == 0 {
            return Ok(None);
        }
        let line = &head[start..];
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            return Ok(Some((head, length)));
        }
    }
}

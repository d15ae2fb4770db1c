//! What lies between a process and the store: TCP connections that a test closes, or lets go dead.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes connections on to one place.
pub struct Gate {
    /// Where it listens.
    pub address: SocketAddr,
    passed: Arc<Mutex<Vec<Passed>>>,
}

/// A connection that was passed on.
struct Passed {
    client: TcpStream,
    server: TcpStream,
    is_dead: Arc<AtomicBool>,
}

impl Gate {
    /// Passes all connections on to `there`.
    pub fn to(there: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let passed = Arc::new(Mutex::new(Vec::new()));
        let all = passed.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(there).unwrap());
                let is_dead = Arc::new(AtomicBool::new(false));
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to, is_dead) = (from.try_clone().unwrap(), to.try_clone().unwrap(), is_dead.clone());
                    thread::spawn(move || pass(from, to, &is_dead));
                }
                all.lock().unwrap().push(Passed { client, server, is_dead });
            }
        });
        Self { address, passed }
    }

    /// Its address as a store's.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections it has passed on.
    pub fn connections(&self) -> usize {
        self.passed.lock().unwrap().len()
    }

    /// Closes all connections, as a server does that has waited for long enough.
    pub fn close(&self) {
        for Passed { client, server, .. } in &*self.passed.lock().unwrap() {
            let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
        }
    }

    /// From now on nothing goes over the present connections, and neither side hears of that: so it is after a sandbox
    /// was frozen for longer than the network remembers.
    pub fn let_die(&self) {
        for Passed { is_dead, .. } in &*self.passed.lock().unwrap() {
            is_dead.store(true, Ordering::SeqCst);
        }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, is_dead: &AtomicBool) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        if !is_dead.load(Ordering::SeqCst) && to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    if !is_dead.load(Ordering::SeqCst) {
        let _ = to.shutdown(Shutdown::Write);
    }
}

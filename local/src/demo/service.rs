//! The demo's own web service, which can break.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use tiny_http::{Response, Server};

/// Answers `ok`, or 500 while it is broken; ends when dropped.
pub struct Service {
    server: Arc<Server>,
    is_broken: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    /// Starts on a free port of 127.0.0.1.
    pub fn start() -> io::Result<Self> {
        let server = Arc::new(Server::http("127.0.0.1:0").map_err(io::Error::other)?);
        let is_broken = Arc::new(AtomicBool::new(false));
        let (answering, broken) = (server.clone(), is_broken.clone());
        let thread = thread::spawn(move || {
            for request in answering.incoming_requests() {
                let response = if broken.load(Ordering::SeqCst) {
                    Response::from_string("the database is away").with_status_code(500)
                } else {
                    Response::from_string("ok")
                };
                // Whoever asked may be gone; that is their concern.
                let _ = request.respond(response);
            }
        });
        Ok(Self { server, is_broken, thread: Some(thread) })
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}/health", self.server.server_addr())
    }

    /// From now on it answers 500.
    pub fn breaks(&self) {
        self.is_broken.store(true, Ordering::SeqCst);
    }

    /// From now on it answers `ok`.
    pub fn mended(&self) {
        self.is_broken.store(false, Ordering::SeqCst);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.server.unblock();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

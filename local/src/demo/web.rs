//! The demo's own web services: a service that can break, and a webhook that gets the messages.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::Deserialize;
use tiny_http::{Request, Response, Server};

/// A web server on a free port of 127.0.0.1; ends when dropped.
struct Listener {
    server: Arc<Server>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    fn start(answer: impl Fn(Request) + Send + 'static) -> io::Result<Self> {
        let server = Arc::new(Server::http("127.0.0.1:0").map_err(io::Error::other)?);
        let answering = server.clone();
        let thread = thread::spawn(move || answering.incoming_requests().for_each(answer));
        Ok(Self { server, thread: Some(thread) })
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.server.server_addr())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.server.unblock();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Answers `ok`, or 500 while broken.
pub struct Service {
    listener: Listener,
    is_broken: Arc<AtomicBool>,
}

impl Service {
    /// Starts the service.
    pub fn start() -> io::Result<Self> {
        let is_broken = Arc::new(AtomicBool::new(false));
        let broken = is_broken.clone();
        let listener = Listener::start(move |request| {
            let response = if broken.load(Ordering::SeqCst) {
                Response::from_string("the database is away").with_status_code(500)
            } else {
                Response::from_string("ok")
            };
            // A client that has hung up is not an error.
            let _ = request.respond(response);
        })?;
        Ok(Self { listener, is_broken })
    }

    /// The address of the service.
    pub fn url(&self) -> String {
        self.listener.url("health")
    }

    /// Makes it answer 500 from now on.
    pub fn breaks(&self) {
        self.is_broken.store(true, Ordering::SeqCst);
    }

    /// Makes it answer `ok` from now on.
    pub fn mended(&self) {
        self.is_broken.store(false, Ordering::SeqCst);
    }
}

/// A message that the loop posts to `WEBHOOK_URL`, as much of it as the demo reads.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// The whole message for people, in several lines.
    pub text: String,
    events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
struct Event {
    kind: String,
    state: Option<String>,
}

impl Message {
    /// Whether it tells, for the first time or again, that a check is in this state.
    pub fn is_about(&self, state: &str) -> bool {
        let tells = ["down", "still-down", "up", "was-down"];
        self.events.iter().any(|event| tells.contains(&event.kind.as_str()) && event.state.as_deref() == Some(state))
    }
}

/// A webhook that keeps what is posted to it.
pub struct Webhook {
    listener: Listener,
    posted: Receiver<Message>,
}

impl Webhook {
    /// Starts the webhook.
    pub fn start() -> io::Result<Self> {
        let (post, posted) = mpsc::channel();
        let listener = Listener::start(move |mut request| {
            let message = serde_json::from_reader(request.as_reader());
            let status = if message.is_ok() { 204 } else { 400 };
            if let Ok(message) = message {
                // Once the demo ends, nobody waits for it.
                let _ = post.send(message);
            }
            let _ = request.respond(Response::empty(status));
        })?;
        Ok(Self { listener, posted })
    }

    /// The address to post to.
    pub fn url(&self) -> String {
        self.listener.url("alerts")
    }

    /// The next message, if one comes within this time.
    pub fn next(&self, within: Duration) -> Option<Message> {
        self.posted.recv_timeout(within).ok()
    }
}

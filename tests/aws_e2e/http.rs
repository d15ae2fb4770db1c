//! A service that the probe asks, and a webhook that takes alerts.

use std::io::Write;
use std::sync::{Arc, Mutex};

use pulse_echo_testkit::server::{Server, answer, read_body, read_head};

/// Answers each GET with "ok" where its path is `/ok`, else with 503; keeps the bodies of POSTs.
pub struct Web {
    /// Its address, without a slash at its end.
    pub address: String,
    posts: Arc<Mutex<Vec<String>>>,
}

impl Web {
    pub fn start() -> Self {
        let posts = Arc::<Mutex<Vec<String>>>::default();
        let kept = posts.clone();
        let server = Server::new(move |mut stream, _| {
            let head = read_head(&mut stream);
            let is_post = head.starts_with("POST");
            if is_post {
                let body = read_body(&mut stream, &head);
                kept.lock().unwrap().push(String::from_utf8_lossy(&body).into_owned());
            }
            let status = if is_post || head.starts_with("GET /ok ") { 200 } else { 503 };
            let _ = stream.write_all(answer(status, "ok").as_bytes());
        });
        Self { address: server.endpoint(), posts }
    }

    /// What has been posted so far.
    pub fn posts(&self) -> Vec<String> {
        self.posts.lock().unwrap().clone()
    }
}

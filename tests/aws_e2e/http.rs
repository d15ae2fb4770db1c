//! A service that the probe asks, and a webhook that takes alerts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

/// Answers each GET with "ok" where its path is `/ok`, else with 503; keeps the bodies of POSTs.
pub struct Web {
    /// Its address, without a slash at its end.
    pub address: String,
    posts: Arc<Mutex<Vec<String>>>,
}

impl Web {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let posts = Arc::new(Mutex::new(Vec::new()));
        let kept = posts.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = kept.clone();
                thread::spawn(move || {
                    let mut reader = BufReader::new(&stream);
                    let (mut first, mut length) = (String::new(), 0);
                    let _ = reader.read_line(&mut first);
                    loop {
                        let mut line = String::new();
                        if reader.read_line(&mut line).is_err() || line.trim().is_empty() {
                            break;
                        }
                        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                            length = value.trim().parse().unwrap_or(0);
                        }
                    }
                    let mut body = vec![0; length];
                    let _ = reader.read_exact(&mut body);
                    if first.starts_with("POST") {
                        kept.lock().unwrap().push(String::from_utf8_lossy(&body).into_owned());
                    }
                    let healthy = first.starts_with("GET /ok ") || first.starts_with("POST");
                    let status = if healthy { "200 OK" } else { "503 Service Unavailable" };
                    let _ = write!(&stream, "HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
                });
            }
        });
        Self { address, posts }
    }

    /// What has been posted so far.
    pub fn posts(&self) -> Vec<String> {
        self.posts.lock().unwrap().clone()
    }
}

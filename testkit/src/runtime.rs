//! AWS Lambda as its runtime sees it: a small server with the Runtime API.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::server::{read_body, read_head};

/// Lambda: sends events and receives answers.
pub struct Lambda {
    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    pub address: String,
    events: Sender<Value>,
    answers: Receiver<(String, Value)>,
}

impl Lambda {
    /// Starts it on a free port.
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (events, next) = mpsc::channel();
        let (answer, answers) = mpsc::channel();
        thread::spawn(move || {
            // A runtime asks one thing after the other, over one connection or several.
            for stream in listener.incoming() {
                serve(stream.unwrap(), &next, &answer);
            }
        });
        Self { address, events, answers }
    }

    /// Sends an event and waits for its answer: `response` or `error`, and its body.
    #[track_caller]
    pub fn invoke(&self, event: Value) -> (String, Value) {
        self.events.send(event).unwrap();
        self.answers.recv_timeout(Duration::from_secs(30)).expect("an answer comes")
    }
}

fn serve(mut stream: TcpStream, next: &Receiver<Value>, answer: &Sender<(String, Value)>) {
    loop {
        let head = read_head(&mut stream);
        let Some(line) = head.lines().next() else { return };
        if line.starts_with("GET /2018-06-01/runtime/invocation/next ") {
            // Without a next event, the test has ended.
            let Ok(event) = next.recv() else { return };
            let end = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(90);
            let body = event.to_string();
            let headers = format!(
                "lambda-runtime-aws-request-id: request-1\r\nlambda-runtime-deadline-ms: {}\r\n\
                 lambda-runtime-invoked-function-arn: arn\r\ncontent-length: {}\r\n",
                end.as_millis(),
                body.len()
            );
            write!(stream, "HTTP/1.1 200 OK\r\n{headers}\r\n{body}").unwrap();
        } else {
            let path = line.strip_prefix("POST /2018-06-01/runtime/invocation/request-1/").expect(line);
            let kind = path.split(' ').next().unwrap().to_string();
            let body = read_body(&mut stream, &head);
            write!(stream, "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").unwrap();
            answer.send((kind, serde_json::from_slice(&body).unwrap())).unwrap();
        }
    }
}

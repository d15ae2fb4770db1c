//! AWS Lambda as its runtime sees it: a small server with the Runtime API.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::plain::assert_plain;
use crate::server::{header, read_body, read_head};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Lambda: sends events and receives answers.
pub struct Lambda {
    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    pub address: String,
    events: Sender<Invocation>,
    posts: Receiver<Post>,
}

/// An event and its context.
pub struct Invocation {
    /// The event.
    pub event: Value,
    /// The id of the request. Lambda's own retry of an event has the same one.
    pub id: String,
    /// How much time is left when the event is given.
    pub time: Duration,
}

impl Invocation {
    /// An event with the time that the probe has on Lambda.
    pub fn new(event: Value) -> Self {
        Self { event, id: "request-1".into(), time: Duration::from_secs(90) }
    }
}

/// What the runtime posts.
#[derive(Debug)]
struct Post {
    /// The path below `/2018-06-01/runtime/`.
    path: String,
    /// `Lambda-Runtime-Function-Error-Type`.
    error_type: Option<String>,
    body: Value,
}

impl Lambda {
    /// Starts it on a free port.
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (events, next) = mpsc::channel();
        let (post, posts) = mpsc::channel();
        thread::spawn(move || {
            // A runtime asks one thing after the other, over one connection or several.
            for stream in listener.incoming() {
                serve(stream.unwrap(), &next, &post);
            }
        });
        Self { address, events, posts }
    }

    /// Sends an event and waits for its answer: `response` or `error`, and its body.
    #[track_caller]
    pub fn invoke(&self, event: Value) -> (String, Value) {
        self.give(Invocation::new(event))
    }

    /// As [`Self::invoke`], with this context.
    #[track_caller]
    pub fn give(&self, invocation: Invocation) -> (String, Value) {
        let answered = format!("invocation/{}/", invocation.id);
        self.events.send(invocation).unwrap();
        let post = self.posts.recv_timeout(PATIENCE).expect("an answer comes");
        assert_plain(&post.body.to_string());
        let kind = post.path.strip_prefix(&answered).unwrap_or_else(|| panic!("{post:?} answers another event"));
        (kind.into(), post.body)
    }

    /// Waits for what keeps the runtime from starting: the header with the type of the error, and the error.
    #[track_caller]
    pub fn init_error(&self) -> (String, Value) {
        let post = self.posts.recv_timeout(PATIENCE).expect("an error comes");
        assert_eq!(post.path, "init/error");
        assert_plain(&post.body.to_string());
        (post.error_type.expect("the error has a type"), post.body)
    }
}

fn serve(mut stream: TcpStream, next: &Receiver<Invocation>, posts: &Sender<Post>) {
    loop {
        let head = read_head(&mut stream);
        let Some(line) = head.lines().next() else { return };
        let (method, path) = line.split_once(" /2018-06-01/runtime/").expect(line);
        let path = path.split(' ').next().unwrap();
        if (method, path) == ("GET", "invocation/next") {
            // The test has ended if there is no more.
            let Ok(Invocation { event, id, time }) = next.recv() else { return };
            let end = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + time;
            let body = event.to_string();
            let headers = format!(
                "lambda-runtime-aws-request-id: {id}\r\nlambda-runtime-deadline-ms: {}\r\n\
                 lambda-runtime-invoked-function-arn: arn\r\ncontent-length: {}\r\n",
                end.as_millis(),
                body.len()
            );
            write!(stream, "HTTP/1.1 200 OK\r\n{headers}\r\n{body}").unwrap();
        } else {
            assert_eq!(method, "POST", "{line}");
            let error_type = header(&head, "lambda-runtime-function-error-type").map(String::from);
            let body = serde_json::from_slice(&read_body(&mut stream, &head)).unwrap();
            write!(stream, "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").unwrap();
            posts.send(Post { path: path.into(), error_type, body }).unwrap();
        }
    }
}

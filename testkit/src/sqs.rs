//! A small SQS: one standard queue that speaks AWS's JSON protocol, and does to messages what a test tells it to.

use std::collections::VecDeque;
use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use pulse_echo_core::store::Clock;
use serde_json::{Value, json};

use crate::server::{Server, answer, header, read_body, read_head};
use crate::signature;
use crate::store::{ACCESS_KEY, SECRET_KEY};

/// The path of the queue.
const PATH: &str = "123456789012/ticks";

/// The longest delay that SQS takes, in seconds.
const LONGEST_DELAY_S: u64 = 900;

/// How long a message that was received is hidden.
const VISIBILITY: Duration = Duration::from_secs(360);

/// What becomes of a request instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection breaks before anything is done.
    NotDone,
    /// It is done, and the answer is lost.
    Lost,
    /// It is refused with this status, this type of error and this sentence.
    Refused(u16, &'static str, &'static str),
    /// The message is taken, and comes twice.
    Doubled,
    /// The message is taken, and never comes.
    Vanished,
    /// The answer is a page that SQS did not write.
    Strange,
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Its body.
    pub body: String,
    /// For how many seconds it is kept back.
    pub delay_s: u64,
    /// From when on it can be received.
    pub due: Timestamp,
}

/// The queue.
pub struct Sqs {
    server: Server,
    state: Arc<Mutex<State>>,
    clock: Clock,
}

struct State {
    clock: Clock,
    /// For how long a purge eats what is sent after it.
    eats: Duration,
    queue: Vec<Message>,
    sent: Vec<Message>,
    calls: Vec<String>,
    faults: VecDeque<Fault>,
    purged: Option<Timestamp>,
    count: usize,
}

impl Sqs {
    /// An empty queue whose time is the real one.
    pub fn new() -> Self {
        Self::with_clock(Arc::new(Timestamp::now))
    }

    /// An empty queue with a clock of the test's own.
    pub fn with_clock(clock: Clock) -> Self {
        let state = State {
            clock: clock.clone(),
            eats: Duration::from_secs(60),
            queue: Vec::new(),
            sent: Vec::new(),
            calls: Vec::new(),
            faults: VecDeque::new(),
            purged: None,
            count: 0,
        };
        let state = Arc::new(Mutex::new(state));
        let of_server = state.clone();
        let server = Server::new(move |mut stream, _| serve(&mut stream, &of_server));
        Self { server, state, clock }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// What `QUEUE_URL` is set to.
    pub fn url(&self) -> String {
        format!("{}{PATH}", self.server.url())
    }

    /// What `AWS_ENDPOINT_URL_SQS` is set to.
    pub fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// The next requests meet these faults, one each.
    pub fn faults(&self, faults: &[Fault]) {
        self.state().faults.extend(faults.iter().cloned());
    }

    /// The actions that were asked for since this was last called, such as `SendMessage`.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state().calls)
    }

    /// What was taken since this was last called, whatever became of it.
    pub fn sent(&self) -> Vec<Message> {
        std::mem::take(&mut self.state().sent)
    }

    /// Puts a message into the queue that no purge has taken.
    pub fn put(&self, body: &str) {
        let mut state = self.state();
        let purged = state.purged.take();
        state.take(body, 0, false);
        state.purged = purged;
    }

    /// All messages that can be received now; they are then no longer in the queue, but for [`Self::give_again`].
    pub fn receive(&self) -> Vec<Message> {
        let now = (self.clock)();
        let mut state = self.state();
        let (due, later) = std::mem::take(&mut state.queue).into_iter().partition(|message| message.due <= now);
        state.queue = later;
        due
    }

    /// Messages whose batch failed: they come again when they are no longer hidden, after six time-outs of the loop.
    pub fn give_again(&self, messages: Vec<Message>) {
        let due = (self.clock)() + VISIBILITY;
        self.state().queue.extend(messages.into_iter().map(|message| Message { due, ..message }));
    }

    /// Waits for messages, in real time at most this long; none came if it is empty.
    pub fn wait(&self, longest: Duration) -> Vec<Message> {
        let started = std::time::Instant::now();
        loop {
            let messages = self.receive();
            if !messages.is_empty() || started.elapsed() > longest {
                return messages;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// How many messages there are, kept back or not.
    pub fn len(&self) -> usize {
        self.state().queue.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl State {
    fn take(&mut self, body: &str, delay_s: u64, doubled: bool) -> String {
        self.count += 1;
        let id = format!("059f36b4-87a3-44ab-83d2-{:012}", self.count);
        let now = (self.clock)();
        let due = now + Duration::from_secs(delay_s);
        let message = Message { id: id.clone(), body: body.into(), delay_s, due };
        self.sent.push(message.clone());
        let is_eaten = self.purged.is_some_and(|purged| now < purged + self.eats);
        if !is_eaten {
            let copies = if doubled { 2 } else { 1 };
            self.queue.extend(std::iter::repeat_n(message, copies));
        }
        id
    }
}

/// The event that Lambda's poller makes of messages, as AWS documents it.
pub fn event(messages: &[Message]) -> Value {
    let record = |message: &Message| {
        json!({
            "messageId": message.id,
            "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
            "body": message.body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1545082649183",
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": "1545082649185"
            },
            "messageAttributes": {},
            "md5OfBody": "098f6bcd4621d373cade4e832627b4f6",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:ticks",
            "awsRegion": "us-east-1"
        })
    };
    json!({"Records": messages.iter().map(record).collect::<Vec<_>>()})
}

fn serve(stream: &mut TcpStream, state: &Mutex<State>) {
    let head = read_head(stream);
    if head.is_empty() {
        return;
    }
    let body = read_body(stream, &head);
    if let Some(text) = answer_to(&head, &body, &mut state.lock().unwrap()) {
        let _ = stream.write_all(text.as_bytes());
    }
}

/// The answer; none breaks the connection.
fn answer_to(head: &str, body: &[u8], state: &mut State) -> Option<String> {
    let error = |status, code: &str, message: &str| {
        Some(answer(status, &json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": message}).to_string()))
    };
    let target = header(head, "x-amz-target").unwrap_or_default();
    let Some(action) = target.strip_prefix("AmazonSQS.").map(String::from) else {
        return error(404, "UnknownOperationException", "");
    };
    state.calls.push(action.clone());
    if !head.starts_with("POST / HTTP/1.1\r\n") || header(head, "content-type") != Some("application/x-amz-json-1.0") {
        return error(400, "InvalidRequest", "not a request of the JSON protocol");
    }
    if let Err(why) = is_signed(head, body) {
        return error(403, "InvalidSignatureException", &why);
    }
    let asked: Value = serde_json::from_slice(body).unwrap();
    let url = asked["QueueUrl"].as_str().unwrap_or_default();
    if url.split('/').skip(3).collect::<Vec<_>>().join("/") != PATH {
        return error(400, "QueueDoesNotExist", "The specified queue does not exist.");
    }
    let fault = state.faults.pop_front();
    match &fault {
        Some(Fault::NotDone) => return None,
        Some(Fault::Refused(status, code, message)) => return error(*status, code, message),
        Some(Fault::Strange) => return Some(answer(200, "<html>Sign in</html>")),
        _ => {}
    }
    let done = match action.as_str() {
        "SendMessage" => match asked["DelaySeconds"].as_u64() {
            Some(delay_s) if delay_s <= LONGEST_DELAY_S => {
                let id = state.take(asked["MessageBody"].as_str().unwrap(), delay_s, fault == Some(Fault::Doubled));
                if fault == Some(Fault::Vanished) {
                    state.queue.retain(|message| message.id != id);
                }
                json!({"MessageId": id, "MD5OfMessageBody": "098f6bcd4621d373cade4e832627b4f6"})
            }
            _ => return error(400, "InvalidParameterValue", "Value for parameter DelaySeconds is invalid."),
        },
        "PurgeQueue" => {
            let now = (state.clock)();
            if state.purged.is_some_and(|purged| now < purged + Duration::from_secs(60)) {
                return error(
                    403,
                    "PurgeQueueInProgress",
                    "Only one PurgeQueue operation is allowed every 60 seconds.",
                );
            }
            (state.purged, state.queue) = (Some(now), Vec::new());
            json!({})
        }
        _ => return error(400, "UnknownOperationException", ""),
    };
    (fault != Some(Fault::Lost)).then(|| answer(200, &done.to_string()))
}

/// Whether the request is signed, with what it asks for in the signature.
fn is_signed(head: &str, body: &[u8]) -> Result<(), String> {
    let authorization = header(head, "authorization").ok_or("it is not signed")?;
    let expected = signature::authorization(head, body, (ACCESS_KEY, SECRET_KEY), "us-east-1/sqs")?;
    if !expected.contains(";x-amz-target,") {
        return Err("the action is not signed".into());
    }
    if authorization == expected { Ok(()) } else { Err(format!("it is signed {authorization}, not {expected}")) }
}

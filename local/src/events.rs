//! Events for new objects, delivered as S3 delivers them to AWS Lambda.
//!
//! Each PUT to `pulse/…` or `loop/….lambda` becomes an event, which the store records in the PUT's own transaction.
//! Here the handler gets it, again if that fails, and when it is dealt with it is removed from the store. So no event
//! is lost, even if the process is killed. Some may come twice, and in any order. S3 promises no more.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::s3::notification::Kind;
use crate::s3::store::{Pending, Store};
use crate::s3::{Server, url_encoded};

/// How events are handled. The default is as in the deployment on AWS.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long the handler may take for an object under `pulse/`; 90 s.
    pub probe_time: Duration,
    /// How long the handler may take for `loop/….lambda`; 60 s.
    pub loop_time: Duration,
    /// The waits before each further try of a failed event; after the last try it is dropped. 1 and 2 minutes.
    pub retries: Vec<Duration>,
    /// How many handlers may run at once, each on its own thread; 64.
    pub concurrency: usize,
    /// How long [`Dispatcher::stop`] waits for running handlers; 10 s.
    pub stop_grace: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            probe_time: Duration::from_secs(90),
            loop_time: Duration::from_secs(60),
            retries: vec![Duration::from_secs(60), Duration::from_secs(120)],
            concurrency: 64,
            stop_grace: Duration::from_secs(10),
        }
    }
}

/// Delivers a server's events to a handler, on its own threads. Dropping it stops it.
pub struct Dispatcher {
    messages: Sender<Message>,
    running: Arc<AtomicUsize>,
    coordinator: Option<JoinHandle<()>>,
}

impl Dispatcher {
    /// Starts with the events that wait in the store, then delivers each new event as it comes.
    ///
    /// `handler` gets the kind of the matching rule, one S3 event (`{"Records": [one record]}`, as AWS sends it) and
    /// the time by which it must return: nothing can stop it. An `Err` is a failed try, and so is a panic (unless
    /// panics abort).
    ///
    /// A server has one dispatcher at a time: a later dispatcher takes over. Without a dispatcher, events wait in the
    /// store.
    pub fn start(
        server: &Server,
        options: Options,
        handler: impl Fn(Kind, Value, Instant) -> Result<(), String> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (messages, inbox) = mpsc::channel();
        let running = Arc::new(AtomicUsize::new(0));
        let coordinator = Coordinator {
            store: server.store().clone(),
            region: server.region().to_owned(),
            bucket: server.bucket().to_owned(),
            options,
            handler: Arc::new(handler),
            messages: messages.clone(),
            waiting: BTreeMap::new(),
            running: running.clone(),
        };
        let coordinator = thread::Builder::new().name("events".to_owned()).spawn(move || coordinator.run(&inbox))?;
        let events = messages.clone();
        server.store().listen(Box::new(move |event| {
            // A dispatcher that has stopped leaves its events in the store, for the next one.
            let _ = events.send(Message::New(event));
        }));
        Ok(Self { messages, running, coordinator: Some(coordinator) })
    }

    /// How many handlers run now.
    pub fn under_way(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// Starts no more handlers and waits up to [`Options::stop_grace`] for those that run. Unfinished events stay in
    /// the store.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Dispatcher {
    fn drop(&mut self) {
        let _ = self.messages.send(Message::Stop);
        if let Some(coordinator) = self.coordinator.take() {
            let _ = coordinator.join();
        }
    }
}

type Handler = dyn Fn(Kind, Value, Instant) -> Result<(), String> + Send + Sync;

enum Message {
    New(Pending),
    Done(Attempt, Result<(), String>),
    Stop,
}

#[derive(Clone)]
struct Attempt {
    event: Pending,
    /// How many tries have failed so far.
    failed: usize,
}

/// The only thread that decides. Handlers run on other threads and report back.
struct Coordinator {
    store: Arc<Store>,
    region: String,
    bucket: String,
    options: Options,
    handler: Arc<Handler>,
    messages: Sender<Message>,
    /// Sorted by due time, then by age.
    waiting: BTreeMap<(Instant, u64), Attempt>,
    /// Changed only by this thread.
    running: Arc<AtomicUsize>,
}

impl Coordinator {
    fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            self.start_due();
            let message = match self.next_due() {
                // We hold a sender, so the inbox is never closed.
                None => inbox.recv().ok(),
                Some(wait) => inbox.recv_timeout(wait).ok(),
            };
            match message {
                None => {}
                Some(Message::New(event)) => self.wait_until(Instant::now(), Attempt { event, failed: 0 }),
                Some(Message::Done(attempt, result)) => self.done(attempt, result),
                Some(Message::Stop) => break,
            }
        }
        let end = Instant::now() + self.options.stop_grace;
        while self.running() > 0 {
            match inbox.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(Message::Done(attempt, result)) => self.done(attempt, result),
                Ok(Message::New(_) | Message::Stop) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    log::warn!("{} event handlers are still running and are left behind", self.running());
                    return;
                }
            }
        }
    }

    fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// How long until something can start; `None` if only a message can change that.
    fn next_due(&self) -> Option<Duration> {
        let ((due, _), _) = self.waiting.first_key_value()?;
        (self.running() < self.options.concurrency).then(|| due.saturating_duration_since(Instant::now()))
    }

    fn start_due(&mut self) {
        while self.next_due().is_some_and(|wait| wait.is_zero()) {
            if let Some((_, attempt)) = self.waiting.pop_first() {
                self.start(attempt);
            }
        }
    }

    fn start(&mut self, attempt: Attempt) {
        let kind = attempt.event.kind;
        let time = match kind {
            Kind::Probe => self.options.probe_time,
            Kind::Loop => self.options.loop_time,
        };
        let record = json!({ "Records": [self.record(&attempt.event)] });
        let (handler, messages) = (self.handler.clone(), self.messages.clone());
        self.running.fetch_add(1, Ordering::Relaxed);
        let name = format!("event-{}", attempt.event.number);
        let unstarted = attempt.clone();
        let spawned = thread::Builder::new().name(name).spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| handler(kind, record, Instant::now() + time)));
            let result = result.unwrap_or_else(|_| Err("the handler panicked".to_owned()));
            let _ = messages.send(Message::Done(attempt, result));
        });
        if let Err(e) = spawned {
            self.done(unstarted, Err(format!("no thread for the handler: {e}")));
        }
    }

    fn done(&mut self, attempt: Attempt, result: Result<(), String>) {
        self.running.fetch_sub(1, Ordering::Relaxed);
        let Attempt { event, failed } = attempt;
        let Err(error) = result else {
            return self.store.strike(event.number);
        };
        if let Some(&wait) = self.options.retries.get(failed) {
            log::warn!("handling the event of {:?} failed, next try in {wait:?}: {error}", event.key);
            self.wait_until(Instant::now() + wait, Attempt { event, failed: failed + 1 });
        } else {
            log::error!("handling the event of {:?} failed {} times, it is dropped: {error}", event.key, failed + 1);
            self.store.strike(event.number);
        }
    }

    fn wait_until(&mut self, due: Instant, attempt: Attempt) {
        self.waiting.insert((due, attempt.event.number), attempt);
    }

    /// As in AWS's "Event message structure", version 2.1.
    fn record(&self, event: &Pending) -> Value {
        let time = Timestamp::from_millisecond(event.time_ms).unwrap_or_default();
        let rule = match event.kind {
            Kind::Probe => "probe",
            Kind::Loop => "loop",
        };
        json!({
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": self.region,
            "eventTime": time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            "eventName": "ObjectCreated:Put",
            "userIdentity": { "principalId": "AWS:local" },
            "requestParameters": { "sourceIPAddress": event.origin.source_ip },
            "responseElements": {
                "x-amz-request-id": event.origin.request_id,
                "x-amz-id-2": event.origin.request_id,
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": rule,
                "bucket": {
                    "name": self.bucket,
                    "ownerIdentity": { "principalId": "local" },
                    "arn": format!("arn:aws:s3:::{}", self.bucket),
                },
                "object": {
                    "key": url_encoded(&event.key),
                    "size": event.size,
                    "eTag": event.etag,
                    // Sorts the events of one key; compared as text.
                    "sequencer": format!("{:018X}", event.number),
                },
            },
        })
    }
}

//! Events for new objects, delivered as S3 delivers them to AWS Lambda.
//!
//! Each PUT to `pulse/…` or `loop/….lambda` becomes an event, which the store records in the PUT's own transaction.
//! Here the handler gets it, again if that fails, and when it is dealt with it is removed from the store. So no event
//! is lost, even if the process is killed. Some may come twice, and in any order. S3 promises no more.

mod lanes;
mod record;

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::s3::Server;
use crate::s3::notification::Kind;
use crate::s3::store::{Pending, Store};
pub use lanes::Lane;
use lanes::Lanes;

/// How events are handled. The default is as in the deployment on AWS.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long the handler may take for an object under `pulse/`; 90 s.
    pub probe_time: Duration,
    /// How long the handler may take for `loop/….lambda`; 60 s.
    pub loop_time: Duration,
    /// The waits before each further try of a failed event; after the last try it is dropped. 1 and 2 minutes.
    pub retries: Vec<Duration>,
    /// How many handlers may fetch at once, each on its own thread; 384. A quarter is only for hosts without a handler.
    /// Pulses without a URL and the loop's files have some further handlers of their own, at most as many.
    pub concurrency: usize,
    /// How many of them one host may have; 8.
    pub of_host: usize,
    /// How long [`Dispatcher::stop`] waits for running handlers; 10 s.
    pub stop_grace: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            probe_time: Duration::from_secs(90),
            loop_time: Duration::from_secs(60),
            retries: vec![Duration::from_secs(60), Duration::from_secs(120)],
            concurrency: 384,
            of_host: 8,
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
    /// `handler` gets the event's lane, one S3 event (`{"Records": [one record]}`, as AWS sends it) and
    /// the time by which it must return: nothing can stop it. [`Trouble::Failed`] is a failed try, and so is a panic
    /// (unless panics abort).
    ///
    /// Of the events of one key that wait at the same time, only the newest is delivered.
    ///
    /// A server has one dispatcher at a time: a later dispatcher takes over. Without a dispatcher, events wait in the
    /// store.
    pub fn start(
        server: &Server,
        options: Options,
        handler: impl Fn(Lane, Value, Instant) -> Result<(), Trouble> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (messages, inbox) = mpsc::channel();
        let running = Arc::new(AtomicUsize::new(0));
        let coordinator = Coordinator {
            store: server.store().clone(),
            region: server.region().to_owned(),
            bucket: server.bucket().to_owned(),
            lanes: Lanes::new(options.concurrency, options.of_host),
            options,
            handler: Arc::new(handler),
            messages: messages.clone(),
            later: BTreeMap::new(),
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

type Handler = dyn Fn(Lane, Value, Instant) -> Result<(), Trouble> + Send + Sync;

/// Why an event is not dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It came by [`Lane::Arrival`], but the pulse that is there now has a URL: it is to wait in [`Lane::Fetch`].
    HasUrl,
    /// The handler failed, and why.
    Failed(String),
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

enum Message {
    New(Pending),
    Done(Started, Result<(), Trouble>),
    Stop,
}

#[derive(Clone)]
struct Attempt {
    event: Pending,
    /// How many tries have failed so far.
    failed: usize,
}

/// An attempt under way, and whose place it has.
#[derive(Clone)]
struct Started {
    attempt: Attempt,
    lane: Lane,
    host: String,
}

/// The only thread that decides. Handlers run on other threads and report back.
struct Coordinator {
    store: Arc<Store>,
    region: String,
    bucket: String,
    options: Options,
    handler: Arc<Handler>,
    messages: Sender<Message>,
    /// What is due.
    lanes: Lanes<Attempt>,
    /// What failed and is tried again later; sorted by due time, then by age.
    later: BTreeMap<(Instant, u64), Attempt>,
    /// Changed only by this thread.
    running: Arc<AtomicUsize>,
}

impl Coordinator {
    fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            self.start_all();
            let message = match self.later.first_key_value() {
                // We hold a sender, so the inbox is never closed.
                None => inbox.recv().ok(),
                Some(((due, _), _)) => inbox.recv_timeout(due.saturating_duration_since(Instant::now())).ok(),
            };
            match message {
                None => {}
                Some(Message::New(event)) => self.queue(Attempt { event, failed: 0 }),
                Some(Message::Done(started, result)) => self.done(started, result),
                Some(Message::Stop) => break,
            }
        }
        let end = Instant::now() + self.options.stop_grace;
        while self.running() > 0 {
            match inbox.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(Message::Done(started, result)) => self.done(started, result),
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

    /// Starts all that is due and has a place.
    fn start_all(&mut self) {
        let now = Instant::now();
        while self.later.first_key_value().is_some_and(|((due, _), _)| *due <= now) {
            if let Some((_, attempt)) = self.later.pop_first() {
                self.queue(attempt);
            }
        }
        while let Some((lane, host, attempt)) = self.lanes.start() {
            self.start(Started { attempt, lane, host });
        }
    }

    /// Has an attempt wait for its turn.
    fn queue(&mut self, attempt: Attempt) {
        let Pending { kind, has_url, .. } = attempt.event;
        self.wait(
            attempt,
            match kind {
                Kind::Loop => Lane::Loop,
                Kind::Probe if has_url => Lane::Fetch,
                Kind::Probe => Lane::Arrival,
            },
        );
    }

    fn wait(&mut self, attempt: Attempt, lane: Lane) {
        let (number, key) = (attempt.event.number, attempt.event.key.clone());
        if let Some(outdated) = self.lanes.push(lane, host(&key), &key, number, attempt) {
            self.store.strike(outdated);
        }
    }

    fn start(&mut self, started: Started) {
        let event = &started.attempt.event;
        let kind = event.kind;
        let time = match kind {
            Kind::Probe => self.options.probe_time,
            Kind::Loop => self.options.loop_time,
        };
        let records = json!({ "Records": [record::record(event, &self.bucket, &self.region)] });
        let (handler, messages) = (self.handler.clone(), self.messages.clone());
        self.running.fetch_add(1, Ordering::Relaxed);
        let name = format!("event-{}", event.number);
        let unstarted = started.clone();
        let spawned = thread::Builder::new().name(name).spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| handler(started.lane, records, Instant::now() + time)));
            let result = result.unwrap_or_else(|_| Err("the handler panicked".to_owned().into()));
            let _ = messages.send(Message::Done(started, result));
        });
        if let Err(e) = spawned {
            self.done(unstarted, Err(format!("no thread for the handler: {e}").into()));
        }
    }

    fn done(&mut self, started: Started, result: Result<(), Trouble>) {
        let Started { attempt: Attempt { event, failed }, lane, host } = started;
        self.running.fetch_sub(1, Ordering::Relaxed);
        self.lanes.end(lane, &host);
        let error = match result {
            Ok(()) => return self.store.strike(event.number),
            Err(Trouble::HasUrl) => return self.wait(Attempt { event, failed }, Lane::Fetch),
            Err(Trouble::Failed(error)) => error,
        };
        if let Some(&wait) = self.options.retries.get(failed) {
            log::warn!("handling the event of {:?} failed, next try in {wait:?}: {error}", event.key);
            let due = (Instant::now() + wait, event.number);
            self.later.insert(due, Attempt { event, failed: failed + 1 });
        } else {
            log::error!("handling the event of {:?} failed {} times, it is dropped: {error}", event.key, failed + 1);
            self.store.strike(event.number);
        }
    }
}

/// The host in a pulse's key: the name after `pulse/`.
fn host(key: &str) -> &str {
    let id = key.split_once('/').map_or(key, |(_, id)| id);
    id.split_once('/').map_or_else(|| id.strip_suffix(".json").unwrap_or(id), |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_checks_are_the_hosts() {
        for key in ["pulse/web-1.json", "pulse/web-1/db.json", "pulse/web-1/a/b.json", "pulse/web-1"] {
            assert_eq!(host(key), "web-1", "{key}");
        }
    }
}

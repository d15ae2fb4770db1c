//! A fleet on a real store with a clock that a test sets, and a loop that sweeps it.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo_core::answer::{Cause, Fault};
use pulse_echo_core::clock::Time;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::history::History;
use pulse_echo_core::http::{self, Trust};
use pulse_echo_core::mark::Mark;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::{Fact, State, Status};
use pulse_echo_core::store::{Clock, Condition, Store};
use pulse_echo_lambda::channel::Channel;
use pulse_echo_lambda::error::Error;
use pulse_echo_lambda::event;
use pulse_echo_lambda::outbox::entry::What;
use pulse_echo_lambda::rules::Rules;
use pulse_echo_lambda::tick::asked::Request as AskedBy;
use pulse_echo_lambda::tick::{Course, Queue, Report, invoke};
use pulse_echo_local::s3::{KeyPair, Options, Server};
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::SendBody;
use ureq::config::Config;
use ureq::http::Request;
use ureq::middleware::MiddlewareNext;

use crate::schema;
use crate::sqs::{self, Sqs};
use crate::store::{ACCESS_KEY, BUCKET, Client, SECRET_KEY, id};
use crate::wire::{Hook, Wire};

/// Years away from this machine's clock, since that must not matter.
const BEGINNING: i64 = 2_000_000_000;

/// The store, its clock, and the messages.
pub struct Fleet {
    server: Server,
    clock: Arc<AtomicI64>,
    /// The rules of its loop.
    pub rules: Rules,
    /// The queue that drives its loop; without one the schedule does.
    pub queue: Option<Queue>,
    /// How far the clock of the machine that sweeps is ahead of the store's, in seconds.
    pub wrong_by: i64,
    /// How long an invocation may take: the loop's time-out on Lambda.
    pub time: Duration,
    /// The usual channel.
    pub hook: Hook,
    /// A sweep's requests to the store: counted, and with faults.
    pub wire: Arc<Wire>,
    _dir: TempDir,
}

impl Fleet {
    /// An empty store.
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let clock = Arc::new(AtomicI64::new(BEGINNING));
        let options = Options::new(dir.path(), BUCKET, KeyPair::new(ACCESS_KEY, SECRET_KEY));
        let server = Server::start(Options { clock: Self::timestamps(&clock, 0), ..options }).unwrap();
        let (hook, wire) = (Hook::default(), Arc::new(Wire::default()));
        Self {
            server,
            clock,
            rules: Rules::default(),
            queue: None,
            wrong_by: 0,
            time: Duration::from_secs(60),
            hook,
            wire,
            _dir: dir,
        }
    }

    fn timestamps(clock: &Arc<AtomicI64>, ahead_s: i64) -> Clock {
        let clock = clock.clone();
        Arc::new(move || Timestamp::from_second(clock.load(Ordering::SeqCst) + ahead_s).unwrap())
    }

    /// Sets the store's clock to this many seconds after the beginning.
    pub fn at(&self, second: i64) -> &Self {
        self.clock.store(BEGINNING + second, Ordering::SeqCst);
        self
    }

    /// A queue, by the store's time, that drives the loop from now on.
    pub fn with_queue(&mut self) -> Sqs {
        let sqs = Sqs::with_clock(Self::timestamps(&self.clock, 0));
        let url = sqs.url();
        let lookup = |name: &str| {
            let value = match name {
                "QUEUE_URL" => &url,
                "AWS_REGION" => "us-east-1",
                "AWS_ACCESS_KEY_ID" => ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY" => SECRET_KEY,
                _ => return None,
            };
            Some(value.to_string())
        };
        let clock: Clock = Arc::new(Timestamp::now);
        self.queue = Queue::read(Environment::new(&lookup), &Trust::built_in(), &clock).unwrap();
        sqs
    }

    /// Gives the loop all messages that can be received now, in one batch; none came if it is none. A batch that fails
    /// comes again.
    pub fn batch(&self, sqs: &Sqs) -> Option<Result<Report, Error>> {
        let messages = sqs.receive();
        if messages.is_empty() {
            return None;
        }
        let report = self.report(&sqs::event(&messages));
        if report.fails_ticks {
            sqs.give_again(messages);
        }
        Some(self.checked(report))
    }

    /// The store's time, in seconds after the beginning.
    pub fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst) - BEGINNING
    }

    fn store_over(&self, config: Config, ahead_s: i64) -> Store {
        let clock = Self::timestamps(&self.clock, ahead_s);
        Client { config, clock, ..Client::at(&self.server.endpoint()) }.store()
    }

    /// A client of the store, for hosts, the probe and operators.
    pub fn store(&self) -> Store {
        self.store_over(http::config().build(), 0)
    }

    /// The client of the store that a sweep has.
    fn wired(&self) -> Store {
        let wire = self.wire.clone();
        let pass = move |request: Request<SendBody>, next: MiddlewareNext| wire.pass(request, next);
        self.store_over(http::config().max_idle_connections_per_host(32).middleware(pass).build(), self.wrong_by)
    }

    /// The store's server, for many objects at once.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Puts an object.
    pub fn put(&self, key: &Key, body: &[u8]) {
        self.store().put(key, "application/json", body, &Metadata::new(), &Condition::Always).unwrap();
    }

    /// Makes somebody else put an object just before the next request to the store whose log line contains this part.
    pub fn another_puts(&self, part: &'static str, key: &Key, body: &[u8]) {
        let (store, key, body) = (self.store(), key.clone(), body.to_vec());
        let put =
            move || drop(store.put(&key, "application/json", &body, &Metadata::new(), &Condition::Always).unwrap());
        *self.wire.before.lock().unwrap() = Some((part, Box::new(put)));
    }

    /// Puts one object in this folder for each of this many checks, `host-00000` and so on, all at once.
    pub fn fill(&self, folder: &str, checks: usize, body: &str) -> &Self {
        let object = |n| (many_key(folder, n), body.into(), Metadata::new());
        self.server.fill((0..checks).map(object)).unwrap();
        self
    }

    /// Deletes the objects of [`Self::fill`].
    pub fn clear(&self, folder: &str, checks: usize) -> &Self {
        self.server.clear((0..checks).map(|n| many_key(folder, n))).unwrap();
        self
    }

    /// Deletes an object.
    pub fn remove(&self, key: &Key) {
        self.store().delete(key, &Condition::Always).unwrap();
    }

    /// Puts a check's pulse, with its last words.
    pub fn pulse(&self, check: &str) -> &Self {
        let words = [("load1", "48.00"), ("uptime-s", "3542400"), ("pulse-id", "00ff")];
        let words = words.map(|(name, value)| (name.to_string(), value.to_string())).into();
        self.store().put(&Key::pulse(&id(check)), "application/json", b"{}", &words, &Condition::Always).unwrap();
        self
    }

    /// Puts a check's echo.
    pub fn echo(&self, check: &str) -> &Self {
        self.put(&Key::echo(&id(check)), b"ok");
        self
    }

    /// Puts a fault that answers the pulse of that second.
    pub fn fault(&self, check: &str, pulse: i64) -> &Self {
        let reason = format!("status 500, expected 200 ({pulse})");
        let fault = Fault {
            expected: Some("200".into()),
            got: Some("500".into()),
            status: Some(500),
            latency_ms: Some(12),
            ..Fault::new(Cause::Status, reason, time(pulse))
        };
        self.put(&Key::fault(&id(check)), &fault.to_json());
        self
    }

    /// Sweeps as the schedule does.
    pub fn sweep(&self) -> Result<Report, Error> {
        self.invoke(&json!({"source": "aws.events"}))
    }

    /// Sweeps each minute, from now until that second.
    pub fn sweep_until(&self, second: i64) {
        while self.now() < second {
            self.at((self.now() + 60).min(second)).sweep().unwrap();
        }
    }

    /// Invokes the loop with an event.
    pub fn invoke(&self, event: &Value) -> Result<Report, Error> {
        self.invoke_over(&[Box::new(self.hook.clone())], event, self.time)
    }

    /// Invokes the loop with channels of the test's own; the invocation may take this time.
    pub fn invoke_over(&self, channels: &[Box<dyn Channel>], event: &Value, time: Duration) -> Result<Report, Error> {
        self.checked(self.report_over(channels, event, time))
    }

    fn checked(&self, report: Report) -> Result<Report, Error> {
        if report.course == Course::Swept {
            self.assert_that_status_is_as_documented();
        }
        if report.errors.is_empty() { Ok(report) } else { Err(Error::joined(&report.errors)) }
    }

    /// Invokes the loop with an event; what went wrong is in the report.
    pub fn report(&self, event: &Value) -> Report {
        self.report_over(&[Box::new(self.hook.clone())], event, self.time)
    }

    fn report_over(&self, channels: &[Box<dyn Channel>], event: &Value, time: Duration) -> Report {
        let (store, queue, deadline) = (self.wired(), self.queue.as_ref(), Instant::now() + time);
        let asked = AskedBy::of(event::read(event).unwrap(), Some(BUCKET)).asked;
        invoke(&asked, &store, queue, channels, &self.rules, deadline)
    }

    /// Checks the status against its schema, unless the fleet is very large.
    fn assert_that_status_is_as_documented(&self) {
        // Somebody may have deleted it meanwhile.
        let object = self.store().get(&Key::status(), 1 << 18).ok();
        if let Some(body) = object.and_then(|object| object.body) {
            let status = serde_json::from_slice(&body).unwrap();
            assert_eq!(schema::misfit(&status), None, "{status:#}");
        }
    }

    /// Sweeps, and dies at the request with this number: before the request, or before its answer.
    pub fn sweep_and_die(&self, at: usize, goes_through: bool) {
        self.wire.log.lock().unwrap().clear();
        *self.wire.cut.lock().unwrap() = Some((at, goes_through));
        let _ = panic::catch_unwind(AssertUnwindSafe(|| self.sweep()));
        *self.wire.cut.lock().unwrap() = None;
    }

    /// The content of `status.json`.
    pub fn status(&self) -> Status {
        let object = self.store().get(&Key::status(), 1 << 30).unwrap();
        Status::from_json(&object.body.unwrap()).unwrap()
    }

    /// `history.json`, as the schema wants it; none if it is missing.
    pub fn history(&self) -> Option<History> {
        let body = self.store().get(&Key::history(), 1 << 20).ok()?.body.unwrap();
        assert_eq!(crate::schema::history_misfit(&serde_json::from_slice(&body).unwrap()), None);
        Some(History::from_json(&body).unwrap())
    }

    /// The mark.
    pub fn mark(&self) -> Mark {
        Mark::from_json(&self.store().get(&Key::mark(), 1 << 20).unwrap().body.unwrap()).unwrap()
    }

    /// A check's state in `status.json`.
    pub fn state(&self, check: &str) -> State {
        self.status().checks[&id(check)].state
    }

    /// The entries since the last call.
    pub fn told(&self) -> Vec<What> {
        std::mem::take(&mut *self.hook.told.lock().unwrap()).into_iter().map(|entry| entry.what).collect()
    }

    /// The same, as one word each.
    pub fn words(&self) -> Vec<String> {
        self.told().iter().map(word).collect()
    }

    /// The keys in a folder.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        self.store().list(prefix).flat_map(|page| page.unwrap().entries).map(|entry| entry.key).collect()
    }
}

/// The entry in a word, with its check.
pub fn word(what: &What) -> String {
    let (whole, fact) = match what {
        What::Fact(fact) => ("", fact),
        What::Whole(fact) => ("whole ", fact),
        What::Summary(_) => return "summary".into(),
    };
    let kind = serde_json::to_value(fact).unwrap()["kind"].as_str().unwrap().to_string();
    match fact {
        Fact::Down(down) => format!("{} {}", down.state, down.check),
        fact => format!("{whole}{kind}{}", fact.check().map(|check| format!(" {check}")).unwrap_or_default()),
    }
}

fn many_key(folder: &str, number: usize) -> String {
    format!("{folder}/host-{number:05}.json")
}

/// This many seconds after the beginning.
pub fn time(second: i64) -> Time {
    Time::from_second(BEGINNING + second)
}

/// The event of a PUT.
pub fn put_event(key: &Key) -> Value {
    json!({"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": BUCKET}, "object": {"key": key.as_str()}}}]})
}

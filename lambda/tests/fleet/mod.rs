//! A fleet on a real store whose clock a test turns, and a loop that sweeps it.

// Each test file takes what it needs of this.
#![allow(dead_code)]

pub(crate) mod schema;

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo_core::answer::{Cause, Fault};
use pulse_echo_core::clock::Time;
use pulse_echo_core::http::{self, SystemResolver, Trust};
use pulse_echo_core::mark::Mark;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::status::{Fact, State, Status};
use pulse_echo_core::store::{Condition, Credentials, Place, Store};
use pulse_echo_lambda::channel::Channel;
use pulse_echo_lambda::outbox::entry::{Entry, Outcome, What};
use pulse_echo_lambda::rules::Rules;
use pulse_echo_lambda::tick::{Course, Report, invoke};
use pulse_echo_local::s3::{KeyPair, Options, Server};
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::SendBody;
use ureq::http::{Request, Response};
use ureq::middleware::MiddlewareNext;

const BUCKET: &str = "pulses";

/// Years away from this machine's clock, which must not matter.
const BEGINNING: i64 = 2_000_000_000;

/// The store, its clock, and what people were told.
pub(crate) struct Fleet {
    server: Server,
    clock: Arc<AtomicI64>,
    pub(crate) rules: Rules,
    /// How far the clock of the machine that sweeps is ahead of the store's, in seconds.
    pub(crate) wrong_by: i64,
    /// How long an invocation may take: the loop's time-out on Lambda.
    pub(crate) time: Duration,
    pub(crate) hook: Hook,
    /// A sweep's requests to the store, counted, and what happens at them.
    pub(crate) wire: Arc<Wire>,
    _dir: TempDir,
}

/// What lies between a sweep and the store.
#[derive(Default)]
pub(crate) struct Wire {
    /// The method, path and query of each request.
    pub(crate) log: Mutex<Vec<String>>,
    /// From which request on nothing goes through; whether that one itself still does, its answer lost.
    pub(crate) cut: Mutex<Option<(usize, bool)>>,
    /// The answer to which request is lost.
    pub(crate) loses: Mutex<Option<usize>>,
    /// Requests whose log line has this in it fail.
    pub(crate) fails: Mutex<Option<&'static str>>,
    /// So many of the requests whose log line has this in it are answered as S3 does when two write at the same moment.
    pub(crate) conflicts: Mutex<Option<(&'static str, usize)>>,
}

impl Wire {
    fn pass(&self, request: Request<SendBody>, next: MiddlewareNext) -> Result<Response<ureq::Body>, ureq::Error> {
        let line = format!("{} {}", request.method(), request.uri().path_and_query().unwrap());
        let number = {
            let mut log = self.log.lock().unwrap();
            log.push(line.clone());
            log.len()
        };
        let broken = || Err(ureq::Error::Io(std::io::ErrorKind::ConnectionReset.into()));
        if self.fails.lock().unwrap().is_some_and(|part| line.contains(part)) {
            return broken();
        }
        if let Some((part, left @ 1..)) = &mut *self.conflicts.lock().unwrap()
            && line.contains(*part)
        {
            *left -= 1;
            return Ok(conflict());
        }
        if *self.loses.lock().unwrap() == Some(number) {
            return next.handle(request).and_then(|_| broken());
        }
        match *self.cut.lock().unwrap() {
            Some((at, goes_through)) if number == at && goes_through => next.handle(request).and_then(|_| broken()),
            Some((at, _)) if number >= at => broken(),
            _ => next.handle(request),
        }
    }

    /// How many requests have this in their line since the log was last emptied.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|line| line.contains(part)).count()
    }
}

/// S3's answer to a conditional request while another one changes the object; as its documentation has it.
fn conflict() -> Response<ureq::Body> {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>ConditionalRequestConflict</Code><Message>The \
                conditional request cannot succeed due to a conflicting operation against this resource.\
                </Message></Error>";
    Response::builder().status(409).body(ureq::Body::builder().data(body)).unwrap()
}

/// A channel that writes down what it is told.
#[derive(Clone, Default)]
pub(crate) struct Hook {
    pub(crate) told: Arc<Mutex<Vec<Entry>>>,
    /// How many attempts there were.
    pub(crate) attempts: Arc<AtomicUsize>,
    /// What it answers; none takes all.
    pub(crate) answer: Arc<Mutex<Option<Outcome>>>,
}

impl Channel for Hook {
    fn name(&self) -> &'static str {
        "hook"
    }

    fn send(&self, entries: &[Entry], _: Instant) -> Outcome {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        let answer = self.answer.lock().unwrap().clone().unwrap_or(Outcome::Taken);
        if !matches!(answer, Outcome::NotTaken { taken: 0, .. }) {
            self.told.lock().unwrap().extend_from_slice(entries);
        }
        answer
    }
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let clock = Arc::new(AtomicI64::new(BEGINNING));
        let options = Options::new(dir.path(), BUCKET, KeyPair::new("AK", "SK"));
        let server = Server::start(Options { clock: Self::timestamps(&clock, 0), ..options }).unwrap();
        let (hook, wire) = (Hook::default(), Arc::new(Wire::default()));
        Self {
            server,
            clock,
            rules: Rules::default(),
            wrong_by: 0,
            time: Duration::from_secs(60),
            hook,
            wire,
            _dir: dir,
        }
    }

    fn timestamps(clock: &Arc<AtomicI64>, ahead_s: i64) -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
        let clock = clock.clone();
        Arc::new(move || Timestamp::from_second(clock.load(Ordering::SeqCst) + ahead_s).unwrap())
    }

    /// Turns the store's clock to so many seconds after the beginning.
    pub(crate) fn at(&self, second: i64) -> &Self {
        self.clock.store(BEGINNING + second, Ordering::SeqCst);
        self
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst) - BEGINNING
    }

    fn store_over(&self, config: ureq::config::Config, ahead_s: i64) -> Store {
        let agent = http::agent(config, &Trust::built_in(), SystemResolver::default());
        let place = Place {
            bucket: BUCKET.into(),
            region: "us-east-1".into(),
            endpoint: Some(self.server.endpoint()),
            path_style: None,
        };
        let end = Instant::now() + Duration::from_secs(300);
        Store::new(&place, Credentials::new("AK", "SK"), agent, Self::timestamps(&self.clock, ahead_s), end).unwrap()
    }

    /// The store, as hosts, the probe and operators see it.
    pub(crate) fn store(&self) -> Store {
        self.store_over(http::config().build(), 0)
    }

    /// The store, as a sweep sees it.
    fn wired(&self) -> Store {
        let wire = self.wire.clone();
        let pass = move |request: Request<SendBody>, next: MiddlewareNext| wire.pass(request, next);
        self.store_over(http::config().max_idle_connections_per_host(32).middleware(pass).build(), self.wrong_by)
    }

    pub(crate) fn put(&self, key: &Key, body: &[u8]) {
        self.store().put(key, "application/json", body, &Metadata::new(), &Condition::Always).unwrap();
    }

    /// Puts one object in this folder for each of so many checks, `host-00000` and so on, all at once.
    pub(crate) fn fill(&self, folder: &str, checks: usize, body: &str) -> &Self {
        let object = |n| (many_key(folder, n), body.into(), Metadata::new());
        self.server.fill((0..checks).map(object)).unwrap();
        self
    }

    /// Deletes what [`Self::fill`] has put.
    pub(crate) fn clear(&self, folder: &str, checks: usize) -> &Self {
        self.server.clear((0..checks).map(|n| many_key(folder, n))).unwrap();
        self
    }

    pub(crate) fn remove(&self, key: &Key) {
        self.store().delete(key, &Condition::Always).unwrap();
    }

    pub(crate) fn pulse(&self, check: &str) -> &Self {
        let words = [("load1", "48.00"), ("uptime-s", "3542400"), ("pulse-id", "00ff")];
        let words = words.map(|(name, value)| (name.to_string(), value.to_string())).into();
        self.store().put(&Key::pulse(&id(check)), "application/json", b"{}", &words, &Condition::Always).unwrap();
        self
    }

    pub(crate) fn echo(&self, check: &str) -> &Self {
        self.put(&Key::echo(&id(check)), b"ok");
        self
    }

    /// A fault that answers the pulse of that second.
    pub(crate) fn fault(&self, check: &str, pulse: i64) -> &Self {
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
    pub(crate) fn sweep(&self) -> Result<Report, String> {
        self.invoke(&json!({"source": "aws.events"}))
    }

    /// Sweeps each minute, from the present one on until that second.
    pub(crate) fn sweep_until(&self, second: i64) {
        while self.now() < second {
            self.at((self.now() + 60).min(second)).sweep().unwrap();
        }
    }

    pub(crate) fn invoke(&self, event: &Value) -> Result<Report, String> {
        self.invoke_over(&[Box::new(self.hook.clone())], event, self.time)
    }

    pub(crate) fn invoke_over(
        &self,
        channels: &[Box<dyn Channel>],
        event: &Value,
        time: Duration,
    ) -> Result<Report, String> {
        let report = invoke(event, &self.wired(), channels, &self.rules, Instant::now() + time)?;
        if report.course == Course::Swept {
            self.assert_that_status_is_as_documented();
        }
        Ok(report)
    }

    /// Holds the status, if it is not of a very large fleet, against its schema.
    fn assert_that_status_is_as_documented(&self) {
        // Somebody may have removed it meanwhile.
        let object = self.store().get(&Key::status(), 1 << 18).ok();
        if let Some(body) = object.and_then(|object| object.body) {
            let status = serde_json::from_slice(&body).unwrap();
            assert_eq!(schema::misfit(&status), None, "{status:#}");
        }
    }

    /// Sweeps, and dies at the request of this number: before it, or before its answer.
    pub(crate) fn sweep_and_die(&self, at: usize, goes_through: bool) {
        self.wire.log.lock().unwrap().clear();
        *self.wire.cut.lock().unwrap() = Some((at, goes_through));
        let _ = panic::catch_unwind(AssertUnwindSafe(|| self.sweep()));
        *self.wire.cut.lock().unwrap() = None;
    }

    pub(crate) fn status(&self) -> Status {
        let object = self.store().get(&Key::status(), 1 << 30).unwrap();
        Status::from_json(&object.body.unwrap()).unwrap()
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark::from_json(&self.store().get(&Key::mark(), 1 << 20).unwrap().body.unwrap()).unwrap()
    }

    pub(crate) fn state(&self, check: &str) -> State {
        self.status().checks[&id(check)].state
    }

    /// What was told since this was last asked.
    pub(crate) fn told(&self) -> Vec<What> {
        std::mem::take(&mut *self.hook.told.lock().unwrap()).into_iter().map(|entry| entry.what).collect()
    }

    /// The same, in a word each.
    pub(crate) fn words(&self) -> Vec<String> {
        self.told().iter().map(word).collect()
    }

    /// The keys in a folder.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        self.store().list(prefix).flat_map(|page| page.unwrap().entries).map(|entry| entry.key).collect()
    }
}

/// What is told, in a word, and of whom.
pub(crate) fn word(what: &What) -> String {
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

pub(crate) fn id(check: &str) -> CheckId {
    format!("{check}.json").try_into().unwrap()
}

pub(crate) fn time(second: i64) -> Time {
    Time::from_second(BEGINNING + second)
}

/// The event of a PUT.
pub(crate) fn put_event(key: &Key) -> Value {
    json!({"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": BUCKET}, "object": {"key": key.as_str()}}}]})
}

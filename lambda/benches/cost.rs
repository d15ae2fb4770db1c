//! What a deployment asks of AWS in ten minutes, counted request by request, and what a month of that costs.
//!
//! `cargo bench -p pulse-echo-lambda --bench cost`, or with other numbers of hosts after `--`. The store is the
//! embedded S3, and its clock is the bench's: a second of the fleet takes no second here. The functions are the real
//! handlers; a proxy counts what they and the hosts ask. The first ten minutes are not counted: in them each check is
//! new.
//!
//! Counted are requests, log bytes and messages. How long AWS bills an invocation cannot be counted here: see
//! [`PROBE_MS`] and [`LOOP_MS`].

#[path = "../../local/benches/sweep/front.rs"]
mod front;

use std::collections::HashMap;
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use front::{Front, Requests};
use jiff::Timestamp;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::{Clock, Condition, Store};
use pulse_echo_lambda::probe::Probe;
use pulse_echo_lambda::tick::Loop;
use pulse_echo_testkit::sqs::{self, Sqs};
use pulse_echo_testkit::store::{Client, id};
use pulse_echo_testkit::world::{World, event};
use serde_json::json;

/// How long AWS bills a probe: a service that takes its time, on a function of 128 MB.
const PROBE_MS: f64 = 500.0;

/// How long AWS bills a sweep of up to 1,000 checks: 10 ms of CPU on a fourteenth of a processor, and four requests.
const LOOP_MS: f64 = 300.0;

/// List prices of us-east-1, in dollars.
const PUT_OR_LIST: f64 = 0.005 / 1e3;
const GET: f64 = 0.0004 / 1e3;
const INVOCATION: f64 = 0.20 / 1e6;
const GB_SECOND: f64 = 0.000_013_333_4;
const QUEUE_REQUEST: f64 = 0.40 / 1e6;
const LOGGED_BYTE: f64 = 0.50 / 1e9;
const ALARM: f64 = 0.10;
const METRIC: f64 = 0.30;

/// Alarms and metrics of the template.
const ALARMS: f64 = 3.0;
const METRICS: f64 = 4.0;

/// How many times ten minutes are in a month of 365 ÷ 12 days.
const TEN_MINUTES_A_MONTH: f64 = 6.0 * 24.0 * 365.0 / 12.0;

const SIZES: [usize; 2] = [100, 1_000];

/// The ten minutes in which each host sends a pulse.
const PERIOD_S: i64 = 600;

/// Far more than a request or an invocation takes here.
const PATIENCE: Duration = Duration::from_secs(90);

/// What was counted in ten minutes.
#[derive(Default)]
struct Count {
    requests: Requests,
    invocations: usize,
    queue: usize,
}

impl Count {
    /// What a month of this costs, if each invocation is billed `ms`, without free tiers.
    #[allow(clippy::cast_precision_loss)]
    fn a_month(&self, ms: f64) -> f64 {
        let Requests { list, get, put, .. } = &self.requests;
        let invocation = INVOCATION + ms / 1e3 * 0.128 * GB_SECOND;
        let ten_minutes = (list + put) as f64 * PUT_OR_LIST
            + *get as f64 * GET
            + self.invocations as f64 * invocation
            + self.queue as f64 * QUEUE_REQUEST;
        ten_minutes * TEN_MINUTES_A_MONTH
    }
}

fn main() {
    let mut sizes: Vec<usize> = env::args().filter_map(|arg| arg.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = SIZES.into();
    }
    println!("  hosts  driver    tick s  part         LIST    GET    PUT  invocations  queue  $ a month");
    for &hosts in &sizes {
        one(hosts, 60, false);
    }
    for tick_s in [60, 5] {
        one(sizes[0], tick_s, true);
    }
    let (alarms, metrics) = (ALARMS * ALARM, METRICS * METRIC);
    println!("alarms: ${alarms:.2}; metrics, once an account has used up its ten free ones: ${metrics:.2}");
}

fn one(hosts: usize, tick_s: i64, has_queue: bool) {
    let fleet = Fleet::new(tick_s, has_queue);
    fleet.ten_minutes(hosts);
    let (of_hosts, of_loop) = fleet.ten_minutes(hosts);
    let driver = if has_queue { "queue" } else { "schedule" };
    let print = |part: &str, count: &Count, dollars: f64, digits: usize| {
        let Requests { list, get, put, .. } = &count.requests;
        let (invocations, queue) = (count.invocations, count.queue);
        println!(
            "{hosts:>7}  {driver:<8} {tick_s:>7}  {part:<11} {list:>5} {get:>6} {put:>6} {invocations:>12} {queue:>6} \
             {dollars:>10.digits$}"
        );
    };
    #[allow(clippy::cast_precision_loss)]
    let each = of_hosts.a_month(PROBE_MS) / hosts as f64;
    print("a host", &of_hosts, each, 4);
    // A sweep's own line of log, and Lambda's three.
    #[allow(clippy::cast_precision_loss)]
    let logs = of_loop.invocations as f64 * 1_500.0 * LOGGED_BYTE * TEN_MINUTES_A_MONTH;
    print("the loop", &of_loop, of_loop.a_month(LOOP_MS) + logs, 2);
}

/// The functions over a store whose clock is ours.
struct Fleet {
    clock: Arc<AtomicI64>,
    front: Front,
    hosts: Store,
    probe: Probe,
    the_loop: Loop,
    queue: Option<Sqs>,
    tick_s: i64,
    _world: World,
}

impl Fleet {
    fn new(tick_s: i64, has_queue: bool) -> Self {
        let seconds = Arc::new(AtomicI64::new(Timestamp::now().as_second()));
        let of_clock = seconds.clone();
        let clock: Clock = Arc::new(move || Timestamp::from_second(of_clock.load(Ordering::SeqCst)).unwrap());
        let world = World::with_clock(clock.clone());
        let front = Front::before(world.s3.address());
        let queue = has_queue.then(|| Sqs::with_clock(clock.clone()));
        let mut variables: HashMap<_, _> = world.environment().into_iter().collect();
        variables.insert("AWS_ENDPOINT_URL", front.endpoint());
        variables.insert("TICK_S", tick_s.to_string());
        if let Some(queue) = &queue {
            variables.insert("QUEUE_URL", queue.url());
            variables.insert("AWS_ENDPOINT_URL_SQS", queue.endpoint());
        }
        let lookup = |name: &str| variables.get(name).cloned();
        let probe = Probe::read(Environment::new(&lookup), clock.clone()).unwrap();
        let the_loop = Loop::read(Environment::new(&lookup), clock.clone()).unwrap();
        let hosts = Client { clock, ..Client::at(&front.endpoint()) }.store();
        Self { clock: seconds, front, hosts, probe, the_loop, queue, tick_s, _world: world }
    }

    /// The next ten minutes of so many hosts: what hosts and probes asked, and what the loop did.
    fn ten_minutes(&self, hosts: usize) -> (Count, Count) {
        let beginning = self.clock.load(Ordering::SeqCst);
        let (mut of_hosts, mut of_loop) = (Count::default(), Count::default());
        let mut sent = 0;
        for second in 1..=PERIOD_S {
            self.clock.store(beginning + second, Ordering::SeqCst);
            let due = hosts * usize::try_from(second).unwrap() / usize::try_from(PERIOD_S).unwrap();
            for number in sent..due {
                self.pulse(number);
                of_hosts.invocations += 1;
            }
            sent = due;
            add(&mut of_hosts.requests, &self.front.requests.take());
            if second % self.tick_s == 0 || (self.queue.is_some() && second % 60 == 0) {
                self.look(second, &mut of_loop);
            }
            add(&mut of_loop.requests, &self.front.requests.take());
        }
        (of_hosts, of_loop)
    }

    /// A host's pulse, and its probe.
    fn pulse(&self, number: usize) {
        let key = Key::pulse(&id(&format!("host-{number:05}")));
        self.hosts
            .until(Instant::now() + PATIENCE)
            .put(&key, "application/json", b"{}", &Metadata::new(), &Condition::Always)
            .unwrap();
        self.probe.handle(&event(&[key.as_str()]), Instant::now() + PATIENCE).unwrap();
    }

    /// The schedule's minute, and the ticks that are due.
    fn look(&self, second: i64, count: &mut Count) {
        let mut handle = |event| {
            count.invocations += 1;
            self.the_loop.handle(&event, Instant::now() + PATIENCE).answer().unwrap();
        };
        if second % 60 == 0 {
            handle(json!({"source": "aws.events"}));
        }
        let Some(queue) = &self.queue else { return };
        let messages = queue.receive();
        if !messages.is_empty() {
            handle(sqs::event(&messages));
            // The poller receives and deletes it.
            count.queue += 2;
        }
        count.queue += queue.calls().len();
    }
}

fn add(to: &mut Requests, more: &Requests) {
    to.list += more.list;
    to.get += more.get;
    to.put += more.put;
}

//! The chain of ticks with the real binary, as AWS Lambda starts it: a real store, a queue, and a poller that hands
//! over what the queue has. The store and the queue share a clock that runs fast, so that a round of 5 s is soon over.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::{Clock, Condition};
use pulse_echo_testkit::runtime::Lambda;
use pulse_echo_testkit::sqs::{self, Fault, Sqs};
use pulse_echo_testkit::world::{World, event};
use serde_json::{Value, json};

/// How many times faster than a real clock that of the store and the queue is.
const SPEED: u32 = 20;

/// Longer than a round may take, in real time.
const LONG: Duration = Duration::from_secs(20);

/// A deployment whose loop ticks each 5 s.
struct Deployment {
    lambda: Lambda,
    world: World,
    sqs: Sqs,
    process: Child,
}

impl Drop for Deployment {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Deployment {
    fn new() -> Self {
        let (began, started) = (Timestamp::now(), Instant::now());
        let clock: Clock = Arc::new(move || began + started.elapsed() * SPEED);
        let (lambda, world, sqs) = (Lambda::new(), World::with_clock(clock.clone()), Sqs::with_clock(clock));
        let process = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
            .env_clear()
            .envs(world.environment())
            .env("AWS_LAMBDA_RUNTIME_API", &lambda.address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "loop")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("_HANDLER", "index.checkResult")
            .env("TICK_S", "5")
            .env("QUEUE_URL", sqs.url())
            // The queue is not where the store is.
            .env("AWS_ENDPOINT_URL_SQS", sqs.endpoint())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { lambda, world, sqs, process }
    }

    #[track_caller]
    fn invoke(&self, event: Value) -> Value {
        let (kind, body) = self.lambda.invoke(event);
        assert_eq!(kind, "response", "{body}");
        body
    }

    /// An operator puts a control file, and S3 tells of it.
    #[track_caller]
    fn put(&self, key: &Key) -> Value {
        self.world.store.put(key, "text/plain", b"", &Metadata::new(), &Condition::Always).unwrap();
        self.invoke(event(&[key.as_str()]))
    }

    /// Hands over what the queue has next.
    #[track_caller]
    fn tick(&self) -> Value {
        let messages = self.sqs.wait(LONG);
        assert!(!messages.is_empty(), "no tick comes");
        self.invoke(sqs::event(&messages))
    }

    #[track_caller]
    fn schedule(&self) -> Value {
        self.invoke(json!({
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
            "source": "aws.events", "account": "123456789012", "time": "2026-11-28T22:00:00Z", "region": "us-east-1",
            "resources": ["arn:aws:events:us-east-1:123456789012:rule/minute"], "detail": {},
        }))
    }

    fn mark(&self) -> Mark {
        Mark::from_json(&self.world.store.get(&Key::mark(), 1 << 16).unwrap().body.unwrap()).unwrap()
    }
}

#[test]
fn started_it_ticks_each_5_seconds_and_stopped_it_ends() {
    let aws = Deployment::new();
    let begun = aws.put(&Key::loop_start());
    assert_eq!((&begun["course"], &begun["step"]), (&json!("swept"), &json!("begin")), "{begun}");
    assert_eq!(aws.sqs.sent()[0].delay_s, 0);
    let first = begun["tick"].as_u64().unwrap();
    for round in 0..6 {
        let came = aws.tick();
        assert_eq!((&came["step"], &came["tick"]), (&json!("continue"), &json!(first + round + 1)), "{came}");
        // The first tick may come too soon after the sweep of the start.
        assert!(came["course"] == "swept" || round == 0, "{came}");
        let sent: Vec<_> = aws.sqs.sent().into_iter().map(|message| (message.body, message.delay_s)).collect();
        assert_eq!(sent, [(json!({"tick": first + round + 1, "version": 1}).to_string(), 5)]);
    }
    aws.sqs.calls();

    let stopped = aws.put(&Key::loop_stop());
    assert_eq!((&stopped["course"], &stopped["is_purged"]), (&json!("stopped"), &json!(true)), "{stopped}");
    // Two rounds of the queue without anything; then what the purge might have missed.
    assert_eq!(aws.sqs.wait(Duration::from_secs(10) / SPEED), []);
    aws.sqs.put(&json!({"tick": aws.mark().tick, "version": 1}).to_string());
    aws.tick();
    aws.schedule();
    assert_eq!(aws.sqs.wait(Duration::from_secs(10) / SPEED), []);
    assert_eq!(aws.sqs.calls(), ["PurgeQueue"], "nothing was sent after the stop");
    assert!(aws.mark().swept <= aws.mark().stopped);
}

#[test]
fn a_chain_whose_tick_was_lost_comes_back_with_one_tick() {
    let aws = Deployment::new();
    aws.put(&Key::loop_start());
    aws.sqs.faults(&[Fault::Vanished]);
    aws.tick();
    assert!(aws.sqs.is_empty());
    aws.sqs.sent();
    let lost = aws.mark();
    let mut looks = 0;
    let revived = loop {
        let came = aws.schedule();
        if came["course"] != "fresh" {
            break came;
        }
        looks += 1;
        assert_eq!(aws.sqs.wait(Duration::from_secs(5) / SPEED), [], "before it is dead");
    };
    assert_eq!(revived["step"], "revive", "{revived}");
    let waited = lost.ticked.unwrap().age(aws.mark().ticked.unwrap()).as_secs();
    assert!(looks > 1 && waited >= 70, "{looks} looks, {waited} s: 2 × 5 s + 60 s");
    assert_eq!(aws.schedule()["course"], "fresh");
    assert_eq!(aws.sqs.sent().len(), 1, "one tick");
    assert_eq!(aws.tick()["course"], "swept");
    assert_eq!(aws.sqs.len(), 1);
}

#[test]
fn the_origins_flow_start_a_topics_note_and_an_update() {
    let aws = Deployment::new();
    assert_eq!(aws.put(&Key::loop_start())["course"], "swept");
    let wait = || std::thread::sleep(Duration::from_secs(4) / SPEED);
    wait();
    let note = json!({"Records": [{
        "EventVersion": "1.0", "EventSource": "aws:sns",
        "EventSubscriptionArn": "arn:aws:sns:us-east-1:123456789012:update:21be56ed-a058-49f5-8c98-aedd2564c486",
        "Sns": {"Type": "Notification", "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e", "Message": "Update"},
    }]});
    let came = aws.invoke(note);
    assert_eq!((&came["course"], &came["step"]), (&json!("swept"), &Value::Null), "{came}");
    wait();
    let came = aws.put(&Key::loop_update());
    assert_eq!((&came["course"], &came["step"]), (&json!("swept"), &Value::Null), "{came}");
    let stopped = aws.put(&Key::loop_stop());
    assert_eq!(stopped["course"], "stopped", "{stopped}");
    assert_eq!(aws.put(&Key::loop_update())["course"], "stopped");
}

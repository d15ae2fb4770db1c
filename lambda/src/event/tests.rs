//! Events as AWS documents them, byte for byte.

use serde_json::json;

use super::*;
use crate::tick::asked::Request;
use crate::tick::decide::Asked;

/// S3: "Event message structure" of its user guide.
const S3: &str = include_str!("samples/s3.json");

/// Lambda's developer guide: "Example standard queue message event".
const SQS: &str = include_str!("samples/sqs.json");

/// Lambda's developer guide: "Example Amazon SNS message event".
const SNS: &str = include_str!("samples/sns.json");

/// SNS's developer guide: what is posted to an endpoint or put into a queue, where raw delivery is off.
const ENVELOPE: &str = include_str!("samples/envelope.json");

/// `EventBridge`'s user guide: the event of a rule with a schedule.
const RULE: &str = include_str!("samples/rule.json");

/// `EventBridge` Scheduler, where the target has no input of its own: as above, but with a text as its `detail`.
const SCHEDULER: &str = include_str!("samples/scheduler.json");

fn parsed(event: &str) -> Value {
    serde_json::from_str(event).unwrap()
}

fn asked(event: &Value) -> Asked {
    Request::of(read(event).unwrap(), None).asked
}

fn sweep() -> Asked {
    Asked { sweep: true, ..Asked::default() }
}

/// The event of S3 for this key, as a text that lies in the envelope of a topic, in a message of a queue.
fn nested(key: &str) -> Value {
    let mut envelope = parsed(ENVELOPE);
    envelope["Message"] = json!(S3.replace("loop/Start.lambda", key));
    let mut batch = parsed(SQS);
    batch["Records"][0]["body"] = json!(envelope.to_string());
    batch["Records"].as_array_mut().unwrap().truncate(1);
    batch
}

#[test]
fn each_service_is_known_by_its_documented_event() {
    let of_s3 = parsed(S3);
    assert_eq!(read(&of_s3).unwrap(), Came::Objects(of_s3["Records"].as_array().unwrap().clone()));
    let Came::Batch(messages) = read(&parsed(SQS)).unwrap() else { panic!("it is a batch") };
    let ids: Vec<_> = messages.iter().map(|message| message.id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["059f36b4-87a3-44ab-83d2-661975830a7d", "2e1424d4-f796-459a-8184-9c92662be6da"]);
    assert!(messages.iter().all(|message| message.text == Text::Other("Test message.".into())));
    assert_eq!(read(&parsed(SNS)).unwrap(), Came::Notes(vec![Text::Other("Hello from SNS!".into())]));
    assert_eq!(read(&parsed(RULE)).unwrap(), Came::Schedule);
    assert_eq!(read(&parsed(SCHEDULER)).unwrap(), Came::Schedule);
}

#[test]
fn each_service_asks_the_loop_for_what_the_contract_says() {
    assert_eq!(asked(&parsed(S3)), sweep());
    assert_eq!(asked(&parsed(SQS)), sweep(), "a message that is no tick");
    assert_eq!(asked(&parsed(SNS)), sweep());
    for schedule in [RULE, SCHEDULER] {
        assert_eq!(asked(&parsed(schedule)), Asked { schedule: true, ..Asked::default() });
    }
    for event in [json!({"key1": "value1"}), json!({"Records": []}), json!({}), json!(null), json!("tick")] {
        assert_eq!(asked(&event), sweep(), "a test invocation: {event}");
    }
}

#[test]
fn an_event_of_s3_is_found_in_the_envelopes_of_a_topic_and_a_queue() {
    let mut raw = parsed(SQS);
    raw["Records"][0]["body"] = json!(S3);
    let mut note = parsed(SNS);
    note["Records"][0]["Sns"]["Message"] = json!(S3);
    let records = parsed(S3)["Records"].as_array().unwrap().clone();
    let Came::Batch(messages) = read(&raw).unwrap() else { panic!("it is a batch") };
    assert_eq!(messages[0].text, Text::Objects(records.clone()), "raw delivery");
    assert_eq!(read(&note).unwrap(), Came::Notes(vec![Text::Objects(records.clone())]));
    let Came::Batch(messages) = read(&nested("loop/Start.lambda")).unwrap() else { panic!("it is a batch") };
    assert_eq!(messages[0].text, Text::Objects(records));

    assert_eq!(asked(&nested("loop/Test.lambda")), Asked { test: true, ..Asked::default() });
    assert_eq!(asked(&nested("loop/Update.json")), Asked::default(), "what the loop puts itself");
    let mut plain = parsed(SQS);
    plain["Records"][0]["body"] = json!(ENVELOPE);
    let Came::Batch(messages) = read(&plain).unwrap() else { panic!("it is a batch") };
    assert_eq!(messages[0].text, Text::Other("Hello world!".into()), "the topic's own message");
}

#[test]
fn the_test_event_of_s3_asks_for_nothing_wherever_it_lies() {
    let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z",
        "Bucket":"amzn-s3-demo-bucket","RequestId":"5582815E1AEA5ADF","HostId":"8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3e"}"#;
    let mut batch = parsed(SQS);
    for message in batch["Records"].as_array_mut().unwrap() {
        message["body"] = json!(test);
    }
    for event in [parsed(test), batch] {
        assert_eq!(asked(&event), Asked::default());
    }
}

#[test]
fn a_batch_is_one_look_and_a_torn_tick_fails_alone() {
    let bodies = [r#"{"tick": 7, "version": 1}"#, r#"{"tick": "x"}"#, "Test message.", r#"{"tick": 8, "version": 2}"#];
    let record = |(number, body): (usize, &&str)| {
        let id = number.to_string();
        json!({"eventSource": "aws:sqs", "messageId": id, "body": body})
    };
    let event = json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()});
    let Request { asked, is_batch, refused } = Request::of(read(&event).unwrap(), None);
    assert_eq!((asked, is_batch), (Asked { sweep: true, ticks: vec![7], ..Asked::default() }, true));
    let ids: Vec<_> = refused.iter().map(|(id, _)| id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["1", "3"]);
    assert!(refused.iter().all(|(_, error)| error.kind == Kind::UnexpectedEvent));
}

#[test]
fn a_note_of_a_topic_asks_for_a_sweep_even_if_it_reads_like_a_tick() {
    for message in [r#"{"tick": 7, "version": 1}"#, r#"{"tick": "x"}"#] {
        let mut envelope = parsed(ENVELOPE);
        envelope["Message"] = json!(message);
        let mut batch = parsed(SQS);
        batch["Records"][0]["body"] = json!(envelope.to_string());
        batch["Records"].as_array_mut().unwrap().truncate(1);
        let request = Request::of(read(&batch).unwrap(), None);
        assert_eq!((request.asked, request.refused), (sweep(), vec![]), "{message}");
    }
}

#[test]
fn an_event_of_another_bucket_is_refused_and_asks_for_nothing() {
    let sentence = "the event is of the bucket \"amzn-s3-demo-bucket\", but this loop's BUCKET is \"pulses\"";
    let refusal = Error::new(Kind::BucketMismatch, sentence);
    let mut note = parsed(SNS);
    note["Records"][0]["Sns"]["Message"] = json!(S3);
    let batch = nested("loop/Test.lambda");
    let id = batch["Records"][0]["messageId"].as_str().map(String::from);
    for (event, id) in [(parsed(S3), None), (note, None), (batch, id)] {
        let request = Request::of(read(&event).unwrap(), Some("pulses"));
        assert_eq!((request.asked, request.refused), (Asked::default(), vec![(id, refusal.clone())]), "{event}");
        let request = Request::of(read(&event).unwrap(), Some("amzn-s3-demo-bucket"));
        assert!(request.asked != Asked::default() && request.refused.is_empty(), "{event}");
    }
    let other = parsed(&S3.replace("loop/Start.lambda", "pulse/web-1.json"));
    assert_eq!(Request::of(read(&other).unwrap(), Some("pulses")), Request::default(), "nothing that it takes");
}

#[test]
fn control_files_ask_for_a_sweep_or_a_test_message_and_removals_for_nothing() {
    let put = |key: &str| asked(&parsed(&S3.replace("loop/Start.lambda", key)));
    for key in ["loop/Start.lambda", "loop/Stop.lambda", "loop/Update.lambda", "loop%2FUpdate.lambda"] {
        assert_eq!(put(key), sweep(), "{key}");
    }
    assert_eq!(put("loop/Test.lambda"), Asked { test: true, ..Asked::default() });
    for key in ["loop/Update.json", "loop/Loop.lock", "status.json", "pulse/web-1.json", "loop/%FF"] {
        assert_eq!(put(key), Asked::default(), "{key}");
    }
    for name in ["ObjectRemoved:Delete", "ObjectRemoved:DeleteMarkerCreated", "LifecycleExpiration:Delete"] {
        assert_eq!(asked(&parsed(&S3.replace("ObjectCreated:Put", name))), Asked::default(), "{name}");
    }
    for name in ["ObjectCreated:CompleteMultipartUpload", "ObjectCreated:Copy"] {
        assert_eq!(asked(&parsed(&S3.replace("ObjectCreated:Put", name))), sweep(), "{name}");
    }
}

#[test]
fn an_event_of_another_service_is_an_error_that_names_it_on_one_line() {
    for (event, came) in [
        (json!({"Records": [{"eventSource": "aws:kinesis"}]}), "an event of \"aws:kinesis\" came"),
        (json!({"Records": [{"eventSource": "aws:dynamodb"}]}), "an event of \"aws:dynamodb\" came"),
        (json!({"Records": [{"cf": {}}]}), "an object with \"Records\" came"),
        (json!({"source": "aws.s3", "detail-type": "Object Created"}), "an event of \"aws.s3\" came"),
        (json!({"source": "a\n\u{1b}[2J"}), "an event of \"a\\n\\u{1b}[2J\" came"),
    ] {
        let error = read(&event).unwrap_err();
        assert!(error.kind == Kind::UnexpectedEvent && error.message.starts_with(came), "{error}");
        assert!(!error.message.contains(char::is_control), "{error:?}");
    }
}

#[test]
fn only_ids_of_the_batch_are_ever_answered_and_a_failure_without_one_fails_all() {
    let failed = || Error::new(Kind::StoreFailed, "no");
    let answer = sqs::item_failures(vec![(Some("a"), failed()), (Some("a"), failed()), (Some("b"), failed())]).unwrap();
    assert_eq!(json!(answer), json!([{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]));
    let error = sqs::item_failures(vec![(Some("a"), failed()), (None, failed())]).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (Kind::StoreFailed, "a message without a messageId failed: no; no")
    );
    for id in [json!(""), json!(null), json!(7)] {
        let event = json!({"Records": [{"eventSource": "aws:sqs", "messageId": id, "body": "x"}]});
        let Came::Batch(messages) = read(&event).unwrap() else { panic!("it is a batch") };
        assert_eq!(messages[0].id, None, "{id}");
    }
}

//! Events as AWS documents them, byte for byte.

use serde_json::json;

use super::*;
use crate::tick::asked::Request;
use crate::tick::decide::Asked;

/// S3: "Event message structure" of its user guide.
const S3: &str = r#"{
   "Records":[
      {
         "eventVersion":"2.2",
         "eventSource":"aws:s3",
         "awsRegion":"us-west-2",
         "eventTime":"1970-01-01T00:00:00.000Z",
         "eventName":"ObjectCreated:Put",
         "userIdentity":{
            "principalId":"AIDAJDPLRKLG7UEXAMPLE"
         },
         "requestParameters":{
            "sourceIPAddress":"172.16.0.1"
         },
         "responseElements":{
            "x-amz-request-id":"C3D13FE58DE4C810",
            "x-amz-id-2":"FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD"
         },
         "s3":{
            "s3SchemaVersion":"1.0",
            "configurationId":"testConfigRule",
            "bucket":{
               "name":"amzn-s3-demo-bucket",
               "ownerIdentity":{
                  "principalId":"A3NL1KOZZKExample"
               },
               "arn":"arn:aws:s3:::amzn-s3-demo-bucket"
            },
            "object":{
               "key":"loop/Start.lambda",
               "size":1024,
               "eTag":"d41d8cd98f00b204e9800998ecf8427e",
               "versionId":"096fKKXTRTtl3on89fVO.nfljtsv6qko",
               "sequencer":"0055AED6DCD90281E5"
            }
         }
      }
   ]
}"#;

/// Lambda's developer guide: "Example standard queue message event".
const SQS: &str = r#"{
    "Records": [
        {
            "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
            "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
            "body": "Test message.",
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1545082649183",
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": "1545082649185"
            },
            "messageAttributes": {
                "myAttribute": {
                    "stringValue": "myValue",
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": "String"
                }
            },
            "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue",
            "awsRegion": "us-east-2"
        },
        {
            "messageId": "2e1424d4-f796-459a-8184-9c92662be6da",
            "receiptHandle": "AQEBzWwaftRI0KuVm4tP+/7q1rGgNqicHq...",
            "body": "Test message.",
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1545082650636",
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": "1545082650649"
            },
            "messageAttributes": {},
            "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue",
            "awsRegion": "us-east-2"
        }
    ]
}"#;

/// Lambda's developer guide: "Example Amazon SNS message event".
const SNS: &str = r#"{
  "Records": [
    {
      "EventVersion": "1.0",
      "EventSubscriptionArn": "arn:aws:sns:us-east-1:123456789012:sns-lambda:21be56ed-a058-49f5-8c98-aedd2564c486",
      "EventSource": "aws:sns",
      "Sns": {
        "SignatureVersion": "1",
        "Timestamp": "2019-01-02T12:45:07.000Z",
        "Signature": "tcc6faL2yUC6dgZdmrwh1Y4cGa/ebXEkAi6RibDsvpi+tE/1+82j...65r==",
        "SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-ac565b8b1a6c5d002d285f9598aa1d9b.pem",
        "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        "Message": "Hello from SNS!",
        "MessageAttributes": {
          "Test": {
            "Type": "String",
            "Value": "TestString"
          },
          "TestBinary": {
            "Type": "Binary",
            "Value": "TestBinary"
          }
        },
        "Type": "Notification",
        "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&amp;SubscriptionArn=arn:aws:sns:us-east-1:123456789012:test-lambda:21be56ed-a058-49f5-8c98-aedd2564c486",
        "TopicArn":"arn:aws:sns:us-east-1:123456789012:sns-lambda",
        "Subject": "TestInvoke"
      }
    }
  ]
}"#;

/// SNS's developer guide: what is posted to an endpoint or put into a queue, where raw delivery is off.
const ENVELOPE: &str = r#"{
  "Type" : "Notification",
  "MessageId" : "63a3f6b6-d533-4a47-aef9-fcf5cf758c76",
  "TopicArn" : "arn:aws:sns:us-west-2:123456789012:MyTopic",
  "Subject" : "Testing publish to subscribed queues",
  "Message" : "Hello world!",
  "Timestamp" : "2012-03-29T05:12:16.901Z",
  "SignatureVersion" : "1",
  "Signature" : "EXAMPLEnTrFPa3...",
  "SigningCertURL" : "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem",
  "UnsubscribeURL" : "https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-west-2:123456789012:MyTopic:c7fe3a54-ab0e-4ec2-88e0-db410a0f2bee"
}"#;

/// `EventBridge`'s user guide: the event of a rule with a schedule.
const RULE: &str = r#"{
  "version": "0",
  "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
  "detail-type": "Scheduled Event",
  "source": "aws.events",
  "account": "123456789012",
  "time": "2015-10-08T16:53:06Z",
  "region": "us-east-1",
  "resources": [
    "arn:aws:events:us-east-1:123456789012:rule/my-scheduled-rule"
  ],
  "detail": {}
}"#;

/// `EventBridge` Scheduler, where the target has no input of its own: as above, but with a text as its `detail`.
const SCHEDULER: &str = r#"{
    "version": "0",
    "id": "37666ae6-48cf-4285-b4c6-a3320b38824a",
    "detail-type": "Scheduled Event",
    "source": "aws.scheduler",
    "account": "123456789012",
    "time": "2024-06-13T12:30:00Z",
    "region": "us-east-2",
    "resources": [
        "arn:aws:scheduler:us-east-2:123456789012:schedule/default/my-schedule"
    ],
    "detail": "{}"
}"#;

fn parsed(event: &str) -> Value {
    serde_json::from_str(event).unwrap()
}

fn asked(event: &Value) -> Asked {
    Request::of(read(event).unwrap()).asked
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
    let record = |(number, body): (usize, &&str)| json!({"eventSource": "aws:sqs", "messageId": number.to_string(), "body": body});
    let event = json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()});
    let Request { asked, is_batch, torn } = Request::of(read(&event).unwrap());
    assert_eq!((asked, is_batch), (Asked { sweep: true, ticks: vec![7], ..Asked::default() }, true));
    let ids: Vec<_> = torn.iter().map(|(id, _)| id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["1", "3"]);
    assert!(torn.iter().all(|(_, error)| error.kind == Kind::UnexpectedEvent));
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

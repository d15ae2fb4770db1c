//! What came: the one reader of events, for both handlers.
//!
//! - [`records`]: the pulses that an event brings to the probe; [`Trigger`]: what an event asks the loop for;
//! - `s3`: how S3 says it.

mod s3;

use pulse_echo_core::name::{CheckId, Key};
use serde_json::Value;

use pulse_echo_core::text::line;

/// How much of what came an error shows, in bytes.
const ROOM: usize = 200;

/// A record of an event, as the probe takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// A pulse was put.
    Pulse {
        /// The bucket that it was put into.
        bucket: String,
        /// Whose pulse it is.
        id: CheckId,
    },
    /// An object that is nobody's pulse was put; what its key is and what is wrong with it.
    Skipped(String),
    /// The record cannot be read, and why.
    Unreadable(String),
}

/// The records of an event of S3, each looked at by itself. The error names the event that came instead.
pub(crate) fn records(event: &Value) -> Result<Vec<Record>, String> {
    match s3::records(event) {
        Some(records) => Ok(records.iter().map(|value| record(value).unwrap_or_else(Record::Unreadable)).collect()),
        None => Err(format!(
            "the probe answers events of S3 (\"Records\" whose \"eventSource\" is \"aws:s3\"), but what came is {}",
            line(&what_came(event), ROOM)
        )),
    }
}

fn record(value: &Value) -> Result<Record, String> {
    let s3::Put { bucket, key } = s3::Put::read(value)?;
    Ok(match s3::decoded(&key).and_then(|key| CheckId::from_pulse_key(&key)) {
        Ok(id) => Record::Pulse { bucket, id },
        Err(why) => Record::Skipped(format!("the key {}: {why}", line(&key, ROOM))),
    })
}

fn what_came(event: &Value) -> String {
    let first = &event["Records"][0];
    // SNS writes it large.
    let sources = [&first["eventSource"], &first["EventSource"], &event["source"]];
    if let Some(source) = sources.into_iter().find_map(Value::as_str) {
        return format!("an event of {source:?}");
    }
    match event {
        Value::Object(fields) if fields.is_empty() => "an empty object".into(),
        Value::Object(fields) => {
            let names: Vec<_> = fields.keys().map(|name| format!("{name:?}")).collect();
            format!("an object with {}", names.join(", "))
        }
        other => other.to_string(),
    }
}

/// What an event asks the loop for. It is only a hint to look: lost, doubled, late and reordered ones do no harm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trigger {
    /// Look whether the loop is stopped, and sweep if not.
    pub(crate) sweep: bool,
    /// Send a test message.
    pub(crate) test: bool,
}

impl Trigger {
    /// Reads an event: of S3 what was put, anything else (a schedule, a topic, a test in the console) asks for a sweep.
    pub(crate) fn of(event: &Value) -> Self {
        let Some(records) = s3::records(event) else { return Self { sweep: true, test: false } };
        let of_record = |record| match s3::key(record).as_deref() {
            Some(key) if key == Key::loop_test().as_str() => Self { sweep: false, test: true },
            Some(key) => Self { sweep: asks_for_sweep(key), test: false },
            None => Self::default(),
        };
        records
            .iter()
            .map(of_record)
            .fold(Self::default(), |a, b| Self { sweep: a.sweep || b.sweep, test: a.test || b.test })
    }

    /// Whether there is nothing to do, as for what the loop itself puts.
    #[cfg(test)]
    pub(crate) fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// A start or a stop is looked at by a sweep as well: that is what reads them.
fn asks_for_sweep(key: &str) -> bool {
    [Key::loop_start(), Key::loop_stop(), Key::loop_update()].iter().any(|asks| asks.as_str() == key)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(key: &str) -> Value {
        json!({"Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "eventTime": "2026-11-21T08:00:00.000Z",
            "userIdentity": {}, "requestParameters": {},
            "s3": {"bucket": {"name": "pulses"}, "object": {"key": key}},
        }]})
    }

    fn one(event: &Value) -> Record {
        let [record] = records(event).unwrap().try_into().unwrap();
        record
    }

    #[test]
    fn a_pulse_has_its_bucket_and_its_check() {
        for (encoded, shown) in [("pulse/web-1.json", "web-1"), ("pulse/a+b%2Bc%25.json", "a b+c%")] {
            let Record::Pulse { bucket, id } = one(&event(encoded)) else { panic!("{encoded} is a pulse's key") };
            assert_eq!((bucket.as_str(), id.to_string().as_str()), ("pulses", shown));
        }
    }

    #[test]
    fn a_key_that_is_nobodys_pulse_is_skipped_with_its_reason_on_one_line() {
        for (encoded, why) in [
            ("pulse/%FF.json", "the key pulse/%FF.json: it is not UTF-8"),
            ("pulse/", "folder"),
            ("pulse/%2E%2E/echo/a.json", "segment \"..\""),
            ("pulse/a%0Ab.json", "'\\n', which does not print"),
            ("pulse/a\n\u{1b}[2J.json", "the key pulse/a\\n\\u{1b}[2J.json: "),
            ("echo/a.json", "not in pulse/"),
        ] {
            let Record::Skipped(text) = one(&event(encoded)) else { panic!("{encoded:?} is no pulse's key") };
            assert!(text.contains(why) && !text.contains(char::is_control), "{text}");
        }
    }

    #[test]
    fn what_is_no_event_of_s3_is_named_beside_what_is_expected() {
        for (event, came) in [
            (json!({"Records": [{"eventSource": "aws:sqs", "body": "1"}]}), "an event of \"aws:sqs\""),
            (json!({"Records": [{"EventSource": "aws:sns"}]}), "an event of \"aws:sns\""),
            (json!({"source": "aws.events", "detail-type": "Scheduled Event"}), "an event of \"aws.events\""),
            (json!({"key1": "value1", "key2": 2}), "an object with \"key1\", \"key2\""),
            (json!({"Records": []}), "an object with \"Records\""),
            (json!({}), "an empty object"),
            (json!("tick"), "\"tick\""),
            (json!(null), "null"),
        ] {
            let error = records(&event).unwrap_err();
            assert!(error.contains("\"aws:s3\"") && error.ends_with(came), "{error}");
        }
    }

    #[test]
    fn one_unreadable_record_leaves_the_others_alone() {
        let mut event = event("pulse/a.json");
        let good = event["Records"][0].clone();
        let mut newer = good.clone();
        newer["eventVersion"] = json!("3.0");
        let mut nameless = good.clone();
        nameless["s3"]["bucket"] = json!({});
        event["Records"] = json!([good, newer, nameless, {"eventSource": "aws:s3"}, 7]);
        let [good, rest @ ..] = &records(&event).unwrap()[..] else { panic!("there are records") };
        assert!(matches!(good, Record::Pulse { .. }));
        for (record, why) in rest.iter().zip(["is \"3.0\"", "no bucket", "missing field", "no record of S3"]) {
            let Record::Unreadable(text) = record else { panic!("{record:?} cannot be read") };
            assert!(text.contains(why), "{text}");
        }
    }

    fn put(keys: &[&str]) -> Trigger {
        let record = |key: &&str| json!({"eventSource": "aws:s3", "s3": {"object": {"key": key}}});
        Trigger::of(&json!({"Records": keys.iter().map(record).collect::<Vec<_>>()}))
    }

    #[test]
    fn control_files_ask_for_a_sweep_or_a_test_message() {
        let (sweep, test) = (Trigger { sweep: true, test: false }, Trigger { sweep: false, test: true });
        for key in ["loop/Start.lambda", "loop/Stop.lambda", "loop/Update.lambda", "loop%2FUpdate.lambda"] {
            assert_eq!(put(&[key]), sweep, "{key}");
        }
        assert_eq!(put(&["loop/Test.lambda"]), test);
        assert_eq!(put(&["loop/Test.lambda", "loop/Start.lambda"]), Trigger { sweep: true, test: true });
    }

    #[test]
    fn what_the_loop_puts_itself_asks_for_nothing() {
        for key in ["loop/Update.json", "loop/Loop.lock", "status.json", "pulse/web-1.json", "loop/%FF"] {
            assert!(put(&[key]).is_none(), "{key}");
        }
        assert!(Trigger::of(&json!({"Event": "s3:TestEvent", "Bucket": "b"})).is_none());
    }

    #[test]
    fn anything_else_asks_for_a_sweep() {
        for event in [
            json!({"source": "aws.events", "detail-type": "Scheduled Event"}),
            json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "x"}}]}),
            json!({"key1": "value1"}),
            json!({}),
            json!(null),
        ] {
            assert_eq!(Trigger::of(&event), Trigger { sweep: true, test: false }, "{event}");
        }
    }
}

//! What came: the records of an S3 event, each looked at by itself.

use aws_lambda_events::s3::S3EventRecord;
use percent_encoding::percent_decode_str;
use pulse_echo_core::name::CheckId;
use serde_json::Value;

use crate::text::line;

/// How much of what came an error shows, in bytes.
const ROOM: usize = 200;

/// A record of an event.
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

/// The records of an S3 event; none for the test event that S3 sends when it is told to send events. The error says what
/// came instead of one.
pub(crate) fn records(event: &Value) -> Result<Vec<Record>, String> {
    if event["Event"] == "s3:TestEvent" {
        return Ok(Vec::new());
    }
    match event["Records"].as_array() {
        Some(records) if records.first().is_some_and(|first| first["eventSource"] == "aws:s3") => {
            Ok(records.iter().map(|value| record(value).unwrap_or_else(Record::Unreadable)).collect())
        }
        _ => Err(format!(
            "the probe answers events of S3 (\"Records\" whose \"eventSource\" is \"aws:s3\"), but what came is {}",
            line(&what_came(event), ROOM)
        )),
    }
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

fn record(value: &Value) -> Result<Record, String> {
    let record: S3EventRecord =
        serde_json::from_value(value.clone()).map_err(|error| format!("it is no record of S3: {error}"))?;
    // AWS adds fields within a major version.
    let version = record.event_version.unwrap_or_default();
    if version.split('.').next() != Some("2") {
        return Err(format!("its \"eventVersion\" is {version:?}; this version of the probe reads \"2.x\""));
    }
    let bucket = record.s3.bucket.name.ok_or("it names no bucket")?;
    let key = record.s3.object.key.ok_or("it names no key")?;
    Ok(match pulse_of(&key) {
        Ok(id) => Record::Pulse { bucket, id },
        Err(why) => Record::Skipped(format!("the key {}: {why}", line(&key, ROOM))),
    })
}

/// Whose pulse has this key, which is encoded as in a form.
fn pulse_of(key: &str) -> Result<CheckId, String> {
    let spaced = key.replace('+', " ");
    let key = percent_decode_str(&spaced).decode_utf8().map_err(|_| "it is not UTF-8")?;
    CheckId::from_pulse_key(&key)
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
    fn keys_are_decoded_as_a_form_is() {
        for (encoded, shown) in [
            ("pulse/web-1.json", "web-1"),
            ("pulse/a+b%2Bc%25.json", "a b+c%"),
            ("pulse/K%C3%A4se/%E6%97%A5%E6%9C%AC.json", "Käse/日本"),
        ] {
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
    fn the_test_event_of_s3_has_no_records() {
        let event = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-21T08:00:00.000Z",
            "Bucket": "pulses", "RequestId": "1", "HostId": "2"});
        assert_eq!(records(&event), Ok(vec![]));
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
}

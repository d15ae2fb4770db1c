//! Events of S3: each record tells of one object that was put.

use aws_lambda_events::s3::S3EventRecord;
use percent_encoding::percent_decode_str;
use pulse_echo_core::json;
use serde_json::Value;

use crate::error::{Error, Kind};

/// The records of an event of S3: no records in the test event that S3 sends when it is told to send events. `None` if
/// something else sent the event.
pub(crate) fn records(event: &Value) -> Option<&[Value]> {
    if event["Event"] == "s3:TestEvent" {
        return Some(&[]);
    }
    event["Records"].as_array().filter(|records| records.iter().any(is_of_s3)).map(Vec::as_slice)
}

fn is_of_s3(record: &Value) -> bool {
    record["eventSource"] == "aws:s3"
}

/// Whether a record tells of a put. One of a removal or a lifecycle's work asks for nothing; one that does not say what
/// happened may tell of a put.
pub(crate) fn is_put(record: &Value) -> bool {
    record["eventName"].as_str().is_none_or(|name| name.starts_with("ObjectCreated:"))
}

/// An object that was put.
pub(crate) struct Put {
    /// The bucket that holds it.
    pub(crate) bucket: String,
    /// Its key, still [encoded](decoded).
    pub(crate) key: String,
}

impl Put {
    /// Reads a record. The error says why that cannot be done.
    pub(crate) fn read(record: &Value) -> Result<Self, String> {
        let record: S3EventRecord = serde_json::from_value(record.clone())
            .map_err(|error| format!("it is no record of S3: {}", json::Error::from(error)))?;
        // AWS adds fields within a major version.
        let version = record.event_version.unwrap_or_default();
        if version.split('.').next() != Some("2") {
            return Err(format!("its \"eventVersion\" is {version:?}; this version of the probe reads \"2.x\""));
        }
        let bucket = record.s3.bucket.name.ok_or("it names no bucket")?;
        Ok(Self { bucket, key: record.s3.object.key.ok_or("it names no key")? })
    }
}

/// The decoded key in a record of S3, whatever else the record says; `None` where there is no key, or it is not UTF-8.
pub(crate) fn key(record: &Value) -> Option<String> {
    decoded(record["s3"]["object"]["key"].as_str().filter(|_| is_of_s3(record))?).ok()
}

/// The bucket in a record of S3, whatever else the record says; `None` where it names none.
pub(crate) fn bucket(record: &Value) -> Option<&str> {
    record["s3"]["bucket"]["name"].as_str()
}

/// That the event's bucket is `ours`; if `BUCKET` is not set, each bucket is. `who` is the handler, in the error.
pub(crate) fn check_bucket(bucket: &str, ours: Option<&str>, who: &str) -> Result<(), Error> {
    match ours {
        Some(ours) if ours != bucket => Err(Error::new(
            Kind::BucketMismatch,
            format!("the event is of the bucket {bucket:?}, but this {who}'s BUCKET is {ours:?}"),
        )),
        _ => Ok(()),
    }
}

/// A key as it is, of one that is encoded as in a form. The error says what is wrong with it.
pub(crate) fn decoded(key: &str) -> Result<String, String> {
    let key = key.replace('+', " ");
    Ok(percent_decode_str(&key).decode_utf8().map_err(|_| "it is not UTF-8")?.into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_decoded_as_a_form_is() {
        for (encoded, key) in [
            ("pulse/web-1.json", "pulse/web-1.json"),
            ("pulse/a+b%2Bc%25.json", "pulse/a b+c%.json"),
            ("pulse/K%C3%A4se/%E6%97%A5%E6%9C%AC.json", "pulse/Käse/日本.json"),
        ] {
            assert_eq!(decoded(encoded).unwrap(), key);
        }
        assert_eq!(decoded("pulse/%FF.json").unwrap_err(), "it is not UTF-8");
    }

    #[test]
    fn the_test_event_of_s3_has_no_records() {
        let event = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-21T08:00:00.000Z",
            "Bucket": "pulses", "RequestId": "1", "HostId": "2"});
        assert_eq!(records(&event), Some(&[][..]));
    }

    #[test]
    fn records_of_another_service_are_not_an_event_of_s3() {
        for event in [json!({"Records": [{"eventSource": "aws:sqs"}]}), json!({"Records": []}), json!({}), json!(null)]
        {
            assert_eq!(records(&event), None, "{event}");
        }
    }
}

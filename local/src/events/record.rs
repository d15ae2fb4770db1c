//! What a handler is given: S3's JSON of an event.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::s3::notification::Kind;
use crate::s3::store::Pending;
use crate::s3::url_encoded;

/// The event as in AWS's "Event message structure", version 2.1.
pub(super) fn record(event: &Pending, bucket: &str, region: &str) -> Value {
    let time = Timestamp::from_millisecond(event.time_ms).unwrap_or_default();
    let rule = match event.kind {
        Kind::Probe => "probe",
        Kind::Loop => "loop",
    };
    json!({
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        "eventName": "ObjectCreated:Put",
        "userIdentity": { "principalId": "AWS:local" },
        "requestParameters": { "sourceIPAddress": event.origin.source_ip },
        "responseElements": {
            "x-amz-request-id": event.origin.request_id,
            "x-amz-id-2": event.origin.request_id,
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": rule,
            "bucket": {
                "name": bucket,
                "ownerIdentity": { "principalId": "local" },
                "arn": format!("arn:aws:s3:::{bucket}"),
            },
            "object": {
                "key": url_encoded(&event.key),
                "size": event.size,
                "eTag": event.etag,
                // Sorts the events of one key; compared as text.
                "sequencer": format!("{:018X}", event.number),
            },
        },
    })
}

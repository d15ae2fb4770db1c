//! The pulses that an event brings to the probe.

use pulse_echo_core::name::CheckId;
use pulse_echo_core::text::{line, quoted};
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::event::{Came, ROOM, Text, s3};

/// A record of an event, as the probe takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
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
    Unreadable(Error),
}

/// What the probe has to answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pulses {
    /// The records; of a batch with the place of the message that each belongs to.
    pub(super) records: Vec<(usize, Record)>,
    /// Of a batch, the `messageId` of each message.
    pub(super) batch: Option<Vec<Option<String>>>,
}

impl Pulses {
    /// The pulses in what came. The error names the event that came instead.
    pub(super) fn of(came: Came) -> Result<Self, Error> {
        let (texts, batch) = match came {
            Came::Objects(records) => (vec![Text::Objects(records)], None),
            Came::Notes(notes) => (notes, None),
            Came::Batch(messages) => {
                let (ids, texts) = messages.into_iter().map(|message| (message.id, message.text)).unzip();
                (texts, Some(ids))
            }
            Came::Schedule => return Err(unexpected("a schedule")),
            Came::Direct(words) => return Err(unexpected(&words)),
        };
        let of_text = |(place, text)| {
            let records = match text {
                Text::Objects(records) => records.iter().filter_map(record).collect(),
                Text::Other(text) => {
                    vec![Record::Unreadable(unexpected(&format!("the text {}", quoted(text.as_bytes(), 0, ROOM))))]
                }
            };
            records.into_iter().map(move |record| (place, record))
        };
        Ok(Self { records: texts.into_iter().enumerate().flat_map(of_text).collect(), batch })
    }
}

/// A record of S3; `None` for one that tells of a removal, say, which asks for nothing.
fn record(value: &Value) -> Option<Record> {
    s3::is_put(value).then(|| {
        let s3::Put { bucket, key } = match s3::Put::read(value) {
            Ok(put) => put,
            Err(why) => {
                let why = format!("a record of the event cannot be read: {}", line(&why, ROOM));
                return Record::Unreadable(Error::new(Kind::UnexpectedEvent, why));
            }
        };
        match s3::decoded(&key).and_then(|key| CheckId::from_pulse_key(&key)) {
            Ok(id) => Record::Pulse { bucket, id },
            Err(why) => Record::Skipped(format!("the key {}: {why}", line(&key, ROOM))),
        }
    })
}

fn unexpected(came: &str) -> Error {
    let message = format!(
        "the probe answers events of S3 (\"Records\" whose \"eventSource\" is \"aws:s3\"), but what came is {came}"
    );
    Error::new(Kind::UnexpectedEvent, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event;

    fn event(key: &str) -> Value {
        json!({"Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "eventTime": "2026-11-21T08:00:00.000Z",
            "userIdentity": {}, "requestParameters": {},
            "s3": {"bucket": {"name": "pulses"}, "object": {"key": key}},
        }]})
    }

    fn pulses(event: &Value) -> Result<Pulses, Error> {
        Pulses::of(event::read(event)?)
    }

    fn one(event: &Value) -> Record {
        let records: [_; 1] = pulses(event).unwrap().records.try_into().unwrap();
        records.map(|(_, record)| record).into_iter().next().unwrap()
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
            ("pulse/a\n\u{1b}[2J.json", "the key pulse/a\\n\\x1b[2J.json: "),
            ("echo/a.json", "not in pulse/"),
        ] {
            let Record::Skipped(text) = one(&event(encoded)) else { panic!("{encoded:?} is no pulse's key") };
            assert!(text.contains(why) && !text.contains(char::is_control), "{text}");
        }
    }

    #[test]
    fn what_brings_no_pulses_is_named_beside_what_is_expected() {
        for (event, came) in [
            (json!({"source": "aws.events", "detail-type": "Scheduled Event"}), "a schedule"),
            (json!({"key1": "value1", "key2": 2}), "an object with \"key1\", \"key2\""),
            (json!({"Records": []}), "an object with \"Records\""),
            (json!({}), "an empty object"),
            (json!("tick"), "\"tick\""),
            (json!(null), "null"),
        ] {
            let error = pulses(&event).unwrap_err();
            assert!(error.message.contains("\"aws:s3\"") && error.message.ends_with(came), "{error}");
        }
        let note = json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "a\nb"}}]});
        let Record::Unreadable(error) = one(&note) else { panic!("it brings no pulse") };
        assert!(error.message.ends_with("the text \"a\\nb\""), "{error}");
    }

    #[test]
    fn one_unreadable_record_leaves_the_others_alone() {
        let mut event = event("pulse/a.json");
        let good = event["Records"][0].clone();
        let mut newer = good.clone();
        newer["eventVersion"] = json!("3.0");
        let mut nameless = good.clone();
        nameless["s3"]["bucket"] = json!({});
        let mut removed = good.clone();
        removed["eventName"] = json!("ObjectRemoved:Delete");
        event["Records"] = json!([good, newer, nameless, {"eventSource": "aws:s3"}, 7, removed]);
        let [(_, good), rest @ ..] = &pulses(&event).unwrap().records[..] else { panic!("there are records") };
        assert!(matches!(good, Record::Pulse { .. }));
        assert_eq!(rest.len(), 4, "a removal asks for nothing");
        for ((_, record), why) in rest.iter().zip(["is \"3.0\"", "no bucket", "missing field", "no record of S3"]) {
            let Record::Unreadable(error) = record else { panic!("{record:?} cannot be read") };
            assert!(error.message.contains(why), "{error}");
        }
    }

    #[test]
    fn each_pulse_of_a_batch_belongs_to_its_message() {
        let message = |id: &str, body: String| json!({"eventSource": "aws:sqs", "messageId": id, "body": body});
        let two = json!({"Records": [event("pulse/a.json")["Records"][0], event("pulse/b.json")["Records"][0]]});
        let batch = json!({"Records": [
            message("m-0", "hello".into()), message("m-1", two.to_string()), message("m-2", two.to_string()),
        ]});
        let Pulses { records, batch } = pulses(&batch).unwrap();
        assert_eq!(batch.unwrap(), [0, 1, 2].map(|number| Some(format!("m-{number}"))));
        assert_eq!(records.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [0, 1, 1, 2, 2]);
        assert!(matches!(records[0].1, Record::Unreadable(_)) && matches!(records[4].1, Record::Pulse { .. }));
    }
}

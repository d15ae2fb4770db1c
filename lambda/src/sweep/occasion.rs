//! What an event asks for. It is only a hint to look: lost, doubled, late and reordered ones do no harm.

use percent_encoding::percent_decode_str;
use pulse_echo_core::name::Key;
use serde_json::Value;

/// What an event asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Occasion {
    /// Look whether the loop is stopped, and sweep if not.
    pub(super) sweep: bool,
    /// Send a test message.
    pub(super) test: bool,
}

impl Occasion {
    /// Reads an event: of S3 what was put, anything else (a schedule, a topic, a test in the console) asks for a sweep.
    pub(super) fn of(event: &Value) -> Self {
        if event["Event"] == "s3:TestEvent" {
            return Self::default();
        }
        let records = event["Records"].as_array().filter(|records| records.iter().any(is_of_s3));
        let Some(records) = records else { return Self { sweep: true, test: false } };
        let of_record = |record| match key(record).as_deref() {
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
    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// A start or a stop is looked at by a sweep as well: that is what reads them.
fn asks_for_sweep(key: &str) -> bool {
    [Key::loop_start(), Key::loop_stop(), Key::loop_update()].iter().any(|asks| asks.as_str() == key)
}

fn is_of_s3(record: &Value) -> bool {
    record["eventSource"] == "aws:s3"
}

/// The key in a record of S3, which is encoded as in a form.
fn key(record: &Value) -> Option<String> {
    let key = record["s3"]["object"]["key"].as_str().filter(|_| is_of_s3(record))?.replace('+', " ");
    Some(percent_decode_str(&key).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn put(keys: &[&str]) -> Occasion {
        let record = |key: &&str| json!({"eventSource": "aws:s3", "s3": {"object": {"key": key}}});
        Occasion::of(&json!({"Records": keys.iter().map(record).collect::<Vec<_>>()}))
    }

    #[test]
    fn control_files_ask_for_a_sweep_or_a_test_message() {
        let (sweep, test) = (Occasion { sweep: true, test: false }, Occasion { sweep: false, test: true });
        for key in ["loop/Start.lambda", "loop/Stop.lambda", "loop/Update.lambda", "loop%2FUpdate.lambda"] {
            assert_eq!(put(&[key]), sweep, "{key}");
        }
        assert_eq!(put(&["loop/Test.lambda"]), test);
        assert_eq!(put(&["loop/Test.lambda", "loop/Start.lambda"]), Occasion { sweep: true, test: true });
    }

    #[test]
    fn what_the_loop_puts_itself_asks_for_nothing() {
        for key in ["loop/Update.json", "loop/Loop.lock", "status.json", "pulse/web-1.json", "loop/%FF"] {
            assert!(put(&[key]).is_none(), "{key}");
        }
        assert!(Occasion::of(&json!({"Event": "s3:TestEvent", "Bucket": "b"})).is_none());
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
            assert_eq!(Occasion::of(&event), Occasion { sweep: true, test: false }, "{event}");
        }
    }
}

//! Ways through JSON.

use serde_json::Value;

use crate::template::as_text;

/// One or many, as a list.
pub fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().map(as_text).collect(),
        one => vec![as_text(one)],
    }
}

/// Every value below this one, itself first.
pub fn walk<'a>(value: &'a Value, see: &mut dyn FnMut(&'a Value)) {
    see(value);
    match value {
        Value::Array(values) => values.iter().for_each(|each| walk(each, see)),
        Value::Object(pairs) => pairs.values().for_each(|each| walk(each, see)),
        _ => (),
    }
}

//! The history as the loop left it in `history.json`.

use pulse_echo_core::history::{History, SIZE_LIMIT};
use pulse_echo_core::name::Key;
use pulse_echo_core::store::Store;

use crate::fleet::Fleet;
use crate::look::{self, Look};

/// Reads `history.json`, with what the loop has not put into it yet. The error is a sentence that says what to do.
pub fn read(store: &Store, fleet: &Fleet) -> Result<History, String> {
    let (key, bucket) = (Key::history(), store.bucket_name());
    let unfiled = fleet.status.unfiled.as_ref();
    let object = match look::look(store, &key, SIZE_LIMIT).map_err(|error| error.to_string())? {
        Look::There(object) => Some(object),
        // The loop begins it with the first outage that ends.
        Look::Missing if unfiled.is_some_and(|unfiled| unfiled.begins.is_some()) => None,
        Look::Missing => {
            return Err(format!(
                "there is no {key} in bucket {bucket}: the loop begins it with the next outage that ends"
            ));
        }
        Look::Denied => {
            return Err(format!(
                "{key} of bucket {bucket} may not be read with these credentials, or is not there yet: it is the \
                 operator's"
            ));
        }
    };
    let mut history = object.map_or_else(
        || Ok(History::not_begun(unfiled, fleet.now)),
        |object| {
            let body = object.body.ok_or_else(|| format!("{key} has {} bytes, over {SIZE_LIMIT}", object.size))?;
            History::from_json(&body).map_err(|error| error.to_string())
        },
    )?;
    if let Some(unfiled) = unfiled {
        history.file(unfiled);
    }
    Ok(history)
}

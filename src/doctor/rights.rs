//! What the credentials may do, tested without leaving a trace.

use crate::look::{Look, Seen};
use crate::pulses::PulseFile;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::store::{Condition, Store};

/// An `ETag` of the form that S3 gives, which no object has.
const NO_ETAG: &str = "\"00000000000000000000000000000000\"";

/// Tests whether the pulse may be put; `is_there` if one is known to be there. The error says what is wrong and what to
/// do.
///
/// It sends a PUT with a condition that cannot hold: `If-Match` with an `ETag` that no object has. S3 checks the rights
/// first (403), then the condition: 412, or 404 where the object is missing. So nothing is written and no event fires,
/// whatever is there and whatever others do meanwhile. `If-None-Match: *` would be safe only while a pulse is there. A
/// store that ignores conditions takes what cron would have sent anyway.
pub fn may_put(store: &Store, file: &PulseFile, is_there: bool) -> Result<String, String> {
    let key = Key::pulse(&file.id);
    let never = Condition::IfMatch(NO_ETAG.into());
    match store.put(&key, "application/json", &file.text, &Metadata::new(), &never) {
        Ok(_) => Err(format!(
            "{key} was put though its condition does not hold: this store does not know conditions, which the loop \
             needs; use another store, or a newer version of it"
        )),
        Err(error) if error.is_precondition() || error.is_missing() => Ok(format!("may put {key}")),
        Err(error) if error.is_denied() && is_there => {
            Err(format!("may not put {key}; the policy must allow s3:PutObject on it"))
        }
        Err(error) if error.is_denied() => Err(format!(
            "may not put {key}, or not tell until it is there: pulse-echo send shows it; the policy must allow \
             s3:PutObject and s3:GetObject on it"
        )),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the answers may be read; `None` if that is unknown before there is a pulse.
pub fn may_read(id: &CheckId, seen: &Seen) -> Option<Result<String, String>> {
    let (echo, fault) = (Key::echo(id), Key::fault(id));
    match (&seen.pulse, &seen.echo, &seen.fault) {
        (_, Look::There(_) | Look::Missing, _) => Some(Ok(format!("may read {echo}"))),
        (_, _, Look::There(_) | Look::Missing) => Some(Ok(format!("may read {fault}"))),
        (Look::There(_), Look::Denied, Look::Denied) => Some(Err(format!(
            "may not read {echo} and {fault}, or neither is there yet; the policy must allow s3:GetObject on them"
        ))),
        (Look::Missing | Look::Denied, Look::Denied, Look::Denied) => None,
    }
}

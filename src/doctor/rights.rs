//! What the credentials may do, found out without leaving a trace.

use crate::look::{Look, Seen};
use crate::pulses::PulseFile;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::store::{Condition, Store};

/// An `ETag` of the form that S3 gives, which no object has.
const NO_ETAG: &str = "\"00000000000000000000000000000000\"";

/// Whether the pulse may be put. The error says what is wrong and what to do.
///
/// It is tried, on a condition that cannot hold: `If-Match` with an `ETag` that no object has. S3 looks at the rights
/// first (403), then at the condition: 412, or 404 where there is no such object. So nothing is written and no event
/// fires, whatever is there and whatever others do meanwhile; `If-None-Match: *` would do the same only while a pulse
/// is there. Should a store not know conditions, it takes what cron would have sent anyway.
pub fn may_put(store: &Store, file: &PulseFile, seen: &Seen) -> Result<String, String> {
    let key = Key::pulse(&file.id);
    let never = Condition::IfMatch(NO_ETAG.into());
    match store.put(&key, "application/json", &file.text, &Metadata::new(), &never) {
        Ok(_) => Err(format!(
            "{key} was put though its condition does not hold: this store does not know conditions, which the loop \
             needs; use another store, or a newer version of it"
        )),
        Err(error) if error.is_precondition() || error.is_missing() => Ok(format!("may put {key}")),
        Err(error) if error.is_denied() && seen.pulse.as_ref().there().is_some() => {
            Err(format!("may not put {key}; the policy must allow s3:PutObject on it"))
        }
        Err(error) if error.is_denied() => Err(format!(
            "may not put {key}, or not tell until it is there: pulse-echo send shows it; the policy must allow \
             s3:PutObject and s3:GetObject on it"
        )),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the answers may be read; none where that cannot be told before there is a pulse.
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

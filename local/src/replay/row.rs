//! A line of a history: what happened to which check, and when.

use jiff::Timestamp;
use pulse_echo_core::answer::Cause;
use pulse_echo_core::clock::Time;
use pulse_echo_core::json;
use pulse_echo_core::mute::Mute;
use pulse_echo_core::name::CheckId;
use serde::de::{Error as _, MapAccess};
use serde_json::Value;

/// A line as it is written. An empty field counts as missing.
#[derive(Default)]
pub(super) struct Row {
    time: Option<String>,
    kind: Option<String>,
    check: Option<String>,
    cause: Option<String>,
    reason: Option<String>,
    pulse_at: Option<String>,
    for_s: Option<String>,
}

/// What happened to the store.
pub(super) enum What {
    Pulse,
    Echo,
    Fault(Box<RecordedFault>),
    /// The pulse was deleted.
    Delete,
    /// `pulse-echo retire`: a note, and the pulses of the check, or of all checks of the host, were deleted.
    Retire,
    /// A mute for so many seconds; 0 ends it.
    Mute(u32),
}

/// The known details of a fault.
pub(super) struct RecordedFault {
    pub(super) cause: Cause,
    pub(super) reason: String,
    /// When the store took the pulse that it answers, if that was recorded.
    pub(super) pulse_at: Option<Time>,
}

impl json::Object for Row {
    const WHAT: &'static str = "a line";
    const FIELDS: &'static [&'static str] = &["time", "kind", "check", "cause", "reason", "pulse_at", "for_s"];

    fn read<'de, A: MapAccess<'de>>(&mut self, field: &str, map: &mut A) -> Result<(), A::Error> {
        let text = match map.next_value()? {
            Value::Null => String::new(),
            Value::String(text) => text,
            // Unix seconds, or how long a mute lasts.
            Value::Number(number) => number.to_string(),
            _ => return Err(A::Error::custom("it must be a text, or for a time a number")),
        };
        self.set(field, text);
        Ok(())
    }
}

impl Row {
    /// Sets a field, which must be a known name.
    pub(super) fn set(&mut self, field: &str, text: String) {
        let place = match field {
            "time" => &mut self.time,
            "kind" => &mut self.kind,
            "check" => &mut self.check,
            "cause" => &mut self.cause,
            "reason" => &mut self.reason,
            "pulse_at" => &mut self.pulse_at,
            "for_s" => &mut self.for_s,
            other => unreachable!("{other} is not in FIELDS"),
        };
        *place = Some(text).filter(|text| !text.is_empty());
    }

    /// The time, the check, and what happened. The error is a sentence without the line's number.
    pub(super) fn read(self) -> Result<(Time, CheckId, What), String> {
        let needed = |value: Option<String>, name| value.ok_or_else(|| format!("there is no {name}"));
        let at = time(&needed(self.time, "time")?).map_err(|why| format!("time: {why}"))?;
        let kind = needed(self.kind, "kind")?;
        let check = check(&needed(self.check, "check")?)?;
        let what = match kind.as_str() {
            "pulse" => What::Pulse,
            "echo" => What::Echo,
            "fault" => What::Fault(Box::new(RecordedFault {
                cause: self.cause.as_deref().map_or(Ok(Cause::Other), cause)?,
                reason: self.reason.or(self.cause).unwrap_or_else(|| "its cause was not recorded".into()),
                pulse_at: self
                    .pulse_at
                    .map(|text| time(&text))
                    .transpose()
                    .map_err(|why| format!("pulse_at: {why}"))?,
            })),
            "delete" => What::Delete,
            "retire" => What::Retire,
            "mute" => What::Mute(seconds(&needed(self.for_s, "for_s")?)?),
            "unmute" => What::Mute(0),
            other => {
                let kinds = "pulse, echo, fault, delete, retire, mute or unmute";
                return Err(format!("kind: {other:?} must be {kinds}"));
            }
        };
        Ok((at, check, what))
    }
}

/// Parses RFC 3339 or Unix seconds. Fractions of a second are cut off.
pub(super) fn time(text: &str) -> Result<Time, String> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    match whole.parse().map(Timestamp::from_second) {
        Ok(Ok(timestamp)) => Ok(Time::of(timestamp)),
        Ok(Err(_)) => Err(format!("{text} is no time in this world: Unix times are in seconds")),
        Err(_) => Time::from_rfc3339(text).ok_or_else(|| {
            format!("{text:?} is neither RFC 3339 with a zone, such as 2026-11-21T08:27:27Z, nor Unix seconds")
        }),
    }
}

/// Parses a check: as it is shown, or the rest of its key.
fn check(text: &str) -> Result<CheckId, String> {
    let shown = text.strip_suffix(".json").unwrap_or(text);
    format!("{shown}.json").try_into().map_err(|why| format!("check: {why}"))
}

/// Parses how long a mute lasts.
fn seconds(text: &str) -> Result<u32, String> {
    let mute = format!("{{\"for_s\": {text}}}");
    Mute::from_json(mute.as_bytes()).map(|mute| mute.for_s).map_err(|error| error.message)
}

fn cause(text: &str) -> Result<Cause, String> {
    match serde_json::from_value(Value::from(text)) {
        Ok(cause) if cause != Cause::Other || text == "other" => Ok(cause),
        _ => Err(format!("cause: the probe gives none that is {text:?}; leave it empty if it is not known")),
    }
}

#![no_main]
//! A pulse and what its service answers: a pulse's body, a status, a Location, an answer's body, with zeros between.

use libfuzzer_sys::fuzz_target;
use pulse_echo_core::json::Unknown;
use pulse_echo_core::pulse::Pulse;
use pulse_echo_fuzz::shows_on_one_line;
use pulse_echo_lambda::fuzzing::judge;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(4, |byte| *byte == 0);
    let (Some(pulse), Some(status), Some(location), Some(body)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return;
    };
    let Ok(pulse) = Pulse::parse(pulse, Unknown::Ignored) else { return };
    let status = str::from_utf8(status).ok().and_then(|status| status.parse().ok()).unwrap_or(200);
    let location = String::from_utf8_lossy(location);
    match judge(&pulse, status, body, Some(&*location).filter(|location| !location.is_empty())) {
        Ok(()) => {
            assert!(pulse.body.is_none_or(|expected| expected.as_bytes() == body));
            assert!(pulse.status.is_none_or(|codes| codes.contains(&status)));
        }
        Err(reason) => {
            shows_on_one_line(&reason);
            assert!(reason.len() <= 256, "{reason}");
        }
    }
});

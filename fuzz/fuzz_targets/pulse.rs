#![no_main]
//! A pulse's body: the agent's reading and the probe's.

use libfuzzer_sys::fuzz_target;
use pulse_echo_core::json::Unknown;
use pulse_echo_core::pulse::Pulse;
use pulse_echo_fuzz::shows_on_one_line;

fuzz_target!(|text: &[u8]| {
    let (agents, probes) = (Pulse::parse(text, Unknown::Refused), Pulse::parse(text, Unknown::Ignored));
    if let Err(error) = &agents {
        shows_on_one_line(&error.to_string());
    }
    match (agents, probes) {
        // What the agent sends, the probe understands as it was meant.
        (Ok(agents), probes) => assert_eq!(Ok(agents), probes),
        (Err(_), Ok(pulse)) => {
            let url = pulse.url.as_ref();
            assert!(url.is_none_or(|url| matches!(url.scheme(), "http" | "https") && url.username().is_empty()));
        }
        (Err(_), Err(error)) => shows_on_one_line(&error.to_string()),
    }
});

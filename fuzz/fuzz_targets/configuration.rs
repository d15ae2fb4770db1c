#![no_main]
//! The agent's configuration file.

use libfuzzer_sys::fuzz_target;
use pulse_echo::fuzzing::configuration;
use pulse_echo_fuzz::shows_on_one_line;

fuzz_target!(|text: &[u8]| {
    if let Err(error) = configuration(text) {
        shows_on_one_line(&error.to_string());
    }
});

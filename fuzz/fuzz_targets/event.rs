#![no_main]
//! An event, and the keys in it.

use libfuzzer_sys::fuzz_target;
use pulse_echo_fuzz::shows_on_one_line;
use pulse_echo_lambda::fuzzing;

fuzz_target!(|text: &[u8]| {
    let Ok(event) = serde_json::from_slice(text) else { return };
    match fuzzing::event(&event) {
        Ok(texts) => texts.iter().for_each(|text| shows_on_one_line(text)),
        Err(why) => shows_on_one_line(&why),
    }
});

#![no_main]
//! The metadata of a pulse and of an echo: names and values, line by line.

use libfuzzer_sys::fuzz_target;
use pulse_echo_core::answer::Echo;
use pulse_echo_core::clock::Time;
use pulse_echo_core::pulse::Sending;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_fuzz::shows_on_one_line;

fuzz_target!(|text: &str| {
    let entries = text.split('\0').filter_map(|entry| entry.split_once('='));
    let metadata: Metadata = entries.map(|(name, value)| (name.into(), value.into())).collect();

    let sending = Sending::from_metadata(&metadata).to_metadata();
    sending.values().for_each(|value| shows_on_one_line(value));
    assert_eq!(Sending::from_metadata(&sending).to_metadata(), sending);

    let now = Time::from_http_date("Sat, 21 Nov 2026 08:27:27 GMT").unwrap();
    let echo = Echo::from_metadata(&metadata, now).to_metadata();
    echo.values().for_each(|value| shows_on_one_line(value));
    assert_eq!(Echo::from_metadata(&echo, now).to_metadata(), echo);
});

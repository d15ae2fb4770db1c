#![no_main]
//! A file with certificates of CAs: PEM, DER, or anything.

use libfuzzer_sys::fuzz_target;
use pulse_echo_core::http::Trust;
use pulse_echo_fuzz::shows_on_one_line;

fuzz_target!(|bundle: &[u8]| {
    if let Err(why) = Trust::with_pem(bundle) {
        shows_on_one_line(&why);
    }
});

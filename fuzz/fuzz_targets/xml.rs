#![no_main]
//! S3's answers in XML: an error, a listing.

use libfuzzer_sys::fuzz_target;
use pulse_echo_core::clock::Time;
use pulse_echo_core::store::read_refusal;
use pulse_echo_fuzz::shows_on_one_line;
use rusty_s3::actions::ListObjectsV2;

fuzz_target!(|text: &str| {
    for status in [301, 400, 403, 404, 500] {
        shows_on_one_line(&read_refusal(status, text).to_string());
    }
    if let Ok(listing) = ListObjectsV2::parse_response(text) {
        for content in listing.contents {
            let _ = content.last_modified.as_deref().and_then(Time::from_rfc3339);
        }
    }
});

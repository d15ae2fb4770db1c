#![no_main]
//! Credentials as EC2's metadata service, a container's, or a `credential_process` answers them.

use libfuzzer_sys::fuzz_target;
use pulse_echo::fuzzing::issued;
use pulse_echo_fuzz::shows_on_one_line;

fuzz_target!(|text: &str| {
    for version in [None, Some(1)] {
        match issued(text, version) {
            Ok(credentials) => assert!(!credentials.key().is_empty() && !credentials.secret().is_empty()),
            Err(why) => {
                shows_on_one_line(&why);
                // It shows nothing of the JSON, which has a secret in it.
                assert!(why.starts_with("answered ") && why.len() < 100, "{why}");
            }
        }
    }
});

#![no_main]
//! `status.json`: what operators are shown of it, and what a sweep makes of it.

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use pulse_echo::fuzzing::shown;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::status::Status;
use pulse_echo_fuzz::shows_on_one_line;
use pulse_echo_lambda::fuzzing::sweep;

fuzz_target!(|text: &[u8]| {
    let mut status = match Status::from_json(text) {
        Ok(status) => status,
        Err(why) => return shows_on_one_line(&why.to_string()),
    };
    assert_eq!(Status::from_json(&status.to_json()).expect("what we write we can read"), status);
    let mark = Mark { swept: Some(status.written), ..Mark::default() };
    for width in [20, 80] {
        shown(text, mark.clone(), width).iter().for_each(|line| shows_on_one_line(line));
    }
    // Three sweeps retire what is no longer there; a day later it is forgotten.
    for later in [60, 120, 180, 3 * 24 * 3600] {
        let now = status.written + Duration::from_secs(later);
        for (subject, message) in sweep(&mut status, now) {
            shows_on_one_line(&subject);
            assert!(subject.is_ascii() && subject.len() <= 100, "{subject}");
            message.split('\n').for_each(shows_on_one_line);
            assert!(message.len() <= 4_000, "{}", message.len());
        }
        assert_eq!(Status::from_json(&status.to_json()).expect("what we write we can read"), status);
    }
});

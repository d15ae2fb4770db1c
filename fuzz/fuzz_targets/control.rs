#![no_main]
//! What the loop and its operators leave for others to read: the mark, mutes and
//! acknowledgements.

use libfuzzer_sys::fuzz_target;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::mute::{Ack, Mute};
use pulse_echo_fuzz::shows_on_one_line;

fuzz_target!(|text: &[u8]| {
    if let Ok(mark) = Mark::from_json(text) {
        assert_eq!(Mark::from_json(&mark.to_json()).unwrap(), mark);
    }
    match Mute::from_json(text) {
        Ok(mute) => assert_eq!(Mute::from_json(&mute.to_json()).unwrap(), mute),
        Err(why) => shows_on_one_line(&why.to_string()),
    }
    match Ack::from_json(text) {
        Ok(ack) => assert_eq!(Ack::from_json(&ack.to_json()).unwrap(), ack),
        Err(why) => shows_on_one_line(&why.to_string()),
    }
});

#![no_main]
//! What a server sends for HTTP, whole and in pieces.

use libfuzzer_sys::fuzz_target;
use pulse_echo_fuzz::shows_on_one_line;
use pulse_echo_lambda::fuzzing::strict;

fuzz_target!(|input: (u8, &[u8])| {
    let (piece, answer) = input;
    let (whole, pieces) = (strict([answer]), strict(answer.chunks(usize::from(piece) + 1)));
    assert_eq!(whole.is_ok(), pieces.is_ok());
    match whole {
        Ok(whole) => assert_eq!(whole, pieces.unwrap()),
        Err(why) => shows_on_one_line(&why),
    }
});

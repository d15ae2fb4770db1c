#![no_main]
//! A fault's body.

use libfuzzer_sys::fuzz_target;
use pulse_echo_core::answer::Fault;

fuzz_target!(|text: &[u8]| {
    let Ok(fault) = Fault::from_json(text) else { return };
    let cut = Fault::from_json(&fault.to_json()).expect("what we write we can read");
    let texts = [Some(&cut.reason), cut.expected.as_ref(), cut.got.as_ref(), cut.url.as_ref()];
    assert!(texts.into_iter().flatten().all(|text| text.len() <= 256));
    assert_eq!(Fault::from_json(&cut.to_json()).unwrap(), cut);
});

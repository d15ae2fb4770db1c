#![no_main]
//! AWS's shared files.

use libfuzzer_sys::fuzz_target;
use pulse_echo::fuzzing::Sections;

fuzz_target!(|text: &str| {
    let sections = Sections::of(text);
    let name = text.lines().next().unwrap_or_default();
    for section in ["default", name] {
        for key in ["aws_access_key_id", "aws_secret_access_key", "region", name] {
            let word = sections.word(section, key);
            assert!(word.is_none_or(|word| sections.has(section) && text.contains(word) && !word.contains('\n')));
        }
    }
});

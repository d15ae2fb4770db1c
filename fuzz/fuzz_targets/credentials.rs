#![no_main]
//! AWS's shared files.

use libfuzzer_sys::fuzz_target;
use pulse_echo::fuzzing::Sections;

fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).count();
    match Sections::read(bytes) {
        Err(wrong) => assert!((1..=lines).contains(&wrong.line) && !wrong.what.is_empty(), "{wrong:?}"),
        Ok(sections) => {
            let text = std::str::from_utf8(bytes).unwrap();
            for name in ["default", text.lines().next().unwrap_or_default()] {
                let Some(section) = sections.last(|known| known == name) else { continue };
                for key in ["aws_access_key_id", "aws_secret_access_key", "region", "s3"] {
                    let Some(entry) = section.get(key) else { continue };
                    assert!(entry.value.split('\n').all(|line| text.contains(line)));
                    assert!(entry.nested("x").is_none_or(|value| text.contains(value)));
                }
            }
        }
    }
});

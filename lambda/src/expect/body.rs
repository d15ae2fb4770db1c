//! The difference between two bodies.

/// The first byte, counted from 0, where the bodies differ.
pub(super) fn difference(expected: &[u8], got: &[u8]) -> Option<usize> {
    let shared = expected.iter().zip(got).take_while(|(expected, got)| expected == got).count();
    (expected != got).then_some(shared)
}

/// The only difference between two bodies, if it is hard to see.
pub(super) fn only_difference(expected: &str, got: &[u8]) -> Option<&'static str> {
    let got = str::from_utf8(got).ok()?;
    let unix = |text: &str| text.replace("\r\n", "\n");
    let unmarked = |text: &'_ str| text.trim_start_matches('\u{feff}').to_string();
    Some(if unix(expected) == unix(got) {
        "only the line ends differ, CRLF and LF"
    } else if expected.trim_end() == got.trim_end() {
        "only trailing white space differs"
    } else if expected.trim() == got.trim() {
        "only white space at the ends differs"
    } else if unmarked(expected) == unmarked(got) {
        "only a byte order mark in front differs"
    } else if expected.to_lowercase() == got.to_lowercase() {
        "only upper and lower case differ"
    } else {
        return None;
    })
}

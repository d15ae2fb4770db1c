//! What holds of every text that a stranger's input leads to.

/// It is one line, and no terminal does anything but show it.
pub fn shows_on_one_line(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?}");
    // These turn the direction of what follows.
    assert!(!text.contains(['\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}']), "{text:?}");
}

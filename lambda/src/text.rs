//! Text that anybody may have written, made fit to be shown: on one line, without control characters, short.

use pulse_echo_core::text::prints;

/// `text` in quotes, escaped. If that takes more than `room` bytes: the part around the byte `at`, with `…` for what
/// was left out.
pub(crate) fn quoted(text: &[u8], at: usize, room: usize) -> String {
    format!("\"{}\"", excerpt(text, at, room))
}

/// As [`quoted`], without the quotes.
pub(crate) fn excerpt(text: &[u8], at: usize, room: usize) -> String {
    let (whole, is_whole) = fit(text, room);
    if is_whole {
        return whole;
    }
    let from = boundary(text, at.min(text.len()).saturating_sub(room / 3));
    let (part, to_end) = fit(&text[from..], room);
    let (before, after) = (if from > 0 { "…" } else { "" }, if to_end { "" } else { "…" });
    format!("{before}{part}{after}")
}

/// `text` with what does not print escaped, and its middle left out if it is longer than `room` bytes.
pub(crate) fn line(text: &str, room: usize) -> String {
    let mut line = String::new();
    for c in text.chars() {
        if prints(c) { line.push(c) } else { line.extend(c.escape_debug()) }
    }
    if line.len() <= room {
        return line;
    }
    let half = room.saturating_sub('…'.len_utf8()) / 2;
    let (head, tail) = (line.floor_char_boundary(half), line.ceil_char_boundary(line.len() - half));
    format!("{}…{}", &line[..head], &line[tail..])
}

/// A number as people read it: `1,048,576`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The beginning of `text`, escaped, that takes at most `room` bytes, and whether that is all of it.
fn fit(text: &[u8], room: usize) -> (String, bool) {
    let mut shown = String::new();
    for chunk in text.utf8_chunks() {
        let valid = chunk.valid().chars().map(escape);
        let invalid = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
        for piece in valid.chain(invalid) {
            if shown.len() + piece.len() > room {
                return (shown, false);
            }
            shown.push_str(&piece);
        }
    }
    (shown, true)
}

fn escape(c: char) -> String {
    if prints(c) && !matches!(c, '"' | '\\') { c.into() } else { c.escape_debug().collect() }
}

/// The nearest place at or before `at` where a character begins.
fn boundary(text: &[u8], at: usize) -> usize {
    let continues = |&at: &usize| text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    // A character has at most three continuing bytes; more of them are no UTF-8.
    (at.saturating_sub(3)..=at).rev().find(|at| !continues(at)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_print_is_escaped_and_a_quote_cannot_end_the_quotes() {
        assert_eq!(quoted(b"ok\n", 0, 40), "\"ok\\n\"");
        assert_eq!(quoted("a\u{1b}[2J\u{202e}é\"\\'".as_bytes(), 0, 40), "\"a\\u{1b}[2J\\u{202e}é\\\"\\\\'\"");
        assert_eq!(quoted(b"a\xff\xfe", 0, 40), "\"a\\xff\\xfe\"");
        assert_eq!(line("a\r\nb", 40), "a\\r\\nb");
    }

    #[test]
    fn a_long_text_is_shown_around_the_place_that_matters() {
        let text = format!("{}X{}", "a".repeat(100), "b".repeat(100));
        assert_eq!(excerpt(text.as_bytes(), 100, 12), "…aaaaXbbbbbbb…");
        assert_eq!(excerpt(text.as_bytes(), 0, 12), "aaaaaaaaaaaa…");
        assert_eq!(excerpt(text.as_bytes(), 201, 12), "…bbbb");
    }

    #[test]
    fn no_character_is_cut_in_two() {
        let text = "é".repeat(100);
        assert_eq!(excerpt(text.as_bytes(), 51, 13), "…éééééé…");
        assert_eq!(excerpt(&[0x80; 100], 50, 12), "…\\x80\\x80\\x80…");
        assert_eq!(line(&text, 12), "éé…éé");
    }

    #[test]
    fn a_long_line_keeps_both_its_ends() {
        assert_eq!(line(&format!("head{}tail", "x".repeat(100)), 11), "head…tail");
        assert_eq!(line("short", 11), "short");
    }

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!([7, 999, 1000, 1_048_576].map(grouped), ["7", "999", "1,000", "1,048,576"]);
    }
}

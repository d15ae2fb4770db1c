//! Text from outside, made safe to show. Escaping, cutting and quoting are only here.
//!
//! Strangers write a pulse's file name, a service's answer and a program's complaint. None of it may be an escape in a
//! terminal, end a line, or fill a screen.

use std::io;

/// Whether a character prints as itself. `escape_debug` of std leaves such a character alone.
///
/// The `a` in front is for combining accents, which may follow a letter in a key: they must not count as alone.
pub fn prints(c: char) -> bool {
    (' '..='~').contains(&c) || (!c.is_ascii() && format!("a{c}").escape_debug().count() == 2)
}

/// Removes the characters that do not print, such as an escape that the terminal would obey.
pub fn printable(text: &str) -> String {
    text.chars().filter(|&c| prints(c)).collect()
}

/// Removes the numbers of the system's errors, ` (os error 13)`, which say nothing to people.
pub fn without_numbers(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |text, part| text + part.split_once(')').map_or(part, |(_, rest)| rest))
}

/// What the system says of an error: `permission denied`.
pub fn of_io(error: &io::Error) -> String {
    let text = without_numbers(&error.to_string());
    // A word in capitals stays.
    match text.as_bytes() {
        [first, second, ..] if first.is_ascii_uppercase() && !second.is_ascii_uppercase() => {
            format!("{}{}", text[..1].to_ascii_lowercase(), &text[1..])
        }
        _ => text,
    }
}

/// Escapes the characters that do not print, and leaves out the middle if the text is longer than `room` bytes.
pub fn line(text: &str, room: usize) -> String {
    let mut line = String::new();
    for c in text.chars() {
        if prints(c) { line.push(c) } else { line.extend(c.escape_debug()) }
    }
    if line.len() <= room {
        return line;
    }
    let half = room.saturating_sub('…'.len_utf8()) / 2;
    without_middle(&line, half)
}

/// Keeps the first and the last `end` bytes, to whole characters, with `…` between; all of a shorter text.
pub fn without_middle(text: &str, end: usize) -> String {
    let (head, tail) = (text.floor_char_boundary(end), text.ceil_char_boundary(text.len().saturating_sub(end)));
    if head < tail { format!("{}…{}", &text[..head], &text[tail..]) } else { text.into() }
}

/// Cuts `text` to at most `room` characters; the last is then `…`.
pub fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.into();
    }
    let beginning: String = text.chars().take(room.saturating_sub(1)).collect();
    format!("{}…", beginning.trim_end())
}

/// Puts `text` in quotes, escaped. If that takes more than `room` bytes, it keeps the part around the byte `at`, with
/// `…` for what is left out.
pub fn quoted(text: &[u8], at: usize, room: usize) -> String {
    format!("\"{}\"", excerpt(text, at, room))
}

/// As [`quoted`], without the quotes.
pub fn excerpt(text: &[u8], at: usize, room: usize) -> String {
    let (whole, is_whole) = fit(text, room);
    if is_whole {
        return whole;
    }
    let from = boundary(text, at.min(text.len()).saturating_sub(room / 3));
    let (part, to_end) = fit(&text[from..], room);
    let (before, after) = (if from > 0 { "…" } else { "" }, if to_end { "" } else { "…" });
    format!("{before}{part}{after}")
}

/// The known word that is nearest to `word`, if any is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .min_by_key(|&(distance, _)| distance)
        .filter(|&(distance, candidate)| distance <= candidate.len().div_ceil(3))
        .map(|(_, candidate)| candidate)
}

/// The longest beginning of `text` that takes at most `room` bytes when escaped, and whether it is all of `text`.
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

/// The nearest character boundary at or before `at`.
fn boundary(text: &[u8], at: usize) -> usize {
    let continues = |&at: &usize| text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    // A character has at most three continuation bytes; with more of them the text is not UTF-8.
    (at.saturating_sub(3)..=at).rev().find(|at| !continues(at)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_shown_without_its_number() {
        let missing = io::Error::from_raw_os_error(2);
        assert_eq!(of_io(&missing), "no such file or directory");
        let both = format!("cannot read a: {missing}; nor b: {missing}, so");
        assert_eq!(
            without_numbers(&both),
            "cannot read a: No such file or directory; nor b: No such file or directory, so"
        );
        assert_eq!(without_numbers("(os error 2"), "(os error 2");
    }

    #[test]
    fn what_does_not_print_is_escaped_and_a_quote_cannot_end_the_quotes() {
        assert_eq!(quoted(b"ok\n", 0, 40), "\"ok\\n\"");
        assert_eq!(quoted("a\u{1b}[2J\u{202e}é\"\\'".as_bytes(), 0, 40), "\"a\\u{1b}[2J\\u{202e}é\\\"\\\\'\"");
        assert_eq!(quoted(b"a\xff\xfe", 0, 40), "\"a\\xff\\xfe\"");
        assert_eq!(line("a\r\nb", 40), "a\\r\\nb");
        assert_eq!(printable("a\u{1b}[2J\r\nb\u{202e}é"), "a[2Jbé");
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
    fn a_text_that_is_too_wide_is_cut_to_the_width() {
        assert_eq!(
            [cut("12345", 5), cut("123456", 5), cut("123 56", 5), cut("12", 0)],
            ["12345", "1234…", "123…", "…"]
        );
    }

    #[test]
    fn the_nearest_word_is_near() {
        assert_eq!(nearest("bdoy", ["url", "body", "status"]), Some("body"));
        assert_eq!(nearest("x", ["url", "body"]), None);
    }
}

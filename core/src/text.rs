//! Text from outside, made safe to show. Escaping, cutting and quoting are only here.
//!
//! Strangers write a pulse's file name, a service's answer and a program's complaint. None of it may be an escape in a
//! terminal, end a line, fill a screen, or look like another text.

use std::fmt::Write;
use std::io;

/// Characters that print as nothing, or as a blank: `Default_Ignorable_Code_Point` of Unicode 16, and what is blank
/// though it is no space. With one of them, a text looks like another.
const UNSEEN: [(char, char); 21] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fff8}'),
    ('\u{13441}', '\u{13442}'),
    ('\u{16fe4}', '\u{16fe4}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d159}', '\u{1d159}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// How many combining marks may follow one another: no language needs more, and a heap of them covers other lines.
const MARKS: usize = 2;

/// Whether a character prints as itself. `escape_debug` of std leaves such a character alone.
///
/// The `a` in front is for combining accents, which may follow a letter in a key: they must not count as alone.
pub fn prints(c: char) -> bool {
    (' '..='~').contains(&c) || (!c.is_ascii() && format!("a{c}").escape_debug().count() == 2)
}

/// How a character of a text may be shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// As it is.
    Plain,
    /// Escaped: it would look like nothing, like a blank, or be one mark too many.
    LooksAlike,
    /// Escaped or left out: it does not print.
    Not,
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

/// The characters of a text, each with how it may be shown.
fn judged(text: &str) -> impl Iterator<Item = (char, Shown)> {
    let mut marks = 0;
    text.chars().map(move |c| {
        if c.is_ascii() {
            marks = 0;
            return (c, if prints(c) { Shown::Plain } else { Shown::Not });
        }
        let is_unseen = UNSEEN.iter().any(|(first, last)| (*first..=*last).contains(&c));
        // What prints after a letter, but not alone, is a mark.
        let is_mark = prints(c) && c.escape_debug().count() > 1;
        marks = if is_mark { marks + 1 } else { 0 };
        let shown = match c {
            _ if is_unseen || marks > MARKS => Shown::LooksAlike,
            _ if prints(c) => Shown::Plain,
            _ => Shown::Not,
        };
        (c, shown)
    })
}

/// Removes the characters that do not print, such as an escape that the terminal would obey, and escapes those that
/// make a text look like another.
pub fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for (c, shown) in judged(text) {
        match shown {
            Shown::Plain => printable.push(c),
            Shown::LooksAlike => printable.extend(c.escape_unicode()),
            Shown::Not => {}
        }
    }
    printable
}

/// Escapes the characters that do not print or look like others, and leaves out the middle if the text is longer than
/// `room` bytes.
pub fn line(text: &str, room: usize) -> String {
    let mut line = String::new();
    for (c, shown) in judged(text) {
        escape(c, shown, &mut line);
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
        .map(|candidate| (strsim::damerau_levenshtein(&word.to_ascii_lowercase(), candidate), candidate))
        .min_by_key(|&(distance, _)| distance)
        .filter(|&(distance, candidate)| distance <= candidate.len().div_ceil(3))
        .map(|(_, candidate)| candidate)
}

/// The longest beginning of `text` that takes at most `room` bytes when escaped, and whether it is all of `text`.
fn fit(text: &[u8], room: usize) -> (String, bool) {
    let mut shown = String::new();
    for chunk in text.utf8_chunks() {
        let valid = judged(chunk.valid()).map(|(c, kind)| {
            let mut piece = String::new();
            escape(c, if matches!(c, '"' | '\\') { Shown::Not } else { kind }, &mut piece);
            piece
        });
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

fn escape(c: char, shown: Shown, into: &mut String) {
    match shown {
        Shown::Plain => into.push(c),
        Shown::LooksAlike => into.extend(c.escape_unicode()),
        // One notation for what is no letter, as for bytes that are no text.
        Shown::Not if c.is_ascii_control() && !matches!(c, '\t' | '\r' | '\n') => {
            let _ = write!(into, "\\x{:02x}", c as u8);
        }
        Shown::Not => into.extend(c.escape_debug()),
    }
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
        assert_eq!(quoted("a\u{1b}[2J\u{202e}é\"\\'".as_bytes(), 0, 40), "\"a\\x1b[2J\\u{202e}é\\\"\\\\'\"");
        assert_eq!(quoted(b"a\xff\xfe", 0, 40), "\"a\\xff\\xfe\"");
        assert_eq!(line("a\r\nb", 40), "a\\r\\nb");
        assert_eq!(printable("a\u{1b}[2J\r\nb\u{a0}é"), "a[2Jbé");
    }

    #[test]
    fn what_looks_like_nothing_or_like_a_blank_is_escaped_wherever_it_is_shown() {
        for c in
            ['\u{ad}', '\u{200b}', '\u{202e}', '\u{2060}', '\u{2800}', '\u{3164}', '\u{fe0f}', '\u{feff}', '\u{e0041}']
        {
            let (text, escaped) = (format!("web{c}-1"), format!("web{}-1", c.escape_unicode()));
            assert_eq!(printable(&text), escaped);
            assert_eq!(line(&text, 40), escaped);
            assert_eq!(excerpt(text.as_bytes(), 0, 40), escaped);
        }
        for text in ["Käse", "日本語", "e\u{301}", "ก้ำ", "Ελλάδα", "🙂", "नमस्ते"] {
            assert_eq!((printable(text), line(text, 40)), (text.to_string(), text.to_string()));
        }
    }

    #[test]
    fn two_combining_marks_stay_and_a_heap_of_them_is_escaped() {
        let heap = format!("a{}b{}", "\u{301}".repeat(4), "\u{301}".repeat(2));
        let shown = format!("a{0}{0}\\u{{301}}\\u{{301}}b{0}{0}", '\u{301}');
        assert_eq!((printable(&heap), line(&heap, 60)), (shown.clone(), shown));
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

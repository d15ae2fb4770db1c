//! Strangers' texts made safe in HTML.

use std::fmt::Write;

use pulse_echo_core::clock::Time;
use pulse_echo_core::text::printable;

/// A text as it may stand in an element, or in an attribute between double quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// A host's name as an id: the name itself, but for what an id must not hold. The page has no other ids.
pub(super) fn id_of(host: &str) -> String {
    let mut id = String::with_capacity(host.len());
    for byte in host.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => id.push(byte.into()),
            byte => {
                let _ = write!(id, ":{byte:02x}");
            }
        }
    }
    id
}

/// A host's name that leads to its place on the page.
pub(super) fn link(host: &str, text: &str) -> String {
    format!("<a href=\"#{}\">{}</a>", id_of(host), escaped(text))
}

/// A time, shown as `text`. One of class `a` is an age, which the script counts up.
pub(super) fn age_since(time: Time, text: &str) -> String {
    format!("<time class=\"a\" datetime=\"{time}\">{text}</time>")
}

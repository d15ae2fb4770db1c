//! JSON objects that people write, read field by field, so that an error names the field and its place.
//!
//! `objects`: the reader of all else. `version`: files that programs write, whose version says who can read them.

mod objects;
mod version;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Unexpected, Visitor};
use serde_json::Value;

use crate::text::{nearest, without_middle};

pub use objects::from_slice;
pub use version::Unusable;
pub(crate) use version::of_version;

/// What to do with an unknown field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// An error: for files, where a typo must not pass.
    Refused,
    /// Ignored: a newer writer must not break an older reader.
    Ignored,
}

/// An object whose fields are read one by one.
pub trait Object: Default {
    /// What the object is called in messages, with its article: `a pulse`.
    const WHAT: &'static str;
    /// The names of its fields, as they are written.
    const FIELDS: &'static [&'static str];

    /// Reads the value of `field`, one of [`Self::FIELDS`].
    fn read<'de, A: MapAccess<'de>>(&mut self, field: &str, map: &mut A) -> Result<(), A::Error>;
}

/// Why a text is not the expected object, and where. Lines and columns count from 1; 0 is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The line of the error.
    pub line: usize,
    /// The column of the error, in bytes; for a wrong value, the column where the value ends.
    pub column: usize,
    /// What is wrong, with the name of the field.
    pub message: String,
}

impl Error {
    /// An error about a valid field that does not fit the others. Its place is the place of the field's name in `text`.
    pub fn of_field(text: &[u8], field: &str, message: impl fmt::Display) -> Self {
        let (line, column) = place_of_field(text, field).unwrap_or((0, 0));
        Self { line, column, message: format!("{field}: {message}") }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.line > 0 {
            write!(f, " (line {}, column {})", self.line, self.column)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let place = format!(" at line {line} column {column}");
        let message = error.to_string();
        let mut message = message.strip_suffix(&place).unwrap_or(&message).to_string();
        match unexpected(&message) {
            Some(plain) => message = plain,
            None => {
                for (theirs, ours) in WORDS {
                    message = message.replace(theirs, ours);
                }
            }
        }
        // A message may quote more of the text than anybody would read, and a column may be counted from 0.
        Self { line, column: column.max(line.min(1)), message: without_middle(&message, 120) }
    }
}

/// What the library says of a value of the wrong kind, in our words: `url: it is the number 1, but must be a text`.
fn unexpected(message: &str) -> Option<String> {
    let (field, rest) = message.split_once("invalid type: ").or_else(|| message.split_once("invalid value: "))?;
    let (value, wanted) = rest.rsplit_once(", expected ")?;
    let found = KINDS.iter().find_map(|(theirs, ours)| Some(format!("{ours}{}", value.strip_prefix(theirs)?)));
    let found = found.unwrap_or_else(|| value.into()).replace('`', "");
    let wanted = WANTED.iter().find(|(theirs, _)| *theirs == wanted).map_or(wanted, |(_, ours)| ours);
    Some(format!("{field}it is {found}, but must be {wanted}"))
}

/// The library's names of values, with which a message goes on, and ours.
const KINDS: [(&str, &str); 6] = [
    ("integer ", "the number "),
    ("floating point ", "the number "),
    ("boolean ", ""),
    ("string ", "the text "),
    ("sequence", "a list"),
    ("map", "an object"),
];

/// The library's names of what a field takes, and ours.
const WANTED: [(&str, &str); 7] = [
    ("a string", "a text"),
    ("a boolean", "true or false"),
    ("a sequence", "a list"),
    ("a map", "an object"),
    ("u16", "a whole number"),
    ("u32", "a whole number"),
    ("u64", "a whole number"),
];

/// The words of the JSON library, and ours.
const WORDS: [(&str, &str); 16] = [
    ("EOF while parsing", "the text ends within"),
    ("expected value", "there is no JSON value"),
    ("expected ident", "there is a word other than true, false or null"),
    ("expected `:`", "there is no : after the name"),
    ("expected `,` or `}`", "there is no , or } after the value"),
    ("expected `,` or `]`", "there is no , or ] after the value"),
    ("key must be a string", "the name of a field must be in double quotes (\"), and JSON has no comments"),
    ("trailing comma", "there is a comma too many"),
    ("trailing characters", "there is more after the end"),
    ("recursion limit exceeded", "it is nested too deeply"),
    (
        "control character (\\u0000-\\u001F) found while parsing a string",
        "a text has a line end or another control character in it; write \\n",
    ),
    ("invalid escape", "there is a \\ with an unknown letter; write \\\\ for the character"),
    ("lone leading surrogate in hex escape", "there is half of a character after \\u"),
    ("unexpected end of hex escape", "there is half of a character after \\u"),
    ("invalid unicode code point", "it is not UTF-8"),
    ("invalid number", "there is a number that JSON does not have"),
];

/// Reads `text` as one object and nothing after it.
pub fn read<T: Object>(text: &[u8], unknown: Unknown) -> Result<T, Error> {
    if text.starts_with(b"\xef\xbb\xbf") {
        let message = "it begins with a byte order mark; save it as UTF-8 without one".into();
        return Err(Error { line: 1, column: 1, message });
    }
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") || text.contains(&0) {
        return Err(Error { line: 1, column: 1, message: "it is UTF-16, or no text; save it as UTF-8".into() });
    }
    if text.trim_ascii().is_empty() {
        return Err(Error { line: 1, column: 1, message: "it is empty; the least is {}".into() });
    }
    let mut json = serde_json::Deserializer::from_slice(text);
    let object = FieldByField { object: T::default(), unknown }.deserialize(&mut json)?;
    json.end()?;
    Ok(object)
}

/// Writes an object for people to read: a line for each field with a value, in this order.
pub fn write(fields: &[(&str, Option<Value>)]) -> String {
    let lines: Vec<_> =
        fields.iter().filter_map(|(name, value)| Some(format!("\n  \"{name}\": {}", value.as_ref()?))).collect();
    if lines.is_empty() { "{}\n".into() } else { format!("{{{}\n}}\n", lines.join(",")) }
}

struct FieldByField<T> {
    object: T,
    unknown: Unknown,
}

impl<'de, T: Object> DeserializeSeed<'de> for FieldByField<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Object> Visitor<'de> for FieldByField<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: an object such as {{\"{}\": …}}", T::WHAT, T::FIELDS[0])
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<T, A::Error> {
        let mut seen = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let Some(field) = T::FIELDS.iter().find(|field| **field == name) else {
                if self.unknown == Unknown::Refused {
                    return Err(A::Error::custom(unknown_field::<T>(&name)));
                }
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if seen.contains(field) {
                return Err(A::Error::custom(format_args!("{field}: it is there twice")));
            }
            seen.push(field);
            // serde_json finds the place at the end of the inner message and keeps it.
            self.object.read(field, &mut map).map_err(|error| A::Error::custom(format_args!("{field}: {error}")))?;
        }
        Ok(self.object)
    }
}

fn unknown_field<T: Object>(name: &str) -> String {
    let hint = match nearest(name, T::FIELDS.iter().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("its fields are {}", T::FIELDS.join(", ")),
    };
    format!("{name:?} is not a field of {}; {hint}", T::WHAT)
}

/// A whole number within a range. The message names its unit when it is not.
pub struct Whole {
    /// What is counted, as in `a whole number of seconds`; empty for a bare number.
    pub unit: &'static str,
    /// The smallest allowed value.
    pub min: u32,
    /// The largest allowed value.
    pub max: u32,
}

impl<'de> DeserializeSeed<'de> for &Whole {
    type Value = u32;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u32, D::Error> {
        deserializer.deserialize_u64(self)
    }
}

impl Visitor<'_> for &Whole {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let of = if self.unit.is_empty() { "" } else { " of " };
        write!(f, "a whole number{of}{} from {} to {}", self.unit, self.min, self.max)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<u32, E> {
        match u32::try_from(value) {
            Ok(number) if (self.min..=self.max).contains(&number) => Ok(number),
            _ => Err(E::invalid_value(Unexpected::Unsigned(value), &self)),
        }
    }
}

/// The line and column of a field's name. Quotes within a string are always escaped, so a bare name in quotes before a
/// colon can only be the field's name.
fn place_of_field(text: &[u8], field: &str) -> Option<(usize, usize)> {
    let text = std::str::from_utf8(text).ok()?;
    let quoted = format!("\"{field}\"");
    let is_name = |&(at, _): &(usize, &str)| text[at + quoted.len()..].trim_start().starts_with(':');
    let (at, _) = text.match_indices(&quoted).find(is_name)?;
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Some((before.matches('\n').count() + 1, at - line_start + 1))
}

/// Whether a number is left out where zero is what its absence means.
pub(crate) fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

#[cfg(test)]
mod tests;

//! The head of an answer, read as curl reads it: line by line, and only what somebody needs of it.

use pulse_echo_core::text::quoted;

use super::body::Framing;

/// The longest line, and the longest head with all heads before it, in bytes. They are curl's.
const LONGEST_LINE: usize = 100 * 1024;
pub(crate) const LONGEST: usize = 300 * 1024;

/// How much of a wrong line a reason shows, in bytes.
const ROOM: usize = 60;

/// The headers that this house reads beside those of the body, the first of each. All others may be as they like.
const READ: [&str; 3] = ["date", "location", "retry-after"];

/// How many encodings of one body are told.
const ENCODINGS: usize = 4;

/// A head that is complete.
#[derive(Debug)]
pub(super) struct Head {
    /// The same in strict HTTP/1.1, without framing: the body ends with the connection.
    pub(super) canonical: Vec<u8>,
    pub(super) framing: Framing,
}

/// Reads heads, byte by byte.
#[derive(Debug, Default)]
pub(super) struct Reader {
    line: Vec<u8>,
    status: Option<u16>,
    fields: Vec<(String, Vec<u8>)>,
    /// Bytes of all heads so far.
    read: usize,
}

impl Reader {
    /// Takes bytes from the front of `input`, up to the end of the answer's head. It skips provisional answers (1xx).
    /// The error is the end of a sentence.
    pub(super) fn take(&mut self, input: &mut &[u8], is_tunnel: bool) -> Result<Option<Head>, String> {
        while let Some(length) = line_length(input) {
            let (piece, rest) = input.split_at(length);
            self.line.extend_from_slice(piece);
            self.read += length;
            *input = rest;
            if self.status.is_none() {
                could_be_http(&self.line)?;
            }
            if self.line.len() > LONGEST_LINE {
                let (limit, line) = (LONGEST_LINE / 1024, quoted(&self.line, 0, ROOM / 2));
                return Err(format!("the answer's header is too large: the line {line} is over {limit} KiB"));
            }
            if self.read > LONGEST {
                return Err(format!("the answer's header is too large: over {} KiB", LONGEST / 1024));
            }
            if self.line.last() == Some(&b'\n')
                && let Some(status) = self.end_line()?
            {
                return self.head(status, is_tunnel).map(Some);
            }
        }
        Ok(None)
    }

    /// Whether a head has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.read > 0
    }

    /// Returns the status at the end of a head.
    fn end_line(&mut self) -> Result<Option<u16>, String> {
        let mut line = std::mem::take(&mut self.line);
        line.truncate(line.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1));
        let line = line.as_slice();
        match self.status {
            // Empty lines before an answer are left over from the one before it.
            None if line.is_empty() => return Ok(None),
            None => self.status = Some(status(line)?),
            Some(status) if line.is_empty() => {
                self.status = None;
                match status {
                    101 => {
                        return Err("the answer is not HTTP/1.1: the server switches to another protocol (101)".into());
                    }
                    100..200 => self.fields.clear(),
                    _ => return Ok(Some(status)),
                }
            }
            Some(_) => self.field(line)?,
        }
        Ok(None)
    }

    fn field(&mut self, line: &[u8]) -> Result<(), String> {
        if line.contains(&0) {
            return Err(format!("the answer's header has a NUL byte in the line {}", quoted(line, 0, ROOM)));
        }
        // A folded line goes on with the value before it.
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let Some((_, value)) = self.fields.last_mut() {
                let blank: &[u8] = if value.is_empty() { b"" } else { b" " };
                value.extend(blank.iter().chain(line.trim_ascii()));
            }
            return Ok(());
        }
        // Browsers skip a line without a colon.
        if let Some(colon) = line.iter().position(|byte| *byte == b':') {
            let name = String::from_utf8_lossy(line[..colon].trim_ascii()).to_ascii_lowercase();
            self.fields.push((name, line[colon + 1..].trim_ascii().into()));
        }
        Ok(())
    }

    fn head(&mut self, status: u16, is_tunnel: bool) -> Result<Head, String> {
        let mut kept: Vec<(&str, Vec<u8>)> = Vec::new();
        let (mut length, mut is_chunked, mut packed) = (None, false, Vec::new());
        for (name, value) in self.fields.drain(..) {
            match name.as_str() {
                // The last one counts.
                "content-length" => length = self::length(&value)?,
                "transfer-encoding" => {
                    for coding in codings(&value) {
                        match coding.as_str() {
                            "chunked" => is_chunked = true,
                            "identity" | "" => {}
                            "gzip" | "x-gzip" | "deflate" => packed.push(coding),
                            _ => {
                                let value = quoted(&value, 0, ROOM);
                                return Err(format!("the answer's header Transfer-Encoding names the unknown {value}"));
                            }
                        }
                    }
                }
                // Whether the content is packed or its transfer is the same to whoever reads it.
                "content-encoding" => packed.extend(codings(&value).take(ENCODINGS)),
                name => {
                    let known = READ.into_iter().find(|known| *known == name);
                    if let Some(name) = known.filter(|name| kept.iter().all(|(there, _)| there != name)) {
                        kept.push((name, value));
                    }
                }
            }
        }
        packed.truncate(ENCODINGS);
        if !packed.is_empty() {
            kept.push(("content-encoding", packed.join(", ").into_bytes()));
        }
        let framing = match (status, length) {
            (200..300, _) if is_tunnel => Framing::Tunnel,
            (204 | 304, _) => Framing::Length(0),
            _ if is_chunked => Framing::chunked(),
            (_, Some(length)) => Framing::Length(length),
            (_, None) => Framing::ToTheEnd,
        };
        Ok(Head { canonical: canonical(status, &kept), framing })
    }
}

/// Writes a head, with the characters that a value may have.
fn canonical(status: u16, fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n").into_bytes();
    for (name, value) in fields {
        let prints = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
        head.extend(name.bytes().chain(*b": ").chain(value.iter().copied().filter(prints)).chain(*b"\r\n"));
    }
    head.extend(b"\r\n");
    head
}

/// The length of the first line, with its end; of all that is there, if it has no end yet.
fn line_length(input: &[u8]) -> Option<usize> {
    let end = memchr::memchr(b'\n', input).map_or(input.len(), |at| at + 1);
    (end > 0).then_some(end)
}

/// Refuses a first line early that is no status line: a server of another protocol may wait for us to speak.
fn could_be_http(line: &[u8]) -> Result<(), String> {
    let begins = line.iter().zip(b"HTTP/").all(|(got, expected)| got.eq_ignore_ascii_case(expected));
    if begins || line.starts_with(b"\r") { Ok(()) } else { Err(strange(line)) }
}

/// The status of a status line such as `HTTP/1.1 200 OK`, whose reason may be missing.
fn status(line: &[u8]) -> Result<u16, String> {
    could_be_http(line)?;
    let rest =
        ["1.1 ", "1.0 ", "2.0 ", "2 "].iter().find_map(|version| line.get(5..)?.strip_prefix(version.as_bytes()));
    let rest = rest.unwrap_or_default().trim_ascii_start();
    match rest {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', after @ ..]
            if !after.first().is_some_and(u8::is_ascii_digit) =>
        {
            Ok([a, b, c].into_iter().fold(0, |status, digit| 10 * status + u16::from(digit - b'0')))
        }
        _ => Err(strange(line)),
    }
}

fn strange(line: &[u8]) -> String {
    // What TLS begins with: an alert, or the beginning of a connection.
    if let [0x15 | 0x16, 3, ..] = line {
        return "the answer is not HTTP/1.1: the server speaks TLS; is it an https address?".into();
    }
    format!("the answer is not HTTP/1.1: its first line is {}", quoted(line.trim_ascii_end(), 0, ROOM))
}

/// Reads a length: the digits in front count. A number that is too large says nothing.
fn length(value: &[u8]) -> Result<Option<u64>, String> {
    let digits = value.strip_prefix(b"+").unwrap_or(value);
    let digits = &digits[..digits.iter().take_while(|byte| byte.is_ascii_digit()).count()];
    if digits.is_empty() {
        return Err(format!("the answer's header Content-Length is no number: {}", quoted(value, 0, ROOM)));
    }
    Ok(str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()))
}

/// The entries of a list of encodings.
pub(crate) fn codings(value: &[u8]) -> impl Iterator<Item = String> {
    value.split(|byte| *byte == b',').map(|coding| String::from_utf8_lossy(coding.trim_ascii()).to_ascii_lowercase())
}

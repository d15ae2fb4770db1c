//! The body of an answer: where it ends.

use pulse_echo_core::text::quoted;

/// The most bytes of a chunk's size with its extension, or of all trailers.
const LONGEST: usize = 64 * 1024;

/// The most digits of a chunk's size, as for curl.
const DIGITS: usize = 16;

/// How a body says where it ends, and what of it is still to come.
#[derive(Debug)]
pub(super) enum Framing {
    /// This many bytes.
    Length(u64),
    /// Chunks.
    Chunked(Chunk),
    /// All until the connection ends.
    ToTheEnd,
    /// It is no body: another connection goes through this one.
    Tunnel,
    /// It is complete.
    Over,
}

/// Where we are within chunks.
#[derive(Debug)]
pub(super) enum Chunk {
    /// In the line of its size.
    Size { line: Vec<u8> },
    /// In its data, with this many bytes to come.
    Data { left: u64 },
    /// In the line end after its data.
    After,
    /// In the lines after the last chunk. The line that is being read is empty so far or not.
    Trailer { read: usize, is_empty: bool },
}

impl Framing {
    pub(super) fn chunked() -> Self {
        Self::Chunked(Chunk::Size { line: Vec::new() })
    }

    /// Whether nothing more belongs to the body.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Over | Self::Length(0))
    }

    /// Whether the end of the connection is the end of the body.
    pub(super) fn may_end(&self) -> bool {
        self.is_over() || matches!(self, Self::ToTheEnd | Self::Tunnel)
    }

    /// Takes bytes from the front of `input`, and adds those of the body to `body`. The error is the end of a sentence.
    pub(super) fn take(&mut self, input: &mut &[u8], body: &mut Vec<u8>) -> Result<(), String> {
        while !input.is_empty() && !self.is_over() {
            match self {
                Self::Length(left) => *left -= pass(input, *left, body),
                Self::ToTheEnd | Self::Tunnel => drop(pass(input, u64::MAX, body)),
                Self::Chunked(chunk) => {
                    if chunk.take(input, body)? {
                        *self = Self::Over;
                    }
                }
                Self::Over => {}
            }
        }
        Ok(())
    }
}

impl Chunk {
    /// Returns whether the last chunk has ended.
    fn take(&mut self, input: &mut &[u8], body: &mut Vec<u8>) -> Result<bool, String> {
        match self {
            Self::Data { left } => {
                *left -= pass(input, *left, body);
                if *left == 0 {
                    *self = Self::After;
                }
            }
            Self::Size { line } => {
                let byte = next(input);
                line.push(byte);
                if byte == b'\n' {
                    *self = match size(line)? {
                        0 => Self::Trailer { read: 0, is_empty: true },
                        left => Self::Data { left },
                    };
                } else if line.len() > LONGEST {
                    return Err(strange(line));
                }
            }
            Self::After => match next(input) {
                b'\r' => {}
                b'\n' => *self = Self::Size { line: Vec::new() },
                other => {
                    let more = quoted(&[&[other], &input[..input.len().min(20)]].concat(), 0, 24);
                    return Err(format!("the body's chunk is longer than it says, by {more}"));
                }
            },
            Self::Trailer { read, is_empty } => {
                *read += 1;
                match next(input) {
                    b'\n' if *is_empty => return Ok(true),
                    b'\n' => *is_empty = true,
                    b'\r' => {}
                    _ => *is_empty = false,
                }
                if *read > LONGEST {
                    let limit = LONGEST / 1024;
                    return Err(format!("the answer has over {limit} KiB of headers after its body (trailers)"));
                }
            }
        }
        Ok(false)
    }
}

fn next(input: &mut &[u8]) -> u8 {
    let byte = input[0];
    *input = &input[1..];
    byte
}

/// Moves at most `most` bytes, and returns how many.
fn pass(input: &mut &[u8], most: u64, body: &mut Vec<u8>) -> u64 {
    let count = usize::try_from(most).unwrap_or(usize::MAX).min(input.len());
    body.extend_from_slice(&input[..count]);
    *input = &input[count..];
    count as u64
}

/// The size in the line before a chunk; what stands behind its digits is ignored.
fn size(line: &[u8]) -> Result<u64, String> {
    let count = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let digits = str::from_utf8(&line[..count]).unwrap_or_default();
    if count > DIGITS {
        return Err(strange(line));
    }
    u64::from_str_radix(digits, 16).map_err(|_| strange(line))
}

fn strange(line: &[u8]) -> String {
    let line = quoted(line.trim_ascii_end(), 0, 40);
    format!("the body is not in chunks, as the answer's header says: {line} is no chunk's size")
}

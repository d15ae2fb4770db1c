//! The frames of a body in chunks (`aws-chunked`): was its last chunk there?
//!
//! s3s takes the end of the stream for the end of the body, wherever between two chunks it comes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame};
use s3s::StdError;

/// A body that fails at its end if the last chunk, which is an empty one, has not come.
pub(super) struct Whole<B> {
    body: B,
    frames: Frames,
}

impl<B> Whole<B> {
    pub(super) fn new(body: B) -> Self {
        Self { body, frames: Frames::default() }
    }
}

impl<B: Body<Data = Bytes, Error: Into<StdError>> + Unpin> Body for Whole<B> {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let next = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(match next {
            Some(Ok(frame)) => {
                if let Some(bytes) = frame.data_ref() {
                    self.frames.read(bytes);
                }
                Some(Ok(frame))
            }
            Some(Err(error)) => Some(Err(error.into())),
            None if self.frames == Frames::Ended => None,
            None => Some(Err("the last chunk is missing".into())),
        })
    }
}

/// Where in the frames a body is.
#[derive(Debug, PartialEq, Eq)]
enum Frames {
    /// In the line before a chunk's bytes: the size so far, none before its first digit; `true` while digits are read.
    Line(Option<usize>, bool),
    /// So many bytes before the next line: the rest of a chunk, and its line break.
    Chunk(usize),
    /// After the line of the last chunk.
    Ended,
}

impl Default for Frames {
    fn default() -> Self {
        Self::Line(None, true)
    }
}

impl Frames {
    /// Reads on. What is no frame at all, s3s refuses.
    fn read(&mut self, mut bytes: &[u8]) {
        while let [first, rest @ ..] = bytes {
            match self {
                Self::Ended => return,
                Self::Chunk(left) => {
                    let skipped = bytes.len().min(*left);
                    *left -= skipped;
                    bytes = &bytes[skipped..];
                    if *left == 0 {
                        *self = Self::default();
                    }
                    continue;
                }
                Self::Line(size, true) if first.is_ascii_hexdigit() => {
                    let digit = char::from(*first).to_digit(16).unwrap_or_default();
                    *size = Some(size.unwrap_or(0).saturating_mul(16).saturating_add(digit as usize));
                }
                Self::Line(size, _) if *first == b'\n' => {
                    *self = match size {
                        None => Self::default(),
                        Some(0) => Self::Ended,
                        Some(size) => Self::Chunk(size.saturating_add(2)),
                    }
                }
                Self::Line(_, in_digits) => *in_digits = false,
            }
            bytes = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_chunk_is_found_however_the_bytes_come() {
        let whole =
            b"5;chunk-signature=abc\r\nhello\r\n1F;x\r\n0;chunk-signature=not-a-frame!!\r\n0;c=1\r\nx:y\r\n\r\n";
        let end = whole.len() - b"x:y\r\n\r\n".len();
        for step in 1..=whole.len() {
            for cut in [end - 1, end, whole.len()] {
                let mut frames = Frames::default();
                whole[..cut].chunks(step).for_each(|bytes| frames.read(bytes));
                assert_eq!(frames == Frames::Ended, cut >= end, "{step} {cut}");
            }
        }
    }
}

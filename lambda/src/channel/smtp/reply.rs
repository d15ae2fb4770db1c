//! What a mail server says, within bounds: it may be hostile.

use std::io::Read;

use lettre::transport::smtp::response::Response;
use pulse_echo_core::http::{Connection, Failure, Trouble};
use pulse_echo_core::text::line;

/// The longest line, in bytes. SMTP allows 512.
const LONGEST: usize = 2_000;

/// How many lines a reply may have. The longest replies name what a server can do.
const MOST: usize = 100;

/// What is shown of a reply, in bytes.
const SHOWN: usize = 200;

/// Reads replies, and keeps what came after the last one.
#[derive(Default)]
pub(super) struct Replies {
    unread: Vec<u8>,
}

impl Replies {
    /// Reads one reply.
    pub(super) fn next(&mut self, connection: &mut Connection) -> Result<Response, Failure> {
        let mut text = String::new();
        for _ in 0..MOST {
            let line = self.line(connection)?;
            // Some servers leave out the blank after the code, and end their lines as Unix does.
            let (code, rest) = line.split_at_checked(3).ok_or_else(|| broken("what it says is not SMTP"))?;
            let is_last = !rest.starts_with('-');
            let rest = if rest.is_empty() { " " } else { rest };
            text.extend([code, rest, "\r\n"]);
            if is_last {
                return text.parse().map_err(|_| broken("what it says is not SMTP"));
            }
        }
        Err(broken("its reply has no end"))
    }

    /// Whether something came that was not asked for.
    pub(super) fn has_more(&self) -> bool {
        !self.unread.is_empty()
    }

    fn line(&mut self, connection: &mut Connection) -> Result<String, Failure> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(line.trim_ascii_end()).replace('\r', " "));
            }
            if self.unread.len() > LONGEST {
                return Err(broken("a line of its reply has no end"));
            }
            let mut some = [0; 1_024];
            match connection.read(&mut some)? {
                0 => return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()),
                count => self.unread.extend_from_slice(&some[..count]),
            }
        }
    }
}

fn broken(text: &str) -> Failure {
    Failure { trouble: Trouble::Protocol, text: text.into() }
}

/// A reply as people see it, without the secrets, which a server may repeat.
pub(super) fn shown(reply: &Response, secrets: &[String]) -> String {
    let text = reply.message().collect::<Vec<_>>().join(" ");
    let is_secret = secrets.iter().any(|secret| text.contains(secret.as_str()));
    let text = if is_secret { String::new() } else { line(text.trim(), SHOWN) };
    format!("{} {text}", reply.code()).trim_end().into()
}

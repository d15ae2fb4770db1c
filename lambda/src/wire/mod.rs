//! Answers as servers really send them. It reads as curl and browsers do what a strict parser refuses (odd header
//! lines, bare line feeds, doubled lengths), and gives ureq the same answer in strict HTTP/1.1.

mod body;
mod head;
#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use pulse_echo_core::http::NotHttp;
use ureq::Error;
use ureq::unversioned::transport::time::Duration as Left;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use body::Framing;
pub(crate) use head::{LONGEST, codings};

/// How much is read, and for how long, of a body that nobody needs: a connection that is closed with unread bytes is
/// reset, which some servers log as an error.
const LINGER_BYTES: usize = 64 * 1024;
const LINGER: Duration = Duration::from_millis(100);

/// Wraps each connection in a [`Lenient`].
#[derive(Debug, Default)]
pub(crate) struct ReadLeniently;

impl<In: Transport> Connector<In> for ReadLeniently {
    type Out = Lenient;

    fn connect(&self, _: &ConnectionDetails, chained: Option<In>) -> Result<Option<Lenient>, Error> {
        Ok(chained.map(|inner| Lenient::new(inner.boxed())))
    }
}

/// A connection for one request, whose answer is read leniently.
#[derive(Debug)]
pub(crate) struct Lenient {
    inner: Box<dyn Transport>,
    state: State,
    /// Whether a proxy was asked for a connection: its answer has no body.
    is_tunnel: bool,
    /// The answer in strict HTTP/1.1, as far as it has come and is not consumed.
    ready: Vec<u8>,
    consumed: usize,
    has_progress: bool,
}

#[derive(Debug)]
enum State {
    Head(head::Reader),
    Body(Framing),
    Failed,
}

impl Lenient {
    fn new(inner: Box<dyn Transport>) -> Self {
        let state = State::Head(head::Reader::default());
        Self { inner, state, is_tunnel: false, ready: Vec::new(), consumed: 0, has_progress: false }
    }

    /// Reads from the connection once. Returns whether the answer may go on.
    fn read(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let goes_on = match self.inner.maybe_await_input(timeout) {
            // Many servers end TLS without saying so. The end of the connection is then as good as said.
            Err(Error::Io(error)) if error.kind() == ErrorKind::UnexpectedEof => false,
            // ureq takes a reset for the end of a body that has no length.
            Err(Error::Io(error)) if matches!(self.state, State::Body(_)) => return Err(Error::Other(Box::new(error))),
            other => other?,
        };
        let buffers = self.inner.buffers();
        let mut input = buffers.input();
        let before = input.len();
        if !goes_on && before == 0 {
            return self.end().map(|()| false);
        }
        let result = self.state.take(&mut input, self.is_tunnel, &mut self.ready);
        let taken = before - input.len();
        self.inner.buffers().input_consume(taken);
        result.map_err(|why| Error::Other(Box::new(NotHttp(why))))?;
        Ok(true)
    }

    fn end(&self) -> Result<(), Error> {
        match &self.state {
            State::Body(framing) if framing.may_end() => Ok(()),
            State::Head(reader) if !reader.has_begun() => Ok(()),
            _ => Err(Error::Other(Box::new(io::Error::from(ErrorKind::UnexpectedEof)))),
        }
    }

    fn is_over(&self) -> bool {
        matches!(&self.state, State::Body(framing) if framing.is_over())
    }
}

impl State {
    fn take(&mut self, input: &mut &[u8], is_tunnel: bool, ready: &mut Vec<u8>) -> Result<(), String> {
        if let Self::Head(reader) = self
            && let Some(head) = reader.take(input, is_tunnel)?
        {
            ready.extend(head.canonical);
            *self = Self::Body(head.framing);
        }
        match self {
            Self::Body(framing) => framing.take(input, ready),
            _ => Ok(()),
        }
    }
}

/// The strict answer where a server sends these pieces.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn strict<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, String> {
    let (mut state, mut ready) = (State::Head(head::Reader::default()), Vec::new());
    for mut piece in pieces {
        state.take(&mut piece, false, &mut ready)?;
    }
    Ok(ready)
}

impl Transport for Lenient {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.is_tunnel |= self.inner.buffers().output()[..amount].starts_with(b"CONNECT ");
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let started = Instant::now();
        loop {
            let before = self.ready.len();
            if self.is_over() {
                return Ok(false);
            }
            let goes_on = self.read(shorter(timeout, started.elapsed())).inspect_err(|_| self.state = State::Failed)?;
            if !goes_on || self.ready.len() > before {
                return Ok(goes_on);
            }
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// What is left of a time-out. Each byte of an answer that never ends must not begin it anew.
fn shorter(mut timeout: NextTimeout, by: Duration) -> NextTimeout {
    if let Left::Exact(after) = timeout.after {
        timeout.after = Left::Exact(after.saturating_sub(by));
    }
    timeout
}

/// What it sends goes straight to the connection beneath; what it gives is the strict answer.
impl Buffers for Lenient {
    fn output(&mut self) -> &mut [u8] {
        self.inner.buffers().output()
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.inner.buffers().tmp_and_output()
    }

    fn input(&self) -> &[u8] {
        &self.ready[self.consumed..]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        &mut []
    }

    fn input_appended(&mut self, _: usize) {}

    fn input_consume(&mut self, amount: usize) {
        self.has_progress = amount > 0;
        self.consumed += amount;
        if self.consumed == self.ready.len() {
            self.ready.clear();
            self.consumed = 0;
        }
    }

    fn can_use_input(&self) -> bool {
        self.has_progress && self.consumed < self.ready.len()
    }
}

impl Drop for Lenient {
    fn drop(&mut self) {
        let (started, mut read) = (Instant::now(), 0);
        while matches!(self.state, State::Body(_)) && !self.is_over() && read < LINGER_BYTES {
            let left = LINGER.saturating_sub(started.elapsed());
            self.ready.clear();
            let timeout = NextTimeout { after: Left::Exact(left), ..NextTimeout::default() };
            if left.is_zero() || !self.read(timeout).unwrap_or(false) {
                return;
            }
            read += self.ready.len();
        }
    }
}

//! A connection for what is not HTTP: to a name that may have several addresses, with TLS, and with one deadline.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};
use ureq::http::Uri;
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::NextTimeout;
use ureq::{Error, Timeout};

use super::connect::{alternating, race};
use super::{Failure, SystemResolver, Trust, config};

/// A connection that ends at its deadline, however slowly the other side goes on.
pub struct Connection(Stream);

enum Stream {
    Plain(Timed),
    Secured(Box<StreamOwned<ClientConnection, Timed>>),
}

struct Timed {
    tcp: TcpStream,
    deadline: Instant,
}

impl Connection {
    /// Connects by `deadline` to the address of `host` that answers first. An IPv6 address stands in brackets.
    pub fn open(host: &str, port: u16, deadline: Instant) -> Result<Self, Failure> {
        let out_of_time = || Error::Timeout(Timeout::Connect);
        let left = until(deadline).map_err(|_| out_of_time())?;
        // The resolver reads the host and the port alone.
        let name: Uri = format!("http://{host}:{port}/").parse().map_err(|_| Error::HostNotFound)?;
        let timeout = NextTimeout { after: left.into(), reason: Timeout::Resolve, ..NextTimeout::default() };
        let addresses = SystemResolver::default().resolve(&name, &config().build(), timeout)?;
        let winner = race(&alternating(&addresses), Some(deadline), |address| {
            move || Ok(TcpStream::connect_timeout(&address, until(deadline)?)?)
        });
        let tcp = winner.unwrap_or_else(|| Err(out_of_time()))?;
        tcp.set_nodelay(true).map_err(Error::Io)?;
        Ok(Self(Stream::Plain(Timed { tcp, deadline })))
    }

    /// Speaks TLS from here on, with a certificate for `host` that `trust` trusts.
    pub fn secured(self, host: &str, trust: &Trust) -> Result<Self, Failure> {
        let Stream::Plain(mut sock) = self.0 else { return Ok(self) };
        let mut conn = trust.session(host)?.0;
        conn.complete_io(&mut sock).map_err(Error::Io)?;
        Ok(Self(Stream::Secured(Box::new(StreamOwned { conn, sock }))))
    }

    /// Moves the deadline.
    pub fn ends_at(&mut self, deadline: Instant) {
        self.timed().deadline = deadline;
    }

    /// Our own address and that of the other side.
    pub fn ends(&mut self) -> io::Result<(SocketAddr, SocketAddr)> {
        let tcp = &self.timed().tcp;
        Ok((tcp.local_addr()?, tcp.peer_addr()?))
    }

    fn timed(&mut self) -> &mut Timed {
        match &mut self.0 {
            Stream::Plain(timed) => timed,
            Stream::Secured(stream) => &mut stream.sock,
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Stream::Plain(timed) => timed.read(buffer),
            Stream::Secured(stream) => stream.read(buffer),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Stream::Plain(timed) => timed.write(bytes),
            Stream::Secured(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Stream::Plain(timed) => timed.flush(),
            Stream::Secured(stream) => stream.flush(),
        }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(Some(until(self.deadline)?))?;
        self.tcp.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(Some(until(self.deadline)?))?;
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// The time that is left, which is never zero.
fn until(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

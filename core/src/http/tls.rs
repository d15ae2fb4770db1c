//! TLS by rustls: the built-in roots together with a private CA. ureq's own connector can have only one of the two.

use std::io;
use std::sync::{Arc, OnceLock};

use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use ureq::Error;
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use super::bundle;
use super::certificate::{Shown, Verifier};
use crate::crypto;

/// The trusted root certificates: Mozilla's, and those that were added.
///
/// They are made ready when TLS is first spoken, which takes longer than a request without TLS.
#[derive(Clone)]
pub struct Trust {
    make: Arc<dyn Fn() -> Result<Ready, String> + Send + Sync>,
    made: Arc<OnceLock<Result<Ready, String>>>,
}

/// What TLS needs.
#[derive(Clone)]
struct Ready {
    config: Arc<ClientConfig>,
    verifier: Arc<Verifier>,
}

impl Trust {
    /// Trusts Mozilla's roots only.
    pub fn built_in() -> Self {
        Self::new(|| Ok(Ready::of(built_in(), Vec::new())))
    }

    /// Trusts Mozilla's roots and the certificates in `bundle`, which must have at least one. A server's own
    /// certificate may be among them. The error says which certificate cannot be used.
    pub fn with_pem(bundle: &[u8]) -> Result<Self, String> {
        let ready = Ready::with_pem(bundle)?;
        Ok(Self::new(move || Ok(ready.clone())))
    }

    /// The same, of what `read` returns when TLS is first spoken; errors call it `what`. They fail the connection,
    /// unless they are [tested](Self::test) for before.
    pub fn read_later(what: String, read: impl Fn() -> Result<Vec<u8>, String> + Send + Sync + 'static) -> Self {
        Self::new(move || Ready::with_pem(&read()?).map_err(|error| format!("{what} cannot be used: {error}")))
    }

    fn new(make: impl Fn() -> Result<Ready, String> + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(make), made: Arc::default() }
    }

    /// Makes the certificates ready, and says why they cannot be used.
    pub fn test(&self) -> Result<(), String> {
        self.ready().map(|_| ())
    }

    fn ready(&self) -> Result<&Ready, String> {
        self.made.get_or_init(|| (self.make)()).as_ref().map_err(Clone::clone)
    }

    /// Our side of TLS with `host`, before its first byte.
    pub(super) fn session(&self, host: &str) -> Result<(ClientConnection, ServerName<'static>, Arc<Verifier>), Error> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(bare.to_string()).map_err(|_| Error::Tls("the host's name is not valid"))?;
        let ready = self.ready().map_err(io::Error::other)?;
        let conn = ClientConnection::new(ready.config.clone(), name.clone()).map_err(tls_error)?;
        Ok((conn, name, ready.verifier.clone()))
    }
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

fn built_in() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

impl Ready {
    fn with_pem(bundle: &[u8]) -> Result<Self, String> {
        let (mut roots, mut named) = (built_in(), Vec::new());
        let bundle = bundle::read(bundle)?;
        for unread in bundle.unread {
            log::warn!("a part of a CA bundle is not read: {unread}");
        }
        for certificate in bundle.certificates {
            let added = roots.add(certificate.der.clone());
            added.map_err(|_| format!("{} is not well-formed", certificate.place))?;
            named.push(certificate.der);
        }
        Ok(Self::of(roots, named))
    }

    fn of(roots: RootCertStore, named: Vec<CertificateDer<'static>>) -> Self {
        let provider = crypto::provider();
        let verifier = Arc::new(Verifier::new(roots, named, provider.signature_verification_algorithms));
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .expect("ring has suites for TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_no_client_auth();
        // Each connection must show its own certificate, rather than be trusted for an earlier one.
        config.resumption = Resumption::disabled();
        Self { config: Arc::new(config), verifier }
    }
}

/// Wraps connections to https addresses in TLS.
#[derive(Debug)]
pub struct Tls {
    trust: Trust,
    shown: Arc<OnceLock<Shown>>,
}

impl Tls {
    /// A connector that trusts `trust`.
    pub fn new(trust: &Trust) -> Self {
        Self { trust: trust.clone(), shown: Arc::default() }
    }

    /// Where the first server's certificates will be, once they are trusted.
    pub fn shown(&self) -> Arc<OnceLock<Shown>> {
        self.shown.clone()
    }
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, TlsTransport>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let (mut conn, name, verifier) = self.trust.session(details.uri.host().unwrap_or_default())?;
        let mut sock = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        sock.set_timeout(what_is_left(details));
        conn.complete_io(&mut sock)?;
        if let Some((leaf, intermediates)) = conn.peer_certificates().and_then(<[_]>::split_first) {
            self.shown.get_or_init(|| Shown::new(leaf, intermediates, name, verifier));
        }
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream: StreamOwned { conn, sock } })))
    }
}

/// The rest of the time-out that connecting began with: TLS gets no time of its own.
fn what_is_left(details: &ConnectionDetails) -> NextTimeout {
    let mut timeout = details.timeout;
    let (started, now) = (details.now, (details.current_time)());
    if let (Duration::Exact(after), Instant::Exact(started), Instant::Exact(now)) = (timeout.after, started, now) {
        timeout.after = Duration::Exact(after.saturating_sub(now - started));
    }
    timeout
}

fn tls_error(error: rustls::Error) -> Error {
    Error::Io(io::Error::new(io::ErrorKind::InvalidData, error))
}

/// A TLS connection.
pub struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl std::fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        io::Write::write_all(&mut self.stream, output)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.get_mut().set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let amount = io::Read::read(&mut self.stream, input)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

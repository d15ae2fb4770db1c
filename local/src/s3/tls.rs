//! The server's certificate: read from its files, and again when they change.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use pulse_echo_core::clock::Time;
use pulse_echo_core::http::{bundle, end_of};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tokio_rustls::TlsAcceptor;

/// A certificate and its key, as TLS shows them.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    state: Mutex<State>,
}

struct State {
    config: Arc<ServerConfig>,
    /// What was in the files when they were last looked at.
    content: Content,
    /// Whether that content has already been judged.
    is_judged: bool,
}

/// The content of both files, or why one cannot be read.
type Content = Result<[Vec<u8>; 2], String>;

/// What a look at the files has brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    /// They are as they were.
    None,
    /// New connections see the new certificate.
    Taken,
    /// They cannot be used, which is said once: the earlier certificate stays.
    Refused(String),
}

impl Tls {
    /// Reads a chain of certificates, the server's own first, and its key, both PEM. The error names the file.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, String> {
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        let content = content(&certificate, &key);
        let config = config(&certificate, &key, &content)?;
        Ok(Self { certificate, key, state: Mutex::new(State { config, content, is_judged: true }) })
    }

    /// Looks at the files again. New content is judged at the second look that finds it: one of the two files is
    /// always the first to change.
    pub fn look(&self) -> Change {
        let found = content(&self.certificate, &self.key);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if found != state.content {
            (state.content, state.is_judged) = (found, false);
            return Change::None;
        }
        if state.is_judged {
            return Change::None;
        }
        state.is_judged = true;
        match config(&self.certificate, &self.key, &state.content) {
            Ok(config) => {
                state.config = config;
                Change::Taken
            }
            Err(why) => Change::Refused(why),
        }
    }

    /// What is odd about the files that are in use, in a sentence each.
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let chain = state.content.as_ref().ok().and_then(|[chain, _]| bundle::read(chain).ok());
        let end = chain.and_then(|chain| end_of(&chain.certificates.first()?.der));
        let end = end.filter(|end| *end < Time::of(now));
        let over = end.map(|end| {
            format!("the certificate in {} has ended on {end}: no agent connects", self.certificate.display())
        });
        let mode = fs::metadata(&self.key).map_or(0, |metadata| metadata.permissions().mode());
        let open = (mode & 0o007 != 0).then(|| {
            let key = self.key.display();
            format!(
                "{key} holds the private key, and everybody on this machine may read it (mode {:o}): chmod o= {key}",
                mode & 0o777
            )
        });
        over.into_iter().chain(open).collect()
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).config.clone().into()
    }
}

fn content(certificate: &Path, key: &Path) -> Content {
    let read = |path: &Path| fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()));
    Ok([read(certificate)?, read(key)?])
}

fn config(certificate: &Path, key: &Path, content: &Content) -> Result<Arc<ServerConfig>, String> {
    let [chain, secret] = content.as_ref().map_err(Clone::clone)?;
    let chain = bundle::read(chain).map_err(|why| format!("{}: {why}", certificate.display()))?;
    for unread in chain.unread {
        log::warn!("a part of {} is not read: {unread}", certificate.display());
    }
    let chain = chain.certificates.into_iter().map(|certificate| certificate.der).collect();
    let secret = PrivateKeyDer::from_pem_slice(secret)
        .map_err(|_| format!("{} holds no private key in PEM, or one with a password", key.display()))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be used here: {error}"))?;
    let config = builder.with_no_client_auth().with_single_cert(chain, secret).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            format!("the key in {} is not that of the certificate in {}", key.display(), certificate.display())
        }
        // What the library says of a key that none of its ways to sign takes.
        rustls::Error::General(_) => format!(
            "the key in {} cannot be used: take RSA of 2048 to 8192 bits, ECDSA with P-256 or P-384, or Ed25519",
            key.display()
        ),
        _ => format!("the certificate in {} is broken, or of a kind that is not known here", certificate.display()),
    })?;
    Ok(Arc::new(config))
}

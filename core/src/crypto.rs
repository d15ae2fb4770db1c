//! The TLS library's cryptography, ring's, which serves for all that is secret or random.

use std::sync::Arc;

use rustls::Error;
use rustls::crypto::{CryptoProvider, KeyProvider, ring};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;

/// Suites, signatures and random numbers.
///
/// Nobody else asks for ring's own provider: it would bring the signing with keys of all kinds, some 30 KB.
pub fn provider() -> CryptoProvider {
    CryptoProvider { key_provider: &NoKeys, ..ring::default_provider() }
}

/// We never show a certificate of our own.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("no keys of our own are used".into()))
    }
}

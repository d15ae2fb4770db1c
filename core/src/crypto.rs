//! The TLS library's cryptography (ring), used for everything that is secret or random.

use std::sync::Arc;

use ring::digest::{SHA256, digest};
use ring::hmac;
use rustls::Error;
use rustls::crypto::{self, CryptoProvider, KeyProvider};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;

/// The SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> Vec<u8> {
    digest(&SHA256, data).as_ref().into()
}

/// The HMAC of `data` with SHA-256.
pub fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, data).as_ref().into()
}

/// Bytes as small hex digits.
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
}

/// Suites, signatures and random numbers.
///
/// Use this and not ring's default provider, which also links signing with every kind of key: some 30 KB.
pub fn provider() -> CryptoProvider {
    CryptoProvider { key_provider: &NoKeys, ..crypto::ring::default_provider() }
}

/// Refuses to load a private key: we never show a certificate of our own.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("no keys of our own are used".into()))
    }
}

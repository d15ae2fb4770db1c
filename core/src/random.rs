//! Random numbers from the system, by the TLS library: no crate is added for them.

use crate::crypto;

/// `N` random bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let random = crypto::provider().secure_random;
    random.fill(&mut bytes).expect("the system has random numbers");
    bytes
}

/// A number from 0 to just below 1.
pub fn fraction() -> f64 {
    f64::from(u32::from_be_bytes(bytes())) / (f64::from(u32::MAX) + 1.0)
}

/// A unique id: 128 random bits, in hex.
pub fn id() -> String {
    format!("{:032x}", u128::from_be_bytes(bytes()))
}

//! What the fuzzer calls; no part of the API.

pub use super::credentials::ini::Sections;
use super::settings::config::Config;
use crate::json::{self, Unknown};

/// Reads a configuration file; the error is what its writer would be told.
pub fn configuration(text: &[u8]) -> Result<(), json::Error> {
    json::read::<Config>(text, Unknown::Refused).map(|_| ())
}

//! The fuzzer's entries; not part of the API.

pub use super::credentials::ini::{Entry, Section, Sections, Wrong};
use super::credentials::issued;
use super::settings::config::Config;
use super::status;
use pulse_echo_core::json::{self, Unknown};
use pulse_echo_core::mark::Mark;
use pulse_echo_core::status::StatusOf;
use pulse_echo_core::store::Credentials;

/// Parses a configuration file. The error is what the user would see.
pub fn configuration(text: &[u8]) -> Result<(), json::Error> {
    json::read::<Config>(text, Unknown::Refused).map(|_| ())
}

/// Parses credentials as an instance's metadata service, a container's endpoint or a `credential_process` writes them.
pub fn issued(text: &str, version: Option<i64>) -> Result<Credentials, String> {
    issued::read("the fuzzer", text, version)
}

/// All lines that the `status` command shows of a `status.json`, on a terminal of this width; empty if it cannot be
/// read.
pub fn shown(text: &[u8], mark: Mark, width: usize) -> Vec<String> {
    StatusOf::from_json(text).map_or_else(|_| Vec::new(), |status| status::shown(status, mark, width))
}

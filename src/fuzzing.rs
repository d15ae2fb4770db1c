//! What the fuzzer calls; no part of the API.

pub use super::credentials::ini::Sections;
use super::credentials::issued;
use super::settings::config::Config;
use super::status;
use pulse_echo_core::json::{self, Unknown};
use pulse_echo_core::mark::Mark;
use pulse_echo_core::status::StatusOf;
use pulse_echo_core::store::Credentials;

/// Reads a configuration file; the error is what its writer would be told.
pub fn configuration(text: &[u8]) -> Result<(), json::Error> {
    json::read::<Config>(text, Unknown::Refused).map(|_| ())
}

/// Reads credentials as the instance's metadata service, a container's, or a `credential_process` answers them.
pub fn issued(text: &str, version: Option<i64>) -> Result<Credentials, String> {
    issued::read("the fuzzer", text, version)
}

/// All lines that the `status` command shows of a `status.json`, on a terminal of this width; none if it cannot be
/// read.
pub fn shown(text: &[u8], mark: Mark, width: usize) -> Vec<String> {
    StatusOf::from_json(text).map_or_else(|_| Vec::new(), |status| status::shown(status, mark, width))
}

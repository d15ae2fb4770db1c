//! The library's client of a store, for tests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo_core::http::{self, SystemResolver, Trust};
use pulse_echo_core::name::CheckId;
use pulse_echo_core::store::{Clock, Credentials, Place, Store};
use ureq::config::Config;

/// The bucket of every test's store.
pub const BUCKET: &str = "pulses";

/// Every secret contains this text, so that no secret can be shown unnoticed.
pub const MARK: &str = "s3cr3t";

/// The permanent key pair of a test's store: its id.
pub const ACCESS_KEY: &str = "AKIDTESTTESTTESTTEST";

/// The permanent key pair of a test's store: its secret.
pub const SECRET_KEY: &str = "s3cr3t-that-must-never-be-seen";

/// The settings of a client.
pub struct Client {
    /// Where the store is.
    pub place: Place,
    /// The credentials that it signs with.
    pub credentials: Credentials,
    /// How it connects.
    pub config: Config,
    /// The clock that it signs by.
    pub clock: Clock,
    /// How much time all its requests share.
    pub time: Duration,
}

impl Client {
    /// The usual client of the store at an endpoint: the permanent key pair, the right time, and five minutes.
    pub fn at(endpoint: &str) -> Self {
        Self {
            place: Place {
                bucket: BUCKET.into(),
                region: "us-east-1".into(),
                endpoint: Some(endpoint.into()),
                path_style: None,
            },
            credentials: Credentials::new(ACCESS_KEY, SECRET_KEY),
            config: http::config().build(),
            clock: Arc::new(Timestamp::now),
            time: Duration::from_secs(300),
        }
    }

    /// Makes the client.
    pub fn store(self) -> Store {
        let agent = http::agent(self.config, &Trust::built_in(), SystemResolver::default());
        Store::new(&self.place, self.credentials, agent, self.clock, Instant::now() + self.time).unwrap()
    }
}

/// A client of the store at an endpoint, for an operator with its permanent key pair.
pub fn store(endpoint: &str) -> Store {
    Client::at(endpoint).store()
}

/// A check's id, `HOST` or `HOST/CHECK`.
pub fn id(text: &str) -> CheckId {
    CheckId::from_pulse_key(&format!("pulse/{text}.json")).unwrap()
}

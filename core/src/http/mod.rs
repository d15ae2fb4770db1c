//! HTTP for the agent and the fleet: answers of any status, no hidden redirects, and a kind for each failure.

pub mod bundle;
mod certificate;
mod connect;
mod connection;
mod der;
mod distrust;
mod failure;
pub mod header;
pub mod proxy;
mod tls;
pub mod url;

use ureq::Agent;
use ureq::config::{Config, ConfigBuilder};
use ureq::typestate::AgentScope;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Connector, NextTimeout};

pub use certificate::{Shown, end_of};
pub use connect::Tcp;
pub use connection::Connection;
pub use failure::{Failure, NotHttp, Trouble};
use proxy::ThroughProxy;
pub use tls::{Tls, Trust};

/// The configuration of all our clients: any status is an answer, the caller follows redirects, and nothing is taken
/// from the environment.
pub fn config() -> ConfigBuilder<AgentScope> {
    Agent::config_builder().http_status_as_error(false).max_redirects(0).max_redirects_will_error(false).proxy(None)
}

/// Makes a client that trusts `trust` and resolves names with `resolver`. If `config` has a proxy, the proxy resolves
/// the other names.
pub fn agent(config: Config, trust: &Trust, resolver: impl Resolver) -> Agent {
    Agent::with_parts(config, connector(trust), resolver)
}

/// What makes a client's connections: through the proxy of its configuration, if any, and with TLS that trusts `trust`.
pub fn connector(trust: &Trust) -> impl Connector {
    ().chain(ThroughProxy::default()).chain(Tcp::default()).chain(Tls::new(trust))
}

/// The system's resolver. Its failures are told apart from failures to connect.
#[derive(Debug, Default)]
pub struct SystemResolver(DefaultResolver);

/// A name that did not resolve, wrapped in a resolver's [`ureq::Error::Other`].
#[derive(Debug)]
pub struct Unresolved {
    /// The name.
    pub host: String,
    /// What the system said.
    pub answer: String,
}

impl std::fmt::Display for Unresolved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the name {} does not resolve: {}", self.host, self.answer)
    }
}

impl std::error::Error for Unresolved {}

impl Resolver for SystemResolver {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        self.0.resolve(uri, config, timeout).map_err(|error| {
            let answer = match &error {
                ureq::Error::Io(io) => {
                    let text = io.to_string();
                    text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_string()
                }
                ureq::Error::HostNotFound => "no address".to_string(),
                ureq::Error::Timeout(_) => "no name server answered in time".to_string(),
                _ => return error,
            };
            ureq::Error::Other(Box::new(Unresolved { host: uri.host().unwrap_or_default().into(), answer }))
        })
    }
}

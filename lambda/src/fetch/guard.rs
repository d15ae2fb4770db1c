//! Between a name's addresses and the connection: the probe connects only to addresses that were checked here.

use std::fmt;
use std::sync::Arc;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::lookup::Lookup;
use crate::ipfilter::IpFilter;

/// A resolver that returns only addresses that the probe may connect to.
///
/// ureq asks it on every hop, even for an address in the URL, and connects only to its answer. So there is no second
/// look-up with another answer.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) lookup: Arc<Lookup>,
    pub(super) filter: Arc<IpFilter>,
}

/// The sentence that says why the probe may not connect.
#[derive(Debug)]
pub(super) struct Blocked(pub(super) String);

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Blocked {}

impl Resolver for Guard {
    /// One refused address blocks its name: a private address beside a public one is a sign of an attack.
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let addresses = self.lookup.resolve(uri, config, timeout)?;
        for address in &addresses {
            let checked = self.filter.check(uri.host().unwrap_or_default(), *address);
            checked.map_err(|why| Error::Other(Box::new(Blocked(why))))?;
        }
        Ok(addresses)
    }
}

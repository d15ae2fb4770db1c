//! Between a name's addresses and the connection: only what was looked at here is connected to.

use std::fmt;
use std::sync::Arc;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::lookup::Lookup;
use crate::ipfilter::IpFilter;

/// A resolver that answers only with addresses to which the probe may go.
///
/// ureq asks it on every hop, for an address in the URL, too, and connects to nothing but its answer, so there is no
/// second look-up whose answer could differ.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) lookup: Arc<Lookup>,
    pub(super) filter: Arc<IpFilter>,
}

/// The sentence that says why the probe may not go there.
#[derive(Debug)]
pub(super) struct Blocked(pub(super) String);

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Blocked {}

impl Resolver for Guard {
    /// One refused address blocks its name: whoever puts a private one beside a public one means no good.
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let addresses = self.lookup.resolve(uri, config, timeout)?;
        for address in &addresses {
            let checked = self.filter.check(uri.host().unwrap_or_default(), *address);
            checked.map_err(|why| Error::Other(Box::new(Blocked(why))))?;
        }
        Ok(addresses)
    }
}

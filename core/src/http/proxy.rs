//! Proxies from the environment, read as curl reads them, and the connection through them.
//!
//! ureq reads the variables in another way than curl: one variable serves every scheme, `NO_PROXY` is not trimmed,
//! `example.com` does not cover `b.example.com`, and networks are not supported. It also asks a proxy for a connection
//! (CONNECT) to http addresses, which many proxies refuse; here, as with curl, they get the whole address.

use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::http::uri::Authority;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, NextTimeout, Transport,
};
use ureq::{Error, Proxy};
use url::{Host, Url};

use super::failure::ProxyFailed;
use crate::environment::Environment;

/// curl's default port of a proxy, by the proxy's own scheme.
const DEFAULT_PORTS: [(&str, u16); 2] = [("http", 1080), ("https", 443)];

/// The proxy that the variables name for `url`; `None` to connect directly. The error names the variable and what is
/// wrong, but not its value, since it may hold a password.
pub fn from_variables(url: &Url, environment: Environment) -> Result<Option<Proxy>, String> {
    // A web server puts a client's `Proxy` header into HTTP_PROXY, so only the name in lower case counts.
    let names = match url.scheme() {
        "https" => ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].as_slice(),
        _ => ["http_proxy", "all_proxy", "ALL_PROXY"].as_slice(),
    };
    let set = names.iter().find_map(|name| Some((name, environment.get(name)?)));
    let Some((name, value)) = set else { return Ok(None) };
    if environment.first(&["no_proxy", "NO_PROXY"]).is_some_and(|exceptions| goes_directly(url, &exceptions)) {
        return Ok(None);
    }
    parse(value.trim()).map(Some).map_err(|why| format!("the proxy in {name} cannot be used: {why}"))
}

fn parse(value: &str) -> Result<Proxy, String> {
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    let scheme = scheme.to_ascii_lowercase();
    let Some((_, port)) = DEFAULT_PORTS.iter().find(|(known, _)| *known == scheme) else {
        return Err(format!("{scheme}:// is not supported, only http:// and https://"));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // An empty port is none.
    let authority = authority.strip_suffix(':').unwrap_or(authority);
    let (_, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let address = if has_port { format!("{scheme}://{authority}") } else { format!("{scheme}://{authority}:{port}") };
    let is_empty = host.is_empty() || host.starts_with(':');
    Proxy::new(&address).ok().filter(|_| !is_empty).ok_or_else(|| {
        "it is not an address such as http://proxy.example.com:3128 (with %40 for an @ in a password)".into()
    })
}

/// Whether `NO_PROXY` (names and networks, separated by commas or blanks) covers the address. A name covers its
/// subdomains, with or without a dot in front. Ports are not supported: an entry with a port matches nothing.
fn goes_directly(url: &Url, exceptions: &str) -> bool {
    let Some(host) = url.host() else { return false };
    if exceptions.trim() == "*" {
        return true;
    }
    let mut entries = exceptions.split([',', ' ', '\t']).filter(|entry| !entry.is_empty());
    match host {
        Host::Domain(name) => entries.any(|entry| covers(entry, name)),
        Host::Ipv4(address) => entries.any(|entry| holds(entry, address.into())),
        Host::Ipv6(address) => entries.any(|entry| holds(entry, address.into())),
    }
}

fn covers(entry: &str, name: &str) -> bool {
    let entry = entry.strip_suffix('.').unwrap_or(entry);
    let entry = entry.strip_prefix('.').unwrap_or(entry).to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(name);
    let rest = name.strip_suffix(&entry);
    !entry.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn holds(entry: &str, address: IpAddr) -> bool {
    let (network, bits) = match entry.split_once('/') {
        None => (entry, None),
        Some((network, bits)) => (network, Some(bits)),
    };
    let network = network.strip_prefix('[').and_then(|network| network.strip_suffix(']')).unwrap_or(network);
    let (network, address, width) = match (network.parse(), address) {
        (Ok(IpAddr::V4(network)), IpAddr::V4(address)) => (network.to_bits().into(), address.to_bits().into(), 32),
        (Ok(IpAddr::V6(network)), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let bits = bits.map_or(Some(width), |bits| bits.parse().ok().filter(|bits| *bits <= width));
    // Rust has no shift by all bits (`None`); a network of no bits contains every address.
    bits.is_some_and(|bits: u32| u128::checked_shr(network ^ address, width - bits).unwrap_or(0) == 0)
}

/// Connects through a proxy; its failures are named as the proxy's.
#[derive(Debug, Default)]
pub struct ThroughProxy(ConnectProxyConnector);

impl<In: Transport> Connector<In> for ThroughProxy {
    type Out = Either<In, Box<dyn Transport>>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let connected = match details.config.proxy() {
            // The connection to the proxy itself.
            Some(proxy) if details.uri == proxy.uri() => return Ok(chained.map(Either::A)),
            Some(proxy) if chained.is_none() && !details.needs_tls() => {
                forwarding(details, proxy).map(|transport| Some(Either::B(transport.boxed())))
            }
            _ => self.0.connect(details, chained),
        };
        connected.map_err(|error| match details.config.proxy() {
            Some(proxy) => Error::Other(Box::new(ProxyFailed {
                proxy: format!("{}:{}", proxy.host(), proxy.port()),
                failure: error.into(),
            })),
            None => error,
        })
    }
}

/// Connects to a proxy that will forward requests to an http address.
fn forwarding(details: &ConnectionDetails, proxy: &Proxy) -> Result<Forwarding, Error> {
    let to_proxy = ConnectionDetails {
        uri: proxy.uri(),
        addrs: details.resolver.resolve(proxy.uri(), details.config, details.timeout)?,
        config: details.config,
        request_level: details.request_level,
        resolver: details.resolver,
        now: details.now,
        timeout: details.timeout,
        current_time: details.current_time.clone(),
        run_connector: details.run_connector.clone(),
        register_shutdown: details.register_shutdown.clone(),
    };
    let authority = details.uri.authority().map(Authority::as_str).unwrap_or_default();
    let user = proxy.username().map(|user| format!("{user}:{}", proxy.password().unwrap_or_default()));
    let user = user.map(|user| format!("Proxy-Authorization: Basic {}\r\n", BASE64_STANDARD.encode(user)));
    Ok(Forwarding {
        inner: (details.run_connector)(&to_proxy)?,
        site: format!("http://{authority}"),
        user: user.unwrap_or_default(),
        begins: true,
    })
}

/// A connection whose requests have the whole address in their first line.
struct Forwarding {
    inner: Box<dyn Transport>,
    site: String,
    /// A header line with the proxy's user and password, or nothing.
    user: String,
    /// Whether what is sent next is the beginning of a request.
    begins: bool,
}

impl fmt::Debug for Forwarding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarding").field("site", &self.site).finish_non_exhaustive()
    }
}

impl Transport for Forwarding {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if !std::mem::take(&mut self.begins) {
            return self.inner.transmit_output(amount, timeout);
        }
        // `GET /path HTTP/1.1`, and the other lines.
        let request = self.inner.buffers().output()[..amount].to_vec();
        let path = request.iter().position(|byte| *byte == b' ').map_or(0, |blank| blank + 1);
        let rest = request.iter().position(|byte| *byte == b'\n').map_or(path, |end| end + 1);
        let (method, line, rest) = (&request[..path], &request[path..rest], &request[rest..]);
        let request = [method, self.site.as_bytes(), line, self.user.as_bytes(), rest].concat();
        let mut unsent = request.as_slice();
        while !unsent.is_empty() {
            let output = self.inner.buffers().output();
            let (part, behind) = unsent.split_at(unsent.len().min(output.len()));
            output[..part.len()].copy_from_slice(part);
            self.inner.transmit_output(part.len(), timeout)?;
            unsent = behind;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.begins = true;
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_string());
        let proxy = from_variables(&Url::parse(url).unwrap(), Environment::new(&variable)).unwrap();
        proxy.map(|proxy| format!("{}:{}", proxy.host(), proxy.port()))
    }

    #[test]
    fn the_scheme_chooses_the_variable_small_letters_first() {
        let all = [
            ("https_proxy", "small.example:1"),
            ("HTTPS_PROXY", "large.example:2"),
            ("http_proxy", "plain.example:3"),
            ("HTTP_PROXY", "never.example:4"),
            ("ALL_PROXY", "all.example:5"),
        ];
        assert_eq!(chosen("https://s3.example.com", &all).as_deref(), Some("small.example:1"));
        assert_eq!(chosen("https://s3.example.com", &all[1..]).as_deref(), Some("large.example:2"));
        assert_eq!(chosen("https://s3.example.com", &all[2..]).as_deref(), Some("all.example:5"));
        assert_eq!(chosen("http://s3.example.com", &all).as_deref(), Some("plain.example:3"));
        assert_eq!(chosen("http://s3.example.com", &all[3..]).as_deref(), Some("all.example:5"));
        assert_eq!(chosen("http://s3.example.com", &all[3..4]), None);
        assert_eq!(
            chosen("https://s3.example.com", &[("https_proxy", ""), all[1]]).as_deref(),
            Some("large.example:2")
        );
    }

    #[test]
    fn a_proxys_port_and_scheme_may_be_left_out_as_for_curl() {
        for (value, there) in [
            ("proxy.example", "proxy.example:1080"),
            ("http://proxy.example/", "proxy.example:1080"),
            ("http://proxy.example:80", "proxy.example:80"),
            ("http://proxy.example:", "proxy.example:1080"),
            ("http://u:p@proxy.example:/", "proxy.example:1080"),
            ("https://proxy.example", "proxy.example:443"),
            ("HTTP://u:p@10.0.0.1:3128", "10.0.0.1:3128"),
            ("http://[::1]", "[::1]:1080"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(chosen("https://s3.example.com", &[("https_proxy", value)]).as_deref(), Some(there), "{value}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_one_sentence_without_its_password() {
        for (value, why) in [
            ("socks5h://u:secret@proxy.example:1080", "HTTPS_PROXY cannot be used: socks5h:// is not supported"),
            ("http://u:sec ret@proxy.example", "it is not an address"),
            ("http://u:secret@", "it is not an address"),
            ("http://:3128", "it is not an address"),
            ("ftp://proxy.example", "ftp:// is not supported"),
        ] {
            let variable = |name: &str| (name == "HTTPS_PROXY").then(|| value.to_string());
            let error = from_variables(&Url::parse("https://s3.example.com").unwrap(), Environment::new(&variable))
                .unwrap_err();
            assert!(error.contains(why) && !error.contains("sec"), "{value}: {error}");
        }
    }

    /// The rows were compared with curl 7.88. It refuses the last four, which we accept as they are written.
    #[test]
    fn what_no_proxy_names_is_reached_directly() {
        for (host, exceptions, directly) in [
            ("www.example.com", "*", true),
            ("www.example.com", "*,x", false),
            ("www.example.com", "example.com", true),
            ("www.example.com", ".example.com", true),
            ("example.com", ".example.com", true),
            ("example.com", "example.com.", true),
            ("WWW.EXAMPLE.COM", "Example.com", true),
            ("nonexample.com", "example.com", false),
            ("example.com", "www.example.com", false),
            ("www.example.com", " a.example , example.com ", true),
            ("www.example.com", "a.example example.com", true),
            ("www.example.com", "*.example.com", false),
            ("www.example.com", "www.example.com:80", false),
            ("www.example.com", ",,.", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.0.0.0/8", true),
            ("10.1.2.3", "10.1.2.0/30", true),
            ("10.1.2.4", "10.1.2.0/30", false),
            ("10.1.2.3", "10.1.2.3/32", true),
            ("10.1.2.3", "2.3", false),
            ("10.1.2.3", "10.0.0.0/33", false),
            ("[fd00::1]", "fd00::1", true),
            ("[fd00::1]", "fe80::/16", false),
            ("[fd00::1]", "10.0.0.0/8", false),
            ("[fd00::1]", "fd00::/16", true),
            ("[fd00::1]", "[fd00::1]", true),
            ("10.1.2.3", "0.0.0.0/0", true),
            ("[fd00::1]", "::/0", true),
        ] {
            let url = Url::parse(&format!("http://{host}:8080/")).unwrap();
            assert_eq!(goes_directly(&url, exceptions), directly, "{host} {exceptions}");
        }
    }
}

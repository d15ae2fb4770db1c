//! Whether the probe, which runs in AWS, can reach what a pulse asks it to fetch.

use std::net::IpAddr;

use url::{Host, Url};

/// The warning about a URL that no function outside this network can fetch; `None` if it looks public.
pub fn warning(url: &Url) -> Option<String> {
    let why = match url.host()? {
        Host::Domain(name) => private_name(name),
        Host::Ipv4(address) => private_address(address.into()),
        Host::Ipv6(address) => private_address(address.to_canonical()),
    }?;
    Some(format!(
        "{} is {why}: a probe in AWS cannot reach it; leave url out for a bare sign of life, or run the probe in a VPC \
         that reaches it and set its PROBE_ALLOW",
        url.host_str().unwrap_or_default()
    ))
}

fn private_name(name: &str) -> Option<&'static str> {
    let name = name.trim_end_matches('.');
    if name == "localhost" || name.ends_with(".localhost") {
        Some("this machine itself")
    } else if !name.contains('.') {
        Some("a name of one label")
    } else {
        None
    }
}

fn private_address(address: IpAddr) -> Option<&'static str> {
    match address {
        address if address.is_loopback() || address.is_unspecified() => Some("this machine itself"),
        IpAddr::V4(address) if address.is_private() => Some("a private address"),
        IpAddr::V4(address) if address.is_link_local() => Some("a link-local address"),
        IpAddr::V6(address) if address.is_unique_local() => Some("a private address"),
        IpAddr::V6(address) if address.is_unicast_link_local() => Some("a link-local address"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_this_network_knows_is_warned_of() {
        for (url, why) in [
            ("http://localhost:8080/", "this machine itself"),
            ("http://127.1/", "this machine itself"),
            ("http://[::1]/", "this machine itself"),
            ("http://[::ffff:10.0.0.1]/", "a private address"),
            ("http://192.168.1.10/health", "a private address"),
            ("http://169.254.169.254/", "a link-local address"),
            ("http://[fd00::1]/", "a private address"),
            ("http://db/", "a name of one label"),
        ] {
            let warning = warning(&Url::parse(url).unwrap()).expect(url);
            assert!(warning.contains(why) && warning.contains("PROBE_ALLOW"), "{url}: {warning}");
        }
    }

    #[test]
    fn what_looks_public_is_not() {
        for url in ["https://example.com/", "http://93.184.216.34/", "http://[2606:2800:220:1::1]/"] {
            assert_eq!(warning(&Url::parse(url).unwrap()), None, "{url}");
        }
    }
}

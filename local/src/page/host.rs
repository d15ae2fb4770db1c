//! Whether a request was meant for this page.
//!
//! A web page elsewhere can have its own name point here (DNS rebinding). Then a reader's browser would fetch this page
//! for it, under that name. So only the address itself, and names that the operator gave, are answered.

use std::net::IpAddr;

use hyper::Uri;
use hyper::header::{HOST, HeaderMap};
use hyper::http::uri::Authority;

/// Checks the host that a request names, on a connection to the address `local`. The error is a sentence.
pub(super) fn check(headers: &HeaderMap, uri: &Uri, local: IpAddr, names: &[String]) -> Result<(), String> {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err("the request must have one Host header".to_owned());
    };
    let host = host.to_str().map_err(|_| "the Host header is not readable".to_owned())?;
    // A proxy's form of a request has a host in its address, too.
    for host in std::iter::once(host).chain(uri.authority().map(Authority::as_str)) {
        if !is_ours(host, local, names) {
            return Err(format!("{host} is no name of this page; if it should be, start with --page-host {host}"));
        }
    }
    Ok(())
}

/// A name as it is compared: without a port, in small letters.
pub(super) fn normal(host: &str) -> String {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or_default(),
        None => host,
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// A name that the operator gives. The error says what is wrong.
pub(super) fn given(name: &str) -> Result<String, String> {
    let normal = normal(name);
    let is_one = normal.parse::<IpAddr>().is_ok() || url::Host::parse(&normal).is_ok();
    if is_one && !name.contains('/') {
        return Ok(normal);
    }
    Err("it is no host's name: write it such as pulse.example.com".to_owned())
}

fn is_ours(host: &str, local: IpAddr, names: &[String]) -> bool {
    let (host, local) = (normal(host), local.to_canonical());
    names.contains(&host)
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical() == local)
        || (host == "localhost" && local.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_is_refused_at_the_start() {
        for (name, taken) in
            [("Pulse.example.com:443", "pulse.example.com"), ("[::1]", "::1"), ("10.0.0.9", "10.0.0.9")]
        {
            assert_eq!(given(name).unwrap(), taken);
        }
        for wrong in ["a b", "http://x.example/", "x.example/", "", "[::g]"] {
            assert!(given(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_address_and_the_given_names_are_ours_and_no_others() {
        let names = ["Pulses.example.com", "10.0.0.9"].map(normal);
        for (host, local, ours) in [
            ("127.0.0.1:9811", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("localhost:9811", "127.0.0.1", true),
            ("LOCALHOST.", "127.0.0.1", true),
            ("[::1]:9811", "::1", true),
            ("10.0.0.1:9811", "::ffff:10.0.0.1", true),
            ("pulses.example.com:443", "10.0.0.1", true),
            ("PULSES.example.com.", "10.0.0.1", true),
            ("10.0.0.9", "172.17.0.2", true),
            ("127.0.0.2", "127.0.0.1", false),
            ("localhost", "10.0.0.1", false),
            ("evil.example", "127.0.0.1", false),
            ("pulses.example.com.evil.example", "127.0.0.1", false),
            ("evil.example:127.0.0.1", "127.0.0.1", false),
            ("", "127.0.0.1", false),
        ] {
            assert_eq!(is_ours(host, local.parse().unwrap(), &names), ours, "{host} at {local}");
        }
    }
}

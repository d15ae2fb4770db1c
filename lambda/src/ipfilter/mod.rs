//! Where the probe may connect: pure rules for an address and a port.

mod special;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use ipnet::IpNet;

use pulse_echo_core::text::line;

/// How much of a host's name a refusal shows, in bytes.
const ROOM: usize = 32;

/// The global unicast addresses, with the settings' additions and restrictions.
#[derive(Clone, Debug, Default)]
pub(crate) struct IpFilter {
    /// Networks that are allowed in any case.
    allow: Vec<IpNet>,
    /// The allowed ports; an empty list allows all ports.
    ports: Vec<RangeInclusive<u16>>,
}

impl IpFilter {
    /// Parses `PROBE_ALLOW` and `PROBE_PORTS`; an empty text changes nothing. The error names the variable and the
    /// entry, and says what it should be.
    pub(crate) fn read(allow: &str, ports: &str) -> Result<Self, String> {
        let allow = entries(allow).map(|entry| network(entry).map_err(|why| format!("PROBE_ALLOW: {why}")));
        let ports = entries(ports).map(|entry| port_range(entry).map_err(|why| format!("PROBE_PORTS: {why}")));
        Ok(Self { allow: allow.collect::<Result<_, _>>()?, ports: ports.collect::<Result<_, _>>()? })
    }

    /// Checks whether the probe may connect to `address`, an address of `host`. The error is a sentence that names the
    /// address and the setting that would allow it.
    pub(crate) fn check(&self, host: &str, address: SocketAddr) -> Result<(), String> {
        // A socket for `::ffff:10.0.0.1` connects to 10.0.0.1.
        let (ip, port) = (address.ip().to_canonical(), address.port());
        if !self.ports.is_empty() && !self.ports.iter().any(|range| range.contains(&port)) {
            let whose = whose(host, ip);
            return Err(format!("the probe may not go to port {port} of {ip}{whose}; PROBE_PORTS has to name it"));
        }
        if self.allow.iter().any(|net| net.contains(&ip)) {
            return Ok(());
        }
        match special::kind(ip) {
            None => Ok(()),
            Some(kind) => Err(format!(
                "the probe may not go to {ip}{}: it is {kind}; PROBE_ALLOW={} allows it",
                whose(host, ip),
                IpNet::from(ip)
            )),
        }
    }
}

/// The name that led to an address, in brackets; empty if the host is the address itself.
fn whose(host: &str, ip: IpAddr) -> String {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.parse() == Ok(ip) { String::new() } else { format!(" ({})", line(host, ROOM)) }
}

/// The entries of a list, separated by commas or white space.
fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ' ', '\t', '\n']).filter(|entry| !entry.is_empty())
}

fn network(entry: &str) -> Result<IpNet, String> {
    let one = entry.parse::<IpAddr>().map(IpNet::from).ok();
    let net: IpNet = one
        .or_else(|| entry.parse().ok())
        .ok_or_else(|| format!("{entry:?} is no network such as 10.0.0.0/8 or fd00::/8"))?;
    if net.addr() != net.network() {
        let (whole, one) = (net.trunc(), IpNet::from(net.addr()));
        return Err(format!("{entry:?} can mean two things: write {whole} for the network, {one} for the address"));
    }
    Ok(net)
}

fn port_range(entry: &str) -> Result<RangeInclusive<u16>, String> {
    let (first, last) = entry.split_once('-').unwrap_or((entry, entry));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if 0 < first && first <= last => Ok(first..=last),
        _ => Err(format!("{entry:?} is no port such as 443 and no range such as 8000-8999")),
    }
}

//! The addresses that are not global unicast, and what they are instead.
//!
//! The rows are multicast and the blocks that the IANA Special-Purpose Address Registries
//! (<https://www.iana.org/assignments/iana-ipv4-special-registry>, `…/iana-ipv6-special-registry`) do not call globally
//! reachable. Such a block is refused as a whole, even where the registry excepts a few anycast addresses: they are
//! services of the local network. std's own `is_global` is not stable, and the crates for this are either years behind
//! the registry or cannot say what an address is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{Ipv4Net, Ipv6Net};

const V4: [(&str, &str); 17] = [
    ("0.0.0.0/8", "an address of \"this network\""),
    ("10.0.0.0/8", "a private address"),
    ("100.64.0.0/10", "an address behind a carrier's NAT"),
    ("127.0.0.0/8", "a loopback address"),
    ("169.254.0.0/16", "a link-local (metadata) address"),
    ("172.16.0.0/12", "a private address"),
    ("192.0.0.0/24", "an address of IETF protocols"),
    ("192.0.2.0/24", "an address for documentation"),
    ("192.88.99.0/24", "the address of 6to4 relays"),
    ("192.168.0.0/16", "a private address"),
    ("198.18.0.0/15", "an address for benchmarks"),
    ("198.51.100.0/24", "an address for documentation"),
    ("203.0.113.0/24", "an address for documentation"),
    ("224.0.0.0/4", "a multicast address"),
    ("255.255.255.255/32", "the broadcast address"),
    ("240.0.0.0/4", "a reserved address"),
    // In no registry: Azure's own services answer there, only to machines in Azure.
    ("168.63.129.16/32", "the address of Azure's own services"),
];

const V6: [(&str, &str); 14] = [
    ("::/128", "the unspecified address"),
    ("::1/128", "the loopback address"),
    ("::/96", "an IPv4-compatible address, a form given up"),
    ("64:ff9b:1::/48", "an address of a local NAT64"),
    ("100::/64", "an address whose packets are discarded"),
    ("100:0:0:1::/64", "a dummy prefix's address"),
    ("2001::/23", "an address of IETF protocols"),
    ("2001:db8::/32", "an address for documentation"),
    ("3fff::/20", "an address for documentation"),
    ("5f00::/16", "an identifier of segment routing"),
    ("fc00::/7", "a private (unique-local) address"),
    ("fe80::/10", "a link-local address"),
    ("fec0::/10", "a site-local address, a form given up"),
    ("ff00::/8", "a multicast address"),
];

/// All of IPv6 that is assigned as global unicast; the rest is reserved.
const GLOBAL_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

static SPECIAL_V4: LazyLock<Vec<(Ipv4Net, &str)>> =
    LazyLock::new(|| V4.iter().map(|(net, what)| (net.parse().expect("it is a network"), *what)).collect());

static SPECIAL_V6: LazyLock<Vec<(Ipv6Net, &str)>> =
    LazyLock::new(|| V6.iter().map(|(net, what)| (net.parse().expect("it is a network"), *what)).collect());

/// What `address` is, as the end of "it is …"; `None` if it is global unicast. It must not be an IPv4-mapped address.
///
/// An IPv6 address that leads to an IPv4 address is judged by the IPv4 address.
pub(super) fn kind(address: IpAddr) -> Option<String> {
    match address {
        IpAddr::V4(address) => kind_v4(address).map(String::from),
        IpAddr::V6(address) => kind_v6(address),
    }
}

fn kind_v4(address: Ipv4Addr) -> Option<&'static str> {
    SPECIAL_V4.iter().find(|(net, _)| net.contains(&address)).map(|(_, what)| *what)
}

fn kind_v6(address: Ipv6Addr) -> Option<String> {
    let targets = embedded(address);
    if !targets.is_empty() {
        return targets.into_iter().find_map(|v4| Some(format!("the way to {v4}, {}", kind_v4(v4)?)));
    }
    match SPECIAL_V6.iter().find(|(net, _)| net.contains(&address)) {
        Some((_, what)) => Some((*what).into()),
        None if is_isatap(address) => Some("an ISATAP address, the way to a host within a site".into()),
        None => (!GLOBAL_V6.contains(&address)).then(|| "a reserved address".into()),
    }
}

/// Whether the lower half is that of ISATAP (RFC 5214): a router of the prefix takes packets to the IPv4 address in it.
fn is_isatap(address: Ipv6Addr) -> bool {
    matches!(address.segments(), [_, _, _, _, 0 | 0x0200, 0x5efe, _, _])
}

/// The IPv4 addresses to which a translator or a tunnel takes packets for `address`.
fn embedded(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        // NAT64's well-known prefix (RFC 6052), 6to4 (RFC 3056), Teredo with its server and its client (RFC 4380).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => vec![join(high, low)],
        [0x2001, 0, high, low, _, _, client_high, client_low] => {
            vec![join(high, low), join(!client_high, !client_low)]
        }
        _ => Vec::new(),
    }
}

use super::*;

fn bounds(allow: &str, ports: &str) -> IpFilter {
    IpFilter::read(allow, ports).unwrap()
}

/// Why the probe may not connect to port 443 of this address, if it may not.
fn refusal(bounds: &IpFilter, address: &str) -> Option<String> {
    let ip: IpAddr = address.parse().unwrap_or_else(|_| panic!("{address} is no address"));
    bounds.check(address, (ip, 443).into()).err()
}

/// The blocks of the IANA Special-Purpose Address Registries, and whether the registries call them globally reachable.
const REGISTRY: [(&str, Option<bool>); 50] = [
    ("0.0.0.0/8", Some(false)),
    ("0.0.0.0/32", Some(false)),
    ("10.0.0.0/8", Some(false)),
    ("100.64.0.0/10", Some(false)),
    ("127.0.0.0/8", Some(false)),
    ("169.254.0.0/16", Some(false)),
    ("172.16.0.0/12", Some(false)),
    ("192.0.0.0/24", Some(false)),
    ("192.0.0.0/29", Some(false)),
    ("192.0.0.8/32", Some(false)),
    ("192.0.0.9/32", Some(true)),
    ("192.0.0.10/32", Some(true)),
    ("192.0.0.170/32", Some(false)),
    ("192.0.0.171/32", Some(false)),
    ("192.0.2.0/24", Some(false)),
    ("192.31.196.0/24", Some(true)),
    ("192.52.193.0/24", Some(true)),
    ("192.88.99.0/24", None),
    ("192.88.99.2/32", Some(false)),
    ("192.168.0.0/16", Some(false)),
    ("192.175.48.0/24", Some(true)),
    ("198.18.0.0/15", Some(false)),
    ("198.51.100.0/24", Some(false)),
    ("203.0.113.0/24", Some(false)),
    ("240.0.0.0/4", Some(false)),
    ("255.255.255.255/32", Some(false)),
    ("::1/128", Some(false)),
    ("::/128", Some(false)),
    // As the IPv4 addresses that they stand for.
    ("::ffff:0:0/96", None),
    ("64:ff9b::/96", None),
    ("64:ff9b:1::/48", Some(false)),
    ("100::/64", Some(false)),
    ("100:0:0:1::/64", Some(false)),
    ("2001:1::1/128", Some(true)),
    ("2001:1::2/128", Some(true)),
    ("2001:1::3/128", Some(true)),
    ("2001::/32", None),
    ("2001:2::/48", Some(false)),
    ("2001:3::/32", Some(true)),
    ("2001:4:112::/48", Some(true)),
    ("2001:10::/28", Some(false)),
    ("2001:20::/28", Some(true)),
    ("2001:30::/28", Some(true)),
    ("2001:db8::/32", Some(false)),
    ("2002::/16", None),
    ("2620:4f:8000::/48", Some(true)),
    ("3fff::/20", Some(false)),
    ("5f00::/16", Some(false)),
    ("fc00::/7", Some(false)),
    ("fe80::/10", Some(false)),
];

#[test]
fn what_the_registry_does_not_call_reachable_is_refused_from_its_first_address_to_its_last() {
    let ends = |block: &str| {
        let net: IpNet = block.parse().unwrap();
        [net.network(), net.broadcast()].map(|end| end.to_string())
    };
    for (block, reachable) in REGISTRY {
        let refused = ends(block).map(|end| refusal(&IpFilter::default(), &end).is_some());
        // Reachable, but services of the local network, or identifiers that nobody routes.
        let is_within_a_refused_block = block.starts_with("192.0.0.") || block.starts_with("2001:");
        match reachable {
            Some(false) => assert_eq!(refused, [true, true], "{block}"),
            Some(true) => assert_eq!(refused, [is_within_a_refused_block; 2], "{block}"),
            None => {}
        }
    }
    for block in ["224.0.0.0/4", "ff00::/8", "fec0::/10", "::/96", "4000::/2", "8000::/2", "1000::/4", "200::/7"] {
        assert_eq!(ends(block).map(|end| refusal(&IpFilter::default(), &end).is_some()), [true, true], "{block}");
    }
}

#[test]
fn an_isatap_address_is_refused_under_any_prefix() {
    for address in ["2001:470:1:2:0:5efe:10.0.0.1", "2001:470:1:2:200:5efe:10.0.0.1", "2606:2800::5efe:93.184.216.34"] {
        let why = refusal(&IpFilter::default(), address).unwrap();
        assert!(why.contains("it is an ISATAP address") && why.contains("PROBE_ALLOW="), "{why}");
    }
    assert_eq!(refusal(&IpFilter::default(), "2001:470:1:2:100:5efe:a00:1"), None);
}

#[test]
fn what_lies_beside_a_refused_block_is_allowed() {
    for address in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "168.63.129.15",
        "168.63.129.17",
        "2000::",
        "2001:200::",
        "2001:db7:ffff::",
        "2001:db9::",
        "2003::",
        "2606:4700::1111",
        "3ffe:ffff::",
        "3fff:1000::",
        "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ] {
        assert_eq!(refusal(&IpFilter::default(), address), None, "{address}");
    }
}

#[test]
fn a_refusal_says_what_the_address_is() {
    for (address, what) in [
        ("0.1.2.3", "an address of \"this network\""),
        ("10.1.2.3", "a private address"),
        ("100.100.100.200", "an address behind a carrier's NAT"),
        ("127.1.2.3", "a loopback address"),
        ("169.254.169.254", "a link-local (metadata) address"),
        ("172.20.1.2", "a private address"),
        ("192.0.0.192", "an address of IETF protocols"),
        ("192.0.2.1", "an address for documentation"),
        ("192.88.99.1", "the address of 6to4 relays"),
        ("192.168.1.2", "a private address"),
        ("198.19.1.2", "an address for benchmarks"),
        ("198.51.100.1", "an address for documentation"),
        ("203.0.113.1", "an address for documentation"),
        ("239.1.2.3", "a multicast address"),
        ("255.255.255.255", "the broadcast address"),
        ("241.1.2.3", "a reserved address"),
        ("168.63.129.16", "the address of Azure's own services"),
        ("::", "the unspecified address"),
        ("::1", "the loopback address"),
        ("::2", "an IPv4-compatible address, a form given up"),
        ("64:ff9b:1::1", "an address of a local NAT64"),
        ("100::1", "an address whose packets are discarded"),
        ("100:0:0:1::1", "a dummy prefix's address"),
        ("2001:2::1", "an address of IETF protocols"),
        ("2001:db8::1", "an address for documentation"),
        ("3fff::1", "an address for documentation"),
        ("5f00::1", "an identifier of segment routing"),
        ("fd00:ec2::254", "a private (unique-local) address"),
        ("fe80::1", "a link-local address"),
        ("fec0::1", "a site-local address, a form given up"),
        ("ff02::1", "a multicast address"),
        ("4000::1", "a reserved address"),
    ] {
        let refusal = refusal(&IpFilter::default(), address).unwrap_or_else(|| panic!("{address} is refused"));
        assert!(refusal.contains(&format!(": it is {what}; ")), "{refusal}");
    }
}

#[test]
fn an_address_that_leads_to_one_of_version_4_is_judged_by_that() {
    for (address, leads_to) in [
        ("::ffff:8.8.8.8", None),
        ("::ffff:10.0.0.1", Some("it is a private address")),
        ("64:ff9b::8.8.8.8", None),
        ("64:ff9b::169.254.169.254", Some("the way to 169.254.169.254, a link-local (metadata) address")),
        ("64:ff9b::255.255.255.255", Some("the way to 255.255.255.255, the broadcast address")),
        ("2002:808:808::1", None),
        ("2002:a00:1::808:808", Some("the way to 10.0.0.1, a private address")),
        ("2002:7f00:1::", Some("the way to 127.0.0.1, a loopback address")),
        // Teredo: its server, then its client with all bits inverted.
        ("2001:0:808:808::f7f7:f7f7", None),
        ("2001:0:a00:1::f7f7:f7f7", Some("the way to 10.0.0.1, a private address")),
        ("2001:0:808:808::f5ff:fffe", Some("the way to 10.0.0.1, a private address")),
        // Forms that no network carries any more, or only within itself.
        ("::8.8.8.8", Some("it is an IPv4-compatible address")),
        ("64:ff9b:1::808:808", Some("it is an address of a local NAT64")),
    ] {
        let refusal = refusal(&IpFilter::default(), address);
        match leads_to {
            None => assert_eq!(refusal, None, "{address}"),
            Some(why) => assert!(refusal.as_ref().is_some_and(|text| text.contains(why)), "{address}: {refusal:?}"),
        }
    }
}

#[test]
fn what_probe_allow_names_is_allowed_and_nothing_beside_it() {
    let own = bounds("10.1.0.0/16, 192.168.7.9\tfd00:1::/32,", "");
    for address in ["10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "192.168.7.9", "fd00:1::1", "8.8.8.8"] {
        assert_eq!(refusal(&own, address), None, "{address}");
    }
    // Allowing an address does not allow its forms for a translator or a tunnel.
    for address in ["10.0.255.255", "10.2.0.0", "192.168.7.8", "fd00:2::1", "64:ff9b::10.1.2.3", "2002:a01:203::"] {
        assert!(refusal(&own, address).is_some(), "{address}");
    }
}

#[test]
fn a_refusal_names_the_address_and_the_setting_that_would_allow_it() {
    let (all, few) = (IpFilter::default(), bounds("", "443, 8000-8999"));
    for (bounds, host, address, text) in [
        (
            &all,
            "db.example.com",
            "10.0.0.5:80",
            "the probe may not go to 10.0.0.5 (db.example.com): it is a private address; PROBE_ALLOW=10.0.0.5/32 \
             allows it",
        ),
        (
            &all,
            "[fd00:ec2::254]",
            "[fd00:ec2::254]:80",
            "the probe may not go to fd00:ec2::254: it is a private (unique-local) address; \
             PROBE_ALLOW=fd00:ec2::254/128 allows it",
        ),
        (
            &few,
            "example.com",
            "93.184.216.34:22",
            "the probe may not go to port 22 of 93.184.216.34 (example.com); PROBE_PORTS has to name it",
        ),
    ] {
        assert_eq!(bounds.check(host, address.parse().unwrap()).unwrap_err(), text);
    }
    let long = "[2002:a83f:8110:eeee:ffff:eeee:ffff:eeee]:65535".parse().unwrap();
    let long = all.check(&"x".repeat(253), long).unwrap_err();
    assert!(long.len() <= 256 - "after a redirect, ".len(), "{}: {long}", long.len());
}

#[test]
fn probe_ports_names_the_only_ports() {
    let few = bounds("127.0.0.1", "443, 8000-8999");
    for (port, allowed) in
        [(443, true), (8000, true), (8999, true), (80, false), (442, false), (7999, false), (9000, false)]
    {
        // Allowing an address does not allow its ports.
        for address in ["8.8.8.8", "127.0.0.1"] {
            let checked = few.check("a.example", (address.parse::<IpAddr>().unwrap(), port).into());
            assert_eq!(checked.is_ok(), allowed, "{address}:{port}");
        }
    }
    assert!(IpFilter::default().check("a.example", "8.8.8.8:1".parse().unwrap()).is_ok());
}

#[test]
fn an_entry_that_cannot_be_read_is_named_in_one_sentence() {
    for (allow, ports, why) in [
        ("10.0.0.0/8,example.com", "", "PROBE_ALLOW: \"example.com\" is no network such as 10.0.0.0/8 or fd00::/8"),
        ("10.0.0.0/33", "", "PROBE_ALLOW: \"10.0.0.0/33\" is no network such as"),
        ("127.1", "", "PROBE_ALLOW: \"127.1\" is no network such as"),
        (
            "10.0.0.1/8",
            "",
            "PROBE_ALLOW: \"10.0.0.1/8\" can mean two things: write 10.0.0.0/8 for the network, 10.0.0.1/32 for the \
             address",
        ),
        ("", "80,https", "PROBE_PORTS: \"https\" is no port such as 443 and no range such as 8000-8999"),
        ("", "0", "PROBE_PORTS: \"0\" is no port"),
        ("", "9-8", "PROBE_PORTS: \"9-8\" is no port"),
        ("", "80-65536", "PROBE_PORTS: \"80-65536\" is no port"),
        ("\u{1b}[2J", "", "PROBE_ALLOW: \"\\u{1b}[2J\" is no network"),
    ] {
        let error = IpFilter::read(allow, ports).unwrap_err();
        assert!(error.starts_with(why), "{error}");
    }
}

#![no_main]
//! Where the probe may go: a port and an address, then the settings and the host's name as text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libfuzzer_sys::fuzz_target;
use pulse_echo_fuzz::shows_on_one_line;
use pulse_echo_lambda::fuzzing::may_go;

fuzz_target!(|input: ([u8; 16], u16, &str, &str, &str)| {
    let (bytes, port, allow, ports, host) = input;
    let six = Ipv6Addr::from(bytes);
    let four = Ipv4Addr::from_octets([bytes[12], bytes[13], bytes[14], bytes[15]]);
    for address in [IpAddr::V6(six), IpAddr::V4(four)] {
        if let Err(why) = may_go(allow, ports, host, (address, port).into()) {
            shows_on_one_line(&why);
        }
    }
    let goes = |address: IpAddr| may_go("", "", host, (address, port).into());
    assert_eq!(goes(four.to_ipv6_mapped().into()), goes(four.into()));
    // By std's own words for what is not public.
    let is_inside = four.is_private() || four.is_loopback() || four.is_link_local() || four.is_multicast();
    assert!(!is_inside || goes(four.into()).is_err(), "{four}");
    let is_inside = six.is_loopback() || six.is_unique_local() || six.is_unicast_link_local() || six.is_multicast();
    assert!(!is_inside || goes(six.into()).is_err(), "{six}");
});

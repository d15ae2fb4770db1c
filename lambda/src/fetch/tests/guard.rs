//! Where the probe may connect and where it may not: URLs that try to get past a guard, with real sockets behind them.

use std::net::SocketAddr;
use std::sync::Mutex;

use pulse_echo_core::http::url::web_url;
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::NextTimeout;

use super::*;

/// Hosts as written in URLs, and the address that the probe must see in them.
pub(super) const HOSTS: [(&str, &str); 78] = [
    ("127.0.0.1", "127.0.0.1"),
    ("127.255.255.254", "127.255.255.254"),
    // Short, decimal, octal and hex forms, mixed and padded.
    ("127.1", "127.0.0.1"),
    ("127.0.1", "127.0.0.1"),
    ("2130706433", "127.0.0.1"),
    ("0x7f000001", "127.0.0.1"),
    ("0X7F.1", "127.0.0.1"),
    ("0x7f.0x0.0x0.0x1", "127.0.0.1"),
    ("0177.0.0.1", "127.0.0.1"),
    ("017700000001", "127.0.0.1"),
    ("0x7f.0.1", "127.0.0.1"),
    ("0177.0x0.1", "127.0.0.1"),
    ("127.000.000.001", "127.0.0.1"),
    ("0000000000000000177.1", "127.0.0.1"),
    ("127.0.0.1.", "127.0.0.1"),
    // Characters that Unicode maps to digits and dots.
    ("１２７.０.０.１", "127.0.0.1"),
    ("127。0。0。1", "127.0.0.1"),
    ("127．0．0．1", "127.0.0.1"),
    ("①②⑦.⓪.⓪.①", "127.0.0.1"),
    ("𝟭𝟮𝟳.𝟬.𝟬.𝟭", "127.0.0.1"),
    ("0ｘ7f.1", "127.0.0.1"),
    ("%31%32%37.0.0.1", "127.0.0.1"),
    ("127%2E0%2e0.1", "127.0.0.1"),
    ("1\u{ad}27.0.0.1", "127.0.0.1"),
    ("0", "0.0.0.0"),
    ("0x0", "0.0.0.0"),
    ("0.0.0.0", "0.0.0.0"),
    ("10.0.0.1", "10.0.0.1"),
    ("10.1", "10.0.0.1"),
    ("012.0.0.1", "10.0.0.1"),
    ("167772161", "10.0.0.1"),
    ("172.16.0.1", "172.16.0.1"),
    ("0xac1fffff", "172.31.255.255"),
    ("192.168.0.1", "192.168.0.1"),
    ("3232235521", "192.168.0.1"),
    ("169.254.169.254", "169.254.169.254"),
    ("2852039166", "169.254.169.254"),
    ("0xa9fea9fe", "169.254.169.254"),
    ("0251.0376.0251.0376", "169.254.169.254"),
    ("169.254.43518", "169.254.169.254"),
    ("169。254｡169．254", "169.254.169.254"),
    ("100.64.0.1", "100.64.0.1"),
    ("100.100.100.200", "100.100.100.200"),
    ("192.0.0.192", "192.0.0.192"),
    ("192.0.2.1", "192.0.2.1"),
    ("192.88.99.1", "192.88.99.1"),
    ("198.18.0.1", "198.18.0.1"),
    ("198.51.100.1", "198.51.100.1"),
    ("203.0.113.1", "203.0.113.1"),
    ("224.0.0.1", "224.0.0.1"),
    ("240.0.0.1", "240.0.0.1"),
    ("0xffffffff", "255.255.255.255"),
    ("[::1]", "::1"),
    ("[0:0:0:0:0:0:0:1]", "::1"),
    ("[0000::0001]", "::1"),
    ("[::]", "::"),
    ("[::ffff:127.0.0.1]", "127.0.0.1"),
    ("[::ffff:7f00:1]", "127.0.0.1"),
    ("[0:0:0:0:0:FFFF:10.0.0.1]", "10.0.0.1"),
    ("[::ffff:a9fe:a9fe]", "169.254.169.254"),
    ("[::127.0.0.1]", "::7f00:1"),
    ("[::a9fe:a9fe]", "::a9fe:a9fe"),
    ("[64:ff9b::127.0.0.1]", "64:ff9b::7f00:1"),
    ("[64:ff9b::a9fe:a9fe]", "64:ff9b::a9fe:a9fe"),
    ("[64:ff9b:1::a00:1]", "64:ff9b:1::a00:1"),
    ("[2002:7f00:1::]", "2002:7f00:1::"),
    ("[2002:a9fe:a9fe::1]", "2002:a9fe:a9fe::1"),
    ("[2001:0:7f00:1::]", "2001:0:7f00:1::"),
    ("[2001::f5ff:fffe]", "2001::f5ff:fffe"),
    ("[fe80::1]", "fe80::1"),
    ("[fec0::1]", "fec0::1"),
    ("[fd00:ec2::254]", "fd00:ec2::254"),
    ("[ff02::1]", "ff02::1"),
    ("[2001:db8::1]", "2001:db8::1"),
    ("[2001:2::1]", "2001:2::1"),
    ("[3fff::1]", "3fff::1"),
    ("[100::1]", "100::1"),
    ("[5f00::1]", "5f00::1"),
];

/// A probe that may connect only to public addresses.
fn strict() -> Web {
    web_with(&[("PROBE_ALLOW", "")])
}

pub(super) fn blocked(web: &Web, url: &str, fields: &str) -> String {
    let checked = check_within(Duration::from_secs(20), web, url, fields);
    let (cause, reason) = miss(checked);
    assert_eq!(cause, Cause::Blocked, "{url}: {reason}");
    reason
}

#[test]
fn an_address_is_blocked_however_it_is_written() {
    let web = strict();
    let servers = ["127.0.0.1", "::1"].map(|address| Server::on(address, |_, _| ()));
    for (host, address) in HOSTS {
        for server in &servers {
            let url = format!("http://{host}:{}/", server.address.port());
            let reason = blocked(&web, &url, "");
            assert!(reason.starts_with(&format!("the probe may not go to {address}")), "{host}: {reason}");
            assert!(reason.contains(": it is ") && reason.contains("PROBE_ALLOW="), "{host}: {reason}");
        }
    }
    assert_eq!(servers.map(|server| server.connections()), [0, 0]);
}

#[test]
fn a_redirect_to_an_address_is_blocked_however_it_is_written() {
    let web = web_with(&[("PROBE_ALLOW", "127.9.9.9")]);
    let target = Server::on("127.0.0.1", |_, _| ());
    for (host, address) in HOSTS {
        let location = format!("//{host}:{}/", target.address.port());
        // A header is bytes; browsers and we read them as UTF-8.
        let text = redirect(&location);
        let start = Server::on("127.9.9.9", move |mut stream, _| {
            read_head(&mut stream);
            let _ = stream.write_all(text.as_bytes());
        });
        let reason = blocked(&web, &start.url(), "\"redirects\": 1");
        let begin = format!("after a redirect, the probe may not go to {address}");
        assert!(reason.starts_with(&begin), "{host}: {reason}");
    }
    assert_eq!(target.connections(), 0);
}

#[test]
fn what_names_this_machine_is_blocked_by_its_address() {
    let web = strict();
    let server = Server::answering(&[&answer(200, "ok")]);
    let port = server.address.port();
    for (url, name) in [
        (format!("http://localhost:{port}/"), "localhost"),
        (format!("http://LOCALHOST:{port}/"), "localhost"),
        (format!("http://ｌｏｃａｌｈｏｓｔ:{port}/"), "localhost"),
        (format!("http:localhost:{port}"), "localhost"),
        (format!("http:\\\\localhost:{port}\\x"), "localhost"),
        (format!("http:///localhost:{port}/"), "localhost"),
        (format!("ht\ttp://local\nhost:{port}/"), "localhost"),
        (format!("  http://localhost:{port}/  "), "localhost"),
        (format!("http://localhost:{port}#@example.com/"), "localhost"),
        (format!("http://localhost:{port}?@example.com/"), "localhost"),
        (format!("http://localhost:{port}\\@example.com/"), "localhost"),
    ] {
        let reason = blocked(&web, &url, "");
        assert!(reason.contains(&format!(" ({name}): it is ")), "{url}: {reason}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn what_is_no_plain_http_url_is_no_pulses() {
    for (url, why) in [
        ("http://[fe80::1%25eth0]/", "its host is no IPv6 address"),
        ("http://[::1%lo]/", "its host is no IPv6 address"),
        ("http://[::ffff:127.0.0.1", "its host is no IPv6 address"),
        ("http://[127.0.0.1]/", "its host is no IPv6 address"),
        ("http://256.0.0.1/", "its host is no IPv4 address"),
        ("http://0x100000000/", "its host is no IPv4 address"),
        ("http://127.0.0.1.1/", "its host is no IPv4 address"),
        ("http://127.0.0.09/", "its host is no IPv4 address"),
        ("http://example.1/", "its host is no IPv4 address"),
        ("http://127.0.0.1%00.example.com/", "its host is not a valid name"),
        ("http://a b/", "its host is not a valid name"),
        ("http://xn--/", "its host is not a valid name"),
        ("http://127.0.0.1:http/", "its port is no number from 1 to 65535"),
        ("http://me@127.0.0.1/", "credentials"),
        ("http://example.com@127.0.0.1/", "credentials"),
        ("http://127.0.0.1:80@example.com/", "credentials"),
        ("http://:@127.0.0.1/", ""),
        ("gopher://127.0.0.1/", "only http and https"),
        ("file://127.0.0.1/etc/passwd", "only http and https"),
        ("unix:///run/docker.sock", "only http and https"),
        ("data:text/plain,ok", "must begin with http"),
        ("//127.0.0.1/", "must begin with http"),
    ] {
        match web_url(url) {
            Err(text) => assert!(!why.is_empty() && text.contains(why), "{url}: {text}"),
            Ok(bare) => assert_eq!((bare.as_str(), why), ("http://127.0.0.1/", ""), "{url}"),
        }
    }
}

/// Names and their addresses, one answer for each look-up. The last answer repeats.
#[derive(Debug)]
pub(super) struct Names(Mutex<Vec<Vec<IpAddr>>>);

impl Names {
    pub(super) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |addresses: &&[&str]| addresses.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().rev().map(parse).collect())))
    }

    fn unasked(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop().unwrap() } else { answers[0].clone() };
        let mut addresses = self.empty();
        for ip in answer {
            addresses.push(SocketAddr::new(ip, uri.port_u16().unwrap_or(80)));
        }
        Ok(addresses)
    }
}

fn web_of(allow: &str, names: Arc<Names>) -> Web {
    web_by(&[("PROBE_ALLOW", allow)], names)
}

#[test]
fn a_name_with_one_refused_address_is_blocked() {
    let server = Server::answering(&[&answer(200, "ok")]);
    let url = format!("http://web.example:{}/", server.address.port());
    for (addresses, refused) in [
        (vec!["10.0.0.1"], "10.0.0.1"),
        (vec!["127.0.0.1", "10.0.0.1"], "10.0.0.1"),
        (vec!["10.0.0.1", "127.0.0.1"], "10.0.0.1"),
        (vec!["127.0.0.1", "93.184.216.34", "fe80::1"], "fe80::1"),
        (vec!["127.0.0.1", "::ffff:169.254.169.254"], "169.254.169.254"),
        (vec!["127.0.0.1", "127.0.0.2"], "127.0.0.2"),
    ] {
        let reason = blocked(&web_of("127.0.0.1", Names::new(&[&addresses])), &url, "");
        assert!(reason.starts_with(&format!("the probe may not go to {refused} (web.example): ")), "{reason}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_name_whose_addresses_are_all_allowed_is_connected_to() {
    let server = Server::answering(&[&answer(200, "ok")]);
    let port = server.address.port();
    for addresses in [&["127.0.0.1"][..], &["127.0.0.7", "127.0.0.1"], &["::ffff:127.0.0.1"]] {
        let web = web_of("127.0.0.0/8", Names::new(&[addresses]));
        let checked = check_within(Duration::from_secs(20), &web, &format!("http://web.example:{port}/"), "");
        assert_eq!(checked.verdict, Ok(()), "{addresses:?}");
    }
    // The other side of the table above: if its network is allowed, each form reaches the server.
    for (host, address) in HOSTS.iter().filter(|(_, address)| *address == "127.0.0.1") {
        let checked = check_within(Duration::from_secs(20), &web(), &format!("http://{host}:{port}/"), "");
        assert_eq!(checked.verdict, Ok(()), "{host} {address}");
    }
    let six = Server::on("::1", |mut stream, _| {
        read_head(&mut stream);
        let _ = stream.write_all(answer(200, "ok").as_bytes());
    });
    let web = web_with(&[("PROBE_ALLOW", "::1")]);
    assert_eq!(check_within(Duration::from_secs(20), &web, &six.url(), "").verdict, Ok(()));
}

#[test]
fn a_name_that_changes_its_address_is_connected_to_where_it_was_looked_at() {
    let good = Server::answering(&[&answer(200, "ok")]);
    let port = good.address.port();
    let names = Names::new(&[&["127.0.0.1"], &["10.0.0.1"], &["10.0.0.2"]]);
    let web = web_of("127.0.0.1", names.clone());
    let url = format!("http://web.example:{port}/");
    let checked = check_within(Duration::from_secs(20), &web, &url, "\"body\": \"ok\"");
    assert_eq!((checked.verdict, names.unasked()), (Ok(()), 2), "one look-up, and the connection goes by it");
    assert!(blocked(&web, &url, "").contains("10.0.0.1 (web.example)"));
    assert_eq!(good.connections(), 1);
}

#[test]
fn a_redirect_and_a_second_try_look_the_name_up_again() {
    let around = Server::answering(&[&redirect("/again")]);
    let names = Names::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let url = format!("http://web.example:{}/", around.address.port());
    let reason = blocked(&web_of("127.0.0.1", names), &url, "\"redirects\": 5");
    assert!(reason.starts_with("after a redirect, the probe may not go to 10.0.0.1 (web.example): "), "{reason}");
    assert_eq!(around.connections(), 1);

    let failing = Server::answering(&[&answer(503, "")]);
    let names = Names::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let url = format!("http://web.example:{}/", failing.address.port());
    let reason = blocked(&web_of("127.0.0.1", names), &url, "");
    assert!(reason.starts_with("the probe may not go to 10.0.0.1 (web.example): "), "{reason}");
    assert_eq!(failing.connections(), 1);
}

#[test]
fn a_port_that_is_not_named_is_blocked_on_every_hop() {
    let (open, closed) = (Server::answering(&[&redirect("/x")]), Server::answering(&[&answer(200, "ok")]));
    let (open_port, closed_port) = (open.address.port(), closed.address.port());
    let web = web_with(&[("PROBE_PORTS", &open_port.to_string())]);
    let reason = blocked(&web, &closed.url(), "");
    assert_eq!(reason, format!("the probe may not go to port {closed_port} of 127.0.0.1; PROBE_PORTS has to name it"));
    let start = Server::answering(&[&redirect(&closed.url())]);
    let web = web_with(&[("PROBE_PORTS", &start.address.port().to_string())]);
    assert!(blocked(&web, &start.url(), "\"redirects\": 1").starts_with("after a redirect, "));
    assert_eq!((closed.connections(), start.connections()), (0, 1));
}

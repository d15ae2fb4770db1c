//! Connections through a proxy, and past it.

use pulse_echo_testkit::agent::{Host, OWN_TIMEOUT, at_every_level};
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::proxy::Proxy;
use pulse_echo_testkit::server::{Reply, Server};
use pulse_echo_testkit::tls::Ca;

#[test]
fn a_proxy_is_gone_through_for_http_and_for_https() {
    let ca = Ca::new("ours");
    let s3 = Bed::temporary("us-east-1", 0);
    at_every_level(|level| {
        let proxy = Proxy::to(s3.server.address().port());
        let host = Host::of(level, &s3.endpoint()).with("http_proxy", proxy.url());
        host.run(&["send"]).assert_sent();
        let head = &proxy.heads()[0];
        assert!(head.starts_with(&format!("PUT http://{}/", s3.server.address())), "{head}");
        // user:s3cr3t-of-the-proxy
        assert!(head.contains("Proxy-Authorization: Basic dXNlcjpzM2NyM3Qtb2YtdGhlLXByb3h5\r\n"), "{head}");

        let server = Server::with_tls(ca.server("s3.example.com", 2090), |_| Reply::ok());
        let proxy = Proxy::to(server.port());
        let host = Host::of(level, "https://s3.example.com").with("HTTPS_PROXY", proxy.url());
        let file = host.write("ca.pem", &ca.pem());
        host.with("AWS_CA_BUNDLE", file.to_str().unwrap()).run(&["send"]).assert_sent();
        assert!(proxy.heads()[0].starts_with("CONNECT s3.example.com:443 HTTP/1.1"), "{:?}", proxy.heads());
    });
}

#[test]
fn a_proxy_may_want_tls_itself() {
    let ca = Ca::new("ours");
    at_every_level(|level| {
        // It also plays the store.
        let proxy = Server::with_tls(ca.server("localhost", 2090), |_| Reply::ok());
        let host = Host::of(level, "http://s3.example.com");
        let host = host.with("http_proxy", format!("https://user:s3cr3t@localhost:{}", proxy.port()));
        let file = host.write("ca.pem", &ca.pem());
        host.with("AWS_CA_BUNDLE", file.to_str().unwrap()).run(&["send"]).assert_sent();
        let heads = proxy.heads();
        assert!(heads[0].starts_with("PUT http://s3.example.com/pulses/"), "{heads:?}");
        assert!(heads[0].contains("Proxy-Authorization: Basic dXNlcjpzM2NyM3Q=\r\n"), "{heads:?}");
    });
}

#[test]
fn a_proxy_that_hangs_costs_no_more_than_the_deadline() {
    at_every_level(|level| {
        let proxy = Proxy::silent();
        let host = Host::of(level, "https://s3.example.com").with("HTTPS_PROXY", proxy.url());
        let output = host.run(&["send", "--timeout-s=2"]);
        output.assert(1, "did not connect us: no whole answer in time");
        assert!(output.took < OWN_TIMEOUT, "{output:#?}");
    });
}

#[test]
fn a_proxy_is_left_out_where_no_proxy_says_so() {
    at_every_level(|level| {
        let (server, proxy) = (Server::scripted(&[Reply::ok()]), Proxy::refusing("403 Forbidden"));
        let host = Host::of(level, &server.endpoint()).with("ALL_PROXY", proxy.url());
        host.with("NO_PROXY", "example.com, 127.0.0.0/8").run(&["send"]).assert_sent();
        assert!(proxy.heads().is_empty());
    });
}

#[test]
fn a_proxy_that_does_not_serve_is_named_without_its_password() {
    at_every_level(|level| {
        for (proxy, words) in [
            (Proxy::refusing("407 Proxy Authentication Required"), "it wants a user and a password (HTTP 407)"),
            (Proxy::refusing("503 Service Unavailable"), "did not connect us: HTTP 503"),
        ] {
            let output = Host::of(level, "https://s3.example.com")
                .with("HTTPS_PROXY", proxy.url())
                .run(&["send", "--timeout-s=2"]);
            output.assert(1, words).assert(1, "the proxy 127.0.0.1:").assert(1, "check the endpoint, the proxy");
        }
        let host = Host::of(level, "https://s3.example.com").with("HTTPS_PROXY", "http://u:s3cr3t@127.0.0.1:1");
        host.run(&["send", "--timeout-s=2"])
            .assert(1, "the proxy 127.0.0.1:1 did not connect us: the connection was refused");
        let host = Host::of(level, "https://s3.example.com").with("ALL_PROXY", "socks5h://u:s3cr3t@127.0.0.1:1");
        host.run(&["send"]).assert(2, "the proxy in ALL_PROXY cannot be used: socks5h:// is not supported");
    });
}

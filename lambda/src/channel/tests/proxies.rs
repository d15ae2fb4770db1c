//! Channels and the heartbeat through the proxies that the variables name.

use super::*;
use pulse_echo_testkit::proxy::Proxy;
use pulse_echo_testkit::server::answer;

#[test]
fn each_channel_and_the_heartbeat_go_through_the_proxy_that_the_variables_name() {
    let server = Server::answering(&[&answer(200, "ok")]);
    let proxy = Proxy::to(server.port());
    let variables = [
        ("http_proxy", proxy.url()),
        ("SLACK_URL", "http://hooks.example/services/x".into()),
        ("WEBHOOK_URL", "http://hooks.example:8080/y?z=1".into()),
        ("PAGERDUTY_KEY", "R0UT1NGKEY".into()),
        ("PAGERDUTY_URL", "http://pagerduty.example".into()),
        ("ALERTMANAGER_URL", "http://alertmanager.example:9093".into()),
        ("NTFY_URL", "http://ntfy.example/topic".into()),
        ("HEARTBEAT_URL", "http://beat.example/ping".into()),
        ("ALERT_TOPIC_ARN", "arn:aws:sns:eu-central-1:123456789012:alerts".into()),
        ("AWS_ENDPOINT_URL", "http://sns.example".into()),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".into()),
        ("AWS_SECRET_ACCESS_KEY", "SECRET".into()),
    ];
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for channel in channels_of(&variables).unwrap() {
        channel.send(&[fact(Fact::Test)], soon());
    }
    with_means(&variables, Heartbeat::read).unwrap().unwrap().beat(soon());
    let heads = proxy.heads();
    let lines: Vec<_> = heads.iter().filter_map(|head| head.lines().next()).collect();
    assert_eq!(
        lines,
        [
            "POST http://hooks.example/services/x HTTP/1.1",
            "POST http://hooks.example:8080/y?z=1 HTTP/1.1",
            "POST http://sns.example/ HTTP/1.1",
            // A test is an incident that is over at once.
            "POST http://pagerduty.example/v2/enqueue HTTP/1.1",
            "POST http://pagerduty.example/v2/enqueue HTTP/1.1",
            "POST http://alertmanager.example:9093/api/v2/alerts HTTP/1.1",
            "POST http://ntfy.example/ HTTP/1.1",
            "GET http://beat.example/ping HTTP/1.1",
        ]
    );
    assert!(heads.iter().all(|head| head.contains("Proxy-Authorization: Basic ")), "{heads:?}");
    assert_eq!(server.connections(), 8);
}

#[test]
fn a_receiver_with_tls_is_reached_by_connect_and_no_proxy_is_kept_to() {
    let proxy = Proxy::refusing("407 Proxy Authentication Required");
    let url = proxy.url();
    let through = channel_of(&[("SLACK_URL", "https://hooks.example/x"), ("HTTPS_PROXY", &url)]);
    let Outcome::NotTaken { why, .. } = through.send(&[fact(Fact::Test)], soon()) else { panic!("it was taken") };
    assert!(why.contains("did not connect us: it wants a user and a password (HTTP 407)"), "{why}");
    assert!(proxy.heads()[0].starts_with("CONNECT hooks.example:443 HTTP/1.1"), "{:?}", proxy.heads());

    let (server, told) = recording(&answer(200, "ok"));
    let variables = [("SLACK_URL", &*server.url()), ("http_proxy", &*url), ("NO_PROXY", "127.0.0.0/8")];
    assert_eq!(channel_of(&variables).send(&[fact(Fact::Test)], soon()), Outcome::Taken);
    assert!(told.recv().unwrap().head.starts_with("POST / HTTP/1.1"));
    assert_eq!(proxy.heads().len(), 1);
}

#[test]
fn a_proxy_that_cannot_be_used_does_not_keep_a_message_back() {
    let (server, told) = recording(&answer(200, "ok"));
    let variables = [("SLACK_URL", &*server.url()), ("ALL_PROXY", "socks5://u:secret@proxy.example")];
    assert_eq!(channel_of(&variables).send(&[fact(Fact::Test)], soon()), Outcome::Taken);
    assert!(told.recv().unwrap().head.starts_with("POST / HTTP/1.1"));
}

#[test]
fn a_proxy_that_refuses_is_named_whatever_the_receivers_scheme() {
    for (status, receiver, why) in [
        ("407 Proxy Authentication Required", "http://hooks.example/x", "it wants a user and a password (HTTP 407)"),
        ("403 Forbidden", "https://hooks.example/x", "HTTP 403; does it allow CONNECT to this host and port?"),
    ] {
        let proxy = Proxy::refusing(status);
        let through = channel_of(&[("SLACK_URL", receiver), ("all_proxy", &proxy.url())]);
        let Outcome::NotTaken { why: said, .. } = through.send(&[fact(Fact::Test)], soon()) else {
            panic!("{status}: it was taken")
        };
        assert!(said.starts_with("hooks.example: the proxy 127.0.0.1:"), "{said}");
        assert!(said.ends_with(&format!(" did not connect us: {why}")), "{said}");
    }
}

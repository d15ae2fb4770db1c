//! Keys that a container's endpoint or an instance's metadata service issues: they sign well. Where there are no keys,
//! the message says why.

use pulse_echo_testkit::agent::{Host, LATER, OWN_TIMEOUT, at_every_level, issued};
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::proxy::Proxy;
use pulse_echo_testkit::server::{Reply, Server, header};
use pulse_echo_testkit::tls::Ca;

/// An instance's metadata service, version 2: without its token it gives nothing.
fn metadata_service(expiration: &'static str) -> Server {
    Server::replying(move |head| {
        let line = head.lines().next().unwrap();
        if line == "PUT /latest/api/token HTTP/1.1" {
            let seconds = header(head, "x-aws-ec2-metadata-token-ttl-seconds");
            let is_whole = seconds == Some("300") && header(head, "content-length") == Some("0");
            return if is_whole { Reply::of(200, "s3cr3t-token-of-the-instance") } else { Reply::of(400, "") };
        }
        if header(head, "x-aws-ec2-metadata-token") != Some("s3cr3t-token-of-the-instance") {
            return Reply::of(401, "");
        }
        match line {
            "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1" => Reply::of(200, "web-role\n"),
            "GET /latest/meta-data/iam/security-credentials/web-role HTTP/1.1" => {
                Reply::of(200, issued("Token", expiration))
            }
            "GET /latest/meta-data/placement/region HTTP/1.1" => Reply::of(200, "eu-south-2\n"),
            _ => Reply::of(404, ""),
        }
    })
}

#[test]
fn a_container_issues_keys_that_sign_well() {
    let s3 = Bed::temporary("us-east-1", 0);
    let endpoint = |head: &str| match header(head, "authorization") {
        Some("Bearer s3cr3t-of-the-container") => Reply::of(200, issued("Token", LATER)),
        _ => Reply::of(403, ""),
    };
    let server = Server::replying(endpoint);
    let ca = Ca::new("ours");
    let with_tls = Server::with_tls(ca.server("localhost", 2090), endpoint);
    at_every_level(|level| {
        let host = || Host::bare(level).with("AWS_ENDPOINT_URL", s3.endpoint());
        let url = format!("{}/get-credentials", server.endpoint());
        let asking = |url: &str| host().with("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);

        let token = ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer s3cr3t-of-the-container");
        asking(&url).with(token.0, token.1).run(&["send"]).assert_sent();

        let host = asking(&url).with(token.0, "s3cr3t, but the file counts");
        let file = host.write("token", "Bearer s3cr3t-of-the-container\n");
        host.with("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.to_str().unwrap()).run(&["send"]).assert_sent();

        let host = asking(&format!("https://localhost:{}/x", with_tls.port())).with(token.0, token.1);
        let file = host.write("ca.pem", &ca.pem());
        host.with("AWS_CA_BUNDLE", file.to_str().unwrap()).run(&["send"]).assert_sent();
    });
}

#[test]
fn a_container_that_does_not_serve_is_named_with_the_reason() {
    at_every_level(|level| {
        for (reply, words) in [
            (Reply::of(403, ""), "answered HTTP 403: the authorization token is wrong or has expired"),
            (Reply::of(404, ""), "answered HTTP 404: this container has no role"),
            (Reply::of(302, "").with("location", "http://127.0.0.1:1/s3cr3t"), "answered HTTP 302"),
            (Reply::of(200, "{\"s3cr3t\": 1}"), "answered no JSON with AccessKeyId"),
            (Reply::Closed, "the connection was closed before the answer was complete"),
            (Reply::Silence, "no whole answer in time"),
        ] {
            let server = Server::scripted(&[reply]);
            let host = Host::bare(level).with("AWS_REGION", "eu-west-1");
            let host = host.with("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/?s3cr3t", server.endpoint()));
            let host = host.with("AWS_CONTAINER_AUTHORIZATION_TOKEN", "s3cr3t");
            host.run(&["send"]).assert(2, words).assert(2, "the container's endpoint at 127.0.0.1 ");
            assert_eq!(server.heads().len(), 1, "{words}");
        }
        let host = Host::bare(level).with("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://s3cr3t.example.com/");
        host.run(&["send"]).assert(2, "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor on this machine");
        let host = Host::bare(level).with("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/");
        let host = host.with("AWS_CONTAINER_AUTHORIZATION_TOKEN", "s3cr3t\nx-other: s3cr3t");
        host.run(&["send"]).assert(2, "the container's endpoint at 127.0.0.1 did not serve");
    });
}

#[test]
fn an_instance_issues_keys_that_sign_well() {
    let (s3, metadata) = (Bed::temporary("us-east-1", 0), metadata_service(LATER));
    at_every_level(|level| {
        let host = Host::bare(level).with("AWS_ENDPOINT_URL", s3.endpoint());
        let output = host.with("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url()).run(&["send"]);
        output.assert_sent();
        assert!(!output.stderr.contains("WARN"), "{output:#?}");
    });
}

#[test]
fn keys_that_seem_to_have_expired_are_warned_of_and_the_store_decides() {
    let (s3, metadata) = (Bed::temporary("us-east-1", 0), metadata_service("2020-01-01T00:00:00Z"));
    at_every_level(|level| {
        let host = Host::bare(level).with("AWS_ENDPOINT_URL", s3.endpoint());
        let output = host.with("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url()).run(&["send"]);
        output.assert_sent().assert_one_warning("the credentials of the EC2 instance expired at 2020-01-01T00:00:00Z");
    });
}

#[test]
fn an_instance_knows_its_region() {
    let metadata = metadata_service(LATER);
    at_every_level(|level| {
        // A proxy shows where the request would go. The metadata service is never asked through a proxy.
        let proxy = Proxy::refusing("403 Forbidden");
        let host = Host::bare(level).with("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url());
        let host = host.with("HTTPS_PROXY", proxy.url()).with("http_proxy", proxy.url()).with("ALL_PROXY", proxy.url());
        host.run(&["send"]).assert(1, "https://pulses.s3.eu-south-2.amazonaws.com/");
        let heads = proxy.heads();
        let is_the_stores = |head: &String| head.starts_with("CONNECT pulses.s3.eu-south-2.amazonaws.com:443 ");
        assert!(!heads.is_empty() && heads.iter().all(is_the_stores), "{heads:?}");

        let proxy = Proxy::refusing("403 Forbidden");
        let host = host.with("HTTPS_PROXY", proxy.url()).with("AWS_REGION", "eu-west-3");
        host.run(&["send"]).assert(1, "https://pulses.s3.eu-west-3.amazonaws.com/");
    });
}

#[test]
fn an_instance_that_does_not_serve_is_named_with_the_reason() {
    let no_role = |head: &str| if head.starts_with("PUT ") { Reply::of(200, "s3cr3t") } else { Reply::of(404, "") };
    let elsewhere = Reply::of(302, "").with("location", "http://127.0.0.1:1/s3cr3t");
    let redirecting =
        move |head: &str| if head.starts_with("PUT ") { Reply::of(200, "s3cr3t") } else { elsewhere.clone() };
    let nonsense = |head: &str| Reply::of(200, if head.starts_with("PUT ") { "s3cr3t" } else { "../s3cr3t\n" });
    at_every_level(|level| {
        for (server, words) in [
            (Server::scripted(&[Reply::of(403, "")]), "is switched off for this instance (HTTP 403)"),
            (Server::scripted(&[Reply::of(404, "")]), "has no version 2 here (HTTP 404)"),
            (Server::scripted(&[Reply::Silence]), "did not answer: this is no EC2 instance, or a container, for which"),
            (Server::replying(no_role), "knows no role: attach an instance profile"),
            (Server::replying(redirecting.clone()), "EC2 instance metadata answered HTTP 302"),
            (Server::replying(nonsense), "answered something that is no role's name"),
        ] {
            let host = Host::bare(level).with("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.endpoint());
            let output = host.run(&["send"]);
            output.assert(2, words).assert(2, "there are no credentials: ");
            assert!(output.took < OWN_TIMEOUT, "it leaves time for the rest: {output:#?}");
        }
    });
}

//! Endpoints as people paste them, and stores behind proxies: `send`, `check` and `doctor` agree, and the sentence
//! names what is wrong.

use pulse_echo_testkit::agent::{Ended, Host, Level};
use pulse_echo_testkit::server::{Reply, Server};

/// Runs the three commands. They must say the same.
fn of_all(host: &Host, arguments: &[&str], words: &str) {
    for (command, code) in [("send", 2), ("check", 3), ("doctor", 1), ("status", 2)] {
        let ended = host.run(&[arguments, &[command]].concat());
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains(words) && ended.code == code, "{command}: expected {words:?}: {ended:#?}");
    }
}

#[test]
fn what_is_plainly_wrong_is_refused_alike_before_anything_is_sent() {
    let server = Server::scripted(&[Reply::ok()]);
    let port = server.port();
    let host = Host::of(Level::Plain, "http://127.0.0.1:1");
    for (endpoint, words) in [
        (format!("127.0.0.1:{port}"), "has no scheme: write https://127.0.0.1:"),
        (format!("http:127.0.0.1:{port}"), "has no scheme"),
        (format!("http://127.0.0.1:{port}/pulses"), "the bucket is named by the setting bucket; write http://127.0"),
        (format!("http://127.0.0.1:{port}/x/"), "has a path, \"x\""),
        (format!("http://127.0.0.1:{port}?x"), "ends in \"?x\""),
        (format!("http://me:s3cr3t@127.0.0.1:{port}"), "has a user or a password in it"),
        (format!("http://127.0.0.1:{port}0"), "has no port from 1 to 65535"),
        (format!("http://127.0.0.1 :{port}"), "has a blank in it"),
        ("s3://pulses".into(), "names a bucket"),
        ("https://eu-west-1.console.aws.amazon.com/s3/buckets/pulses".into(), "is a page of a console"),
        ("http://pulses.s3-website.eu-west-1.amazonaws.com".into(), "is a website's"),
        ("https://pulses.s3.eu-west-1.amazonaws.com".into(), "stand twice: write https://s3.eu-west-1.amazonaws.com"),
    ] {
        of_all(&host, &["--endpoint", &endpoint], words);
        // From the environment, and from the profile that AWS's own tools read.
        let ended = Host::of(Level::Plain, &endpoint).run(&["send"]);
        ended.assert(2, words);
    }
    of_all(
        &host,
        &["--endpoint=https://s3.eu-west-1.amazonaws.com", "--region=eu-central-1"],
        "is of the region eu-west-1, and the region is eu-central-1",
    );
    of_all(&host, &["--bucket=s3://pulses"], "the bucket \"s3://pulses\" is more than a name: write \"pulses\"");
    assert_eq!(server.heads(), [] as [&str; 0]);
}

#[test]
fn the_profiles_endpoint_region_and_style_are_taken_where_nothing_else_names_them() {
    let server = Server::scripted(&[Reply::ok()]);
    let host = Host::of(Level::Plain, "");
    let services = format!("[services x]\ns3 =\n  endpoint_url = {}\n", server.endpoint());
    host.write(".aws/config", &format!("[default]\nservices = x\nregion = eu-west-9\n{services}"));
    host.run(&["send"]).assert_sent();
    let head = server.heads().pop().unwrap();
    assert!(head.starts_with("PUT /pulses/pulse/web-1.json?") && head.contains("%2Feu-west-9%2Fs3"), "{head}");

    let profile = format!("endpoint_url = http://localhost:{}\ns3 =\n  addressing_style = virtual\n", server.port());
    host.write(".aws/config", &format!("[default]\n{profile}"));
    // A bucket's host does not resolve here.
    host.run(&["send", "--timeout-s=1"]).assert(1, &format!("at http://pulses.localhost:{}/", server.port()));

    host.write(".aws/config", &format!("[default]\nendpoint_url = {}/x\n", server.endpoint()));
    host.run(&["send"]).assert(2, "has a path, \"x\"");
    host.write(".aws/config", "[default]\nendpoint_url = http://127.0.0.1:1 # old\n");
    host.run(&["send"]).assert(2, "/.aws/config:2: endpoint_url has a comment behind its value");
}

#[test]
fn awss_own_address_is_aws_with_the_region_that_it_names() {
    // Nothing leaves this machine.
    let host = Host::of(Level::Plain, "https://s3.eu-west-3.amazonaws.com").with("HTTPS_PROXY", "http://127.0.0.1:1");
    let ended = host.run(&["send", "--timeout-s=1"]);
    ended
        .assert(1, "in bucket \"pulses\" at https://s3.eu-west-3.amazonaws.com/pulses/: the proxy 127.0.0.1:1 did not");
    assert_eq!(ended.stderr.matches("127.0.0.1:1").count(), 1, "{ended:?}");
}

fn said_of(reply: Reply) -> Ended {
    let server = Server::scripted(&[reply]);
    Host::of(Level::Plain, &server.endpoint()).run(&["send", "--timeout-s=2"])
}

#[test]
fn a_redirect_is_named_with_its_target_and_is_no_region() {
    for status in [301, 302, 303, 307, 308] {
        let target = "https://login.example.com/x?X-Amz-Signature=s3cr3t";
        let ended = said_of(Reply::of(status, "<html>go</html>").with("location", target));
        ended.assert(1, "the endpoint redirects to https://login.example.com: write that as the endpoint");
        assert!(!ended.stderr.contains("region"), "{ended:?}");
    }
    said_of(Reply::of(302, "")).assert(1, "the endpoint redirects, and does not say where to");
    said_of(Reply::s3_error(301, "PermanentRedirect", "x")).assert(1, "the bucket is in another region");
}

#[test]
fn a_portal_that_says_yes_to_everything_has_not_taken_the_pulse() {
    said_of(Reply::of(200, "<html>please log in</html>")).assert(1, "it has no ETag; check that the endpoint is an S3");
}

#[test]
fn a_signature_that_does_not_fit_names_the_host_that_a_proxy_must_keep() {
    let server = Server::scripted(&[Reply::s3_error(403, "SignatureDoesNotMatch", "x")]);
    let (host, must) = (Host::of(Level::Plain, &server.endpoint()), format!("must stay 127.0.0.1:{}", server.port()));
    host.run(&["send"]).assert(1, "the secret access key does not belong to the access key id").assert(1, &must);
    let seen = "<Error><Code>SignatureDoesNotMatch</Code><CanonicalRequest>PUT\n/x\n\nhost:store:9000\n\nhost\n\
                UNSIGNED-PAYLOAD</CanonicalRequest></Error>";
    said_of(Reply::of(403, seen)).assert(1, "arrived with \"Host: store:9000\": a proxy before the store must pass");
}

#[test]
fn a_proxy_of_the_environment_is_named_where_it_may_have_answered() {
    let proxy = Server::replying(|head| match head.split(' ').next() {
        Some("CONNECT") => Reply::of(200, ""),
        _ => Reply::of(403, "<html>blocked</html>"),
    });
    let host = Host::of(Level::Plain, "http://s3.example.com").with("http_proxy", proxy.endpoint());
    let ended = host.run(&["send"]);
    ended.assert(1, "this is not an answer of S3").assert(1, &format!("through the proxy 127.0.0.1:{}", proxy.port()));
}

#[test]
fn a_bucket_that_may_stand_twice_is_named_once_the_store_knows_no_such_bucket() {
    let server = Server::scripted(&[Reply::s3_error(404, "NoSuchBucket", "x")]);
    let host = Host::of(Level::Plain, &format!("http://localhost.localdomain:{}", server.port()));
    let host = host.with("http_proxy", "").with("PULSE_ECHO_BUCKET", "localhost");
    let proxy = pulse_echo_testkit::proxy::Proxy::to(server.port());
    host.with("http_proxy", proxy.url())
        .run(&["send"])
        .assert(1, "the bucket stands twice, in the endpoint's host and");
}

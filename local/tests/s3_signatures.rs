//! Which requests are accepted, and by which clock that is decided.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use pulse_echo_local::s3::{KeyPair, Server};
use pulse_echo_testkit::raw_client::{Client, HandClock, KEY, SECRET, options, server};
use pulse_echo_testkit::store::BUCKET;
use rusty_s3::actions::S3Action;
use rusty_s3::{Credentials, Method};
use tempfile::TempDir;
use url::Position;

/// A server whose clock is far from the system's, and a client with the same clock.
fn far_away() -> (Server, Client, HandClock, TempDir) {
    let dir = TempDir::new().unwrap();
    let hands = HandClock::at("2019-02-03T04:05:06Z");
    let mut options = options(&dir);
    options.clock = hands.clock();
    let server = Server::start(options).unwrap();
    let client = Client { clock: hands.clock(), ..Client::of(&server) };
    (server, client, hands, dir)
}

/// The same client, with a clock that differs from the server's.
fn off_by(client: &Client, hands: &HandClock, by: SignedDuration) -> Client {
    let time = hands.now() + by;
    Client { clock: Arc::new(move || time), ..client.clone() }
}

#[test]
fn a_server_lives_by_its_own_clock_alone() {
    let (_server, client, hands, _dir) = far_away();
    assert_eq!(client.put("k", b"1").status, 200);
    assert_eq!(client.get("k").header("date"), "Sun, 03 Feb 2019 04:05:06 GMT");
    assert_eq!(client.signed("GET", "/pulses/k", &[], &[]).text(), "1");
    hands.turn(SignedDuration::from_hours(24 * 365 * 30));
    assert_eq!(client.get("k").text(), "1");
    assert_eq!(client.signed("GET", "/pulses/k", &[], &[]).text(), "1");
}

#[test]
fn a_presigned_url_lives_as_long_as_it_says() {
    let (_server, client, hands, _dir) = far_away();
    client.put("k", b"1");
    let early = off_by(&client, &hands, SignedDuration::from_secs(-300));
    assert_eq!(early.get("k").status, 200);
    let late = off_by(&client, &hands, SignedDuration::from_secs(-301));
    let answer = late.get("k");
    answer.assert_error(403, "AccessDenied");
    assert_eq!(answer.element("Message"), "Request has expired");
    assert_eq!(answer.element("Expires"), "2019-02-03T04:05:05Z");
    assert_eq!(answer.element("ServerTime"), "2019-02-03T04:05:06Z");
    assert_eq!(answer.header("date"), "Sun, 03 Feb 2019 04:05:06 GMT");
    let head = late.head("k");
    assert_eq!((head.status, head.body.len()), (403, 0));
}

#[test]
fn a_presigned_url_from_the_future_is_not_yet_valid() {
    let (_server, client, hands, _dir) = far_away();
    client.put("k", b"1");
    assert_eq!(off_by(&client, &hands, SignedDuration::from_mins(15)).get("k").status, 200);
    let answer = off_by(&client, &hands, SignedDuration::from_secs(15 * 60 + 1)).get("k");
    answer.assert_error(403, "AccessDenied");
    assert_eq!(answer.element("Message"), "Request is not yet valid");
}

#[test]
fn a_presigned_url_lives_a_week_at_most() {
    let (server, _dir) = server();
    let client = Client { expires: Duration::from_secs(604_800), ..Client::of(&server) };
    assert_eq!(client.put("k", b"1").status, 200);
    let client = Client { expires: Duration::from_secs(604_801), ..client };
    client.get("k").assert_error(400, "AuthorizationQueryParametersError");
}

#[test]
fn a_header_signature_may_be_a_quarter_of_an_hour_off() {
    let (_server, client, hands, _dir) = far_away();
    client.put("k", b"1");
    for minutes in [-15, 15] {
        let client = off_by(&client, &hands, SignedDuration::from_mins(minutes));
        assert_eq!(client.signed("GET", "/pulses/k", &[], &[]).text(), "1");
    }
    for minutes in [-16, 16, 24 * 60] {
        let client = off_by(&client, &hands, SignedDuration::from_mins(minutes));
        let answer = client.signed("GET", "/pulses/k", &[], &[]);
        answer.assert_error(403, "RequestTimeTooSkewed");
        assert_eq!(answer.element("ServerTime"), "2019-02-03T04:05:06Z");
    }
}

#[test]
fn a_wrong_secret_does_not_match_and_a_wrong_key_is_unknown() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    client.put("k", b"1");
    let wrong = Client { credentials: Credentials::new(KEY, "guess"), ..client.clone() };
    wrong.get("k").assert_error(403, "SignatureDoesNotMatch");
    wrong.signed("GET", "/pulses/k", &[], &[]).assert_error(403, "SignatureDoesNotMatch");
    let unknown = Client { credentials: Credentials::new("AKIANOBODY", SECRET), ..client.clone() };
    unknown.get("k").assert_error(403, "InvalidAccessKeyId");
    unknown.signed("GET", "/pulses/k", &[], &[]).assert_error(403, "InvalidAccessKeyId");
    let nobody = client.raw("GET", &format!("{}/{BUCKET}/k", server.endpoint()), &[], b"");
    nobody.assert_error(403, "AccessDenied");
    let nobody = client.raw("PUT", &format!("{}/{BUCKET}/k", server.endpoint()), &[], b"mine");
    nobody.assert_error(403, "AccessDenied");
    assert_eq!(client.get("k").text(), "1");
}

#[test]
fn a_url_serves_for_what_it_was_signed_for_and_nothing_else() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    client.put("pulse/a", b"1");
    client.put("pulse/b", b"2");
    let url = client.bucket.get_object(Some(&client.credentials), "pulse/a").sign(client.expires);
    let target = &url[Position::BeforePath..];
    assert!(client.wire("GET", target, "").ends_with("\r\n\r\n1"));
    // The key is the same in whatever way the client encodes the path.
    assert!(client.wire("GET", &target.replacen("pulse/a", "p%75lse%2Fa", 1), "").ends_with("\r\n\r\n1"));
    for (method, other) in [
        ("GET", target.replacen("pulse/a", "pulse/b", 1)),
        ("GET", target.replacen("pulse/a", "pulse/b/../a", 1)),
        ("GET", target.replacen("pulse/a", "pulse/b/%2E%2E/a", 1)),
        ("GET", target.replacen("X-Amz-Expires=300", "X-Amz-Expires=3000", 1)),
        ("GET", target.replacen('?', "?response-content-type=text%2Fhtml&", 1)),
        ("DELETE", target.to_owned()),
        ("PATCH", target.to_owned()),
    ] {
        let answer = client.wire(method, &other, "");
        assert!(answer.contains("<Code>SignatureDoesNotMatch</Code>"), "{method} {other}: {answer}");
    }
    assert_eq!(client.get("pulse/a").status, 200);
}

#[test]
fn an_unsigned_amz_header_is_refused() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    client.put("k", b"1");
    let url = client.bucket.put_object(Some(&client.credentials), "k").sign(client.expires);
    let answer = client.raw("PUT", url.as_str(), &[("x-amz-meta-injected", "1")], b"2");
    answer.assert_error(403, "AccessDenied");
    assert_eq!(answer.element("Message"), "There were headers present in the request which were not signed");
    assert_eq!(answer.element("HeadersNotSigned"), "x-amz-meta-injected");
    client.signed("PUT", "/pulses/k", &[], &[("x-amz-meta-injected", "1")]).assert_error(403, "AccessDenied");
    assert_eq!(client.get("k").text(), "1");
    // Any proxy may add a header that does not concern S3.
    assert_eq!(client.raw("PUT", url.as_str(), &[("x-forwarded-for", "1")], b"2").status, 200);
}

#[test]
fn a_signed_header_must_come_as_signed() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    let mut put = client.bucket.put_object(Some(&client.credentials), "k");
    put.headers_mut().insert("x-amz-meta-a", "1");
    let url = put.sign(client.expires);
    assert_eq!(client.raw("PUT", url.as_str(), &[("x-amz-meta-a", "1")], b"").status, 200);
    client.raw("PUT", url.as_str(), &[("x-amz-meta-a", "2")], b"").assert_error(403, "SignatureDoesNotMatch");
    client.raw("PUT", url.as_str(), &[], b"").assert_error(403, "SignatureDoesNotMatch");
}

#[test]
fn a_temporary_key_needs_its_token() {
    let dir = TempDir::new().unwrap();
    let mut options = options(&dir);
    options.keys = KeyPair { session_token: Some("token/+=".to_owned()), ..KeyPair::new(KEY, SECRET) }.into();
    let server = Server::start(options).unwrap();
    let client = Client::of(&server);
    client.get("k").assert_error(403, "InvalidAccessKeyId");
    let with = |token: &str| {
        let credentials = Credentials::new_with_token(KEY, SECRET, token);
        Client { credentials, ..client.clone() }
    };
    with("other").get("k").assert_error(400, "InvalidToken");
    assert_eq!(with("token/+=").put("k", b"1").status, 200);
    assert_eq!(with("token/+=").list(&[]).contents.len(), 1);
}

#[test]
fn what_aws_no_longer_takes_is_refused() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    let url = format!("{}/{BUCKET}/k", server.endpoint());
    let header = client.raw("GET", &url, &[("authorization", "AWS AKIALOCAL:c2lnbmF0dXJl")], b"");
    header.assert_error(400, "InvalidRequest");
    let query = format!("{url}?AWSAccessKeyId={KEY}&Expires=9999999999&Signature=c2lnbmF0dXJl");
    client.raw("GET", &query, &[], b"").assert_error(400, "InvalidRequest");
    client.raw("GET", &url, &[("authorization", "Basic eDp5")], b"").assert_error(400, "InvalidArgument");
    let presigned = client.bucket.get_object(Some(&client.credentials), "k").sign(client.expires);
    let both = client.raw("GET", presigned.as_str(), &[("authorization", "AWS4-HMAC-SHA256 x")], b"");
    both.assert_error(400, "InvalidArgument");
    let half = format!("{url}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00");
    client.raw("GET", &half, &[], b"").assert_error(400, "AuthorizationQueryParametersError");
}

#[test]
fn two_authorization_headers_are_not_none() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    client.put("k", b"secret");
    let date = (client.clock)().strftime("%Y%m%dT%H%M%SZ").to_string();
    let line = format!(
        "Authorization: AWS4-HMAC-SHA256 Credential={KEY}/{}/us-east-1/s3/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=00\r\n",
        &date[..8]
    );
    let headers = format!("x-amz-date: {date}\r\n{line}{line}");
    let answer = client.wire("GET", "/pulses/k", &headers);
    assert!(answer.starts_with("HTTP/1.1 403 ") && !answer.contains("secret"), "{answer}");
}

#[test]
fn a_signature_for_another_region_is_told_the_right_one() {
    let dir = TempDir::new().unwrap();
    let mut options = options(&dir);
    options.region = "eu-central-1".to_owned();
    let server = Server::start(options).unwrap();
    let client = Client::of(&server);
    let answer = client.get("k");
    answer.assert_error(400, "AuthorizationQueryParametersError");
    assert_eq!(answer.element("Region"), "eu-central-1");
    client.signed("GET", "/pulses/k", &[], &[]).assert_error(400, "AuthorizationHeaderMalformed");
    let answer = client.presigned(Method::Get, "/", &[], &[]);
    assert_eq!(answer.element("Region"), "eu-central-1");
}

#[test]
fn a_key_pair_does_not_print_its_secret() {
    let printed = format!("{:?}", KeyPair::new(KEY, SECRET));
    assert!(printed.contains(KEY) && !printed.contains(SECRET), "{printed}");
}

//! The answers to PUT, GET, HEAD and DELETE are S3's.

use std::sync::Arc;

use jiff::SignedDuration;
use pulse_echo_local::s3::Server;
use pulse_echo_testkit::raw_client::{Client, HandClock, at_once, options, server};
use pulse_echo_testkit::store::BUCKET;
use rusty_s3::Method;
use rusty_s3::actions::S3Action;
use tempfile::TempDir;
use url::Position;

/// Every kind of key that the contract allows, and worse.
const ODD_KEYS: [&str; 8] = [
    "pulse/a+b.json",
    "pulse/a b.json",
    "pulse/100%.json",
    "pulse/é/ü.json",
    "pulse/\"quoted\"'s.json",
    "pulse/a&b<c>.json",
    "pulse/~!*();:@=$,?#[].json",
    "pulse//double//slash/",
];

#[test]
fn what_was_put_comes_back_with_all_that_was_said_of_it() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    let headers =
        [("content-type", "application/json"), ("x-amz-meta-load1", "0.5"), ("x-amz-meta-agent", "pulse-echo/1")];
    let put = client.put_with("pulse/web-1.json", b"{}", &headers);
    assert_eq!((put.status, put.header("etag")), (200, "\"99914b932bd37a50b983c5e7c90ae93b\""));

    let get = client.get("pulse/web-1.json");
    assert_eq!((get.status, get.body.as_slice()), (200, &b"{}"[..]));
    let head = client.head("pulse/web-1.json");
    assert_eq!((head.status, head.body.as_slice()), (200, &b""[..]));
    for answer in [get, head] {
        assert_eq!(answer.header("etag"), put.header("etag"));
        assert_eq!(answer.header("content-length"), "2");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("x-amz-meta-load1"), "0.5");
        assert_eq!(answer.header("x-amz-meta-agent"), "pulse-echo/1");
        assert!(answer.header("last-modified").ends_with(" GMT"));
        assert_ne!(answer.header("x-amz-request-id"), "");
    }
}

#[test]
fn an_object_put_again_loses_its_old_metadata() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    client.put_with("k", b"old", &[("x-amz-meta-a", "1"), ("content-type", "text/plain")]);
    client.put("k", b"new");
    let get = client.get("k");
    assert_eq!(get.text(), "new");
    assert_eq!((get.header("x-amz-meta-a"), get.header("content-type")), ("", "binary/octet-stream"));
}

#[test]
fn any_key_is_kept_as_it_was_given() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    for key in ODD_KEYS {
        assert_eq!(client.put(key, key.as_bytes()).status, 200, "{key}");
    }
    for key in ODD_KEYS {
        assert_eq!(client.get(key).text(), key);
        assert_eq!(client.head(key).status, 200, "{key}");
    }
    let mut sorted = ODD_KEYS.map(str::to_owned).to_vec();
    sorted.sort();
    let encoded = client.list(&[]);
    assert_eq!(encoded.contents.iter().map(|o| o.key.clone()).collect::<Vec<_>>(), sorted);
    for key in ODD_KEYS {
        assert_eq!(client.delete_with(key, &[]).status, 204);
        assert_eq!(client.get(key).status, 404);
    }
}

#[test]
fn missing_things_are_404_and_deleting_them_is_204() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    let get = client.get("pulse/<none>.json");
    get.assert_error(404, "NoSuchKey");
    assert_eq!(get.element("Key"), "pulse/&lt;none&gt;.json");
    let head = client.head("none");
    assert_eq!((head.status, head.body.as_slice()), (404, &b""[..]));
    assert_eq!(client.delete_with("none", &[]).status, 204);

    for method in [Method::Get, Method::Put, Method::Delete] {
        let answer = client.presigned(method, "/other-bucket/key", &[], &[]);
        answer.assert_error(404, "NoSuchBucket");
        assert_eq!(answer.element("BucketName"), "other-bucket");
    }
    client.presigned(Method::Get, "/other-bucket", &[("list-type", "2")], &[]).assert_error(404, "NoSuchBucket");
    assert_eq!(client.presigned(Method::Head, "/other-bucket", &[], &[]).status, 404);
}

#[test]
fn conditions_of_a_put_are_checked() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    client.put_with("k", b"x", &[("if-match", "\"00000000000000000000000000000000\"")]).assert_error(404, "NoSuchKey");
    let first = client.put_with("k", b"1", &[("if-none-match", "*")]);
    assert_eq!(first.status, 200);
    client.put_with("k", b"2", &[("if-none-match", "*")]).assert_error(412, "PreconditionFailed");
    let etag = first.header("etag");
    assert_eq!(client.put_with("k", b"3", &[("if-match", etag)]).status, 200);
    client.put_with("k", b"4", &[("if-match", etag)]).assert_error(412, "PreconditionFailed");
    client.put_with("k", b"5", &[("if-none-match", etag)]).assert_error(501, "NotImplemented");
    for name in ["if-match", "if-none-match"] {
        client.put_with("k", b"6", &[(name, "")]).assert_error(400, "InvalidArgument");
        client.delete_with("k", &[(name, " ")]).assert_error(400, "InvalidArgument");
    }
    assert_eq!(client.get("k").text(), "3");
}

#[test]
fn conditions_of_a_delete_are_checked() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    let old = client.put("k", b"1").header("etag").to_owned();
    let new = client.put("k", b"2").header("etag").to_owned();
    client.delete_with("k", &[("if-match", &old)]).assert_error(412, "PreconditionFailed");
    assert_eq!(client.get("k").text(), "2");
    assert_eq!(client.delete_with("k", &[("if-match", &new)]).status, 204);
    client.delete_with("k", &[("if-match", &new)]).assert_error(404, "NoSuchKey");
}

#[test]
fn of_eight_racing_writers_exactly_one_wins() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    let mut etag = String::new();
    for round in 0..40 {
        let key = format!("race/{}", round / 2);
        let condition = if round % 2 == 0 { ("if-none-match", "*".to_owned()) } else { ("if-match", etag.clone()) };
        let (racer, name, value) = (client.clone(), key.clone(), condition.1);
        let answers = at_once(8, move |i| {
            let answer = racer.put_with(&name, format!("{round} {i}").as_bytes(), &[(condition.0, &value)]);
            (answer.status, i)
        });
        let winners: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
        assert_eq!(winners.len(), 1, "{answers:?}");
        assert!(answers.iter().all(|(status, _)| [200, 412].contains(status)), "{answers:?}");
        let now = client.get(&key);
        assert_eq!(now.text(), format!("{round} {}", winners[0].1));
        now.header("etag").clone_into(&mut etag);
    }
}

#[test]
fn conditions_and_ranges_of_a_get_are_kept() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    let etag = client.put("k", b"0123456789").header("etag").to_owned();
    let fresh = client.get_with("k", &[("if-none-match", &etag)]);
    assert_eq!((fresh.status, fresh.body.len()), (304, 0));
    assert_eq!(client.get_with("k", &[("if-match", &etag)]).status, 200);
    client.get_with("k", &[("if-match", "\"other\"")]).assert_error(412, "PreconditionFailed");
    let modified = client.get("k").header("last-modified").to_owned();
    assert_eq!(client.get_with("k", &[("if-modified-since", &modified)]).status, 304);

    let part = client.get_with("k", &[("range", "bytes=2-4")]);
    assert_eq!((part.status, part.text().as_str()), (206, "234"));
    assert_eq!((part.header("content-range"), part.header("content-length")), ("bytes 2-4/10", "3"));
    assert_eq!(client.get_with("k", &[("range", "bytes=-3")]).text(), "789");
    client.get_with("k", &[("range", "bytes=10-")]).assert_error(416, "InvalidRange");
}

#[test]
fn what_is_too_large_is_refused() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    let value = "v".repeat(2048 - "name".len());
    assert_eq!(client.put_with("k", b"", &[("x-amz-meta-name", &value)]).status, 200);
    let value = value + "v";
    client.put_with("k", b"", &[("x-amz-meta-name", &value)]).assert_error(400, "MetadataTooLarge");
    assert_eq!(client.put(&"k".repeat(1024), b"").status, 200);
    client.put(&"k".repeat(1025), b"").assert_error(400, "KeyTooLongError");
    let large = vec![7; 5 << 20];
    assert_eq!(client.put("large", &large).status, 200);
    assert!(client.get("large").body == large);
}

#[test]
fn a_body_over_the_limit_is_refused_by_its_announced_length() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    let url = client.bucket.put_object(Some(&client.credentials), "k").sign(client.expires);
    let length = (256 << 20) + 1;
    let answer = client.wire("PUT", &url[Position::BeforePath..], &format!("Content-Length: {length}\r\n"));
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("<Code>EntityTooLarge</Code>"), "{answer}");
}

#[test]
fn a_body_that_is_not_what_its_checksum_says_is_refused() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    assert_eq!(client.put_with("k", b"{}", &[("content-md5", "mZFLkyvTelC5g8XnyQrpOw==")]).status, 200);
    client.put_with("k", b"{ }", &[("content-md5", "mZFLkyvTelC5g8XnyQrpOw==")]).assert_error(400, "BadDigest");
    assert_eq!(client.put_with("k", b"{}", &[("x-amz-checksum-crc32", "pwX2mA==")]).status, 400);
    assert_eq!(client.get("k").text(), "{}");
}

#[test]
fn times_are_the_servers_whole_seconds_and_go_back_only_with_a_clock_that_is_set_back() {
    let dir = TempDir::new().unwrap();
    let hands = HandClock::at("2031-05-06T07:08:09.987Z");
    let mut options = options(&dir);
    options.clock = hands.clock();
    let server = Server::start(options).unwrap();
    let client = Client { clock: hands.clock(), ..Client::of(&server) };
    client.put("k", b"1");
    let get = client.get("k");
    assert_eq!(get.header("last-modified"), "Tue, 06 May 2031 07:08:09 GMT");
    assert_eq!(get.header("date"), "Tue, 06 May 2031 07:08:09 GMT");
    assert_eq!(client.list(&[]).contents[0].last_modified.as_deref(), Some("2031-05-06T07:08:09.000Z"));

    // What is newer must not look older because a clock is corrected a little.
    hands.turn(SignedDuration::from_secs(-60));
    client.put("k2", b"2");
    let get = client.get("k2");
    assert_eq!(get.header("last-modified"), "Tue, 06 May 2031 07:08:09 GMT");
    assert_eq!(get.header("date"), "Tue, 06 May 2031 07:07:09 GMT");

    // Set back by more, all that is new would have one time for an hour.
    hands.turn(SignedDuration::from_secs(-3600));
    for (key, second) in [("k3", 9), ("k4", 10)] {
        client.put(key, b"3");
        let get = client.get(key);
        assert_eq!(get.header("last-modified"), format!("Tue, 06 May 2031 06:07:{second:02} GMT"));
        assert_eq!(get.header("date"), get.header("last-modified"));
        hands.turn(SignedDuration::from_secs(1));
    }
    client.get("none").assert_error(404, "NoSuchKey");
    assert_eq!(client.get("none").header("date"), "Tue, 06 May 2031 06:07:11 GMT");
}

#[test]
fn the_bucket_can_be_asked_about_and_not_changed() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    let location = client.presigned(Method::Get, "/pulses", &[("location", "")], &[]);
    assert_eq!(location.status, 200);
    assert!(location.text().contains("<LocationConstraint"), "{}", location.text());
    let head = client.presigned(Method::Head, "/pulses", &[], &[]);
    assert_eq!((head.status, head.header("x-amz-bucket-region")), (200, "us-east-1"));
    let all = client.presigned(Method::Get, "/", &[], &[]);
    assert_eq!((all.status, all.element("Name").as_str()), (200, BUCKET));
    client.presigned(Method::Put, "/new-bucket", &[], &[]).assert_error(501, "NotImplemented");
    client.presigned(Method::Delete, "/pulses", &[], &[]).assert_error(501, "NotImplemented");
    client.presigned(Method::Get, "/pulses", &[("versioning", "")], &[]).assert_error(501, "NotImplemented");
    client.presigned(Method::Post, "/pulses/k", &[("uploads", "")], &[]).assert_error(501, "NotImplemented");
    let form = ("content-type", "Multipart/form-data; boundary=x");
    client.presigned(Method::Post, "/pulses", &[], &[form]).assert_error(501, "NotImplemented");
}

#[test]
fn a_bucket_in_the_host_name_is_as_good_as_one_in_the_path() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    client.put("pulse/a b", b"1");
    let host = format!("{BUCKET}.localhost:{}", server.address().port());
    let answer = client.presigned(Method::Get, "/pulse/a%20b", &[], &[("host", &host)]);
    assert_eq!((answer.status, answer.text().as_str()), (200, "1"));
    let list = client.presigned(Method::Get, "/", &[("list-type", "2")], &[("host", &host)]);
    assert_eq!(list.element("Key"), "pulse/a b");
    let other = format!("other.localhost:{}", server.address().port());
    let answer = client.presigned(Method::Get, "/pulse/a%20b", &[], &[("host", &other)]);
    answer.assert_error(404, "NoSuchBucket");
    assert_eq!(answer.element("BucketName"), "other");
}

#[test]
fn many_clients_at_once_each_find_their_own() {
    let (server, _dir) = server();
    let client = Arc::new(Client::of(&server));
    at_once(16, move |i| {
        let client = Client::clone(&client);
        for n in 0..20 {
            let (key, body) = (format!("c{i}/{n}"), format!("{i} {n}"));
            assert_eq!(client.put(&key, body.as_bytes()).status, 200);
            assert_eq!(client.get(&key).text(), body);
        }
    });
}

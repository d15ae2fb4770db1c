//! A host's key against every key and method of the store: all is refused but what is the host's own.

use std::collections::BTreeSet;

use pulse_echo_core::metadata::Metadata;
use pulse_echo_local::s3::{HostKey, KeyPair, Server};
use pulse_echo_testkit::raw_client::{Answer, Client, options};
use rusty_s3::{Credentials, Method};
use tempfile::TempDir;

/// The host of these tests.
const HOST: &str = "web-1";

/// A server, the operator's client and the host's.
fn server() -> (Server, Client, Client, TempDir) {
    let dir = TempDir::new().unwrap();
    let options = options(&dir);
    let pair = KeyPair::new("AKIAWEB1", "its own secret");
    options.keys.set_hosts([HostKey { host: HOST.parse().unwrap(), pair, until: None }]);
    let server = Server::start(options).unwrap();
    let operator = Client::of(&server);
    let host = Client { credentials: Credentials::new("AKIAWEB1", "its own secret"), ..operator.clone() };
    (server, operator, host, dir)
}

/// What the contract grants: the method, and the key with `V` for the host's name.
const GRANTED: &[(&str, &str)] = &[
    ("PUT", "pulse/V.json"),
    ("PUT", "pulse/V/db.json"),
    ("PUT", "pulse/V/a/b.json"),
    ("GET", "pulse/V.json"),
    ("GET", "pulse/V/db.json"),
    ("GET", "pulse/V/a/b.json"),
    ("DELETE", "pulse/V.json"),
    ("DELETE", "pulse/V/db.json"),
    ("DELETE", "pulse/V/a/b.json"),
    ("PUT", "retire/V.json"),
    ("PUT", "retire/V/db.json"),
    ("PUT", "retire/V/a/b.json"),
    ("GET", "echo/V.json"),
    ("GET", "echo/V/db.json"),
    ("GET", "echo/V/a/b.json"),
    ("GET", "fault/V.json"),
    ("GET", "fault/V/db.json"),
    ("GET", "fault/V/a/b.json"),
    ("GET", "loop/Update.json"),
];

fn is_granted(method: &str, key: &str) -> bool {
    // HEAD is a GET without its body.
    let method = if method == "HEAD" { "GET" } else { method };
    GRANTED.iter().any(|(granted, pattern)| *granted == method && pattern.replace('V', HOST) == key)
}

/// All keys of the store's table, for this host, for hosts with similar names, and at the edges of these names.
fn keys() -> BTreeSet<String> {
    let mut keys: BTreeSet<String> = [
        "status.json",
        "status-bad-2026-11-29T00:00:00Z.json",
        "history.json",
        "history-bad-1.json",
        "status.html",
        "loop/Start.lambda",
        "loop/Stop.lambda",
        "loop/Update.lambda",
        "loop/Test.lambda",
        "loop/Loop.lock",
        "loop/Update.json",
        "loop/Update.json/x",
        "loop/",
        "x",
        "pulse/",
        "pulse",
        "mute/web-*.json",
    ]
    .map(String::from)
    .into();
    for folder in ["pulse", "echo", "fault", "mute", "retire", "loop", "xpulse", "pulse/x", "Pulse"] {
        for host in [HOST, "web-10", "web", "Web-1", "web-1.json", "db-1", "*", "web-1 "] {
            for end in [".json", "/db.json", "/a/b.json", ".ack", ".weekly", "", "/", ".json/db.json"] {
                keys.insert(format!("{folder}/{host}{end}"));
            }
        }
    }
    // Whatever is below the host's own folder is its own.
    keys.retain(|key| is_known(key));
    keys
}

/// Leaves out what the patterns `V/*` grant, but the list above does not name.
fn is_known(key: &str) -> bool {
    let below = ["pulse", "echo", "fault", "retire"].iter().any(|folder| key.starts_with(&format!("{folder}/{HOST}/")));
    !below || GRANTED.iter().any(|(_, pattern)| pattern.replace('V', HOST) == *key)
}

fn ask(client: &Client, method: &str, key: &str) -> Answer {
    match method {
        "PUT" => client.put(key, b"{}"),
        "GET" => client.get(key),
        "HEAD" => client.head(key),
        "DELETE" => client.delete_with(key, &[]),
        other => panic!("{other}"),
    }
}

#[test]
fn each_key_and_method_is_refused_but_the_hosts_own() {
    let (server, operator, host, _dir) = server();
    let mut granted = BTreeSet::new();
    // All objects are there: what is refused is refused for want of a right.
    server.fill(keys().into_iter().map(|key| (key, b"before".to_vec(), Metadata::new()))).unwrap();
    for key in keys() {
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            let answer = ask(&host, method, &key);
            if is_granted(method, &key) {
                assert!(matches!(answer.status, 200 | 204), "{method} {key}: {}", answer.text());
                granted.insert((method, key.clone()));
                continue;
            }
            assert_eq!(answer.status, 403, "{method} {key}");
            if method == "HEAD" {
                continue;
            }
            let is_as_it_was = match method {
                "PUT" => operator.get(&key).text() == "before",
                "DELETE" => operator.get(&key).status == 200,
                _ => true,
            };
            assert!(is_as_it_was, "{method} {key}");
            answer.assert_error(403, "AccessDenied");
            let resource = format!("on resource: \"arn:aws:s3:::pulses/{key}\" because");
            let message = answer.element("Message").replace("&quot;", "\"");
            assert!(message.contains("user/web-1 is not authorized") && message.contains(&resource), "{message}");
        }
    }
    for (method, pattern) in GRANTED {
        assert!(granted.contains(&(*method, pattern.replace('V', HOST))), "{method} {pattern} was not tried");
    }
}

/// Whether S3 has an operation of this method on this part of an object.
fn is_operation(method: Method, part: &str) -> bool {
    match part {
        "acl" | "retention" | "legal-hold" => matches!(method, Method::Get | Method::Put),
        "tagging" => matches!(method, Method::Get | Method::Put | Method::Delete),
        "versionId" => matches!(method, Method::Get | Method::Delete),
        "uploads" | "restore" | "select" => matches!(method, Method::Post),
        "attributes" | "torrent" => matches!(method, Method::Get),
        _ => false,
    }
}

#[test]
fn what_is_about_the_bucket_or_a_part_of_an_object_is_refused() {
    let (_server, operator, host, _dir) = server();
    operator.put("pulse/web-1.json", b"{}");
    host.list_raw(&[]).assert_error(403, "AccessDenied");
    host.list_raw(&[("prefix", "pulse/web-1/")]).assert_error(403, "AccessDenied");
    let methods = [Method::Get, Method::Put, Method::Post, Method::Delete];
    let parts = [
        "acl",
        "tagging",
        "torrent",
        "retention",
        "legal-hold",
        "uploads",
        "attributes",
        "versions",
        "versionId",
        "policy",
        "lifecycle",
        "notification",
        "cors",
        "website",
        "encryption",
        "logging",
        "location",
        "delete",
        "versioning",
        "publicAccessBlock",
        "ownershipControls",
        "list-type",
        "restore",
        "select",
    ];
    for part in parts {
        for (path, is_own) in [("/", false), ("/pulses", false), ("/pulses/pulse/web-1.json", true)] {
            for method in methods {
                let answer = host.presigned(method, path, &[(part, "1")], &[]);
                // On the host's own pulse, a part that the method does not have is none: a plain GET, PUT or DELETE.
                let is_plain = is_own && matches!(answer.status, 200 | 204);
                assert!(!is_plain || !is_operation(method, part), "{method:?} {path}?{part}: {}", answer.status);
                let is_refused = matches!(answer.status, 403 | 405 | 501);
                assert!(is_refused || is_plain, "{method:?} {path}?{part}: {} {}", answer.status, answer.text());
            }
        }
    }
    let part_of_an_upload = [("partNumber", "1"), ("uploadId", "u")];
    host.presigned(Method::Put, "/pulses/pulse/web-1.json", &part_of_an_upload, &[]).assert_error(403, "AccessDenied");
}

#[test]
fn a_hosts_put_asks_for_nothing_but_an_object() {
    let (_server, operator, host, _dir) = server();
    for (name, value) in [
        ("x-amz-acl", "private"),
        ("x-amz-acl", "public-read"),
        ("x-amz-grant-read", "id=1"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-storage-class", "GLACIER"),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-aws-kms-key-id", "key"),
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-object-lock-mode", "COMPLIANCE"),
        ("x-amz-website-redirect-location", "/x"),
        ("x-amz-copy-source", "/pulses/status.json"),
    ] {
        let answer = host.put_with("pulse/web-1.json", b"{}", &[(name, value)]);
        answer.assert_error(403, "AccessDenied");
        assert_eq!(operator.get("pulse/web-1.json").status, 404, "{name}: {value}");
    }
    let usual =
        [("x-amz-meta-a", "1"), ("x-amz-server-side-encryption", "AES256"), ("x-amz-storage-class", "STANDARD")];
    assert_eq!(host.put_with("pulse/web-1.json", b"{}", &usual).status, 200);
}

#[test]
fn what_is_not_there_is_denied_to_a_host_and_missing_to_the_operator() {
    let (_server, operator, host, _dir) = server();
    for key in ["echo/web-1.json", "loop/Update.json", "pulse/web-1/db.json"] {
        let denied = host.get(key);
        denied.assert_error(403, "AccessDenied");
        let message = denied.element("Message").replace("&quot;", "\"");
        assert!(message.contains("s3:ListBucket on resource: \"arn:aws:s3:::pulses\""), "{message}");
        assert_eq!(host.head(key).status, 403);
        operator.get(key).assert_error(404, "NoSuchKey");
    }
    // A deletion does not tell whether there was anything.
    assert_eq!(host.delete_with("pulse/web-1.json", &[]).status, 204);
}

#[test]
fn rights_are_the_same_by_both_forms_of_a_signature() {
    let (_server, operator, host, _dir) = server();
    operator.put("status.json", b"{}");
    operator.put("echo/web-1.json", b"ok");
    host.signed("GET", "/pulses/status.json", &[], &[]).assert_error(403, "AccessDenied");
    assert_eq!(host.signed("GET", "/pulses/echo/web-1.json", &[], &[]).text(), "ok");
    assert_eq!(host.signed("PUT", "/pulses/pulse/web-1.json", &[], &[]).status, 200);
    host.signed("PUT", "/pulses/pulse/web-10.json", &[], &[]).assert_error(403, "AccessDenied");
    host.signed("GET", "/", &[], &[]).assert_error(403, "AccessDenied");
}

#[test]
fn a_key_that_was_taken_away_is_unknown_and_the_older_one_ends_with_the_first_use_of_the_newer() {
    let dir = TempDir::new().unwrap();
    let options = options(&dir);
    let keys = options.keys.clone();
    let server = Server::start(options).unwrap();
    let client = Client::of(&server);
    let key = |id: &str, until: Option<&str>| HostKey {
        host: HOST.parse().unwrap(),
        pair: KeyPair::new(id, "secret"),
        until: until.map(|until| until.parse().unwrap()),
    };
    let with = |id: &str| Client { credentials: Credentials::new(id, "secret"), ..client.clone() };
    let put = |id: &str| with(id).put("pulse/web-1.json", b"{}");

    keys.set_hosts([key("AKIAOLD", Some("2999-01-01T00:00:00Z")), key("AKIANEW", None)]);
    assert_eq!((put("AKIAOLD").status, put("AKIAOLD").status), (200, 200));
    // A guess at the newer one is no use of it.
    let guess = Client { credentials: Credentials::new("AKIANEW", "guess"), ..client.clone() };
    guess.put("pulse/web-1.json", b"{}").assert_error(403, "SignatureDoesNotMatch");
    assert_eq!(put("AKIAOLD").status, 200);
    assert_eq!(put("AKIANEW").status, 200);
    put("AKIAOLD").assert_error(403, "InvalidAccessKeyId");
    assert_eq!(put("AKIAOLD").element("AWSAccessKeyId"), "AKIAOLD");
    // What is read from the file before it is struck off there does not bring it back.
    keys.set_hosts([key("AKIAOLD", Some("2999-01-01T00:00:00Z")), key("AKIANEW", None)]);
    put("AKIAOLD").assert_error(403, "InvalidAccessKeyId");

    keys.set_hosts([key("AKIAOVER", Some("2020-01-01T00:00:00Z"))]);
    put("AKIAOVER").assert_error(403, "InvalidAccessKeyId");
    put("AKIANEW").assert_error(403, "InvalidAccessKeyId");
    assert_eq!(client.put("status.json", b"{}").status, 200);
}

#[test]
fn what_a_host_puts_has_64_kib_at_most() {
    let (_server, operator, host, _dir) = server();
    let (whole, over) = (vec![b' '; 64 << 10], vec![b' '; (64 << 10) + 1]);
    for key in ["pulse/web-1.json", "pulse/web-1/db.json", "retire/web-1.json"] {
        assert_eq!(host.put(key, &whole).status, 200, "{key}");
        host.put(key, &over).assert_error(400, "EntityTooLarge");
        assert_eq!(operator.put(key, &over).status, 200, "{key}");
    }
    // Nor is a chunk of more than that held in memory.
    let chunk = format!("30000\r\n{}\r\n0\r\n\r\n", " ".repeat(0x30000));
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "5"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];
    let payload = ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", chunk.as_bytes());
    host.signed_body("PUT", "/pulses/pulse/web-1.json", payload, &headers, &[]).assert_error(400, "EntityTooLarge");
}

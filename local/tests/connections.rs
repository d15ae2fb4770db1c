//! Who may hold a connection: whoever has proved a key. Nobody else holds up those who have one.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use pulse_echo_local::s3::{HostKey, KeyPair, Limits, Options, Server};
use pulse_echo_testkit::raw_client::{Client, options};
use pulse_echo_testkit::store::BUCKET;
use rusty_s3::Credentials;
use rusty_s3::actions::S3Action;
use tempfile::TempDir;
use url::Position;

const HOUR: Duration = Duration::from_secs(3600);

/// A server with this many places, and a client with its key.
fn server(places: usize, first_head: Duration) -> (Server, Client, TempDir) {
    let dir = TempDir::new().unwrap();
    let places = Limits { near: places, ..Limits::default() };
    let server = Server::start(Options { places, first_head, ..options(&dir) }).unwrap();
    let client = Client::of(&server);
    (server, client, dir)
}

fn connect(server: &Server, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    stream
}

/// All that comes until the server closes the connection.
#[track_caller]
fn until_closed(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn signed_get(client: &Client, key: &str) -> String {
    let url = client.bucket.get_object(Some(&client.credentials), key).sign(client.expires);
    let host = &url[Position::BeforeHost..Position::AfterPort];
    format!("GET {} HTTP/1.1\r\nHost: {host}\r\n\r\n", &url[Position::BeforePath..])
}

/// Reads one answer that has no body, or a body of one byte.
fn status(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 4096];
    let n = stream.read(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..n]).split_whitespace().nth(1).unwrap_or_default().to_owned()
}

#[test]
fn who_asks_nothing_is_closed_soon() {
    let (server, ..) = server(16, Duration::from_millis(300));
    for text in ["", "GET /", "PUT /pulses/k HTTP/1.1\r\nHost: x\r\nX-A: b\r\n"] {
        assert_eq!(until_closed(&mut connect(&server, text)), "", "{text}");
    }
}

#[test]
fn a_connection_that_was_refused_is_closed_and_one_that_proved_a_key_is_kept() {
    let (server, client, _dir) = server(16, HOUR);
    client.put("k", b"1");
    let plain = format!("GET /{BUCKET}/k HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let refused = until_closed(&mut connect(&server, &plain)).to_lowercase();
    assert!(refused.contains(" 403 forbidden") && refused.contains("connection: close"), "{refused}");

    let mut kept = connect(&server, &signed_get(&client, "k"));
    for _ in 0..3 {
        assert_eq!(status(&mut kept), "200");
        kept.write_all(signed_get(&client, "k").as_bytes()).unwrap();
    }
    assert_eq!(status(&mut kept), "200");
    // A key that was proved once does not serve for all that follows.
    kept.write_all(plain.as_bytes()).unwrap();
    assert!(until_closed(&mut kept).contains(" 403 "));
}

#[test]
fn a_signature_that_does_not_match_ends_the_connection_in_both_its_forms() {
    let (server, client, _dir) = server(16, HOUR);
    let wrong = signed_get(&client, "k").replace("X-Amz-Signature=", "X-Amz-Signature=0");
    assert!(until_closed(&mut connect(&server, &wrong)).contains("SignatureDoesNotMatch"));
    let date = (client.clock)().strftime("%Y%m%dT%H%M%SZ").to_string();
    let scope = format!("{}/{}/us-east-1/s3/aws4_request", client.credentials.key(), &date[..8]);
    let header = format!(
        "GET /{BUCKET}/k HTTP/1.1\r\nHost: localhost\r\n\
         x-amz-date: {date}\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
         Signature={}\r\n\r\n",
        "0".repeat(64)
    );
    assert!(until_closed(&mut connect(&server, &header)).contains("SignatureDoesNotMatch"));
}

#[test]
fn a_refused_body_does_not_keep_the_client_from_its_answer() {
    let (server, ..) = server(16, HOUR);
    let head = format!("PUT /{BUCKET}/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\n\r\n");
    let mut stream = connect(&server, &head);
    stream.write_all(&vec![b'x'; 500_000]).unwrap();
    assert!(until_closed(&mut stream).contains(" 403 "));
    // Nor does one that never comes keep the server.
    assert!(until_closed(&mut connect(&server, &head)).contains(" 403 "));
}

#[test]
fn a_refused_body_without_an_end_is_not_read_for_long() {
    let (server, ..) = server(16, HOUR);
    let head = format!("PUT /{BUCKET}/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n");
    let mut stream = connect(&server, &head);
    let (piece, mut sent) = (vec![b'x'; 65_536], 0);
    while sent < 1_000_000_000 && stream.write_all(&piece).is_ok() {
        sent += piece.len();
    }
    // The server reads a mebibyte. The rest is on the way, in the system's buffers.
    assert!(sent < 32 << 20, "{sent} bytes went out");
}

#[test]
fn a_crowd_without_a_key_takes_places_from_itself_alone() {
    let (server, client, _dir) = server(8, HOUR);
    client.put("k", b"1");
    let mut kept = connect(&server, &signed_get(&client, "k"));
    assert_eq!(status(&mut kept), "200");
    for text in ["", "PUT /pulses/k HTTP/1.1\r\nHost: x\r\n", "PUT /pulses/k HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"] {
        // Many more than there are places; nothing but a newcomer closes them.
        let crowd: Vec<_> = (0..100).map(|_| connect(&server, text)).collect();
        assert_eq!(Client::of(&server).put("k", b"1").status, 200, "{text}");
        drop(crowd);
    }
    kept.write_all(signed_get(&client, "k").as_bytes()).unwrap();
    assert_eq!(status(&mut kept), "200", "who has proved a key stays");
}

/// The head of a PUT that announces 100 bytes.
fn signed_put(client: &Client, key: &str) -> String {
    let url = client.bucket.put_object(Some(&client.credentials), key).sign(client.expires);
    let host = &url[Position::BeforeHost..Position::AfterPort];
    format!("PUT {} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n\r\n", &url[Position::BeforePath..])
}

#[test]
fn a_body_that_stalls_is_given_up() {
    let dir = TempDir::new().unwrap();
    let server = Server::start(Options { body_idle: Duration::from_millis(300), ..options(&dir) }).unwrap();
    let client = Client::of(&server);
    for begun in ["", "0123456789"] {
        let mut stream = connect(&server, &(signed_put(&client, "k") + begun));
        let answer = until_closed(&mut stream);
        assert!(answer.contains(" 400 ") && answer.contains("RequestTimeout"), "{answer}");
    }
    assert_eq!(client.get("k").status, 404);
}

#[test]
fn a_host_has_64_requests_at_work_at_most_and_others_have_the_rest() {
    let dir = TempDir::new().unwrap();
    let options = Options { body_idle: HOUR, ..options(&dir) };
    let pair = |host: &str| KeyPair::new(format!("AKIA{host}"), "its own secret");
    let hosts = ["web-1", "web-2"];
    options.keys.set_hosts(hosts.map(|host| HostKey { host: host.parse().unwrap(), pair: pair(host), until: None }));
    let server = Server::start(options).unwrap();
    let operator = Client::of(&server);
    let [web_1, web_2] = hosts.map(|host| {
        let credentials = Credentials::new(pair(host).access_key, pair(host).secret_key);
        Client { credentials, ..operator.clone() }
    });
    // It asks for the body only once the request is at work.
    let expect = signed_put(&web_1, "pulse/web-1.json").replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    let mut busy: Vec<_> = (0..64).map(|_| connect(&server, &expect)).collect();
    for stream in &mut busy {
        assert_eq!(status(stream), "100");
    }
    web_1.put("pulse/web-1/other.json", b"{}").assert_error(503, "SlowDown");
    let refused = until_closed(&mut connect(&server, &expect));
    assert!(refused.contains("SlowDown") && refused.to_lowercase().contains("connection: close"), "{refused}");
    assert_eq!(web_2.put("pulse/web-2.json", b"{}").status, 200);
    assert_eq!(operator.put("pulse/web-1.json", b"{}").status, 200);
    // Whichever ends makes room.
    busy[7].write_all(&[b' '; 100]).unwrap();
    assert_eq!(status(&mut busy[7]), "200");
    assert_eq!(web_1.put("pulse/web-1/other.json", b"{}").status, 200);
}

//! What is put comes whole or not at all, and takes no more room than it has.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::Duration;

use pulse_echo_local::s3::{Options, Server};
use pulse_echo_testkit::local::{FREE_PORT, Running, pasted, serve};
use pulse_echo_testkit::raw_client::{Client, at_once, options, server};
use rusty_s3::Credentials;
use rusty_s3::actions::S3Action;
use url::Position;

const MIB: usize = 1 << 20;

#[test]
fn hosts_and_operators_may_put_a_megabyte_and_the_loop_as_much_as_it_needs() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    let (whole, over) = (vec![7; MIB], vec![7; MIB + 1]);
    for key in ["pulse/a.json", "mute/a.json", "retire/a.json", "loop/Stop.lambda", "echo/a.json", "fault/a.json"] {
        assert_eq!(client.put(key, &whole).status, 200, "{key}");
        client.put(key, &over).assert_error(400, "EntityTooLarge");
        assert!(client.get(key).body == whole, "{key}");
    }
    let large: Vec<u8> = (0..9 * MIB).map(|n| u8::try_from(n % 251).unwrap()).collect();
    for key in ["status.json", "status-bad-2026-11-29T00:00:00Z.json", "history.json", "status.html"] {
        let put = client.put(key, &large);
        let get = client.get(key);
        assert_eq!((put.status, put.header("etag")), (200, get.header("etag")), "{key}");
        assert!(get.body == large, "{key}");
    }
    assert_eq!(client.head("status.json").header("etag"), "\"0aa0ffd067f85965934ed63cc8660850\"");
}

/// A PUT of `hello` in frames, with a checksum after it.
fn framed(client: &Client, body: &str) -> pulse_echo_testkit::raw_client::Answer {
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "5"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];
    let payload = ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", body.as_bytes());
    client.signed_body("PUT", "/pulses/k", payload, &headers, &[])
}

#[test]
fn an_upload_in_chunks_that_is_cut_is_refused_wherever_it_is_cut() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    client.put("k", b"before");
    for (body, status, code) in [
        ("2\r\nhe\r\n", 400, "IncompleteBody"),
        ("2\r\nhe\r\n3\r\nl", 400, "IncompleteBody"),
        ("2\r\nhe\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", 400, "IncompleteBody"),
        ("2\r\nhe\r\n3\r\nllo\r\n", 400, "IncompleteBody"),
        ("2\r\nhe\r\n3\r\nllo\r\n0", 400, "IncompleteBody"),
        ("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", 400, "MalformedTrailerError"),
        ("2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", 400, "BadDigest"),
        ("2\r\nhe\r\n4\r\nllo!\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", 400, "IncompleteBody"),
    ] {
        framed(&client, body).assert_error(status, code);
        assert_eq!(client.get("k").text(), "before", "{body:?}");
    }
    let whole = framed(&client, "2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n");
    assert_eq!((whole.status, client.get("k").text().as_str()), (200, "hello"));
}

/// `serve` that may have so much memory, in KiB, and a client with its keys.
fn small(memory: u32) -> (Running, Client, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut once = Running::server(folder.path());
    once.endpoint();
    once.signal("-TERM");
    let keys = pasted(&once.end().stdout);
    let serve = serve(folder.path(), &FREE_PORT);
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -v {memory}; exec \"$@\""), "sh"]).arg(serve.get_program());
    limited.args(serve.get_args()).env_clear().stderr(std::process::Stdio::piped());
    let mut server = Running::of(&mut limited);
    let endpoint = server.endpoint();
    let mut client = Client::at(&endpoint);
    let bucket = &keys["PULSE_ECHO_BUCKET"];
    client.bucket =
        rusty_s3::Bucket::new(endpoint.parse().unwrap(), rusty_s3::UrlStyle::Path, bucket.clone(), "us-east-1")
            .unwrap();
    client.credentials = Credentials::new(&keys["AWS_ACCESS_KEY_ID"], &keys["AWS_SECRET_ACCESS_KEY"]);
    (server, client, folder)
}

#[test]
fn what_is_announced_takes_no_memory() {
    let (server, client, _folder) = small(400_000);
    let base = client.bucket.base_url().clone();
    let host = format!("{}:{}", base.host_str().unwrap(), base.port().unwrap());
    let mut begun = Vec::new();
    for n in 0..4 {
        let key = format!("status-bad-{n}.json");
        let url = client.bucket.put_object(Some(&client.credentials), &key).sign(Duration::from_secs(300));
        let mut stream = TcpStream::connect(&host).unwrap();
        let head = format!(
            "PUT {} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n",
            &url[Position::BeforePath..],
            250 * MIB
        );
        write!(stream, "{head}Expect: 100-continue\r\n\r\n").unwrap();
        // It asks for the body only once it has taken the announcement.
        let mut answer = [0; 25];
        stream.read_exact(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 100 Continue\r\n"), "{}", String::from_utf8_lossy(&answer));
        stream.write_all(&vec![7; 255_000]).unwrap();
        begun.push(stream);
    }
    assert_eq!(client.put("pulse/web-1.json", b"{}").status, 200);
    drop(begun);
    assert_eq!(client.put("pulse/web-1.json", b"{ }").status, 200);
    server.signal("-TERM");
    assert!(server.end().status.success());
}

#[test]
fn a_large_body_comes_back_whole_and_none_of_it_is_left_behind() {
    let (server, dir) = server();
    let client = Client::of(&server);
    let body = |length: usize| (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect::<Vec<u8>>();
    let (large, larger, small) = (body(MIB + 1), body(3 * MIB + 7), body(9));
    for body in [&larger, &large, &small, &large, &larger] {
        assert_eq!(client.put("status.json", body).status, 200);
        assert!(client.get("status.json").body == *body, "of {} bytes", body.len());
    }
    assert_eq!(client.get_with("status.json", &[("range", "bytes=3145720-")]).body, &larger[3_145_720..]);
    assert_eq!(client.delete_with("status.json", &[]).status, 204);
    assert_eq!(client.get("status.json").status, 404);
    assert_eq!(client.put("status.json", &large).status, 200);
    server.stop();
    let server = Server::start(options(&dir)).unwrap();
    assert!(Client::of(&server).get("status.json").body == large);
}

#[test]
fn large_bodies_side_by_side_are_in_memory_one_at_a_time() {
    let (server, client, _folder) = small(4_000_000);
    let patient = ureq::Agent::config_builder().proxy(None).timeout_global(Some(Duration::from_secs(300))).build();
    let writer = Client { agent: patient.into(), ..client.clone() };
    let statuses = at_once(6, move |n| writer.put(&format!("status-bad-{n}.json"), &vec![7; 12 * MIB]).status);
    assert_eq!(statuses, [200; 6]);
    assert_eq!(client.head("status-bad-5.json").header("content-length"), (12 * MIB).to_string());
    let peak = server.peak_kib();
    assert!(peak < 140 << 10, "the six of them are 72 MiB, twice, and it took {peak} KiB");
    server.signal("-TERM");
    assert!(server.end().status.success());
}

/// How many connections a stranger or a host opens here. The test itself has them open, too.
const CROWD: usize = 700;

#[test]
fn heads_that_do_not_end_take_no_memory() {
    let (server, client, _folder) = small(400_000);
    let base = client.bucket.base_url().clone();
    let host = format!("{}:{}", base.host_str().unwrap(), base.port().unwrap());
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}", "a".repeat(390_000));
    let crowd: Vec<_> = (0..CROWD)
        .map(|_| {
            let mut stream = TcpStream::connect(&host).unwrap();
            // It may be closed before all of it is written.
            let _ = stream.write_all(head.as_bytes());
            stream
        })
        .collect();
    assert_eq!(client.put("pulse/web-1.json", b"{}").status, 200);
    drop(crowd);
    server.signal("-TERM");
    assert!(server.end().status.success());
}

/// Begins a PUT of 260,000 bytes.
fn begun(client: &Client, key: &str) -> TcpStream {
    let base = client.bucket.base_url();
    let host = format!("{}:{}", base.host_str().unwrap(), base.port().unwrap());
    let url = client.bucket.put_object(Some(&client.credentials), key).sign(Duration::from_secs(300));
    let mut stream = TcpStream::connect(&host).unwrap();
    let path = &url[Position::BeforePath..];
    write!(stream, "PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 260000\r\n\r\n").unwrap();
    stream.write_all(&vec![7; 255_000]).unwrap();
    stream
}

#[test]
fn bodies_that_do_not_end_share_a_little_memory() {
    let (server, client, _folder) = small(4_000_000);
    let crowd: Vec<_> = (0..CROWD).map(|_| begun(&client, "pulse/web-1.json")).collect();
    assert_eq!(client.put("pulse/web-2.json", b"{}").status, 200);
    // Until it has read what it is going to read.
    let mut peak = 0;
    while server.peak_kib() > peak {
        peak = server.peak_kib();
        thread::sleep(Duration::from_secs(1));
    }
    assert!(peak < 128 << 10, "the bodies are 170 MiB, and it took {peak} KiB");
    drop(crowd);
}

#[test]
fn bodies_that_have_no_room_in_memory_come_whole_by_files() {
    let dir = tempfile::TempDir::new().unwrap();
    let server = Server::start(Options { body_idle: Duration::from_secs(3600), ..options(&dir) }).unwrap();
    let client = Client::of(&server);
    let key = |n: usize| format!("pulse/web-{n}.json");
    // They are 38 MB.
    let crowd: Vec<_> = (0..150).map(|n| begun(&client, &key(n))).collect();
    for (n, mut stream) in crowd.into_iter().enumerate() {
        stream.write_all(&[8; 5_000]).unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 200 OK");
        assert!(client.get(&key(n)).body == [vec![7; 255_000], vec![8; 5_000]].concat(), "{n}");
    }
}

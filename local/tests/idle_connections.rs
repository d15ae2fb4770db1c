//! Connections that send no request.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use pulse_echo_local::s3::{Options, Server};
use pulse_echo_testkit::raw_client::{Client, options};
use pulse_echo_testkit::store::BUCKET;
use tempfile::TempDir;

#[test]
fn who_asks_nothing_holds_up_others_for_a_moment_only_and_who_has_asked_may_idle() {
    let dir = TempDir::new().unwrap();
    let (connections, first_head) = (4, Duration::from_millis(500));
    let server = Server::start(Options { connections, first_head, ..options(&dir) }).unwrap();
    let client = Client::of(&server);
    client.put("k", b"1");
    let mut idle: Vec<_> = (0..6).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    // Within the client's own 30 s.
    assert_eq!(Client::of(&server).get("k").text(), "1");
    for connection in &mut idle {
        assert_eq!(connection.read(&mut [0; 1]).unwrap(), 0);
    }

    let mut kept = TcpStream::connect(server.address()).unwrap();
    for _ in 0..2 {
        write!(kept, "GET /{BUCKET}/k HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        assert!(kept.read(&mut [0; 4096]).unwrap() > 0, "a connection that has asked is kept");
        thread::sleep(first_head * 3);
    }
}

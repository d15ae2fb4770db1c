//! `serve --page`: what may be read without a key, and by whom.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use pulse_echo_testkit::local::{FREE_PORT, Running, serve};

/// A server with a page, and the page's address.
fn started(data: &Path, further: &[&str]) -> (Running, String) {
    let mut server = Running::of(&mut serve(data, &[&FREE_PORT[..], &["--page", "127.0.0.1:0"], further].concat()));
    let line = server.says("page at http://");
    let address = line.split("http://").nth(1).unwrap().strip_suffix('/').unwrap().to_owned();
    (server, address)
}

fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{request}\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn healthz_is_for_reading_under_the_pages_own_names() {
    let folder = tempfile::tempdir().unwrap();
    let (server, address) = started(folder.path(), &["--page-host", "pulses.example.com"]);
    let port = address.rsplit(':').next().unwrap();
    for host in [address.clone(), format!("localhost:{port}"), "pulses.example.com".to_owned()] {
        let answer = ask(&address, &format!("GET /healthz HTTP/1.1\r\nHost: {host}"));
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("\r\n\r\nok: started "), "{answer}");
    }
    let head = ask(&address, &format!("HEAD /healthz HTTP/1.1\r\nHost: {address}"));
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    for (request, status, why) in [
        ("GET /healthz HTTP/1.1\r\nHost: evil.example", 421, "evil.example is no name of this page"),
        ("GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost", 421, "evil.example is no name"),
        ("GET /healthz HTTP/1.0", 421, "must have one Host header"),
        ("GET /pulse/web-1.json HTTP/1.1\r\nHost: localhost", 404, "there is nothing here, but at /, /status.json"),
        ("POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0", 405, "GET or HEAD"),
        ("DELETE /healthz HTTP/1.1\r\nHost: localhost", 405, "GET or HEAD"),
    ] {
        let answer = ask(&address, request);
        assert!(
            answer.lines().next().unwrap().contains(&format!(" {status} ")) && answer.contains(why),
            "{request}: {answer}"
        );
    }
    server.signal("-TERM");
    assert!(server.end().status.success());
}

#[test]
fn the_fleet_is_shown_as_the_last_sweep_left_it_and_status_html_is_the_same_page() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&FREE_PORT[..], &["--page", "127.0.0.1:0", "-v"]].concat();
    let mut server = Running::of(serve(folder.path(), &arguments).env("TICK_S", "5").env("STATUS_PAGE", "on"));
    let endpoint = server.endpoint();
    let address = server.says("page at http://").split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();
    let ask = |what: &str| ask(&address, &format!("{what} HTTP/1.1\r\nHost: {address}"));
    let page = ask("GET /");
    assert!(page.contains("<title>no host, pulse-echo</title>"), "{page}");
    assert!(ask("GET /status.json").contains("there is no status.json yet"));

    let client = operator(&endpoint, folder.path());
    assert_eq!(client.put("pulse/web-1.json", b"{}").status, 200);
    assert_eq!(client.put("pulse/web-1/db.json", b"{}").status, 200);
    server.says("swept: 2 checks");
    let page = ask("GET /");
    for text in [
        "HTTP/1.1 200 OK\r\n",
        "content-type: text/html; charset=utf-8\r\n",
        "cache-control: no-store\r\n",
        "<tbody id=\"web-1\">",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let head = ask("HEAD /");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    let status = ask("GET /status.json");
    assert!(status.contains("content-type: application/json\r\n") && status.contains("\"web-1/db.json\""), "{status}");
    let metrics = ask("GET /metrics");
    assert!(metrics.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{metrics}");
    for sample in [
        "pulse_echo_check_state{host=\"web-1\",check=\"web-1/db\",state=",
        "\npulse_echo_hosts_down 0\n",
        "\npulse_echo_sweep_age_seconds ",
    ] {
        assert!(metrics.contains(sample), "{sample}: {metrics}");
    }

    let kept = client.get("status.html");
    assert_eq!((kept.header("content-type"), kept.header("cache-control")), ("text/html; charset=utf-8", "no-store"));
    assert!(kept.text().contains("pulse-echo</title>"), "{}", kept.text());

    assert_eq!(client.put("loop/Stop.lambda", b"").status, 200);
    server.says("stopped");
    assert!(ask("GET /").contains("<title>stopped, pulse-echo</title>"));
    server.signal("-TERM");
    assert!(server.end().status.success());
}

/// A client with the operator's keys.
fn operator(endpoint: &str, data: &Path) -> pulse_echo_testkit::raw_client::Client {
    let keys = std::fs::read_to_string(data.join("keys")).unwrap();
    let value =
        |name: &str| keys.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap().to_owned();
    let mut client = pulse_echo_testkit::raw_client::Client::at(endpoint);
    client.bucket =
        rusty_s3::Bucket::new(endpoint.parse().unwrap(), rusty_s3::UrlStyle::Path, "pulse-echo", "us-east-1").unwrap();
    client.credentials = rusty_s3::Credentials::new(value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY"));
    client
}

#[test]
fn those_that_only_hold_connections_keep_nobody_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let (server, address) = started(folder.path(), &[]);
    let held: Vec<_> = (0..300).map(|_| TcpStream::connect(&address).unwrap()).collect();
    // Those that got a place are closed after a while, and the others at once.
    for mut connection in held {
        assert_eq!(connection.read(&mut [0; 1]).unwrap_or_default(), 0);
    }
    let answer = ask(&address, &format!("GET /healthz HTTP/1.1\r\nHost: {address}"));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    server.signal("-TERM");
    assert!(server.end().status.success());
}

#[test]
fn a_page_for_others_is_told_loudly_and_an_address_in_use_by_its_option() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::of(&mut serve(folder.path(), &[&FREE_PORT[..], &["--page", "0.0.0.0:0"]].concat()));
    server.says("reads the page, without a key and without TLS");
    server.signal("-TERM");
    assert!(server.end().status.success());

    let (first, address) = started(folder.path(), &[]);
    let other = tempfile::tempdir().unwrap();
    let ended = Running::of(&mut serve(other.path(), &[&FREE_PORT[..], &["--page", &address]].concat())).end();
    assert!(ended.stderr.contains(&format!("--page: cannot listen on {address}: ")), "{ended:?}");
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(1), ""));
    first.signal("-TERM");
    first.end();
}

#[test]
fn a_stopped_loop_is_not_well() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&FREE_PORT[..], &["--page", "127.0.0.1:0", "-v"]].concat();
    let mut server = Running::of(serve(folder.path(), &arguments).env("TICK_S", "5"));
    let endpoint = server.endpoint();
    let address = server.says("page at http://").split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();
    server.says("swept: 0 checks");
    let answer = ask(&address, &format!("GET /healthz HTTP/1.1\r\nHost: {address}"));
    assert!(answer.contains("\r\n\r\nok: the last sweep was completed "), "{answer}");

    let client = operator(&endpoint, folder.path());
    assert_eq!(client.put("loop/Stop.lambda", b"").status, 200);
    server.says("stopped");
    let answer = ask(&address, &format!("GET /healthz HTTP/1.1\r\nHost: {address}"));
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("the loop is stopped"), "{answer}");

    // Nor do the S3 library's own lines appear: whole bodies, and headers with signatures.
    let junk = vec![b'#'; 900_000];
    let url = rusty_s3::signing::sign(
        &jiff::Timestamp::now(),
        rusty_s3::Method::Post,
        client.bucket.base_url().join("/pulse-echo").unwrap(),
        client.credentials.key(),
        client.credentials.secret(),
        None,
        "us-east-1",
        300,
        [("delete", "")].into_iter(),
        std::iter::empty(),
    );
    assert!(client.raw("POST", url.as_str(), &[], &junk).status >= 400);
    server.signal("-TERM");
    let said = server.end().stderr;
    assert!(said.len() < 10_000 && !said.contains("s3s") && !said.contains("X-Amz-Signature"), "{said:.3000}");
}

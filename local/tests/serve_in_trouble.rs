//! `pulse-echo-local serve` when its environment fails.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use pulse_echo_testkit::local::{FREE_PORT, Pasted, Running, pasted, put_pulse, serve, store, wait_for_echo};
use pulse_echo_testkit::raw_client::Client;
use rusty_s3::{Bucket, Credentials, UrlStyle};

fn verbose(data: &Path) -> Command {
    serve(data, &[&FREE_PORT[..], &["-v"]].concat())
}

/// The lines that a first start prints, while it runs.
fn printed(server: &mut Running) -> Pasted {
    let lines = BufReader::new(server.child.stdout.as_mut().unwrap()).lines().take(5);
    pasted(&lines.map(Result::unwrap).collect::<Vec<_>>().join("\n"))
}

#[test]
fn pulses_are_answered_though_nobody_can_read_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::of(verbose(folder.path()).stderr(File::create("/dev/full").unwrap()));
    let pasted = printed(&mut server);
    let store_of_first = store(&pasted["AWS_ENDPOINT_URL"], &pasted);
    put_pulse(&store_of_first, b"{}");
    wait_for_echo(&store_of_first);
    server.signal("-TERM");
    assert_eq!(server.end().status.code(), Some(0));

    // Its reader dies while it runs.
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    let mut server = Running::of(verbose(folder.path()).stderr(writer));
    let pasted = printed(&mut server);
    drop(reader);
    let store = store(&pasted["AWS_ENDPOINT_URL"], &pasted);
    put_pulse(&store, b"{}");
    wait_for_echo(&store);
    server.signal("-TERM");
    assert_eq!(server.end().status.code(), Some(0));
}

#[test]
fn each_probe_is_one_line_of_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::of(&mut verbose(folder.path()));
    let (pasted, endpoint) = (printed(&mut server), server.endpoint());
    put_pulse(&store(&endpoint, &pasted), b"{}");
    server.says("web-1: echo");
    server.signal("-TERM");
    let said = server.end().stderr;
    assert_eq!(said.matches("web-1").count(), 1, "{said}");
}

#[test]
fn it_says_what_it_waits_for_when_stopped_and_a_second_signal_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut server = Running::server(folder.path());
    let (pasted, endpoint) = (printed(&mut server), server.endpoint());
    put_pulse(
        &store(&endpoint, &pasted),
        format!("{{\"url\": \"http://{}/\"}}", hanging.local_addr().unwrap()).as_bytes(),
    );
    let (_connection, _) = hanging.accept().unwrap();

    server.signal("-TERM");
    server.says("SIGTERM: stopping, waiting up to 10 s for 1 answer under way; a second signal ends it now");
    server.signal("-INT");
    assert_eq!(server.end().status.code(), Some(130));
}

#[test]
fn what_a_host_does_again_and_again_does_not_fill_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::server(folder.path());
    let (pasted, endpoint) = (printed(&mut server), server.endpoint());
    let mut client = Client::at(&endpoint);
    client
        .bucket
        .clone_from(&Bucket::new(endpoint.parse().unwrap(), UrlStyle::Path, "pulse-echo", "us-east-1").unwrap());
    client.credentials = Credentials::new(&pasted["AWS_ACCESS_KEY_ID"], &pasted["AWS_SECRET_ACCESS_KEY"]);
    for n in 0..60 {
        assert_eq!(client.put(&format!("pulse/evil/a{n}//x.json"), b"{}").status, 200);
    }
    // By then all of them have had their turn: they are of one host, this is of another.
    let store = store(&endpoint, &pasted);
    put_pulse(&store, b"{}");
    wait_for_echo(&store);
    server.signal("-TERM");
    let said = server.end().stderr;
    assert_eq!(said.matches("skipped the key").count(), 5, "{said}");
}

//! TLS by certificate files, which may change while the server runs.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use pulse_echo_testkit::agent::{Ended, agent};
use pulse_echo_testkit::local::{FREE_PORT, Running, pasted, program, serve};
use pulse_echo_testkit::tls::{Ca, in_days};
use tempfile::TempDir;

/// Writes a certificate for this machine's addresses, and its key.
fn certify(folder: &Path, ca: &Ca) {
    let (certificate, key) = ca.pem_of(&["localhost", "127.0.0.1"]);
    fs::write(folder.join("server.pem"), certificate).unwrap();
    fs::write(folder.join("server.key"), key).unwrap();
    fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
}

fn tls(folder: &Path) -> Running {
    let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
    let files = ["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    Running::of(&mut serve(&folder.join("data"), &[&FREE_PORT[..], &files].concat()))
}

/// The agent as the operator, who trusts `ca.pem`.
fn send(folder: &Path, endpoint: &str) -> Ended {
    let keys = fs::read_to_string(folder.join("data/keys")).unwrap();
    let keys: Vec<_> = keys.lines().filter(|line| line.starts_with("AWS_")).collect();
    let mut command = agent(folder, &["send", "--bucket", "pulse-echo", "--pulse", "pulse.json", "--host", "web-1"]);
    let command = command.envs(pasted(&keys.join("\n"))).env("AWS_ENDPOINT_URL", endpoint);
    fs::write(folder.join("pulse.json"), "{}").unwrap();
    Ended::of(command.env("AWS_CA_BUNDLE", "ca.pem").env("AWS_REGION", "us-east-1"))
}

#[test]
fn it_speaks_tls_and_takes_a_new_certificate_while_it_runs() {
    let folder = TempDir::new().unwrap();
    let (folder, first, second) = (folder.path(), Ca::new("first"), Ca::new("second"));
    certify(folder, &first);
    let mut server = tls(folder);
    let endpoint = server.endpoint();
    assert!(endpoint.starts_with("https://127.0.0.1:"), "{endpoint}");
    assert_eq!(send(folder, &endpoint).code, 0);
    fs::write(folder.join("ca.pem"), second.pem()).unwrap();
    send(folder, &endpoint).assert(1, "certificate");

    // Broken files change nothing, and are told once each.
    let key = fs::read(folder.join("server.key")).unwrap();
    fs::write(folder.join("server.key"), "no key").unwrap();
    server.says("server.key holds no private key in PEM, or one with a password; the earlier certificate stays in use");
    let (_, stranger) = second.pem_of(&["localhost"]);
    fs::write(folder.join("server.key"), stranger).unwrap();
    server.says("server.key is not that of the certificate in ");
    fs::remove_file(folder.join("server.key")).unwrap();
    server.says("server.key: No such file");
    fs::write(folder.join("ca.pem"), first.pem()).unwrap();
    assert_eq!(send(folder, &endpoint).code, 0);
    fs::write(folder.join("server.key"), key).unwrap();
    server.says("the new certificate is in use");

    certify(folder, &second);
    server.says("the new certificate is in use");
    assert_eq!(send(folder, &endpoint).code, 0);
    server.signal("-TERM");
    let said = server.end().stderr;
    assert_eq!(said.matches("stays in use").count(), 3, "{said}");
}

#[test]
fn a_host_trusts_the_private_ca_that_came_with_its_key_wherever_its_files_lie() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    certify(folder, &Ca::new("ours"));
    let mut server = tls(folder);
    server.endpoint();
    let [data, ca, of_host] = ["data", "ca.pem", "web-1"].map(|name| folder.join(name).display().to_string());
    let added = Ended::of(&mut program(&["key", "add", "--data", &data, "--ca-file", &ca, "--to", &of_host, "web-1"]));
    assert_eq!(added.code, 0, "{added:?}");
    server.says("the keys were read again");
    fs::write(folder.join("pulse.json"), "{}").unwrap();
    let config = format!("{of_host}/config.json");
    let send = |bundle: Option<&str>| {
        let mut command = agent(folder, &["--config", &config, "send", "--pulse", "pulse.json"]);
        let command = command.env("AWS_SHARED_CREDENTIALS_FILE", format!("{of_host}/credentials"));
        Ended::of(command.envs(bundle.map(|file| ("AWS_CA_BUNDLE", file))))
    };
    let ended = send(None);
    assert_eq!(ended.code, 0, "{ended:?}");
    fs::write(folder.join("other.pem"), Ca::new("other").pem()).unwrap();
    send(Some("other.pem")).assert(1, "a private CA goes into AWS_CA_BUNDLE, which is set and comes before ca_file");
}

#[test]
fn plain_http_where_tls_is_spoken_gets_a_sentence_and_a_stalled_handshake_an_end() {
    let folder = TempDir::new().unwrap();
    certify(folder.path(), &Ca::new("ca"));
    let mut server = tls(folder.path());
    let address = server.endpoint().replace("https://", "");
    let mut plain = TcpStream::connect(&address).unwrap();
    plain.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("This port speaks TLS: begin the"), "{answer}");
    send(folder.path(), &format!("http://{address}")).assert(1, "This port speaks TLS");

    // A crowd of them keeps nobody out.
    let stalled: Vec<_> = (0..300).map(|_| TcpStream::connect(&address).unwrap()).collect();
    for mut stream in &stalled {
        let _ = stream.write_all(&[0x16, 3, 1]);
    }
    assert_eq!(send(folder.path(), &format!("https://{address}")).code, 0);
    for mut stream in stalled {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let end = stream.read(&mut [0; 64]);
        let is_closed = end.as_ref().map_or_else(|error| error.kind() != ErrorKind::WouldBlock, |bytes| *bytes == 0);
        assert!(is_closed, "{end:?}");
    }
}

#[test]
fn files_that_cannot_be_used_end_the_start_in_one_sentence() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    certify(folder, &Ca::new("ca"));
    let refusal = || {
        let ended = tls(folder).end();
        assert_eq!((ended.status.code(), ended.stderr.lines().count()), (Some(1), 1), "{ended:?}");
        ended.stderr
    };
    fs::write(folder.join("server.pem"), "").unwrap();
    assert!(refusal().ends_with("server.pem: there is no certificate in it"));
    fs::write(folder.join("server.pem"), "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n").unwrap();
    assert!(refusal().ends_with("server.pem: the block \"CERTIFICATE\" in line 1 is cut off or broken"));
    fs::remove_file(folder.join("server.pem")).unwrap();
    assert!(refusal().contains("cannot read ") && refusal().contains("server.pem: No such file"));
    let alone = Running::of(&mut serve(&folder.join("data"), &["--tls-cert", "server.pem"])).end();
    assert!(alone.status.code() == Some(2) && alone.stderr.contains("--tls-key"), "{alone:?}");
}

#[test]
fn odd_files_and_an_address_without_tls_are_told_and_served() {
    let folder = TempDir::new().unwrap();
    let (data, ca) = (folder.path().join("data"), Ca::new("ca"));
    certify(folder.path(), &ca);
    let (certificate, key) = (folder.path().join("server.pem"), folder.path().join("server.key"));
    let mode = |mode| fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
    let url = ["--public-url", "http://pulses.example.com"];
    let files = ["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    mode(0o644);
    let mut server = Running::of(&mut serve(&data, &[&FREE_PORT[..], &files, &url].concat()));
    server.says("hosts are told --public-url http://pulses.example.com, which is not TLS");
    server.says("server.key holds the private key, and everybody on this machine may read it (mode 644): chmod o= ");
    mode(0o640);
    let (ended, its_key) = ca.pem_until(in_days(-1));
    fs::write(&certificate, ended).unwrap();
    fs::write(&key, its_key).unwrap();
    server.says("the new certificate is in use");
    server.says("server.pem has ended on ");
    drop(server);
    let mut server = tls(folder.path());
    server.says("server.pem has ended on ");
    server.signal("-TERM");
    let said = server.end().stderr;
    assert!(!said.contains("--public-url") && !said.contains("private key"), "{said}");
}

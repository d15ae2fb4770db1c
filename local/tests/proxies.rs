//! The lines of the documentation for proxies in front, with the real proxies.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_testkit::agent::{Ended, agent};
use pulse_echo_testkit::local::{Running, program};
use pulse_echo_testkit::tally::left_out;
use pulse_echo_testkit::tls::Ca;
use tempfile::TempDir;

/// A proxy, ended with the test.
struct Proxy {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // nginx's master ends its workers by SIGTERM alone.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// The block of `docs/small-site.md` in this language.
fn documented(language: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/small-site.md");
    let text = fs::read_to_string(page).unwrap();
    let block = text.split_once(&format!("```{language}\n")).and_then(|(_, rest)| rest.split_once("```"));
    block.expect("docs/small-site.md has lines for it").0.to_owned()
}

/// Replaces a part that must be there.
#[track_caller]
fn with(text: &str, part: &str, other: &str) -> String {
    assert!(text.contains(part), "{part:?} is not in {text}");
    text.replace(part, other)
}

/// Starts a proxy whose configuration is made of these lines, for a free port and a new certificate.
fn start(path: &str, lines: impl FnOnce(&str, u16) -> String, arguments: &[&str]) -> Option<Proxy> {
    let folder = TempDir::new().unwrap();
    let ca = Ca::new("ca");
    let (certificate, key) = ca.pem_of(&["localhost"]);
    for (name, text) in [("ca.pem", ca.pem()), ("server.pem", certificate), ("server.key", key)] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    fs::write(folder.path().join("proxy.conf"), lines(folder.path().to_str().unwrap(), port)).unwrap();
    // What `tests/tools.sh` fetches, else the machine's own.
    let fetched = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("test-tools/proxies");
    let fetched = fetched.join(path.trim_start_matches('/'));
    let mut command = Command::new(if fetched.exists() { fetched } else { path.into() });
    let log = fs::File::create(folder.path().join("log")).unwrap();
    command.args(arguments).current_dir(folder.path()).env("HOME", folder.path());
    let Ok(child) = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn() else {
        left_out(&format!("{path} is not here"));
        return None;
    };
    let mut proxy = Proxy { child, port, folder };
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let log = fs::read_to_string(proxy.folder.path().join("log")).unwrap();
        let is_dead = proxy.child.try_wait().unwrap().is_some();
        assert!(!is_dead && started.elapsed() < Duration::from_secs(20), "{path} does not start: {log}");
        thread::sleep(Duration::from_millis(20));
    }
    Some(proxy)
}

fn nginx(lines: &str, upstream: &str) -> Option<Proxy> {
    let configuration = |folder: &str, port: u16| {
        let server = with(lines, "listen 443 ssl;", &format!("listen 127.0.0.1:{port} ssl;"));
        let server = with(&server, "/etc/ssl/pulses.pem", &format!("{folder}/server.pem"));
        let server = with(&server, "/etc/ssl/pulses.key", &format!("{folder}/server.key"));
        let server = with(&server, "http://127.0.0.1:9810", upstream);
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
            .concat();
        format!(
            "daemon off; pid {folder}/pid; error_log stderr;\n\
             events {{}}\nhttp {{\naccess_log off;\n{temporary}{server}\n}}\n"
        )
    };
    start("/usr/sbin/nginx", configuration, &["-c", "proxy.conf", "-p", "."])
}

fn caddy(lines: &str, upstream: &str) -> Option<Proxy> {
    let configuration = |folder: &str, port: u16| {
        let certificate = format!("tls {folder}/server.pem {folder}/server.key");
        let site = format!("https://localhost:{port} {{\n    bind 127.0.0.1\n    {certificate}");
        let lines =
            with(&with(lines, "pulses.example.com {", &site), "127.0.0.1:9810", &upstream.replace("http://", ""));
        format!("{{\n    admin off\n    auto_https disable_redirects\n}}\n{lines}")
    };
    start("/usr/bin/caddy", configuration, &["run", "--config", "proxy.conf", "--adapter", "caddyfile"])
}

/// The whole chain through a proxy, with a host's own key.
fn run(data: &Path, proxy: &Proxy) -> Ended {
    let folder = proxy.folder.path();
    let words = ["--to", folder.to_str().unwrap(), "--data", data.to_str().unwrap(), "web-1"];
    let act = if fs::read_to_string(data.join("host-keys")).is_ok() { "rotate" } else { "add" };
    let made = program(&[&["key", act], &words[..]].concat()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    fs::write(folder.join("pulse.json"), "{}").unwrap();
    let started = Instant::now();
    loop {
        let arguments = ["run", "--bucket", "pulse-echo", "--host", "web-1", "--pulse", "pulse.json"];
        let mut command = agent(folder, &arguments);
        command.env("AWS_ENDPOINT_URL", format!("https://localhost:{}", proxy.port)).env("AWS_CA_BUNDLE", "ca.pem");
        command.env("AWS_REGION", "us-east-1").env("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let ended = Ended::of(&mut command);
        // A running server reads the new key within 2 s.
        if !ended.stdout.contains("InvalidAccessKeyId") || started.elapsed() > Duration::from_secs(20) {
            return ended;
        }
    }
}

#[test]
fn the_documented_lines_serve_a_host_with_its_own_key() {
    let data = TempDir::new().unwrap();
    let mut server = Running::server(data.path());
    let endpoint = server.endpoint();
    for proxy in [nginx(&documented("nginx"), &endpoint), caddy(&documented("caddy"), &endpoint)].into_iter().flatten()
    {
        let echo = run(data.path(), &proxy);
        assert!(echo.code == 0 && echo.stdout.starts_with("ECHO OK - web-1"), "{echo:?}");
    }
}

#[test]
fn a_proxy_that_replaces_the_host_header_is_named_by_what_came() {
    let data = TempDir::new().unwrap();
    let mut server = Running::server(data.path());
    let endpoint = server.endpoint();
    let lines = with(&documented("nginx"), "proxy_set_header Host $http_host;", "");
    let Some(proxy) = nginx(&lines, &endpoint) else { return };
    let refused = run(data.path(), &proxy);
    let came = format!("The Host header that came is \"{}\"", endpoint.replace("http://", ""));
    assert!(refused.code == 3 && refused.stdout.contains(&came), "{refused:?}");
}

//! `pulse-echo-local key`: each host's own key, as the operator of a small site meets it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::{Condition, Credentials, Place, Store};
use pulse_echo_testkit::agent::{Ended, agent};
use pulse_echo_testkit::local::{Pasted, Running, pasted, program, put_pulse, serve, store, wait_for_echo, web_1};
use pulse_echo_testkit::store::{Client, id};
use tempfile::TempDir;

/// A server on a free port, its endpoint, and the operator's lines.
fn site(data: &Path) -> (Running, String, Pasted) {
    let mut server = Running::server(data);
    let endpoint = server.endpoint();
    let keys = fs::read_to_string(data.join("keys")).unwrap();
    let lines: Vec<_> = keys.lines().filter(|line| line.starts_with("AWS_")).collect();
    let lines = lines.join("\n") + "\nAWS_REGION=us-east-1\nPULSE_ECHO_BUCKET=pulse-echo";
    (server, endpoint, pasted(&lines))
}

/// Runs `key` with these words, `HOST` last.
#[track_caller]
fn key(data: &Path, words: &[&str]) -> Ended {
    let mut command = program(&["key", words[0], "--data"]);
    Ended::of(command.arg(data).args(&words[1..]))
}

#[track_caller]
fn done(data: &Path, words: &[&str]) -> Ended {
    let ended = key(data, words);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended
}

/// The pair in a credentials file.
fn credentials(text: &str) -> Credentials {
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = ")).unwrap();
    Credentials::new(value("aws_access_key_id"), value("aws_secret_access_key"))
}

/// The store, as a host with the key in this folder sees it.
fn as_host(endpoint: &str, folder: &Path) -> Store {
    let credentials = credentials(&fs::read_to_string(folder.join("credentials")).unwrap());
    let usual = Client::at(endpoint);
    let place = Place { bucket: "pulse-echo".into(), ..usual.place };
    Client { place, credentials, ..usual }.store()
}

/// Whether a store takes a key, asked until the answer is this one: a running server takes changes within 2 s.
#[track_caller]
fn becomes(store: &Store, known: bool) {
    let started = Instant::now();
    loop {
        let answer = store.get(&Key::pulse(&web_1()), 10);
        let is_known = !answer.as_ref().is_err_and(|error| error.to_string().contains("InvalidAccessKeyId"));
        if is_known == known {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{answer:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_host_is_admitted_while_the_server_runs_and_sees_nothing_of_the_fleet() {
    let folder = TempDir::new().unwrap();
    let (data, web) = (folder.path().join("data"), folder.path().join("web-1"));
    let (_server, endpoint, operator) = site(&data);
    let said = done(&data, &["add", "--to", web.to_str().unwrap(), "web-1"]).stderr;
    assert!(
        said.contains("holds config.json and credentials of web-1") && !said.contains("no other machine"),
        "{said}"
    );
    let mode = |name: &str| fs::metadata(web.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("credentials"), mode("config.json") & 0o400), (0o600, 0o400));

    becomes(&as_host(&endpoint, &web), true);
    fs::write(web.join("pulse.json"), "{}").unwrap();
    let run = |arguments: &[&str]| {
        let files = ["--config", "config.json"];
        let mut command = agent(&web, &[&files, arguments].concat());
        Ended::of(command.env("AWS_SHARED_CREDENTIALS_FILE", "credentials"))
    };
    let echo = run(&["run", "--pulse", "pulse.json"]);
    assert!(echo.code == 0 && echo.stdout.starts_with("ECHO OK - web-1"), "{echo:?}");
    assert_eq!(run(&["check"]).code, 0);
    // A check without an answer: a missing key is denied here.
    assert_eq!(run(&["check", "--name", "db"]).code, 3);
    let status = run(&["status"]);
    assert!(status.code != 0 && status.stderr.contains("a host's own rights do not include it"), "{status:?}");
    assert_eq!(run(&["send", "--retire", "--pulse", "pulse.json"]).code, 0);

    let operator = store(&endpoint, &operator);
    assert!(operator.get(&Key::pulse(&web_1()), 10).unwrap_err().is_missing());
}

#[test]
fn the_printed_lines_are_for_a_shell_and_keep_what_was_there() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let (_server, endpoint, _) = site(&data);
    let Ended { stdout: lines, stderr: said, .. } = done(&data, &["add", "web-1"]);
    assert!(said.contains(&format!("is told the endpoint {endpoint}, which no other machine reaches")), "{said}");
    let etc = folder.path().join("etc");
    fs::create_dir(&etc).unwrap();
    fs::write(etc.join("config.json"), "{\"timeout_s\": 7}").unwrap();
    let mut shell = Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = lines.replace("/etc/pulse-echo", etc.to_str().unwrap());
    std::io::Write::write_all(&mut shell.stdin.take().unwrap(), lines.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());

    let config: serde_json::Value = serde_json::from_slice(&fs::read(etc.join("config.json")).unwrap()).unwrap();
    let wanted = serde_json::json!({
        "bucket": "pulse-echo", "region": "us-east-1", "host": "web-1", "endpoint": endpoint,
    });
    assert_eq!(config, wanted);
    assert_eq!(fs::read_to_string(etc.join("config.json.old")).unwrap(), "{\"timeout_s\": 7}");
    let mode = fs::metadata(etc.join("credentials")).unwrap().permissions().mode() & 0o777;
    assert!(matches!(mode, 0o600 | 0o640), "{mode:o}");
    becomes(&as_host(&endpoint, &etc), true);

    // The next key brings no configuration: that is the host's by now.
    let rotated = done(&data, &["rotate", "web-1"]).stdout;
    assert!(rotated.contains("credentials") && !rotated.contains("config.json"), "{rotated}");
}

#[test]
fn a_rotated_key_is_valid_until_its_successor_was_used_and_a_removed_one_ends() {
    let folder = TempDir::new().unwrap();
    let (data, old, new) = (folder.path().join("data"), folder.path().join("old"), folder.path().join("new"));
    let (server, endpoint, _) = site(&data);
    done(&data, &["add", "--to", old.to_str().unwrap(), "web-1"]);
    done(&data, &["add", "db-1"]);
    let before = as_host(&endpoint, &old);
    becomes(&before, true);
    let quiet = done(&data, &["rotate", "--to", new.to_str().unwrap(), "web-1"]).stderr;
    assert!(!quiet.contains("warning"), "{quiet}");
    // Once more, before the new one was used.
    let warned = done(&data, &["rotate", "--to", new.to_str().unwrap(), "web-1"]).stderr;
    assert!(warned.contains("warning: the key of web-1 that was made at 20"), "{warned}");
    let list = done(&data, &["list"]).stdout;
    assert!(list.starts_with("(the operator)") && list.lines().count() == 4, "{list}");
    assert!(list.contains(", valid until 20") && !list.contains(&credential_secret(&old)), "{list}");
    put_pulse(&before, b"{}");
    let after = as_host(&endpoint, &new);
    becomes(&after, true);
    becomes(&before, false);

    // It does not come back with the next start.
    let started = Instant::now();
    while done(&data, &["list"]).stdout.lines().count() == 4 {
        assert!(started.elapsed() < Duration::from_secs(20));
    }
    server.signal("-KILL");
    server.end();
    let (server, endpoint, _) = site(&data);
    becomes(&as_host(&endpoint, &old), false);
    becomes(&as_host(&endpoint, &new), true);

    let said = done(&data, &["remove", "web-1"]).stderr;
    assert!(said.contains("pulse-echo retire web-1"), "{said}");
    becomes(&as_host(&endpoint, &new), false);
    drop(server);
}

fn credential_secret(folder: &Path) -> String {
    credentials(&fs::read_to_string(folder.join("credentials")).unwrap()).secret().to_owned()
}

#[test]
fn what_cannot_be_done_is_refused_in_one_sentence_and_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    for words in [&["add", "web-1"][..], &["list"]] {
        key(&data, words).assert(1, "no server has run in ");
    }
    let (server, ..) = site(&data);
    for (words, code, why) in [
        (&["rotate", "web-1"][..], 1, "web-1 has no key; key add web-1 makes one"),
        (&["remove", "web-1"], 1, "web-1 has no key"),
        (&["add", "../x"], 2, "may not enter a key"),
        (&["add", "localhost"], 2, "give the host a name of its own"),
        (&["add", "--ca-file", "/nosuch", "web-1"], 1, "cannot read /nosuch"),
    ] {
        key(&data, words).assert(code, why);
    }
    // A key that nobody saw is none.
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = program(&["key", "add", "--data"]);
    let output = command.arg(&data).arg("web-1").stdout(full).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains("no key was changed"), "{said}");
    assert_eq!(done(&data, &["list"]).stdout.lines().count(), 1);
    done(&data, &["add", "web-1"]);
    key(&data, &["add", "web-1"]).assert(1, "web-1 has a key already; key rotate web-1");

    // A file that somebody broke by hand does not take the keys away.
    let file = data.join("host-keys");
    let good = fs::read_to_string(&file).unwrap();
    let mut server = server;
    fs::write(&file, "web-1 what\n").unwrap();
    server.says("host-keys: line 1: it has 2 words; a key has four, or five; the keys stay as they were");
    fs::write(&file, good).unwrap();
    server.says("keys of hosts: 1");
}

#[test]
fn a_key_that_cannot_be_kept_is_not_handed_out() {
    let folder = TempDir::new().unwrap();
    let (data, web) = (folder.path().join("data"), folder.path().join("web-1"));
    let (_server, endpoint, _) = site(&data);
    done(&data, &["add", "--to", web.to_str().unwrap(), "web-1"]);
    let before = done(&data, &["list"]).stdout;
    for act in ["add db-1", "rotate web-1"] {
        // It may write no byte to any file; what it prints goes to a pipe.
        let full = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", full, "sh"]).arg(program(&[]).get_program()).arg("key");
        let (act, host) = act.split_once(' ').unwrap();
        let ended = Ended::of(command.args([act, "--data"]).arg(&data).arg(host).env_clear());
        assert!(ended.stdout.is_empty() && ended.code == 1, "{ended:?}");
        assert!(ended.stderr.contains("cannot change the hosts' keys in"), "{ended:?}");
        assert_eq!(done(&data, &["list"]).stdout, before);
    }
    becomes(&as_host(&endpoint, &web), true);
}

#[test]
fn a_rotated_key_that_cannot_be_struck_out_is_told_once() {
    let folder = TempDir::new().unwrap();
    let (data, old, new) = (folder.path().join("data"), folder.path().join("old"), folder.path().join("new"));
    let (mut server, endpoint, _) = site(&data);
    done(&data, &["add", "--to", old.to_str().unwrap(), "web-1"]);
    done(&data, &["rotate", "--to", new.to_str().unwrap(), "web-1"]);
    becomes(&as_host(&endpoint, &old), true);
    let file = data.join("host-keys");
    let good = fs::read_to_string(&file).unwrap();
    let after = as_host(&endpoint, &new);
    fs::write(&file, "broken\n").unwrap();
    server.says("the keys stay as they were");
    becomes(&after, true);
    put_pulse(&after, b"{}");
    server.says("until that succeeds");
    for _ in 0..3 {
        server.signal("-HUP");
        server.says("SIGHUP");
    }
    fs::write(&file, good).unwrap();
    server.says("keys of hosts: ");
    server.signal("-TERM");
    let said = server.end().stderr;
    assert_eq!(said.matches("until that succeeds").count(), 1, "{said}");
}

#[test]
fn a_folder_from_before_keeps_its_pair_and_says_which_hosts_need_a_key() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let (server, endpoint, pasted) = site(&data);
    let operator = store(&endpoint, &pasted);
    put_pulse(&operator, b"{}");
    let put = |store: &Store, check: &str| {
        store.put(&Key::pulse(&id(check)), "", b"{}", &Metadata::new(), &Condition::Always).unwrap();
    };
    put(&operator, "db-1/disk");
    put(&operator, "old-1");
    put(&operator, "localhost");
    wait_for_echo(&operator);
    server.signal("-TERM");
    assert!(server.end().status.success());

    let (mut server, endpoint, pasted) = site(&data);
    assert_eq!(store(&endpoint, &pasted).get(&Key::echo(&web_1()), 10).unwrap().body.as_deref(), Some(&b"ok"[..]));
    server.says("4 hosts still use the operator's keys, which may do everything:");
    for host in ["db-1", "localhost", "old-1", "web-1"] {
        if host == "localhost" {
            server.says("no key for \"localhost\", it is every machine's name: give the host a name of its own;");
            continue;
        }
        let line = server.says(&format!(" {host}"));
        assert!(line.ends_with(&format!("  pulse-echo-local key add --data {} {host}", data.display())), "{line}");
    }
    // web-1 gets one and uses it.
    let web = folder.path().join("web-1");
    done(&data, &["add", "--to", web.to_str().unwrap(), "web-1"]);
    becomes(&as_host(&endpoint, &web), true);
    put_pulse(&as_host(&endpoint, &web), b"{}");
    done(&data, &["add", "db-1"]);
    server.signal("-TERM");
    assert!(server.end().status.success());

    let (mut server, ..) = site(&data);
    server.says("3 hosts still use the operator's keys");
    server.says("key rotate --data");
    server.signal("-TERM");
    let said = server.end().stderr;
    assert!(!said.contains(" web-1") && said.contains("old-1"), "{said}");
}

#[test]
fn files_with_keys_that_others_may_read_are_told() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let (server, ..) = site(&data);
    drop(server);
    done(&data, &["add", "web-1"]);
    for (name, mode) in [("keys", 0o644), ("host-keys", 0o640)] {
        let file = data.join(name);
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let mut server = Running::of(&mut serve(&data, &["--listen", "127.0.0.1:0"]));
        let shown = file.display();
        server.says(&format!("{shown} holds keys, and others may read it (mode {mode:o}): chmod 600 {shown}"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

//! `pulse-echo-local serve`, as the operator of a small site meets it.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pulse_echo_core::name::Key;
use pulse_echo_testkit::local::{FREE_PORT, Running, pasted, put_pulse, serve, store, wait_for_echo, web_1};

/// The one sentence with which a failed start ends.
#[track_caller]
fn refusal(data: &Path, arguments: &[&str]) -> String {
    let ended = Running::of(&mut serve(data, arguments)).end();
    let sentence = ended.stderr.clone();
    assert_eq!((ended.status.code(), sentence.lines().count(), ended.stdout.as_str()), (Some(1), 1, ""), "{ended:?}");
    sentence.strip_prefix("pulse-echo-local: ").expect("it begins with the program's name").to_owned()
}

/// Starts it, and ends it by SIGTERM. Returns what it printed on stdout.
#[track_caller]
fn started_once(data: &Path) -> String {
    let mut server = Running::server(data);
    server.endpoint();
    server.signal("-TERM");
    let ended = server.end();
    assert!(ended.status.success(), "{ended:?}");
    ended.stdout
}

#[test]
fn it_prints_its_keys_once_answers_pulses_and_keeps_all_over_a_kill_and_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");

    let mut first = Running::server(&data);
    let endpoint = first.endpoint();
    first.signal("-TERM");
    let first = first.end();
    assert!(first.status.success(), "{first:?}");
    let pasted = pasted(&first.stdout);
    let names: Vec<_> = pasted.keys().map(String::as_str).collect();
    let all = ["AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "PULSE_ECHO_BUCKET"];
    assert_eq!((names.as_slice(), &pasted["AWS_ENDPOINT_URL"]), (&all[..], &endpoint));

    let mut second = Running::server(&data);
    let store_of_second = store(&second.endpoint(), &pasted);
    let keys = second.says("keys are in ");
    assert!(keys.ends_with(data.join("keys").to_str().unwrap()), "{keys}");
    put_pulse(&store_of_second, b"{}");
    wait_for_echo(&store_of_second);
    second.signal("-KILL");
    assert_eq!(second.end().stdout, "", "keys are printed once");

    let mut third = Running::server(&data);
    let object = store(&third.endpoint(), &pasted).get(&Key::echo(&web_1()), 10).unwrap();
    assert_eq!(object.body.as_deref(), Some(&b"ok"[..]));
    third.signal("-INT");
    assert!(third.end().status.success());
}

#[test]
fn it_has_no_queue_whatever_the_environment_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::of(serve(folder.path(), &FREE_PORT).env("QUEUE_URL", "ticks").env("TICK_S", "5"));
    server.endpoint();
    server.signal("-TERM");
    assert!(server.end().status.success());
}

#[test]
fn a_secret_in_a_parameter_of_aws_is_refused_by_the_variables_name() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let ended = Running::of(serve(&data, &FREE_PORT).env("WEBHOOK_SECRET", "ssm:/pulse-echo/webhook-secret")).end();
    let sentence = "pulse-echo-local: WEBHOOK_SECRET cannot be used: only the function on AWS reads parameters; set \
                    the value itself";
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(1), sentence));
}

#[test]
fn a_folder_or_an_address_that_is_in_use_is_named_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::server(folder.path());
    let endpoint = running.endpoint();
    let address = endpoint.trim_start_matches("http://");
    let other = tempfile::tempdir().unwrap();
    for (data, listen, named) in
        [(folder.path(), "127.0.0.1:0", folder.path().to_str().unwrap()), (other.path(), address, address)]
    {
        let sentence = refusal(data, &["--listen", listen]);
        assert!(sentence.contains(named), "{sentence}");
    }
}

#[test]
fn a_first_start_that_fails_keeps_the_printing_of_the_keys_for_the_one_that_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    refusal(&data, &["--listen", &taken.local_addr().unwrap().to_string()]);
    refusal(&data, &["--bucket", "No Bucket", "--listen", "127.0.0.1:0"]);
    assert_eq!(pasted(&started_once(&data)).len(), 5);
    assert_eq!(started_once(&data), "");
}

#[test]
fn keys_that_could_not_be_printed_are_printed_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Running::of(serve(folder.path(), &FREE_PORT).stdout(File::create("/dev/full").unwrap()));
    first.says("cannot print the keys: No space left on device");
    first.signal("-TERM");
    assert!(first.end().status.success());

    let lines = started_once(folder.path());
    let pasted = pasted(&lines);
    assert_eq!(pasted.len(), 5, "{lines}");
    let kept = fs::read_to_string(folder.path().join("keys")).unwrap();
    assert!(kept.contains(&pasted["AWS_SECRET_ACCESS_KEY"]), "the file has other keys");
    assert_eq!(started_once(folder.path()), "");
}

#[test]
fn another_bucket_over_the_same_objects_is_refused_by_both_names() {
    let folder = tempfile::tempdir().unwrap();
    started_once(folder.path());
    let sentence = refusal(folder.path(), &["--bucket", "other", "--listen", "127.0.0.1:0"]);
    assert!(sentence.contains("\"pulse-echo\"") && sentence.contains("\"other\""), "{sentence}");
    started_once(folder.path());
}

#[test]
fn what_it_keeps_is_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    started_once(&data);
    for (path, wanted) in [(data.clone(), 0o700), (data.join("objects.redb"), 0o600), (data.join("keys"), 0o600)] {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, wanted, "{} has mode {mode:o}", path.display());
    }
}

#[test]
fn the_url_that_hosts_are_to_use_can_be_given() {
    let folder = tempfile::tempdir().unwrap();
    let public = |url| [&FREE_PORT[..], &["--public-url", url]].concat();
    let sentence = refusal(folder.path(), &public("pulses.example.com"));
    assert_eq!(sentence, "--public-url: it is no URL; it must begin with http:// or https://");
    let mut server = Running::of(&mut serve(folder.path(), &public("https://pulses.example.com/")));
    server.endpoint();
    server.signal("-TERM");
    assert_eq!(pasted(&server.end().stdout)["AWS_ENDPOINT_URL"], "https://pulses.example.com");
}

#[test]
fn the_first_line_says_whether_there_is_a_page() {
    let folder = tempfile::tempdir().unwrap();
    for (page, said) in [(&[][..], "; no page"), (&["--page", "127.0.0.1:0"], "; a page at 127.0.0.1:")] {
        let mut server = Running::of(&mut serve(folder.path(), &[&FREE_PORT[..], page].concat()));
        let line = server.says(" at http");
        assert!(line.contains("bucket pulse-echo") && line.contains(said), "{line}");
    }
}

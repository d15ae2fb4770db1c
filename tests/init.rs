//! `init` writes what cron needs, never over what is there, and ends with what `doctor` says.

use pulse_echo_testkit::agent::{Ended, agent};
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::store::{ACCESS_KEY, BUCKET, SECRET_KEY};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Runs `init` with the configuration in `etc/`, on a machine whose environment has no more than credentials.
fn init(folder: &Path, arguments: &[&str]) -> Ended {
    let arguments = [&["init", "--config", "etc/config.json", "--timeout-s", "5"], arguments].concat();
    // Nothing is asked of AWS itself: on the way there is a proxy that is not there.
    let variables = [
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("https_proxy", "http://127.0.0.1:1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    Ended::of(agent(folder, &arguments).envs(variables))
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_is_written_serves_send_without_any_option_or_variable() {
    let (bed, folder) = (Bed::new(), tempfile::tempdir().unwrap());
    let endpoint = bed.server.endpoint();
    let arguments = ["--bucket", BUCKET, "--host=web-1", "--endpoint", &endpoint];
    let init = init(folder.path(), &arguments);
    assert_eq!((init.code, init.stderr.as_str()), (0, ""), "{init:#?}");
    assert!(
        init.stdout.starts_with("wrote etc/pulse.json\nwrote etc/config.json\n✓ configuration: etc/config.json\n"),
        "{init:#?}"
    );
    assert!(init.stdout.contains("✗ answer: web-1: no pulse has been sent; send one: pulse-echo run"), "{init:#?}");
    assert_eq!(
        fs::read_to_string(folder.path().join("etc/config.json")).unwrap(),
        format!(
            "{{\n  \"bucket\": \"pulses\",\n  \"region\": \"us-east-1\",\n  \"endpoint\": \"{endpoint}\",\n  \
             \"host\": \"web-1\",\n  \"timeout_s\": 5\n}}\n"
        )
    );
    assert_eq!(fs::read_to_string(folder.path().join("etc/pulse.json")).unwrap(), "{}\n");
    for (name, expected) in [("etc", 0o755), ("etc/config.json", 0o644), ("etc/pulse.json", 0o644)] {
        assert_eq!(mode(&folder.path().join(name)), expected, "{name}");
    }
    assert_eq!(fs::read_dir(folder.path().join("etc")).unwrap().count(), 2);
    let keys = [("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)];
    let sent = Ended::of(agent(folder.path(), &["send", "--config", "etc/config.json"]).envs(keys));
    assert_eq!((sent.code, bed.keys()), (0, vec!["pulse/web-1.json".to_string()]), "{sent:#?}");
}

#[test]
fn a_url_and_what_it_must_answer_go_into_the_pulse_and_one_that_the_probe_cannot_reach_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "--bucket",
        BUCKET,
        "--region",
        "eu-central-1",
        "--host",
        "web-1",
        "--url",
        "http://10.0.0.1/\"x",
        "--body",
        "ok\n",
    ];
    let init = init(folder.path(), &arguments);
    assert_eq!(init.code, 0, "{init:#?}");
    assert_eq!(
        fs::read_to_string(folder.path().join("etc/pulse.json")).unwrap(),
        "{\n  \"url\": \"http://10.0.0.1/\\\"x\",\n  \"body\": \"ok\\n\"\n}\n"
    );
    assert!(
        init.stdout.contains("✗ url: web-1: 10.0.0.1 is a private address: a probe in AWS cannot reach it"),
        "{init:#?}"
    );
}

#[test]
fn what_is_there_is_never_overwritten() {
    for there in ["config.json", "pulse.json"] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("etc")).unwrap();
        fs::write(folder.path().join("etc").join(there), "mine").unwrap();
        let init = init(folder.path(), &["--bucket", BUCKET, "--region", "eu-central-1", "--host", "web-1"]);
        let what = format!("etc/{there} is already there and is not overwritten: edit it, or move it away first");
        assert!(init.complaint().contains(&what), "{init:#?}");
        assert_eq!((init.code, init.stdout.as_str()), (1, ""));
        let files: Vec<_> =
            fs::read_dir(folder.path().join("etc")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files, [folder.path().join("etc").join(there)], "nothing beside it");
        assert_eq!(fs::read_to_string(&files[0]).unwrap(), "mine");
    }
}

#[test]
fn what_would_not_serve_is_refused_and_nothing_is_written() {
    for (arguments, what) in [
        (&["--region", "eu-central-1"][..], "there is no bucket"),
        (&["--bucket", "..", "--region", "eu-central-1"], "\"..\" is not a bucket's name"),
        (&["--bucket", BUCKET, "--region", "eu central"], "\"eu central\" is not a region"),
        (&["--bucket", BUCKET, "--region", "eu-central-1", "--host", "localhost"], "which every machine has"),
        (
            &["--bucket", BUCKET, "--region", "eu-central-1", "--host", "a", "--body", "ok"],
            "--body: nothing is fetched without a url",
        ),
        (&["--bucket", BUCKET, "--region", "eu-central-1", "--host", "a", "--url", "x.com"], "--url: it is no URL"),
        (
            &["--bucket", BUCKET, "--region", "eu-central-1", "--host", "a", "--ca-file", "x"],
            "cannot read the CA file x",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let init = init(folder.path(), arguments);
        assert!(init.complaint().contains(what), "{arguments:?}: {init:#?}");
        assert_eq!((init.code, folder.path().join("etc").exists()), (2, false));
    }
}

#[test]
fn where_the_folder_cannot_be_written_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("etc"), "a file").unwrap();
    let init = init(folder.path(), &["--bucket", BUCKET, "--region", "eu-central-1", "--host", "web-1"]);
    assert!(init.complaint().contains("cannot write etc/pulse.json: "), "{init:#?}");
    assert_eq!(init.code, 1);
}

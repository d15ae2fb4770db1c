//! `init` writes what cron needs, never replaces a file, and ends with the output of `doctor`.

use pulse_echo_testkit::agent::{Ended, agent};
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::store::{ACCESS_KEY, BUCKET, SECRET_KEY, id};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Runs `init` with the configuration in `etc/`, on a machine with only credentials in its environment.
fn init(folder: &Path, arguments: &[&str]) -> Ended {
    let arguments = [&["init", "--config", "etc/config.json", "--timeout-s", "5"], arguments].concat();
    // Nothing reaches AWS itself: the proxy on the way does not exist.
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
    let wrote = format!(
        "wrote etc/pulse.json: {{}}\nwrote etc/config.json: {{ \"bucket\": \"pulses\", \"region\": \"us-east-1\", \
         \"endpoint\": \"{endpoint}\", \"host\": \"web-1\", \"timeout_s\": 5 }}\n✓ configuration: etc/config.json\n"
    );
    assert!(init.stdout.starts_with(&wrote), "{init:#?}");
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
fn limits_of_the_hosts_own_vitals_go_into_the_pulse_and_doctor_says_if_one_is_broken_already() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--bucket", BUCKET, "--region", "eu-central-1", "--host", "web-1"];
    let limits = ["--min-disk-free-pct", "1", "--min-mem-available-mib=1", "--max-load1", "10000"];
    let well = init(folder.path(), &[&arguments[..], &limits].concat());
    assert_eq!(well.code, 0, "{well:#?}");
    let pulse = fs::read_to_string(folder.path().join("etc/pulse.json")).unwrap();
    let expected = "{\n  \"min_disk_free_pct\": 1,\n  \"min_mem_available_mib\": 1,\n  \"max_load1\": 10000\n}\n";
    assert_eq!(pulse, expected);
    assert!(well.stdout.contains("\n✓ vitals: up ") && well.stdout.contains(" % free"), "{well:#?}");

    let folder = tempfile::tempdir().unwrap();
    let ill = init(folder.path(), &[&arguments[..], &["--min-mem-available-mib", "16777216"]].concat());
    let line = ill.stdout.lines().find(|line| line.starts_with("✗ vitals: ")).unwrap_or_else(|| panic!("{ill:#?}"));
    assert!(line.ends_with(" MiB of memory free (limit 16777216 MiB): the next pulse of web-1 gets a fault"), "{line}");
    assert!(!ill.stdout.contains("✓ vitals"), "{ill:#?}");
}

#[test]
fn a_service_that_passes_with_the_status_of_an_error_is_warned_of() {
    let (bed, folder) = (Bed::new(), tempfile::tempdir().unwrap());
    bed.write("pulse.json", "{}");
    assert_eq!(bed.run(&["send", "-q"]).code, 0);
    bed.answer_with(&id("web-1"), 500);
    let endpoint = bed.server.endpoint();
    let arguments = ["--bucket", BUCKET, "--host=web-1", "--endpoint", &endpoint];
    let init = init(folder.path(), &[&arguments[..], &["--url", "https://example.com/", "--body", "ok"]].concat());
    assert!(init.stdout.contains("✗ status: web-1 passes though its status is 500: "), "{init:#?}");
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
        (&["--region", "eu-central-1"][..], "there is no bucket: pulse-echo init --bucket NAME"),
        (&["--bucket", "..", "--region", "eu-central-1"], "\"..\" is not a bucket's name"),
        (&["--bucket", BUCKET, "--region", "eu central"], "\"eu central\" is not a region"),
        (&["--bucket", BUCKET, "--region", "eu-central-1", "--host", "localhost"], "which every machine has"),
        (
            &["--bucket", BUCKET, "--region", "eu-central-1", "--host", "a", "--body", "ok"],
            "--body: nothing is fetched without a url",
        ),
        (&["--bucket", BUCKET, "--region", "eu-central-1", "--host", "a", "--url", "x.com"], "--url: it is no URL"),
        (
            &["--bucket", BUCKET, "--region", "eu-central-1", "--host", "a", "--min-disk-free-pct", "101"],
            "--min-disk-free-pct: ",
        ),
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

/// The command without `--timeout-s` and `--config`, which say nothing of what is to be written.
fn with_variables(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let keys = [("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)];
    let place = [("PULSE_ECHO_CONFIG", "etc/config.json"), ("AWS_EC2_METADATA_DISABLED", "true")];
    let mut command = agent(folder, &[&["init"], arguments].concat());
    Ended::of(command.envs(keys).envs(place).envs(variables.iter().copied()))
}

#[test]
fn without_an_option_nothing_is_written_and_it_says_what_to_give() {
    let folder = tempfile::tempdir().unwrap();
    let bare = with_variables(folder.path(), &[], &[]);
    assert!(
        bare.complaint().contains("there is no bucket: pulse-echo init --bucket NAME --region REGION"),
        "{bare:#?}"
    );
    let variables = [("PULSE_ECHO_BUCKET", "pulses"), ("AWS_REGION", "eu-central-1")];
    let of_environment = with_variables(folder.path(), &[], &variables);
    assert!(of_environment.complaint().ends_with("pulse-echo init --bucket pulses"), "{of_environment:#?}");
    assert_eq!((bare.code, of_environment.code, folder.path().join("etc").exists()), (2, 2, false));
}

#[test]
fn a_profile_that_the_configuration_does_not_hold_is_said_and_stands_in_the_line_for_cron() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("keys"), "[op1]\naws_access_key_id = A\naws_secret_access_key = b\n").unwrap();
    let variables = [("AWS_SHARED_CREDENTIALS_FILE", "keys"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:9")];
    let init = with_variables(folder.path(), &["--bucket", BUCKET, "--host", "web-9", "--profile", "op1"], &variables);
    assert!(init.stdout.contains("\nthe profile op1 has no place in it: give --profile op1 to each"), "{init:#?}");
    let line = init.stdout.lines().find(|line| line.contains("write this line into")).unwrap_or_default();
    assert!(line.is_empty() || line.contains("/etc/config.json --profile op1 send"), "{line}");
}

#[test]
fn what_comes_from_the_environment_is_said() {
    let (bed, folder) = (Bed::new(), tempfile::tempdir().unwrap());
    let endpoint = bed.server.endpoint();
    let variables =
        [("AWS_ENDPOINT_URL", endpoint.as_str()), ("PULSE_ECHO_HOST", "web-9"), ("PULSE_ECHO_BUCKET", "other")];
    let init = with_variables(folder.path(), &["--bucket", BUCKET], &variables);
    assert_eq!((init.code, init.stderr.as_str()), (0, ""), "{init:#?}");
    let said = "\nof that, AWS_ENDPOINT_URL, PULSE_ECHO_HOST stood in the environment\n";
    assert!(init.stdout.contains(said), "{init:#?}");
}

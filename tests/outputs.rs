//! What `check` writes for other programs has its form in every outcome, says when it was, and replaces nothing that is
//! no file.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::thread;

use pulse_echo_core::name::CheckId;
use pulse_echo_testkit::agent::Ended;
use pulse_echo_testkit::bed::Bed;
use serde_json::Value;

/// A bed whose check `web-1` is well.
fn bed() -> Bed {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    assert_eq!(bed.run(&["send", "-q"]).code, 0);
    bed.answer(&CheckId::new(&"web-1".parse().unwrap(), None));
    bed
}

/// Runs `check`, which cannot be made in these words, wherever they are said.
#[track_caller]
fn unknown(bed: &Bed, arguments: &[&str], words: &str) {
    let ended = bed.run(&[&["check"], arguments].concat());
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(ended.code == 3 && said.contains(words), "expected {words:?}: {ended:#?}");
}

fn text(bed: &Bed, name: &str) -> String {
    fs::read_to_string(bed.folder.path().join(name)).unwrap()
}

/// Asserts that the text is in Prometheus's format: each sample once, below the type of its family, with a number.
fn assert_format(text: &str) {
    let (mut family, mut seen) = ("", BTreeSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            family = rest.strip_suffix(" gauge").unwrap();
        } else if !line.starts_with("# HELP ") {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            assert!(sample.split('{').next() == Some(family) && value.parse::<f64>().is_ok(), "{line}");
            assert!(seen.insert(sample), "twice: {line}");
        }
    }
    let run = "\npulse_echo_run_timestamp_seconds{host=\"web-1\"";
    let at: i64 = text.split_once(run).unwrap().1.lines().next().unwrap().rsplit_once("} ").unwrap().1.parse().unwrap();
    let age = jiff::Timestamp::now().as_second() - at;
    assert!((0..120).contains(&age), "{age}");
}

#[test]
fn a_check_that_could_not_be_made_is_unknown_in_each_form() {
    let bed = bed();
    let well = "pulse_echo_severity{of=\"check\",check=\"web-1\"} 0\n";
    let no_keys: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    for (what, arguments, variables) in [
        ("-w over -c", &["-w", "10", "-c", "5"][..], &[][..]),
        ("no credentials", &[], no_keys),
        ("a name that may not be", &["--name", "a b/c"], &[]),
        ("no bucket", &["--bucket", "x"], &[]),
        ("an endpoint that is none", &["--endpoint", "s3.example.com"], &[]),
        ("a store that is away", &["--endpoint", "http://127.0.0.1:1", "--timeout-s", "1"], &[]),
        ("a configuration that is none", &["--config", "broken.json", "--host", "web-1"], &[]),
        ("a CA file that is not there", &["--ca-file", "none", "--endpoint", "https://127.0.0.1:1"], &[]),
    ] {
        bed.write("broken.json", "{\"host\": \"web-1\",}");
        let check = |more: &[&str]| {
            let mut command = bed.command(&[&["check", "--prom", "x.prom"], more].concat());
            Ended::of(command.envs(variables.iter().copied()))
        };
        assert_eq!(Ended::of(&mut bed.command(&["check", "--prom", "x.prom"])).code, 0, "{what}");
        assert!(text(&bed, "x.prom").contains(well), "{what}");

        assert_eq!(check(arguments).code, 3, "{what}");
        let metrics = text(&bed, "x.prom");
        assert_format(&metrics);
        assert!(!metrics.contains(well) && metrics.contains("\"} 3\n"), "{what}: {metrics}");

        let ended = check(&[arguments, &["--json"]].concat());
        let json: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{what}: {ended:?}"));
        assert_eq!((ended.code, &json["severity"], &json["host"]), (3, &"UNKNOWN".into(), &"web-1".into()), "{what}");
        assert!(json["at"].as_str().unwrap().ends_with('Z') && !json["outcomes"].as_array().unwrap().is_empty());
    }
}

#[test]
fn two_runs_on_one_machine_share_no_sample() {
    let bed = bed();
    bed.write("pulses.d/db.json", "{}");
    for arguments in [
        &["check", "--prom", "1.prom", "--name", "db"][..],
        &["check", "--prom", "2.prom", "--host", "web-1"],
        &["check", "--prom", "3.prom", "--host", "web-2"],
    ] {
        bed.run(arguments);
    }
    let all = [text(&bed, "1.prom"), text(&bed, "2.prom"), text(&bed, "3.prom")].concat();
    let samples: Vec<_> =
        all.lines().filter(|line| !line.starts_with('#')).map(|l| l.rsplit_once(' ').unwrap().0).collect();
    let different: BTreeSet<_> = samples.iter().collect();
    assert_eq!(different.len(), samples.len(), "{all}");
}

#[test]
fn metrics_on_stdout_are_alone_there() {
    let bed = bed();
    for place in ["-", "/dev/stdout"] {
        let ended = bed.run(&["check", "--prom", place]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
        assert_format(&ended.stdout);
    }
    assert!(!bed.folder.path().join("-").exists());
    let ended = bed.run(&["check", "--prom", "-", "-w", "9", "-c", "1"]);
    assert_format(&ended.stdout);
    assert!(ended.complaint().contains("is over -c 1"), "{ended:?}");
    unknown(&bed, &["--prom", "-", "--json"], "would both write to stdout");
}

#[test]
fn what_is_no_file_is_written_to_or_refused_and_never_replaced() {
    let bed = bed();
    let path = |name: &str| bed.folder.path().join(name);
    assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    unknown(&bed, &["--prom", "pipe"], "cannot write pipe: it is a pipe or a socket, and nobody reads it");
    let reader = {
        let mut pipe = fs::OpenOptions::new().read(true).write(true).open(path("pipe")).unwrap();
        let ended = bed.run(&["check", "--prom", "pipe"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        thread::spawn(move || {
            let mut read = [0; 30];
            pipe.read_exact(&mut read).map(|()| read).unwrap()
        })
    };
    assert_eq!(&reader.join().unwrap(), b"# HELP pulse_echo_severity How");
    assert!(fs::symlink_metadata(path("pipe")).unwrap().file_type().is_fifo());

    let _listener = UnixListener::bind(path("socket")).unwrap();
    unknown(&bed, &["--prom", "socket"], "cannot write socket: ");
    assert!(fs::symlink_metadata(path("socket")).unwrap().file_type().is_socket());

    std::os::unix::fs::symlink("real.prom", path("link")).unwrap();
    unknown(&bed, &["--prom", "link"], "cannot write link: it is a link to a file that is not there");
    bed.write("real.prom", "old");
    assert_eq!(bed.run(&["check", "--prom", "link"]).code, 0);
    assert!(path("link").is_symlink());
    assert_format(&text(&bed, "real.prom"));

    unknown(&bed, &["--prom", "."], "cannot write .: it is a folder");
    assert_eq!(bed.run(&["check", "--prom", "/dev/null"]).code, 0);
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

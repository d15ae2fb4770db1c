//! Wrong input is refused with one sentence that names it, and nothing of it is uploaded.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use pulse_echo_testkit::agent::{Ended, agent};
use pulse_echo_testkit::bed::Bed;

#[test]
fn a_bad_pulse_is_refused_with_file_line_and_field_and_is_not_uploaded() {
    let bed = Bed::new();
    for (content, place, what) in [
        ("{\n  \"url\": \"http://a/\",\n  \"bdoy\": \"ok\"\n}", "pulse.json:3:8:", "did you mean \"body\"?"),
        ("{\"url\": 5}", "pulse.json:1:9:", "url: it is the number 5, but must be a text"),
        ("{\"url\": \"http://a/\",\n \"every_s\": 5}", "pulse.json:2:13:", "every_s: it is the number 5, but must be"),
        (
            "{\"url\": \"http://a/\",\n \"every_s\": 20, \"timeout_s\": 11}",
            "pulse.json:2:17:",
            "timeout_s: it may be at most",
        ),
        ("{\"url\": \"http://a/\"", "pulse.json:1:19:", "the text ends within an object"),
        ("url = http://a/", "pulse.json:1:1:", "there is no JSON value"),
        (" \n", "pulse.json:1:1:", "it is empty; the least is {}"),
        ("{\"url\": \"https://me:pw@a/\"}", "pulse.json:1:27:", "url: it has credentials in it"),
        ("{\"url\": \"http://a/\", \"min_cert_days\": 5}", "pulse.json:1:22:", "min_cert_days: the url is http"),
        ("{\"body\": \"ok\"}", "pulse.json:1:2:", "body: nothing is fetched without a url"),
        (&format!("{{\"body\": \"{}\"}}", "x".repeat(64 * 1024)), "cannot read the pulse ./pulse.json", "over 64 KiB"),
    ] {
        bed.write("pulse.json", content);
        let sent = bed.run(&["send"]);
        let complaint = sent.complaint();
        assert!(complaint.contains(place) && complaint.contains(what), "{complaint}");
        assert_eq!((sent.code, sent.stdout.as_str()), (2, ""), "{complaint}");

        let run = bed.run(&["run"]);
        assert_eq!(run.code, 3, "{run:?}");
        assert!(run.stdout.starts_with("ECHO UNKNOWN - ") && run.stdout.contains(what), "{run:?}");
        assert_eq!(run.stderr, "", "{run:?}");
    }
    assert_eq!(bed.keys(), [] as [&str; 0]);
}

#[test]
fn a_pulse_file_that_cannot_be_read_is_named() {
    let bed = Bed::new();
    bed.write("folder/x", "");
    for (file, what) in
        [("nowhere.json", "No such file"), ("folder", "it is not a file"), ("/dev/zero", "it is not a file")]
    {
        let sent = bed.run(&["send", "--pulse", file]);
        let complaint = sent.complaint();
        assert!(complaint.contains(&format!("cannot read the pulse {file}: ")) && complaint.contains(what), "{sent:?}");
        assert_eq!(sent.code, 2);
    }
}

#[test]
fn without_any_pulse_the_file_to_write_is_named() {
    let sent = Bed::new().run(&["send"]);
    assert!(sent.complaint().contains("there is no pulse: write ./pulse.json, such as {\"url\":"), "{sent:?}");
    assert_eq!(sent.code, 2);
}

#[test]
fn a_name_that_may_not_enter_a_key_is_refused() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    for arguments in [
        &["send", "--host", "../other-bucket/x"][..],
        &["send", "--host", "web 1"],
        &["send", "--host="],
        &["send", "--host", "localhost"],
        &["send", "--pulse", "pulse.json", "--name", "../x"],
        &["send", "--name", "db"],
    ] {
        let sent = bed.run(arguments);
        assert!(!sent.complaint().is_empty());
        assert_eq!(sent.code, 2, "{arguments:?}: {sent:?}");
    }
    bed.write("pulses.d/a b.json", "{}");
    let sent = bed.run(&["send"]);
    assert!(sent.complaint().contains("./pulses.d/a b.json: the file's name is the check's"), "{sent:?}");
    assert_eq!((sent.code, bed.keys()), (2, vec!["pulse/web-1.json".to_string()]));
}

#[test]
fn a_file_whose_ending_is_in_capitals_is_named_and_not_passed_over() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    bed.write("pulses.d/db.JSON", "{}");
    let sent = bed.run(&["send"]);
    assert!(sent.complaint().contains("./pulses.d/db.JSON: its name must end in .json, in small letters"), "{sent:?}");
    assert_eq!((sent.code, bed.keys()), (2, vec!["pulse/web-1.json".to_string()]));
}

#[test]
fn one_bad_file_does_not_stop_the_others() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    bed.write("pulses.d/bad.json", "{");
    bed.write("pulses.d/good.json", "{ }");
    bed.write("pulses.d/.hidden.json", "{");
    bed.write("pulses.d/good.json~", "{");
    let sent = bed.run(&["send"]);
    assert!(sent.complaint().contains("pulses.d/bad.json:1:1:"), "{sent:?}");
    assert_eq!((sent.code, bed.keys()), (2, vec!["pulse/web-1.json".into(), "pulse/web-1/good.json".to_string()]));
}

#[test]
fn a_bad_configuration_is_refused_with_its_place() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    for (content, what) in [
        (
            "{\"buckte\": \"b\"}",
            "config.json:1:9: \"buckte\" is not a field of the configuration; did you mean \"bucket\"?",
        ),
        ("{\"bucket\": 5}", "config.json:1:12: bucket: it is the number 5"),
        ("{\"timeout_s\": 0, \"bucket\": \"pulses\"}", "config.json:1:15: timeout_s: it is the number 0"),
        ("{", "config.json:1:1: the text ends"),
        ("{\"host\": \"web-1\"}", "there is no bucket: set \"bucket\" in config.json, PULSE_ECHO_BUCKET or --bucket"),
        ("{\"bucket\": \"..\"}", "\"..\" is not a bucket's name"),
    ] {
        bed.write("config.json", content);
        let sent = bed.run(&["send"]);
        assert!(sent.complaint().contains(what), "{content}: {sent:?}");
        assert_eq!(sent.code, 2);
    }
    bed.write("config.json", "{\"bucket\": \"pulses\", \"host\": \"web-1\"}");
    for (file, what) in [
        ("none.pem", "cannot read the CA file none.pem: No such file"),
        ("config.json", "the CA file config.json cannot be used: there is no certificate"),
    ] {
        // Nothing is sent: a store without TLS needs no such file, and a store with TLS is not asked without it.
        let sent = bed.run(&["send", "--ca-file", file, "--endpoint=https://127.0.0.1:1"]);
        assert!(sent.complaint().contains(what), "{sent:?}");
        assert_eq!(sent.code, 2);
        assert_eq!(bed.run(&["send", "--ca-file", file]).code, 0);
    }
    let sent = bed.run(&["send", "--config", "nowhere.json"]);
    assert!(sent.complaint().contains("cannot read the configuration nowhere.json: No such file"), "{sent:?}");
}

#[test]
fn without_credentials_the_sentence_says_what_was_tried() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    bed.write("credentials", "[other]\naws_access_key_id = x\n");
    let arguments = ["send", "--bucket", "b-1", "--region", "us-east-1", "--host", "web-1"];
    let mut command = agent(bed.folder.path(), &arguments);
    let sent = Ended::of(command.env("AWS_SHARED_CREDENTIALS_FILE", "credentials"));
    let what = "there are no credentials: AWS_ACCESS_KEY_ID is not set; credentials has no profile default";
    assert!(sent.complaint().contains(what), "{sent:?}");
    let half = Ended::of(command.env("AWS_PROFILE", "other"));
    let what = "credentials:2: there is no aws_secret_access_key beside this in [other]";
    assert!(half.complaint().contains(what), "{half:?}");
    let half = Ended::of(command.env_remove("AWS_PROFILE").env("AWS_ACCESS_KEY_ID", "x"));
    assert!(half.complaint().contains("only half of the keys: AWS_SECRET_ACCESS_KEY is not set"), "{half:?}");
}

#[test]
fn mistaken_arguments_exit_2_and_with_run_as_a_plugin_3() {
    let bed = Bed::new();
    for arguments in [&["sned"][..], &[], &["send", "--bukcet", "b"], &["send", "--timeout-s", "0"]] {
        let ended = bed.run(arguments);
        assert!(!ended.complaint().is_empty());
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}");
    }
    let run = bed.run(&["run", "--wait", "long"]);
    assert!(run.stdout.starts_with("ECHO UNKNOWN - "), "{run:?}");
    assert_eq!(run.code, 3);
}

#[test]
fn a_number_that_is_none_is_refused_in_plain_words() {
    let bed = Bed::new();
    for arguments in [
        &["send", "--splay", "soon"][..],
        &["send", "--timeout-s=-1"],
        &["check", "-w", "10m"],
        &["check", "-c", "99999999999"],
        &["run", "--wait", "1.5"],
    ] {
        let ended = bed.run(arguments);
        // A plugin says all on stdout.
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("expected a whole number of seconds from "), "{arguments:?}: {ended:?}");
        assert!(!said.contains("digit") && !said.contains("too large"), "{ended:?}");
    }
}

#[test]
fn a_variable_that_is_not_utf_8_is_refused_by_name() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    let bad = OsStr::from_bytes(b"caf\xe9");
    for (command, code) in [("send", 2), ("check", 3), ("status", 2)] {
        let ended = Ended::of(bed.command(&[command]).env("PULSE_ECHO_HOST", bad));
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("variable PULSE_ECHO_HOST is not UTF-8: correct it, or unset it"), "{ended:?}");
        assert_eq!(ended.code, code, "{ended:?}");
    }
    assert_eq!(bed.keys(), [] as [&str; 0]);
    assert_eq!(Ended::of(bed.command(&["send"]).env("PS1", bad)).code, 0);
}

#[test]
fn a_configuration_that_is_a_pipe_or_far_too_large_is_refused_at_once() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    assert!(Command::new("mkfifo").arg(bed.folder.path().join("pipe")).status().unwrap().success());
    bed.write("large.json", &" ".repeat(1 << 20));
    for (file, what) in [
        ("pipe", "cannot read the configuration pipe: it is not a file"),
        ("/dev/zero", "cannot read the configuration /dev/zero: it is not a file"),
        ("large.json", "cannot read the configuration large.json: it is over 64 KiB"),
    ] {
        let sent = bed.run(&["send", "--config", file]);
        assert!(sent.complaint().contains(what), "{sent:?}");
        assert_eq!(sent.code, 2);
    }
    // A file of credentials that is none is passed over, as it is by AWS's own tools.
    let mut command = agent(bed.folder.path(), &["send", "--config=config.json", "--endpoint", &bed.endpoint()]);
    let sent = Ended::of(command.env("AWS_SHARED_CREDENTIALS_FILE", "pipe").env("HOME", "/nonexistent"));
    sent.assert(2, "pipe cannot be read (it is not a file)");
}

#[test]
fn a_pulse_that_is_a_link_to_nowhere_is_refused_not_passed_over() {
    let bed = Bed::new();
    bed.write("pulses.d/db.json", "{}");
    std::os::unix::fs::symlink("nowhere", bed.folder.path().join("pulse.json")).unwrap();
    let sent = bed.run(&["send", "-q"]);
    assert!(sent.complaint().contains("cannot read the pulse ./pulse.json: No such file"), "{sent:?}");
    assert_eq!((sent.code, bed.keys()), (2, vec!["pulse/web-1/db.json".to_string()]));
}

#[test]
fn a_folder_of_pulses_that_cannot_be_read_does_not_stop_the_hosts_own() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    bed.write("pulses.d", "a file where a folder should be");
    let sent = bed.run(&["send", "-q"]);
    assert!(sent.complaint().contains("cannot read the folder ./pulses.d: "), "{sent:?}");
    assert_eq!((sent.code, bed.keys()), (2, vec!["pulse/web-1.json".to_string()]));
}

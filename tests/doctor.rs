//! `doctor` finds what is wrong, says how to fix it, goes on, and changes nothing.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_testkit::agent::{Ended, agent};
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::server::{Reply, Server, date};
use pulse_echo_testkit::store::{ACCESS_KEY, BUCKET, SECRET_KEY, id};

/// The doctor's line about this subject, with its sign.
#[track_caller]
fn line<'a>(doctor: &'a Ended, sign: char, about: &str) -> &'a str {
    let beginning = format!("{sign} {about}: ");
    let line = doctor.stdout.lines().find(|line| line.starts_with(&beginning));
    line.unwrap_or_else(|| panic!("no {beginning:?}: {doctor:#?}"))
}

/// What is wrong, but for what sends: that is the machine's, and stories with a cron of their own look at it.
fn ill(doctor: &Ended) -> Vec<&str> {
    let of_machine = |line: &str| line.contains(" schedule: ") || line[3..].trim_start().starts_with("as ");
    doctor.stdout.lines().filter(|line| line.starts_with('✗') && !of_machine(line)).collect()
}

/// A host that is set up and has its answer, with a loop that sweeps.
fn well() -> Bed {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    assert_eq!(bed.run(&["send", "-q"]).code, 0);
    bed.answer(&id("web-1"));
    bed.put(&Key::mark(), &Mark { swept: Some(now(&bed)), ..Mark::default() }.to_json(), &Metadata::new());
    bed
}

/// The store's time, by which it answered last.
fn now(bed: &Bed) -> Time {
    bed.store().get(&Key::pulse(&id("web-1")), 0).unwrap().date
}

#[test]
fn where_all_is_well_each_line_says_so_and_nothing_in_the_store_is_changed() {
    let bed = well();
    let objects = || {
        let keys = bed.keys();
        let stamp = |key: &String| {
            let object = bed.store().list(key).next().unwrap().unwrap().entries.remove(0);
            (object.etag, object.last_modified)
        };
        keys.iter().map(|key| (key.clone(), stamp(key))).collect::<Vec<_>>()
    };
    let pulse = || bed.store().get(&Key::pulse(&id("web-1")), 0).unwrap().metadata;
    let before = (objects(), pulse());
    let doctor = bed.run(&["doctor"]);
    assert_eq!((doctor.stderr.as_str(), ill(&doctor)), ("", vec![]), "{doctor:#?}");
    for (about, what) in [
        ("configuration", "config.json"),
        ("name", "web-1"),
        ("pulse", "./pulse.json is web-1"),
        ("credentials", "from the environment"),
        ("connection", "bucket \"pulses\" at http://127.0.0.1:"),
        ("clock", "the store's"),
        ("rights", "may put pulse/web-1.json"),
        ("answer", "web-1 answered"),
        ("loop", "last swept"),
    ] {
        assert!(line(&doctor, '✓', about).contains(what), "{doctor:#?}");
    }
    assert!(doctor.stdout.contains("✓ rights: may read echo/web-1.json"), "{doctor:#?}");
    assert_eq!((objects(), pulse()), before);
    for (channels, what) in [(&["slack", "ntfy"][..], "it tells over ntfy, slack"), (&[], "it has no channel")] {
        let channels = Some(channels.iter().map(ToString::to_string).collect());
        bed.put(
            &Key::mark(),
            &Mark { swept: Some(now(&bed)), channels, ..Mark::default() }.to_json(),
            &Metadata::new(),
        );
        assert!(line(&bed.run(&["doctor"]), '✓', "loop").contains(what), "{what}");
    }
    let quiet = bed.run(&["doctor", "-q"]);
    assert!(quiet.stdout.lines().all(|line| line.starts_with('✗')) && ill(&quiet).is_empty(), "{quiet:#?}");
}

#[test]
fn a_host_before_its_first_pulse_is_told_to_send_one_and_none_is_put_for_it() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    let doctor = bed.run(&["doctor"]);
    assert_eq!(doctor.code, 1);
    assert!(
        line(&doctor, '✗', "answer").contains("web-1: no pulse has been sent; send one: pulse-echo run"),
        "{doctor:#?}"
    );
    assert!(line(&doctor, '✗', "loop").contains("no mark yet; is the loop deployed?"), "{doctor:#?}");
    assert!(line(&doctor, '✓', "rights").contains("may put pulse/web-1.json"), "{doctor:#?}");
    assert_eq!(bed.keys(), [] as [&str; 0]);
}

#[test]
fn without_any_setting_up_each_thing_to_do_is_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let doctor = Ended::of(
        agent(folder.path(), &["doctor", "--config", "config.json"]).env("AWS_EC2_METADATA_DISABLED", "true"),
    );
    assert_eq!((doctor.code, doctor.stderr.as_str()), (1, ""), "{doctor:#?}");
    assert!(line(&doctor, '✗', "configuration").contains("cannot read the configuration config.json: No such file"));
    assert!(line(&doctor, '✗', "pulse").contains("there is no pulse: write ./pulse.json"));
    assert!(line(&doctor, '✗', "credentials").contains("there are no credentials: AWS_ACCESS_KEY_ID is not set"));
    assert!(line(&doctor, '✗', "settings").contains("there is no bucket: set \"bucket\" in config.json"));
}

#[test]
fn files_that_are_refused_are_named_and_the_walk_goes_on() {
    let bed = well();
    bed.write("config.json", "{\"buckte\": \"b\"}");
    bed.write("pulses.d/db.json", "{\"bdoy\": 1}");
    let mut command = bed.command(&["doctor", "--bucket", BUCKET, "--host", "web-1"]);
    let doctor = Ended::of(&mut command);
    assert_eq!(doctor.code, 1);
    assert!(line(&doctor, '✗', "configuration").contains("config.json:1:9: \"buckte\" is not a field"), "{doctor:#?}");
    assert!(line(&doctor, '✗', "pulse").contains("./pulses.d/db.json:1:7: \"bdoy\" is not a field"), "{doctor:#?}");
    assert!(line(&doctor, '✓', "answer").contains("web-1 answered"), "{doctor:#?}");
    assert_eq!(ill(&doctor).len(), 2, "{doctor:#?}");
}

#[test]
fn of_a_configuration_that_cannot_be_read_no_more_is_said_than_that() {
    let bed = well();
    bed.write("config.json", "{");
    let doctor = bed.run(&["doctor"]);
    let ill: Vec<_> = ill(&doctor).into_iter().filter(|line| !line.contains(" schedule: ")).collect();
    assert!(matches!(&ill[..], [line] if line.contains("configuration: ")), "{doctor:#?}");
    assert_eq!(doctor.code, 1);
}

#[test]
fn a_name_that_every_machine_has_is_refused() {
    let doctor = well().run(&["doctor", "--host", "localhost"]);
    assert!(line(&doctor, '✗', "name").contains("localhost, which every machine has; set \"host\""), "{doctor:#?}");
    assert!(line(&doctor, '✓', "connection").contains("answers"), "{doctor:#?}");
}

#[test]
fn a_secret_that_others_can_read_is_found() {
    let bed = well();
    let text = format!("[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n");
    bed.write("credentials", &text);
    let file = bed.folder.path().join("credentials");
    let doctor = |mode: u32| {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let mut command = bed.command(&["doctor"]);
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        Ended::of(command.env("AWS_SHARED_CREDENTIALS_FILE", "credentials"))
    };
    let open = doctor(0o644);
    assert!(line(&open, '✗', "secrets").contains("credentials has mode 644: everybody"), "{open:#?}");
    assert!(line(&open, '✗', "secrets").ends_with("chmod o-rwx credentials"), "{open:#?}");
    assert!(!open.stdout.contains(SECRET_KEY), "{open:#?}");
    let closed = doctor(0o640);
    assert_eq!(ill(&closed), [] as [&str; 0]);
    assert!(line(&closed, '✓', "credentials").contains("from the profile default in credentials"), "{closed:#?}");
}

#[test]
fn without_credentials_connection_and_clock_are_looked_at_all_the_same() {
    let bed = well();
    bed.set_clock(-100);
    let mut command = bed.command(&["doctor"]);
    let doctor = Ended::of(
        command
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY")
            .env("AWS_EC2_METADATA_DISABLED", "true"),
    );
    assert!(line(&doctor, '✗', "credentials").contains("there are no credentials"), "{doctor:#?}");
    assert!(line(&doctor, '✓', "connection").contains("answers"), "{doctor:#?}");
    assert!(line(&doctor, '✗', "clock").contains("ahead of the store's; set it, and keep it set (NTP)"), "{doctor:#?}");
}

#[test]
fn what_is_wrong_with_the_way_to_the_store_is_told_apart() {
    let bed = well();
    let listens_not = "http://127.0.0.1:1";
    for (variable, value, about, what) in [
        ("AWS_ENDPOINT_URL", "http://no-such-host.invalid", "connection", "does not resolve"),
        ("AWS_ENDPOINT_URL", listens_not, "connection", "the connection was refused"),
        ("AWS_ENDPOINT_URL", &bed.server.endpoint().replace("http:", "https:"), "connection", "TLS"),
        ("http_proxy", listens_not, "connection", "the proxy 127.0.0.1:1"),
        ("PULSE_ECHO_BUCKET", "nobodys", "bucket", "NoSuchBucket"),
        ("AWS_REGION", "eu-west-1", "region", "the bucket is in us-east-1, not in eu-west-1"),
        ("AWS_SECRET_ACCESS_KEY", "wrong", "bucket", "SignatureDoesNotMatch"),
    ] {
        let mut command = bed.command(&["doctor", "--timeout-s", "5"]);
        let doctor = Ended::of(command.env(variable, value));
        assert!(line(&doctor, '✗', about).contains(what), "{variable}={value}: {doctor:#?}");
        assert_eq!((doctor.code, ill(&doctor).len()), (1, 1), "{doctor:#?}");
    }
}

/// The host's pulse is there. Everything else is denied, as AWS does to a caller who may not list.
#[test]
fn rights_that_are_missing_are_named_with_the_policys_words() {
    let server = Server::replying(|head| {
        let is_pulse = head.starts_with("GET /pulses/pulse/web-1.json?");
        let denied = Reply::s3_error(403, "AccessDenied", "Access Denied");
        let pulse = || Reply::of(200, "{}").with("last-modified", date(-20)).with("etag", "\"e\"");
        if is_pulse { pulse() } else { denied }.with("date", date(0))
    });
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    let doctor = Ended::of(bed.command(&["doctor"]).env("AWS_ENDPOINT_URL", server.endpoint()));
    assert!(
        line(&doctor, '✗', "rights").contains("may not put pulse/web-1.json; the policy must allow s3:PutObject on it"),
        "{doctor:#?}"
    );
    let denied = "✗ rights: may not read echo/web-1.json and fault/web-1.json, or neither is there yet; the policy \
                  must allow s3:GetObject";
    assert!(doctor.stdout.contains(denied), "{doctor:#?}");
    let puts: Vec<_> = server.heads().into_iter().filter(|head| head.starts_with("PUT ")).collect();
    assert!(puts.len() == 1 && puts[0].contains("if-match: \"00000000000000000000000000000000\""), "{puts:?}");
}

#[test]
fn a_store_that_does_not_know_conditions_is_found_out() {
    let server = Server::replying(|head| {
        match head.split(' ').next() {
            Some("PUT") => Reply::ok(),
            _ => Reply::s3_error(404, "NoSuchKey", "The specified key does not exist."),
        }
        .with("date", date(0))
    });
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    let doctor = Ended::of(bed.command(&["doctor"]).env("AWS_ENDPOINT_URL", server.endpoint()));
    assert!(line(&doctor, '✗', "rights").contains("this store does not know conditions"), "{doctor:#?}");
}

#[test]
fn a_service_that_passes_with_the_status_of_an_error_is_warned_of() {
    let bed = well();
    bed.write("pulse.json", r#"{"url": "https://example.com/", "contains": "ok"}"#);
    bed.answer_with(&id("web-1"), 503);
    let warned = "web-1 passes though its status is 503: with body or contains any status does; set \"status\"";
    let doctor = bed.run(&["doctor"]);
    assert!(line(&doctor, '✗', "status").contains(warned), "{doctor:#?}");
    // As good as an error that the pulse names, or none.
    bed.answer_with(&id("web-1"), 302);
    assert_eq!(ill(&bed.run(&["doctor"])), Vec::<&str>::new());
    bed.write("pulse.json", r#"{"url": "https://example.com/", "contains": "ok", "status": 503}"#);
    bed.answer_with(&id("web-1"), 503);
    assert_eq!(ill(&bed.run(&["doctor"])), Vec::<&str>::new());
}

#[test]
fn a_loop_that_is_stopped_is_found() {
    let bed = well();
    let now = bed.store().get(&Key::mark(), 0).unwrap().date;
    bed.put(&Key::mark(), &Mark { stopped: Some(now), ..Mark::default() }.to_json(), &Metadata::new());
    let doctor = bed.run(&["doctor"]);
    let line = line(&doctor, '✗', "loop");
    assert!(
        line.contains("the loop has been stopped since 20") && line.contains("pulse-echo loop start"),
        "{doctor:#?}"
    );
    assert_eq!(ill(&doctor).len(), 1, "{doctor:#?}");
}

#[test]
fn the_name_of_an_image_is_warned_of() {
    let doctor = well().run(&["doctor", "--host", "ubuntu"]);
    assert!(line(&doctor, '✗', "name").contains("as machines are called before they have a name"), "{doctor:#?}");
    assert!(line(&doctor, '✗', "name").contains("set \"host\""), "{doctor:#?}");
}

#[test]
fn a_dry_run_says_all_that_send_needs_and_sends_nothing() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    bed.write("other.json", "{}");
    let rehearsed = bed.run(&["send", "--dry-run"]);
    assert_eq!((rehearsed.code, rehearsed.stderr.as_str(), ill(&rehearsed)), (0, "", vec![]), "{rehearsed:#?}");
    for (about, what) in [
        ("configuration", "config.json"),
        ("name", "web-1"),
        ("pulse", "./pulse.json is web-1"),
        ("credentials", "from the environment"),
        ("connection", "bucket \"pulses\" at http://127.0.0.1:"),
        ("rights", "may put pulse/web-1.json"),
    ] {
        assert!(line(&rehearsed, '✓', about).contains(what), "{rehearsed:#?}");
    }
    let one = bed.run(&["send", "--dry-run", "--pulse", "other.json", "--name", "db", "--splay", "3600"]);
    assert!(one.code == 0 && line(&one, '✓', "rights").contains("may put pulse/web-1/db.json"), "{one:#?}");
    let missing = bed.run(&["send", "--dry-run", "--pulse", "gone.json"]);
    assert!(
        missing.code == 1 && line(&missing, '✗', "pulse").contains("cannot read the pulse gone.json"),
        "{missing:#?}"
    );
    let quiet = bed.run(&["send", "--dry-run", "-q"]);
    assert_eq!((quiet.code, quiet.stdout.as_str()), (0, ""));
    assert_eq!(bed.keys(), [] as [&str; 0]);
}

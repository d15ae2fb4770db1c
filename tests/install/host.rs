//! A host with the package, and a site for it: the embedded S3, the probe and the loop.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::answer::{Cause, Fault};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::store::Object;
use pulse_echo_local::s3::{KeyPair, Options};
use pulse_echo_local::system::System;
use tempfile::TempDir;

use crate::cron::{Cron, has_mailed};
use crate::packages::{CRON_FILE, checkout, cron_file, deb, tarball};
use crate::root::Root;
use crate::tools::run;
use pulse_echo_testkit::agent::Ended;
use pulse_echo_testkit::store::{ACCESS_KEY, BUCKET, SECRET_KEY, id, store};

/// This host's share of two minutes is 0.04 s.
const HOST: &str = "web-731";

struct Site {
    system: System,
    _data: TempDir,
}

impl Site {
    fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let keys = KeyPair::new(ACCESS_KEY, SECRET_KEY);
        let options = Options::new(data.path().join("data"), BUCKET, keys);
        let system = System::start(options, Environment::new(&|_| None)).unwrap();
        Self { system, _data: data }
    }

    /// Writes the operator's files. The credentials' mode and owner are the package's.
    fn set_up(&self, root: &Root) {
        let config =
            format!("{{\"bucket\": \"{BUCKET}\", \"endpoint\": \"{}\", \"host\": \"{HOST}\"}}", self.system.endpoint());
        root.write("etc/pulse-echo/config.json", &config);
        root.write("etc/pulse-echo/pulse.json", "{}");
        let keys = format!("[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n");
        root.write("etc/pulse-echo/credentials", &keys);
    }

    /// The pulse's own id, if it is there.
    fn pulse_id(&self, host: &str) -> Option<String> {
        let object = store(&self.system.endpoint()).get(&Key::pulse(&id(host)), 0).ok()?;
        object.metadata.get("pulse-id").cloned()
    }

    fn wait_for_echo(&self) {
        self.wait_for(&Key::echo(&id(HOST)));
    }

    fn wait_for(&self, key: &Key) -> Object {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            match store(&self.system.endpoint()).get(key, 100_000) {
                Ok(object) => return object,
                Err(error) => assert!(Instant::now() < until, "no {key}: {error}"),
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn with_deb() -> Root {
    let root = Root::new();
    root.ok(&["dpkg", "-i", &root.take(&deb("amd64"))]);
    root
}

pub fn cron_sends_keeps_silent_and_steps_back() {
    let (root, site) = (with_deb(), Site::start());
    assert_eq!(root.read(CRON_FILE), cron_file());

    let told = Cron::start(&root).runs_the_line();
    assert!(!has_mailed(&told), "it is not set up yet: {told:#?}");
    assert_eq!(site.pulse_id(HOST), None);

    site.set_up(&root);
    let mut cron = Cron::start(&root);
    let told = cron.runs_the_line();
    assert!(!has_mailed(&told) && told.iter().any(|line| line.contains("(pulse-echo) CMD (")), "{told:#?}");
    let first = site.pulse_id(HOST).expect("cron has sent it");
    let doctor = root.run(&["pulse-echo", "doctor"]);
    assert!(
        doctor.stdout.contains("\n✓ schedule: cron, by /etc/cron.d/pulse-echo as pulse-echo, every 10 min\n"),
        "{doctor:?}"
    );
    // As its user, with its environment: the keys that this user may not read are told.
    assert!(doctor.stdout.contains("\n✓ as pulse-echo: the same command can send"), "{doctor:?}");
    root.ok(&["chgrp", "root", "/etc/pulse-echo/credentials"]);
    let shut = root.run(&["pulse-echo", "doctor"]);
    let why = "\n✗ as pulse-echo: credentials: only the group pulse-echo may read /etc/pulse-echo/credentials";
    assert!(shut.stdout.contains(why), "{shut:?}");
    root.ok(&["chgrp", "pulse-echo", "/etc/pulse-echo/credentials"]);
    drop(cron);
    root.ok(&["rm", "/run/crond.pid"]);
    let doctor = root.run(&["pulse-echo", "doctor"]);
    assert!(
        doctor.code == 1 && doctor.stdout.contains("\n✗ schedule: /etc/cron.d/pulse-echo is there, but no cron"),
        "{doctor:?}"
    );

    // Where systemd runs and the timer is enabled, cron runs the line and the line does nothing.
    root.boot();
    root.enable_timer();
    let told = Cron::start(&root).runs_the_line();
    assert!(!has_mailed(&told), "{told:#?}");
    assert_eq!(site.pulse_id(HOST), Some(first.clone()));
    let doctor = root.run(&["pulse-echo", "doctor"]);
    assert!(
        doctor.stdout.contains("✓ schedule: systemd's timer pulse-echo.timer as pulse-echo, every 10 min\n"),
        "{doctor:?}"
    );
    // The timer starts the same command as cron.
    let service = root.read("usr/lib/systemd/system/pulse-echo.service");
    let command = service.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    assert!(cron_file().ends_with(&format!(" || {command}\n")), "{command}");
    let sent = root.run_as("pulse-echo", &command.split(' ').collect::<Vec<_>>());
    assert_eq!((sent.code, sent.stdout + &sent.stderr), (0, String::new()));
    let second = site.pulse_id(HOST);
    assert!(second.is_some() && second != Some(first));

    // The timer is enabled, but systemd does not run, as in a container: cron sends.
    root.ok(&["rm", "-r", "/run/systemd"]);
    Cron::start(&root).runs_the_line();
    assert_ne!(site.pulse_id(HOST), second);

    // A failed send is mailed, so the silence above means something.
    drop(site);
    let told = Cron::start(&root).runs_the_line();
    assert!(has_mailed(&told), "{told:#?}");
}

/// A real crontab runs a job that fails, and is mended; another user's job has no keys at first.
pub fn cron_runs_a_job_that_fails_and_is_mended() {
    let (root, site) = (with_deb(), Site::start());
    site.set_up(&root);
    root.ok(&["rm", &format!("/{CRON_FILE}")]);
    root.add_user("www", None);
    let job = |text: &str| {
        root.write("usr/local/bin/backup", &format!("#!/bin/sh\n{text}\n"));
        root.ok(&["chmod", "755", "/usr/local/bin/backup"]);
    };
    let line = |user: &str| {
        let command = "pulse-echo exec --name backup --every 1m -- /usr/local/bin/backup --full";
        root.write("etc/cron.d/backup", &format!("* * * * * {user} {command}\n"));
    };
    job("echo \"cannot dump $1: PGPASSWORD=hunter2, disk full\" >&2; exit 3");
    line("root");
    let mut cron = Cron::start_fast(&root);
    let told = cron.hears("(root) END (pulse-echo exec");
    assert!(has_mailed(&told), "what the job said is mailed as ever: {told:#?}");
    let fault = site.wait_for(&Key::fault(&backup()));
    let fault = Fault::from_json(&fault.body.unwrap()).unwrap();
    assert_eq!(fault.cause, Cause::Job);
    assert!(fault.reason.starts_with("the job failed with exit code 3 after "), "{fault:?}");
    assert!(fault.reason.ends_with("its last words: cannot dump --full: PGPASSWORD=*** disk full"), "{fault:?}");

    job("exit 0");
    cron.hears("(root) END (pulse-echo exec");
    site.wait_for(&Key::echo(&backup()));
    let doctor = root.run(&["pulse-echo", "doctor"]);
    for said in [
        "✓ schedule: cron, by /etc/cron.d/backup as root, the job backup, every 60 s",
        "✓ pulse: web-731/backup is a job, promised every 1m",
        "✓ as root: the same command can send",
    ] {
        assert!(doctor.stdout.contains(said), "{said}: {doctor:?}");
    }
    drop(cron);

    line("www");
    let mut cron = Cron::start_fast(&root);
    let told = cron.hears("(www) END (pulse-echo exec");
    assert!(has_mailed(&told), "it says that it has no keys: {told:#?}");
    let doctor = root.run(&["pulse-echo", "doctor"]);
    let remedy = "usermod -aG pulse-echo www";
    let shut = format!("so that www cannot read it: {remedy}\n");
    assert!(doctor.stdout.contains(&shut), "{doctor:?}");
    root.ok(&remedy.split(' ').collect::<Vec<_>>());
    let told = cron.hears("(www) END (pulse-echo exec");
    let told = if has_mailed(&told) { cron.hears("(www) END (pulse-echo exec") } else { told };
    assert!(!has_mailed(&told), "{told:#?}");
    assert!(root.run(&["pulse-echo", "doctor"]).stdout.contains("✓ as www: the same command can send"));
}

/// Of two jobs in the same minute one hangs: each has its own answer.
pub fn cron_runs_two_jobs_at_once_and_one_hangs() {
    let (root, site) = (with_deb(), Site::start());
    site.set_up(&root);
    root.ok(&["rm", &format!("/{CRON_FILE}")]);
    let exec = "* * * * * root pulse-echo exec --every 1m";
    root.write(
        "etc/cron.d/jobs",
        &format!("{exec} --name hangs --timeout 5s -- sleep 600\n{exec} --name beside -- true\n"),
    );
    let mut cron = Cron::start_fast(&root);
    let told = cron.hears("(root) END (pulse-echo exec --every 1m --name hangs");
    assert!(has_mailed(&told), "that it was ended is mailed: {told:#?}");
    let fault = site.wait_for(&Key::fault(&id(&format!("{HOST}/hangs"))));
    let fault = Fault::from_json(&fault.body.unwrap()).unwrap();
    assert!(fault.reason.starts_with("the job did not end within 5 s (--timeout) and was stopped after "), "{fault:?}");
    site.wait_for(&Key::echo(&id(&format!("{HOST}/beside"))));
}

fn backup() -> CheckId {
    CheckId::new(&HOST.parse().unwrap(), Some(&"backup".parse().unwrap()))
}

pub fn check_is_for_the_group() {
    let (root, site) = (with_deb(), Site::start());
    site.set_up(&root);
    root.add_user("nagios", Some("pulse-echo"));
    root.add_user("visitor", None);
    assert_eq!(root.run_as("pulse-echo", &["pulse-echo", "send", "--quiet"]).code, 0);
    site.wait_for_echo();

    let check = root.run_as("nagios", &["pulse-echo", "check"]);
    assert!(check.code == 0 && check.stdout.starts_with("ECHO OK - web-731 answered "), "{check:?}");

    let check = root.run_as("visitor", &["pulse-echo", "check"]);
    let what = "only the group pulse-echo may read /etc/pulse-echo/credentials";
    assert!(check.code == 3 && check.stdout.starts_with(&format!("ECHO UNKNOWN - {what}")), "{check:?}");
    assert!(check.stdout.contains(&format!("\nUNKNOWN: {what}; ")), "{check:?}");
    assert!(check.stdout.lines().next().unwrap().chars().count() < 80, "{check:?}");
}

pub fn doctor_knows_the_group() {
    let (root, site) = (with_deb(), Site::start());
    site.set_up(&root);
    let secrets = || {
        let said = root.run(&["pulse-echo", "doctor"]).stdout;
        said.lines().filter(|line| line.contains(" secrets: ")).map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(secrets(), [] as [&str; 0]);
    root.ok(&["chgrp", "root", "/etc/pulse-echo/credentials"]);
    let remedy = "chgrp pulse-echo /etc/pulse-echo/credentials; chmod 640 /etc/pulse-echo/credentials";
    let what =
        "✗ secrets: /etc/pulse-echo/credentials is not of a group of pulse-echo's, so that pulse-echo cannot read it";
    assert_eq!(secrets(), [format!("{what}: {remedy}")]);
    assert_eq!(root.run_as("pulse-echo", &["pulse-echo", "send"]).code, 2, "and indeed it cannot");
    root.ok(&["sh", "-c", remedy]);
    assert_eq!(secrets(), [] as [&str; 0]);
    assert_eq!(root.run_as("pulse-echo", &["pulse-echo", "send"]).code, 0);
}

pub fn the_program_for_arm_sends() {
    let (folder, site) = (tempfile::tempdir().unwrap(), Site::start());
    run(Command::new("dpkg-deb").arg("-x").arg(deb("arm64")).arg(folder.path())).unwrap();
    std::fs::write(folder.path().join("pulse.json"), "{}").unwrap();
    let send = Ended::of(
        Command::new("qemu-aarch64-static")
            .arg(folder.path().join("usr/bin/pulse-echo"))
            .args(["send", "--pulse", "pulse.json", "--bucket", BUCKET, "--host", "arm-1", "--endpoint"])
            .arg(site.system.endpoint())
            .current_dir(folder.path())
            .env_clear()
            .envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]),
    );
    assert!(send.code == 0 && site.pulse_id("arm-1").is_some(), "{send:?}");
}

/// The lines for the tarball in `docs/install.md`, run as root.
pub fn the_tarball_is_set_up_as_documented() {
    let (root, site) = (Root::new(), Site::start());
    root.take(&tarball());
    let page = std::fs::read_to_string(checkout().join("docs/install.md")).unwrap();
    let section = page.split("\n## From the tarball\n").nth(1).expect("the page has the section");
    let lines = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let set_up = || root.ok(&["sh", "-euc", &format!("cd /tmp\n{lines}")]);
    set_up();
    site.set_up(&root);
    let keys = root.read("etc/pulse-echo/credentials");
    // The same lines again are the upgrade.
    set_up();
    assert_eq!(root.read("etc/pulse-echo/credentials"), keys);
    assert!(root.files().contains("640 root:pulse-echo /etc/pulse-echo/credentials"));
    let told = Cron::start(&root).runs_the_line();
    assert!(!has_mailed(&told) && site.pulse_id(HOST).is_some(), "{told:#?}");
}

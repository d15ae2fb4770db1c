//! `pulse-echo-local demo` with a script instead of the agent. The tests of the agent cover the walk itself.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_testkit::local::{Running, program};
use tempfile::TempDir;

/// A script that stands for a program.
fn script(folder: &TempDir, text: &str) -> PathBuf {
    let file = folder.path().join("script");
    fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).unwrap();
    file
}

fn demo(agent: &Path, arguments: &[&str]) -> Command {
    let mut command = program(&["demo", "--agent"]);
    command.arg(agent).args(arguments);
    command
}

#[test]
fn an_interrupted_demo_leaves_neither_the_agent_nor_its_folder() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let (folder, temporary) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let started = folder.path().join("started");
        let agent = script(&folder, &format!("echo $$ > {0}.new && mv {0}.new {0}\nexec sleep 60", started.display()));
        let demo = Running::of(demo(&agent, &[]).env("TMPDIR", temporary.path()));
        let begun = Instant::now();
        while !started.exists() {
            assert!(begun.elapsed() < Duration::from_secs(20), "the agent does not start");
            thread::sleep(Duration::from_millis(10));
        }
        demo.signal(signal);
        let ended = demo.end();
        assert_eq!(ended.status.code(), Some(code), "{ended:?}");
        assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "its folder is left");
        let agent = fs::read_to_string(&started).unwrap();
        let there = Command::new("kill").args(["-0", agent.trim()]).stderr(Stdio::null()).status().unwrap();
        assert!(!there.success(), "the agent is left running");
    }
}

#[test]
fn what_cannot_be_walked_is_refused_before_the_first_step() {
    let folder = TempDir::new().unwrap();
    let agent = script(&folder, "exit 0");
    let missing = folder.path().join("missing");
    for (command, sentence) in [
        (
            &mut demo(&agent, &["--url", "example.com"]),
            "pulse-echo-local: --url: it is no URL; it must begin with http:// or https://".to_owned(),
        ),
        (&mut demo(&missing, &[]), format!("pulse-echo-local: --agent: there is no program {}", missing.display())),
    ] {
        let ended = Running::of(command).end();
        assert_eq!((ended.status.code(), ended.stdout.as_str(), ended.stderr), (Some(1), "", sentence));
    }
}

#[test]
fn a_demo_that_nobody_can_read_does_not_panic() {
    let folder = TempDir::new().unwrap();
    let agent = script(&folder, "echo no pulse was sent; exit 3");
    let ended = Running::of(demo(&agent, &[]).stdout(File::create("/dev/full").unwrap())).end();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = Running::of(demo(&agent, &[]).stdout(writer.try_clone().unwrap()).stderr(writer)).end();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
}

#[test]
fn make_hands_on_a_url_and_a_body_as_they_are_typed() {
    let folder = TempDir::new().unwrap();
    let calls = folder.path().join("calls");
    let cargo = script(&folder, &format!("for a; do printf '%s\\n' \"$a\"; done >> {}", calls.display()));
    let make = |variables: &[&str]| {
        let mut make = Command::new("make");
        make.args(["--silent", "-C", concat!(env!("CARGO_MANIFEST_DIR"), "/.."), "demo"]).args(variables);
        make.arg(format!("CARGO={}", cargo.display())).env_remove("MAKEFLAGS").output().expect("there is make")
    };
    let url = "http://127.0.0.1:1/?a=b&c='d'";
    let trace = folder.path().join("trace");
    let touch = format!("touch {}", trace.display());
    let body = format!("it's \"ok\" $HOME $(shell {touch}) `{touch}`'; {touch}; '");
    make(&[&format!("URL={url}"), &format!("BODY={body}")]);
    assert!(!trace.exists(), "the body was run");
    let called = fs::read_to_string(&calls).unwrap();
    assert!(called.ends_with(&format!("\ndemo\n--url\n{url}\n--body\n{body}\n")), "{called}");

    fs::remove_file(&calls).unwrap();
    make(&[]);
    assert!(fs::read_to_string(&calls).unwrap().ends_with("\ndemo\n"));

    fs::remove_file(&calls).unwrap();
    let refused = make(&["BODY=ok"]);
    let complaint = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && !calls.exists(), "nothing is built for it");
    assert!(complaint.contains("BODY is what URL is to answer: give URL too"), "{complaint}");
}

//! How jobs end, and what is told of it.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use pulse_echo_core::job::End;
use pulse_echo_core::name::Key;
use pulse_echo_local::demo::Service;
use pulse_echo_testkit::server::{Reply, Server};

use crate::site::{Site, check, is_ignored, wait_until};

#[test]
fn a_job_that_fails_is_a_fault_with_its_last_words_and_once_mended_an_echo() {
    let site = Site::new();
    let failed = site.exec("echo dumping; echo 'dump: disk full' >&2; exit 3");
    assert_eq!((failed.code, failed.stdout.as_str(), failed.stderr.as_str()), (3, "dumping\n", "dump: disk full\n"));
    let reason = site.reason();
    assert!(reason.starts_with("the job failed with exit code 3 after "), "{reason}");
    assert!(reason.contains("; its last words: ") && reason.contains("dump: disk full"), "{reason}");
    let checked = site.agent(&["check", "--name", "job"]);
    assert!(checked.stdout.starts_with("ECHO CRITICAL - web-1/job: the job failed with exit code 3"), "{checked:?}");
    assert!(checked.stdout.contains("look at what the job wrote"), "{checked:?}");

    let mended = site.exec("echo dumped");
    assert_eq!((mended.code, mended.stdout.as_str(), mended.stderr.as_str()), (0, "dumped\n", ""));
    assert_eq!(site.echo("job").status, None, "nothing was fetched");
    assert!(site.agent(&["check", "--name", "job"]).stdout.starts_with("ECHO OK - web-1/job answered "));
    let pulse = site.get(&Key::pulse(&check("job"))).unwrap();
    assert_eq!(pulse.body.unwrap(), b"{\"every_s\": 86400, \"grace_s\": 3600}");
}

#[test]
fn an_address_is_fetched_after_a_good_job_and_not_after_a_bad_one() {
    let (site, service) = (Site::new(), Service::start().unwrap());
    let content = format!("{{\"every_s\": 3600, \"url\":  \"{}\",\n \"body\": \"ok\"}}\n", service.url());
    site.write("jobs.d/job.json", &content);
    service.breaks();
    assert_eq!(site.exec("exit 1").code, 1);
    let fault = site.fault("job");
    assert_eq!((fault.status, fault.url), (None, None), "{}", fault.reason);
    assert!(fault.reason.starts_with("the job failed"), "{}", fault.reason);
    assert_eq!(site.exec("exit 0").code, 0);
    assert_eq!(site.fault("job").status, Some(500), "the job did well, its service does not");
    service.mended();
    assert_eq!(site.exec("exit 0").code, 0);
    assert_eq!(site.echo("job").status, Some(200));
    let pulse = site.get(&Key::pulse(&check("job"))).unwrap();
    assert_eq!(pulse.body.unwrap(), content.as_bytes(), "byte for byte as the operator wrote it");
}

#[test]
fn a_job_that_hangs_is_ended_with_all_that_it_started() {
    let site = Site::new();
    let script = "echo waiting for the lock; sleep 1000 & echo $! >child; exec sleep 1000";
    let ended = site.agent(&["exec", "--name", "job", "--timeout", "1s", "--", "sh", "-c", script]);
    assert_eq!((ended.code, ended.stdout.as_str()), (124, "waiting for the lock\n"), "{ended:?}");
    assert!(ended.complaint().contains("the job has not ended within 1s (--timeout)"), "{ended:?}");
    let reason = site.reason();
    assert!(reason.starts_with("the job did not end within 1 s (--timeout) and was stopped after "), "{reason}");
    assert!(reason.ends_with("signal 15 (TERM); its last words: waiting for the lock"), "{reason}");
    let child = site.read("child").unwrap();
    wait_until(|| !is_running(&child));
}

#[test]
fn a_job_that_does_not_hear_term_is_killed() {
    let site = Site::new();
    let script = "trap '' TERM; sh -c 'sleep 1000; true' & echo $! >child; while :; do sleep 1; done";
    let ended = site.agent(&["exec", "--name", "job", "--timeout", "1s", "--", "sh", "-c", script]);
    assert_eq!(ended.code, 124, "{ended:?}");
    assert_eq!((site.outcome().end, site.outcome().timeout_s), (End::Signal(9), Some(1)));
    let child = site.read("child").unwrap();
    wait_until(|| !is_running(&child));
}

#[test]
fn what_a_hanging_job_leaves_behind_is_killed_though_the_job_itself_obeyed() {
    let site = Site::new();
    let script = "sh -c 'trap \"\" TERM; echo $$ >child; while :; do sleep 1; done' >/dev/null 2>&1 & \
                  trap 'exit 0' TERM; while :; do sleep 0.1; done";
    let ended = site.agent(&["exec", "--name", "job", "--timeout", "1s", "--", "sh", "-c", script]);
    assert_eq!(ended.code, 124, "{ended:?}");
    assert_eq!(site.outcome().end, End::Exit(0));
    assert!(site.reason().contains("did not end within 1 s"), "an exit code of 0 does not make it good");
    let child = site.read("child").unwrap();
    wait_until(|| !is_running(&child));
}

#[test]
fn a_stopped_job_hears_term_too_and_what_it_started_has_time_to_end_well() {
    let site = Site::new();
    // The child is slower than the job, which obeys at once.
    let script = "sh -c 'trap \"sleep 1; touch child-cleaned; exit\" TERM; touch child-ready; \
                  while :; do sleep 0.1; done' >/dev/null 2>&1 & trap 'touch cleaned; exit 0' TERM; \
                  while [ ! -e child-ready ]; do sleep 0.1; done; \
                  kill -STOP $$";
    let ended = site.agent(&["exec", "--name", "job", "--timeout", "2s", "--", "sh", "-c", script]);
    assert_eq!((ended.code, site.outcome().end), (124, End::Exit(0)), "{ended:?}");
    assert!(site.read("cleaned").is_some() && site.read("child-cleaned").is_some());
}

fn is_running(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[test]
fn a_job_that_is_killed_is_told_with_its_signal() {
    let site = Site::new();
    let ended = site.exec("kill -9 $$");
    assert_eq!((ended.code, ended.stderr.as_str()), (137, ""));
    assert!(site.reason().starts_with("the job was ended by signal 9 (KILL) after "), "{}", site.reason());
}

#[test]
fn two_jobs_at_once_have_two_names_and_two_answers() {
    let site = Site::new();
    let start = |name: &str, script: &str| {
        site.command(&["exec", "--name", name, "--", "sh", "-c", script]).stdin(Stdio::null()).spawn().unwrap()
    };
    let wait = "while [ ! -e go ]; do sleep 0.02; done";
    let mut one = start("one", &format!("{wait}; exit 1"));
    let mut two = start("two", &format!("{wait}; exit 0"));
    site.write("go", "");
    assert_eq!(one.wait().unwrap().code(), Some(1));
    assert_eq!(two.wait().unwrap().code(), Some(0));
    assert!(site.fault("one").reason.contains("exit code 1"));
    site.echo("two");
}

#[test]
fn signals_are_passed_on_to_the_job_and_its_children_and_the_jobs_answer_counts() {
    let site = Site::new();
    let signals = [("TERM", 15, 7), ("HUP", 1, 8), ("USR1", 10, 9), ("USR2", 12, 10), ("INT", 2, 11), ("QUIT", 3, 12)];
    for (signal, _, code) in signals.into_iter().filter(|(_, number, _)| !is_ignored(*number)) {
        // In the background the shell ignores INT and QUIT.
        let has_child = code < 11;
        let child = "sh -c 'trap \"echo child >heard; exit\" SIGNAL; touch ready; while :; do sleep 0.02; done' &";
        let begins = if has_child { child.replace("SIGNAL", signal) } else { "touch ready;".into() };
        let script = format!("trap 'exit {code}' {signal}; {begins} while :; do sleep 0.02; done");
        let mut exec = site.command(&["exec", "--name", "job", "--", "sh", "-c", &script]).spawn().unwrap();
        wait_until(|| site.read("ready").is_some());
        let killed = Command::new("kill").args(["-s", signal, &exec.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert_eq!(exec.wait().unwrap().code(), Some(code), "{signal}");
        assert_eq!(site.outcome().end, End::Exit(code.try_into().unwrap()), "{signal}");
        wait_until(|| !has_child || site.read("heard").is_some());
        std::fs::remove_file(site.folder.path().join("ready")).unwrap();
        let _ = std::fs::remove_file(site.folder.path().join("heard"));
    }
}

#[test]
fn a_job_that_cannot_be_started_ends_as_in_a_shell_and_is_told() {
    let site = Site::new();
    let script = site.write("not-executable", "#!/bin/sh\n");
    for (program, code, why) in
        [("/no/such/job", 127, "no such file or directory"), (script.to_str().unwrap(), 126, "permission denied")]
    {
        let ended = site.agent(&["exec", "--name", "job", "--", program]);
        ended.assert(code, &format!("pulse-echo: {program}: {why}\n"));
        let reason = site.reason();
        let begins = format!("the job could not be started: exit code {code}; its last words: ");
        assert!(reason.starts_with(&begins) && reason.ends_with(why), "{reason}");
    }
}

#[test]
fn a_script_without_an_interpreter_is_run_by_sh_also_by_its_name_in_path() {
    let site = Site::new();
    let script = site.write("bin/ns.sh", "echo \"said $2\"; exit 4\n");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    // A file of that name in the current directory is another one.
    site.write("ns.sh", "echo another\n");
    let path = format!("/no/such:{}:/usr/bin:/bin", script.parent().unwrap().display());
    for program in ["bin/ns.sh", "ns.sh"] {
        let job = ["exec", "--name", "job", "--", program, "", "a  $b"];
        let ended = pulse_echo_testkit::agent::Ended::of(site.command(&job).env("PATH", &path));
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (4, "said a  $b\n", ""), "{program}");
        assert_eq!(site.outcome().end, End::Exit(4), "{program}");
    }
}

#[test]
fn a_mistake_in_the_options_runs_nothing() {
    let site = Site::new();
    let job = ["--", "touch", "ran"];
    for (options, why) in [
        (&["--name", "a/b"][..], "may not enter a key"),
        (&["--name", "job", "--timeout", "soon"], "is not a time such as 90s"),
        (&["--nmae", "job"], "--nmae"),
        (&[], "--name"),
    ] {
        let ended = site.agent(&[&["exec"], options, &job].concat());
        ended.assert(2, why);
        ended.complaint();
    }
    site.agent(&["exec", "--name", "job", "touch", "ran"]).assert(2, "there is no job: write it behind --");
    assert_eq!(site.read("ran"), None);
}

#[test]
fn whatever_is_wrong_with_the_pulse_is_one_line_and_the_jobs_code_stays() {
    let site = Site::new();
    let job = ["exec", "--name", "job", "--", "sh", "-c", "echo said; exit 5"];
    let assert = |what: &str, command: &mut Command| {
        let ended = pulse_echo_testkit::agent::Ended::of(command);
        assert_eq!((ended.code, ended.stdout.as_str()), (5, "said\n"), "{what}: {ended:?}");
        let begins = "pulse-echo: the pulse of the job job was not sent: ";
        assert!(ended.complaint().starts_with(begins), "{what}: {ended:?}");
    };
    assert("the store is away", site.command(&job).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1"));
    assert("a wrong key", site.command(&job).env("AWS_SECRET_ACCESS_KEY", "another"));
    assert("no key", site.command(&job).env_remove("AWS_ACCESS_KEY_ID"));
    assert("no configuration", site.command(&job).env("PULSE_ECHO_CONFIG", "gone.json"));
    let not_utf_8 = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff");
    assert("a variable that cannot be read", site.command(&job).env("AWS_REGION", not_utf_8));
    site.write("jobs.d/job.json", "{\"evry_s\": 1}");
    assert("a file that is refused", &mut site.command(&job));
    site.write("config.json", "{");
    assert("a configuration that is refused", &mut site.command(&job));
}

#[test]
fn a_store_that_does_not_answer_costs_ten_seconds_and_no_more() {
    let (site, server) = (Site::new(), Server::replying(|_| Reply::Silence));
    let ended = pulse_echo_testkit::agent::Ended::of(
        site.command(&["exec", "--name", "job", "--", "sh", "-c", "exit 5"]).env("AWS_ENDPOINT_URL", server.url()),
    );
    assert_eq!(ended.code, 5, "{ended:?}");
    ended.complaint();
    // A `send` takes a minute.
    assert!(ended.took.as_secs() < 40, "{ended:?}");
}

/// As some daemons leave it to what they start. The system then tells nobody how a child ended.
#[test]
fn the_jobs_code_is_known_though_who_started_exec_ignores_sigchld() {
    let site = Site::new();
    let script = "trap '' CHLD; exec \"$0\" exec --name job -- sh -c 'echo said; exit 4'";
    site.write("script", script);
    let ended = pulse_echo_testkit::agent::Ended::of(&mut site.shell("exec bash -c \"$(cat script)\" \"$0\""));
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (4, "said\n", ""));
    assert!(ended.took.as_secs() < 20, "it was told of the end at once: {ended:?}");
    assert!(site.reason().starts_with("the job failed with exit code 4 after "));
}

#[test]
fn a_killed_exec_leaves_the_job_alone() {
    let site = Site::new();
    let script = "touch ready; while [ ! -e go ]; do sleep 0.02; done; touch done";
    let mut exec = site.command(&["exec", "--name", "job", "--", "sh", "-c", script]).spawn().unwrap();
    wait_until(|| site.read("ready").is_some());
    exec.kill().unwrap();
    assert_eq!(exec.wait().unwrap().signal(), Some(9));
    site.write("go", "");
    wait_until(|| site.read("done").is_some());
}

//! What jobs read and write.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use pulse_echo_core::job::TAIL_LIMIT;
use pulse_echo_core::name::Key;

use crate::site::{Site, check, is_ignored, wait_until};

#[test]
fn stdin_and_the_arguments_come_through_byte_for_byte_and_so_does_the_output() {
    let site = Site::new();
    let word = OsStr::from_bytes(b"\xff\x01 --help=");
    let mut command = site.command(&["exec", "--name", "job", "--", "sh", "-c", "printf '<%s>' \"$@\"; cat", "sh"]);
    command.args([word, OsStr::new(""), OsStr::new("-q")]);
    let mut exec = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    exec.stdin.take().unwrap().write_all(b"in\x00\xfe").unwrap();
    let output = exec.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"<\xff\x01 --help=><><-q>in\x00\xfe");
    assert!(output.status.success());
    site.echo("job");
}

#[test]
fn a_gigabyte_of_output_comes_through_and_costs_no_memory() {
    let site = Site::new();
    let job = "head -c 1000000000 /dev/zero; grep VmHWM /proc/$PPID/status >&2; echo the end";
    let mut shell = site.shell("\"$0\" exec --name job -- sh -c \"$JOB\" | wc -c");
    let output = shell.env("JOB", job).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "1000000008");
    let peak = String::from_utf8_lossy(&output.stderr);
    let kib: u64 = peak.split_whitespace().nth(1).unwrap_or_else(|| panic!("{peak}")).parse().unwrap();
    assert!(kib < 20_000, "it has taken {kib} KiB");
    assert!(site.outcome().tail.unwrap().ends_with("the end"));
}

#[test]
fn what_goes_to_one_file_keeps_its_order() {
    let site = Site::new();
    let script = "for n in 1 2 3 4 5 6 7 8 9; do echo out $n; echo err $n >&2; done; exit 1";
    let mut shell = site.shell("\"$0\" exec --name job -- sh -c \"$JOB\" >both 2>&1");
    assert_eq!(shell.env("JOB", script).status().unwrap().code(), Some(1));
    let expected: Vec<_> = (1..10).flat_map(|n| [format!("out {n}"), format!("err {n}")]).collect();
    assert_eq!(site.read("both").unwrap().lines().collect::<Vec<_>>(), expected);
}

#[test]
fn closed_streams_are_no_reason_to_fail() {
    let site = Site::new();
    let status = site.shell("exec \"$0\" exec --name job -- sh -c 'echo said; exit 4' <&- >&- 2>&-").status().unwrap();
    assert_eq!(status.code(), Some(4));
    assert_eq!(site.outcome().tail.as_deref(), Some("said"));
}

#[test]
fn a_reader_that_goes_ends_the_job_as_it_would_without_us() {
    let site = Site::new();
    let script = "{ \"$0\" exec --name job -- yes; echo $? >code; } | head -n 1";
    let output = site.shell(script).output().unwrap();
    assert_eq!((output.stdout, output.stderr), (b"y\n".to_vec(), Vec::new()));
    wait_until(|| site.read("code").is_some_and(|code| code == "141\n"));
    assert!(site.reason().contains("signal 13 (PIPE)"), "{}", site.reason());
}

#[test]
fn a_full_disk_is_said_and_the_job_does_not_go_on_in_vain() {
    let site = Site::new();
    let output = site.shell("exec \"$0\" exec --name job -- yes >/dev/full").output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr, "pulse-echo: cannot write what the job says: No space left on device\n");
}

#[test]
fn what_a_job_leaves_running_can_still_write_and_exec_does_not_wait_for_it() {
    let site = Site::new();
    let script = "(while [ ! -e go ]; do sleep 0.02; done; echo later) & echo now; exit 6";
    let mut exec =
        site.command(&["exec", "--name", "job", "--", "sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    wait_until(|| exec.try_wait().unwrap().is_some());
    assert_eq!(exec.wait().unwrap().code(), Some(6));
    assert_eq!(site.outcome().tail.as_deref(), Some("now"));
    site.write("go", "");
    let mut said = String::new();
    exec.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "now\nlater\n");
}

#[test]
fn the_tail_has_no_secrets_and_the_output_has_all() {
    let site = Site::new();
    let said = "connecting to postgres://bob:hunter2@db/x\nPGPASSWORD=tr0ub4dor\nkey AKIAIOSFODNN7EXAMPLE is denied";
    let ended = site.exec(&format!("echo '{said}'; exit 1"));
    assert_eq!(ended.stdout, format!("{said}\n"));
    let reason = site.reason();
    let shown = "connecting to postgres://***@db/x / PGPASSWORD=*** / key *** is denied";
    assert!(reason.ends_with(shown), "{reason}");
    let metadata = site.get(&Key::pulse(&check("job"))).unwrap().metadata;
    for secret in ["hunter2", "tr0ub4dor", "AKIA"] {
        assert!(!metadata["job-tail"].contains(secret), "{metadata:?}");
    }
}

#[test]
fn the_metadata_of_the_longest_tail_are_within_what_s3_takes() {
    let site = Site::new();
    let long = "ä".repeat(400);
    assert_eq!(site.exec(&format!("echo '{long}'; exit 1")).code, 1);
    assert_eq!(site.outcome().tail.unwrap().len(), TAIL_LIMIT);
    let metadata = site.get(&Key::pulse(&check("job"))).unwrap().metadata;
    let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(bytes < 2_048, "{bytes}: {metadata:?}");
    assert!(site.fault("job").reason.ends_with("ää"));
}

/// `script` gives a command a terminal, and types what comes on its stdin.
fn typed(site: &Site, job: &str, text: &[u8]) -> (Option<i32>, String) {
    let mut shell = site.shell("exec script --quiet --return --command \"'$0' exec --name job -- sh job\" /dev/null");
    site.write("job", job);
    let mut script = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // Nothing is typed before somebody reads: the terminal would throw it away.
    wait_until(|| site.read("ready").is_some());
    let mut keyboard = script.stdin.take().unwrap();
    keyboard.write_all(text).unwrap();
    keyboard.flush().unwrap();
    let mut said = String::new();
    script.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    drop(keyboard);
    (script.wait().unwrap().code(), said)
}

#[test]
fn a_terminal_is_the_jobs_to_read_and_write_and_leaves_no_tail() {
    let site = Site::new();
    let job =
        "for n in 0 1 2; do test -t $n || exit 99; done\ntouch ready\nread line </dev/tty\necho \"got $line\"\nexit 5";
    let (code, said) = typed(&site, job, b"hello\n");
    assert!(code == Some(5) && said.contains("got hello"), "{code:?} {said}");
    assert_eq!(site.outcome().tail, None);
    assert!(site.reason().starts_with("the job failed with exit code 5 after "));
}

#[test]
fn without_cat_exec_waits_for_what_a_job_leaves_running() {
    let site = Site::new();
    let script = "(while [ ! -e go ]; do /bin/sleep 0.02; done; echo later) & echo now; exit 6";
    let mut command = site.command(&["exec", "--name", "job", "--", "/bin/sh", "-c", script]);
    let mut exec = command.env("PATH", "/nowhere").stdout(Stdio::piped()).spawn().unwrap();
    wait_until(|| site.get(&Key::pulse(&check("job"))).is_some());
    site.write("go", "");
    let mut said = String::new();
    exec.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((said.as_str(), exec.wait().unwrap().code()), ("now\nlater\n", Some(6)));
}

/// Runs a script of bash at a terminal; `$AGENT` is the agent. `type_at` types, when it is time.
fn at_a_terminal(site: &Site, script: &str, type_at: impl FnOnce(&mut dyn Write)) -> String {
    site.write("shell", script);
    let script = "AGENT=$0 exec script --quiet --return --command 'bash shell' /dev/null";
    let mut script = site.shell(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut keyboard = script.stdin.take().unwrap();
    type_at(&mut keyboard);
    let mut said = String::new();
    script.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    drop(keyboard);
    script.wait().unwrap();
    said
}

/// A shell with job control stops `exec` by Ctrl-Z, looks at both, and has them go on.
#[test]
fn ctrl_z_stops_exec_with_its_job_and_fg_has_both_go_on() {
    let site = Site::new();
    if is_ignored(20) {
        return;
    }
    site.write("job", "echo $$ >pid\ntouch ready\nread line </dev/tty\necho \"got $line\"\nexit 5");
    let shell = "set -m\n\"$AGENT\" exec --name job -- sh job\necho stopped $?\n\
                 cut -d' ' -f3 /proc/$(jobs -p)/stat /proc/$(cat pid)/stat >states\nfg\necho ended $?\n";
    let said = at_a_terminal(&site, shell, |keyboard| {
        wait_until(|| site.read("ready").is_some());
        keyboard.write_all(b"\x1a").unwrap();
        wait_until(|| site.read("states").is_some_and(|states| states.lines().count() == 2));
        keyboard.write_all(b"hello\n").unwrap();
    });
    assert_eq!(site.read("states").unwrap(), "T\nT\n", "{said}");
    for expected in ["stopped 147", "got hello", "ended 5"] {
        assert!(said.contains(expected), "{said}");
    }
    assert!(site.reason().starts_with("the job failed with exit code 5 after "));
}

#[test]
fn a_job_in_the_background_does_not_take_the_terminal_and_reads_it_once_in_the_foreground() {
    let site = Site::new();
    // The first ends in the background. The second is stopped since it reads there.
    let shell = "set -m\n\"$AGENT\" exec --name job -- sh -c 'exit 3' &\nwait $!\necho first $?\n\
                 touch asked\nread line </dev/tty\necho \"shell got $line\"\n\
                 \"$AGENT\" exec --name job -- sh -c 'read line </dev/tty; echo job got $line; exit 6' &\n\
                 for n in $(seq 1000); do jobs -s | grep -q . && break; sleep 0.02; done\ntouch ready\nfg\n\
                 echo second $?\n";
    let said = at_a_terminal(&site, shell, |keyboard| {
        wait_until(|| site.read("asked").is_some());
        keyboard.write_all(b"one\n").unwrap();
        wait_until(|| site.read("ready").is_some());
        keyboard.write_all(b"two\n").unwrap();
    });
    for expected in ["first 3", "shell got one", "job got two", "second 6"] {
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_job_that_ends_in_the_background_leaves_the_terminal_to_the_job_that_has_it() {
    let site = Site::new();
    let shell = "set -m\n\
                 (\"$AGENT\" exec --name job -- sh -c 'while [ ! -e go ]; do sleep 0.02; done'; touch ended) &\n\
                 sh -c 'touch go; while [ ! -e ended ]; do sleep 0.02; done; touch asked; read line </dev/tty; \
                 echo \"the other got $line\"'\n";
    let said = at_a_terminal(&site, shell, |keyboard| {
        wait_until(|| site.read("asked").is_some());
        keyboard.write_all(b"this\n").unwrap();
    });
    assert!(said.contains("the other got this"), "{said}");
}

#[test]
fn ctrl_c_ends_the_job_and_is_told() {
    let site = Site::new();
    if is_ignored(2) {
        return;
    }
    let (code, _) = typed(&site, "touch ready; exec sleep 1000", b"\x03");
    assert_eq!(code, Some(130));
    assert!(site.reason().contains("signal 2 (INT)"), "{}", site.reason());
}

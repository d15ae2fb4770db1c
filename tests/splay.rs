//! `send` as a fleet's cron runs it: many at once, spread, each saying how it is, none leaving anything on its host.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use pulse_echo_core::name::Key;
use pulse_echo_core::pulse::Sending;
use pulse_echo_testkit::agent::Ended;
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::store::id;
use pulse_echo_testkit::tally::left_out;

#[test]
fn two_hundred_runs_at_once_all_arrive() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    let hosts: BTreeSet<_> = (0..200).map(|n| format!("web-{n}")).collect();
    let run = |host: &String| {
        let mut command = bed.command(&["send", "-q", "--host", host]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = hosts.iter().map(run).collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
    let expected: BTreeSet<_> = hosts.iter().map(|host| format!("pulse/{host}.json")).collect();
    assert_eq!(bed.keys().into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn a_pulse_says_how_its_machine_is_and_which_it_is() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    assert_eq!(bed.run(&["send", "-q"]).code, 0);
    let metadata = bed.store().get(&Key::pulse(&id("web-1")), 0).unwrap().metadata;
    let sending = Sending::from_metadata(&metadata);
    assert_eq!(sending.to_metadata(), metadata, "each is of the form that is believed");
    let vitals = sending.vitals;
    assert!(vitals.uptime_s.is_some() && vitals.load1.is_some(), "{metadata:?}");
    assert!(vitals.mem_available_kb.is_some() && vitals.disk_free_pct.is_some(), "{metadata:?}");
    let size: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(size < 2048, "{metadata:?}");
    if let Ok(machine_id) = std::fs::read_to_string("/etc/machine-id") {
        assert!(sending.instance.is_some_and(|instance| instance != machine_id.trim()), "{metadata:?}");
    }
}

#[test]
fn with_splay_a_host_first_waits_its_own_share() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    let share = |host: &str| {
        let started = Instant::now();
        let sent = bed.run(&["send", "-v", "--splay", "1", "--host", host]);
        let waiting = sent.stderr.lines().next().unwrap();
        let share = waiting.strip_prefix("pulse-echo: waiting ").unwrap().split(' ').next().unwrap();
        let least = share.parse::<f64>().unwrap() - 0.05;
        assert!(sent.code == 0 && started.elapsed().as_secs_f64() >= least, "{sent:?}");
        share.to_string()
    };
    assert_eq!(share("web-1"), share("web-1"));
    assert_ne!(share("web-1"), share("web-2"));
    let wrong = bed.run(&["send", "--splay", "100", "--host", "localhost"]);
    assert!(wrong.code == 2 && wrong.complaint().contains("every machine has"), "not after the wait: {wrong:?}");
}

#[test]
fn send_writes_nothing_to_its_hosts_disk() {
    if !Path::new("/usr/bin/strace").exists() {
        return left_out("there is no /usr/bin/strace here");
    }
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    let plain = bed.command(&["send"]);
    let mut traced = Command::new("/usr/bin/strace");
    traced.args(["-f", "-e", "trace=%file,openat,creat,ftruncate", "-o", "trace"]).arg(plain.get_program());
    traced.args(plain.get_args()).current_dir(bed.folder.path()).env_clear();
    traced.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let sent = Ended::of(&mut traced);
    assert_eq!(sent.code, 0, "{sent:?}");
    let trace = std::fs::read_to_string(bed.folder.path().join("trace")).unwrap();
    assert!(trace.contains("pulse.json"), "it is traced: {trace}");
    let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "mkdir", "rename", "unlink", "link(", "creat(", "truncate"];
    let written: Vec<_> = trace.lines().filter(|line| writes.iter().any(|write| line.contains(write))).collect();
    assert_eq!(written, [] as [&str; 0]);
}

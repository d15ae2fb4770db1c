//! Lines for cron that run jobs.

use super::*;
use crate::pulses;

#[test]
fn a_line_that_runs_a_job_is_known_with_its_user_its_times_and_its_name() {
    let text = "15 2 * * * root pulse-echo exec --name backup --timeout 4h -- sh -c 'tar -cf \"$X\" / && date'\n";
    let machine = Machine::with(&[("etc/cron.d/backup", text), ("etc/cron.d/pulse-echo", LINE)]);
    let schedule = find_in(machine.0.path(), DAY, &[], &|_| None);
    let shown: Vec<_> = schedule.jobs.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "cron, by /etc/cron.d/backup as root, the job backup, every 1 d",
            "cron, by /etc/cron.d/pulse-echo as root, every 10 min"
        ]
    );
    let job = &schedule.jobs[0];
    assert_eq!(job.task.exec().unwrap().command.len(), 3);
    assert_eq!(job.doubt, None, "what the shell fills in is the job's");
    let call = "pulse-echo --host $(hostname) exec --name a -- true";
    machine.write("etc/cron.d/backup", &format!("15 2 * * * root {call}\n"));
    let schedule = find_in(machine.0.path(), DAY, &[], &|_| None);
    assert!(schedule.jobs[0].doubt.is_some());
}

#[test]
fn what_is_wrong_with_a_line_that_runs_a_job_is_told_beside_what_sends() {
    let machine = Machine::with(&[("etc/cron.d/pulse-echo", LINE)]);
    for (text, why) in [
        ("15 2 * * * root pulse-echo exec --name backup tar\n", "there is no job: write it behind --"),
        ("15 2 * * * root pulse-echo exec --name backup -- tar", "the file has no newline at its end"),
        ("15 2 * * * gone pulse-echo exec --name backup -- tar\n", "there is no user gone"),
        ("15 2 * * * root echo pulse-echo exec --name backup -- tar\n", "does not run pulse-echo exec: its command"),
    ] {
        machine.write("etc/cron.d/backup", text);
        let schedule = find_in(machine.0.path(), DAY, &[], &|_| None);
        assert_eq!((schedule.jobs.len(), schedule.faults_of_jobs.len()), (1, 1), "{text}: {schedule:?}");
        assert!(schedule.faults_of_jobs[0].contains(why), "{schedule:?}");
    }
}

#[test]
fn only_jobs_send_nothing_of_the_hosts_own() {
    let text = "15 2 * * * root pulse-echo exec --name backup -- tar\n";
    let schedule = find_in(Machine::with(&[("etc/cron.d/backup", text)]).0.path(), DAY, &[], &|_| None);
    assert!(schedule.jobs.len() == 1 && schedule.faults[0].starts_with("nothing runs pulse-echo send"), "{schedule:?}");
}

#[test]
fn a_job_must_run_as_often_as_it_promises() {
    let misfits = |line: &str, file: Option<&str>| {
        let machine = Machine::with(&[("etc/cron.d/backup", line)]);
        if let Some(text) = file {
            machine.write("pe/jobs.d/backup.json", text);
        }
        let schedule = find_in(machine.0.path(), DAY, &[], &|_| None);
        let host = "web-1".parse().unwrap();
        let folder = machine.path("pe");
        let mut files: Vec<_> = pulses::of_host(&host, &folder).into_iter().flatten().collect();
        if files.is_empty() {
            let options = schedule.jobs[0].task.exec().unwrap();
            files.push(pulses::of_job(&host, &folder, options).unwrap());
        }
        misfits(&schedule.jobs, &files).join("\n").replace(machine.0.path().to_str().unwrap(), "")
    };
    let by = "cron, by /etc/cron.d/backup lets 7 d pass between two pulses, but";
    let weekly = |options: &str| format!("0 2 * * 1 root pulse-echo exec --name backup {options}-- tar\n");
    assert_eq!(misfits(&weekly(""), None), format!("{by} without --every it promises one a day: give it --every 7d"));
    assert_eq!(
        misfits(&weekly("--every 1h "), None),
        format!("{by} its --every promises one every 3600 s: give it --every 7d")
    );
    assert_eq!(misfits(&weekly("--every 7d "), None), "");
    assert_eq!(
        misfits(&weekly(""), Some("{\"every_s\": 86400}")),
        format!(
            "{by} the pulse /pe/jobs.d/backup.json promises one every 86400 s (every_s): set \"every_s\" to 604800, or \
             let the line run more often"
        )
    );
    assert_eq!(
        misfits("0 2 * * 1 root pulse-echo exec --name other -- tar\n", Some("{}")),
        "nothing runs pulse-echo exec --name backup, which /pe/jobs.d/backup.json is for: write a line with the job \
         behind it, or take the file away"
    );
    assert_eq!(misfits("0 2 * * * root pulse-echo send\n", Some("{\"every_s\": 86400}")).lines().count(), 1);
}

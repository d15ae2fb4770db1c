//! `jobs.d`, and who knows it.

use pulse_echo_core::name::Key;

use crate::site::{Site, check};

#[test]
fn send_and_run_never_send_a_job_and_its_goodbye_takes_it_along() {
    let site = Site::new();
    site.write("pulse.json", "{}");
    site.write("jobs.d/job.json", "{\"every_s\": 3600}");
    assert_eq!(site.agent(&["send"]).code, 0);
    let run = site.agent(&["run"]);
    assert_eq!((run.code, run.stdout.contains("job")), (0, false), "{run:?}");
    assert!(site.get(&Key::pulse(&check("job"))).is_none());
    assert_eq!(site.exec("true").code, 0);
    assert!(site.get(&Key::pulse(&check("job"))).is_some());
    let retired = site.agent(&["send", "--retire"]);
    assert!(retired.stdout.contains("deleted pulse/web-1/job.json"), "{retired:?}");
    assert!(site.get(&Key::pulse(&check("job"))).is_none());
}

#[test]
fn check_and_doctor_know_a_jobs_file() {
    let site = Site::new();
    site.write("jobs.d/job.json", "{\"every_s\": 3600}");
    let none = site.agent(&["check"]);
    assert!(none.code == 3 && none.stdout.contains("web-1/job: no pulse has been sent"), "{none:?}");
    assert!(none.stdout.contains("pulse-echo exec --name job"), "{none:?}");
    assert_eq!(site.exec("true").code, 0);
    site.echo("job");
    let well = site.agent(&["check"]);
    assert!(well.code == 0 && well.stdout.starts_with("ECHO OK - web-1/job answered "), "{well:?}");
    assert!(well.stdout.contains(";3900;7500;"), "its own limits: {well:?}");
    let doctor = site.agent(&["doctor"]);
    for line in [
        "✓ pulse: ./jobs.d/job.json is the job web-1/job",
        "✓ rights: may put pulse/web-1/job.json",
        "✓ answer: web-1/job answered ",
        "✗ schedule: nothing runs pulse-echo exec --name job, which ./jobs.d/job.json is for: write a line",
    ] {
        assert!(doctor.stdout.contains(line), "{line}: {doctor:#?}");
    }
    assert!(!doctor.stdout.contains("there is no pulse"), "{doctor:#?}");
}

#[test]
fn one_check_in_both_folders_is_refused_with_both_files() {
    let site = Site::new();
    site.write("pulse.json", "{}");
    site.write("pulses.d/job.json", "{}");
    let ended = site.exec("exit 5");
    ended.assert(5, "./pulses.d/job.json is there, which pulse-echo send sends: move it to ./jobs.d/job.json");
    site.write("jobs.d/job.json", "{}");
    let both = "./pulses.d/job.json and ./jobs.d/job.json are one check: rename one of them";
    site.exec("exit 5").assert(5, both);
    let sent = site.agent(&["send"]);
    sent.assert(2, both);
    assert!(sent.stdout.contains("sent pulse/web-1.json"), "the others go out: {sent:?}");
    assert_eq!(sent.stderr.lines().count(), 1, "{sent:?}");
    let checked = site.agent(&["check"]);
    assert!(checked.code == 3 && checked.stdout.contains(both), "{checked:?}");
    let doctor = site.agent(&["doctor"]);
    assert_eq!(doctor.stdout.matches(both).count(), 1, "{doctor:#?}");
    assert!(site.get(&Key::pulse(&check("job"))).is_none());
}

#[test]
fn options_promise_and_a_file_goes_before_them() {
    let site = Site::new();
    let job = ["exec", "--name", "job", "--every", "2h", "--grace", "0s", "--", "true"];
    let sent = site.agent(&job);
    assert_eq!((sent.code, sent.stdout.as_str(), sent.stderr.as_str()), (0, "", ""));
    let body = || site.get(&Key::pulse(&check("job"))).unwrap().body.unwrap();
    assert_eq!(body(), b"{\"every_s\": 7200, \"grace_s\": 0}");
    site.write("jobs.d/job.json", "{\"every_s\": 7200, \"grace_s\": 0 }");
    assert_eq!(site.agent(&job).stderr, "", "they say the same");
    site.write("jobs.d/job.json", "{\"every_s\": 3600}");
    let sent = site.agent(&job);
    assert!(sent.code == 0 && sent.complaint().contains("./jobs.d/job.json says how often the job comes"), "{sent:?}");
    assert_eq!(body(), b"{\"every_s\": 3600}");
}

#[test]
fn a_dry_run_runs_nothing_and_says_what_would_be_sent() {
    let site = Site::new();
    let dry = site.agent(&["exec", "--name", "job", "--every", "7d", "--dry-run", "--", "touch", "ran"]);
    assert_eq!((dry.code, site.read("ran")), (0, None), "{dry:?}");
    assert!(dry.stdout.contains("✓ pulse: web-1/job is a job, promised every 7d\n"), "{dry:?}");
    assert!(dry.stdout.contains("✓ rights: may put pulse/web-1/job.json"), "{dry:?}");
    assert!(site.get(&Key::pulse(&check("job"))).is_none());
}

//! The line to write where nothing sends.

use super::*;

#[test]
fn where_nothing_sends_that_is_wrong() {
    // The program that says it is the one that can be run.
    let line = format!("*/10 * * * * root {} send ", std::env::current_exe().unwrap().display());
    let write = format!("write this line into /etc/cron.d/pulse-echo: {line}");
    Machine::with(&[]).refuses("nothing runs pulse-echo send", &write);
    let own = Machine::with(&[("etc/cron.d/pulse-echo", &format!("#{LINE}"))]);
    own.refuses(
        "/etc/cron.d/pulse-echo has no line that sends, or only as a comment",
        &format!("take the # away, or write {line}"),
    );
    own.write("etc/cron.d/pulse-echo", "");
    own.refuses("/etc/cron.d/pulse-echo has no line that sends", "");
    Machine::with(&[("usr/lib/systemd/system/pulse-echo.timer", "")]).refuses("nothing runs", ENABLE_TIMER);
}

#[test]
fn the_line_to_write_names_the_configuration_that_was_asked_for() {
    let machine = Machine::with(&[("usr/lib/systemd/system/pulse-echo.timer", "")]);
    for (file, word) in [("/srv/pe/config.json", "/srv/pe/config.json"), ("/a b/50%'s", r"'/a b/50\%'\''s'")] {
        let schedule = find_in(machine.0.path(), DAY, &["--config".into(), file.into()], &|_| None);
        let fault = schedule.faults.concat();
        assert!(fault.ends_with(&format!(" --config {word} send --quiet --splay 120")), "{fault}");
        // The line is one that sends, by the program that is installed here.
        let (_, line) = fault.split_once("write this line into /etc/cron.d/pulse-echo: ").unwrap();
        let line = line.replace(std::env::current_exe().unwrap().to_str().unwrap(), "/usr/bin/pulse-echo");
        machine.write("etc/cron.d/pulse-echo", &format!("{line}\n"));
        let schedule = find_in(machine.0.path(), DAY, &[], &|_| None);
        assert!(schedule.jobs.len() == 1 && schedule.faults.is_empty(), "{schedule:?}");
        machine.remove("etc/cron.d/pulse-echo");
    }
}

#[test]
fn the_packages_line_without_its_user_is_no_line_for_a_users_crontab() {
    let machine = Machine::with(&[("etc/cron.d/pulse-echo", include_str!("../../../../cron/pulse-echo"))]);
    machine.write("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    machine.refuses("there is no user pulse-echo", "name one that is there");
    machine.write("etc/cron.d/pulse-echo", "*/10 * * * * pulse-echo send\n");
    machine.refuses("pulse-echo is taken for a user", "write root or another user before it");
}

//! Timers of systemd, the package's and the operator's own.

use super::*;

fn with_timer() -> Machine {
    let machine = Machine::with(&[
        ("run/systemd/system/x", ""),
        ("usr/lib/systemd/system/pulse-echo.timer", include_str!("../../../../packaging/systemd/pulse-echo.timer")),
        ("usr/lib/systemd/system/pulse-echo.service", include_str!("../../../../packaging/systemd/pulse-echo.service")),
        ("etc/cron.d/pulse-echo", include_str!("../../../../cron/pulse-echo")),
        ("etc/pulse-echo/config.json", ""),
        ("etc/systemd/system/timers.target.wants/other", ""),
    ]);
    symlink("../../../../usr/lib/systemd/system/pulse-echo.timer", machine.path(TIMER_ENABLED)).unwrap();
    machine
}

#[test]
fn the_timer_fires_where_it_is_enabled_and_systemd_runs() {
    let machine = with_timer();
    assert_eq!(machine.found_with(Some(true)), Ok(vec!["systemd's timer pulse-echo.timer as pulse-echo".into()]));
    let error = machine.found_with(Some(false)).unwrap_err();
    assert!(error.contains("is enabled but does not run") && error.contains("systemctl start"), "{error}");
    assert!(error.contains("[ -e /etc/systemd/system/timers.target.wants/pulse-echo.timer ]"), "{error}");
    fs::remove_dir_all(machine.path("run/systemd")).unwrap();
    assert_eq!(machine.found(), Ok(vec!["cron, by /etc/cron.d/pulse-echo as pulse-echo".into()]));
    let machine = with_timer();
    symlink("/dev/null", machine.path("etc/systemd/system/pulse-echo.timer")).unwrap();
    let error = machine.found().unwrap_err();
    assert!(error.contains("enabled but masked") && error.contains("systemctl unmask"), "{error}");
}

#[test]
fn a_timer_of_the_operators_own_is_found() {
    let machine = Machine::with(&[
        ("run/systemd/system/x", ""),
        ("etc/systemd/system/beat.timer", "[Timer]\nOnCalendar=hourly\nUnit=heart.service\n"),
        ("etc/systemd/system/heart.service", "[Service]\nExecStart=-/usr/bin/pulse-echo send\nUser=pulse-echo\n"),
        ("etc/systemd/system/heart.service.d/a.conf", "[Service]\nEnvironment=\"A=b c\" D=e\n"),
    ]);
    machine.write("etc/systemd/system/timers.target.wants/beat.timer", "");
    let schedule = find_in(machine.0.path(), DAY, &[], &|_| Some(true));
    assert_eq!(schedule.jobs.len(), 1, "{schedule:?}");
    let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
    let variables = &schedule.jobs[0].variables;
    assert!(variables.ends_with(&[pair("A", "b c"), pair("D", "e")]), "{variables:?}");
    assert!(variables.contains(&pair("HOME", "/etc/pulse-echo")), "{variables:?}");
}

//! `make e2e`: the packages of `make dist`, installed.
//!
//! Each story has its own Debian, a copy of debootstrap's, without mounts: it is gone when the story ends. Tools that
//! the machine lacks are installed. A story whose tools cannot be installed is left out and named; under `CI` it fails.

mod boots;
mod by_deb;
mod by_rpm;
mod cron;
mod files;
mod host;
mod local;
mod machine;
mod packages;
mod root;
mod tools;
mod verdicts;

use std::env;
use std::process::ExitCode;

use pulse_echo_testkit::tally::Tally;
use tools::{DEBIAN, MACHINE, MAN, PYTHON, QEMU, RPM, SHELLS, SYSTEMD, Tool};

/// A story: its sentence, its tools, and what it does.
type Story = (&'static str, &'static [Tool], fn());

const STORIES: &[Story] = &[
    ("the deb lies as listed, works twice, and leaves nothing behind", &[DEBIAN], by_deb::from_install_to_purge),
    ("the deb keeps what the operator changed", &[DEBIAN], by_deb::upgrades_keep_what_was_changed),
    ("the deb gives keys that were there before it to its group, once", &[DEBIAN], by_deb::keys_that_were_there_first),
    ("the deb has the timer fire where there is no cron", &[DEBIAN], by_deb::without_cron_the_timer_fires),
    (
        "the rpm lies as listed, works twice, and leaves what is the operator's",
        &[DEBIAN, RPM],
        by_rpm::from_install_to_erase,
    ),
    ("the rpm keeps what the operator changed", &[DEBIAN, RPM], by_rpm::upgrades_keep_what_was_changed),
    (
        "the rpm does not bring back a line for cron that was deleted",
        &[DEBIAN, RPM],
        by_rpm::a_deleted_line_for_cron_stays_deleted,
    ),
    ("the rpm has the timer fire where there is no cron", &[DEBIAN, RPM], by_rpm::without_cron_the_timer_fires),
    ("cron sends, keeps silent, and steps back", &[DEBIAN], host::cron_sends_keeps_silent_and_steps_back),
    ("cron runs a job that fails and is mended", &[DEBIAN], host::cron_runs_a_job_that_fails_and_is_mended),
    ("cron runs two jobs at once, and one hangs", &[DEBIAN], host::cron_runs_two_jobs_at_once_and_one_hangs),
    (
        "doctor says yes where cron says yes, and no where cron says no",
        &[DEBIAN],
        verdicts::doctor_says_yes_where_cron_says_yes,
    ),
    ("doctor tries out what cron runs, as cron runs it", &[DEBIAN], verdicts::doctor_tries_out_what_cron_runs),
    ("check answers whoever is in the group, and tells others of it", &[DEBIAN], host::check_is_for_the_group),
    ("doctor says who may not read what", &[DEBIAN], host::doctor_knows_the_group),
    ("the program for Arm sends", &[QEMU], host::the_program_for_arm_sends),
    ("systemd takes the units, and they are closed", &[DEBIAN, SYSTEMD], files::systemd_takes_the_units),
    ("bash, zsh and fish complete", &[SHELLS], files::shells_complete),
    ("the man pages are clean", &[MAN], files::man_pages_are_clean),
    ("Ansible and cloud-init take the examples", &[PYTHON], files::ansible_and_cloud_init_take_the_examples),
    ("the documented lines for the tarball do what they say", &[DEBIAN], host::the_tarball_is_set_up_as_documented),
    (
        "the local system's deb starts nothing twice, upgrades an old data folder, and purges it",
        &[DEBIAN],
        local::deb_from_install_to_purge,
    ),
    ("the local system's rpm lies as listed, and leaves the data", &[DEBIAN, RPM], local::rpm_from_install_to_erase),
    ("systemd takes the local system's unit, and it is closed", &[DEBIAN, SYSTEMD], local::systemd_takes_the_unit),
    (
        "a Debian boots with both packages: the timer, an upgrade, a kill, a reboot, the removal",
        &[MACHINE],
        boots::from_install_over_a_reboot_to_removal,
    ),
];

fn main() -> ExitCode {
    let mut tally = Tally::new("install");
    for (what, tools, story) in STORIES {
        if !tally.wants(what) {
            continue;
        }
        // A whole machine is emulated: many minutes where there is no faster one.
        if what.starts_with("a Debian boots") && env::args().len() == 1 && env::var_os("E2E_ALL").is_none() {
            println!("left to `make e2e-all`: {what}");
            continue;
        }
        match tools.iter().try_for_each(Tool::install) {
            Ok(()) => tally.run(what, || {
                story();
                Ok(())
            }),
            Err(why) => tally.leave_out(what, &why),
        }
    }
    tally.end()
}

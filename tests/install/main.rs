//! `make e2e`: the packages of `make dist`, installed.
//!
//! Each story has a Debian of its own, a copy of what debootstrap made, and nothing in it is mounted: it is gone when
//! the story ends. What the machine lacks is installed; what cannot be is left out and named.

#[path = "../bed/mod.rs"]
mod bed;
mod by_deb;
mod by_rpm;
mod cron;
mod files;
mod host;
mod packages;
mod root;
mod tools;

use std::panic;
use std::process::ExitCode;
use std::time::Instant;

use tools::{DEBIAN, MAN, PYTHON, QEMU, RPM, SHELLS, SYSTEMD, Tool};

/// What is told, what it needs, and the story.
type Story = (&'static str, &'static [Tool], fn());

const STORIES: &[Story] = &[
    ("the deb lies as listed, works twice, and leaves nothing behind", &[DEBIAN], by_deb::from_install_to_purge),
    ("the deb keeps what the operator changed", &[DEBIAN], by_deb::upgrades_keep_what_was_changed),
    ("the deb has the timer fire where there is no cron", &[DEBIAN], by_deb::without_cron_the_timer_fires),
    (
        "the rpm lies as listed, works twice, and leaves what is the operator's",
        &[DEBIAN, RPM],
        by_rpm::from_install_to_erase,
    ),
    ("the rpm keeps what the operator changed", &[DEBIAN, RPM], by_rpm::upgrades_keep_what_was_changed),
    ("the rpm has the timer fire where there is no cron", &[DEBIAN, RPM], by_rpm::without_cron_the_timer_fires),
    ("cron sends, keeps silent, and steps back", &[DEBIAN], host::cron_sends_keeps_silent_and_steps_back),
    ("check answers whoever is in the group, and tells others of it", &[DEBIAN], host::check_is_for_the_group),
    ("doctor says who may not read what", &[DEBIAN], host::doctor_knows_the_group),
    ("the program for Arm sends", &[QEMU], host::the_program_for_arm_sends),
    ("systemd takes the units, and they are closed", &[DEBIAN, SYSTEMD], files::systemd_takes_the_units),
    ("bash, zsh and fish complete", &[SHELLS], files::shells_complete),
    ("the man pages are clean", &[MAN], files::man_pages_are_clean),
    ("Ansible and cloud-init take the examples", &[PYTHON], files::ansible_and_cloud_init_take_the_examples),
    ("the documented lines for the tarball do what they say", &[DEBIAN], host::the_tarball_is_set_up_as_documented),
];

fn main() -> ExitCode {
    let wanted: Vec<_> = std::env::args().skip(1).collect();
    let (mut passed, mut failed, mut left_out) = (0, 0, 0);
    for (what, tools, story) in STORIES {
        if !wanted.iter().all(|part| what.contains(part.as_str())) {
            continue;
        }
        let started = Instant::now();
        if let Err(why) = tools.iter().try_for_each(Tool::install) {
            println!("left out: {what}: {why}");
            left_out += 1;
        } else if panic::catch_unwind(story).is_ok() {
            println!("ok: {what} ({:.0} s)", started.elapsed().as_secs_f64());
            passed += 1;
        } else {
            println!("FAILED: {what}");
            failed += 1;
        }
    }
    println!("{passed} passed, {failed} failed, {left_out} left out");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

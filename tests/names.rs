//! Two machines of one name overwrite each other's pulses: that is told, or refused before it happens.

use std::fs;

use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::store::{BUCKET, id};

/// Puts an echo of `web-1` to a pulse of another machine.
fn with_echo_of_another() -> Bed {
    let bed = Bed::new();
    let metadata: Metadata = [("instance".to_string(), "0b".repeat(32))].into();
    bed.put(&Key::echo(&id("web-1")), b"ok", &metadata);
    bed
}

/// A machine without an id of its own cannot tell itself from another.
fn has_id() -> bool {
    fs::read_to_string("/etc/machine-id").is_ok_and(|id| id.trim().len() == 32)
}

#[test]
fn send_says_once_a_day_that_another_machine_sends_under_its_name() {
    let bed = with_echo_of_another();
    // With a pulse a day, each run is the run of its day.
    bed.write("pulse.json", "{\"every_s\": 86400}");
    let sent = bed.run(&["send", "-q"]);
    let said = "pulse-echo: another machine sends as web-1, too: give one of the two another name: \"host\" in its \
                configuration\n";
    assert_eq!((sent.code, sent.stderr.as_str()), (0, if has_id() { said } else { "" }), "{sent:#?}");
    // Every 15 s: due only in the first of a day's 5,760 runs.
    bed.write("pulse.json", "{\"every_s\": 15}");
    let midnight = jiff::Timestamp::now().as_second().rem_euclid(86_400) < 60;
    assert!(midnight || bed.run(&["send", "-q"]).stderr.is_empty());
    bed.answer(&id("web-1"));
    bed.write("pulse.json", "{\"every_s\": 86400}");
    assert_eq!(bed.run(&["send", "-q"]).stderr, "", "the newest echo is this machine's");
}

#[test]
fn init_refuses_a_name_that_another_machine_sends_under_unless_it_takes_its_place() {
    let bed = with_echo_of_another();
    fs::remove_file(bed.folder.path().join("config.json")).ok();
    let init = |more: &[&str]| {
        bed.run(&[&["init", "--config", "etc/config.json", "--bucket", BUCKET, "--host", "web-1"], more].concat())
    };
    if has_id() {
        let refused = init(&[]);
        assert!(refused.complaint().contains("another machine sends as web-1"), "{refused:#?}");
        assert!(refused.complaint().contains("--anyway"), "{refused:#?}");
        assert_eq!((refused.code, bed.folder.path().join("etc").exists()), (1, false));
    }
    assert_eq!(init(&["--anyway"]).code, 0);
}

#[test]
fn the_names_that_every_machine_has_are_refused_by_all_that_sends() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    for name in ["localhost.localdomain", "LOCALHOST6", "ip6-loopback", "(none)"] {
        for command in [&["send"][..], &["send", "--dry-run"], &["run"], &["init", "--config", "etc/config.json"]] {
            let refused = bed.run(&[command, &["--host", name]].concat());
            assert_ne!(refused.code, 0, "{name}: {refused:#?}");
        }
    }
    assert_eq!(bed.keys(), [] as [&str; 0]);
}

//! How a check or a host leaves the fleet on purpose.

use crate::{ago, assert_failed, assert_said, knows, put_all_of};
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::{Record, Status};
use pulse_echo_testkit::agent::Ended;
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::store::id;

#[test]
fn a_host_is_retired_with_all_its_checks_and_nothing_else() {
    let bed = knows(&["web-1", "web-1/db", "web-10"]);
    for check in ["web-1", "web-1/db", "web-10"] {
        put_all_of(&bed, check);
    }
    let before = bed.keys();
    let dry = bed.run(&["retire", "web-1", "--dry-run"]);
    assert_said(&dry, "would delete pulse/web-1/db.json\n");
    assert_said(&dry, "would put the note retire/web-1.json\n");
    assert_eq!((dry.stdout.lines().count(), bed.keys()), (9, before));

    let retired = bed.run(&["retire", "web-1"]);
    assert_said(&retired, "deleted fault/web-1/db.json\n");
    assert_said(&retired, "web-1 is told as gone by the next sweep; if its host still sends, it comes back");
    let left = [
        "echo/web-10.json",
        "fault/web-10.json",
        "mute/web-10.json",
        "pulse/web-10.json",
        "retire/web-1.json",
        "status.json",
    ];
    assert_eq!(bed.keys(), left, "one note speaks for all of the host's checks");
    assert_said(&bed.run(&["retire", "web-1"]), "put the note retire/web-1.json");
}

#[test]
fn one_check_is_retired_alone_even_if_no_sweep_knew_it() {
    let bed = knows(&["web-1"]);
    put_all_of(&bed, "web-1");
    bed.put(&Key::pulse(&id("web-1/db")), b"{}", &Metadata::new());
    assert_said(&bed.run(&["retire", "web-1/db"]), "deleted pulse/web-1/db.json\n");
    assert_eq!(bed.keys().len(), 6);
    let quiet = bed.run(&["retire", "-q", "web-1"]);
    assert_eq!((quiet.code, quiet.stdout.as_str()), (0, ""));
    assert_eq!(bed.keys(), ["retire/web-1.json", "retire/web-1/db.json", "status.json"]);
}

#[test]
fn a_key_put_by_hand_can_be_muted_and_retired_as_it_is_shown() {
    let bed = Bed::new();
    let notes = "notes.txt".to_string().try_into().unwrap();
    bed.put(&Key::pulse(&notes), b"{}", &Metadata::new());
    let status = Status { checks: [(notes, Record::new(ago(60)))].into(), ..Status::new(ago(10)) };
    bed.put(&Key::status(), &status.to_json(), &Metadata::new());
    assert_said(&bed.run(&["mute", "notes.txt", "--for", "1d"]), "muted notes.txt for 1d");
    assert_eq!(bed.keys(), ["mute/notes.txt", "pulse/notes.txt", "status.json"]);
    assert_said(
        &bed.run(&["retire", "notes.txt"]),
        "deleted pulse/notes.txt\nput the note retire/notes.txt: it leaves on purpose\ndeleted mute/notes.txt\n",
    );
}

#[test]
fn a_host_says_goodbye_by_deleting_its_own_pulses_whatever_is_in_their_files() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    bed.write("pulses.d/db.json", "{}");
    assert_eq!(bed.run(&["send", "-q"]).code, 0);
    bed.put(&Key::pulse(&id("web-10")), b"{}", &Metadata::new());
    bed.answer(&id("web-1"));
    bed.write("pulses.d/db.json", "{ broken");
    let before = bed.keys();
    assert_said(
        &bed.run(&["send", "--retire", "--dry-run"]),
        "would delete pulse/web-1.json in bucket pulses\nwould delete pulse/web-1/db.json in bucket pulses\n\
         would put the note retire/web-1.json: it leaves on purpose\n",
    );
    assert_eq!(bed.keys(), before);
    let goodbye = bed.run(&["send", "--retire"]);
    assert_said(&goodbye, "deleted pulse/web-1.json in bucket pulses\ndeleted pulse/web-1/db.json in bucket pulses\n");
    assert_said(&goodbye, "put the note retire/web-1.json: it leaves on purpose\n");
    assert_eq!(bed.keys(), ["echo/web-1.json", "pulse/web-10.json", "retire/web-1.json"]);
    let again = bed.run(&["send", "--retire"]);
    assert_said(&again, "pulse/web-1.json was not in bucket pulses\n");
    assert!(!again.stdout.contains("deleted"), "{again:#?}");
    let again = bed.run(&["send", "--retire", "--quiet"]);
    assert_eq!((again.code, again.stdout.as_str(), again.stderr.as_str()), (0, "", ""));
    bed.write("db.json", "{}");
    assert_said(
        &bed.run(&["send", "--retire", "--pulse", "db.json", "--name", "db"]),
        "put the note retire/web-1/db.json",
    );
}

#[test]
fn of_a_check_that_never_was_no_message_is_promised() {
    let bed = knows(&["web-1"]);
    let unknown = bed.run(&["retire", "zz", "--anyway"]);
    assert!(unknown.code == 0 && !unknown.stdout.contains("told as gone"), "{unknown:?}");
    let wrong = bed.run(&["retire", "web-1/"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.complaint().starts_with("pulse-echo: \"web-1/\" is no check: it names a folder"), "{wrong:?}");
}

#[test]
fn a_goodbye_that_did_not_arrive_exits_1_and_a_wrong_one_2() {
    let bed = Bed::new();
    let mut lost = bed.command(&["send", "--retire", "--bucket", "nowhere"]);
    assert_failed(&Ended::of(&mut lost), 1, "in bucket \"nowhere\"");
    assert_failed(&bed.run(&["send", "--retire", "--name", "db"]), 2, "--name goes with --pulse");
}
